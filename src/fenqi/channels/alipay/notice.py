"""Alipay's asynchronous notice: a signed form posted to our address, verified, held against our account, read.

A notice of a refund carries the sum of all refunds and not this one's, so it is told as "ask": RefundPending.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fenqi.channels.alipay.outcome import of_trade
from fenqi.channels.alipay.sign import KeyUnusable, notice_text, verify
from fenqi.channels.contract import Credential, Incoming, Notice, NoticeRefused, Paid, Passage, RefundPending

_CHARSETS = frozenset({"utf-8", "utf8", "gbk", "gb2312", "gb18030"})


def read(passage: Passage, incoming: Incoming) -> Notice:
    """Verify a notice with every accepted credential, and parse it. Raises NoticeRefused.

    The signature stands over the decoded parameters without `sign` and `sign_type`; some of Alipay's products sign
    with `sign_type`, which is tried next. `app_id` and, where both sides name one, `seller_id` must be ours.
    """
    params = form(incoming.body)
    credential = _signer(passage, params)
    _held_against(credential, params)
    attempt_no = params.get("out_trade_no", "")
    if not attempt_no:
        raise NoticeRefused("MALFORMED", "no out_trade_no")
    notice_no = params.get("notify_id") or hashlib.sha256(incoming.body).hexdigest()[:32]
    try:
        result = of_trade(params, "gmt_payment")
    except ValueError as error:
        raise NoticeRefused("MALFORMED", str(error)) from error
    if isinstance(result, Paid) and params.get("gmt_refund") and params.get("out_biz_no"):
        return Notice(notice_no, attempt_no, RefundPending(result.channel_no), refund_no=params["out_biz_no"])
    return Notice(notice_no, attempt_no, result)


def form(body: bytes) -> dict[str, str]:
    """The parameters of a posted form, decoded by the charset that it names. Raises NoticeRefused."""
    try:
        text = body.decode("ascii")
        charset = dict(parse_qsl(text, encoding="ascii", errors="replace")).get("charset", "utf-8").lower()
        if charset not in _CHARSETS:
            raise NoticeRefused("MALFORMED", "a charset that Alipay doesn't use")
        pairs = parse_qsl(text, keep_blank_values=True, encoding=charset, errors="strict", max_num_fields=200)
    except ValueError as error:
        raise NoticeRefused("MALFORMED", f"not a form: {error}") from error
    params = dict(pairs)
    if len(params) != len(pairs):
        raise NoticeRefused("MALFORMED", "a parameter stands there twice")
    return params


def _signer(passage: Passage, params: Mapping[str, str]) -> Credential:
    """The newest accepted version whose Alipay key made the signature."""
    signature = params.get("sign", "")
    if params.get("sign_type", "RSA2") != "RSA2" or not signature:
        raise NoticeRefused("FORGED", "no RSA2 signature")
    for dropped in (("sign", "sign_type"), ("sign",)):
        text = notice_text(params, dropped)
        for credential in passage.accepted or (passage.credential,):
            try:
                if verify(text, signature, credential.values["alipay_public_key"]):
                    return credential
            except KeyUnusable:
                continue
    raise NoticeRefused("FORGED", "the signature does not verify")


def _held_against(credential: Credential, params: Mapping[str, str]) -> None:
    if params.get("app_id") != credential.values["app_id"]:
        raise NoticeRefused("FOREIGN", f"app_id {params.get('app_id')!r} is not ours")
    ours, theirs = credential.values.get("seller_id", ""), params.get("seller_id", "")
    if ours and theirs and ours != theirs:
        raise NoticeRefused("FOREIGN", f"seller_id {theirs!r} is not ours")
