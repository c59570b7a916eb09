"""The form gateway (`gateway.do`): parameters from address and body, verified strictly, answered with a signature.

Pages (page, wap, app) lead the buyer to the wallet; everything else is answered as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from fenqi.channels.alipay.gateway.method import METHODS, perform, verified
from fenqi.channels.alipay.gateway.trade import CHANNEL, PRODUCTS, Values, open_trade
from fenqi.channels.alipay.gateway.words import GATEWAY, MESSAGES, Refused
from fenqi.channels.alipay.sign import request_text, sign
from fenqi.channels.alipay.text import instant
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account
from fenqi.kernel.clock import SystemClock

PAGES = frozenset(method for method, (way, _) in PRODUCTS.items() if way != "qr")
MOST_SKEW = timedelta(hours=24)
"""How far a request's time may be off the machine's: clients in other zones send their own wall clock's."""
_CLOCK = SystemClock()
_NEEDED = ("method", "sign_type", "sign", "timestamp", "version")
_MISSING = {"sign": "isv.missing-signature", "sign_type": "isv.missing-signature-type"}


def params_of(request: Request, body: bytes) -> dict[str, str]:
    """The parameters of the address and of the form in the body; the body's go first. Raises Refused."""
    query = request.scope["query_string"].decode("ascii")
    pairs = parse_qsl(query, keep_blank_values=True)
    if "json" not in request.headers.get("content-type", ""):
        try:
            pairs += parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict")
        except ValueError as error:
            raise Refused("isv.invalid-format") from error
    return dict(pairs)


async def gateway_do(house: House, request: Request) -> Response:
    """Answer one request to gateway.do."""
    body = await request.body()
    account, method, params = None, "", {}
    try:
        params = params_of(request, body)
        method = params.get("method", "")
        account = _account(house, params)
        values = _verified(house, account, params)
        if method in PAGES:
            return _page(house, account, method, values, params)
        answer = perform(house, account, method, values, params)
    except Refused as refused:
        return _page_error(refused) if method in PAGES else _signed(account, method, _error(refused, params))
    return _signed(account, method, {"code": "10000", "msg": GATEWAY["10000"], **answer})


def _account(house: House, params: Mapping[str, str]) -> Account:
    if not params.get("app_id"):
        raise Refused("isv.missing-app-id")
    account = house.book.account(CHANNEL, params["app_id"])
    if account is None:
        raise Refused("isv.invalid-app-id")
    return account


def _verified(house: House, account: Account, params: Mapping[str, str]) -> Values:
    """The business parameters of a request that is sound and by its merchant. Raises Refused."""
    for name in _NEEDED:
        if not params.get(name):
            raise Refused(_MISSING.get(name, f"isv.missing-{name}"))
    if params["method"] not in METHODS and params["method"] not in PAGES:
        raise Refused("isv.invalid-method")
    if params["sign_type"] != "RSA2":
        raise Refused("isv.invalid-signature-type")
    if params["version"] != "1.0" or params.get("format", "JSON").upper() != "JSON":
        raise Refused("isv.invalid-format")
    if params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refused("isv.invalid-charset")
    text = request_text(params)
    if not verified(house, account, text, params["sign"]):
        raise Refused("isv.invalid-signature", f"{MESSAGES['isv.invalid-signature']}，网关生成的验签字符串为：{text}")
    _timely(params["timestamp"])
    return _biz_content(params)


def _timely(timestamp: str) -> None:
    try:
        at = instant(timestamp)
    except ValueError as error:
        raise Refused("isv.invalid-timestamp") from error
    if abs(at - _CLOCK.now()) > MOST_SKEW:
        raise Refused("isv.invalid-timestamp")


def _biz_content(params: Mapping[str, str]) -> Values:
    try:
        values = json.loads(params.get("biz_content") or "{}")
    except ValueError as error:
        raise Refused("isv.invalid-parameter", "biz_content") from error
    if not isinstance(values, dict):
        raise Refused("isv.invalid-parameter", "biz_content")
    return values


def _page(house: House, account: Account, method: str, values: Values, params: Mapping[str, str]) -> Response:
    """Lead the buyer to the wallet."""
    opened: list[str] = []

    def open_it(house: House, account: Account, values: Values, params: Mapping[str, str]) -> dict[str, Any]:
        opened.append(house.wallet_url(open_trade(house, account, method, values, params)))
        return {}

    perform(house, account, method, values, params, open_it)
    return RedirectResponse(opened[0], 302)


def _page_error(refused: Refused) -> Response:
    page = (
        '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>支付宝</title>'
        f"<h1>{escape(refused.message)}</h1><p>错误代码 <code>{escape(refused.sub_code)}</code></p></html>"
    )
    return HTMLResponse(page, 400)


def _error(refused: Refused, params: Mapping[str, str]) -> dict[str, Any]:
    error = {
        "code": refused.code, "msg": GATEWAY.get(refused.code, "Business Failed"), "sub_code": refused.sub_code,
        "sub_msg": refused.message,
    }  # fmt: skip
    if refused.code == "40004" and params.get("method") == "alipay.trade.query":
        error |= dict.fromkeys(("buyer_pay_amount", "invoice_amount", "point_amount", "receipt_amount"), "0.00")
    return error


def _signed(account: Account | None, method: str, answer: Mapping[str, Any]) -> Response:
    """The answer under its method's name. Slashes are escaped as Alipay's gateway does; an app that is not known
    gets no signature, for there is no key that it would know."""
    name = f"{method.replace('.', '_')}_response" if method in METHODS else "error_response"
    inner = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).replace("/", "\\/")
    text = f'{{"{name}":{inner}'
    if account is not None:
        signature = sign(inner, account.values["alipay_private_key"])
        text += f',"sign":"{signature}"'
    return Response(f"{text}}}", media_type="text/html;charset=utf-8")
