"""The dossier of what is asked about: everything that is on record, each decision replayed, and how it stands now.

Gathered once and for nobody in particular; `diagnose.tell` tells it to an audience. Reads only: nothing is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi import attempt, cashier, credit, customer, order
from fenqi.attempt import Attempt, ChannelRefund
from fenqi.cashier import Facts, Offer, Payment, StoredDecision
from fenqi.credit import Application, CreditView, RefundRow
from fenqi.database.pool import Tx
from fenqi.flows import apply_credit, charge, diagnose_timeline, quote, replay
from fenqi.flows.context import Context
from fenqi.flows.diagnose_find import Kind, Subject
from fenqi.flows.diagnose_timeline import Event
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import NotFound
from fenqi.ledger import locks
from fenqi.order import Order


class Replayed(msgspec.Struct, frozen=True):
    """A stored decision, and whether evaluating it again gives the identical verdict."""

    stored: StoredDecision
    identical: bool


class Standing(msgspec.Struct, frozen=True):
    """How an order stands at this moment: the facts of now and every offer on them."""

    intent_id: UUID
    facts: Facts
    offers: tuple[Offer, ...]


class Decided(msgspec.Struct, frozen=True):
    """An application as it was decided, and by a person where one did. `identical`: the policy asked again agrees."""

    application: Application
    review: credit.history.Review | None
    identical: bool


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that is on record about one subject."""

    subject: Subject
    now: datetime
    ref: Reference
    stepped_up: bool
    """Whether the buyer has confirmed lately who they are: then more may be told to them."""
    bought: Order | None = None
    payments: tuple[Payment, ...] = ()
    tries: tuple[Attempt, ...] = ()
    decisions: tuple[Replayed, ...] = ()
    events: tuple[Event, ...] = ()
    standing: Standing | None = None
    payment: Payment | None = None
    """The press that is asked about."""
    decided: Decided | None = None
    line: CreditView | None = None
    held: tuple[tuple[str, int, str], ...] = ()
    """What is set aside, as (path, amount in fen, state)."""
    refund: RefundRow | None = None
    backs: tuple[ChannelRefund, ...] = ()


async def gather(ctx: Context, subject: Subject) -> Dossier:
    """The dossier of a subject. Refuses what isn't there (ORDER_UNKNOWN, PAYMENT_UNKNOWN, APPLICATION_UNKNOWN …)."""
    async with ctx.database.snapshot() as tx:
        now = ctx.now()
        ref = await ctx.reference.current(tx, now)
        consumer = await customer.get(tx, subject.consumer_id)
        until_at = consumer.stepped_up_until_at
        begun = Dossier(subject=subject, now=now, ref=ref, stepped_up=until_at is not None and until_at > now)
        found = await _of_credit(tx, begun) if subject.kind in _OF_CREDIT else await _of_order(ctx, tx, begun)
    if subject.kind is Kind.PAYMENT and subject.id is not None and subject.order_id is not None:
        found = msgspec.structs.replace(found, payment=await charge.standing(ctx, subject.consumer_id, subject.id))
    return found if found.bought is None else await _standing(ctx, found)


_OF_CREDIT = (Kind.APPLICATION, Kind.LIMIT)


async def _of_order(ctx: Context, tx: Tx, begun: Dossier) -> Dossier:
    """The order's part: of a top-up, which has none, its attempts alone."""
    subject, consumer_id = begun.subject, begun.subject.consumer_id
    if subject.order_id is None:
        return await _of_money(tx, begun)
    bought = await order.get(tx, consumer_id, subject.order_id)
    payments = await cashier.select_payments_of_order(tx, bucket_of(consumer_id), consumer_id, bought.order_id)
    tries = await attempt.of_order(tx, consumer_id, bought.order_id)
    decisions = await decisions_of(tx, bought)
    events = await diagnose_timeline.of_order(tx, bought, payments, decisions, tries)
    product = ctx.reference.product
    found = msgspec.structs.replace(
        begun,
        bought=bought,
        payments=tuple(payments),
        tries=tuple(tries),
        decisions=tuple(Replayed(one, replay.is_identical(one, product)) for one in decisions),
        events=tuple(events),
    )
    if subject.kind is Kind.REFUND:
        return await _of_refund(tx, found)
    return await _of_hold(tx, found) if subject.kind is Kind.HOLD else found


