"""Orders: placed by four ways, queried by either number, closed; the states and refusals are the protocol's own."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fenqi.channels.gateway.house import House, beijing, digits
from fenqi.channels.gateway.side import Account, Trade
from fenqi.channels.wechat_pay.gateway.door import CHANNEL, Answer, Asked, Refused
from fenqi.kernel.clock import ZONE

WAYS = {"jsapi": ("jsapi", "JSAPI"), "native": ("qr", "NATIVE"), "h5": ("wap", "MWEB"), "app": ("app", "APP")}
"""Last part of the address → (way, trade type)."""
STATES = {
    "waiting": ("NOTPAY", "订单未支付"),
    "paid": ("SUCCESS", "支付成功"),
    "closed": ("CLOSED", "订单已关闭"),
}
_NUMBER = re.compile(r"[0-9A-Za-z_\-|*@]{6,32}")
_LIVES = timedelta(hours=2)
"""How long a prepaid order lives that names no end."""

Text = Annotated[str, Meta(min_length=1, max_length=127)]


class Amount(msgspec.Struct, forbid_unknown_fields=True):
    """What an order comes to, in fen."""

    total: Annotated[int, Meta(ge=1, le=10_000_000_000)]
    currency: str = "CNY"


class Payer(msgspec.Struct, forbid_unknown_fields=True):
    """Who is to pay."""

    openid: Annotated[str, Meta(min_length=1, max_length=128)]


class H5(msgspec.Struct):
    """What kind of browser it is."""

    type: str


class Scene(msgspec.Struct):
    """Where the buyer is."""

    payer_client_ip: Annotated[str, Meta(min_length=1, max_length=45)]
    h5_info: H5 | None = None


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """The body that places an order."""

    appid: str
    mchid: str
    description: Text
    out_trade_no: str
    notify_url: Annotated[str, Meta(max_length=255)]
    amount: Amount
    time_expire: datetime | None = None
    payer: Payer | None = None
    scene_info: Scene | None = None
    attach: str = ""
    goods_tag: str = ""
    detail: dict[str, Any] | None = None
    settle_info: dict[str, Any] | None = None
    support_fapiao: bool = False


class _Merchant(msgspec.Struct, forbid_unknown_fields=True):
    mchid: str


def place(kind: str, house: House, asked: Asked) -> Answer:
    """Place an order of a kind (the last part of its address), or answer the same again for the same order."""
    order = asked.read(Order)
    _check(house, asked, kind, order)
    digest = hashlib.sha256(f"{kind}\n".encode() + msgspec.json.encode(order)).hexdigest()
    there, is_new = house.open(_trade(house, asked, kind, order, digest))
    if not is_new:
        if there.state == "paid":
            raise Refused("ORDER_PAID", "该订单已支付")
        if there.extra["digest"] != digest:
            raise Refused("OUT_TRADE_NO_USED", "商户订单号重复")
        if there.state == "closed":
            raise Refused("ORDER_CLOSED", "该订单已关闭")
    return 200, _way_in(house, kind, there)


def _check(house: House, asked: Asked, kind: str, order: Order) -> None:
    asked.of_merchant(house, order.mchid)
    if order.appid != asked.account.values["appid"]:
        raise Refused("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配")
    if not _NUMBER.fullmatch(order.out_trade_no):
        raise Refused("PARAM_ERROR", "out_trade_no须为6至32个字符")
    check_notify_url(order.notify_url)
    if order.amount.currency != "CNY":
        raise Refused("PARAM_ERROR", "currency只支持CNY")
    if order.time_expire is not None and (
        order.time_expire.tzinfo is None or order.time_expire <= house.clock.now()
    ):  # fmt: skip
        raise Refused("INVALID_REQUEST", "time_expire时间过短或格式有误")
    if kind == "jsapi" and order.payer is None:
        raise Refused("PARAM_ERROR", "JSAPI支付必须传openid")
    if kind == "h5" and (order.scene_info is None or order.scene_info.h5_info is None):
        raise Refused("PARAM_ERROR", "H5支付必须传scene_info.h5_info")


def check_notify_url(url: str) -> None:
    """Refuse what is no absolute address, or has a query. (The real channel takes https only.)"""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query:
        raise Refused("PARAM_ERROR", "notify_url必须为不带参数的绝对地址")


def _trade(house: House, asked: Asked, kind: str, order: Order, digest: str) -> Trade:
    now, (way, trade_type) = house.clock.now(), WAYS[kind]
    prepay_id = f"wx{beijing(now, '%d%H%M%S')}{digest[:18]}{digits(8)}"
    return Trade(
        trade_no=f"42000{digits(5)}{beijing(now, '%Y%m%d')}{digits(10)}", channel=CHANNEL,
        account_id=asked.account.account_id, out_no=order.out_trade_no, amount_minor=order.amount.total,
        subject=order.description, created_at=now, expires_at=order.time_expire or now + _LIVES, way=way,
        payer=order.payer.openid if order.payer else "", notify_url=order.notify_url, code=prepay_id,
        extra={
            "digest": digest, "trade_type": trade_type, "attach": order.attach,
            "by_public_key": "yes" if asked.by_public_key else "",
        },
    )  # fmt: skip


def _way_in(house: House, kind: str, trade: Trade) -> dict[str, str]:
    if kind == "native":
        return {"code_url": house.code_url(trade)}
    if kind == "h5":
        return {"h5_url": f"{house.endpoint(CHANNEL)}/checkmweb?prepay_id={trade.code}&package={digits(9)}"}
    return {"prepay_id": trade.code}


async def checkmweb(house: House, request: Request) -> Response:
    """Where an H5 order's buyer comes in; `redirect_url` is where he goes back to."""
    trade = house.scanned(CHANNEL, request.query_params.get("prepay_id", ""))
    if trade is None:
        return Response("商家参数格式有误，请联系商家解决", 404, media_type="text/plain; charset=utf-8")
    back = request.query_params.get("redirect_url", "")
    if trade.state == "waiting" and urlsplit(back).scheme in ("http", "https"):
        house.book.put_trade(msgspec.structs.replace(trade, return_url=back), was="waiting")
    return RedirectResponse(house.wallet_url(trade), 303)


