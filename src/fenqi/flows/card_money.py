"""Money between the buyer's bank card and the money account, through the card channel: attempts like a payment's.

A top-up is a charge without an order. A withdrawal leaves the account first and is owed until the channel has sent it;
when the channel will not, it comes back.
"""

from __future__ import annotations

from datetime import timedelta
from typing import cast
from uuid import UUID

from fenqi import attempt, customer, ledger
from fenqi.attempt import Attempt, AttemptState, ladder
from fenqi.channels import shelf
from fenqi.channels.contract import Declined, Paid, Passage, Payout, PaysOut, Pending, Result, Unknown
from fenqi.database.pool import Tx
from fenqi.flows import charge, passages
from fenqi.flows.conclude import conclude
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.ledger import Entry, Outcome, PostingItem, legs_of
from fenqi.ledger.postings import payout, payout_failed, payout_paid
from fenqi.ledger.postings.parts import Receipt

CARD = "bank_card"
TOP_UP, WITHDRAWAL = "top_up", "withdrawal"


async def way(ctx: Context, amount_minor: int) -> Passage | None:
    """The passage that moves this much between cards and the account; None where the house has none."""
    found = await passages.ways(ctx, CARD, None, amount_minor, (), "web")
    return found[0] if found else None


async def top_up(
    ctx: Context, passage: Passage, consumer_id: UUID, key: UUID, amount_minor: int, card_id: UUID | None = None
) -> tuple[Attempt, bool]:
    """Charge the bound card for the account; the attempt as it stands, and whether `key` had made it before.

    Refuses NO_INSTRUMENT, CARD_UNKNOWN.
    """
    begun, repeated = await _begin(ctx, passage, TOP_UP, consumer_id, key, amount_minor, card_id)
    if not repeated:
        result = await charge.call(ctx, begun, passage)
        by = ctx.by_system("charge", "the channel's answer")
        begun = await conclude(ctx, consumer_id, begun.attempt_id, result, by)
    return begun, repeated


async def withdraw(
    ctx: Context, passage: Passage, consumer_id: UUID, key: UUID, amount_minor: int, card_id: UUID | None = None
) -> tuple[Attempt, bool]:
    """Send money to the bound card; as `top_up`. Refuses BALANCE_INSUFFICIENT, too."""
    begun, repeated = await _begin(ctx, passage, WITHDRAWAL, consumer_id, key, amount_minor, card_id)
    if not repeated:
        begun = await send(ctx, begun, passage)
    return begun, repeated


async def _begin(
    ctx: Context, passage: Passage, purpose: str, consumer_id: UUID, key: UUID, amount_minor: int, card_id: UUID | None
) -> tuple[Attempt, bool]:
    earlier = await _earlier(ctx, consumer_id, key, purpose, amount_minor)
    if earlier is not None:
        return earlier, True
    now = ctx.now()
    by = ctx.by_consumer(consumer_id, purpose.replace("_", " "))
    async with ctx.database.snapshot() as tx:
        bound = [card.card_id for card in await customer.cards(tx, consumer_id)]
    if not bound:
        raise Conflict("NO_INSTRUMENT", "bind a bank card first")
    if card_id is not None and card_id not in bound:
        raise NotFound("CARD_UNKNOWN", "no such card is bound")
    begun = Attempt(
        consumer_id, new_id(epoch_ms(now)), purpose, key, None, None, None, f"{purpose}:{amount_minor}".encode(),
        passage.passage_id, passage.code, passage.channel, CARD, "full", "token", amount_minor, "CNY",
        f"fenqi {purpose}", b"{}", False, AttemptState.CREATED, now, now + charge.WINDOW, str(card_id or bound[0]),
        ask_at=now + timedelta(seconds=45),
    )  # fmt: skip
    await passages.name(ctx, begun)
    async with ctx.database.transaction() as tx:
        is_first = await attempt.begin(tx, begun, by)
        if is_first and purpose == WITHDRAWAL:
            await _post(tx, begun, key, payout.KIND, payout.payout(amount_minor), by)
    if not is_first:  # another call with this key was faster
        earlier = await _earlier(ctx, consumer_id, key, purpose, amount_minor)
        assert earlier is not None, "the row in the way is there"
        return earlier, True
    return begun, False


