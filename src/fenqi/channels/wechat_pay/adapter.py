"""The adapter: payments by JSAPI, H5, native QR and app, asked for, queried and closed over API v3.

Refunds, notices and bills have files of their own; here they are put behind the common contract.
"""

from __future__ import annotations

from datetime import date

import msgspec

from fenqi.channels.contract import (
    Bill,
    Capabilities,
    Charge,
    Declined,
    Field,
    Incoming,
    Notice,
    Paid,
    Passage,
    Pending,
    RefundResult,
    Repayable,
    Reply,
    Result,
    Unknown,
)
from fenqi.channels.http import Http
from fenqi.channels.wechat_pay import bill, codes, notice, order, refund
from fenqi.channels.wechat_pay.call import Line, Said, Untold
from fenqi.channels.wechat_pay.messages import Transaction, trade_result
from fenqi.channels.wechat_pay.trust import Trust
from fenqi.kernel.clock import Clock, SystemClock

_NOBODY = "0" * 32
"""A trade number that no id of ours has: it is what a probe asks for."""


class WechatPay:
    """WeChat Pay. Stateless but for platform certificates that it learned (see `trust`).

    `clock` is for signatures' times, which are the machine's, whatever time the shop plays.
    """

    name = "wechat_pay"
    capabilities = Capabilities(
        ways={"web": "qr", "wap": "wap", "app": "app", "wechat": "jsapi"},
        refunds_most=50, refund_spacing_s=60, refund_within_days=365, refund_days=(0, 3), fee_ppm=6_000,
    )  # fmt: skip
    fields = (
        Field("mchid"),
        Field("appid"),
        Field("serial_no"),
        Field("private_key", secret=True),
        Field("api_v3_key", secret=True),
        Field("public_key_id"),
        Field("public_key"),
        Field("platform_certificates"),
    )
    """Either `public_key_id` with `public_key`, or `platform_certificates` (any number of PEMs; "" learns them)."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._trust = Trust()
        self._line = Line(clock or SystemClock(), self._trust)

    def precheck(self, charge: Charge, passage: Passage) -> tuple[str, ...]:
        """Amount, currency, way, instalments; JSAPI needs the payer's openid."""
        return order.precheck(self.capabilities, charge)

    async def pay(self, http: Http, passage: Passage, charge: Charge) -> Result:
        """Place the order; the buyer pays it elsewhere, so this is Pending at best, unless it was paid before."""
        path, payload = order.placed(passage, charge)
        try:
            said = await self._line.ask(http, passage, "POST", path, payload)
        except Untold as error:
            if error.sent:
                return Unknown(error.why)
            return Declined("NOT_SENT", "CHANNEL_DOWN", error.why, "absent", "passage")
        if said.status == 200:
            return _handed(order.handover(passage, charge, said.body, self._line.clock.now()))
        if said.status >= 500 or said.code in codes.UNTOLD:
            return Unknown(_why(said))
        if said.code in ("ORDER_PAID", "OUT_TRADE_NO_USED"):
            return await self._used(http, passage, charge.attempt_no, said)
        return codes.declined(said.code, said.message)

    async def _used(self, http: Http, passage: Passage, attempt_no: str, said: Said) -> Result:
        """There is an order under this number: what became of that one counts, not what was asked for now."""
        there = await self.query(http, passage, attempt_no)
        if isinstance(there, Pending):
            return Unknown(f"{_why(said)}, and the order that has the number still waits")
        if isinstance(there, Declined):
            found = codes.declined(said.code, said.message)
            return msgspec.structs.replace(found, kind=there.kind) if said.code == "OUT_TRADE_NO_USED" else there
        return there

    async def query(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """By our number. Declined only where the channel says so of this trade; errors leave it Unknown."""
        mchid = passage.credential.values["mchid"]
        target = f"/v3/pay/transactions/out-trade-no/{attempt_no}?mchid={mchid}"
        try:
            said = await self._line.ask(http, passage, "GET", target, tries=2)
        except Untold as error:
            return Unknown(error.why)
        if said.status == 404 and said.code in codes.ABSENT:
            return codes.declined(said.code, said.message)
        if said.status != 200:
            return Unknown(_why(said))
        try:
            told = msgspec.json.decode(said.body, type=Transaction)
        except ValueError as error:
            return Unknown(f"an answer that can't be read: {error}")
        if (told.mchid, told.out_trade_no) != (mchid, attempt_no):
            return Unknown(f"an answer about {told.mchid} {told.out_trade_no}")
        return trade_result(told)

    async def close(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """204 closes it for good; ORDER_PAID is asked after."""
        target = f"/v3/pay/transactions/out-trade-no/{attempt_no}/close"
        try:
            said = await self._line.ask(
                http, passage, "POST", target, {"mchid": passage.credential.values["mchid"]}, tries=2
            )
        except Untold as error:
            return Unknown(error.why)
        if said.status == 204 or said.code == "ORDER_CLOSED":
            return Declined(said.code or "CLOSED", "ORDER_CLOSED", said.message, "closed")
        if said.status == 404 and said.code in codes.ABSENT:
            return codes.declined(said.code, said.message)
        if said.code == "ORDER_PAID":
            there = await self.query(http, passage, attempt_no)
            return there if isinstance(there, Paid | Declined) else Unknown(f"{_why(said)}, but not by query")
        return Unknown(_why(said))

    async def refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """Ask for it. The answer mostly says that it was accepted: RefundPending."""
        return await refund.ask(self._line, http, passage, asked)

    async def query_refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """By our refund number."""
        return await refund.query(self._line, http, passage, asked)

    def read_notice(self, passage: Passage, incoming: Incoming) -> Notice:
        """Prove, open and read a notice; see `notice.read` about its time. Raises NoticeRefused."""
        return notice.read(self._trust, passage, incoming)

    def answer(self, accepted: bool) -> Reply:
        """204 without a body says taken; 500 brings it again up its ladder."""
        return notice.answer(accepted)

    async def download_bill(self, http: Http, passage: Passage, day_on: date) -> bytes:
        """The trade bill (ALL) of a day, uncompressed, its SHA-1 compared. Raises BillNotReady."""
        return await bill.download(self._line, http, passage, f"/v3/bill/tradebill?bill_date={day_on}&bill_type=ALL")

    async def download_fund_flow(self, http: Http, passage: Passage, day_on: date) -> bytes:
        """The fund-flow bill of the basic account of a day, for `fund_flow.parse`. Raises BillNotReady."""
        target = f"/v3/bill/fundflowbill?bill_date={day_on}&account_type=BASIC"
        return await bill.download(self._line, http, passage, target)

    def parse_bill(self, raw: bytes, day_on: date) -> Bill:
        """The trade bill in that file. Raises BillMalformed."""
        return bill.parse(raw, day_on)

    async def learn_certificates(self, http: Http, passage: Passage) -> str:
        """The platform certificates in force, as a value for `platform_certificates`; "" where none can be had.

        They are trusted at once by this process; kept in a new credential version they also outlive it.
        """
        try:
            found = await self._line.learn(http, passage)
        except Untold:
            return ""
        return "\n".join(pem.strip() for _, pem in sorted(found.items())) + "\n"

    async def probe(self, http: Http, passage: Passage) -> bool:
        """Whether it answers a query of nothing; in certificate mode the certificates are learned on the way."""
        if not passage.credential.values.get("public_key_id") and not await self.learn_certificates(http, passage):
            return False
        there = await self.query(http, passage, _NOBODY)
        return isinstance(there, Declined) and there.kind == "absent"


def _handed(made: Pending | None) -> Result:
    return made or Unknown("an order placed without what leads the buyer there")


def _why(said: Said) -> str:
    return f"{said.code}: {said.message}" if said.message else said.code
