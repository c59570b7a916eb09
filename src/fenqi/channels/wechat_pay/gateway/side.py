"""WeChat Pay as a side of the gateway: its addresses, its accounts, its notices, its wallet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, compile_path

from fenqi.channels.gateway.house import House
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
    path_of,
)
from fenqi.channels.wechat_pay.gateway import bills, certificates, keys, notices, orders, refunds
from fenqi.channels.wechat_pay.gateway.door import CHANNEL, Handler, route
from fenqi.channels.wechat_pay.sign import read_authorization

_OUT = "/v3/pay/transactions/out-trade-no/{out_no}"
_CALLS: tuple[tuple[str, str, str, Handler], ...] = (
    *(("POST", f"/v3/pay/transactions/{kind}", "pay", partial(orders.place, kind)) for kind in orders.WAYS),
    ("GET", "/v3/pay/transactions/id/{trade_no}", "query", orders.query_by_no),
    ("GET", _OUT, "query", orders.query_by_out_no),
    ("POST", f"{_OUT}/close", "close", orders.close),
    ("POST", "/v3/refund/domestic/refunds", "refund", refunds.ask),
    ("GET", "/v3/refund/domestic/refunds/{out_refund_no}", "query_refund", refunds.query),
    ("GET", "/v3/certificates", "certificates", certificates.listed),
    ("GET", "/v3/bill/tradebill", "bill", bills.trade_bill),
    ("GET", "/v3/bill/fundflowbill", "bill", bills.fund_flow_bill),
)
_FILE = "/v3/billdownload/file"
_OPERATIONS = (
    *((method, compile_path(path)[0], operation) for method, path, operation, _ in _CALLS),
    ("GET", compile_path(_FILE)[0], "bill.file"),
)


class WechatPaySide:
    """The protocol's side; everything that lasts is in the house's book."""

    channel = CHANNEL
    ladder_s: tuple[int, ...] = notices.LADDER_S
    fee_ppm = 6_000
    refund_takes_s = 1_200
    """A refund to the buyer's balance is there within twenty minutes."""
    wallet = Wallet("微信支付", "WeChat Pay", "#07c160")
    declines: tuple[Decline, ...] = (
        Decline("NOT_ENOUGH", "零钱余额不足", "The balance is not enough"),
        Decline("RULE_LIMIT", "超过支付限额", "Over the payment limit"),
        Decline("TRADE_ERROR", "银行拒绝该笔交易", "The bank refused"),
        Decline("ACCOUNT_ERROR", "账户异常，暂不能支付", "The account can't pay at present"),
    )

    def routes(self, house: House) -> Sequence[BaseRoute]:
        """API v3 below /v3, and the page by which an H5 order's buyer comes in."""

        async def file(request: Request) -> Response:
            return await bills.file(house, request)

        async def checkmweb(request: Request) -> Response:
            return await orders.checkmweb(house, request)

        signed = [route(house, *call) for call in _CALLS]
        return [*signed, Route(_FILE, file), Route("/checkmweb", checkmweb)]

    def called(self, request: Request, body: bytes) -> Called | None:
        """By address; the account is whoever the header says it is."""
        path = path_of(request).partition("?")[0]
        fits = (word for method, form, word in _OPERATIONS if method == request.method and form.match(path))
        operation = next(fits, None)
        pairs = read_authorization(request.headers.get("authorization", "")) or {}
        return None if operation is None else Called(operation, pairs.get("mchid", ""))

    def enrol(self, house: House, code: str) -> Account:
        """A merchant with an app."""
        return keys.enrol(house, code)

    def rotate(self, house: House, account: Account) -> Account:
        """New keys on both sides, and a new platform certificate."""
        return keys.rotate(house, account)

    def payment_notice(self, house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
        """TRANSACTION.SUCCESS."""
        return notices.payment(house, account, trade, telling)

    def refund_notice(
        self, house: House, account: Account, trade: Trade, refund: Refund, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        """REFUND.SUCCESS or REFUND.CLOSED."""
        return notices.refund(house, account, trade, refund, telling)

    def heard(self, status: int, body: bytes) -> bool:
        """200 or 204, whatever the body."""
        return status in (200, 204)

    def bill(self, house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
        """The trade bill (ALL)."""
        return bills.written(account, rows)

    def instalments(self, house: House, trade: Trade) -> tuple[Instalment, ...]:
        """None: the channel offers none by itself."""
        return ()

    def decline(self, house: House, account: Account, trade: Trade, code: str) -> Trade:
        """The order goes on waiting: the buyer may try another card."""
        return trade

    def return_url(self, house: House, account: Account, trade: Trade) -> str | Form:
        """The `redirect_url` of an H5 order; other orders have none."""
        return trade.return_url
