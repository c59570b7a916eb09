"""`uv run python -m bench COMMAND`: one module a command, each with `HELP`, `arguments(parser)` and `run(options)`."""

from __future__ import annotations

import argparse
from types import ModuleType

from bench import backtest, channel, ledger, pay, quote

COMMANDS: dict[str, ModuleType] = {
    "backtest": backtest,
    "channel": channel,
    "ledger": ledger,
    "pay": pay,
    "quote": quote,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, module in COMMANDS.items():
        module.arguments(commands.add_parser(name, help=module.HELP))
    options = parser.parse_args()
    COMMANDS[options.command].run(options)


if __name__ == "__main__":
    main()
