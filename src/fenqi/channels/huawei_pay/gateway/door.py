"""The doors of the local Huawei Pay: what it demands of a request, what it does, how it answers (signed with SM2)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fenqi.channels.gateway.fault import Fault
from fenqi.channels.gateway.house import House, NoRefund, beijing, digits
from fenqi.channels.gateway.side import Account, Refund, Trade, path_of
from fenqi.channels.huawei_pay import adapter, outcome, sign, sm2
from fenqi.channels.huawei_pay.adapter import write_time

CHANNEL = "huawei_pay"
Fields = dict[str, Any]
Verb = Callable[[House, Account, Fields], Fields]
REFUND_DAYS = timedelta(days=180)
SPACING = timedelta(minutes=1)


class Refused(Exception):
    """Huawei Pay says no: its resultCode, and the subCode where there is one."""

    def __init__(self, result_code: str, sub_code: str = "", words: str = "") -> None:
        super().__init__(f"{result_code} {sub_code}")
        self.fields = {"resultCode": result_code, "resultDesc": words or "业务处理失败"}
        if sub_code:
            self.fields |= {"subCode": sub_code, "subDesc": words or sub_code}


def no(sub_code: str, words: str = "") -> Refused:
    """A business refusal."""
    return Refused("400000", sub_code, words)


def claimed(request: Request) -> Fields:
    """PayMercAuth as it was sent, unverified; {} for none."""
    try:
        return msgspec.json.decode(request.headers.get("PayMercAuth", ""), type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def operation_of(path: str) -> str:
    """The operation by the address."""
    there = path.removeprefix(f"/{CHANNEL}")
    if there.startswith(adapter.REFUND):
        return "query_refund"
    if there.startswith(adapter.ORDER):
        return "query"
    return {adapter.PREORDER: "pay", adapter.CLOSE: "close", adapter.REFUNDS: "refund"}.get(there, "")


def routes(house: House) -> Sequence[Route]:
    """All doors."""

    def post(operation: str, verb: Verb) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            body = await request.body()
            return _answer(house, request, operation, verb, _json(body))

        return handle

    def get(operation: str, verb: Verb) -> Callable[[Request], Any]:
        async def handle(request: Request) -> Response:
            return _answer(house, request, operation, verb, None)

        return handle

    return [
        Route(adapter.PREORDER, post("pay", _preorder), methods=["POST"]),
        Route(adapter.CLOSE, post("close", _close), methods=["POST"]),
        Route(adapter.REFUNDS, post("refund", _refund), methods=["POST"]),
        Route(adapter.REFUND + "{no}", get("query_refund", _query_refund), methods=["GET"]),
        Route(adapter.ORDER + "{no}", get("query", _query), methods=["GET"]),
    ]


def _json(body: bytes) -> Fields:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError:
        return {}


def _answer(house: House, request: Request, operation: str, verb: Verb, body: Fields | None) -> Response:
    try:
        account = _account(house, request, body)
    except Refused as refused:
        return Response(msgspec.json.encode(refused.fields), media_type="application/json")
    try:
        asked = body if body is not None else {"no": request.path_params["no"]}
        said = {"resultCode": "000000", "resultDesc": "Success."} | _do(house, account, operation, verb, asked)
    except Refused as refused:
        said = dict(refused.fields)
    return Response(msgspec.json.encode(sealed(said, sm2_key(account))), media_type="application/json")


def _do(house: House, account: Account, operation: str, verb: Verb, asked: Fields) -> Fields:
    if house.is_banned(account, operation):
        raise no("CHECK_MERC_STATUS", "商户状态异常")
    fault = house.fault(CHANNEL, operation, "error", account_id=account.account_id)
    if fault is not None and fault.text("when", "before") != "after":
        raise _told_by(fault)
    with house.book.transaction():
        said = verb(house, account, asked)
    if fault is not None:
        raise _told_by(fault)
    return said


def _told_by(fault: Fault) -> Refused:
    code, sub_code = fault.text("code", "500000"), fault.text("sub_code")
    return Refused(code, sub_code or ("UNKNOW_ERROR" if code == "500000" else ""), fault.text("message"))


def _account(house: House, request: Request, body: Fields | None) -> Account:
    """The merchant, once both signatures hold. Refused 200000, 200001, 200002, in the words of the reference."""
    auth = claimed(request)
    if not auth:
        raise Refused("200000", "MISSING_AUTH_HEADER", "缺少鉴权参数")
    for name, code in _NEEDED.items():
        if not auth.get(name):
            raise Refused("200000", code, f"缺少{name}参数")
    account = house.book.account(CHANNEL, str(auth["callerId"]))
    if account is None:
        raise Refused("200001", "INVALID_CALLER_ID", "callerId参数无效")
    version = next(
        (one for one in house.book.versions(CHANNEL, account.account_id) if one.values["auth_id"] == auth["authId"]),
        None,
    )
    if version is None:
        raise Refused("200001", "INVALID_AUTH_ID", "authId参数无效")
    key = version.values["merchant_public_key"]
    header = sign.holds(sign.text_of(auth, "headerSign"), str(auth["headerSign"]), key)
    text = path_of(request) if body is None else sign.text_of(body)
    if not (header and sign.holds(text, str(auth["bodySign"]), key)):
        raise Refused("200002", "INVALID_SIGNATURE", "无效签名")
    return account


_NEEDED = {
    "traceId": "MISSING_TRACER_ID", "headerSign": "MISSING_HEADER_SIGN", "callerId": "MISSING_CALLER_ID",
    "bodySign": "MISSING_BODY_SIGN", "authId": "MISSING_AUTH_ID", "time": "MISSING_TIME",
}  # fmt: skip


def sm2_key(account: Account) -> int:
    """The key that Huawei Pay signs with for this account."""
    return int(account.values["sm2_private"], 16)


def sealed(fields: Mapping[str, Any], key: int) -> Fields:
    """The fields with their signature."""
    kept = {name: value for name, value in fields.items() if value is not None}
    return kept | {"sign": sm2.sign(sign.text_of(kept), key, secrets.randbelow(sm2.N - 1) + 1)}


def _preorder(house: House, account: Account, asked: Fields) -> Fields:
    if asked.get("mercNo") != account.account_id:
        raise no("INVALID_MERCNO", "无效商户号")
    if asked.get("appId") != account.credentials["app_id"]:
        raise no("INVALID_APPID", "appId不匹配")
    amount_minor, order_no, now = asked.get("totalAmount"), asked.get("mercOrderNo"), house.clock.now()
    if (
        not isinstance(amount_minor, int)
        or amount_minor <= 0
        or not isinstance(order_no, str)
        or not 1 <= len(order_no) <= 46
    ):
        raise no("INVALID_ARGUMENTS", "参数不合法")
    if not asked.get("tradeSummary") or not asked.get("callbackUrl") or asked.get("currency", "CNY") != "CNY":
        raise no("INVALID_ARGUMENTS", "参数不合法")
    try:
        until = outcome.read_time(asked["expireTime"]) if "expireTime" in asked else now + timedelta(hours=2)
    except (TypeError, ValueError) as error:
        raise no("INVALID_ARGUMENTS", "expireTime") from error
    prepay_id = "1" + beijing(now, "%y%m%d%H%M%S") + digits(11)
    trade = Trade(
        "1" + beijing(now, "%y%m%d%H%M%S") + digits(11), CHANNEL, account.account_id, order_no, amount_minor,
        str(asked["tradeSummary"]), now, until, "app", notify_url=str(asked["callbackUrl"]), code=prepay_id,
        extra={"payload": str(asked.get("payload", ""))},
    )  # fmt: skip
    _, is_new = house.open(trade)
    if not is_new:
        raise no("CHECK_ORDER_STATUS", "订单状态异常")
    return {"prepayId": prepay_id, "mercOrderNo": order_no}


def _there(house: House, account: Account, order_no: object) -> Trade:
    trade = house.find(CHANNEL, account.account_id, str(order_no))
    if trade is None:
        raise no("MERC_ORDER_NOT_EXIST", "商户订单号不存在")
    return trade


def _query(house: House, account: Account, asked: Fields) -> Fields:
    return order_fields(account, _there(house, account, asked["no"]))


def order_fields(account: Account, trade: Trade) -> Fields:
    """An order as queries and callbacks tell it. That one that waits is TRX_APPLY, and one that was closed TRX_FAILED,
    is an assumption."""
    status = {"paid": "TRX_SUCCESS", "waiting": "TRX_APPLY", "closed": "TRX_FAILED"}[trade.state]
    return {
        "mercNo": account.account_id, "appId": account.credentials["app_id"], "sysTransOrderNo": trade.trade_no,
        "mercOrderNo": trade.out_no, "orderStatus": status, "payload": trade.extra["payload"], "currency": "CNY",
        "totalAmount": trade.amount_minor, "payerAmount": trade.amount_minor, "promotionAmount": 0,
        "finishTime": write_time(trade.paid_at) if trade.paid_at else None,
        "paymentTools": "ACCT" if trade.paid_at else None,
    }  # fmt: skip


def _close(house: House, account: Account, asked: Fields) -> Fields:
    """Closing has no code for an order that is paid: it is answered as done, and changes nothing (an assumption)."""
    house.close(_there(house, account, asked.get("mercOrderNo", "")))
    return {}


def _refund(house: House, account: Account, asked: Fields) -> Fields:
    trade = _there(house, account, asked.get("mercOrderNo", ""))
    number, amount_minor = str(asked.get("mercRefundOrderNo", "")), asked.get("refundAmount", trade.amount_minor)
    if not number or not isinstance(amount_minor, int):
        raise no("INVALID_ARGUMENTS", "参数不合法")
    known = house.book.refund_of(CHANNEL, account.account_id, number, trade.trade_no)
    if known is None:
        _may_refund(house, trade)
    try:
        made = house.refund(
            trade, number, amount_minor, "1" + beijing(house.clock.now(), "%y%m%d%H%M%S") + digits(11),
            notify_url=str(asked.get("callbackUrl", "")), why=str(asked.get("reason", "")),
            extra={"payload": str(asked.get("payload", ""))},
        )  # fmt: skip
    except NoRefund as refused:
        raise no(_NO_REFUND[refused.code]) from refused
    return {
        "mercRefundOrderNo": made.out_refund_no, "sysRefundOrderNo": made.refund_no, "sysTransOrderNo": trade.trade_no,
        "mercOrderNo": trade.out_no, "refundAmount": made.amount_minor, "payerRefundAmount": made.amount_minor,
    }  # fmt: skip


_NO_REFUND = {
    "not_paid": "CHECK_ORDER_STATUS", "too_large": "CHECK_AMOUNT_INVALID", "unfunded": "CHECK_ACCOUNT_BALANCE",
    "conflict": "CHECK_AMOUNT_INVALID", "not_positive": "CHECK_AMOUNT_INVALID",
}  # fmt: skip


def _may_refund(house: House, trade: Trade) -> None:
    """180 days, and a minute between two refunds."""
    now = house.clock.now()
    if trade.paid_at is not None and now - trade.paid_at > REFUND_DAYS:
        raise no("NOT_IN_VALIDITY_PERIOD", "不在有效期内")
    if any(now - refund.created_at < SPACING for refund in house.book.refunds(trade.trade_no)):
        raise no("ORDER_CONCURRENT_ERROR", "订单退款并发错误")


def _query_refund(house: House, account: Account, asked: Fields) -> Fields:
    refund = house.book.refund(str(asked["no"]))
    if refund is None or refund.account_id != account.account_id:
        raise no("PAY_ORDER_NOT_EXIST", "支付订单号不存在")
    return refund_fields(refund)


def refund_fields(refund: Refund) -> Fields:
    """A refund as queries and callbacks tell it."""
    status = {"processing": "REFUND_CHL_PROC", "succeeded": "REFUND_SUCCESS", "failed": "REFUND_FAILED"}[refund.state]
    return {
        "sysRefundOrderNo": refund.refund_no, "mercRefundOrderNo": refund.out_refund_no, "refundOrderStatus": status,
        "finishTime": write_time(refund.finished_at) if refund.finished_at else None, "promotionRefundAmount": 0,
        "refundAmount": refund.amount_minor, "payerRefundAmount": refund.amount_minor, "currency": "CNY",
        "payload": refund.extra["payload"],
    }  # fmt: skip
