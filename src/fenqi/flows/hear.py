"""Hearing what channels tell: a notice is verified and kept, then answered, then acted on, once.

Keeping it is what the channel waits for; the rest happens behind, in order of arrival, and again after a crash.
"""

from __future__ import annotations

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
    NoticeRefused,
    Paid,
    Pending,
    Refunded,
    RefundFailed,
    RefundPending,
    Reply,
)
from fenqi.database import directory
from fenqi.database.coalesce import Coalescer
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
    passage = await passages.by_code(ctx, code)
    channel = shelf.channel(passage.channel)
    try:
        notice = channel.read_notice(passage, incoming)
    except NoticeRefused as no:
        row = _row(ctx, code, passage.channel, "", no.why, "refused", incoming)
        await _keep(ctx, msgspec.structs.replace(row, state="refused", code=no.code))
        return channel.answer(False)
    kind = "payment" if notice.refund_no is None else "refund"
    number = notice.attempt_no if notice.refund_no is None else notice.refund_no
    row = _row(ctx, code, passage.channel, number, notice.notice_no, kind, incoming)
    await _keep(ctx, msgspec.structs.replace(row, result=_JSON.encode(notice.result)))
    return channel.answer(True)


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

    One that can't be acted on is logged and stays; it holds up nobody.
    """
    async with ctx.database.snapshot() as tx:
        waiting = await attempt.notices_waiting(tx, limit)
    acted = 0
    for each in waiting:
        try:
            state, code = await _act(ctx, each)
        except Exception:  # noqa: BLE001 - the edge of a job: one notice's bug must not stop the others
            _LOG.exception("the notice %s of %s could not be acted on", each.notice_id, each.number)
            continue
        async with ctx.database.transaction() as tx:
            await attempt.settle_notice(tx, each, state, code, ctx.now())
        acted += 1
    return acted


async def _act(ctx: Context, row: NoticeRow) -> tuple[str, str]:
    """Conclude what a notice says; acting twice changes nothing. Parked: nothing of ours has its number, or what has it
    went through another account."""
    assert row.result is not None, "a believed notice was read"
    by = By(f"channel:{row.passage}", "the channel's notice", ctx.now())
    own_id = parse_id(row.number)
    async with ctx.database.snapshot() as tx:
        consumer_id = await directory.find(tx, passages.DIRECTORY, row.number)
    if consumer_id is None or own_id is None:
        return "parked", "NUMBER_UNKNOWN"
    told = _TOLD.decode(row.result)
    try:
        begun = await _spoken_of(ctx, consumer_id, own_id, told)
        if begun.passage != row.passage:
            return "parked", "FOREIGN"
        if not isinstance(told, Paid | Declined | Pending):
            await give_back.conclude(ctx, consumer_id, own_id, told, by)
        elif begun.purpose == card_money.WITHDRAWAL:
            await card_money.conclude_payout(ctx, begun, told, by)
        else:
            await conclude.conclude(ctx, consumer_id, own_id, told, by)
    except NotFound as gone:
        return "parked", gone.code
    except Refusal as refusal:
        return "done", refusal.code
    return "done", ""


async def _spoken_of(ctx: Context, consumer_id: UUID, own_id: UUID, told: Told) -> Attempt:
    """The attempt that a notice is about; that of the refund, where it is about one."""
    async with ctx.database.snapshot() as tx:
        if not isinstance(told, Paid | Declined | Pending):
            own_id = (await attempt.get_refund(tx, consumer_id, own_id)).attempt_id
        return await attempt.get(tx, consumer_id, own_id)
