"""What a channel is: its capabilities, and the calls that every adapter answers in the same few words.

An external channel's call ends in one of four results: `Paid`, `Declined`, `Pending` or `Unknown`. `Unknown` is said
whenever the channel may have taken the money and did not tell us; nobody may read it as a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from fenqi.channels.http import Http


RefundReason = Literal[
    "REFUND_UNFUNDED",  # our account there holds too little
    "REFUND_TOO_LATE",  # the channel's time for refunds is over
    "REFUND_TOO_LARGE",  # more than is left of the payment
    "REFUND_TOO_MANY",  # the channel's count or pace of refunds
    "REFUND_ACCOUNT_GONE",  # the buyer's account or card takes no money any more
    "REFUND_FROZEN",  # the trade is frozen or under dispute there
    "REFUND_REJECTED",  # anything else, by the channel's own code
]


class Field(msgspec.Struct, frozen=True):
    """One value of a passage's credentials: what it is called, and whether it is a secret."""

    name: str
    secret: bool = False


class Capabilities(msgspec.Struct, frozen=True):
    """What a channel can do. Amounts in fen."""

    ways: Mapping[str, str]
    """Client (web | wap | app | wechat) → way in which its buyer is led there: page | wap | qr | app | jsapi | token.
    A client that is not named can't run the channel."""
    charges_bound: bool = False
    """Whether it charges a card that the buyer has bound with us, without leading them anywhere (way `token`)."""
    currencies: tuple[str, ...] = ("CNY",)
    min_minor: int = 1
    max_minor: int = 10_000_000_000
    partial_refund: bool = True
    refunds_most: int = 50
    """How many refunds one payment may have."""
    refund_spacing_s: int = 0
    """Least time between two refunds of one payment."""
    refund_within_days: int = 365
    refund_days: tuple[int, int] = (0, 3)
    """Working days until the money is usually back, from and to."""
    closes: bool = True
    """Whether an unpaid trade can be closed, so that it can't be paid any more."""
    instalments: tuple[int, ...] = ()
    """Counts of instalments that the channel itself offers (花呗分期)."""
    split: bool = False
    mixed: bool = True
    """Whether it can pay a part beside another method."""
    bill: bool = True
    fee_ppm: int = 6_000
    """What the channel usually keeps of a payment, in millionths."""


class Credential(msgspec.Struct, frozen=True):
    """One version of what identifies us at a channel and it to us; the names are the channel's `fields`."""

    version: int
    values: Mapping[str, str]


class Passage(msgspec.Struct, frozen=True):
    """A way through a channel: an account there, with its address and keys. `passage_id` is its party in the ledger."""

    passage_id: UUID
    code: str
    channel: str
    endpoint: str
    """Base URL of the channel's gateway, without a slash at the end."""
    credential: Credential
    """The version that signs."""
    accepted: tuple[Credential, ...] = ()
    """Every version whose notices still verify, the newest first; `credential` is among them."""


class Charge(msgspec.Struct, frozen=True):
    """What is to be paid at a channel. `attempt_no` is our trade number there: 32 characters of [0-9a-f]."""

    attempt_no: str
    amount_minor: int
    subject: str
    way: str
    made_at: datetime
    expires_at: datetime
    """The channel must not take the money after this instant."""
    notify_url: str
    return_url: str
    currency: str = "CNY"
    instalments: int = 1
    seller_pays_instalments: bool = False
    payer: str | None = None
    """Who pays, in the channel's words (an openid, a card's token); None: whoever opens the handover."""
    client_ip: str = "127.0.0.1"


class Handover(msgspec.Struct, frozen=True):
    """How the buyer is led to the channel."""

    kind: Literal["redirect", "form", "qr", "app"]
    url: str = ""
    """Where a redirect or a form goes; of a qr, the text to be drawn."""
    fields: Mapping[str, str] = {}
    """A form's fields; an app's (or JSAPI's) parameters."""


class Paid(msgspec.Struct, frozen=True, tag="paid"):
    """The channel has the money."""

    channel_no: str
    """The channel's number of the trade."""
    amount_minor: int
    """What the buyer was charged, in fen of `currency`: compare it with the charge."""
    paid_at: datetime
    currency: str = "CNY"
    payer_hint: str = ""
    """The payer as the channel shows it, masked."""
    refunded_minor: int = 0
    """What has been refunded of it so far, where the channel says so."""


class Declined(msgspec.Struct, frozen=True, tag="declined"):
    """The channel does not have the money, and says so: refused, closed, or it has no such trade."""

    code: str
    """The channel's own code."""
    reason: str
    """Our code of the dictionary."""
    message: str = ""
    kind: Literal["refused", "closed", "absent"] = "refused"
    fault: Literal["buyer", "passage", "caller"] = "buyer"
    """Whose matter it is: the buyer's (try another way), the passage's (banned, not contracted: a spare may take
    over), or ours (a bug; an alarm)."""


class Pending(msgspec.Struct, frozen=True, tag="pending"):
    """The channel waits for the buyer, or for somebody behind it."""

    handover: Handover | None = None
    channel_no: str = ""


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """No answer, or none that can be trusted: ask again before believing anything."""

    why: str


Result = Paid | Declined | Pending | Unknown


class Repayable(msgspec.Struct, frozen=True):
    """A refund that is asked for. `refund_no` is our number: the same at each repeat, never for another amount."""

    refund_no: str
    attempt_no: str
    channel_no: str
    amount_minor: int
    paid_minor: int
    """What the payment came to."""
    paid_at: datetime
    why: str
    notify_url: str
    currency: str = "CNY"


class Refunded(msgspec.Struct, frozen=True, tag="refunded"):
    """The money is on its way back to the buyer, and left our account there."""

    channel_no: str
    amount_minor: int
    refunded_at: datetime


