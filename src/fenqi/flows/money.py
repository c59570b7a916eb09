"""The money account (小金库): opened, topped up from a bound card, withdrawn to it; no movement without its journal."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import customer, ledger
from fenqi.attempt import Attempt, AttemptState
from fenqi.database.pool import Tx
from fenqi.flows import card_money
from fenqi.flows.context import Context
from fenqi.flows.facts import MONEY_PATH
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.ledger import Entry, Outcome, PostingItem, legs_of
from fenqi.ledger.limits import Change
from fenqi.ledger.postings import bank_in, withdrawal


class Moved(msgspec.Struct, frozen=True):
    """A movement of the money account; `repeated` says that an earlier call with this id had made it."""

    journal_id: UUID
    amount_minor: int
    balance_minor: int
    repeated: bool = False
    state: str = "succeeded"
    """succeeded; of one through the card channel also pending | unknown: the channel has not said yet."""
    attempt_id: UUID | None = None


async def open_account(ctx: Context, consumer_id: UUID) -> None:
    """Open the money account; opening an open one changes nothing. Refuses REALNAME_REQUIRED."""
    by = ctx.by_consumer(consumer_id, "opened the money account")
    async with ctx.database.transaction() as tx:
        await open_within(tx, consumer_id, by)


async def open_within(tx: Tx, consumer_id: UUID, by: By) -> None:
    """Open the money account within the caller's transaction: the room's switch and the ledger's account."""
    await customer.open_money_account(tx, consumer_id, by)
    if MONEY_PATH not in await ledger.limits.accounts_of(tx, consumer_id):
        await ledger.limits.open_account(tx, consumer_id, MONEY_PATH, 0, Change(by.actor, by.at, by.why))


async def switch_within(tx: Tx, consumer_id: UUID, on: bool, by: By) -> None:
    """Switch paying by balance on or off, within the caller's transaction. Refuses MONEY_ACCOUNT_NOT_OPEN."""
    await customer.switch_pay(tx, consumer_id, on, by)


async def top_up(
    ctx: Context, consumer_id: UUID, journal_id: UUID, amount_minor: int, card_id: UUID | None = None
) -> Moved:
    """Take money from a bound bank card into the account. `journal_id` is the key: a repeat moves nothing.

    The card channel charges the card; a house without a passage there draws on the partner bank directly. Refuses
    AMOUNT_INVALID, MONEY_ACCOUNT_NOT_OPEN, NO_INSTRUMENT (no card bound), CARD_DECLINED with the `reason`.
    """
    check_amount_minor(amount_minor)
    async with ctx.database.transaction() as tx:
        await _usable(tx, consumer_id)
    passage = await card_money.way(ctx, amount_minor)
    if passage is not None:
        begun, repeated = await card_money.top_up(ctx, passage, consumer_id, journal_id, amount_minor, card_id)
        return await _moved(ctx, begun, repeated)
    async with ctx.database.transaction() as tx:
        return await _post(ctx, tx, consumer_id, journal_id, bank_in.KIND, amount_minor, bank_in.bank_in(amount_minor))


async def receive(ctx: Context, consumer_id: UUID, journal_id: UUID, amount_minor: int) -> Moved:
    """Money that somebody's bank sends to the account, a salary say: no channel of ours has a part in it.

    A repeat with the same `journal_id` moves nothing. Refuses AMOUNT_INVALID, MONEY_ACCOUNT_NOT_OPEN.
    """
    check_amount_minor(amount_minor)
    async with ctx.database.transaction() as tx:
        await _open(tx, consumer_id)
        return await _post(ctx, tx, consumer_id, journal_id, bank_in.KIND, amount_minor, bank_in.bank_in(amount_minor))


async def withdraw(
    ctx: Context, consumer_id: UUID, journal_id: UUID, amount_minor: int, card_id: UUID | None = None
) -> Moved:
    """Send money from the account to a bound bank card; refuses as `top_up` does, BALANCE_INSUFFICIENT, and
    MONEY_ACCOUNT_FROZEN."""
    check_amount_minor(amount_minor)
    async with ctx.database.transaction() as tx:
        consumer = await _usable(tx, consumer_id)
    if consumer.money_account == "frozen":
        raise Conflict("MONEY_ACCOUNT_FROZEN", "the money account is frozen")
    passage = await card_money.way(ctx, amount_minor)
    if passage is not None:
        begun, repeated = await card_money.withdraw(ctx, passage, consumer_id, journal_id, amount_minor, card_id)
        return await _moved(ctx, begun, repeated)
    async with ctx.database.transaction() as tx:
        entries = withdrawal.withdrawal(amount_minor)
        return await _post(ctx, tx, consumer_id, journal_id, withdrawal.KIND, amount_minor, entries)


async def _moved(ctx: Context, begun: Attempt, repeated: bool) -> Moved:
    """Where an attempt through the card channel stands. Refuses CARD_DECLINED."""
    if begun.state in (AttemptState.DECLINED, AttemptState.CLOSED):
        raise Conflict("CARD_DECLINED", "the card's bank said no", reason=begun.reason)
    async with ctx.database.snapshot() as tx:
        account = (await ledger.limits.accounts_of(tx, begun.consumer_id))[MONEY_PATH]
    state = str(begun.state) if begun.state is not AttemptState.CREATED else "unknown"
    return Moved(begun.payment_id, begun.amount_minor, -account.balance_minor, repeated, state, begun.attempt_id)


async def _usable(tx: Tx, consumer_id: UUID) -> customer.Consumer:
    """The consumer, with an open account and a card."""
    consumer = await _open(tx, consumer_id)
    if consumer.cards < 1:
        raise Conflict("NO_INSTRUMENT", "bind a bank card first")
    return consumer


async def _open(tx: Tx, consumer_id: UUID) -> customer.Consumer:
    consumer = await customer.get(tx, consumer_id)
    if consumer.money_account == "none":
        raise Conflict("MONEY_ACCOUNT_NOT_OPEN", "open the money account first")
    return consumer


async def _post(
    ctx: Context, tx: Tx, consumer_id: UUID, journal_id: UUID, kind: str, amount_minor: int, entries: tuple[Entry, ...]
) -> Moved:
    now = ctx.now()
    item = PostingItem(
        journal_id,
        bucket_of(consumer_id),
        consumer_id,
        kind,
        f"{kind}:{amount_minor}".encode(),
        business_date(now),
        now,
        None,
        legs_of(entries),
        entries,
    )
    verdict = await ledger.post(tx, item)
    if verdict.outcome is Outcome.KEY_CONFLICT:
        raise Conflict("IDEMPOTENCY_KEY_REUSED", "this key was used with another request")
    if verdict.outcome is Outcome.LIMIT:
        raise Refusal("BALANCE_INSUFFICIENT", "the money account holds less", room_minor=verdict.room_minor)
    assert verdict.posted, verdict
    account = (await ledger.limits.accounts_of(tx, consumer_id))[MONEY_PATH]
    return Moved(journal_id, amount_minor, -account.balance_minor, verdict.repeated)
