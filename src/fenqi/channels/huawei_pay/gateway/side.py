"""Huawei Pay's protocol side of the local gateway: its keys, its callbacks, the looks of its checkout."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.requests import Request
from starlette.routing import Route

from fenqi.channels.gateway.house import House, digits
from fenqi.channels.gateway.side import (
    Account,
    Called,
    Decline,
    Form,
    Instalment,
    Outgoing,
    Refund,
    Row,
    Telling,
    Trade,
    Wallet,
)
from fenqi.channels.huawei_pay import codes, sm2
from fenqi.channels.huawei_pay.adapter import write_local_time
from fenqi.channels.huawei_pay.gateway import door
from fenqi.channels.huawei_pay.gateway.door import CHANNEL


class PaymentKit:
    """The side. How often Huawei tells again is not published ("in a certain cycle"): `ladder_s` is ours."""

    channel = CHANNEL
    ladder_s = (60, 300, 900, 3_600, 21_600)
    fee_ppm = 6_000
    refund_takes_s = 5
    wallet = Wallet("华为支付收银台", "Huawei Pay checkout", "#1f1f24", accent="#c7000b")
    declines = (
        Decline("CHECK_ACCOUNT_BALANCE", "余额不足", "Not enough money"),
        Decline("BANK_CARD_NOT_SUPPORT", "该银行卡不支持", "This card can't be used"),
        Decline("REJECTED_BY_RISK_CONTROL", "交易存在风险", "Stopped by risk control"),
    )

    def routes(self, house: House) -> Sequence[Route]:
        """Pre-order, query, close, refund, query of a refund."""
        return door.routes(house)

    def called(self, request: Request, body: bytes) -> Called | None:
        """By the address; the merchant stands in PayMercAuth."""
        operation = door.operation_of(request.url.path)
        return Called(operation, str(door.claimed(request).get("callerId", ""))) if operation else None

    def enrol(self, house: House, code: str) -> Account:
        """A merchant with a number of 12 digits, and an app."""
        merc_no = f"101{digits(9)}"
        kept, given = _fresh({"merc_no": merc_no, "app_id": f"57658802{digits(11)}"})
        return Account(CHANNEL, merc_no, code, kept, given)

    def rotate(self, house: House, account: Account) -> Account:
        """New keys and a new certificate number on both sides."""
        kept, given = _fresh({name: account.credentials[name] for name in ("merc_no", "app_id")})
        return msgspec.structs.replace(account, values=kept, credentials=given)

    def payment_notice(self, house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
        """The callback of an order that was paid."""
        if trade.paid_at is None or not trade.notify_url:
            return None
        amount_minor = trade.amount_minor if telling.amount_minor is None else telling.amount_minor
        fields = door.order_fields(account, trade) | {"totalAmount": amount_minor, "payerAmount": amount_minor}
        return _outgoing(house, account, trade.notify_url, fields, telling)

    def refund_notice(
        self, house: House, account: Account, trade: Trade, refund: Refund, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        """The callback of a refund that is at its end."""
        if refund.state == "processing" or not refund.notify_url:
            return None
        said = door.refund_fields(refund)
        said["mercRefundNo"], said["sysRefundNo"] = said.pop("mercRefundOrderNo"), said.pop("sysRefundOrderNo")
        return _outgoing(house, account, refund.notify_url, said | {"mercNo": account.account_id}, telling)

    def heard(self, status: int, body: bytes) -> bool:
        """JSON with 000000."""
        try:
            said = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            return False
        return status == 200 and said.get("resultCode") == codes.DONE

    def bill(self, house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
        """None: what the real file holds is not known."""
        return b""

    def instalments(self, house: House, trade: Trade) -> tuple[Instalment, ...]:
        """None."""
        return ()

    def decline(self, house: House, account: Account, trade: Trade, code: str) -> Trade:
        """The buyer may try another way to pay within the checkout."""
        return trade

    def return_url(self, house: House, account: Account, trade: Trade) -> str | Form:
        """None: the checkout gives the app back its own screen."""
        return trade.return_url


def _fresh(known: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    merchant = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    huawei = secrets.randbelow(sm2.N - 2) + 1
    auth_id = digits(20)
    public = merchant.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    private = merchant.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
    kept = {"auth_id": auth_id, "merchant_public_key": public, "sm2_private": f"{huawei:064x}"}
    given = {"auth_id": auth_id, "private_key": private, "huawei_public_key": sm2.write_public(sm2.public_of(huawei))}
    return kept, known | given


def _outgoing(house: House, account: Account, url: str, fields: dict[str, Any], telling: Telling) -> Outgoing:
    said = fields | {
        "callbackId": telling.notice_no, "callbackTime": write_local_time(telling.made_at), "dataType": "plain",
        "signType": "SM2",
    }  # fmt: skip
    key = house.strange_key.private_numbers().d % (sm2.N - 2) + 1 if telling.is_forged else door.sm2_key(account)
    return Outgoing(
        url, {"content-type": "application/json; charset=UTF-8"}, msgspec.json.encode(door.sealed(said, key))
    )