def query_by_out_no(house: House, asked: Asked) -> Answer:
    """A trade by the merchant's number."""
    return 200, told(house, asked.account, _found(house, asked))


def query_by_no(house: House, asked: Asked) -> Answer:
    """A trade by the channel's number; another merchant's does not exist."""
    asked.of_merchant(house, asked.query.get("mchid", ""))
    trade = house.trade(asked.path["trade_no"])
    if trade is None or (trade.channel, trade.account_id) != (CHANNEL, asked.account.account_id):
        raise Refused("ORDER_NOT_EXIST", "订单不存在")
    return 200, told(house, asked.account, trade)


def _found(house: House, asked: Asked) -> Trade:
    asked.of_merchant(house, asked.query.get("mchid", ""))
    return find(house, asked, asked.path["out_no"])


def find(house: House, asked: Asked, out_no: str) -> Trade:
    """A trade by the merchant's number. Raises Refused ORDER_NOT_EXIST."""
    trade = house.find(CHANNEL, asked.account.account_id, out_no)
    if trade is None:
        raise Refused("ORDER_NOT_EXIST", "订单不存在")
    return trade


def close(house: House, asked: Asked) -> Answer:
    """Close an order; one that is closed stays so."""
    asked.of_merchant(house, asked.read(_Merchant).mchid)
    trade = house.close(find(house, asked, asked.path["out_no"]))
    if trade.state == "paid":
        raise Refused("ORDER_PAID", "该订单已支付")
    return 204, None


def told(house: House, account: Account, trade: Trade, amount_minor: int | None = None) -> dict[str, Any]:
    """A trade as answers and notices tell it; `amount_minor` instead of the true one."""
    state, words = STATES[trade.state]
    if trade.state == "paid" and house.book.refunded_minor(trade.trade_no) > 0:
        state, words = "REFUND", "订单发生过退款"
    total = trade.amount_minor if amount_minor is None else amount_minor
    said: dict[str, Any] = {
        "appid": account.values["appid"], "mchid": account.values["mchid"], "out_trade_no": trade.out_no,
        "trade_type": trade.extra["trade_type"], "trade_state": state, "trade_state_desc": words,
        "attach": trade.extra["attach"], "promotion_detail": [], "amount": {"total": total, "currency": trade.currency},
    }  # fmt: skip
    if trade.paid_at is not None:
        said |= {
            "transaction_id": trade.trade_no, "bank_type": "OTHERS", "success_time": rfc3339(trade.paid_at),
            "payer": {"openid": openid(trade)},
        }  # fmt: skip
        said["amount"] |= {"payer_total": total, "payer_currency": trade.currency}
    return said


def openid(trade: Trade) -> str:
    """Who paid, as an openid: what the merchant named, or one made of whoever paid in the wallet."""
    if trade.payer.startswith("o") and len(trade.payer) >= 20:
        return trade.payer
    return "o" + hashlib.sha256(quote(trade.payer).encode()).hexdigest()[:27]


def rfc3339(at: datetime) -> str:
    """An instant as WeChat Pay writes it: whole seconds, +08:00."""
    return at.astimezone(ZONE).isoformat(timespec="seconds")
