"""The channel `bank_card`: UnionPay's 全渠道 form protocol, 5.1.0 with RSA, as a channel of the contract.

Page, wap and app payments are made on UnionPay's page; quick pay charges a bound card by its token. UnionPay can't
close an unpaid trade: each lives until its payTimeout, at most 15 minutes, as its own examples advise.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from fenqi.channels.bank_card import asking, bill, codes, notice, outcome
from fenqi.channels.bank_card.asking import Doubt, ask
from fenqi.channels.bank_card.message import moment_of, read_braced, settles_on
from fenqi.channels.contract import (
    Bill,
    Capabilities,
    CardUnbound,
    Charge,
    Declined,
    Field,
    Handover,
    Incoming,
    Notice,
    Paid,
    Passage,
    Payout,
    Pending,
    RefundFailed,
    RefundPending,
    RefundResult,
    Repayable,
    Reply,
    Result,
    Unknown,
)
from fenqi.channels.http import Http
from fenqi.kernel.clock import Clock, SystemClock

LIFE = timedelta(minutes=15)
"""How long a trade can be paid at most, from the instant in its number."""
ELEVEN_MONTHS_DAYS = 334
PROBED = "00000000000070008000000000000000"
"""A number of 1970 that nobody uses."""
FRONT_WAYS = outcome.FRONT_WAYS
WAYS = FRONT_WAYS | {"token"}


class BankCard:
    """UnionPay. `clock` is the machine's: certificates are valid by it. The time of trade is `http.clock`."""

    name = "bank_card"
    capabilities = Capabilities(
        ways={"web": "page", "wap": "wap", "app": "app"},
        charges_bound=True,
        max_minor=999_999_999_999,
        refunds_most=999,
        refund_within_days=ELEVEN_MONTHS_DAYS,
        refund_days=(1, 10),
        closes=False,
        fee_ppm=5_500,
    )
    fields = (
        Field("mer_id"),
        Field("cert_id"),
        Field("private_key", secret=True),
        Field("issuer_cert"),
        Field("signer"),
        Field("encrypt_cert"),
        Field("tr_id"),
    )

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()

    def precheck(self, charge: Charge, passage: Passage) -> tuple[str, ...]:
        """AMOUNT_BELOW_MIN, AMOUNT_ABOVE_MAX, CURRENCY_NOT_SUPPORTED, PLAN_TERM_NOT_OFFERED, CLIENT_UNSUPPORTED,
        NO_INSTRUMENT (token without a card), ORDER_EXPIRED."""
        said = []
        if charge.amount_minor < self.capabilities.min_minor:
            said.append("AMOUNT_BELOW_MIN")
        if charge.amount_minor > self.capabilities.max_minor:
            said.append("AMOUNT_ABOVE_MAX")
        if charge.currency not in self.capabilities.currencies:
            said.append("CURRENCY_NOT_SUPPORTED")
        if charge.instalments != 1:
            said.append("PLAN_TERM_NOT_OFFERED")
        if charge.way not in WAYS:
            said.append("CLIENT_UNSUPPORTED")
        if charge.way == "token" and not asking.is_payable(charge.payer or ""):
            said.append("NO_INSTRUMENT")
        if charge.expires_at <= charge.made_at:
            said.append("ORDER_EXPIRED")
        return tuple(said)

    async def pay(self, http: Http, passage: Passage, charge: Charge) -> Result:
        """A signed form for the buyer's browser (nothing is sent by us), an app's `tn`, or a charge by token."""
        if charge.payer:
            return await self._charge(http, passage, charge)
        until = asking.pay_until(charge, moment_of(charge.attempt_no) + LIFE)
        fields = asking.front_payment(charge, until)
        if charge.way == "app":
            return await self._app(http, passage, fields)
        return Pending(Handover("form", passage.endpoint + asking.FRONT, asking.sealed(passage, fields)))

    async def _app(self, http: Http, passage: Passage, fields: dict[str, str]) -> Result:
        try:
            said = await ask(http, self._clock, passage, asking.APP, fields)
        except Doubt as doubt:
            return _lost(doubt)
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        if code == "00" and said.get("tn"):
            return Pending(Handover("app", fields={"tn": said["tn"]}))
        return _refused(code, message)

    async def _charge(self, http: Http, passage: Passage, charge: Charge) -> Result:
        """00 says "accepted" only, so what became of it is asked at once; a duplicate is asked too."""
        try:
            said = await ask(http, self._clock, passage, asking.BACK, asking.back_payment(charge, passage))
        except Doubt as doubt:
            return _lost(doubt)
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        if code not in codes.DONE | codes.PENDING | {codes.DUPLICATE}:
            return _refused(code, message)
        found = await self.query(http, passage, charge.attempt_no)
        is_told = isinstance(found, Paid | Pending) or (isinstance(found, Declined) and found.kind != "absent")
        return found if is_told else Pending(channel_no=said.get("queryId", ""))

    async def query(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """What became of it. A trade whose form nobody has sent yet is `absent` (34), which says nothing about the
        next minute: `close` knows when it is for good."""
        try:
            said = await ask(http, self._clock, passage, asking.QUERY, asking.query_of(attempt_no), tries=2)
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        if code == codes.ABSENT:
            return codes.declined(code, message, kind="absent")
        if code not in codes.DONE:
            return Unknown(f"the query was refused: {code} {message}")
        told, why = said.get("origRespCode", ""), said.get("origRespMsg", "")
        try:
            return outcome.payment(said, told, why, passage, http.clock.now())
        except ValueError as error:
            return Unknown(str(error))

    async def close(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """UnionPay closes nothing: Declined once it says so itself or the trade's time is over, `Pending` before."""
        found = await self.query(http, passage, attempt_no)
        is_over = http.clock.now() >= moment_of(attempt_no) + LIFE + outcome.GRACE
        if isinstance(found, Declined) and found.kind == "absent" and not is_over:
            return Pending()
        return found

    async def refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """A void where the whole payment is of today's settlement day, else a refund; a void that is refused becomes a
        refund, with the same number: a number that UnionPay has taken is never taken again (12)."""
        if _same_day(asked, http.clock.now()):
            void = await self._give_back(http, passage, asked, "31")
            if not isinstance(void, RefundFailed):
                return void
        return await self._give_back(http, passage, asked, "04")

    async def _give_back(self, http: Http, passage: Passage, asked: Repayable, kind: str) -> RefundResult:
        try:
            fields = asking.give_back(asked, "31" if kind == "31" else "04")
            said = await ask(http, self._clock, passage, asking.BACK, fields)
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        if code == codes.DUPLICATE:
            return await self.query_refund(http, passage, asked)
        if code in codes.DONE | codes.PENDING:
            return RefundPending(said.get("queryId", ""))
        if code in codes.UNSURE:
            return Unknown(f"{code} {message}")
        return codes.refund_failed(code, message)

    async def query_refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """What became of a refund or void, by its own number."""
        try:
            said = await ask(http, self._clock, passage, asking.QUERY, asking.query_of(asked.refund_no), tries=2)
        except Doubt as doubt:
            return Unknown(doubt.why)
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        if code == codes.ABSENT:
            return codes.refund_failed(code, message)
        if code not in codes.DONE:
            return Unknown(f"the query was refused: {code} {message}")
        return outcome.refund(said, said.get("origRespCode", ""), said.get("origRespMsg", ""))

    def read_notice(self, passage: Passage, incoming: Incoming) -> Notice:
        """A back notice (form POST). UnionPay advises to ask once more before money moves on it."""
        return notice.read(passage, incoming, self._clock.now())

    def answer(self, accepted: bool) -> Reply:
        """UnionPay looks at the status: 200 is taken, anything else is told again."""
        return notice.answer(accepted)

    async def download_bill(self, http: Http, passage: Passage, day_on: date) -> bytes:
        """The zip of settlement day `day_on`. Raises BillNotReady."""
        try:
            fields = asking.day_file(day_on.strftime("%m%d"), http.clock.now())
            said = await ask(http, self._clock, passage, asking.FILES, fields, tries=2)
        except Doubt as doubt:
            raise bill.not_ready(doubt.why) from doubt
        return bill.unpack(said)

    def parse_bill(self, raw: bytes, day_on: date) -> Bill:
        """The lines of the ZM file within the zip."""
        return bill.parse(raw, day_on)

    async def probe(self, http: Http, passage: Passage) -> bool:
        """Whether UnionPay answers, takes our signature and knows our number: 34 to a trade of nobody's."""
        try:
            said = await ask(http, self._clock, passage, asking.QUERY, asking.query_of(PROBED))
        except Doubt:
            return False
        return said.get("respCode") == codes.ABSENT

    async def pay_out(self, http: Http, passage: Passage, payout: Payout) -> Result:
        """Money to a card (代付); like a charge, 00 is "accepted" only, so it is asked about at once."""
        try:
            said = await ask(http, self._clock, passage, asking.BACK, asking.payment_out(payout, passage))
        except Doubt as doubt:
            return _lost(doubt)
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        if code not in codes.DONE | codes.PENDING | {codes.DUPLICATE}:
            return _refused(code, message)
        found = await self.query_payout(http, passage, payout.payout_no)
        is_told = isinstance(found, Paid | Pending) or (isinstance(found, Declined) and found.kind != "absent")
        return found if is_told else Pending(channel_no=said.get("queryId", ""))

    async def query_payout(self, http: Http, passage: Passage, payout_no: str) -> Result:
        """What became of a payout: asked as a payment is."""
        return await self.query(http, passage, payout_no)

    async def bind_card(self, http: Http, passage: Passage, bind_no: str, number: str, holder: str) -> str | Declined:
        """The token of a card (开通), as a charge's payer wants it. Raises CardUnbound."""
        try:
            said = await ask(http, self._clock, passage, asking.BACK, asking.opening(bind_no, number, holder, passage))
        except Doubt as doubt:
            raise CardUnbound(doubt.why) from doubt
        code, message = said.get("respCode", ""), said.get("respMsg", "")
        token = read_braced(said.get("tokenPayData", "")).get("token", "")
        if code in codes.DONE and token:
            return asking.TOKEN + token
        if code in codes.DONE | codes.PENDING | codes.UNSURE:
            raise CardUnbound(f"{code} {message}")
        return codes.declined(code, message)


def _lost(doubt: Doubt) -> Result:
    """Nothing was sent, so there is no trade; or it may have been, and nobody knows. Who repeats a `pay` whose outcome
    was Unknown asks `query` first: of an earlier try this says nothing."""
    if not doubt.sent:
        return Declined("", "CHANNEL_DOWN", doubt.why, "absent", "passage")
    return Unknown(doubt.why)


def _refused(code: str, message: str) -> Result:
    if code in codes.UNSURE or not code:
        return Unknown(f"{code} {message}")
    return codes.declined(code, message, kind="closed" if code in codes.LATE else "refused")


def _same_day(asked: Repayable, now: datetime) -> bool:
    return asked.amount_minor == asked.paid_minor and settles_on(asked.paid_at) == settles_on(now)
