"""Annual percentage rates against the regulators' own worked examples, and against pyxirr."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
import pyxirr

from fenqi.credit.apr_document import compute

# Regulation Z, Appendix J (c): (advance, advanced on, payments as (amount, first on, count), periods a year, percent)
Payment = tuple[str, str, int]
APPENDIX_J: list[tuple[str, str, str, list[Payment], int, str]] = [
    ("(c)(1)(i) monthly", "5000", "1978-01-10", [("230", "1978-02-10", 24)], 12, "9.69"),
    ("(c)(1)(ii) long first period", "6000", "1978-02-10", [("200", "1978-04-01", 36)], 12, "11.82"),
    ("(c)(1)(iii) semimonthly", "5000", "1978-02-23", [("219.17", "1978-03-01", 24)], 24, "10.34"),
    ("(c)(1)(iv) quarterly", "10000", "1978-05-23", [("385", "1978-10-01", 40)], 4, "8.97"),
    ("(c)(1)(v) weekly", "500", "1978-03-20", [("17.60", "1978-04-21", 30)], 52, "14.96"),
    ("(c)(2)(i) odd first", "5000", "1978-01-10", [("250", "1978-02-10", 1), ("230", "1978-03-10", 23)], 12, "10.08"),
    ("(c)(2)(ii) 4 weeks", "400", "1978-03-18", [("39.50", "1978-04-20", 1), ("38.31", "1978-05-18", 11)], 13, "28.50"),
    ("(c)(3)(i) odd last", "5000", "1978-01-10", [("230", "1978-02-10", 23), ("280", "1980-01-10", 1)], 12, "10.50"),
    ("(c)(3)(ii) 2 weeks", "200", "1978-04-03", [("9.50", "1978-04-11", 19), ("30", "1979-01-02", 1)], 26, "12.22"),
    (
        "(c)(4)(i) odd first and last payment",
        "5000",
        "1978-01-10",
        [("250", "1978-02-10", 1), ("230", "1978-03-10", 22), ("280", "1980-01-10", 1)],
        12,
        "10.90",
    ),
    (
        "(c)(4)(ii) every two months",
        "8000",
        "1978-01-10",
        [("449.36", "1978-03-01", 1), ("465", "1978-05-01", 18), ("200", "1981-05-01", 1)],
        6,
        "7.30",
    ),
    ("(c)(5)(i) single payment in days", "1000", "1978-01-03", [("1080", "1978-09-15", 1)], 12, "11.45"),
]  # fmt: skip


def rate(method: str, advances: list[dict[str, Any]], payments: list[dict[str, Any]], **more: Any) -> str:
    made = compute({"id": 1, "method": method, "advances": advances, "payments": payments, **more})
    assert "error" not in made, made
    assert made["id"] == 1
    return str(made["apr_percent"])


@pytest.mark.parametrize("example", APPENDIX_J, ids=lambda example: example[0])
def test_appendix_j_from_dates(example: tuple[str, str, str, list[Payment], int, str]) -> None:
    _, advance, advanced_on, payments, per_year, percent = example
    dated = [{"amount": amount, "date": first, "count": count} for amount, first, count in payments]
    got = rate("reg_z", [{"amount": advance, "date": advanced_on}], dated, unit_periods_per_year=per_year)
    assert f"{float(got):.2f}" == percent


@pytest.mark.parametrize(
    ("advance", "payments", "per_year", "percent"),
    [
        ("6000", [("200", 1, "19/30", 36)], 12, "11.82"),
        ("5000", [("219.17", 0, "6/15", 24)], 24, "10.34"),
        ("10000", [("385", 1, "39/90", 40)], 4, "8.97"),
        ("500", [("17.60", 4, "4/7", 30)], 52, "14.96"),
        ("400", [("39.50", 1, "5/28", 1), ("38.31", 2, "5/28", 11)], 13, "28.50"),
        ("8000", [("449.36", 0, "52/60", 1), ("465", 1, "52/60", 18), ("200", 19, "52/60", 1)], 6, "7.30"),
        ("1000", [("1080", 1, 0, 1)], "365/255", "11.45"),
    ],
)
def test_appendix_j_from_unit_periods(
    advance: str, payments: list[tuple[str, int, Any, int]], per_year: Any, percent: str
) -> None:
    counted = [{"amount": a, "unit_periods": t, "fraction": f, "count": n} for a, t, f, n in payments]
    got = rate("reg_z", [{"amount": advance, "unit_periods": 0}], counted, unit_periods_per_year=per_year)
    assert f"{float(got):.2f}" == percent


@pytest.mark.parametrize(
    ("advances", "payments", "percent"),
    [  # Directive 98/7/EC, annex: the four worked examples
        ([("1000", 0)], [("1200", "1.5")], "12.92"),
        ([("950", 0)], [("1200", "1.5")], "16.85"),
        ([("1000", 0)], [("600", 1), ("600", 2)], "13.07"),
        ([("1000", 0)], [("272", "3/12"), ("272", "6/12"), ("544", 1)], "13.19"),
    ],
)
def test_eu_examples(advances: list[tuple[str, Any]], payments: list[tuple[str, Any]], percent: str) -> None:
    got = rate(
        "eu",
        [{"amount": amount, "years": years} for amount, years in advances],
        [{"amount": amount, "years": years} for amount, years in payments],
    )
    assert f"{float(got):.2f}" == percent


def test_eu_counts_repeat_each_unit_period_and_dates_count_months_weeks_or_days_back() -> None:
    advance = [{"amount": "1000", "years": 0}]
    monthly = rate("eu", advance, [{"amount": "90", "years": "1/12", "count": 12}], unit_periods_per_year=12)
    dated = rate(
        "eu",
        [{"amount": "1000", "date": "2026-01-15"}],
        [{"amount": "90", "date": "2026-02-15", "count": 12}],
        unit_periods_per_year=12,
    )
    assert monthly == "15.448936"
    assert monthly == rate("eu", advance, [{"amount": "90", "years": f"{month}/12"} for month in range(1, 13)])
    assert dated == monthly
    assert monthly == rate("eu", advance, [{"amount": "90", "years": "1/12", "count": 12}])
    weekly = rate("eu", [{"amount": "100", "date": "2026-01-01"}], [{"amount": "101", "date": "2026-02-05"}])
    assert float(weekly) == pytest.approx((1.01 ** (52 / 5) - 1) * 100, abs=1e-6)
    days = rate("eu", [{"amount": "100", "date": "2026-01-01"}], [{"amount": "101", "date": "2026-02-04"}])
    assert float(days) == pytest.approx((1.01 ** (1 / (1 / 12 + 3 / 365)) - 1) * 100, abs=1e-6)


def test_irr_is_per_period_and_xirr_by_days() -> None:
    advance = [{"amount": "1000", "unit_periods": 0}]
    assert rate("irr", advance, [{"amount": "1100", "unit_periods": 1}]) == "10.000000"
    assert rate("irr", advance, [{"amount": "500", "unit_periods": 1, "count": 3}]) == "23.375193"
    dated = rate("xirr", [{"amount": "1000", "date": "2025-01-01"}], [{"amount": "1100", "date": "2026-01-01"}])
    assert dated == "10.000000"


def test_irr_and_xirr_agree_with_pyxirr() -> None:
    source = random.Random(20260801)
    for _ in range(200):
        count = source.randint(1, 60)
        amounts = [round(source.uniform(10, 500), 2) for _ in range(count)]
        lent = round(sum(amounts) * source.uniform(0.3, 1.2), 2)
        payments = [{"amount": str(amount), "unit_periods": k + 1} for k, amount in enumerate(amounts)]
        got = rate("irr", [{"amount": str(lent), "unit_periods": 0}], payments)
        assert float(got) == pytest.approx(pyxirr.irr([-lent, *amounts]) * 100, abs=2e-6)
        start = date(2026, 1, 1)
        days = sorted(source.sample(range(1, 3000), count))
        dates = [start + timedelta(days=day) for day in days]
        dated = [{"amount": str(amount), "date": str(on)} for amount, on in zip(amounts, dates, strict=True)]
        got = rate("xirr", [{"amount": str(lent), "date": str(start)}], dated)
        assert float(got) == pytest.approx(pyxirr.xirr([start, *dates], [-lent, *amounts]) * 100, abs=2e-6)


def test_very_dear_and_very_cheap_credit_has_a_rate_too() -> None:
    payday = rate("eu", [{"amount": "100", "years": 0}], [{"amount": "130", "years": "14/365"}])
    assert float(payday) == pytest.approx((1.3 ** (365 / 14) - 1) * 100, rel=1e-9)
    loss = rate("irr", [{"amount": "1000", "unit_periods": 0}], [{"amount": "1", "unit_periods": 1}])
    assert loss == "-99.900000"
    assert (
        rate("irr", [{"amount": "10", "unit_periods": 0}], [{"amount": "5", "unit_periods": 1, "count": 2}])
        == "0.000000"
    )


def test_what_no_rate_balances_is_refused_not_crashed() -> None:
    case = {
        "id": 1,
        "method": "irr",
        "advances": [{"amount": "100", "unit_periods": 0}],
        "payments": [{"amount": "100", "unit_periods": 0}, {"amount": "1", "unit_periods": 5000}],
    }
    assert compute(case)["error"]["code"] == "NO_RATE"


def test_several_advances() -> None:
    # two advances of 500, half a year apart, repaid with 1,080 after one year: 500·(1+x) + 500·(1+x)^½ = 1080
    got = rate(
        "eu", [{"amount": "500", "years": 0}, {"amount": "500", "years": "1/2"}], [{"amount": "1080", "years": 1}]
    )
    x = float(got) / 100
    assert 500 * (1 + x) + 500 * (1 + x) ** 0.5 == pytest.approx(1080, abs=1e-5)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"method": "apr"}, "METHOD_UNKNOWN"),
        ({"advances": []}, "FIELD_MISSING"),
        ({"payments": None}, "FIELD_MISSING"),
        ({"colour": 1}, "FIELD_UNKNOWN"),
        ({"unit_periods_per_year": None}, "FIELD_MISSING"),
        ({"unit_periods_per_year": 0}, "UNIT_PERIODS_INVALID"),
        ({"payments": [{"amount": "x", "unit_periods": 1}]}, "NOT_A_NUMBER"),
        ({"payments": [{"amount": "1/0", "unit_periods": 1}]}, "NOT_A_NUMBER"),
        ({"payments": [{"amount": "-5", "unit_periods": 1}]}, "AMOUNT_NEGATIVE"),
        ({"payments": [{"amount": "5"}]}, "FIELD_MISSING"),
        ({"payments": [{"amount": "5", "unit_periods": -1}]}, "TIME_NEGATIVE"),
        ({"payments": [{"amount": "5", "unit_periods": 1, "years": 1}]}, "TIMES_MIXED"),
        ({"payments": [{"amount": "5", "date": "2026-01-01"}]}, "TIMES_MIXED"),
        ({"payments": [{"amount": "5", "unit_periods": 1, "count": 0}]}, "COUNT_INVALID"),
        ({"payments": [{"amount": "5", "unit_periods": 1, "when": 0}]}, "FIELD_UNKNOWN"),
        ({"payments": [{"amount": "0", "unit_periods": 1}]}, "ONE_SIDED"),
        ({"payments": ["5"]}, "NOT_AN_OBJECT"),
    ],
)
def test_bad_cases_are_refused(changed: dict[str, Any], code: str) -> None:
    case = {
        "id": "a",
        "method": "reg_z",
        "unit_periods_per_year": 12,
        "advances": [{"amount": "100", "unit_periods": 0}],
        "payments": [{"amount": "10", "unit_periods": 1, "count": 12}],
    }
    made = compute({**case, **changed})
    assert made["id"] == "a"
    assert made["error"]["code"] == code


def test_what_is_no_object_is_refused() -> None:
    assert compute(7)["error"]["code"] == "NOT_AN_OBJECT"
