"""One signed call to WeChat Pay, and its answer once that is proven to be WeChat Pay's.

Everything that leaves us without a proven answer is `Untold`. The channel signs every answer to a request whose own
signature was right, so an unsigned one counts only where it could not (401) or stopped at the door (429, 5xx).
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from fenqi.channels.contract import Passage
from fenqi.channels.http import Answer, Http, NoAnswer
from fenqi.channels.wechat_pay import trust
from fenqi.channels.wechat_pay.sign import authorization
from fenqi.kernel.clock import Clock

CERTIFICATES = "/v3/certificates"


class Untold(Exception):
    """Nothing is known of what became of the call. `sent`: whether it may have reached the channel."""

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent


class Said(msgspec.Struct, frozen=True):
    """A proven answer; `code` is empty where it is no error."""

    status: int
    body: bytes
    code: str = ""
    message: str = ""


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Certificates(msgspec.Struct):
    data: list[trust.ListedCertificate]


class Line:
    """Calls with their signatures and proofs. `clock` is the machine's: it is the time of signatures, not of trade."""

    def __init__(self, clock: Clock, trusted: trust.Trust) -> None:
        self.clock = clock
        self.trust = trusted

    async def ask(
        self, http: Http, passage: Passage, method: str, target: str, payload: dict[str, Any] | None = None,
        tries: int = 1,
    ) -> Said:  # fmt: skip
        """Call `target` (path with query below the endpoint) and prove the answer. Raises Untold."""
        answer = await self.send(http, passage, method, target, payload, tries)
        await self._prove(http, passage, answer)
        return _said(answer)

    async def send(
        self, http: Http, passage: Passage, method: str, target: str, payload: dict[str, Any] | None = None,
        tries: int = 1,
    ) -> Answer:  # fmt: skip
        """Call, and take the answer as it comes. Raises Untold."""
        body = b"" if payload is None else msgspec.json.encode(payload)
        try:
            headers = self._headers(passage, method, target, body)
        except (KeyError, ValueError) as error:
            raise Untold(f"the credentials can't sign: {error}", sent=False) from error
        try:
            return await http.send(method, passage.endpoint + target, headers=headers, content=body, tries=tries)
        except NoAnswer as error:
            raise Untold(str(error), sent=error.sent) from error

    def _headers(self, passage: Passage, method: str, target: str, body: bytes) -> dict[str, str]:
        values, now_s = passage.credential.values, str(int(self.clock.now().timestamp()))
        headers = {
            "authorization": authorization(values, (method, target, body), now_s, secrets.token_hex(16)),
            "accept": "application/json",
            "content-type": "application/json",
        }
        if values.get("public_key_id"):
            headers["wechatpay-serial"] = values["public_key_id"]
        return headers

    async def _prove(self, http: Http, passage: Passage, answer: Answer) -> None:
        stamp = trust.stamp(answer.headers)
        if stamp is None:
            if answer.status in (401, 429) or answer.status >= 500:
                return
            raise Untold(f"an answer without signature, status {answer.status}")
        if not trust.in_window(stamp.timestamp, self.clock.now()):
            raise Untold(f"an answer of another time: {stamp.timestamp}")
        held = self._holds(passage, stamp, answer)
        if held is None and not stamp.serial.startswith(trust.PUBLIC_KEY):
            await self.learn(http, passage)
            held = self._holds(passage, stamp, answer)
        if not held:
            why = "is not WeChat Pay's" if held is False else f"is by {stamp.serial}, which is not known here"
            raise Untold(f"the answer's signature {why}")

    def _holds(self, passage: Passage, stamp: trust.Stamp, answer: Answer) -> bool | None:
        try:
            return self.trust.holds(trust.credentials(passage), stamp, answer.body)
        except (KeyError, ValueError) as error:
            raise Untold(f"the credentials can't prove an answer: {error}") from error

    async def learn(self, http: Http, passage: Passage) -> dict[str, str]:
        """Fetch the platform certificates (PEM by serial) and trust them from now on. Raises Untold.

        They are sealed with the API v3 key, which only the merchant and WeChat Pay have; besides, the list must be
        signed by one that is in it or was known before.
        """
        answer = await self.send(http, passage, "GET", CERTIFICATES, tries=2)
        stamp = trust.stamp(answer.headers)
        if answer.status != 200 or stamp is None:
            raise Untold(f"no platform certificates: status {answer.status}")
        values = passage.credential.values
        try:
            listed = msgspec.json.decode(answer.body, type=_Certificates).data
            found = trust.opened(values["api_v3_key"], listed, self.clock.now())
        except ValueError as error:
            raise Untold(f"platform certificates that can't be read: {error}") from error
        proof = trust.Trust()
        proof.learn(values["mchid"], found)
        if not any(one.holds(trust.credentials(passage), stamp, answer.body) for one in (proof, self.trust)):
            raise Untold("the list of platform certificates is signed by nobody known")
        self.trust.learn(values["mchid"], found)
        return found


def _said(answer: Answer) -> Said:
    if 200 <= answer.status < 300:
        return Said(answer.status, answer.body)
    try:
        error = msgspec.json.decode(answer.body, type=_Error)
    except ValueError:
        error = _Error()
    return Said(answer.status, answer.body, error.code or f"HTTP_{answer.status}", error.message)
