"""Notices: proven by any credential that still counts, opened with the API v3 key, and read as a result.

The time in a notice's headers is not judged: a notice may be read again from the inbox days later, and one that is
played back is harmless, because its `notice_no` (the channel's id) is taken once, and states only move forward.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from fenqi.channels.contract import (
    Credential,
    Incoming,
    Notice,
    NoticeRefused,
    Passage,
    Reply,
    Unknown,
)
from fenqi.channels.wechat_pay.messages import RefundNotice, Transaction, refund_result, trade_result
from fenqi.channels.wechat_pay.seal import Sealed, unseal
from fenqi.channels.wechat_pay.trust import Trust, credentials, stamp

T = TypeVar("T")


class _Envelope(msgspec.Struct):
    id: str
    event_type: str
    resource_type: str
    resource: Sealed


def read(trust: Trust, passage: Passage, incoming: Incoming) -> Notice:
    """The notice in a request. Raises NoticeRefused: FORGED (signature), MALFORMED, FOREIGN (another merchant)."""
    _prove(trust, passage, incoming)
    envelope = _decode(incoming.body, _Envelope)
    if envelope.resource_type != "encrypt-resource":
        raise NoticeRefused("MALFORMED", f"resource type {envelope.resource_type!r}")
    plain, owner = _opened(passage, envelope.resource)
    if envelope.event_type.startswith("TRANSACTION."):
        return _payment(envelope, plain, owner)
    if envelope.event_type.startswith("REFUND."):
        return _refund(envelope, plain, owner)
    raise NoticeRefused("MALFORMED", f"event {envelope.event_type!r}")


def answer(accepted: bool) -> Reply:
    """204 without a body, or 500 with the protocol's word for "again, please"."""
    if accepted:
        return Reply(204, "application/json", b"")
    return Reply(500, "application/json", '{"code":"FAIL","message":"失败"}'.encode())


def _prove(trust: Trust, passage: Passage, incoming: Incoming) -> None:
    signed = stamp(incoming.headers)
    if signed is None:
        raise NoticeRefused("FORGED", "no signature")
    try:
        held = trust.holds(credentials(passage), signed, incoming.body)
    except (ValueError, KeyError) as error:
        raise NoticeRefused("FORGED", f"the credentials can't prove it: {error}") from error
    if held is None:
        raise NoticeRefused("FORGED", f"signed by {signed.serial}, which is not known here")
    if not held:
        raise NoticeRefused("FORGED", "the signature does not hold")


def _opened(passage: Passage, sealed: Sealed) -> tuple[bytes, Credential]:
    for one in credentials(passage):
        plain = unseal(one.values.get("api_v3_key", ""), sealed)
        if plain is not None:
            return plain, one
    raise NoticeRefused("MALFORMED", "no API v3 key opens it")


def _payment(envelope: _Envelope, plain: bytes, owner: Credential) -> Notice:
    told = _decode(plain, Transaction)
    _own(owner, told.mchid, told.appid)
    result = trade_result(told)
    if isinstance(result, Unknown):
        raise NoticeRefused("MALFORMED", result.why)
    return Notice(envelope.id, told.out_trade_no, result)


def _refund(envelope: _Envelope, plain: bytes, owner: Credential) -> Notice:
    told = _decode(plain, RefundNotice)
    _own(owner, told.mchid, None)
    result = refund_result(told.refund_status, told.refund_id, told.amount.refund, told.success_time)
    if isinstance(result, Unknown):
        raise NoticeRefused("MALFORMED", result.why)
    return Notice(envelope.id, told.out_trade_no, result, refund_no=told.out_refund_no)


def _own(owner: Credential, mchid: str, appid: str | None) -> None:
    """Refuse what is another merchant's, or another app's (None: the notice names no app)."""
    if mchid != owner.values.get("mchid") or appid not in (None, owner.values.get("appid")):
        raise NoticeRefused("FOREIGN", f"merchant {mchid}, app {appid}")


def _decode(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except ValueError as error:
        raise NoticeRefused("MALFORMED", str(error)) from error
