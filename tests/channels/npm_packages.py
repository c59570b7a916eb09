"""The npm clients that drive the gateways as oracles: where they are, and how they get there.

    python3 tests/channels/npm_packages.py      installs them into FENQI_NPM_DIR, or .venv/npm of this clone

Nothing of npm's is kept in the repository: no lock file, no node_modules. Tests that need a package skip without it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {"alipay-sdk": "4.14.0", "wechatpay-axios-plugin": "0.9.6"}
OWN = Path(__file__).resolve().parents[2] / ".venv" / "npm"


def folder() -> Path:
    """The directory that has, or is to have, node_modules."""
    return Path(os.environ.get("FENQI_NPM_DIR") or OWN)


def missing(package: str) -> str:
    """Why the tests of a package can't run, and what helps; "" when they can."""
    if shutil.which("node") is None:
        return "node is not installed (18 or newer is needed)"
    if not (folder() / "node_modules" / package / "package.json").exists():
        return f"{package} is not installed; get it with: python3 tests/channels/npm_packages.py"
    return ""


def install() -> None:
    """Bring both packages. Raises CalledProcessError, FileNotFoundError without npm."""
    folder().mkdir(parents=True, exist_ok=True)
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    options = [
        "--prefix",
        str(folder()),
        "--no-save",
        "--no-package-lock",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]
    subprocess.run(["npm", "install", *options, *wanted], cwd=folder(), check=True)


if __name__ == "__main__":
    install()
    print(f"installed into {folder()}", file=sys.stderr)
