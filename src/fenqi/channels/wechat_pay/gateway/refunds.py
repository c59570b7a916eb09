"""Refunds: accepted at once, carried out later; each rule of the protocol is held before the house is asked."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, NoReturn

import msgspec
from msgspec import Meta

from fenqi.channels.gateway.house import House, NoRefund, beijing, digits
from fenqi.channels.gateway.side import Refund, Trade
from fenqi.channels.wechat_pay.gateway.door import CHANNEL, Answer, Asked, Refused
from fenqi.channels.wechat_pay.gateway.orders import check_notify_url, rfc3339

MOST = 50
SPACING = timedelta(seconds=60)
WITHIN = timedelta(days=365)
STATES = {"processing": "PROCESSING", "succeeded": "SUCCESS", "failed": "CLOSED"}


class Amount(msgspec.Struct):
    """What goes back of what, in fen."""

    refund: Annotated[int, Meta(ge=1)]
    total: Annotated[int, Meta(ge=1)]
    currency: str


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """The body that asks for a refund."""

    out_refund_no: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_\-|*@]+$")]
    amount: Amount
    transaction_id: str = ""
    out_trade_no: str = ""
    reason: Annotated[str, Meta(max_length=80)] = ""
    notify_url: Annotated[str, Meta(max_length=255)] = ""
    funds_account: str = ""
    goods_detail: list[dict[str, Any]] | None = None


def ask(house: House, asked: Asked) -> Answer:
    """Accept a refund; the same number again gets the same refund, whatever became of it."""
    wanted = asked.read(Ask)
    if wanted.notify_url:
        check_notify_url(wanted.notify_url)
    trade = _trade(house, asked, wanted)
    known = house.book.refund_of(CHANNEL, asked.account.account_id, wanted.out_refund_no)
    if known is not None:
        if (known.trade_no, known.amount_minor) != (trade.trade_no, wanted.amount.refund):
            _refuse("conflict")
        return 200, _told(trade, known)
    _check(house, trade, wanted)
    try:
        made = house.refund(
            trade, wanted.out_refund_no, wanted.amount.refund,
            f"503{digits(8)}{beijing(house.clock.now(), '%Y%m%d')}{digits(10)}",
            notify_url=wanted.notify_url, why=wanted.reason,
        )  # fmt: skip
    except NoRefund as no:
        _refuse(no.code)
    return 200, _told(trade, made)


def _trade(house: House, asked: Asked, wanted: Ask) -> Trade:
    if wanted.out_trade_no:
        found = house.find(CHANNEL, asked.account.account_id, wanted.out_trade_no)
    else:
        found = house.trade(wanted.transaction_id)
    if found is None or (found.channel, found.account_id) != (CHANNEL, asked.account.account_id):
        raise Refused("RESOURCE_NOT_EXISTS", "订单不存在")
    return found


def _check(house: House, trade: Trade, wanted: Ask) -> None:
    now, before = house.clock.now(), house.book.refunds(trade.trade_no)
    if wanted.amount.total != trade.amount_minor or wanted.amount.currency != trade.currency:
        raise Refused("INVALID_REQUEST", "订单金额与原订单不一致")
    if trade.paid_at is not None and now - trade.paid_at > WITHIN:
        raise Refused("TRADE_OVERDUE", "订单已经超过退款期限")
    if len(before) >= MOST:
        raise Refused("INVALID_REQUEST", "超过该订单的退款次数限制")
    if before and now - before[-1].created_at < SPACING / house.speed:
        raise Refused("FREQUENCY_LIMITED", "该笔订单退款请求过于频繁，请间隔1分钟后再试")


def _refuse(code: str) -> NoReturn:
    """The house's refusals in the protocol's words."""
    words = {
        "conflict": ("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试"),
        "too_large": ("INVALID_REQUEST", "退款金额大于可退金额"),
        "not_positive": ("PARAM_ERROR", "退款金额必须大于0"),
        "unfunded": ("NOT_ENOUGH", "基本账户余额不足，请充值后重新发起"),
        "not_paid": ("RESOURCE_NOT_EXISTS", "订单不存在或未支付"),
    }
    raise Refused(*words[code])


def query(house: House, asked: Asked) -> Answer:
    """A refund by the merchant's number."""
    refund = house.book.refund_of(CHANNEL, asked.account.account_id, asked.path["out_refund_no"])
    trade = None if refund is None else house.trade(refund.trade_no)
    if refund is None or trade is None:
        raise Refused("RESOURCE_NOT_EXISTS", "退款单不存在")
    return 200, _told(trade, refund)


def _told(trade: Trade, refund: Refund) -> dict[str, Any]:
    part, total = refund.amount_minor, trade.amount_minor
    said: dict[str, Any] = {
        "refund_id": refund.refund_no, "out_refund_no": refund.out_refund_no, "transaction_id": trade.trade_no,
        "out_trade_no": trade.out_no, "channel": "ORIGINAL", "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.created_at), "status": STATES[refund.state], "funds_account": "AVAILABLE",
        "amount": {
            "total": total, "refund": part, "from": [], "payer_total": total, "payer_refund": part,
            "settlement_refund": part, "settlement_total": total, "discount_refund": 0, "currency": trade.currency,
        },
        "promotion_detail": [],
    }  # fmt: skip
    if refund.state == "succeeded" and refund.finished_at is not None:
        said["success_time"] = rfc3339(refund.finished_at)
    return said


def told_in_notice(mchid: str, trade: Trade, refund: Refund, amount_minor: int | None) -> dict[str, Any]:
    """A refund as notices tell it; `amount_minor` instead of the true one."""
    part = refund.amount_minor if amount_minor is None else amount_minor
    said: dict[str, Any] = {
        "mchid": mchid, "transaction_id": trade.trade_no, "out_trade_no": trade.out_no, "refund_id": refund.refund_no,
        "out_refund_no": refund.out_refund_no, "refund_status": STATES[refund.state],
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": trade.amount_minor, "refund": part, "payer_total": trade.amount_minor, "payer_refund": part,
        },
    }  # fmt: skip
    if refund.state == "succeeded" and refund.finished_at is not None:
        said["success_time"] = rfc3339(refund.finished_at)
    return said
