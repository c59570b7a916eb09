"""Notices: sealed with the merchant's API v3 key, signed like an answer, told of payments and of ended refunds."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import serialization

from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account, Outgoing, Refund, Telling, Trade
from fenqi.channels.wechat_pay.gateway.door import signature
from fenqi.channels.wechat_pay.gateway.orders import rfc3339, told
from fenqi.channels.wechat_pay.gateway.refunds import told_in_notice
from fenqi.channels.wechat_pay.seal import seal

LADDER_S = (15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600)
"""15s/15s/30s/3m/10m/20m/30m/30m/30m/60m/3h/3h/3h/6h/6h: 24 h 4 min in all."""


def payment(house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
    """Only a payment is told, never a close."""
    if trade.state != "paid":
        return None
    if trade.paid_at is None:
        trade = msgspec.structs.replace(trade, paid_at=telling.made_at)
    said = told(house, account, trade, telling.amount_minor) | {
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
    }
    event = ("TRANSACTION.SUCCESS", "支付成功", "transaction")
    return _outgoing(house, account, trade, trade.notify_url, event, said, telling)


def refund(house: House, account: Account, trade: Trade, back: Refund, telling: Telling) -> Outgoing | None:
    """Told when it has ended; to the address that was given with the refund."""
    if back.state == "processing" or not back.notify_url:
        return None
    said = told_in_notice(account.values["mchid"], trade, back, telling.amount_minor)
    done = back.state == "succeeded"
    event = ("REFUND.SUCCESS", "退款成功", "refund") if done else ("REFUND.CLOSED", "退款关闭", "refund")
    return _outgoing(house, account, trade, back.notify_url, event, said, telling)


def _outgoing(
    house: House, account: Account, trade: Trade, url: str, event: tuple[str, str, str], said: dict[str, Any],
    telling: Telling,
) -> Outgoing:  # fmt: skip
    event_type, summary, original_type = event
    sealed = seal(account.values["api_v3_key"], msgspec.json.encode(said), secrets.token_hex(6), original_type)
    body = msgspec.json.encode(
        {
            "id": str(UUID(telling.notice_no)), "create_time": rfc3339(telling.made_at),
            "resource_type": "encrypt-resource", "event_type": event_type, "summary": summary,
            "resource": {"original_type": original_type, **sealed},
        }
    )  # fmt: skip
    strange = _pem(house) if telling.is_forged else ""
    headers = signature(account, bool(trade.extra["by_public_key"]), body, strange)
    return Outgoing(url, {**headers, "content-type": "application/json"}, body)


def _pem(house: House) -> str:
    encoded = house.strange_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()