async def _of_money(tx: Tx, begun: Dossier) -> Dossier:
    """A top-up or withdrawal: nothing was bought, so there is nothing to be judged."""
    subject = begun.subject
    tries = [] if subject.id is None else await attempt.of_payment(tx, subject.consumer_id, subject.id)
    if not tries:
        raise NotFound("PAYMENT_UNKNOWN", "no such payment")
    hour = timedelta(hours=1)
    events = await diagnose_timeline.of_tries(tx, tries)
    events += await diagnose_timeline.of_consumer(tx, subject.consumer_id, tries[0].made_at - hour, begun.now)
    return msgspec.structs.replace(begun, tries=tuple(tries), events=tuple(diagnose_timeline.in_time(events)))


async def _of_refund(tx: Tx, found: Dossier) -> Dossier:
    subject = found.subject
    backs = await attempt.refunds_of(tx, subject.consumer_id, [one.attempt_id for one in found.tries])
    asked = next((one.order_refund_id for one in backs if one.refund_id == subject.id), subject.id)
    rows = await credit.refunds_of(tx, subject.consumer_id, subject.order_id) if subject.order_id else []
    row = next((one for one in rows if one.refund_id == asked), None)
    own = tuple(
        one
        for one in backs
        if subject.id in (one.refund_id, one.order_refund_id) or (asked is not None and one.order_refund_id == asked)
    )
    if row is None and not own:
        raise NotFound("REFUND_UNKNOWN", "no such refund")
    return msgspec.structs.replace(found, refund=row, backs=own)


async def _of_hold(tx: Tx, found: Dossier) -> Dossier:
    assert found.subject.id is not None, "a hold has its attempt's id"
    rows = await locks.hold_rows(tx, found.subject.consumer_id, found.subject.id, lock=False)
    return msgspec.structs.replace(found, held=tuple(rows))


async def _of_credit(tx: Tx, begun: Dossier) -> Dossier:
    subject, consumer_id = begun.subject, begun.subject.consumer_id
    events = await diagnose_timeline.of_line(tx, consumer_id)
    line = await credit.credit_facts_of(tx, consumer_id, begun.now, begun.ref.product)
    decided = None
    if subject.kind is Kind.APPLICATION:
        decided = await _decided(tx, consumer_id, subject.id)
        events = [event for event in events if event.at >= decided.application.applied_at]
    elif subject.path:
        events = [event for event in events if event.path in ("", subject.path)]
    return msgspec.structs.replace(begun, events=tuple(events), line=line, decided=decided)


async def _decided(tx: Tx, consumer_id: UUID, application_id: UUID | None) -> Decided:
    applied = await credit.application.applications(tx, consumer_id)
    found = next((one for one in applied if one.application_id == application_id), None)
    if found is None:
        raise NotFound("APPLICATION_UNKNOWN", "no such application")
    reviews = await credit.history.reviews_of(tx, consumer_id)
    review = next((one for one in reviews if one.application_id == application_id), None)
    return Decided(found, review, await apply_credit.replays(tx, found))


async def decisions_of(tx: Tx, bought: Order) -> list[StoredDecision]:
    """Every decision on an order's checkout, oldest first."""
    bucket = bucket_of(bought.consumer_id)
    intents = await cashier.checkouts_of(tx, bucket, bought.consumer_id, [bought.order_id])
    if bought.order_id not in intents:
        return []
    return await cashier.select_decisions(tx, bucket, bought.consumer_id, intents[bought.order_id])


async def _standing(ctx: Context, found: Dossier) -> Dossier:
    """What the cashier would decide at this moment, without keeping it."""
    bought = found.bought
    assert bought is not None
    async with ctx.database.snapshot() as tx:
        intents = await cashier.checkouts_of(tx, bucket_of(bought.consumer_id), bought.consumer_id, [bought.order_id])
    if bought.order_id not in intents:
        return found
    intent_id = intents[bought.order_id]
    facts = (await quote.gather(ctx, bought.consumer_id, intent_id)).facts
    offers = cashier.offers(facts, price=quote.pricing(ctx.reference.product, facts))
    return msgspec.structs.replace(found, standing=Standing(intent_id, facts, offers))


def refused(payments: Sequence[Payment]) -> list[Payment]:
    """The presses that were refused, oldest first."""
    return [one for one in payments if one.outcome == "refused"]
