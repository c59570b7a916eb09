"""Plans as documents: strict JSON terms in, JSON plan or a typed error out. Both doors (API and CLI) use it.

Amounts and rates are decimal strings (JSON numbers are taken too); an unknown field is an error, never ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

from fenqi.credit.schedule.currency import decimals_of
from fenqi.credit.schedule.plan import Plan, build
from fenqi.credit.schedule.terms import (
    MAX_EVERY,
    MAX_INSTALMENTS,
    DayCount,
    InterestPeriod,
    Method,
    Row,
    Terms,
    Unit,
    YearSplit,
)
from fenqi.kernel.money import Rounding
from fenqi.kernel.refusal import Refusal

Choice = TypeVar("Choice", bound=StrEnum)

MAX_PRINCIPAL_MINOR = 10**15
MAX_RATE_ANNUAL = Decimal(1000)
RATE_FIELDS = ("rate_annual", "rate_monthly", "rate_whole_term")
FIELDS = frozenset(
    [
        "id",
        "principal",
        "currency",
        "rate_annual",
        "rate_monthly",
        "rate_whole_term",
        "instalments",
        "every",
        "unit",
        "disbursed_on",
        "first_due_on",
        "day_count",
        "year_split",
        "feb29_rule",
        "interest_period",
        "method",
        "rounding",
        "multiple",
        "down_payment_rate",
        "grace_principal",
        "grace_interest",
        "interest_free",
    ]
)


def preview(document: Any, cap: Decimal, today: date) -> dict[str, Any]:
    """The plan of a terms document, as a document; `{"id", "error"}` when it is refused. Never raises a Refusal."""
    identity = document.get("id") if isinstance(document, Mapping) else None
    try:
        return plan_document(build(parse_terms(document, today)), cap, identity)
    except Refusal as refusal:
        return error_document(refusal, identity)


def error_document(refusal: Refusal, identity: Any) -> dict[str, Any]:
    """A refusal as the documented error object."""
    error = {"code": refusal.code, "detail": refusal.detail}
    if "field" in refusal.extra:
        error["field"] = refusal.extra["field"]
    return {"id": identity, "error": error}


def plan_document(plan: Plan, cap: Decimal, identity: Any = None) -> dict[str, Any]:
    """A plan as the documented output; money as decimal strings, `annual_cost` as a fraction with six places."""
    decimals = plan.terms.decimals
    totals = plan.totals
    return {
        "id": identity,
        "rows": [_row_document(row, decimals) for row in plan.rows],
        "totals": {
            "principal": amount_text(totals.principal_minor, decimals),
            "interest": amount_text(totals.interest_minor, decimals),
            "fee": amount_text(totals.fee_minor, decimals),
            "penalty": amount_text(totals.penalty_minor, decimals),
            "due": amount_text(totals.due_minor, decimals),
        },
        "annual_cost": f"{plan.annual_cost:f}",
        "above_cap": plan.annual_cost > cap,
    }


def _row_document(row: Row, decimals: int) -> dict[str, Any]:
    return {
        "n": row.n,
        "due_on": row.due_on.isoformat(),
        "days": row.days,
        "principal": amount_text(row.principal_minor, decimals),
        "interest": amount_text(row.interest_minor, decimals),
        "fee": amount_text(row.fee_minor, decimals),
        "penalty": amount_text(row.penalty_minor, decimals),
        "due": amount_text(row.due_minor, decimals),
        "balance": amount_text(row.balance_minor, decimals),
    }


def amount_text(amount_minor: int, decimals: int) -> str:
    """Minor units as a plain decimal string with the currency's decimals: 1643, 2 → "16.43"."""
    if decimals == 0:
        return str(amount_minor)
    sign, digits = ("-", str(-amount_minor)) if amount_minor < 0 else ("", str(amount_minor))
    digits = digits.rjust(decimals + 1, "0")
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def parse_terms(document: Any, today: date) -> Terms:
    """Terms from a document, every field checked; `today` is the disbursement date where none is given."""
    if not isinstance(document, Mapping):
        raise Refusal("NOT_AN_OBJECT", "the terms must be one JSON object")
    unknown = sorted(str(name) for name in document if name not in FIELDS)
    if unknown:
        raise Refusal("FIELD_UNKNOWN", f"unknown field {unknown[0]!r}", field=unknown[0])
    fields = {name: value for name, value in document.items() if value is not None}
    currency = _text(fields, "currency", "CNY").upper()
    decimals = decimals_of(currency)
    instalments = _whole(fields, "instalments", None, 1, MAX_INSTALMENTS)
    rate_annual, rate_whole_term = _rates(fields, instalments)
    return Terms(
        principal_minor=_principal(fields, decimals, currency),
        instalments=instalments,
        disbursed_on=_date(fields, "disbursed_on") or today,
        decimals=decimals,
        currency=currency,
        rate_annual=rate_annual,
        rate_whole_term=rate_whole_term,
        every=_whole(fields, "every", 1, 1, MAX_EVERY),
        unit=_choice(fields, "unit", Unit, Unit.MONTH),
        first_due_on=_date(fields, "first_due_on"),
        day_count=_choice(fields, "day_count", DayCount, DayCount.THIRTY_360),
        year_split=_choice(fields, "year_split", YearSplit, YearSplit.DEC_31),
        feb29_rule=_flag(fields, "feb29_rule"),
        interest_period=_choice(fields, "interest_period", InterestPeriod, InterestPeriod.DAILY),
        method=_choice(fields, "method", Method, Method.EQUAL_INSTALMENT),
        rounding=_rounding(fields),
        multiple_minor=_multiple(fields, decimals),
        down_payment_rate=_down_payment_rate(fields),
        grace_principal=_whole(fields, "grace_principal", 0, 0, MAX_INSTALMENTS),
        grace_interest=_whole(fields, "grace_interest", 0, 0, MAX_INSTALMENTS),
        interest_free=_whole(fields, "interest_free", 0, 0, MAX_INSTALMENTS),
    )


