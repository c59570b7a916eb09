"""Hearing what channels tell: a notice is verified and kept, then answered, then acted on, once.

Keeping it is what the channel waits for; the rest happens behind, in order of arrival, and again after a crash.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from uuid import UUID

import msgspec

from fenqi import attempt
from fenqi.attempt import Attempt, NoticeRow
from fenqi.channels import shelf
from fenqi.channels.contract import (
    Declined,
    Incoming,
    Notice,
    NoticeRefused,
    Paid,
    Passage,
    Pending,
    Refunded,
    RefundFailed,
    RefundPending,
    Reply,
)
from fenqi.database import directory
from fenqi.database.coalesce import Coalescer
from fenqi.database.pool import Tx
from fenqi.database.together import together
from fenqi.flows import card_money, conclude, give_back, passages
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound, Refusal

Told = Paid | Declined | Pending | Refunded | RefundFailed | RefundPending
_TOLD = msgspec.json.Decoder(Told)
_JSON = msgspec.json.Encoder()
_LOG = logging.getLogger("fenqi.hear")
_BODY_MOST = 64 * 1024
_HEADERS_KEPT = ("content-type", "user-agent")
_AT_ONCE = 6
"""Consumers whose notices are concluded at the same time: not so many that requests wait for connections."""
NoticeQueue = Coalescer[NoticeRow, None]


def open_queue(ctx: Context) -> NoticeQueue:
    """The queue in front of the inbox; one per process."""

    async def keep(notices: list[NoticeRow]) -> Sequence[None]:
        once: dict[tuple[str, UUID], NoticeRow] = {}
        for each in notices:
            key = (each.number, each.notice_id)
            times = once[key].times + 1 if key in once else 1
            once[key] = msgspec.structs.replace(each, times=times)
        async with ctx.database.transaction() as tx:
            await attempt.insert_notices(tx, [once[key] for key in sorted(once)])
        ctx.news.set()
        return [None] * len(notices)

    return Coalescer(keep, writers=1, max_batch=512)


async def hear(ctx: Context, code: str, incoming: Incoming) -> Reply:
    """Take a channel's notice in: kept, whatever it is worth, and answered as the channel wants to be.

    Refuses PASSAGE_UNKNOWN. One that is not to be believed is kept as refused and answered with a no.
    """
    passage = await passages.by_code(ctx, code, recent=True)
    channel = shelf.channel(passage.channel)
    try:
        notice = await _read(ctx, passage, incoming)
    except NoticeRefused as no:
        row = _row(ctx, code, passage.channel, "", no.why, "refused", incoming)
        await _keep(ctx, msgspec.structs.replace(row, state="refused", code=no.code))
        return channel.answer(False)
    kind = "payment" if notice.refund_no is None else "refund"
    number = notice.attempt_no if notice.refund_no is None else notice.refund_no
    row = _row(ctx, code, passage.channel, number, notice.notice_no, kind, incoming)
    await _keep(ctx, msgspec.structs.replace(row, result=_JSON.encode(notice.result)))
    return channel.answer(True)


async def _read(ctx: Context, passage: Passage, incoming: Incoming) -> Notice:
    """Verify and parse: by the newest keys, where those that are known here don't verify. Raises NoticeRefused."""
    channel = shelf.channel(passage.channel)
    try:
        return channel.read_notice(passage, incoming)
    except NoticeRefused:
        newest = await passages.by_code(ctx, passage.code)
        if newest == passage:
            raise
        return channel.read_notice(newest, incoming)


async def _keep(ctx: Context, row: NoticeRow) -> None:
    assert ctx.notice_queue is not None, "the context's queue is open"
    await ctx.notice_queue.submit(row)


def _row(
    ctx: Context, passage: str, channel: str, number: str, notice_no: str, kind: str, incoming: Incoming
) -> NoticeRow:
    """A notice's id is a digest of what it says, so that a repeat meets the first; the channels' own ids are part."""
    head = f"{passage}\0{kind}\0{notice_no}\0".encode()
    said = incoming.body if kind == "refused" else number.encode()
    digest = hashlib.sha256(head + said).digest()[:16]
    return NoticeRow(
        number[:64], UUID(bytes=digest, version=4), passage, channel, kind, "received", "",
        {name: value for name, value in incoming.headers.items() if _is_kept(name)}, incoming.body[:_BODY_MOST], None,
        ctx.now(),
    )  # fmt: skip


