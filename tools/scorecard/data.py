"""The two data sets as columns: which features a card may use, in which direction they may work, and what is kept out.

Numbers are whole, in the units of the room that will be asked: counts, months, millionths.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parents[2] / "data" / "scorecard"
PPM = 1_000_000
WITHOUT_INCOME_PPM = 99 * PPM


@dataclass(frozen=True)
class Feature:
    """A feature that a card may use; `source` is what it is in the data, `code` the principal reason that it gives."""

    name: str
    source: str
    worse: int = 0
    code: str = ""


@dataclass(frozen=True)
class Sample:
    """One data set, ready to be trained on; `apart` are columns that are looked at and never used."""

    name: str
    features: tuple[Feature, ...]
    columns: dict[str, Any]
    bad: Any
    apart: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """What the data has and the card does not use, with the reason."""


def lending_club() -> Sample:
    """What an applicant's bureau file tells here, as LendingClub had it of its borrowers."""
    rows = _rows("lending_club.csv")
    debt, income = _whole(rows, "total_bal_il"), _whole(rows, "annual_inc")
    columns = {
        "inquiries_count": _whole(rows, "inq_last_6mths"),
        "opened_12m_count": _whole(rows, "open_il_12m"),
        "lenders_count": _whole(rows, "open_il_6m"),
        "used_ppm": _whole(rows, "all_util") * (PPM // 100),
        "debt_ppm": _share_ppm(debt, income),
    }
    features = (
        Feature("inquiries_count", "inq_last_6mths: inquiries in six months", 1, "CR_TOO_MANY_INQUIRIES"),
        Feature("opened_12m_count", "open_il_12m: instalment accounts opened in 12 months", 1, "CR_RECENT_CREDIT"),
        Feature("lenders_count", "open_il_6m: instalment accounts now active", 1, "CR_MULTI_LENDER"),
        Feature("used_ppm", "all_util: balance to limit over all accounts", 1, "CR_HIGH_UTILISATION"),
        Feature("debt_ppm", "total_bal_il / annual_inc: instalment debt to yearly income", 1, "CR_DEBT_BURDEN"),
    )
    left_out = {
        "annual_inc": "its level in dollars says nothing in yuan; it is used as the measure of debt only",
        "verification_status": "verified borrowers went bad more often (7.8 % against 3.4 %): LendingClub chose whom "
        "to verify, so the sign is the selection's, not the paper's",
        "delinq_2yrs, acc_now_delinq": "flat in these data (5.2 %, 5.8 %, 4.3 % bad at 0, 1, more): those with a bad "
        "record had been refused before; our policy has rules of its own for them",
        "int_rate, sub_grade, term, funded_amnt": "LendingClub's own decision, unknown when an applicant is assessed",
        "addr_state, emp_length": "not asked here; a region can stand for a protected group",
    }
    return Sample("lending_club", features, columns, _bad(rows), {}, left_out)


def german() -> Sample:
    """The classic benchmark, without whatever tells age, sex, marital status or nationality."""
    rows = _rows("german.csv")
    numbers = {"duration_months": 1, "amount_dm": 1, "instalment_rate": 1, "residence_years": 0, "credits_here": 0}
    codes = ("checking", "history", "purpose", "savings", "employment", "other_debtors", "property", "other_plans",
             "housing", "job", "telephone")  # fmt: skip
    columns = {name: _whole(rows, name) for name in numbers} | {name: _text(rows, name) for name in codes}
    features = tuple(Feature(name, name, numbers.get(name, 0)) for name in columns)
    status = _text(rows, "personal_status")
    apart = {"age": _whole(rows, "age"), "sex": np.where(status == "A92", "female", "male")}
    protected = "protected: kept out of the card, used for the fairness table only"
    left_out = {
        "age": protected,
        "personal_status": f"{protected} (sex and marital status in one column)",
        "foreign_worker": "protected (nationality): kept out of the card",
        "dependants": "family status: kept out of the card",
    }
    return Sample("german", features, columns, _bad(rows), apart, left_out)


def _rows(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _whole(rows: list[dict[str, str]], name: str) -> Any:
    return np.array([int(row[name]) for row in rows], dtype=np.int64)


def _text(rows: list[dict[str, str]], name: str) -> Any:
    return np.array([row[name] for row in rows])


def _bad(rows: list[dict[str, str]]) -> Any:
    return np.array([row["outcome"] == "bad" for row in rows])


def _share_ppm(part: Any, whole: Any) -> Any:
    """part / whole in millionths, rounded down; debt without any income is more than any share."""
    share = part * PPM // np.maximum(whole, 1)
    return np.where(whole > 0, np.minimum(share, WITHOUT_INCOME_PPM), np.where(part > 0, WITHOUT_INCOME_PPM, 0))
