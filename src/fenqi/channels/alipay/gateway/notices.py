"""What Alipay tells a merchant of its own accord: signed forms to its address, and the signed way back of a buyer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from fenqi.channels.alipay.gateway.trade import REFUNDABLE, buyer, fund_channel, masked, refunded_minor
from fenqi.channels.alipay.sign import load_private, notice_text, sign_with
from fenqi.channels.alipay.text import beijing, yuan_text
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account, Outgoing, Refund, Telling, Trade

_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
_RETURNS = {"page": "alipay.trade.page.pay.return", "wap": "alipay.trade.wap.pay.return"}


def payment(house: House, account: Account, trade: Trade, telling: Telling) -> Outgoing | None:
    """The notice that a trade was paid; of other states Alipay sends none."""
    if trade.paid_at is None or not trade.notify_url:
        return None
    status = "TRADE_FINISHED" if telling.made_at - trade.paid_at > REFUNDABLE else "TRADE_SUCCESS"
    return _form(house, account, trade, telling, _params(account, trade, telling, trade.paid_at, status))


def refund(house: House, account: Account, trade: Trade, done: Refund, telling: Telling) -> Outgoing | None:
    """The notice that a refund was carried out; one that failed is told of by nobody."""
    if done.state != "succeeded" or done.finished_at is None or trade.paid_at is None or not trade.notify_url:
        return None
    total_minor = refunded_minor(house, trade, done)
    is_whole = total_minor >= trade.amount_minor
    params = _params(account, trade, telling, trade.paid_at, "TRADE_CLOSED" if is_whole else "TRADE_SUCCESS") | {
        "refund_fee": yuan_text(total_minor),
        "gmt_refund": f"{beijing(done.finished_at)}.{done.finished_at.microsecond // 1000:03d}",
        "out_biz_no": done.out_refund_no,
    }
    if is_whole:
        params["gmt_close"] = beijing(done.finished_at)
    return _form(house, account, trade, telling, params)


def way_back(house: House, account: Account, trade: Trade) -> str:
    """The merchant's address with the signed parameters of a buyer who comes back; "" when there is none."""
    if not trade.return_url or trade.way not in _RETURNS:
        return trade.return_url
    params = {
        "charset": "utf-8", "out_trade_no": trade.out_no, "method": _RETURNS[trade.way],
        "total_amount": yuan_text(trade.amount_minor), "trade_no": trade.trade_no, "auth_app_id": account.account_id,
        "version": "1.0", "app_id": account.account_id, "sign_type": "RSA2", "seller_id": account.values["seller_id"],
        "timestamp": beijing(house.clock.now()),
    }  # fmt: skip
    params["sign"] = sign_with(notice_text(params), load_private(account.values["alipay_private_key"]))
    return f"{trade.return_url}{'&' if '?' in trade.return_url else '?'}{urlencode(params)}"


def _params(account: Account, trade: Trade, telling: Telling, paid_at: datetime, status: str) -> dict[str, str]:
    told_minor = trade.amount_minor if telling.amount_minor is None else telling.amount_minor
    amount = yuan_text(told_minor)
    return {
        "gmt_create": beijing(trade.created_at), "charset": "utf-8", "gmt_payment": beijing(paid_at),
        "notify_time": beijing(telling.made_at), "subject": trade.subject, "sign_type": "RSA2",
        "buyer_logon_id": masked(buyer(trade)), "invoice_amount": amount, "version": "1.0",
        "notify_id": telling.notice_no, "notify_type": "trade_status_sync", "out_trade_no": trade.out_no,
        "fund_bill_list": f'[{{"amount":"{amount}","fundChannel":"{fund_channel(trade)}"}}]',
        "total_amount": amount, "trade_status": status, "trade_no": trade.trade_no,
        "auth_app_id": account.account_id, "receipt_amount": amount, "point_amount": "0.00",
        "buyer_pay_amount": amount, "app_id": account.account_id, "seller_id": account.values["seller_id"],
    }  # fmt: skip


def _form(
    house: House, account: Account, trade: Trade, telling: Telling, params: Mapping[str, str]
) -> Outgoing:  # fmt: skip
    key = house.strange_key if telling.is_forged else load_private(account.values["alipay_private_key"])
    signed = {**params, "sign": sign_with(notice_text(params), key)}
    return Outgoing(trade.notify_url, _HEADERS, urlencode(signed).encode())
