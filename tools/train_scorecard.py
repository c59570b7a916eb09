"""Train the scorecards from the committed data, and write the artefacts and their data sheet.

Run `python -m tools.train_scorecard` after a change of data or method; the same data give the same files.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.scorecard import artefact, data, sheet

ROOT = Path(__file__).resolve().parents[1]
SERVED = ROOT / "src" / "fenqi" / "risk" / "scorecard" / "application.json"
BENCHMARK = data.HERE / "german.json"
SHEET = ROOT / "docs" / "reference" / "scorecard.md"


def served() -> dict[str, Any]:
    """The card that applications are scored with."""
    return artefact.make(data.lending_club(), "application-lc2016-1")


def benchmark() -> dict[str, Any]:
    """The same method on the classic data, for comparison and for fairness; it decides nothing."""
    return artefact.make(data.german(), "benchmark-german-1")


def text_of(card: dict[str, Any]) -> str:
    """The artefact as it is stored."""
    return json.dumps(card, indent=1, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all three files."""
    cards = served(), benchmark()
    SERVED.write_text(text_of(cards[0]), encoding="utf-8")
    BENCHMARK.write_text(text_of(cards[1]), encoding="utf-8")
    SHEET.write_text(sheet.write(*cards), encoding="utf-8")


if __name__ == "__main__":
    main()