def _rates(fields: Mapping[str, Any], instalments: int) -> tuple[Decimal, Decimal | None]:
    """The annual rate, and the rate for the whole term where that is what was given."""
    given = [name for name in RATE_FIELDS if name in fields]
    if len(given) != 1:
        told = "none" if not given else " and ".join(given)
        raise Refusal("RATE_NOT_ONE", f"give exactly one of {', '.join(RATE_FIELDS)}, not {told}", field="rate_annual")
    name = given[0]
    rate = _decimal(fields[name], name)
    if rate < 0:
        raise Refusal("RATE_NEGATIVE", f"{name} must not be negative", field=name)
    if rate > MAX_RATE_ANNUAL:
        raise Refusal("RATE_ABSURD", f"{name} is a fraction: 0.12 is 12 %", field=name)
    if name == "rate_annual":
        return rate, None
    if name == "rate_monthly":
        return rate * 12, None
    return _annual_of_whole_term(fields, rate, instalments), rate


def _annual_of_whole_term(fields: Mapping[str, Any], rate: Decimal, instalments: int) -> Decimal:
    unit = _choice(fields, "unit", Unit, Unit.MONTH)
    every = _whole(fields, "every", 1, 1, MAX_EVERY)
    return rate * {Unit.MONTH: 12, Unit.WEEK: 52, Unit.DAY: 365}[unit] / (instalments * every)


def _principal(fields: Mapping[str, Any], decimals: int, currency: str) -> int:
    amount_minor = _minor(fields.get("principal"), "principal", decimals, currency)
    if amount_minor <= 0:
        raise Refusal("PRINCIPAL_NOT_POSITIVE", "the principal must be above zero", field="principal")
    if amount_minor > MAX_PRINCIPAL_MINOR:
        raise Refusal(
            "PRINCIPAL_ABSURD", f"the principal must not pass {MAX_PRINCIPAL_MINOR} minor units", field="principal"
        )
    return amount_minor


