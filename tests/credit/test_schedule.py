"""The engine by hand: due dates, day counts, methods, graces, rounding, and the annual cost."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from fenqi.credit.schedule import preview

CAP = Decimal("0.24")
DAY = date(2024, 1, 1)
Rows = list[dict[str, Any]]


def plan(**fields: Any) -> dict[str, Any]:
    document = {"id": "x", "principal": "1200", "rate_annual": "0.12", "instalments": 3, "disbursed_on": "2024-01-31"}
    for name in ("rate_monthly", "rate_whole_term"):
        if name in fields:
            del document["rate_annual"]
    return preview({**document, **fields}, CAP, DAY)


def column(name: str, **fields: Any) -> list[Any]:
    made = plan(**fields)
    assert "error" not in made, made
    return [row[name] for row in made["rows"]]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["2024-02-29", "2024-03-31", "2024-04-30"]),
        ({"disbursed_on": "2025-01-30"}, ["2025-02-28", "2025-03-30", "2025-04-30"]),
        ({"every": 2}, ["2024-03-31", "2024-05-31", "2024-07-31"]),
        ({"unit": "week", "every": 2}, ["2024-02-14", "2024-02-28", "2024-03-13"]),
        ({"unit": "day", "every": 10}, ["2024-02-10", "2024-02-20", "2024-03-01"]),
        ({"first_due_on": "2024-02-29"}, ["2024-02-29", "2024-03-31", "2024-04-30"]),
        ({"first_due_on": "2024-03-15"}, ["2024-03-15", "2024-04-15", "2024-05-15"]),
        ({"disbursed_on": "2024-01-10", "first_due_on": "2024-03-31"}, ["2024-03-31", "2024-04-30", "2024-05-31"]),
        ({"disbursed_on": "2024-01-10", "first_due_on": "2024-02-28"}, ["2024-02-28", "2024-03-28", "2024-04-28"]),
    ],
)
def test_due_dates_count_from_the_disbursement(fields: dict[str, Any], expected: list[str]) -> None:
    assert column("due_on", **fields) == expected


@pytest.mark.parametrize(
    ("fields", "first_interest"),
    [
        ({"day_count": "30/360"}, "12.00"),  # 1200 · 0.12 / 12
        ({"day_count": "periodic"}, "12.00"),
        ({"day_count": "actual/360"}, "11.60"),  # 1200 · 0.12 · 29/360
        ({"day_count": "actual/365"}, "11.44"),  # 1200 · 0.12 · 29/365 = 11.441
        ({"day_count": "actual/actual"}, "11.41"),  # 1200 · 0.12 · 29/366 = 11.410
        ({"day_count": "actual/365", "interest_period": "same_as_period"}, "12.00"),
        ({"unit": "day", "every": 15}, "6.00"),  # 1200 · 0.12 · 15/360
        ({"unit": "week"}, "2.80"),  # 1200 · 0.12 · 7/360
        ({"unit": "week", "day_count": "periodic"}, "2.77"),  # 1200 · 0.12 / 52 = 2.769
        ({"unit": "day", "every": 73, "day_count": "periodic"}, "28.80"),  # 1200 · 0.12 · 73/365
        ({"unit": "day", "every": 73, "interest_period": "same_as_period", "day_count": "actual/actual"}, "28.80"),
        ({"first_due_on": "2024-03-31"}, "24.00"),  # two months of 30/360
        ({"disbursed_on": "2024-01-15", "first_due_on": "2024-03-01"}, "18.21"),  # 1 month and 15 days of 29
        ({"disbursed_on": "2023-12-12", "day_count": "actual/actual"}, "12.22"),  # 144 · (19/365 + 12/366)
        ({"disbursed_on": "2023-12-12", "day_count": "actual/actual", "feb29_rule": True}, "12.23"),  # 31/365
        ({"rate_monthly": "0.01"}, "12.00"),
        ({"rate_whole_term": "0.03"}, "12.00"),  # 3 % over three months is 12 % a year
    ],
)
def test_interest_of_the_first_period(fields: dict[str, Any], first_interest: str) -> None:
    assert column("interest", **fields)[0] == first_interest


def test_year_split_at_dec31_gives_the_last_day_to_the_new_year() -> None:
    # Dec 31 to Jan 31: none of the 31 days under dec31, one of them under jan1
    fields = {"disbursed_on": "2023-12-31", "day_count": "actual/actual", "principal": "366000", "rate_annual": "1"}
    assert column("interest", **fields)[0] == "31000.00"
    assert column("interest", **fields, year_split="jan1")[0] == "31002.74"  # 366000 · (1/365 + 30/366)


def test_equal_instalment_takes_the_rest_in_the_last() -> None:
    assert column("due") == ["408.03", "408.03", "408.02"]
    assert column("principal") == ["396.03", "399.99", "403.98"]
    assert column("balance") == ["803.97", "403.98", "0.00"]


def test_equal_principal() -> None:
    assert column("principal", method="equal_principal", principal="1000") == ["333.33", "333.33", "333.34"]
    assert column("interest", method="equal_principal", principal="1000") == ["10.00", "6.67", "3.33"]


def test_flat_shares_whole_interest_and_puts_the_remainder_last() -> None:
    fields = {"method": "flat", "principal": "1000", "rate_whole_term": "0.05"}
    assert column("interest", **fields) == ["16.67", "16.67", "16.66"]
    assert column("principal", **fields) == ["333.33", "333.33", "333.34"]


def test_grace_on_principal_pays_interest_only_then_repays_in_what_is_left() -> None:
    assert column("principal", grace_principal=1) == ["0.00", "597.01", "602.99"]
    assert column("interest", grace_principal=1) == ["12.00", "12.00", "6.03"]
    assert column("due", grace_principal=1) == ["12.00", "609.01", "609.02"]


def test_grace_on_interest_defers_it_to_the_first_after_without_interest_on_it() -> None:
    assert column("interest", grace_interest=1) == ["0.00", "20.04", "4.04"]
    assert column("principal", grace_interest=1) == ["396.03", "399.99", "403.98"]


def test_interest_free_instalments_cost_nothing_and_stay_equal() -> None:
    assert column("interest", interest_free=2) == ["0.00", "0.00", "3.97"]
    assert column("due", interest_free=2) == ["401.32", "401.32", "401.33"]  # 1212 / 3.02
    assert column("interest", interest_free=3) == ["0.00", "0.00", "0.00"]


def test_multiple_rounds_the_instalment_and_leaves_the_rest_to_the_last() -> None:
    assert column("due", multiple="1") == ["408.00", "408.00", "408.08"]
    assert column("due", multiple="100") == ["400.00", "400.00", "424.32"]
    assert column("due", multiple="10000")[0] == "408.03"  # a multiple that would round the instalment to nothing


def test_a_multiple_that_pays_early_leaves_later_instalments_empty() -> None:
    rows = plan(principal="100", rate_annual="0", instalments=12, multiple="10")["rows"]
    assert [row["due"] for row in rows] == ["10.00"] * 10 + ["0.00"] * 2
    assert plan(principal="100", rate_annual="0", instalments=12, multiple="10")["totals"]["principal"] == "100.00"


def test_down_payment_is_row_one_and_rounded_to_the_multiple_too() -> None:
    made = plan(down_payment_rate="0.333", multiple="10")
    assert [made["rows"][0][name] for name in ("n", "due_on", "days", "due", "balance")] == [
        1,
        "2024-01-31",
        0,
        "400.00",
        "800.00",
    ]
    assert made["rows"][1]["interest"] == "8.00"
    assert [row["n"] for row in made["rows"]] == [1, 2, 3, 4]


def test_rounding_mode_decides_ties() -> None:
    assert column("interest", principal="100.50")[0] == "1.00"  # 1.005
    assert column("interest", principal="100.50", rounding="half_up")[0] == "1.01"


def test_interest_above_the_instalment_waits_and_is_paid_before_the_end() -> None:
    made = plan(principal="1000", rate_annual="2.4", multiple="100", instalments=12)
    assert made["rows"][-1]["balance"] == "0.00"
    assert all(Decimal(row["principal"]) >= 0 for row in made["rows"])


@pytest.mark.parametrize(
    ("currency", "first"), [("JPY", "408"), ("KWD", "408.027"), ("CNY", "408.03"), ("CLF", "408.0265")]
)
def test_decimals_follow_the_currency(currency: str, first: str) -> None:
    assert column("due", currency=currency)[0] == first


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"rate_annual": "0"}, "0.000000"),
        ({}, "0.120002"),  # IRR of -1200, 408.03, 408.03, 408.02, times 12
        ({"method": "flat", "rate_monthly": "0.006", "instalments": 12, "principal": "10000"}, "0.130342"),
        ({"instalments": 1}, "0.120000"),
    ],
)
def test_annual_cost_is_the_internal_rate_times_periods_a_year(fields: dict[str, Any], cost: str) -> None:
    assert plan(**fields)["annual_cost"] == cost


def test_above_cap_is_strictly_above() -> None:
    assert plan(rate_annual="0.24", instalments=1)["annual_cost"] == "0.240000"
    assert plan(rate_annual="0.24", instalments=1)["above_cap"] is False
    assert plan(rate_annual="0.2401", instalments=1)["above_cap"] is True


def test_rate_zero_is_a_plan_without_interest() -> None:
    made = plan(rate_annual="0", principal="100")
    assert [row["due"] for row in made["rows"]] == ["33.33", "33.33", "33.34"]
    assert made["totals"] == {
        "principal": "100.00",
        "interest": "0.00",
        "fee": "0.00",
        "penalty": "0.00",
        "due": "100.00",
    }


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"colour": "red"}, "FIELD_UNKNOWN", "colour"),
        ({"principal": "12.345"}, "TOO_MANY_DECIMALS", "principal"),
        ({"principal": "12.5", "currency": "JPY"}, "TOO_MANY_DECIMALS", "principal"),
        ({"principal": "0"}, "PRINCIPAL_NOT_POSITIVE", "principal"),
        ({"principal": "-5"}, "PRINCIPAL_NOT_POSITIVE", "principal"),
        ({"principal": "1e15"}, "PRINCIPAL_ABSURD", "principal"),
        ({"principal": "1e30"}, "AMOUNT_ABSURD", "principal"),
        ({"principal": "much"}, "NOT_A_NUMBER", "principal"),
        ({"principal": "NaN"}, "NOT_A_NUMBER", "principal"),
        ({"principal": ["1"]}, "NOT_A_NUMBER", "principal"),
        ({"principal": None}, "FIELD_MISSING", "principal"),
        ({"currency": "ABC"}, "CURRENCY_UNKNOWN", "currency"),
        ({"currency": 5}, "NOT_TEXT", "currency"),
        ({"rate_annual": None}, "RATE_NOT_ONE", "rate_annual"),
        ({"rate_annual": "-0.1"}, "RATE_NEGATIVE", "rate_annual"),
        ({"rate_annual": "1001"}, "RATE_ABSURD", "rate_annual"),
        ({"instalments": 0}, "COUNT_INVALID", "instalments"),
        ({"instalments": 1.5}, "COUNT_INVALID", "instalments"),
        ({"instalments": 1201}, "COUNT_INVALID", "instalments"),
        ({"instalments": None}, "FIELD_MISSING", "instalments"),
        ({"instalments": True}, "NOT_A_NUMBER", "instalments"),
        ({"every": 0}, "COUNT_INVALID", "every"),
        ({"unit": "year"}, "CHOICE_UNKNOWN", "unit"),
        ({"day_count": "30/365"}, "CHOICE_UNKNOWN", "day_count"),
        ({"rounding": "down"}, "CHOICE_UNKNOWN", "rounding"),
        ({"method": "balloon"}, "CHOICE_UNKNOWN", "method"),
        ({"feb29_rule": "yes"}, "NOT_A_FLAG", "feb29_rule"),
        ({"disbursed_on": "2024-02-30"}, "NOT_A_DATE", "disbursed_on"),
        ({"disbursed_on": "31.01.2024"}, "NOT_A_DATE", "disbursed_on"),
        ({"first_due_on": "2024-01-31"}, "FIRST_DUE_TOO_EARLY", "first_due_on"),
        ({"multiple": "-1"}, "MULTIPLE_INVALID", "multiple"),
        ({"multiple": "0.001"}, "MULTIPLE_INVALID", "multiple"),
        ({"down_payment_rate": "1"}, "DOWN_PAYMENT_INVALID", "down_payment_rate"),
        ({"grace_principal": 3}, "GRACE_TOO_LONG", "grace_principal"),
        ({"grace_interest": 3}, "GRACE_TOO_LONG", "grace_interest"),
        ({"interest_free": 4}, "GRACE_TOO_LONG", "interest_free"),
        ({"disbursed_on": "9999-12-01"}, "TERM_TOO_LONG", "instalments"),
    ],
)
def test_bad_terms_are_refused_by_field(fields: dict[str, Any], code: str, field: str) -> None:
    made = plan(**fields)
    assert made["id"] == "x"
    assert (made["error"]["code"], made["error"]["field"]) == (code, field)
    assert set(made) == {"id", "error"}


def test_two_rates_are_refused_and_so_is_what_is_no_object() -> None:
    both = {"principal": "1", "rate_annual": "0", "rate_monthly": "0", "instalments": 1}
    assert preview(both, CAP, DAY)["error"]["code"] == "RATE_NOT_ONE"
    assert preview([], CAP, DAY) == {
        "id": None,
        "error": {"code": "NOT_AN_OBJECT", "detail": "the terms must be one JSON object"},
    }


def test_without_a_date_the_plan_begins_today() -> None:
    made = preview({"principal": "1", "rate_annual": "0", "instalments": 1}, CAP, DAY)
    assert made["rows"][0]["due_on"] == "2024-02-01"
