"""The shelf of gates: pure functions from a case to reasons, in nine layers, kept by evaluator version.

A gate of a method needs no plan and runs once per method; a gate of a plan runs for each plan. Every gate always runs.
Changed semantics are a new gate and a new version of the shelf; the old one stays for replays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from fenqi.cashier.case import Case
from fenqi.cashier.gates import (
    caps,
    channel,
    credit_account,
    goods,
    identity,
    limit,
    merchant,
    plan,
    platform,
    repayment,
    risk,
    state,
)
from fenqi.kernel.reason import Reason

Gate = Callable[[Case], list[Reason]]


class Shelf(NamedTuple):
    """The gates of one evaluator version."""

    of_method: tuple[Gate, ...]
    of_plan: tuple[Gate, ...]


SHELVES: dict[int, Shelf] = {
    1: Shelf(
        of_method=(
            platform.method_in_scene,
            platform.combination,
            platform.method_suspended,
            platform.exposure,
            platform.policy_covers,
            merchant.sellers,
            goods.lines,
            goods.kind_of_order,
            goods.amounts,
            plan.down_payment,
            plan.coupons,
            plan.trade_in,
            credit_account.line_state,
            credit_account.agreement,
            credit_account.eligibility,
            identity.person,
            identity.confirmation,
            identity.instrument,
            repayment.repayment,
            caps.caps,
            caps.balance,
            caps.loans_cap,
            risk.risk,
            channel.channel,
            channel.told,
            state.order_state,
            state.amount_changed,
            state.under_way,
        ),
        of_plan=(goods.plan_amounts, plan.term, plan.interest_free, limit.limits, limit.instalment_limit),
    )
}
"""Evaluator version → its gates."""