def _is_kept(name: str) -> bool:
    return name in _HEADERS_KEPT or name.startswith(("wechatpay-", "alipay-"))


async def drain(ctx: Context, limit: int = 100) -> int:
    """Act on notices that are waiting; how many were acted on. Any number of processes may drain.

    What one consumer's notices say is concluded in order, consumers' side by side. A notice that can't be acted on is
    logged and stays; it holds up nobody.
    """
    async with ctx.database.snapshot() as tx:
        waiting = await attempt.notices_waiting(tx, limit)
        found = await together(tx, *(_spoken_of(tx, row) for row in waiting))
    of_one: dict[UUID | None, list[tuple[NoticeRow, Attempt | str]]] = {}
    for row, about in zip(waiting, found, strict=True):
        of_one.setdefault(None if isinstance(about, str) else about.consumer_id, []).append((row, about))
    gate = asyncio.Semaphore(_AT_ONCE)
    parts = await asyncio.gather(*(_in_order(ctx, gate, some) for some in of_one.values()))
    done = sorted((each for part in parts for each in part), key=lambda one: (one[0].number, one[0].notice_id))
    if done:
        async with ctx.database.transaction() as tx:
            await together(tx, *(attempt.settle_notice(tx, row, state, code, ctx.now()) for row, state, code in done))
    return len(done)


async def _in_order(
    ctx: Context, gate: asyncio.Semaphore, some: Sequence[tuple[NoticeRow, Attempt | str]]
) -> list[tuple[NoticeRow, str, str]]:
    """Act on one consumer's notices; (notice, state, code) of those that were acted on."""
    done = []
    async with gate:
        for row, about in some:
            try:
                done.append((row, *(await _act(ctx, row, about))))
            except Exception:  # noqa: BLE001 - the edge of a job: one notice's bug must not stop the others
                _LOG.exception("the notice %s of %s could not be acted on", row.notice_id, row.number)
    return done


async def _act(ctx: Context, row: NoticeRow, about: Attempt | str) -> tuple[str, str]:
    """Conclude what a notice says; acting twice changes nothing. Parked: nothing of ours has its number, or what has it
    went through another account."""
    if isinstance(about, str):
        return "parked", about
    if about.passage != row.passage:
        return "parked", "FOREIGN"
    by = By(f"channel:{row.passage}", "the channel's notice", ctx.now())
    assert row.result is not None, "a believed notice was read"
    told = _TOLD.decode(row.result)
    try:
        if not isinstance(told, Paid | Declined | Pending):
            refund_id = parse_id(row.number)
            assert refund_id is not None, "its attempt was found by it"
            await give_back.conclude(ctx, about.consumer_id, refund_id, told, by)
        elif about.purpose == card_money.WITHDRAWAL:
            await card_money.conclude_payout(ctx, about, told, by)
        else:
            await conclude.conclude(ctx, about.consumer_id, about.attempt_id, told, by, order_id=about.order_id)
    except NotFound as gone:
        return "parked", gone.code
    except Refusal as refusal:
        return "done", refusal.code
    return "done", ""


async def _spoken_of(tx: Tx, row: NoticeRow) -> Attempt | str:
    """The attempt that a notice is about (that of the refund, where it is about one), or the code of why there is
    none."""
    own_id = parse_id(row.number)
    consumer_id = await directory.find(tx, passages.DIRECTORY, row.number)
    if consumer_id is None or own_id is None:
        return "NUMBER_UNKNOWN"
    try:
        if row.kind == "refund":
            own_id = (await attempt.get_refund(tx, consumer_id, own_id)).attempt_id
        return await attempt.get(tx, consumer_id, own_id)
    except NotFound as gone:
        return gone.code