async def _earlier(ctx: Context, consumer_id: UUID, key: UUID, purpose: str, amount_minor: int) -> Attempt | None:
    async with ctx.database.snapshot() as tx:
        tries = await attempt.of_payment(tx, consumer_id, key)
    if not tries:
        return None
    if (tries[0].purpose, tries[0].amount_minor) != (purpose, amount_minor):
        raise Conflict("IDEMPOTENCY_KEY_REUSED", "this key was used with another request")
    return tries[0]


async def _post(tx: Tx, begun: Attempt, journal_id: UUID, kind: str, entries: tuple[Entry, ...], by: By) -> None:
    item = PostingItem(
        journal_id, bucket_of(begun.consumer_id), begun.consumer_id, kind, begun.input_hash, business_date(by.at),
        by.at, None, legs_of(entries), entries,
    )  # fmt: skip
    verdict = await ledger.post(tx, item)
    if verdict.outcome is Outcome.LIMIT:
        raise Refusal("BALANCE_INSUFFICIENT", "the money account holds less", room_minor=verdict.room_minor)
    assert verdict.posted, verdict


async def send(ctx: Context, begun: Attempt, passage: Passage) -> Attempt:
    """Ask the channel to send a withdrawal; a repeat sends it once."""
    channel = cast(PaysOut, shelf.channel(begun.channel))
    async with ctx.database.snapshot() as tx:
        number = await customer.card_number(tx, ctx.keys, begun.consumer_id, UUID(begun.instrument))
    asked = Payout(begun.attempt_no, begun.amount_minor, number, begun.made_at, begun.subject,
                   passages.notify_url(ctx, passage.code))  # fmt: skip
    result = await passages.observed(ctx, passage, channel.pay_out(ctx.http, passage, asked))
    return await conclude_payout(ctx, begun, result, ctx.by_system("payout", "the channel's answer"))


async def ask(ctx: Context, begun: Attempt) -> Attempt:
    """Ask what became of a withdrawal; one that never reached the channel is sent again under its number."""
    passage = await passages.of_attempt(ctx, begun)
    channel = cast(PaysOut, shelf.channel(begun.channel))
    result = await passages.observed(ctx, passage, channel.query_payout(ctx.http, passage, begun.attempt_no))
    if isinstance(result, Declined) and result.kind == "absent":
        return await send(ctx, begun, passage)
    return await conclude_payout(ctx, begun, result, ctx.by_system("janitor", "asked the channel"))


async def conclude_payout(ctx: Context, begun: Attempt, result: Result, by: By) -> Attempt:
    """Take over what the channel said of a withdrawal; a repeat, or less than is known already, changes nothing."""
    async with ctx.database.transaction() as tx:
        found = await attempt.lock(tx, begun.consumer_id, begun.attempt_id)
        if not found.is_open:
            return found
        if isinstance(result, Paid):
            sent = Receipt(found.channel, found.passage_id, found.amount_minor)
            await _post(tx, found, found.attempt_id, payout_paid.KIND, payout_paid.payout_paid(sent), by)
            return await attempt.move(
                tx, found, AttemptState.SUCCEEDED, by, disposition="applied", channel_no=result.channel_no,
                paid_minor=found.amount_minor, paid_currency=found.currency, paid_at=result.paid_at, ask_at=None,
            )  # fmt: skip
        if isinstance(result, Declined) and result.kind != "absent":
            back = payout_failed.payout_failed(found.amount_minor)
            await _post(tx, found, found.attempt_id, payout_failed.KIND, back, by)
            return await attempt.move(
                tx, found, AttemptState.DECLINED, by, {"code": result.code}, code=result.code, reason=result.reason,
                message=result.message[:200], ask_at=None,
            )  # fmt: skip
        return await _wait(tx, found, result, by)


async def _wait(tx: Tx, found: Attempt, result: Result, by: By) -> Attempt:
    to_state = AttemptState.PENDING if isinstance(result, Pending) else AttemptState.UNKNOWN
    if found.state in (to_state, AttemptState.PENDING):
        return found
    why = result.why if isinstance(result, Unknown) else ""
    ask_at = ladder.next_at(ladder.UNKNOWN_S, 0, by.at)
    return await attempt.move(tx, found, to_state, by, {"why": why}, message=why[:200], ask_at=ask_at, asks=0)
