"""`payDataType` and `payData`: how a channel's handover reaches a shop that speaks Jeepay's protocol.

Pure. What the shop asks for in `channelExtra.payDataType` is done where the handover can be put so.
"""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec
import segno

from fenqi.channels.contract import Handover

PAY_URL, FORM, CODE_URL, CODE_IMAGE = "payurl", "form", "codeUrl", "codeImgUrl"
_APPS = {"alipay": "aliapp", "wechat_pay": "wxapp", "bank_card": "ysfapp"}
NONE = ("none", "")


def pay_data(handover: Handover | None, method: str, wanted: str) -> tuple[str, str]:
    """(`payDataType`, `payData`) of a handover."""
    if handover is None:
        return NONE
    if handover.kind == "app":
        order_string = handover.fields.get("order_string")
        return _APPS.get(method, "app"), order_string or msgspec.json.encode(handover.fields).decode()
    if handover.kind == "form":
        return FORM, form(handover.url, list(handover.fields.items()), "post")
    return of_address(handover.url, wanted, CODE_URL if handover.kind == "qr" else PAY_URL)


def of_address(url: str, wanted: str, otherwise: str) -> tuple[str, str]:
    """An address as a link, a form, the text of a code or its picture."""
    kind = wanted if wanted in (PAY_URL, FORM, CODE_URL, CODE_IMAGE) else otherwise
    if kind == CODE_IMAGE:
        return kind, segno.make(url, error="m", micro=False).png_data_uri(scale=6, border=2)
    if kind == FORM:
        parts = urlsplit(url)
        return kind, form(urlunsplit(parts._replace(query="")), parse_qsl(parts.query), "get")
    return kind, url


def form(url: str, fields: list[tuple[str, str]], method: str) -> str:
    """A form that sends itself, to be put into the shop's page."""
    inputs = "".join(f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields)
    return (
        f'<form name="pay" method="{method}" action="{escape(url)}" accept-charset="utf-8">{inputs}</form>'
        "<script>document.forms['pay'].submit();</script>"
    )
