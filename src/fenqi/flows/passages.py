"""Passages as the adapters want them: routed, with their keys in the clear, and every call's outcome observed."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Collection, Set
from typing import TypeVar
from uuid import UUID

from fenqi import customer, passage
from fenqi.attempt import Attempt
from fenqi.channels import shelf
from fenqi.channels.contract import (
    Credential,
    Declined,
    Passage,
    RefundFailed,
    RefundResult,
    Result,
    Unknown,
)
from fenqi.database import directory
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.refusal import NotFound
from fenqi.passage import Outcome, OutcomeKind

DIRECTORY = "channel_number"
"""The kind of claim under which a number of ours at a channel finds its consumer."""
_LIMITED = "CHANNEL_RATE_LIMITED"
_TOGETHER = 50
_RECENT_S = 1.0
R = TypeVar("R")


async def ways(
    ctx: Context, method: str, scene: str | None, amount_minor: int, merchants: Collection[UUID], client: str,
    avoid: Set[UUID] = frozenset(),
) -> list[Passage]:  # fmt: skip
    """The passages that can take a payment now, the best first, without those to be avoided."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, now)
    only = next(iter(merchants)) if len(merchants) == 1 else None
    there = [each for each in ref.passages if each.channel == method and each.passage_id not in avoid]
    routed = passage.route(there, ref.healths, now, scene, amount_minor, only)
    if routed.chosen is None:
        return []
    return [_keyed(ctx, each) for each in (routed.chosen, *routed.spares)]


async def by_code(ctx: Context, code: str, *, recent: bool = False) -> Passage:
    """A passage by its code, whatever its state: late notices come to retired ones too. Refuses PASSAGE_UNKNOWN.

    `recent`: what this process has read within the last second will do, if it has it.
    """
    ref = ctx.reference.read_within(_RECENT_S) if recent else None
    found = None if ref is None else _of_code(ref, code)
    if found is None:
        async with ctx.database.autocommit() as tx:
            found = _of_code(await ctx.reference.current(tx, ctx.now()), code)
    if found is None:
        raise NotFound("PASSAGE_UNKNOWN", "no such passage")
    return _keyed(ctx, found)


def _of_code(ref: Reference, code: str) -> passage.Passage | None:
    return next((each for each in ref.passages if each.code == code), None)


async def of_attempt(ctx: Context, begun: Attempt) -> Passage:
    """The passage that an attempt went through."""
    return await by_code(ctx, begun.passage)


def _keyed(ctx: Context, found: passage.Passage) -> Passage:
    """The passage with its keys, unsealed once per version of it."""
    known = ctx.keyed.get(found.passage_id)
    now = ctx.now()
    if known is not None and known[0] == found and (known[2] is None or now < known[2]):
        return known[1]
    ring = passage.keyring(ctx.keys, found, now)
    if ring is None:
        raise NotFound("PASSAGE_UNKNOWN", "the passage has no credentials")
    keyed = Passage(
        found.passage_id, found.code, found.channel, found.terms.endpoint,
        Credential(ring.current.version, ring.current.values),
        tuple(Credential(each.version, each.values) for each in ring.accepted),
    )  # fmt: skip
    ends = [
        each.notices_until_at for each in found.credentials if each.notices_until_at and each.notices_until_at > now
    ]
    ctx.keyed[found.passage_id] = (found, keyed, min(ends, default=None))
    return keyed


async def name(ctx: Context, begun: Attempt | UUID, consumer_id: UUID | None = None) -> None:
    """Enter a number of ours into the directory before a channel hears of it."""
    own_id = begun if isinstance(begun, UUID) else begun.attempt_id
    owner = consumer_id if isinstance(begun, UUID) else begun.consumer_id
    assert owner is not None, "a number has its consumer"
    async with ctx.database.transaction() as tx:
        await directory.claim(tx, DIRECTORY, own_id.hex, owner, ctx.now())


