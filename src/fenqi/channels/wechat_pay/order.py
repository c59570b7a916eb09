"""An order as it is placed, by way, and the handover that its answer makes. Limits: domain notes, "WeChat Pay v3"."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import quote

import msgspec

from fenqi.channels.contract import Capabilities, Charge, Handover, Passage, Pending
from fenqi.channels.wechat_pay.sign import app_text, jsapi_text, sign
from fenqi.kernel.clock import ZONE

DESCRIPTION_MOST = 127
PATHS = {"jsapi": "jsapi", "wap": "h5", "qr": "native", "app": "app"}
"""Way → the last part of its address."""
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{6,32}")


class _Placed(msgspec.Struct):
    prepay_id: str = ""
    h5_url: str = ""
    code_url: str = ""


def precheck(can: Capabilities, charge: Charge) -> tuple[str, ...]:
    """Codes of the dictionary that stand against a charge."""
    if not _NUMBER.fullmatch(charge.attempt_no):
        raise ValueError(f"{charge.attempt_no!r} can't be a trade number")
    found = []
    if charge.amount_minor < can.min_minor:
        found.append("AMOUNT_BELOW_MIN")
    if charge.amount_minor > can.max_minor:
        found.append("AMOUNT_ABOVE_MAX")
    if charge.currency not in can.currencies:
        found.append("CURRENCY_NOT_SUPPORTED")
    if charge.way not in can.ways.values() or (charge.way == "jsapi" and not charge.payer):
        found.append("CLIENT_UNSUPPORTED")
    if charge.instalments != 1:
        found.append("PLAN_TERM_NOT_OFFERED")
    return tuple(found)


def placed(passage: Passage, charge: Charge) -> tuple[str, dict[str, Any]]:
    """The address and body that place the order. KeyError: a way that the channel doesn't have."""
    values = passage.credential.values
    payload: dict[str, Any] = {
        "appid": values["appid"],
        "mchid": values["mchid"],
        "description": charge.subject[:DESCRIPTION_MOST],
        "out_trade_no": charge.attempt_no,
        "time_expire": charge.expires_at.astimezone(ZONE).isoformat(timespec="seconds"),
        "notify_url": charge.notify_url,
        "amount": {"total": charge.amount_minor, "currency": charge.currency},
    }
    if charge.way == "jsapi":
        payload["payer"] = {"openid": charge.payer or ""}
    if charge.way == "wap":
        payload["scene_info"] = {"payer_client_ip": charge.client_ip, "h5_info": {"type": "Wap"}}
    return f"/v3/pay/transactions/{PATHS[charge.way]}", payload


def handover(passage: Passage, charge: Charge, body: bytes, now: datetime) -> Pending | None:
    """How the buyer gets there; None where the answer holds no way."""
    try:
        made = msgspec.json.decode(body, type=_Placed)
    except ValueError:
        return None
    found = {"jsapi": made.prepay_id, "app": made.prepay_id, "wap": made.h5_url, "qr": made.code_url}[charge.way]
    if not found:
        return None
    values, timestamp, nonce = passage.credential.values, str(int(now.timestamp())), secrets.token_hex(16)
    if charge.way == "jsapi":
        return Pending(
            Handover("app", fields=jsapi_fields(values["appid"], values["private_key"], found, timestamp, nonce))
        )
    if charge.way == "app":
        signer = (values["appid"], values["mchid"], values["private_key"])
        return Pending(Handover("app", fields=app_fields(*signer, found, timestamp, nonce)))
    if charge.way == "wap":
        back = f"&redirect_url={quote(charge.return_url, safe='')}" if charge.return_url else ""
        return Pending(Handover("redirect", url=found + back))
    return Pending(Handover("qr", url=found))


def jsapi_fields(appid: str, private_key: str, prepay_id: str, timestamp: str, nonce: str) -> dict[str, str]:
    """What the page inside WeChat hands to the payment sheet, signed."""
    package = f"prepay_id={prepay_id}"
    return {
        "appId": appid, "timeStamp": timestamp, "nonceStr": nonce, "package": package, "signType": "RSA",
        "paySign": sign(private_key, jsapi_text(appid, timestamp, nonce, package)),
    }  # fmt: skip


def app_fields(appid: str, mchid: str, private_key: str, prepay_id: str, timestamp: str, nonce: str) -> dict[str, str]:
    """What an app hands to the channel's kit, signed."""
    return {
        "appid": appid, "partnerid": mchid, "prepayid": prepay_id, "package": "Sign=WXPay",
        "noncestr": nonce, "timestamp": timestamp,
        "sign": sign(private_key, app_text(appid, timestamp, nonce, prepay_id)),
    }  # fmt: skip
