"""Alipay's gateway for local use: gateway.do and the V3 REST paths, the QR code's page, the bill's address.

It knows a merchant by its app_id, holds the merchant's public key and its own private one, and lets nothing pass that
is not signed, timely and whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from fenqi.channels.alipay.gateway import bill, notices, v2, v3
from fenqi.channels.alipay.gateway.method import operation_of
from fenqi.channels.alipay.gateway.trade import CHANNEL, OPENED, opened
from fenqi.channels.alipay.gateway.words import MESSAGES, Refused
from fenqi.channels.gateway.house import House, digits, half_up
from fenqi.channels.gateway.side import (
    Account,
    Called,
    Decline,
    Form,
    Instalment,
    Outgoing,
    Refund,
    Row,
    Side,
    Telling,
    Trade,
    Wallet,
)

replace = msgspec.structs.replace
_MINUTE, _HOUR = 60, 3_600
_LEAST_INSTALMENT_MINOR = 10_000
"""花呗分期 is offered from ¥100 (products.md, AL3)."""
_BUYER_FEES_PPM = {3: 25_000, 6: 45_000, 12: 88_000}
"""What the buyer pays in all for 3, 6, 12 instalments: 2.5 %, 4.5 %, 8.8 % (products.md)."""
_DECLINES = (
    ("ACQ.BUYER_BALANCE_NOT_ENOUGH", "Not enough in the balance"),
    ("ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH", "Not enough on the bank card"),
    ("ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR", "Over the buyer's limit of the day"),
    ("ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR", "Over the buyer's limit of the month"),
    ("ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT", "The buyer's identity is not verified"),
    ("ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE", "The buyer has nothing to pay with"),
    ("ACQ.PAYMENT_REQUEST_HAS_RISK", "The payment is risky"),
    ("ACQ.BUYER_SELLER_EQUAL", "Buyer and seller are the same"),
    ("ACQ.PAYMENT_FAIL", "The payment failed"),
)


class AlipaySide:
    """The protocol's side; see `gateway.side.Side`."""

    channel: str = CHANNEL
    ladder_s: tuple[int, ...] = (
        4 * _MINUTE, 10 * _MINUTE, 10 * _MINUTE, _HOUR, 2 * _HOUR, 6 * _HOUR, 15 * _HOUR,
    )  # fmt: skip
    fee_ppm: int = 6_000
    refund_takes_s: int = 0
    wallet: Wallet = Wallet("支付宝（本地模拟）", "Alipay (local)", "#1677ff", accent="#0e5fd8")
    declines: tuple[Decline, ...] = tuple(Decline(code, MESSAGES[code], en) for code, en in _DECLINES)

    def routes(self, house: House) -> Sequence[BaseRoute]:
        """gateway.do, the V3 paths, the page behind a QR code, the bill's file."""

        async def gateway_do(request: Request) -> Response:
            return await v2.gateway_do(house, request)

        async def rest(request: Request) -> Response:
            return await v3.v3(house, request)

        async def scan(request: Request) -> Response:
            trade = house.scanned(CHANNEL, request.path_params["code"])
            if trade is None:
                return HTMLResponse("<!doctype html><title>支付宝</title><h1>二维码已失效</h1>", 404)
            return RedirectResponse(house.wallet_url(opened(house, trade)), 302)

        async def file(request: Request) -> Response:
            return bill.download(house, request)

        return [
            Route("/gateway.do", gateway_do, methods=["GET", "POST"]),
            Route("/v3/{path:path}", rest, methods=["GET", "POST"]),
            Route("/bax/{code}", scan, methods=["GET"]),
            Route("/downloadBillFile.resource", file, methods=["GET"]),
        ]

    def called(self, request: Request, body: bytes) -> Called | None:
        """The operation of a method, by v2's parameters or by V3's path."""
        path = request.url.path
        if path.endswith("/downloadBillFile.resource"):
            return Called("bill.file", request.query_params.get("appId", ""))
        if "/v3/" in path:
            operation = operation_of(v3.method_of(request))
            return None if operation is None else Called(operation, v3.auth_of(request)["app_id"])
        try:
            params = v2.params_of(request, body)
        except Refused:
            return None
        operation = operation_of(params.get("method", ""))
        return None if operation is None else Called(operation, params.get("app_id", ""))

    def enrol(self, house: House, code: str) -> Account:
        """An app with its key and Alipay's, 2,048 bits each."""
        known = {"app_id": f"2021{digits(12)}", "seller_id": f"2088{digits(12)}"}
        values, credentials = _keys(known)
        return Account(CHANNEL, known["app_id"], code, values, credentials)

    def rotate(self, house: House, account: Account) -> Account:
        """The same app with new keys on both sides; requests signed with the older one are still taken."""
        known = {name: account.values[name] for name in ("app_id", "seller_id")}
        values, credentials = _keys(known)
        return replace(account, values=values, credentials={**credentials, "protocol": account.credentials["protocol"]})

    def payment_notice(self, house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
        """See `notices.payment`."""
        return notices.payment(house, account, trade, telling)

    def refund_notice(
        self, house: House, account: Account, trade: Trade, refund: Refund, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        """See `notices.refund`."""
        return notices.refund(house, account, trade, refund, telling)

    def heard(self, status: int, body: bytes) -> bool:
        """The seven letters."""
        return status == 200 and body.strip() == b"success"

    def bill(self, house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
        """See `bill.archive`."""
        return bill.archive(house, account, day_on, rows)

    def instalments(self, house: House, trade: Trade) -> tuple[Instalment, ...]:
        """花呗分期: the count that the merchant fixed, or 3, 6, 12 at the buyer's cost."""
        if trade.instalments > 1:
            return (_instalment(trade, trade.instalments),)
        if trade.amount_minor < _LEAST_INSTALMENT_MINOR:
            return ()
        return tuple(_instalment(trade, count) for count in _BUYER_FEES_PPM)

    def decline(self, house: House, account: Account, trade: Trade, code: str) -> Trade:
        """The trade stays open for another try; merchants see that it waits for its buyer."""
        return replace(trade, extra={**trade.extra, OPENED: "1"})

    def return_url(self, house: House, account: Account, trade: Trade) -> str | Form:
        """See `notices.way_back`."""
        return notices.way_back(house, account, trade)


def _instalment(trade: Trade, count: int) -> Instalment:
    if trade.extra.get("seller_pays"):
        return Instalment(count, 0)
    return Instalment(count, half_up(trade.amount_minor * _BUYER_FEES_PPM[count], 1_000_000))


def _keys(known: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(what Alipay keeps, what the merchant is given), with a new pair of keys for each of the two."""
    app, own = (generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(2))
    form, public = PrivateFormat.PKCS8, PublicFormat.SubjectPublicKeyInfo
    app_private, own_private = (
        key.private_bytes(Encoding.PEM, form, NoEncryption()).decode() for key in (app, own)
    )  # fmt: skip
    app_public, own_public = (key.public_key().public_bytes(Encoding.PEM, public).decode() for key in (app, own))
    values = {**known, "app_public_key": app_public, "alipay_private_key": own_private}
    given = {**known, "app_private_key": app_private, "alipay_public_key": own_public, "protocol": "v2"}
    return values, given


SIDE: Side = AlipaySide()
