"""The engine against schedules that others publish: every due date, principal, interest and balance, to the cent."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import date
from decimal import Decimal, localcontext
from pathlib import Path

from fenqi.credit.schedule import DayCount, Terms, preview
from fenqi.credit.schedule.arithmetic import working
from fenqi.credit.schedule.day_count import period_factors
from fenqi.credit.schedule.due_date import due_dates
from fenqi.credit.schedule.method import lay_out

DATA = Path(__file__).parent / "data"
DAY = date(2024, 1, 1)


def test_every_published_schedule_is_met_to_the_cent() -> None:
    cases = [json.loads(line) for line in (DATA / "published_schedules.jsonl").read_text().splitlines()]
    different = []
    for case in cases:
        plan = preview(case["terms"], Decimal("0.24"), DAY)
        rows = [[row["due_on"], row["principal"], row["interest"], row["balance"]] for row in plan.get("rows", [])]
        if rows != case["rows"]:
            different.append((case, rows))
    assert different == []
    assert len(cases) == 228
    assert sum(len(case["rows"]) for case in cases) == 1405


def test_booked_instalments_of_lending_club_are_met_within_a_cent() -> None:
    with gzip.open(DATA / "lending_club.csv.gz", "rt") as lines:
        loans = list(csv.DictReader(lines))
    assert len(loans) == 10_000
    met = sum(abs(_instalment(loan) - int(Decimal(loan["installment"]) * 100)) <= 1 for loan in loans)
    assert met == 9_997  # the three others are booked below or above the annuity of their stated rate


def _instalment(loan: dict[str, str]) -> int:
    terms = Terms(
        principal_minor=int(loan["loan_amount"]) * 100,
        instalments=int(loan["term"]),
        disbursed_on=DAY,
        rate_annual=Decimal(loan["interest_rate"]) / 100,
        day_count=DayCount.PERIODIC,
    )
    with localcontext(working(terms.rounding)):
        return sum(lay_out(terms, terms.principal_minor, period_factors(terms, due_dates(terms)))[0])
