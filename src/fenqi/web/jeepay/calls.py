"""The calls of Jeepay's protocol: unified order, query, close, refund, refund query. A call parses, calls one flow and
answers; whose call it is, `door` has found out by the signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.responses import Response

from fenqi import jeepay
from fenqi.flows import jeepay as flow
from fenqi.flows import jeepay_refund
from fenqi.flows.context import Context
from fenqi.flows.jeepay_standing import Standing, of_number, pay_fields, refund_fields, standing
from fenqi.flows.jeepay_way import CASHIER
from fenqi.jeepay import App, PayOrder, PayState, Value
from fenqi.kernel.refusal import Refusal
from fenqi.web.jeepay.answer import done
from fenqi.web.jeepay.asked import Asked, invalid
from fenqi.web.jeepay.pay_data import NONE, PAY_URL, of_address, pay_data


@dataclass(frozen=True, slots=True)
class Call:
    """A request whose signature is the app's."""

    context: Context
    app: App
    mch_no: str
    secret: str
    asked: Asked


async def unified_order(call: Call) -> Response:
    """POST /api/pay/unifiedOrder. A payment that is refused is an answer: `orderState` 3 with the reasons."""
    asked, extra = call.asked, call.asked.extra()
    currency = asked.text("currency", 3, required=True)
    if currency.lower() != "cny":
        raise invalid("currency", "is cny")
    wanted = flow.Asked(
        mch_order_no=_number(asked, "mchOrderNo"),
        way_code=asked.text("wayCode", 20, required=True),
        amount_minor=asked.whole("amount", required=True) or 0,
        currency=currency,
        subject=asked.text("subject", 128, required=True),
        body=asked.text("body", 256, required=True),
        asked_hash=asked.digest,
        client_ip=asked.text("clientIp", 128),
        notify_url=asked.text("notifyUrl", 256),
        return_url=asked.text("returnUrl", 256),
        ext_param=asked.text("extParam", 512),
        payer=_openid(extra),
        expires_s=asked.whole("expiredTime"),
    )
    stands = await flow.unified_order(call.context, call.app, wanted)
    kind, led = _pay_data(call.context, stands, str(extra.get("payDataType", "")))
    data: dict[str, Value] = {
        "payOrderId": stands.order.number,
        "mchOrderNo": stands.order.mch_order_no,
        "orderState": int(stands.state),
        "payDataType": kind,
        "payData": led,
        "errCode": stands.code or None,
        "errMsg": stands.why or None,
    }
    return done(data, call.secret, stands.why or "SUCCESS")


def _number(asked: Asked, name: str) -> str:
    return asked.text(name, jeepay.NUMBER_MOST, required=True)


def _openid(extra: Mapping[str, object]) -> str:
    found = extra.get("openid", extra.get("openId", ""))
    if not isinstance(found, str) or len(found) > 64:
        raise invalid("channelExtra", "names an openid of at most 64 characters")
    return found


def _pay_data(context: Context, stands: Standing, wanted: str) -> tuple[str | None, str | None]:
    """Nothing for a pay order that can't be paid any more."""
    if stands.state in (PayState.FAILED, PayState.CLOSED, PayState.REFUNDED):
        return None, None
    if stands.order.way_code in CASHIER and stands.state is not PayState.SUCCESS:
        return of_address(flow.address(context, stands.order, "cashier"), wanted, PAY_URL)
    return pay_data(stands.handover, stands.method, wanted) if stands.state is PayState.PAYING else NONE


async def query(call: Call) -> Response:
    """POST /api/pay/query."""
    async with call.context.database.snapshot() as tx:
        stands = await standing(tx, await _pay_order(call), call.context.now())
    return done(pay_fields(stands, call.mch_no), call.secret)


async def close(call: Call) -> Response:
    """POST /api/pay/close."""
    await flow.close(call.context, await _pay_order(call))
    return done({}, call.secret)


async def refund_order(call: Call) -> Response:
    """POST /api/refund/refundOrder."""
    asked = call.asked
    if asked.text("currency", 3, required=True).lower() != "cny":
        raise invalid("currency", "is cny")
    wanted = jeepay_refund.Asked(
        mch_refund_no=_number(asked, "mchRefundNo"),
        amount_minor=asked.whole("refundAmount", required=True) or 0,
        why=asked.text("refundReason", 256, required=True),
        asked_hash=asked.digest,
        notify_url=asked.text("notifyUrl", 256),
        ext_param=asked.text("extParam", 512),
    )
    paid = await _pay_order(call)
    found, stands = await jeepay_refund.refund_order(call.context, call.app, paid, wanted)
    whole = refund_fields(found, paid, stands, call.mch_no)
    return done({name: whole[name] for name in _REFUND_ANSWER}, call.secret)


_REFUND_ANSWER = (
    "refundOrderId", "mchRefundNo", "payAmount", "refundAmount", "state", "channelOrderNo", "errCode", "errMsg",
)  # fmt: skip


async def query_refund(call: Call) -> Response:
    """POST /api/refund/query."""
    own, ours = call.asked.text("mchRefundNo", jeepay.NUMBER_MOST), call.asked.text("refundOrderId", 30)
    if not own and not ours:
        raise invalid("mchRefundNo", "or refundOrderId is named")
    own_id = jeepay.refund_id_of(call.app.merchant_id, own)
    refund_id = (jeepay.id_of("R", ours) if ours else None) or own_id
    async with call.context.database.snapshot() as tx:
        found = await jeepay.get_refund(tx, call.app.merchant_id, refund_id)
        paid = await jeepay.get_order(tx, call.app.merchant_id, found.pay_order_id)
    stands = await jeepay_refund.find(call.context, paid, refund_id)
    return done(refund_fields(found, paid, stands, call.mch_no), call.secret)


async def _pay_order(call: Call) -> PayOrder:
    ours, own = call.asked.text("payOrderId", 30), call.asked.text("mchOrderNo", jeepay.NUMBER_MOST)
    if not ours and not own:
        raise Refusal("PARAMETER_INVALID", "payOrderId or mchOrderNo is named", name="mchOrderNo")
    async with call.context.database.snapshot() as tx:
        return await of_number(tx, call.app.merchant_id, ours, own)


CALLS: Mapping[str, Callable[[Call], Awaitable[Response]]] = {
    "/api/pay/unifiedOrder": unified_order,
    "/api/pay/query": query,
    "/api/pay/close": close,
    "/api/refund/refundOrder": refund_order,
    "/api/refund/query": query_refund,
}
