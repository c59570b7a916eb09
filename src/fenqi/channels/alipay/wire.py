"""One call to Alipay and its verified answer, over the form gateway (v2) or the V3 REST interface.

Whichever it was, the caller gets a `Told`: what Alipay says, proven by its signature on the bytes as they were sent.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from fenqi.channels.alipay import codes
from fenqi.channels.alipay.sign import (
    V3_SCHEME,
    KeyUnusable,
    request_text,
    sign,
    v3_answer_text,
    v3_request_text,
    verify,
)
from fenqi.channels.alipay.text import beijing
from fenqi.channels.contract import Passage
from fenqi.channels.http import Answer, Http
from fenqi.kernel.clock import SystemClock, epoch_ms

_GETS = frozenset({"alipay.data.dataservice.bill.downloadurl.query"})
"""Methods whose V3 address is read, with the parameters in its query."""

_CLOCK = SystemClock()
"""Alipay refuses requests whose time is off, so they carry the machine's, however the mall's clock is steered."""


class Told(msgspec.Struct, frozen=True):
    """A verified answer. `code`: "" when all went well, else the business code where there is one, or the gateway's."""

    code: str
    message: str
    values: Mapping[str, Any]
    is_signed: bool = True
    """False: an error without a signature, which only a call that can't move money may believe."""

    def text(self, name: str) -> str:
        """A value as text; "" when it is not there."""
        value = self.values.get(name)
        return "" if value is None else str(value)

    @property
    def is_unsure(self) -> bool:
        """Whether it says nothing about what happened."""
        return codes.plain(self.code) in codes.UNSURE


class Distrusted(Exception):
    """What came back is not provably Alipay's answer."""


def signed_params(
    passage: Passage, method: str, biz_content: Mapping[str, Any], **common: str
) -> dict[str, str]:  # fmt: skip
    """The parameters of a v2 request with their signature. Empty ones are left out."""
    params = {
        "app_id": passage.credential.values["app_id"],
        "method": method,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": beijing(_CLOCK.now()),
        "version": "1.0",
        "biz_content": msgspec.json.encode(biz_content).decode(),
        **{name: value for name, value in common.items() if value},
    }
    params["sign"] = sign(request_text(params), passage.credential.values["app_private_key"])
    return params


def v2_url(passage: Passage) -> str:
    """The address of the form gateway."""
    return f"{passage.endpoint}/gateway.do"


async def call(
    http: Http, passage: Passage, method: str, biz_content: Mapping[str, Any], *, notify_url: str = "", tries: int = 1
) -> Told:
    """Call a method by the protocol that the passage names. Raises NoAnswer, Distrusted, KeyUnusable."""
    if passage.credential.values.get("protocol") == "v3":
        return await _call_v3(http, passage, method, biz_content, notify_url, tries)
    params = signed_params(passage, method, biz_content, notify_url=notify_url)
    body = urlencode({"biz_content": params.pop("biz_content")}).encode()
    answer = await http.send(
        "POST", f"{v2_url(passage)}?{urlencode(params)}",
        headers={"content-type": "application/x-www-form-urlencoded;charset=utf-8"}, content=body, tries=tries,
    )  # fmt: skip
    return read_v2(passage, method, answer)


def read_v2(passage: Passage, method: str, answer: Answer) -> Told:
    """What a form gateway's answer says, verified on the exact bytes of its inner object. Raises Distrusted."""
    if answer.status != 200:
        raise Distrusted(f"HTTP {answer.status}")
    outer = _members(answer.body)
    raw = outer.get(f"{method.replace('.', '_')}_response") or outer.get("error_response")
    if raw is None or not bytes(raw).startswith(b"{"):
        raise Distrusted("no response object")
    is_signed = "sign" in outer
    if is_signed and not _is_by_alipay(passage, bytes(raw), _json(outer["sign"], str)):
        raise Distrusted("the signature does not verify")
    values = _json(raw, dict[str, Any])
    code = str(values.get("code", ""))
    if code == "10000":
        if not is_signed:
            raise Distrusted("a success without a signature")
        return Told("", "", values)
    said = str(values.get("sub_code") or code)
    return Told(said or "20000", str(values.get("sub_msg") or values.get("msg") or ""), values, is_signed)


async def _call_v3(
    http: Http, passage: Passage, method: str, biz_content: Mapping[str, Any], notify_url: str, tries: int
) -> Told:  # fmt: skip
    path, verb, body = f"/v3/{method.replace('.', '/')}", "POST", b""
    if method in _GETS:
        verb, path = "GET", f"{path}?{urlencode(biz_content)}"
    else:
        body = msgspec.json.encode({**biz_content, **({"notify_url": notify_url} if notify_url else {})})
    headers = {"accept": "application/json", "authorization": v3_authorization(passage, verb, path, body.decode())}
    if body:
        headers["content-type"] = "application/json"
    answer = await http.send(verb, passage.endpoint + path, headers=headers, content=body or None, tries=tries)
    return read_v3(passage, answer)


def v3_authorization(passage: Passage, verb: str, path: str, body: str) -> str:
    """The Authorization header; `path` as the channel's own host sees it, with its query."""
    values = passage.credential.values
    auth = f"app_id={values['app_id']},nonce={secrets.token_hex(16)},timestamp={epoch_ms(_CLOCK.now())}"
    return f"{V3_SCHEME} {auth},sign={sign(v3_request_text(auth, verb, path, body), values['app_private_key'])}"


def read_v3(passage: Passage, answer: Answer) -> Told:
    """What a V3 answer says, verified by its headers. Raises Distrusted."""
    is_signed = "alipay-signature" in answer.headers
    if is_signed:
        text = v3_answer_text(
            answer.headers.get("alipay-timestamp", ""), answer.headers.get("alipay-nonce", ""), answer.body
        )  # fmt: skip
        if not _is_by_alipay(passage, text, answer.headers["alipay-signature"]):
            raise Distrusted("the signature does not verify")
    values = _json(answer.body, dict[str, Any])
    if 200 <= answer.status < 300:
        if not is_signed:
            raise Distrusted("a success without a signature")
        return Told("10003" if answer.status == 202 else "", "", values)
    code = str(values.get("code") or "20000")
    return Told("20000" if answer.status >= 500 else code, str(values.get("message") or code), values, is_signed)


def _is_by_alipay(passage: Passage, text: bytes, signature: str) -> bool:
    """Whether any accepted version's Alipay key made this: an answer may cross a rotation."""
    for credential in passage.accepted or (passage.credential,):
        try:
            if verify(text, signature, credential.values["alipay_public_key"]):
                return True
        except KeyUnusable:
            continue
    return False


def _members(body: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, each as the exact bytes that were sent."""
    members: dict[str, msgspec.Raw] = _json(body, dict[str, msgspec.Raw])
    return members


def _json(raw: bytes | msgspec.Raw, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Distrusted(f"not the JSON it should be: {error}") from error
