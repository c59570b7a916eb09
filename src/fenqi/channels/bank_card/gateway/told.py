"""What the local UnionPay tells of itself: signed answers and notices, and the lines of its settlement file."""

from __future__ import annotations

from collections.abc import Mapping

from fenqi.channels.bank_card import bill, sign
from fenqi.channels.bank_card.asking import HEADERS
from fenqi.channels.bank_card.gateway import desk
from fenqi.channels.bank_card.message import write_form
from fenqi.channels.gateway.house import House, beijing
from fenqi.channels.gateway.side import Account, Outgoing, Refund, Row, Telling, Trade


def common(account: Account, trade: Trade) -> dict[str, str]:
    return {
        "version": "5.1.0", "encoding": "UTF-8", "signMethod": sign.RSA, "accessType": "0",
        "bizType": trade.extra.get("bizType", "000201"), "merId": account.account_id, "currencyCode": "156",
        "txnTime": trade.extra["txnTime"], "reqReserved": trade.extra.get("reqReserved", ""),
    }  # fmt: skip


def sealed(account: Account, fields: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in fields.items() if value != ""}
    kept["signPubKeyCert"] = account.values["sign_cert"]
    return kept | {"signature": sign.seal(kept, account.values["sign_key"])}


def outgoing(house: House, account: Account, url: str, fields: dict[str, str], telling: Telling) -> Outgoing:
    said = sealed(account, fields)
    if telling.is_forged:
        said["signature"] = sign.seal_with(said, house.strange_key)
    return Outgoing(url, HEADERS, write_form(said))


def cells(account: Account, row: Row) -> dict[str, str]:
    trade, refund = row.trade, row.refund
    kind = refund.extra["txnType"] if refund else "01"
    net_minor = row.amount_minor + row.fee_minor
    cells = {
        "code": {"01": "S22", "31": "S24", "04": "S30"}[kind], "acqInsCode": "00049992", "sendInsCode": "00049992",
        "traceNo": refund.extra["traceNo"] if refund else trade.extra["traceNo"],
        "traceTime": beijing(row.at, "%m%d%H%M%S"), "accNo": _hidden(trade.payer),
        "txnAmt": f"{abs(row.amount_minor):012d}", "merCatCode": "5311", "termType": "07",
        "queryId": refund.refund_no if refund else trade.trade_no, "payType": "0001",
        "orderId": refund.out_refund_no if refund else trade.out_no, "payCardType": "01",
        "merCharge": bill.sided(row.fee_minor), "settleAmt": bill.sided(net_minor), "netAmt": bill.sided(net_minor),
        "txnType": kind, "txnSubType": "00" if refund else "01", "bizType": trade.extra.get("bizType", "000201"),
        "merId": account.account_id, "origQryId": trade.trade_no if refund else "",
        "reqReserved": (refund.extra if refund else trade.extra).get("reqReserved", ""),
        "origOrderId": trade.out_no if refund else "", "splitAmt": bill.sided(0), "discountAmt": bill.sided(0),
        "invoiceAmt": bill.sided(0), "instalmentCharge": "0" * 12,
    }  # fmt: skip
    if refund:
        cells |= {"origTraceNo": trade.extra["traceNo"], "origTraceTime": beijing(trade.created_at, "%m%d%H%M%S")}
    return cells


def _hidden(number: str) -> str:
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}" if len(number) > 10 else ""


def of_trade(account: Account, trade: Trade, amount_minor: int) -> dict[str, str]:
    """A trade as a notice and the way back tell it."""
    code, message = desk.state_of(trade)
    fields = common(account, trade) | {
        "queryId": trade.trade_no, "txnType": "01", "txnSubType": "01", "orderId": trade.out_no,
        "txnAmt": str(amount_minor), "respCode": code, "respMsg": message,
    }  # fmt: skip
    return fields | (desk.settled(account, trade, amount_minor) if trade.paid_at else {})


def of_refund(account: Account, trade: Trade, refund: Refund) -> dict[str, str]:
    """A refund or void as a notice tells it."""
    said = desk.told_refund(refund)
    code, message = said.pop("origRespCode"), said.pop("origRespMsg")
    return common(account, trade) | said | {
        "orderId": refund.out_refund_no, "txnTime": refund.extra["txnTime"], "respCode": code, "respMsg": message,
    }  # fmt: skip
