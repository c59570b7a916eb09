"""What happens becomes known to risk: presses, refusals, what was used together, returns, loans that grow and shrink.

The buyer's own counters are written with the press itself, under their row's lock; everything about another subject
travels through the outbox and is written by the relay, each event once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import credit, customer, risk
from fenqi.database import outbox
from fenqi.database.outbox import Event, Handler
from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.flows.basis import Basis
from fenqi.flows.context import Context
from fenqi.flows.device import Seen
from fenqi.flows.draft import PaidNews, Press, is_proved
from fenqi.flows.notify_merchant import RefundNews
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.risk import Beat, Subject
from fenqi.risk.links import Met
from fenqi.risk.outcomes import FRAUD

PRESS, MET, LOANS = "risk.press", "risk.met", "risk.loans"
"""Topics: a press that was refused or goes to a channel; something used beside it; loans under programmes moved."""
_HOUR_MS = 3_600_000
_PAID = msgspec.json.Decoder(PaidNews)


class PressNews(msgspec.Struct, frozen=True, omit_defaults=True):
    """The payload of `PRESS`."""

    payment_id: UUID
    seen: Seen
    refused: bool = False
    proved: bool = False


class MetNews(msgspec.Struct, frozen=True):
    """The payload of `MET`: a subject that the consumer used."""

    kind: str
    subject_id: UUID
    proved: bool = True


_PRESS = msgspec.json.Decoder(PressNews)
_MET = msgspec.json.Decoder(MetNews)
_REFUND = msgspec.json.Decoder(RefundNews)


async def refused(tx: Tx, basis: Basis, payment_id: UUID, now: datetime) -> None:
    """Count a press that was refused. The consumer's version grows: what was judged before doesn't know of it."""
    at_ms, consumer_id = epoch_ms(now), basis.consumer_id
    await risk.count(
        tx, [Beat(consumer_id, "press", payment_id, at_ms), Beat(consumer_id, "refused", payment_id, at_ms)]
    )
    await customer.touch(tx, consumer_id)
    if basis.seen is not None:
        news = PressNews(payment_id, basis.seen, True, is_proved(basis.facts))
        await outbox.append(tx, [Event(new_id(at_ms), consumer_id, PRESS, msgspec.json.encode(news), now)])


async def pressed(tx: Tx, basis: Basis, press: Press, payment_id: UUID, now: datetime) -> bool:
    """Count a press that goes to a channel; False when more presses came before it than its judgement bears."""
    at_ms, consumer_id = epoch_ms(now), basis.consumer_id
    pulses = await risk.count(tx, [Beat(consumer_id, "press", payment_id, at_ms)])
    before = pulses[consumer_id, "press"].before(payment_id, at_ms - _HOUR_MS, at_ms)
    if press.presses_below is not None and before >= press.presses_below:
        return False
    if basis.seen is not None:
        news = PressNews(payment_id, basis.seen, False, is_proved(press.facts))
        await outbox.append(tx, [Event(new_id(at_ms), consumer_id, PRESS, msgspec.json.encode(news), now)])
    return True


async def met(tx: Tx, consumer_id: UUID, other: Subject, at: datetime) -> None:
    """Say, in the transaction of what happened, that a consumer used something: bound a card, signed in somewhere."""
    news = msgspec.json.encode(MetNews(other.kind, other.subject_id))
    await outbox.append(tx, [Event(new_id(epoch_ms(at)), consumer_id, MET, news, at)])


async def loans_moved(tx: Tx, consumer_id: UUID, at: datetime) -> None:
    """Say, in the transaction that changed a consumer's loans, that programmes have less or more out."""
    if await risk.exposures.has_programmes(tx, [consumer_id]):
        await outbox.append(tx, [Event(new_id(epoch_ms(at)), consumer_id, LOANS, b"{}", at)])


