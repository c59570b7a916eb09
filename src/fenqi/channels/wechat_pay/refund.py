"""Refunds: asked for by our own number, mostly only accepted at first, and queried until they are done or failed."""

from __future__ import annotations

from typing import Any

import msgspec

from fenqi.channels.contract import Passage, RefundFailed, RefundResult, Repayable, Unknown
from fenqi.channels.http import Http
from fenqi.channels.wechat_pay import codes
from fenqi.channels.wechat_pay.call import Line, Said, Untold
from fenqi.channels.wechat_pay.messages import RefundAnswer, refund_result

PATH = "/v3/refund/domestic/refunds"
WHY_MOST = 80


async def ask(line: Line, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
    """Ask for a refund. A repeat with the same number gets the state of the first.

    A refusal that would end it is checked by a query: the number may have been taken by an earlier call that nobody
    heard the answer of. One that may be asked for again needs no check: the next try tells.
    """
    payload: dict[str, Any] = {
        "out_trade_no": asked.attempt_no,
        "out_refund_no": asked.refund_no,
        "reason": asked.why[:WHY_MOST],
        "notify_url": asked.notify_url,
        "amount": {"refund": asked.amount_minor, "total": asked.paid_minor, "currency": asked.currency},
    }
    try:
        said = await line.ask(http, passage, "POST", PATH, {key: value for key, value in payload.items() if value})
    except Untold as error:
        return Unknown(error.why)
    if said.status == 200:
        return _read(said, asked)
    if said.status >= 500 or said.code in codes.UNTOLD:
        return Unknown(f"{said.code}: {said.message}")
    refused = codes.refund_failed(said.code, said.message)
    if refused.again:
        return refused
    there = await query(line, http, passage, asked)
    return refused if isinstance(there, RefundFailed) and there.absent else there


async def query(line: Line, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
    """What became of a refund, by our number; other errors than its absence leave it Unknown."""
    try:
        said = await line.ask(http, passage, "GET", f"{PATH}/{asked.refund_no}", tries=2)
    except Untold as error:
        return Unknown(error.why)
    if said.status == 404 and said.code in codes.ABSENT:
        return RefundFailed(said.code, "REFUND_REJECTED", said.message, absent=True)
    if said.status != 200:
        return Unknown(f"{said.code}: {said.message}")
    return _read(said, asked)


def _read(said: Said, asked: Repayable) -> RefundResult:
    try:
        told = msgspec.json.decode(said.body, type=RefundAnswer)
    except ValueError as error:
        return Unknown(f"an answer that can't be read: {error}")
    if (told.out_refund_no, told.out_trade_no) != (asked.refund_no, asked.attempt_no):
        return Unknown(f"an answer about refund {told.out_refund_no} of {told.out_trade_no}")
    return refund_result(told.status, told.refund_id, told.amount.refund, told.success_time)
