"""UnionPay's protocol side of the local gateway: its addresses, its notices, its file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec
from starlette.requests import Request
from starlette.routing import Route

from fenqi.channels.bank_card import bill
from fenqi.channels.bank_card.gateway import door, issuer, keys, told
from fenqi.channels.bank_card.gateway.check import CHANNEL
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


class UnionPay:
    """The side. `ladder_s`: five tries, 0, 1, 2 and 4 minutes apart, as UnionPay's examples say."""

    channel = CHANNEL
    ladder_s = (0, 60, 120, 240)
    fee_ppm = 5_500
    refund_takes_s = 5
    wallet = Wallet("银行卡收银台", "Bank card desk", "#0b4f8a", accent="#b3261e")
    declines = tuple(
        Decline(iso, issuer.answer_of(iso)[1], f"ISO 8583 {iso}") for iso in ("51", "05", "54", "61", "65", "57", "91")
    )

    def routes(self, house: House) -> Sequence[Route]:
        """The front, back and query doors, the file service, and the card page."""

        return door.routes(house)

    def called(self, request: Request, body: bytes) -> Called | None:
        """By the address, and by txnType behind the back door."""
        fields = door.posted(body)
        operation = door.operation_of(request.url.path, fields)
        return Called(operation, fields.get("merId", "")) if operation else None

    def enrol(self, house: House, code: str) -> Account:
        """A merchant with a number of 15 digits."""
        mer_id = f"777290{digits(9)}"
        kept, given = keys.fresh(mer_id)
        return Account(CHANNEL, mer_id, code, kept, given)

    def rotate(self, house: House, account: Account) -> Account:
        """New keys and a new issuer: what is signed from now on needs the new credentials."""
        kept, given = keys.fresh(account.account_id)
        return Account(
            CHANNEL, account.account_id, account.code, kept, given, account.version, account.state,
            account.balance_minor,
        )  # fmt: skip

    def payment_notice(self, house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
        """The back notice of a payment that succeeded; of others only where no page was shown."""
        if not trade.notify_url or (trade.paid_at is None and trade.way != "token"):
            return None
        amount_minor = trade.amount_minor if telling.amount_minor is None else telling.amount_minor
        fields = told.of_trade(account, trade, amount_minor)
        return told.outgoing(house, account, trade.notify_url, fields, telling)

    def refund_notice(
        self, house: House, account: Account, trade: Trade, refund: Refund, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        """The back notice of a refund or void that is at its end."""
        if refund.state == "processing" or not refund.notify_url:
            return None
        return told.outgoing(house, account, refund.notify_url, told.of_refund(account, trade, refund), telling)

    def heard(self, status: int, body: bytes) -> bool:
        """200 or 302 is taken."""
        return status in (200, 302)

    def bill(self, house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
        """The zip with the ZM file. Days are business days here: the cut at 23:00 is not played."""
        text = b"".join(bill.write_line(told.cells(account, row)) + b"\r\n" for row in rows)
        return bill.zipped(text, account.account_id, day_on)

    def instalments(self, house: House, trade: Trade) -> tuple[Instalment, ...]:
        """None: instalments by card are a product that is not played."""
        return ()

    def decline(self, house: House, account: Account, trade: Trade, code: str) -> Trade:
        """On the page another card may be tried; a charge without a page is over."""
        return trade if trade.way != "token" else msgspec.structs.replace(trade, state="closed")

    def return_url(self, house: House, account: Account, trade: Trade) -> str | Form:
        """frontUrl, to be posted to with the trade's signed fields."""
        if not trade.return_url:
            return ""
        return Form(trade.return_url, told.sealed(account, told.of_trade(account, trade, trade.amount_minor)))
