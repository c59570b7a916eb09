"""A toy channel for the house's tests: JSON in plain sight, "signed" with a word that both sides know."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from fenqi.channels.gateway.house import House, NoRefund
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

replace = msgspec.structs.replace


class ToySide:
    channel = "toy"
    ladder_s: tuple[int, ...] = (60, 600)
    fee_ppm = 6_000
    refund_takes_s = 0
    wallet = Wallet("玩具钱包", "Toy wallet", "#5b3fa0")
    declines = (Decline("NO_MONEY", "余额不足", "Not enough money"), Decline("CLOSED", "交易被关闭", "Closed by it"))

    def routes(self, house: House) -> Sequence[BaseRoute]:
        async def answer(request: Request) -> Response:
            return self._answer(house, await request.json())

        return [Route("/do", answer, methods=["POST"])]

    def _answer(self, house: House, asked: dict[str, Any]) -> Response:
        account = house.book.account("toy", asked["account"])
        if account is None or asked["word"] != account.values["word"]:
            return JSONResponse({"error": "SIGN"}, 401)
        if house.is_banned(account, asked["do"]):
            return JSONResponse({"error": "BANNED"}, 403)
        if fault := house.fault("toy", asked["do"], "error", account_id=account.account_id):
            return JSONResponse({"error": fault.text("code", "SYSTEM")}, fault.number("status", 500))
        return getattr(self, f"_{asked['do']}")(house, account, asked)

    def _pay(self, house: House, account: Account, asked: dict[str, Any]) -> Response:
        now = house.clock.now()
        trade = Trade(
            f"7{secrets.randbelow(10**15):015d}", "toy", account.account_id, asked["no"], asked["amount"],
            asked.get("subject", "Goods"), now, now + timedelta(seconds=asked.get("lives_s", 900)),
            notify_url=asked.get("notify_url", ""), return_url=asked.get("return_url", ""), code=asked["no"][::-1],
        )  # fmt: skip
        there, _ = house.open(trade)
        if asked.get("at_once"):
            there = house.pay(there.trade_no)
        return _seen(there)

    def _query(self, house: House, account: Account, asked: dict[str, Any]) -> Response:
        there = house.find("toy", account.account_id, asked["no"])
        return JSONResponse({"error": "ABSENT"}, 404) if there is None else _seen(there)

    def _close(self, house: House, account: Account, asked: dict[str, Any]) -> Response:
        there = house.find("toy", account.account_id, asked["no"])
        assert there is not None
        return _seen(house.close(there))

    def _refund(self, house: House, account: Account, asked: dict[str, Any]) -> Response:
        there = house.find("toy", account.account_id, asked["no"])
        assert there is not None
        try:
            refund = house.refund(
                there, asked["refund"], asked["amount"], f"8{secrets.randbelow(10**15):015d}",
                notify_url=there.notify_url,
            )  # fmt: skip
        except NoRefund as no:
            return JSONResponse({"error": no.code}, 400)
        return JSONResponse({"refund_no": refund.refund_no, "state": refund.state})

    def called(self, request: Request, body: bytes) -> Called | None:
        asked = json.loads(body)
        return Called(asked["do"], asked["account"])

    def enrol(self, house: House, code: str) -> Account:
        word = secrets.token_hex(4)
        return Account("toy", f"acc-{code}", code, {"word": word}, {"word": word})

    def rotate(self, house: House, account: Account) -> Account:
        word = secrets.token_hex(4)
        return replace(account, values={"word": word}, credentials={"word": word})

    def payment_notice(self, house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
        said = {
            "notice": telling.notice_no, "try": telling.try_no, "no": trade.out_no, "state": trade.state,
            "amount": trade.amount_minor if telling.amount_minor is None else telling.amount_minor,
            "word": "forged" if telling.is_forged else account.values["word"],
        }  # fmt: skip
        return Outgoing(trade.notify_url, {"content-type": "application/json"}, json.dumps(said).encode())

    def refund_notice(
        self, house: House, account: Account, trade: Trade, refund: Refund, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        said = {"refund": refund.out_refund_no, "state": refund.state, "word": account.values["word"]}
        return Outgoing(refund.notify_url, {"content-type": "application/json"}, json.dumps(said).encode())

    def heard(self, status: int, body: bytes) -> bool:
        return status == 200

    def bill(self, house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
        return "".join(f"{row.trade.out_no},{row.amount_minor},{row.fee_minor}\n" for row in rows).encode()

    def instalments(self, house: House, trade: Trade) -> tuple[Instalment, ...]:
        return (Instalment(3, 0), Instalment(6, trade.amount_minor // 20)) if trade.amount_minor >= 60_000 else ()

    def decline(self, house: House, account: Account, trade: Trade, code: str) -> Trade:
        return replace(trade, state="closed") if code == "CLOSED" else trade

    def return_url(self, house: House, account: Account, trade: Trade) -> str | Form:
        if trade.return_url.startswith("form:"):
            return Form(trade.return_url.removeprefix("form:"), {"no": trade.out_no, "state": trade.state})
        return f"{trade.return_url}?state={trade.state}" if trade.return_url else ""


def _seen(trade: Trade) -> Response:
    return JSONResponse({"trade_no": trade.trade_no, "state": trade.state})
