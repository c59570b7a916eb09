"""Alipay as a channel: each of our calls as a method of its OpenAPI, and its answers as our few words.

Page, wap and app are signed here and opened by the buyer; everything else is a call from this process.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fenqi.channels.alipay import bill, codes, notice, outcome
from fenqi.channels.alipay.charge import CAPABILITIES, METHODS, biz_content, handover, precheck
from fenqi.channels.alipay.sign import KeyUnusable
from fenqi.channels.alipay.text import yuan_text
from fenqi.channels.alipay.wire import Distrusted, Told, call
from fenqi.channels.contract import (
    Bill,
    BillNotReady,
    Capabilities,
    Charge,
    Declined,
    External,
    Field,
    Handover,
    Incoming,
    Notice,
    Passage,
    Pending,
    RefundFailed,
    RefundPending,
    RefundResult,
    Repayable,
    Reply,
    Result,
    Unknown,
)
from fenqi.channels.http import Http, NoAnswer

QUERY_TRIES = 2
WHY_MOST = 100
NOBODY = "0" * 32
"""A trade number that is never given: what `probe` asks for."""

KEY_UNUSABLE = Declined("KEY_UNUSABLE", "CHANNEL_NOT_CONTRACTED", "", "absent", "passage")


class Alipay:
    """The adapter. `protocol` of the credentials chooses how servers are called: v2 (the default) or v3."""

    name: str = "alipay"
    capabilities: Capabilities = CAPABILITIES
    fields: tuple[Field, ...] = (
        Field("app_id"), Field("seller_id"), Field("app_private_key", secret=True), Field("alipay_public_key"),
        Field("protocol"),
    )  # fmt: skip

    def precheck(self, charge: Charge, passage: Passage) -> tuple[str, ...]:
        """See `External.precheck`."""
        return precheck(charge)

    async def pay(self, http: Http, passage: Passage, charge: Charge) -> Result:
        """The signed handover, without any call; for a QR code the call that makes it (precreate)."""
        try:
            if charge.way != "qr":
                return Pending(handover(passage, charge))
            told = await call(http, passage, METHODS["qr"][0], biz_content(charge), notify_url=charge.notify_url)
        except NoAnswer as error:
            if error.sent:
                return Unknown(str(error))
            return Declined("NO_CONNECTION", "CHANNEL_DOWN", str(error), "absent", "passage")
        except Distrusted as error:
            return Unknown(str(error))
        except KeyUnusable:
            return KEY_UNUSABLE
        return await self._precreated(http, passage, charge, told)

    async def _precreated(self, http: Http, passage: Passage, charge: Charge, told: Told) -> Result:
        """An error may be believed even unsigned: no code was handed out, so nobody can pay."""
        if told.is_unsure:
            return Unknown(f"{told.code}: {told.message}")
        if codes.plain(told.code) in codes.WAITING:
            return Pending()
        if codes.plain(told.code) in codes.ALREADY_PAID:
            return await self.query(http, passage, charge.attempt_no)
        if told.code:
            return codes.decline(told.code, told.message)
        if told.text("out_trade_no") != charge.attempt_no or not told.text("qr_code"):
            return Unknown("the answer has no code for this trade")
        return Pending(Handover("qr", url=told.text("qr_code")))

    async def query(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """alipay.trade.query. Declined as absent is final only after the charge's end: see `outcome.of_query`."""
        told = await self._told(http, passage, "alipay.trade.query", {"out_trade_no": attempt_no}, tries=QUERY_TRIES)
        return told if isinstance(told, Unknown) else outcome.of_query(told, attempt_no)

    async def close(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """alipay.trade.close; when Alipay refuses, the trade's own state is the answer (Paid, mostly).

        Declined as absent: nobody has opened the trade, so there was nothing to close, and whoever holds the handover
        can still open it until the charge's `expires_at`. Closed for good it is only after that.
        """
        told = await self._told(http, passage, "alipay.trade.close", {"out_trade_no": attempt_no})
        if isinstance(told, Unknown):
            return told
        if not told.code:
            return Declined("TRADE_CLOSED", "ORDER_CLOSED", "交易关闭", "closed")
        if not told.is_signed or told.is_unsure:
            return Unknown(f"{told.code}: {told.message}")
        if codes.plain(told.code) == "TRADE_NOT_EXIST":
            return codes.decline(told.code, told.message)
        return await self.query(http, passage, attempt_no)

    async def refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """alipay.trade.refund by `out_request_no`. Accepted is not moved: `fund_change` Y says that this call
        moved it, else the refund itself is asked (N: an earlier call moved it, or it is under way).

        A refusal whose code nobody classified is believed only when Alipay has no such refund.
        """
        content = {
            "out_trade_no": asked.attempt_no, "out_request_no": asked.refund_no,
            "refund_amount": yuan_text(asked.amount_minor), "refund_reason": asked.why[:WHY_MOST],
        }  # fmt: skip
        told = await self._told(http, passage, "alipay.trade.refund", content, tries=QUERY_TRIES)
        if isinstance(told, Unknown):
            return told
        if told.code:
            refused = outcome.of_refund_refusal(told)
            return refused if refused is not None else await self._confirmed(http, passage, asked, told)
        moved = outcome.of_refund(told, asked)
        return moved if moved is not None else await self._accepted(http, passage, asked)

    async def _accepted(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """Accepted, and nothing moved by this call: what the refund itself says; not there yet is pending."""
        found = await self.query_refund(http, passage, asked)
        return RefundPending(asked.channel_no) if isinstance(found, RefundFailed) and found.absent else found

    async def _confirmed(self, http: Http, passage: Passage, asked: Repayable, told: Told) -> RefundResult:
        found = await self.query_refund(http, passage, asked)
        if isinstance(found, RefundFailed) and found.absent:
            return RefundFailed(told.code, "REFUND_REJECTED", told.message)
        return found

    async def query_refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """alipay.trade.fastpay.refund.query."""
        content = {
            "out_trade_no": asked.attempt_no, "out_request_no": asked.refund_no,
            "query_options": ["gmt_refund_pay"],
        }  # fmt: skip
        told = await self._told(http, passage, "alipay.trade.fastpay.refund.query", content, tries=QUERY_TRIES)
        return told if isinstance(told, Unknown) else outcome.of_refund_query(told, asked)

    def read_notice(self, passage: Passage, incoming: Incoming) -> Notice:
        """See `notice.read`."""
        return notice.read(passage, incoming)

    def answer(self, accepted: bool) -> Reply:
        """The seven letters, or anything else to hear it again."""
        return Reply(200, "text/plain; charset=utf-8", b"success" if accepted else b"fail")

    async def download_bill(self, http: Http, passage: Passage, day_on: date) -> bytes:
        """The zip of a day's 业务账单. Ready from 10:00 of the next day; its address lives 30 seconds.

        BillNotReady.empty: Alipay has no bill of that day; before 10:00 that can also mean "not yet".
        """
        content = {"bill_type": "trade", "bill_date": day_on.isoformat()}
        told = await self._told(http, passage, "alipay.data.dataservice.bill.downloadurl.query", content)
        if isinstance(told, Unknown):
            raise BillNotReady(told.why)
        if told.code:
            is_missing = told.is_signed and codes.plain(told.code).upper() == "BILL_NOT_EXIST"
            raise BillNotReady(f"{told.code}: {told.message}", empty=is_missing)
        try:
            file = await http.send("GET", told.text("bill_download_url"), tries=QUERY_TRIES)
        except NoAnswer as error:
            raise BillNotReady(str(error)) from error
        if file.status != 200:
            raise BillNotReady(f"the file's address answered with HTTP {file.status}")
        return file.body

    def parse_bill(self, raw: bytes, day_on: date) -> Bill:
        """See `bill.parse`."""
        return bill.parse(raw, day_on)

    async def probe(self, http: Http, passage: Passage) -> bool:
        """Whether Alipay says, signed, that it has no trade that nobody ever made."""
        told = await self._told(http, passage, "alipay.trade.query", {"out_trade_no": NOBODY})
        return isinstance(told, Told) and told.is_signed and codes.plain(told.code) == "TRADE_NOT_EXIST"

    async def _told(
        self, http: Http, passage: Passage, method: str, content: Mapping[str, Any], tries: int = 1
    ) -> Told | Unknown:
        """A verified answer, or why there is none. `tries` above 1 for what Alipay lets us repeat."""
        try:
            return await call(http, passage, method, content, tries=tries)
        except (NoAnswer, Distrusted, KeyUnusable) as error:
            return Unknown(str(error))


CHANNEL: External = Alipay()
