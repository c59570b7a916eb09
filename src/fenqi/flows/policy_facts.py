"""What a policy gives the facts: a method's terms and caps, plans and their interest-free twins. Pure mappings.

Gathering facts and putting stored facts under another version both go through here, so that they can't differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import msgspec

from fenqi.cashier import CapFacts, ChannelFacts, ExposureFacts, MethodFacts, PlanFacts, ToldFacts
from fenqi.credit import nominal_annual_cost_ppm
from fenqi.kernel.clock import epoch_ms, start_of_day
from fenqi.policy import CapRow, InterestFreeRow, MethodRow, PlanRow


def method_facts(
    row: MethodRow,
    exposure: Iterable[ExposureFacts] = (),
    caps: Iterable[CapFacts] = (),
    channel: ChannelFacts | None = None,
    told: tuple[ToldFacts, ...] = (),
) -> MethodFacts:
    """A method's row, with what is known of its use."""
    return MethodFacts(
        method=row.method,
        offered_in=row.offered_in,
        integrated_in=row.integrated_in,
        capabilities=row.capabilities,
        currencies=row.currencies,
        suspended=row.suspended,
        suspended_until_ms=None if row.suspended_until_at is None else epoch_ms(row.suspended_until_at),
        exposure=tuple(exposure),
        caps=tuple(caps),
        single_cap_minor=row.single_cap_minor,
        step_up_from_minor=row.step_up_from_minor,
        deliveries_excluded=row.deliveries_excluded,
        channel=channel,
        told=told,
    )


def cap_facts(row: CapRow, used_minor: int, today_on: date) -> CapFacts:
    """A cap with what of it is used; it begins anew the next day, or the next month."""
    resets_on = date.fromordinal(today_on.toordinal() + 1) if row.window == "day" else _next_month(today_on)
    return CapFacts(row.window, row.cap_minor, used_minor, epoch_ms(start_of_day(resets_on)), row.scene)


def _next_month(on: date) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


@lru_cache(maxsize=1024)
def plan_facts(row: PlanRow) -> PlanFacts:
    """A plan with what it costs a year."""
    return PlanFacts(
        plan=row.plan,
        method=row.method,
        instalments=row.instalments,
        fee_rate_ppm=row.fee_rate_ppm,
        annual_cost_ppm=nominal_annual_cost_ppm(row.instalments, row.fee_rate_ppm or _a_period_ppm(row)),
        min_minor=row.min_minor,
        max_minor=row.max_minor,
        fee_total_ppm=row.fee_total_ppm,
    )


def _a_period_ppm(row: PlanRow) -> int:
    """A fee over the whole plan as a flat fee a period, rounded up."""
    return -(-row.fee_total_ppm // row.instalments)


def twin_code(plan: str) -> str:
    """The code of a plan's interest-free twin, by which subsidies are counted."""
    return f"{plan}_free"


def twin(row: PlanRow, campaign: InterestFreeRow, spent_minor: int, uses_count: int) -> PlanFacts:
    """The plan when a campaign pays its fee, of whose budget so much is spent and which this buyer used so often."""
    budget, uses = campaign.budget_minor, campaign.uses_per_consumer
    return msgspec.structs.replace(
        plan_facts(row),
        plan=twin_code(row.plan),
        annual_cost_ppm=0,
        interest_free_by=campaign.sponsor,
        interest_free_until_ms=epoch_ms(campaign.until_at),
        interest_free_budget_minor=None if budget is None else budget - spent_minor,
        interest_free_uses_left=None if uses is None else max(0, uses - uses_count),
    )
