"""The channel `huawei_pay`: Huawei Pay's server interface (Payment Kit, a merchant of its own), as far as it is public.

Orders, queries, closing, refunds and callbacks follow Huawei's published reference. Its bills are not claimed: what
their CSV holds is not published where we could read it. What else was assumed is in docs/reference/huawei_pay.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from fenqi.channels.contract import (
    Bill,
    BillMalformed,
    BillNotReady,
    Capabilities,
    Charge,
    Declined,
    Field,
    Handover,
    Incoming,
    Notice,
    Paid,
    Passage,
    Pending,
    RefundPending,
    RefundResult,
    Repayable,
    Reply,
    Result,
    Unknown,
)
from fenqi.channels.http import Http, NoAnswer
from fenqi.channels.huawei_pay import codes, notice, outcome, sign
from fenqi.kernel.clock import ZONE, Clock, SystemClock, epoch_ms

PREORDER = "/api/v2/aggr/preorder/create/app"
ORDER = "/api/v2/aggr/transactions/merc-orders/"
CLOSE = "/api/v1/aggr/transactions/orders/close"
REFUNDS = "/api/v1/aggr/transactions/refunds"
REFUND = "/api/v1/aggr/transactions/refunds/orders/"
PROBED = "00000000000070008000000000000000"
Fields = dict[str, Any]


class Doubt(Exception):
    """No answer that can be trusted. `sent`: whether the request may have arrived."""

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent


class HuaweiPay:
    """Huawei Pay. `clock` is the machine's: the time of signatures."""

    name = "huawei_pay"
    capabilities = Capabilities(
        ways={"app": "app"}, refund_within_days=180, refund_spacing_s=60, refunds_most=999, bill=False
    )  # fmt: skip
    fields = (
        Field("merc_no"),
        Field("app_id"),
        Field("auth_id"),
        Field("private_key", secret=True),
        Field("huawei_public_key"),
    )

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def precheck(self, charge: Charge, passage: Passage) -> tuple[str, ...]:
        """AMOUNT_BELOW_MIN, AMOUNT_ABOVE_MAX, CURRENCY_NOT_SUPPORTED, PLAN_TERM_NOT_OFFERED, CLIENT_UNSUPPORTED,
        ORDER_EXPIRED."""
        said = []
        if charge.amount_minor < self.capabilities.min_minor:
            said.append("AMOUNT_BELOW_MIN")
        if charge.amount_minor > self.capabilities.max_minor:
            said.append("AMOUNT_ABOVE_MAX")
        if charge.currency not in self.capabilities.currencies:
            said.append("CURRENCY_NOT_SUPPORTED")
        if charge.instalments != 1:
            said.append("PLAN_TERM_NOT_OFFERED")
        if charge.way != "app":
            said.append("CLIENT_UNSUPPORTED")
        if charge.expires_at <= charge.made_at:
            said.append("ORDER_EXPIRED")
        return tuple(said)

    async def pay(self, http: Http, passage: Passage, charge: Charge) -> Result:
        """A pre-order; its `prepayId` becomes the signed orderStr that the app hands to Huawei's checkout."""
        try:
            said = await self._ask(http, passage, "POST", PREORDER, _preorder(charge, passage))
        except Doubt as doubt:
            return _lost(doubt)
        code, message = code_of(said)
        if code == codes.DONE and said.get("prepayId"):
            return Pending(Handover("app", fields=self._order_str(passage, str(said["prepayId"]))))
        if code == "CHECK_ORDER_STATUS":
            found = await self.query(http, passage, charge.attempt_no)
            return found if isinstance(found, Paid) else Pending()
        if code in codes.UNSURE or code == codes.DONE:
            return Unknown(f"{code} {message}")
        return codes.declined(code, message)

    def _order_str(self, passage: Passage, prepay_id: str) -> dict[str, str]:
        values = passage.credential.values
        fields = {
            "app_id": values["app_id"], "merc_no": values["merc_no"], "prepay_id": prepay_id,
            "timestamp": str(epoch_ms(self._clock.now())), "noncestr": secrets.token_hex(16),
            "auth_id": values["auth_id"],
        }  # fmt: skip
        return fields | {"sign": sign.sign(sign.text_of(fields), values["private_key"])}

    async def query(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """What became of it. An order that no buyer has opened yet may be `absent`."""
        try:
            said = await self._ask(http, passage, "GET", ORDER + attempt_no, tries=2)
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = code_of(said)
        if code in codes.ABSENT:
            return codes.declined(code, message, "absent")
        if code != codes.DONE:
            return Unknown(f"the query was refused: {code} {message}")
        if said.get("mercOrderNo") != attempt_no:
            return Unknown("the answer is about another order")
        return outcome.payment(said)

    async def close(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """Close, and ask what the order is then: closing has no answer of its own for one that is paid."""
        try:
            said = await self._ask(http, passage, "POST", CLOSE, {"mercOrderNo": attempt_no})
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = code_of(said)
        if code in codes.ABSENT:
            return codes.declined(code, message, "absent")
        if code == codes.BUSINESS or code in codes.UNSURE:
            return Unknown(f"{code} {message}")
        found = await self.query(http, passage, attempt_no)
        if code == codes.DONE and isinstance(found, Declined):
            return Declined(found.code, "ORDER_CLOSED", message, "closed")
        if isinstance(found, Paid):
            return found
        return Unknown(f"closing was answered with {code} {message}")

    async def refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """Ask for it; the same number refunds once ("相同的退款订单号多次请求只退一笔")."""
        try:
            said = await self._ask(http, passage, "POST", REFUNDS, _refund(asked))
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = code_of(said)
        if code in codes.UNSURE:
            return Unknown(f"{code} {message}")
        if code != codes.DONE:
            return codes.refund_failed(code, message)
        if said.get("mercRefundOrderNo") != asked.refund_no:
            return Unknown("the answer is about another refund")
        return RefundPending(str(said.get("sysRefundOrderNo", "")))

    async def query_refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """Ask for it once more, which refunds nothing twice and tells its number there, and then what it came to: the
        query that takes our number is not documented where we could read it. So it never is `absent`."""
        again = await self.refund(http, passage, asked)
        if not isinstance(again, RefundPending):
            return again
        try:
            said = await self._ask(http, passage, "GET", REFUND + again.channel_no, tries=2)
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = code_of(said)
        if code != codes.DONE:
            return Unknown(f"the query was refused: {code} {message}")
        return outcome.refund(said)

    def read_notice(self, passage: Passage, incoming: Incoming) -> Notice:
        """A callback (JSON, signed with SM2), to be answered within 3 seconds."""
        return notice.read(passage, incoming)

    def answer(self, accepted: bool) -> Reply:
        """000000 in JSON; anything else brings it again."""
        return notice.answer(accepted)

    async def download_bill(self, http: Http, passage: Passage, day_on: date) -> bytes:
        """Not claimed. Raises BillNotReady."""
        raise BillNotReady("bills of Huawei Pay are not read")

    def parse_bill(self, raw: bytes, day_on: date) -> Bill:
        """Not claimed. Raises BillMalformed."""
        raise BillMalformed("bills of Huawei Pay are not read")

    async def probe(self, http: Http, passage: Passage) -> bool:
        """Whether Huawei Pay answers and knows us: an order of nobody's does not exist."""
        return isinstance(await self.query(http, passage, PROBED), Declined)

    async def _ask(
        self, http: Http, passage: Passage, method: str, path: str, fields: Fields | None = None, tries: int = 1
    ) -> Fields:
        """The proven answer. Raises Doubt."""
        headers = {
            "content-type": "application/json; charset=UTF-8",
            "PayMercAuth": authorization(passage, path if fields is None else sign.text_of(fields), self._clock.now()),
        }
        content = None if fields is None else msgspec.json.encode(fields)
        try:
            got = await http.send(method, passage.endpoint + path, headers=headers, content=content, tries=tries)
        except NoAnswer as error:
            raise Doubt(str(error), sent=error.sent) from error
        if got.status != 200:
            raise Doubt(f"HTTP {got.status}")
        return proven(passage, got.body)


def proven(passage: Passage, body: bytes) -> Fields:
    """The fields of an answer that Huawei Pay signed. One that is refused at its door (no 000000, no 400000) may be
    without a signature: it moves no money. Raises Doubt."""
    try:
        said = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise Doubt("the answer is no JSON") from error
    if "sign" not in said and said.get("resultCode") not in (codes.DONE, codes.BUSINESS):
        return said
    accepted = passage.accepted or (passage.credential,)
    if not any(sign.is_huaweis(said, credential.values["huawei_public_key"]) for credential in accepted):
        raise Doubt("the answer is not signed by Huawei Pay")
    return said


def authorization(passage: Passage, body_text: str, now: datetime) -> str:
    """PayMercAuth: who calls, when, and both signatures. `body_text`: the body's sorted text, or a GET's path."""
    values = passage.credential.values
    fields: Fields = {
        "callerId": values["merc_no"], "traceId": secrets.token_hex(16), "time": epoch_ms(now),
        "authId": values["auth_id"], "bodySign": sign.sign(body_text, values["private_key"]),
    }  # fmt: skip
    fields["headerSign"] = sign.sign(sign.text_of(fields, "headerSign"), values["private_key"])
    return msgspec.json.encode(fields).decode()


def code_of(said: Mapping[str, Any]) -> tuple[str, str]:
    """The code that decides (of 400000 the subCode), and its words."""
    result = str(said.get("resultCode", ""))
    if result == codes.BUSINESS and said.get("subCode"):
        return str(said["subCode"]), str(said.get("subDesc", ""))
    return result, str(said.get("subDesc") or said.get("resultDesc", ""))


def _preorder(charge: Charge, passage: Passage) -> Fields:
    values = passage.credential.values
    return {
        "appId": values["app_id"], "mercNo": values["merc_no"], "mercOrderNo": charge.attempt_no,
        "tradeSummary": charge.subject[:128], "totalAmount": charge.amount_minor, "currency": charge.currency,
        "callbackUrl": charge.notify_url, "payload": charge.attempt_no, "expireTime": write_time(charge.expires_at),
    }  # fmt: skip


def _refund(asked: Repayable) -> Fields:
    return {
        "mercOrderNo": asked.attempt_no, "mercRefundOrderNo": asked.refund_no, "reason": asked.why[:256],
        "callbackUrl": asked.notify_url, "refundAmount": asked.amount_minor, "payload": asked.attempt_no,
    }  # fmt: skip


def write_time(at: datetime) -> str:
    """yyyy-MM-dd'T'HH:mm:ss.SSSZ, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"


def write_local_time(at: datetime) -> str:
    """yyyy-MM-dd HH:mm:ss on Beijing's clock."""
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def _lost(doubt: Doubt) -> Result:
    if not doubt.sent:
        return Declined("", "CHANNEL_DOWN", doubt.why, "absent", "passage")
    return Unknown(doubt.why)
