"""The door of API v3: who asks, proven strictly, and what is answered, always signed once the asker is known.

An error is {"code", "message"} with its real HTTP status; one before the asker is known (401) can't be signed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account, path_of
from fenqi.channels.wechat_pay.sign import (
    SCHEME,
    answer_text,
    load_public_key,
    read_authorization,
    request_text,
    sign,
    verify,
)
from fenqi.channels.wechat_pay.trust import PUBLIC_KEY, in_window
from fenqi.kernel.clock import SystemClock

CHANNEL = "wechat_pay"
T = TypeVar("T")
_NONCE = re.compile(r"[0-9A-Za-z]{1,32}")
STATUS: Mapping[str, int] = {
    "PARAM_ERROR": 400, "INVALID_REQUEST": 400, "APPID_MCHID_NOT_MATCH": 400, "MCH_NOT_EXISTS": 400,
    "ORDER_CLOSED": 400, "ORDER_PAID": 400, "NO_STATEMENT_EXIST": 400, "STATEMENT_CREATING": 400,
    "RESOURCE_ALREADY_EXISTS": 400, "SIGN_ERROR": 401, "NO_AUTH": 403, "RULE_LIMIT": 403, "OUT_TRADE_NO_USED": 403,
    "ACCOUNT_ERROR": 403, "TRADE_ERROR": 403, "NOT_ENOUGH": 403, "NOTENOUGH": 403, "TRADE_OVERDUE": 403,
    "USER_ACCOUNT_ABNORMAL": 403, "REQUEST_BLOCKED": 403, "ORDER_NOT_EXIST": 404, "RESOURCE_NOT_EXISTS": 404,
    "FREQUENCY_LIMITED": 429, "SYSTEM_ERROR": 500, "BANK_ERROR": 500, "BIZERR_NEED_RETRY": 500,
}  # fmt: skip
"""Every code that this gateway may say, with its HTTP status."""


class Refused(Exception):
    """A call that is answered with an error."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status or STATUS[code]


class Asked(msgspec.Struct):
    """A proven request: whose, and what is in it."""

    account: Account
    by_public_key: bool
    """The merchant verifies by public key, not by platform certificates."""
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def read(self, kind: type[T]) -> T:
        """The body as `kind`. Raises Refused PARAM_ERROR."""
        try:
            return msgspec.json.decode(self.body, type=kind)
        except ValueError as error:
            raise Refused("PARAM_ERROR", f"请求参数不符合格式：{error}") from error

    def of_merchant(self, house: House, mchid: str) -> None:
        """Refuse a body that names another merchant than the header."""
        if mchid != self.account.values["mchid"]:
            if house.book.account(CHANNEL, mchid) is None:
                raise Refused("MCH_NOT_EXISTS", "商户号不存在")
            raise Refused("NO_AUTH", "请求的商户号与签名的商户号不一致")


Answer = tuple[int, Any]
"""Status, and what becomes the JSON body (None: no body)."""
Handler = Callable[[House, Asked], Answer]


def route(house: House, method: str, path: str, operation: str, handler: Handler) -> Route:
    """A signed call at `path`, with the faults that are told in the protocol's words."""

    async def run(request: Request) -> Response:
        body = await request.body()
        try:
            asked = prove(house, request, body)
        except Refused as refused:
            return _unsigned(refused)
        try:
            status, told = _handled(house, operation, handler, asked)
        except Refused as refused:
            status, told = refused.status, {"code": refused.code, "message": refused.message}
        return signed(asked, status, b"" if told is None else msgspec.json.encode(told))

    return Route(path, run, methods=[method])


def _handled(house: House, operation: str, handler: Handler, asked: Asked) -> Answer:
    account = asked.account
    if house.is_banned(account, operation):
        raise Refused("NO_AUTH", "商户号该产品权限已被关闭")
    fault = house.fault(CHANNEL, operation, "error", account_id=account.account_id)
    if fault is None:
        return handler(house, asked)
    if fault.text("when", "before") == "after":
        handler(house, asked)
    code = fault.text("code", "SYSTEM_ERROR")
    raise Refused(code, fault.text("message", "系统错误"), fault.number("status", STATUS.get(code, 400)))


def prove(house: House, request: Request, body: bytes) -> Asked:
    """Check the Authorization header in every part. Raises Refused SIGN_ERROR, which can't be signed.

    The path is signed as the merchant's client sees it: below the endpoint, or with the prefix that the gateway is
    mounted at, since clients differ in what they call the path of a base URL with one.
    """
    pairs = read_authorization(request.headers.get("authorization", ""))
    if pairs is None or set(pairs) != {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}:
        raise Refused("SIGN_ERROR", "Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    if not in_window(pairs["timestamp"], SystemClock().now()) and not in_window(pairs["timestamp"], house.clock.now()):
        raise Refused("SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    if not _NONCE.fullmatch(pairs["nonce_str"]):
        raise Refused("SIGN_ERROR", "Http头Authorization中的nonce_str有误")
    versions = house.book.versions(CHANNEL, pairs["mchid"])
    signer = next((one for one in versions if one.values["serial_no"] == pairs["serial_no"].upper()), None)
    if signer is None:
        raise Refused("SIGN_ERROR", "商户证书序列号有误。请使用签名私钥匹配的证书序列号")
    key, below = load_public_key(signer.values["merchant_public_key"]), path_of(request)
    if not any(
        verify(
            key, request_text(request.method, path, pairs["timestamp"], pairs["nonce_str"], body), pairs["signature"]
        )
        for path in (below, request.scope.get("root_path", "") + below)
    ):
        raise Refused("SIGN_ERROR", "签名错误，验签失败")
    by_public_key = request.headers.get("wechatpay-serial", "").startswith(PUBLIC_KEY)
    return Asked(versions[0], by_public_key, request.path_params, dict(request.query_params), body)


def signed(asked: Asked, status: int, body: bytes) -> Response:
    """An answer with WeChat Pay's signature."""
    headers = signature(asked.account, asked.by_public_key, body)
    headers["request-id"] = secrets.token_hex(16).upper()
    kind = "application/json; charset=utf-8" if body else None
    return Response(body, status, headers, media_type=kind)


def signature(account: Account, by_public_key: bool, body: bytes, private_key: str = "") -> dict[str, str]:
    """The headers that sign a body, by the account's newest public key or platform certificate.

    `private_key`: sign by this one instead, in the name of the other (a forgery).
    """
    values = account.values
    own, serial = (
        (values["platform_key"], values["public_key_id"])
        if by_public_key
        else (values["certificate_key"], values["certificate_serial"])
    )
    timestamp, nonce = str(int(SystemClock().now().timestamp())), secrets.token_hex(16)
    return {
        "wechatpay-timestamp": timestamp,
        "wechatpay-nonce": nonce,
        "wechatpay-serial": serial,
        "wechatpay-signature": sign(private_key or own, answer_text(timestamp, nonce, body)),
        "wechatpay-signature-type": SCHEME,
    }


def _unsigned(refused: Refused) -> Response:
    body = msgspec.json.encode({"code": refused.code, "message": refused.message})
    return Response(body, refused.status, media_type="application/json; charset=utf-8")
