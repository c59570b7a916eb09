"""Starts fenqi from a fresh clone with nothing but Python: brings uv, lets it set up `.venv`, and runs the command.

    python3 run.py demo      the mall, the credit line and the cashier, in your browser
    python3 run.py test      the tests
    python3 run.py …         any other command of fenqi

Standard library only, and it writes nowhere but in this directory and in uv's cache.
"""

import os
import re
import shutil
import ssl
import subprocess
import sys

if sys.version_info < (3, 11):  # said before anything that an older Python doesn't understand
    sys.exit(f"fenqi needs Python 3.11 or newer; this is {sys.version.split()[0]} ({sys.executable})")

from pathlib import Path

CLONE = Path(__file__).resolve().parent
OWN = CLONE / ".uv"
OLDEST_UV = (0, 5)
AT_ONCE = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile")
"""All tests are run by as many processes as there are cores, each with a database server of its own."""
PIP_INSTALL = ("-m", "pip", "install", "--quiet", "--no-warn-script-location", "--root-user-action=ignore")
NO_PIP = """\
This Python has neither venv with ensurepip nor pip, so uv can't be brought. Any one of these helps:
    apt-get install python3-venv        (Debian, Ubuntu; as root)
    apt-get install python3-pip
    or install uv yourself and have it on the PATH
Then run the same command again."""


def main(arguments: list[str]) -> int:
    """Run the command in the project's environment; returns its exit code only where it can't become it."""
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__.strip())
        return 0
    environment = surroundings()
    uv = find_uv() or bring_uv(environment)
    if uv is None:
        print(NO_PIP, file=sys.stderr)
        return 1
    line = [uv, "run", "--python", sys.executable, "--project", str(CLONE)]
    if arguments[0] == "test":
        os.chdir(CLONE)
        line += ["pytest", *(arguments[1:] or AT_ONCE)]
    else:
        line += ["--no-dev", "fenqi", *arguments]
    if not (CLONE / ".venv").exists():
        say("setting up .venv (once; about a minute)")
    os.execve(line[0], line, environment)


def surroundings() -> dict[str, str]:
    """The environment of what runs: no other Python is downloaded, data stays here, and caches too without a home."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment.setdefault("FENQI_DATA_DIR", str(CLONE / ".fenqi"))
    environment.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    if has_certificates():
        environment.setdefault("UV_SYSTEM_CERTS", "1")
    if not home_takes_caches():
        OWN.mkdir(exist_ok=True)
        environment.setdefault("UV_CACHE_DIR", str(OWN / "cache"))
        environment.setdefault("PIP_CACHE_DIR", str(OWN / "pip-cache"))
        environment["HOME"] = str(OWN)
    return environment


def home_takes_caches() -> bool:
    """Whether the home directory is named, there, and writable."""
    home = os.environ.get("HOME", "")
    caches = Path(home, ".cache")
    return os.path.isabs(home) and os.access(caches if caches.exists() else home, os.W_OK | os.X_OK)


def has_certificates() -> bool:
    """Whether the machine has certificates of its own to trust: uv then uses them, as pip and browsers do.

    They may name a company's proxy, which the list inside uv can't know. A bare image may have none at all.
    """
    paths = ssl.get_default_verify_paths()
    return paths.cafile is not None or (paths.capath is not None and len(os.listdir(paths.capath)) > 0)


def find_uv() -> str | None:
    """A uv that is there: on the PATH, or brought here before; too old ones don't count."""
    for candidate in (shutil.which("uv"), OWN / "venv/bin/uv", OWN / "target/bin/uv"):
        if candidate is not None and uv_works(candidate):
            return str(candidate)
    return None


def uv_works(uv: str | Path) -> bool:
    """Whether it starts and is new enough to know dependency groups."""
    try:
        said = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return False
    version = re.match(r"uv (\d+)\.(\d+)", said)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST_UV


def bring_uv(environment: dict[str, str]) -> str | None:
    """Install uv below `.uv` with a virtual environment, this Python's pip, or the system's pip wheel; None if none."""
    say("bringing uv")
    venv, target = OWN / "venv", OWN / "target"
    if succeeds([sys.executable, "-m", "venv", "--clear", str(venv)], environment):
        succeeds([str(venv / "bin/python"), *PIP_INSTALL, "uv"], environment, show=True)
        return find_uv() or sys.exit("uv could not be installed: see above")
    shutil.rmtree(venv, ignore_errors=True)
    if not succeeds([sys.executable, "-m", "pip", "--version"], environment):
        wheel = pip_of_the_system(environment)
        if wheel is None:
            return None
        environment = environment | {"PYTHONPATH": str(wheel)}
    succeeds([sys.executable, *PIP_INSTALL, "--upgrade", "--target", str(target), "uv"], environment, show=True)
    return find_uv() or sys.exit("uv could not be installed: see above")


def pip_of_the_system(environment: dict[str, str]) -> Path | None:
    """For Debian's Python without pip and ensurepip: the archive's own pip wheel, unpacked below `.uv`.

    Nothing is installed, so it needs no root; apt keeps its lists below `.uv` too and checks the signatures.
    """
    folder = OWN / "apt"
    for name in ("lists/partial", "archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    places = {"Dir::State::Lists": folder / "lists", "Dir::Cache": folder, "APT::Sandbox::User": "root"}
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in places.items())]
    done = (
        shutil.which("apt-get") is not None
        and succeeds([*apt, "update"], environment)
        and succeeds([*apt, "download", "python3-pip-whl"], environment, folder)
        and succeeds(["dpkg-deb", "-x", *map(str, folder.glob("python3-pip-whl*.deb")), str(folder)], environment)
    )
    return next(folder.glob("usr/share/python-wheels/pip-*.whl"), None) if done else None


def succeeds(line: list[str], environment: dict[str, str], where: Path = CLONE, *, show: bool = False) -> bool:
    """Run a step; its output is shown only where it tells the user something."""
    return subprocess.run(line, env=environment, cwd=where, capture_output=not show, check=False).returncode == 0


def say(what: str) -> None:
    print(f"fenqi: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
