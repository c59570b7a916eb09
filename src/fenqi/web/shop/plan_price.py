"""What goods cost in instalments, from the policy in force: for cards, product pages and the table of all-in costs.

Shown before an order exists, so it looks at goods, seller, scene and amount only; the cashier decides for the buyer.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from fenqi.credit import LoanPlan, PlanCost, build, plan_cost, terms_of
from fenqi.credit.schedule import Row
from fenqi.flows.reference import Reference
from fenqi.policy import PlanRow

CREDIT = "credit"


class Priced(NamedTuple):
    """A plan with its price for an amount."""

    plan: str
    cost: PlanCost
    subsidised: bool
    fee_rate_ppm: int

    @property
    def instalments(self) -> int:
        """How many payments."""
        return self.cost.instalments

    @property
    def due_minor(self) -> int:
        """What each payment comes to."""
        return self.cost.per_instalment_minor

    @property
    def is_free(self) -> bool:
        """Whether the buyer pays no fee."""
        return self.cost.total_fee_minor == 0


def plans_for(
    ref: Reference, scene: str, category: str, merchant_id: UUID, amount_minor: int, at: datetime
) -> list[Priced]:
    """The credit line's plans for goods of one seller, fewest instalments first; none where credit is ruled out."""
    seller = ref.sellers[merchant_id]
    path = ref.tree.path(category)
    rule = ref.policy.goods(scene, path, str(seller.merchant.kind), CREDIT, seller.merchant.number)
    if not takes_credit(ref, scene, category, merchant_id, at.date()) or amount_minor < max(1, rule.min_minor):
        return []
    found = []
    for row in ref.policy.plans(CREDIT, scene):
        offered = rule.terms is None or row.instalments == 1 or row.instalments in rule.terms
        fits = row.min_minor <= amount_minor and (row.max_minor is None or amount_minor <= row.max_minor)
        if offered and fits:
            found.append(_priced(ref, row, amount_minor, at, merchant_id, path))
    return sorted(found, key=lambda one: one.instalments)


def _priced(
    ref: Reference, row: PlanRow, amount_minor: int, at: datetime, merchant_id: UUID, path: tuple[str, ...]
) -> Priced:
    campaign = ref.policy.interest_free(row.plan, at, [(merchant_id, path)]) if row.fee_rate_ppm else None
    subsidised = campaign is not None and at < campaign.until_at
    cost = plan_cost(amount_minor, row.instalments, row.fee_rate_ppm, subsidised)
    return Priced(row.plan, cost, subsidised, row.fee_rate_ppm)


def takes_credit(ref: Reference, scene: str, category: str, merchant_id: UUID, on: date) -> bool:
    """Whether the line can pay these goods of this seller here, whoever buys."""
    seller = ref.sellers[merchant_id]
    rule = ref.policy.goods(scene, ref.tree.path(category), str(seller.merchant.kind), CREDIT, seller.merchant.number)
    method = ref.policy.method(CREDIT)
    allowed = rule.matched and rule.verdict == "allow" and scene in method.offered_in
    return allowed and CREDIT in seller.methods(on) and str(seller.merchant.state) == "active"


def best_of(plans: list[Priced]) -> Priced | None:
    """The plan to show on a card: twelve instalments, else the longest below."""
    instalments = [one for one in plans if 1 < one.instalments <= 12]
    return instalments[-1] if instalments else None


def schedule_of(priced: Priced, on: date) -> tuple[Row, ...]:
    """The payments of a plan bought on `on`, with fees as the loan will carry them."""
    plan = LoanPlan(priced.plan, priced.instalments, priced.fee_rate_ppm, priced.subsidised)
    return build(terms_of(plan, priced.cost.amount_minor, on)).rows
