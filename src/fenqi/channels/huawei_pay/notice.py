"""Huawei Pay's callbacks: JSON to callbackUrl, signed with SM2, told again until they are answered with 000000.

The same callback keeps its callbackId over all tries.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fenqi.channels.contract import Incoming, Notice, NoticeRefused, Passage, Reply, Unknown
from fenqi.channels.huawei_pay import outcome, sign


def read(passage: Passage, incoming: Incoming) -> Notice:
    """Verify, and parse. Raises NoticeRefused."""
    try:
        fields = msgspec.json.decode(incoming.body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise NoticeRefused("MALFORMED", "no JSON object") from error
    accepted = passage.accepted or (passage.credential,)
    if not any(sign.is_huaweis(fields, credential.values["huawei_public_key"]) for credential in accepted):
        raise NoticeRefused("FORGED", "Huawei Pay did not sign it")
    values = passage.credential.values
    if fields.get("mercNo", values["merc_no"]) != values["merc_no"]:
        raise NoticeRefused("FOREIGN", "it is for another merchant")
    if fields.get("dataType") != "plain":
        raise NoticeRefused("MALFORMED", "its data is encrypted, which was not agreed on")
    try:
        return _refund(fields) if "refundOrderStatus" in fields else _payment(fields)
    except (KeyError, ValueError) as error:
        raise NoticeRefused("MALFORMED", str(error)) from error


def _payment(fields: dict[str, Any]) -> Notice:
    said = outcome.payment(fields)
    if isinstance(said, Unknown):
        raise ValueError(said.why)
    return Notice(str(fields["callbackId"]), str(fields["mercOrderNo"]), said)


def _refund(fields: dict[str, Any]) -> Notice:
    """A refund's callback does not name the order: our payload does."""
    said = outcome.refund(fields)
    if isinstance(said, Unknown):
        raise ValueError(said.why)
    return Notice(str(fields["callbackId"]), str(fields["payload"]), said, refund_no=str(fields["mercRefundNo"]))


def answer(is_accepted: bool) -> Reply:
    """{"resultCode":"000000","resultDesc":"Success."}, or a failure that brings it again."""
    said = ("000000", "Success.") if is_accepted else ("500000", "Again, please.")
    body = msgspec.json.encode({"resultCode": said[0], "resultDesc": said[1]})
    return Reply(200 if is_accepted else 500, "application/json", body)
