"""A server process of the measurements: the application as `fenqi` serves it, with or without the jobs beside it."""

from __future__ import annotations

import sys

import uvicorn

from fenqi.main import create_app, settle_memory
from fenqi.settings import from_environment


def main() -> None:
    """Serve on the port that the first argument names; a second one, `jobs`, runs them in this process, too."""
    app = create_app(from_environment(), with_jobs="jobs" in sys.argv[2:])
    settle_memory()
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False,
        log_level="warning",
    )  # fmt: skip


if __name__ == "__main__":
    main()