def handlers(ctx: Context) -> Mapping[str, Handler]:
    """The relay's handlers of risk's own topics."""

    async def press(tx: Tx, events: Sequence[Event]) -> None:
        read = [(event, _PRESS.decode(event.payload)) for event in events]
        await _note(tx, [(event, n.payment_id, n.seen, n.refused, n.proved) for event, n in read])

    async def meet(tx: Tx, events: Sequence[Event]) -> None:
        read = [(event, _MET.decode(event.payload)) for event in events]
        await _meet(tx, [
            Met(event.consumer_id, Subject(news.kind, news.subject_id), event.written_at, news.proved)  # type: ignore[arg-type]
            for event, news in read
        ])  # fmt: skip

    async def loans(tx: Tx, events: Sequence[Event]) -> None:
        await _settle(ctx, tx, {event.consumer_id for event in events})

    async def fraud(tx: Tx, events: Sequence[Event]) -> None:
        for event in events:
            await risk.links.carry_fraud(tx, event.consumer_id, event.written_at)
        await raise_epoch(tx, "risk")  # last, for whoever holds it waits for no subject

    return {PRESS: press, MET: meet, LOANS: loans, FRAUD: fraud}


async def paid(ctx: Context, tx: Tx, events: Sequence[Event]) -> None:
    """The relay's part of a payment that went through: what it involved, and the programmes that it counts against."""
    read = [(event, _PAID.decode(event.payload)) for event in events]
    await _note(tx, [(event, n.payment_id, n.seen, False, n.proved) for event, n in read if n.seen is not None])
    lent = [(event.consumer_id, n) for event, n in read if n.programmes and n.loan_id is not None]
    for consumer_id, news in lent:
        assert news.loan_id is not None
        await risk.exposures.lend(tx, consumer_id, news.loan_id, news.programmes)
    await _settle(ctx, tx, {consumer_id for consumer_id, _ in lent})


async def returned(ctx: Context, tx: Tx, events: Sequence[Event]) -> None:
    """The relay's part of a refund: it counts with the buyer's returns, and a loan under a programme may be smaller."""
    await risk.count(tx, [
        Beat(event.consumer_id, "returned", news.refund_id, epoch_ms(event.written_at), sum(news.shares.values()))
        for event, news in ((event, _REFUND.decode(event.payload)) for event in events)
    ])  # fmt: skip
    await _settle(ctx, tx, await risk.exposures.has_programmes(tx, list({event.consumer_id for event in events})))


async def _note(tx: Tx, presses: Sequence[tuple[Event, UUID, Seen, bool, bool]]) -> None:
    """Count presses at the devices and addresses that they came from, and link these with the buyers."""
    beats: list[Beat] = []
    found: list[Met] = []
    for event, payment_id, seen, was_refused, proved in presses:
        at_ms = epoch_ms(event.written_at)
        others = [Subject("device", seen.device_id)]
        others += [Subject("address", seen.address_id)] if seen.address_id is not None else []
        for other in others:
            beats.append(Beat(other.subject_id, "press", payment_id, at_ms))
            beats += [Beat(other.subject_id, "refused", payment_id, at_ms)] if was_refused else []
            if not was_refused:
                found.append(Met(event.consumer_id, other, event.written_at, proved))
    await _meet(tx, found)
    await risk.count(tx, beats)


async def _meet(tx: Tx, found: Sequence[Met]) -> None:
    """Link consumers with what they used; who they are goes along, so that a seller's own people are recognised."""
    if not found:
        return
    people = await customer.get_many(tx, sorted({one.consumer_id for one in found}))
    await risk.links.meet(tx, [one._replace(person_hash=people[one.consumer_id].person_hash) for one in found])


async def _settle(ctx: Context, tx: Tx, consumer_ids: set[UUID]) -> None:
    """Bring the exposure ledgers up to what these consumers' loans have outstanding."""
    if not consumer_ids:
        return
    outstanding: dict[tuple[UUID, UUID], int] = {}
    for consumer_id in sorted(consumer_ids):
        view = await credit.credit_facts_of(tx, consumer_id, ctx.now(), ctx.reference.product)
        for loan in view.loans:
            key = (consumer_id, UUID(loan.loan_id))
            outstanding[key] = outstanding.get(key, 0) + loan.outstanding_minor
    await risk.exposures.settle(tx, sorted(consumer_ids), outstanding)