def notify_url(ctx: Context, code: str) -> str:
    """Where a passage's channel sends its notices."""
    return f"{ctx.settings.base_url}/hooks/{code}"


def return_url(ctx: Context, begun: Attempt) -> str:
    """Where the channel sends the buyer back."""
    if begun.purpose != "order":
        return f"{ctx.settings.base_url}/money/attempts/{begun.attempt_id}"
    return f"{ctx.settings.base_url}/payments/{begun.payment_id}"


async def payer_of(ctx: Context, begun: Attempt) -> str | None:
    """Who pays, where a way needs to know beforehand: the buyer's card, or who they are at the wallet."""
    if begun.way == "token":
        async with ctx.database.snapshot() as tx:
            return await customer.card_number(tx, ctx.keys, begun.consumer_id, UUID(begun.instrument))
    if begun.way == "jsapi":
        return begun.instrument or f"o{begun.consumer_id.hex[:27]}"
    return None


async def observed(ctx: Context, way: Passage, call: Awaitable[Result]) -> Result:
    """Make a call and keep how it went for the passage's health."""
    result, spent_ms = await _timed(call)
    kind = OutcomeKind.OK
    if isinstance(result, Unknown):
        kind = OutcomeKind.TIMEOUT
    elif isinstance(result, Declined) and result.kind == "refused":
        kind = _kind(result.reason, result.fault == "passage")
    await _record(ctx, way, kind, spent_ms)
    return result


async def observed_refund(ctx: Context, way: Passage, call: Awaitable[RefundResult]) -> RefundResult:
    """As `observed`, of a refund."""
    result, spent_ms = await _timed(call)
    kind = OutcomeKind.TIMEOUT if isinstance(result, Unknown) else OutcomeKind.OK
    if isinstance(result, RefundFailed) and result.again and result.reason == "REFUND_TOO_MANY":
        kind = OutcomeKind.LIMITED
    await _record(ctx, way, kind, spent_ms)
    return result


def _kind(reason: str, by_passage: bool) -> OutcomeKind:
    if reason == _LIMITED:
        return OutcomeKind.LIMITED
    if reason in ("CHANNEL_DOWN", "CHANNEL_TIMEOUT", "CHANNEL_MAINTENANCE"):
        return OutcomeKind.ERROR
    return OutcomeKind.DECLINED if by_passage else OutcomeKind.OK


async def _timed(call: Awaitable[R]) -> tuple[R, int]:
    began = time.monotonic()
    result = await call
    return result, round((time.monotonic() - began) * 1000)


async def _record(ctx: Context, way: Passage, kind: OutcomeKind, spent_ms: int) -> None:
    """Keep an outcome; what speaks against a passage is told at once, the rest with the next."""
    ctx.outcomes.append(Outcome(way.passage_id, kind, spent_ms, ctx.now()))
    if kind is not OutcomeKind.OK or len(ctx.outcomes) >= _TOGETHER:
        await hand_in(ctx)


async def hand_in(ctx: Context) -> None:
    """Tell the breakers what has been observed since the last time."""
    told, ctx.outcomes = ctx.outcomes, []
    if told:
        async with ctx.database.transaction() as tx:
            await passage.record(tx, told, ctx.now())


async def probe(ctx: Context) -> int:
    """Try the passages that may be back, each by one of all processes; how many were tried."""
    async with ctx.database.transaction() as tx:
        due = set(await passage.claim_probes(tx, ctx.now()))
        ref = await ctx.reference.current(tx, ctx.now())
    for each in ref.passages:
        if each.passage_id in due and each.is_keyed:
            way = _keyed(ctx, each)
            is_up, spent_ms = await _timed(shelf.channel(way.channel).probe(ctx.http, way))
            await _record(ctx, way, OutcomeKind.OK if is_up else OutcomeKind.ERROR, spent_ms)
            await hand_in(ctx)
    return len(due)