def _minor(value: Any, name: str, decimals: int, currency: str) -> int:
    if value is None:
        raise Refusal("FIELD_MISSING", f"{name} is required", field=name)
    amount = _decimal(value, name)
    if amount.adjusted() > 20:
        raise Refusal("AMOUNT_ABSURD", f"{name} is too large", field=name)
    scaled = amount.scaleb(decimals)
    if scaled != scaled.to_integral_value():
        raise Refusal(
            "TOO_MANY_DECIMALS", f"{name} has more than {decimals} decimals, {currency} has no more", field=name
        )
    return int(scaled)


def _multiple(fields: Mapping[str, Any], decimals: int) -> int:
    if "multiple" not in fields:
        return 0
    multiple = _decimal(fields["multiple"], "multiple")
    scaled = multiple.scaleb(decimals)
    if multiple < 0 or multiple.adjusted() > 12 or scaled != scaled.to_integral_value():
        raise Refusal("MULTIPLE_INVALID", "multiple is a number of currency units, such as 1 or 100", field="multiple")
    return int(scaled)


def _down_payment_rate(fields: Mapping[str, Any]) -> Decimal:
    rate = _decimal(fields.get("down_payment_rate", "0"), "down_payment_rate")
    if not 0 <= rate < 1:
        raise Refusal(
            "DOWN_PAYMENT_INVALID", "down_payment_rate is a fraction from 0 to below 1", field="down_payment_rate"
        )
    return rate


def _rounding(fields: Mapping[str, Any]) -> Rounding:
    mode = _choice(fields, "rounding", Rounding, Rounding.HALF_EVEN)
    if mode is Rounding.DOWN:
        raise Refusal("CHOICE_UNKNOWN", "rounding is one of half_even, half_up", field="rounding")
    return mode


def _decimal(value: Any, name: str) -> Decimal:
    """A decimal string or JSON number as it is written; refuses anything else, and what is not finite."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise Refusal("NOT_A_NUMBER", f"{name} must be a decimal string", field=name)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Refusal("NOT_A_NUMBER", f"{name} must be a decimal string, not {str(value)[:40]!r}", field=name) from None
    if not number.is_finite() or len(str(value)) > 60:
        raise Refusal("NOT_A_NUMBER", f"{name} must be a finite number of at most 60 characters", field=name)
    return number


def _whole(fields: Mapping[str, Any], name: str, default: int | None, low: int, high: int) -> int:
    value = fields.get(name, default)
    if value is None:
        raise Refusal("FIELD_MISSING", f"{name} is required", field=name)
    number = _decimal(value, name)
    if number != number.to_integral_value() or not low <= number <= high:
        raise Refusal("COUNT_INVALID", f"{name} must be a whole number from {low} to {high}", field=name)
    return int(number)


def _text(fields: Mapping[str, Any], name: str, default: str) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str):
        raise Refusal("NOT_TEXT", f"{name} must be a string", field=name)
    return value


def _choice(fields: Mapping[str, Any], name: str, kind: type[Choice], default: Choice) -> Choice:
    value = _text(fields, name, default)
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(kind)
        raise Refusal("CHOICE_UNKNOWN", f"{name} is one of {known}, not {value[:40]!r}", field=name) from None


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise Refusal("NOT_A_FLAG", f"{name} must be true or false", field=name)
    return value


def _date(fields: Mapping[str, Any], name: str) -> date | None:
    value = fields.get(name)
    if value is None:
        return None
    parse: Callable[[str], date] = date.fromisoformat
    try:
        if not isinstance(value, str) or len(value) != 10:
            raise ValueError
        return parse(value)
    except ValueError:
        raise Refusal("NOT_A_DATE", f"{name} must be a date such as 2026-01-31", field=name) from None
