"""Answers by Jeepay's protocol: `code`, `msg`, `data` and its `sign`; HTTP's own status is always 200.

A refusal says what is the matter where the protocol's own server says 9999: a code of the protocol for the kind, our
code in `errCode`, a sentence in `msg` and `errMsg`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from fenqi import jeepay, texts
from fenqi.jeepay import Value
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.texts import Locale

SUCCESS = 0
ASK_AGAIN = 10
"""The protocol's "system error": nothing is decided, the same request may be sent again."""
PARAMETER = 11
NO_SUCH_RECORD = 5003
NOT_PERMITTED = 5004
NOT_POSSIBLE = 9999

_CALLER = frozenset({"APP_UNKNOWN", "SIGN_INVALID"})
_JSON = msgspec.json.Encoder()


def done(data: Mapping[str, Value], secret: str, msg: str = "SUCCESS") -> Response:
    """What was asked for, signed; values that are None are left out."""
    return _answer(SUCCESS, msg, data, secret)


def refused(no: Refusal, secret: str | None) -> Response:
    """A refusal; signed as soon as it is known for whom."""
    said = words(no)
    return _answer(code_of(no), said, {"errCode": no.code, "errMsg": said}, secret)


def code_of(no: Refusal) -> int:
    """The protocol's code for the kind of a refusal."""
    if no.code in _CALLER:
        return NOT_PERMITTED
    if "retry_after_s" in no.extra:
        return ASK_AGAIN
    if isinstance(no, NotFound):
        return NO_SUCH_RECORD
    return NOT_POSSIBLE if isinstance(no, Conflict) else PARAMETER


def words(no: Refusal) -> str:
    """A refusal in a sentence, in the protocol's language."""
    key = f"jeepay.{no.code.lower()}"
    if texts.has(key, Locale.ZH_CN):
        return texts.t(key, Locale.ZH_CN, **no.extra)
    return texts.refusal(no.code, Locale.ZH_CN, no.extra)[1]


def _answer(code: int, msg: str, data: Mapping[str, Value], secret: str | None) -> Response:
    said = {name: value for name, value in data.items() if value is not None}
    body: dict[str, object] = {"code": code, "msg": msg, "data": said}
    if secret is not None:
        body["sign"] = jeepay.sign(said, secret)
    return Response(_JSON.encode(body), media_type="application/json", headers={"cache-control": "no-store"})
