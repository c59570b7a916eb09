"""A program for the launcher's tests: starts the server on a directory, says where it is, ends with its input.

python start_and_wait.py DIRECTORY
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from fenqi.database import server


def main(data_dir: Path) -> None:
    try:
        with server.start(data_dir) as running:
            said = {"owner_url": running.owner_url, "postmaster": running.postmaster_pid, "uid": os.getuid()}
            print(json.dumps(said), flush=True)
            sys.stdin.read()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    except server.ServerError as refusal:
        print(json.dumps({"refusal": type(refusal).__name__, "detail": str(refusal)}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
