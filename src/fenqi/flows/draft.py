"""A payment as the batch will write it: evaluated, with its journal, its loan and the versions that it rests on.

Pure: facts and request in, a draft or the reasons against it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import Facts, Payment, StoredDecision, Tender
from fenqi.credit import Loan
from fenqi.database.outbox import Event
from fenqi.flows.basis import Basis, asked_of, covered
from fenqi.flows.bounds import CreditBounds, bounds_of
from fenqi.flows.device import Seen
from fenqi.flows.terms import CREDIT, Terms, plan_of, terms_of
from fenqi.flows.transaction_risk import presses_below
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.reason import Reason
from fenqi.ledger import PostingItem
from fenqi.order import LockedOrder, OrderState, PaidOrder
from fenqi.policy import PolicyBook
from fenqi.risk import Beat, Pulse

if TYPE_CHECKING:
    from fenqi.flows.context import Context
    from fenqi.flows.request import PayRequest

_HOUR_MS = 3_600_000
PAID = "payment.succeeded"
"""The outbox topic of a payment that went through."""


class Press(msgspec.Struct, frozen=True, gc=False):
    """A press that nothing stands against: its tenders' terms, and what they are judged by."""

    facts: Facts
    terms: Terms
    bounds: CreditBounds | None
    presses_below: int | None = None
    """How many presses within the hour there may have been before this one, for it to be judged alike."""


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
    presses_below: int | None = None

    @property
    def beat(self) -> Beat:
        """This press, to be counted once however often it is tried."""
        return Beat(self.consumer_id, "press", self.payment.payment_id, epoch_ms(self.payment.paid_at))

    def is_in_time(self, pulses: Mapping[tuple[UUID, str], Pulse]) -> bool:
        """Whether no more presses came before this one within the hour than its judgement bears."""
        if self.presses_below is None:
            return True
        at_ms = epoch_ms(self.payment.paid_at)
        pulse = pulses[self.consumer_id, "press"]
        return pulse.before(self.payment.payment_id, at_ms - _HOUR_MS, at_ms) < self.presses_below

    def rests_on(self, order: LockedOrder, consumers: Mapping[UUID, int], epoch: int) -> bool:
        """Whether the order, the consumer and the reference data are as the evaluation saw them."""
        return (
            order.state is OrderState.AWAITING_PAYMENT
            and order.version == self.order_version
            and order.attempts_open == 0
            and order.pay_by_at > self.payment.paid_at
            and consumers.get(self.consumer_id) == self.consumer_version
            and epoch == self.epoch
        )


def press(
    request: PayRequest, basis: Basis, now: datetime, book: PolicyBook | None = None
) -> Press | tuple[Reason, ...]:
    """What the request asks for, judged: its terms, or every reason why it can't be paid so."""
    facts = basis.at(now)
    tenders = tenders_of(request, facts)
    reasons = _reasons(facts, tenders)
    if reasons:
        return reasons
    credit = next((t for t in tenders if t.method == CREDIT), None)
    bounds = None
    if credit is not None:
        bounds = bounds_of(facts.credit, facts.versions.line, plan_of(facts, credit), credit.amount_minor)
    below = None if book is None else presses_below(facts, book)
    return Press(facts, terms_of(facts, tenders), bounds, below)


def draft(ctx: Context, request: PayRequest, basis: Basis, pressed: Press, now: datetime, journal_id: UUID) -> Draft:
    """The rows of a payment that needs no channel."""
    today_on, terms = business_date(now), pressed.terms
    entries = terms.entries()
    item = PostingItem(
        journal_id, bucket_of(request.consumer_id), request.consumer_id, "purchase", request.input_hash, today_on,
        now, basis.order_id, terms.legs(entries), entries,
    )  # fmt: skip
    loan = terms.loan(
        request.consumer_id, basis.order_id, request.payment_id, journal_id, today_on, now, ctx.reference.product
    )
    return _assemble(request, basis, pressed, item, loan, now)


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
    """The reasons against any of the tenders; each is judged as paying what the other leaves."""
    found: list[Reason] = []
    for one in asked_of(tenders, facts.order.payable_minor):
        found += cashier.evaluate(covered(facts, one.covered_minor, one.covered_by), one.method, one.plan)
    return tuple(found)


class PaidNews(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The payload of `PAID`. `seen`: what the press involved, where the event carries that; `loan_id` with the
    programmes that the loan counts against."""

    payment_id: UUID
    order_id: UUID
    seen: Seen | None = None
    proved: bool = False
    loan_id: UUID | None = None
    programmes: tuple[str, ...] = ()


def paid_event(consumer_id: UUID, news: PaidNews, now: datetime) -> Event:
    """The news that an order is paid."""
    return Event(new_id(int(now.timestamp() * 1000)), consumer_id, PAID, msgspec.json.encode(news), now)


def is_proved(facts: Facts) -> bool:
    """Whether the buyer has just shown who they are."""
    checked = dict(facts.risk.signals).get("id_checked_until_ms")
    by_id = isinstance(checked, int) and facts.now_ms < checked
    return by_id or facts.now_ms < facts.consumer.stepped_up_until_ms


def _assemble(
    request: PayRequest, basis: Basis, pressed: Press, item: PostingItem, loan: Loan | None, now: datetime
) -> Draft:
    facts, tenders = pressed.facts, pressed.terms.tenders
    payment = Payment(
        item.bucket, request.consumer_id, request.payment_id, request.intent_id, basis.order_id, request.input_hash,
        facts.order.payable_minor, request.method, request.plan, "succeeded", basis.decision_id, facts.now_ms, now,
        tenders, None if loan is None else loan.loan_id,
    )  # fmt: skip
    versions = facts.versions
    return Draft(
        request.consumer_id, basis.order_id, versions.order, versions.consumer, pressed.bounds, versions.reference,
        item, payment, loan, PaidOrder(request.consumer_id, basis.order_id, request.payment_id, now),
        paid_event(request.consumer_id, _news(request, basis, pressed, loan), now),
        None if basis.is_kept else basis.decision(facts, tenders, now), pressed.presses_below,
    )  # fmt: skip


def _news(request: PayRequest, basis: Basis, pressed: Press, loan: Loan | None) -> PaidNews:
    loan_id, programmes = (None, ()) if loan is None else (loan.loan_id, pressed.terms.programmes)
    return PaidNews(
        request.payment_id, basis.order_id, basis.seen, is_proved(pressed.facts), loan_id, programmes
    )  # fmt: skip
