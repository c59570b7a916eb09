"""The janitor: asks channels what became of every attempt and refund that nobody has heard of for a while, and tries
passages whose breaker would let one call through.

Whoever takes a turn puts the next one off first, so that any number of janitors may run; each turn is one call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from fenqi import attempt
from fenqi.attempt import AttemptState, ladder
from fenqi.flows import card_money, charge, give_back, passages
from fenqi.flows.context import Context
from fenqi.kernel.refusal import Refusal

_AT_ONCE = 16


async def tick(ctx: Context, limit: int = 200) -> int:
    """One pass: everything that is due is asked once; how much there was."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        attempts = await attempt.to_ask(tx, now, limit)
        refunds = await attempt.refunds_to_ask(tx, now, limit)
    await _each(attempts, lambda consumer_id, attempt_id: ask(ctx, consumer_id, attempt_id))
    await _each(refunds, lambda consumer_id, refund_id: give_back.carry_out(ctx, consumer_id, refund_id))
    await passages.probe(ctx)
    return len(attempts) + len(refunds)


async def settle(ctx: Context, rounds: int = 50) -> None:
    """Passes until nothing is due: for tests, and before a process goes down."""
    for _ in range(rounds):
        if not await tick(ctx):
            return


async def ask(ctx: Context, consumer_id: UUID, attempt_id: UUID) -> None:
    """One attempt's turn, if it is still due."""
    by = ctx.by_system("janitor", "asked the channel")
    async with ctx.database.transaction() as tx:
        found = await attempt.lock(tx, consumer_id, attempt_id)
        if found.ask_at is None or found.ask_at > by.at:
            return
        steps = ladder.PENDING_S if found.state is AttemptState.PENDING else ladder.UNKNOWN_S
        next_at = ladder.next_at(steps, found.asks, by.at)
        if by.at < found.expires_at:
            next_at = min(next_at, found.expires_at)
        found = await attempt.ask_again_at(tx, found, next_at)
    await (card_money.ask(ctx, found) if found.purpose == "withdrawal" else charge.ask(ctx, found, by))


async def _each(due: Sequence[tuple[UUID, UUID]], turn: Callable[[UUID, UUID], Awaitable[object]]) -> None:
    """Every turn, a few at once; one that is refused (moved on meanwhile) holds up nobody."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def take(consumer_id: UUID, own_id: UUID) -> None:
        async with gate:
            try:
                await turn(consumer_id, own_id)
            except Refusal:
                return

    await asyncio.gather(*(take(consumer_id, own_id) for consumer_id, own_id in due))
