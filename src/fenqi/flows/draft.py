"""A payment as the batch will write it: evaluated, with its journal, its loan and the versions that it rests on.

Pure: facts and request in, a draft or the reasons against it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import Facts, Payment, PlanFacts, Shortfall, StoredDecision, Tender
from fenqi.credit import Loan, LoanPlan, new_loan, plan_cost
from fenqi.database.outbox import Event
from fenqi.flows.basis import Basis, covered
from fenqi.flows.bounds import CreditBounds, bounds_of
from fenqi.flows.facts import cap_path
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.money import share_minor
from fenqi.kernel.reason import Reason
from fenqi.ledger import Entry, Judged, Leg, PostingItem, legs_of
from fenqi.ledger.postings.parts import Draw, Share
from fenqi.ledger.postings.purchase import purchase
from fenqi.order import LockedOrder, OrderState, PaidOrder

if TYPE_CHECKING:
    from fenqi.flows.context import Context
    from fenqi.flows.pay import PayRequest

CREDIT = "credit"
MONEY_ACCOUNT = "money_account"


class Draft(msgspec.Struct, frozen=True, gc=False):
    """All rows of one payment, and what the batch must find unchanged."""

    consumer_id: UUID
    order_id: UUID
    order_version: int
    consumer_version: int
    bounds: CreditBounds | None
    epoch: int
    item: PostingItem
    payment: Payment
    loan: Loan | None
    paid_order: PaidOrder
    event: Event
    decision: StoredDecision | None = None
    """To be kept with the payment, when no quote's decision carries its facts."""

    def rests_on(self, order: LockedOrder, consumers: Mapping[UUID, int], epoch: int) -> bool:
        """Whether the order, the consumer and the reference data are as the evaluation saw them."""
        return (
            order.state is OrderState.AWAITING_PAYMENT
            and order.version == self.order_version
            and order.pay_by_at > self.payment.paid_at
            and consumers.get(self.consumer_id) == self.consumer_version
            and epoch == self.epoch
        )


def draft(
    ctx: Context, request: PayRequest, basis: Basis, now: datetime, journal_id: UUID
) -> Draft | tuple[Reason, ...]:
    """The payment that the request asks for, or every reason why it can't be made."""
    facts = basis.at(now)
    tenders = tenders_of(request, facts)
    reasons = _reasons(facts, tenders)
    if reasons:
        return reasons
    credit = next((t for t in tenders if t.method == CREDIT), None)
    plan = None if credit is None else _plan(facts, credit)
    draws = () if credit is None else _draws(facts, tenders, credit, plan)
    today_on = business_date(now)
    shares = _merchant_shares(facts)
    loan_plan = None if plan is None else _loan_plan(plan)
    subsidy = 0 if loan_plan is None or credit is None else _subsidy(loan_plan, credit.amount_minor)
    own_minor = sum(t.amount_minor for t in tenders if t.method == MONEY_ACCOUNT)
    entries = purchase(shares, draws, own_minor, _split(subsidy, shares))
    item = _item(facts, request, basis, entries, tenders, draws, journal_id, today_on, now)
    loan = None
    if loan_plan is not None:
        loan = new_loan(
            request.consumer_id, new_id(epoch_ms(now)), basis.order_id, request.payment_id, journal_id, loan_plan,
            draws, today_on, now, ctx.reference.product, subsidy,
        )  # fmt: skip
    bounds = None
    if plan is not None and credit is not None:
        bounds = bounds_of(facts.credit, facts.versions.line, plan, credit.amount_minor)
    return _assemble(request, basis, facts, tenders, item, loan, bounds, now)


def tenders_of(request: PayRequest, facts: Facts) -> tuple[Tender, ...]:
    """The whole by the request's method, or a part by the other one, in one sum, and the rest by it."""
    payable_minor = facts.order.payable_minor
    if request.part_by is None:
        return (Tender(request.method, request.plan, payable_minor),)
    method, amount_minor = request.part_by
    rest_minor = payable_minor - amount_minor
    in_one_sum = next((p.plan for p in facts.plans if p.method == method and p.instalments <= 1), "full")
    return (Tender(request.method, request.plan, rest_minor), Tender(method, in_one_sum, amount_minor))


def _reasons(facts: Facts, tenders: tuple[Tender, ...]) -> tuple[Reason, ...]:
    """The reasons against any of the tenders; each is judged as paying what the others leave."""
    payable_minor = facts.order.payable_minor
    found: list[Reason] = []
    for tender in tenders:
        found += cashier.evaluate(covered(facts, payable_minor - tender.amount_minor), tender.method, tender.plan)
    return tuple(found)