class RefundPending(msgspec.Struct, frozen=True, tag="refund_pending"):
    """Accepted, not carried out yet: ask again."""

    channel_no: str = ""


class RefundFailed(msgspec.Struct, frozen=True, tag="refund_failed"):
    """The channel did not and will not carry it out."""

    code: str
    reason: RefundReason
    message: str = ""
    absent: bool = False
    """It has no such refund: asking for it (again) is safe."""
    again: bool = False
    """The same refund may be asked for again later (account not funded, too many calls)."""


RefundResult = Refunded | RefundPending | RefundFailed | Unknown


class Payout(msgspec.Struct, frozen=True):
    """Money that is sent to a card. `payout_no` is our number: 32 characters of [0-9a-f], the same at each repeat."""

    payout_no: str
    amount_minor: int
    payee: str
    """Where it goes, in the channel's words: a card's number or token."""
    made_at: datetime
    why: str
    notify_url: str = ""
    payee_name: str = ""
    """The holder's name, where the channel compares it."""
    currency: str = "CNY"


class Incoming(msgspec.Struct, frozen=True):
    """A request that a channel sent us. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Notice(msgspec.Struct, frozen=True):
    """A notice whose signature was verified. `notice_no` is the channel's id of it, or a digest of its content."""

    notice_no: str
    attempt_no: str
    result: Paid | Declined | Pending | Refunded | RefundFailed | RefundPending
    refund_no: str | None = None
    """Set when it tells of a refund."""


class NoticeRefused(Exception):
    """A notice that is not to be believed. `code`: FORGED | MALFORMED | FOREIGN (another account's)."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(f"{code}: {why}")
        self.code = code
        self.why = why


class Reply(msgspec.Struct, frozen=True):
    """What the channel wants to hear about its notice."""

    status: int
    content_type: str
    body: bytes


class BillLine(msgspec.Struct, frozen=True):
    """One line of a channel's bill; a refund's amount is negative, and so is a fee that the channel kept."""

    kind: Literal["payment", "refund"]
    attempt_no: str
    refund_no: str
    channel_no: str
    amount_minor: int
    fee_minor: int
    at: datetime
    state: str = ""
    """The channel's own word for the line's state, where it has one."""


class Bill(msgspec.Struct, frozen=True):
    """A day's bill of one account, as the file says it. The totals are the file's own."""

    account: str
    day_on: date
    lines: tuple[BillLine, ...]
    payments: int
    paid_minor: int
    refunds: int
    refunded_minor: int
    fee_minor: int


class BillNotReady(Exception):
    """The channel has no bill of that day (yet); a day without trade may have none either: `empty` says so."""

    def __init__(self, why: str, *, empty: bool = False) -> None:
        super().__init__(why)
        self.empty = empty


class BillMalformed(Exception):
    """The file is not the bill that the protocol describes; the message says in which line."""


class PaysOut(Protocol):
    """What a channel can do beside `External` that also sends money to cards. Paid: the card has it."""

    async def pay_out(self, http: Http, passage: Passage, payout: Payout) -> Result:
        """Send it. A repeat with the same number never sends twice."""
        ...

    async def query_payout(self, http: Http, passage: Passage, payout_no: str) -> Result:
        """What became of a payout. Declined of kind `absent`: sending it (again) is safe."""
        ...


class BindsCards(Protocol):
    """What a channel can do beside `External` that keeps cards for us and gives tokens in exchange."""

    async def bind_card(self, http: Http, passage: Passage, bind_no: str, number: str, holder: str) -> str | Declined:
        """The token of a card, to be kept instead of its number and used as a charge's `payer`. Raises CardUnbound
        when no trustworthy answer came; asking again is safe. `bind_no`: 32 characters of [0-9a-f]."""
        ...


class CardUnbound(Exception):
    """It is not known whether the card was bound: nothing was charged, and it may be asked again."""


class External(Protocol):
    """A channel outside: an adapter without state. What can't be told for certain is `Unknown`, never an exception."""

    name: str
    capabilities: Capabilities
    fields: tuple[Field, ...]

    def precheck(self, charge: Charge, passage: Passage) -> tuple[str, ...]:
        """Codes of the dictionary that stand against this charge before any call (amount, currency, way)."""
        ...

    async def pay(self, http: Http, passage: Passage, charge: Charge) -> Result:
        """Open the trade (or charge the payer at once). A repeat with the same number never charges twice."""
        ...

    async def query(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """What became of a trade."""
        ...

    async def close(self, http: Http, passage: Passage, attempt_no: str) -> Result:
        """Make sure that it can't be paid any more: Declined (closed | absent), or Paid when it was too late."""
        ...

    async def refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """Ask for a refund; a repeat with the same number never refunds twice."""
        ...

    async def query_refund(self, http: Http, passage: Passage, asked: Repayable) -> RefundResult:
        """What became of a refund."""
        ...

    def read_notice(self, passage: Passage, incoming: Incoming) -> Notice:
        """Verify with every accepted credential, and parse. Raises NoticeRefused."""
        ...

    def answer(self, accepted: bool) -> Reply:
        """What to answer a notice with: taken, or please again."""
        ...

    async def download_bill(self, http: Http, passage: Passage, day_on: date) -> bytes:
        """The file of a day's trade as the channel gives it. Raises BillNotReady."""
        ...

    def parse_bill(self, raw: bytes, day_on: date) -> Bill:
        """The bill in that file. Raises BillMalformed."""
        ...

    async def probe(self, http: Http, passage: Passage) -> bool:
        """Whether the channel answers and knows us: a query of a trade that is not there."""
        ...
