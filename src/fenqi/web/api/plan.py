"""Instalment plans worked out for anybody: terms in, schedule and annualised all-in cost out; nothing is written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from fenqi import credit
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Refusal
from fenqi.web.api.resource import Call, resource

Decimals = str | int | float
"""A decimal string; JSON numbers are taken too."""
_PPM = 1_000_000


class PlanTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The terms of a plan; exactly one of the three rates, as a fraction ("0.0699")."""

    principal: Decimals
    instalments: Decimals
    id: str | int | None = None
    currency: str | None = None
    rate_annual: Decimals | None = None
    rate_monthly: Decimals | None = None
    rate_whole_term: Decimals | None = None
    every: Decimals | None = None
    unit: str | None = None
    """day | week | month"""
    disbursed_on: str | None = None
    first_due_on: str | None = None
    day_count: str | None = None
    """30/360 | actual/360 | actual/365 | actual/actual | periodic"""
    year_split: str | None = None
    """dec31 | jan1"""
    feb29_rule: bool | None = None
    interest_period: str | None = None
    """daily | same_as_period"""
    method: str | None = None
    """equal_instalment | equal_principal | flat"""
    rounding: str | None = None
    """half_even | half_up"""
    multiple: Decimals | None = None
    down_payment_rate: Decimals | None = None
    grace_principal: Decimals | None = None
    grace_interest: Decimals | None = None
    interest_free: Decimals | None = None


class PlanRow(msgspec.Struct, frozen=True):
    """One instalment; amounts as decimal strings in the plan's currency."""

    n: int
    due_on: str
    days: int
    principal: str
    interest: str
    fee: str
    penalty: str
    due: str
    balance: str


class PlanTotals(msgspec.Struct, frozen=True):
    """The sums over all rows."""

    principal: str
    interest: str
    fee: str
    penalty: str
    due: str


class PlanDocument(msgspec.Struct, frozen=True):
    """A plan; `annual_cost` is the annualised all-in cost as a fraction, by IRR."""

    id: str | int | None
    rows: tuple[PlanRow, ...]
    totals: PlanTotals
    annual_cost: str
    above_cap: bool


@resource("POST", "/v1/credit/plans:preview", body=PlanTerms, answer=PlanDocument, who=())
async def preview(call: Call) -> dict[str, Any]:
    """The schedule of these terms. What the engine refuses is a problem with its code, and the field at fault."""
    context = call.context
    async with context.database.autocommit() as tx:
        reference = await context.reference.current(tx, context.now())
    cap = Decimal(reference.policy.numbers.apr_cap_ppm) / _PPM
    found = credit.preview(msgspec.to_builtins(call.body), cap, business_date(context.now()))
    if "error" in found:
        error = found["error"]
        field = {"field": error["field"]} if "field" in error else {}
        raise Refusal(error["code"], error["detail"], **field)
    return found