def _plan(facts: Facts, tender: Tender) -> PlanFacts:
    return next(p for p in facts.plans if p.method == tender.method and p.plan == tender.plan)


def _draws(facts: Facts, tenders: tuple[Tender, ...], credit: Tender, plan: PlanFacts | None) -> tuple[Draw, ...]:
    found = cashier.draw(covered(facts, facts.order.payable_minor - credit.amount_minor), credit.amount_minor, plan)
    assert not isinstance(found, Shortfall), "a tender without reasons fits its limits"
    return tuple(Draw(path, amount_minor) for path, amount_minor in found)


def _loan_plan(plan: PlanFacts) -> LoanPlan:
    return LoanPlan(plan.plan, plan.instalments, plan.fee_rate_ppm, subsidised=plan.interest_free_by is not None)


def _subsidy(plan: LoanPlan, amount_minor: int) -> int:
    return plan_cost(amount_minor, plan.instalments, plan.fee_rate_ppm, plan.subsidised).subsidy_minor


def _merchant_shares(facts: Facts) -> tuple[Share, ...]:
    sums: dict[str, int] = {}
    for line in facts.lines:
        sums[line.merchant_id] = sums.get(line.merchant_id, 0) + line.amount_minor
    return tuple(Share(UUID(merchant), amount) for merchant, amount in sums.items() if amount)


def _split(subsidy: int, shares: tuple[Share, ...]) -> tuple[Share, ...]:
    if not subsidy:
        return ()
    parts = share_minor(subsidy, [share.amount_minor for share in shares])
    return tuple(Share(share.merchant_id, part) for share, part in zip(shares, parts, strict=True) if part)


def _item(
    facts: Facts, request: PayRequest, basis: Basis, entries: tuple[Entry, ...], tenders: tuple[Tender, ...],
    draws: tuple[Draw, ...], journal_id: UUID, today_on: date, now: datetime,
) -> PostingItem:  # fmt: skip
    versions = {limit.path: limit.version for limit in facts.credit.limits}
    judged = {draw.path: Judged(versions[draw.path]) for draw in draws}
    legs = (*legs_of(entries, judged), *_cap_legs(facts, tenders))
    return PostingItem(
        journal_id, bucket_of(request.consumer_id), request.consumer_id, "purchase", request.input_hash, today_on,
        now, basis.order_id, tuple(sorted(legs, key=lambda leg: leg.path)), entries,
    )  # fmt: skip


def _cap_legs(facts: Facts, tenders: tuple[Tender, ...]) -> list[Leg]:
    """A leg for each cap account of a tender's method, with the day's and the month's ceiling."""
    ceilings: dict[str, dict[str, int]] = {}
    amounts: dict[str, int] = {}
    methods = {m.method: m for m in facts.methods}
    for tender in tenders:
        for cap in methods[tender.method].caps:
            if cap.window in ("day", "month") and cap.scene in (None, facts.order.scene):
                path = cap_path(tender.method, cap.scene)
                ceilings.setdefault(path, {})[cap.window] = cap.cap_minor
                amounts[path] = tender.amount_minor
    return [Leg(path, amounts[path], by.get("day"), by.get("month")) for path, by in ceilings.items()]


def _assemble(
    request: PayRequest, basis: Basis, facts: Facts, tenders: tuple[Tender, ...], item: PostingItem,
    loan: Loan | None, bounds: CreditBounds | None, now: datetime,
) -> Draft:  # fmt: skip
    payment = Payment(
        item.bucket, request.consumer_id, request.payment_id, request.intent_id, basis.order_id, request.input_hash,
        facts.order.payable_minor, request.method, request.plan, "succeeded", basis.decision_id, facts.now_ms, now,
        tenders, None if loan is None else loan.loan_id,
    )  # fmt: skip
    payload = msgspec.json.encode({"payment_id": request.payment_id, "order_id": basis.order_id})
    event = Event(new_id(facts.now_ms), request.consumer_id, "payment.succeeded", payload, now)
    versions = facts.versions
    return Draft(
        request.consumer_id, basis.order_id, versions.order, versions.consumer, bounds, versions.reference,
        item, payment, loan, PaidOrder(request.consumer_id, basis.order_id, request.payment_id, now), event,
        None if basis.is_kept else basis.decision(facts, tenders, now),
    )  # fmt: skip
