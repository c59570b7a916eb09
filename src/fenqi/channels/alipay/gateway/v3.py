"""The V3 REST interface: one address a method, the signature in headers, errors by HTTP status.

The signed path is the channel's own, without the mount's prefix; a client that takes the prefix for a part of it, as
the npm client does with a query, is understood too.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from fenqi.channels.alipay.codes import UNSURE, plain
from fenqi.channels.alipay.gateway.method import METHODS, perform, verified
from fenqi.channels.alipay.gateway.trade import CHANNEL, Values
from fenqi.channels.alipay.gateway.words import Refused
from fenqi.channels.alipay.sign import V3_SCHEME, sign, v3_answer_text, v3_request_text
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account, path_of
from fenqi.kernel.clock import SystemClock, epoch_ms

GETS = frozenset({"alipay.data.dataservice.bill.downloadurl.query"})
MOST_SKEW = timedelta(minutes=10)
_CLOCK = SystemClock()
_STATUSES = {"isv.invalid-signature": 401, "isv.invalid-app-id": 401, "isv.insufficient-isv-permissions": 403}


def method_of(request: Request) -> str:
    """The method that an address names: /v3/alipay/trade/query → alipay.trade.query."""
    return path_of(request).partition("?")[0].removeprefix("/v3/").replace("/", ".")


def auth_of(request: Request) -> dict[str, str]:
    """The Authorization header's parts; "" of a part that is not there. `text` is what the signature stands over."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    text, _, signature = rest.partition(",sign=")
    parts = dict(part.partition("=")[::2] for part in text.split(","))
    names = ("app_id", "nonce", "timestamp")
    return {"scheme": scheme, "text": text, "sign": signature, **{name: parts.get(name, "") for name in names}}


async def v3(house: House, request: Request) -> Response:
    """Answer one V3 request."""
    body = await request.body()
    account = None
    try:
        auth = auth_of(request)
        account = house.book.account(CHANNEL, auth["app_id"])
        if account is None:
            raise Refused("isv.invalid-app-id")
        _check(house, account, request, auth, body)
        method = method_of(request)
        if method not in METHODS or (request.method == "GET") != (method in GETS):
            raise Refused("isv.invalid-method")
        values = _values(request, body)
        answer = perform(house, account, method, values, {"notify_url": str(values.get("notify_url", ""))})
    except Refused as refused:
        return _signed(account, _status(refused), _error(refused))
    return _signed(account, 200, answer)


def _check(house: House, account: Account, request: Request, auth: Mapping[str, str], body: bytes) -> None:
    """Signature and time. Raises Refused."""
    if auth["scheme"] != V3_SCHEME or not auth["sign"] or not auth["nonce"]:
        raise Refused("isv.missing-signature")
    path, token = path_of(request), request.headers.get("alipay-app-auth-token", "")
    mounted = request.scope.get("root_path", "") + path
    try:
        texts = [v3_request_text(auth["text"], request.method, one, body.decode(), token) for one in (path, mounted)]
        at = datetime.fromtimestamp(int(auth["timestamp"]) / 1000, UTC)
    except (ValueError, OverflowError) as error:
        raise Refused("isv.invalid-timestamp") from error
    if not any(verified(house, account, text, auth["sign"]) for text in texts):
        raise Refused("isv.invalid-signature")
    if abs(at - _CLOCK.now()) > MOST_SKEW:
        raise Refused("isv.invalid-timestamp")


def _values(request: Request, body: bytes) -> Values:
    if request.method == "GET":
        return dict(request.query_params)
    try:
        values = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused("isv.invalid-format") from error
    if not isinstance(values, dict):
        raise Refused("isv.invalid-format")
    return values


def _status(refused: Refused) -> int:
    usual = 500 if plain(refused.sub_code) in UNSURE else 400
    return refused.status or _STATUSES.get(refused.sub_code, usual)


def _error(refused: Refused) -> dict[str, Any]:
    return {"code": plain(refused.sub_code), "message": refused.message, "details": [], "links": []}


def _signed(account: Account | None, status: int, answer: Mapping[str, Any]) -> Response:
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"alipay-trace-id": secrets.token_hex(16)}
    if account is not None:
        timestamp, nonce = str(epoch_ms(_CLOCK.now())), secrets.token_hex(16)
        signature = sign(v3_answer_text(timestamp, nonce, body), account.values["alipay_private_key"])
        headers |= {"alipay-timestamp": timestamp, "alipay-nonce": nonce, "alipay-signature": signature}
    return Response(body, status, headers, media_type="application/json")
