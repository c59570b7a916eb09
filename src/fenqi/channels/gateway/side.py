"""A channel's protocol side: what a folder of channels must bring so that the common house can play that channel.

The records here (Account, Trade, Refund, …) are what the house keeps for every channel; what only one protocol needs
goes into their `values` and `extra`. How a side plugs in:

1. `channels/<name>/gateway.py` (or `gateway/__init__.py`) exports `SIDE`, an object of a class that fits `Side`.
   `gateway.shelf()` finds it; nothing has to be registered.
2. `routes(house)` are mounted under `/<channel>`: the endpoint of a passage is `house.endpoint(channel)`, that is
   `base_url + "/<channel>"`. Protocols that sign the path sign it without that prefix: `path_of(request)`.
3. Before a route runs, the house asks `called(request, body)` which operation it is, and applies the faults that
   need no protocol (down, slow, timeout_before, timeout_after). `None`: faults don't touch the request. Use these
   words: pay, query, close, refund, query_refund, bill, and any of your own (`cancel`, `certificates`, `bill.file`).
4. A handler verifies the request strictly, finds its account (`house.book.account`; older keys of a rotated account:
   `house.book.versions`), and asks `house.fault(channel, operation, "error", account_id=…)`: its `params` hold `code`,
   `sub_code`, `message`, `status` to be told in the protocol's own form, signed as any answer.
   `house.is_banned(account, operation)` says whether the merchant is to be told that it may not.
5. Then it uses the house's verbs, which hold the races and the remaining faults: `house.open`, `house.find`,
   `house.pay`, `house.close` (answers with the trade as it is then: perhaps paid, the fault close_says_paid pays it
   first), `house.refund` (fault refund_fails_later: the state stays "processing" and ends as "failed").
   States are the house's few words; the side translates them into the protocol's.
6. Notices: the house calls `payment_notice` and `refund_notice` at each try, so signatures and times are fresh, with
   the account's keys, the trade and the refund as they were when the notice was made. `telling.notice_no` stays the
   same over all tries and copies. `telling.is_forged`: sign with a key of nobody (`house.strange_key`), or spoil the
   signature where it is no key's. `telling.amount_minor`: tell this amount instead, properly signed.
7. The wallet's page is common; the side says its looks (`wallet`), its declines, its instalment choices, and the way
   back to the shop (`return_url`, signed where the protocol signs it; a `Form` where it is posted).
8. Bills: `house.bill_rows(account, day_on)` gives the day's rows with the planted differences in them; the side only
   writes the file, in `bill(house, account, day_on, rows)`, and serves it in its routes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec
from starlette.requests import Request
from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from fenqi.channels.gateway.house import House

State = Literal["waiting", "paid", "closed"]
RefundState = Literal["processing", "succeeded", "failed"]


class Account(msgspec.Struct, frozen=True):
    """A merchant's account at the channel, with the keys of one version of it."""

    channel: str
    account_id: str
    """The channel's own: a pid or app_id, a mchid, a merId."""
    code: str
    """The passage's code on our side."""
    values: Mapping[str, str]
    """All that the gateway must know: the merchant's public key, its own private key, app_id, API v3 key …
    `name`, where it is there, is the payee's on the wallet's page."""
    credentials: Mapping[str, str] = {}
    """What the merchant was given: the values of the adapter's `fields`."""
    version: int = 1
    state: Literal["active", "banned"] = "active"
    balance_minor: int = 0
    """What refunds are paid from."""


class Trade(msgspec.Struct, frozen=True):
    """A trade at the channel; what is refunded of it stands in its refunds."""

    trade_no: str
    """In the channel's own format; unique over all channels."""
    channel: str
    account_id: str
    out_no: str
    """The merchant's number: our attempt_no."""
    amount_minor: int
    subject: str
    created_at: datetime
    expires_at: datetime
    way: str = ""
    """page | wap | qr | app | jsapi | token, or the channel's word."""
    currency: str = "CNY"
    state: State = "waiting"
    instalments: int = 1
    payer: str = ""
    notify_url: str = ""
    return_url: str = ""
    code: str = ""
    """What a QR code leads by: `/<channel>/q/<code>` opens the wallet. Unique where it is not empty."""
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    fee_minor: int = 0
    """What the channel keeps of it."""
    declined: str = ""
    """The code of the last decline, while it waits or when that closed it."""
    extra: Mapping[str, str] = {}


class Refund(msgspec.Struct, frozen=True):
    """A refund of a trade, as asked for by the merchant's own number."""

    refund_no: str
    """In the channel's own format; unique over all channels."""
    channel: str
    account_id: str
    out_refund_no: str
    trade_no: str
    amount_minor: int
    created_at: datetime
    state: RefundState = "processing"
    fails: bool = False
    """It will end as failed."""
    why: str = ""
    notify_url: str = ""
    fee_minor: int = 0
    """What the channel gives back of its fee."""
    due_at: datetime | None = None
    finished_at: datetime | None = None
    extra: Mapping[str, str] = {}


class Telling(msgspec.Struct, frozen=True):
    """One notice as it is to be told now."""

    notice_no: str
    """32 hex digits, the same at every try and copy; another for each notice."""
    made_at: datetime
    try_no: int = 1
    is_forged: bool = False
    amount_minor: int | None = None
    """Tell this amount instead of the true one."""


class Outgoing(msgspec.Struct, frozen=True):
    """A POST to the merchant."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Called(msgspec.Struct, frozen=True):
    """Which operation a request calls; the account where it can be told without verifying anything."""

    operation: str
    account_id: str = ""


class Decline(msgspec.Struct, frozen=True):
    """What a wallet or bank may answer its buyer with, by the channel's own code."""

    code: str
    zh: str
    en: str


class Instalment(msgspec.Struct, frozen=True):
    """A count of instalments that the buyer may choose; `fee_minor` is the buyer's in all (0: the seller pays)."""

    count: int
    fee_minor: int = 0


class Wallet(msgspec.Struct, frozen=True):
    """How the wallet's page looks. Colours are CSS ones; `ink` is written on `colour`."""

    zh: str
    en: str
    colour: str
    ink: str = "#ffffff"
    accent: str = ""
    """A second colour, of lines and marks."""


class Form(msgspec.Struct, frozen=True):
    """A way back that is posted by the buyer's browser."""

    url: str
    fields: Mapping[str, str]


class Row(msgspec.Struct, frozen=True):
    """One row of a day's bill. Signs as in `contract.BillLine`: refunds are negative, so is a fee that was kept."""

    kind: Literal["payment", "refund"]
    trade: Trade
    refund: Refund | None
    amount_minor: int
    fee_minor: int
    at: datetime


class Side(Protocol):
    """A protocol's side of the gateway. No state of its own: everything is in the house's book."""

    channel: str
    ladder_s: tuple[int, ...]
    """The real waits between the tries of a notice, in seconds; the first try is at once."""
    fee_ppm: int
    """What the channel keeps, in millionths of the amount."""
    refund_takes_s: int
    """How long a refund really takes until it is done; 0: it is done when it is answered."""
    wallet: Wallet
    declines: tuple[Decline, ...]

    def routes(self, house: House) -> Sequence[BaseRoute]:
        """The protocol's own addresses, mounted under /<channel>."""
        ...

    def called(self, request: Request, body: bytes) -> Called | None:
        """The operation that a request calls, unverified; None where faults have nothing to do."""
        ...

    def enrol(self, house: House, code: str) -> Account:
        """A new account with all keys of both sides; `credentials` are the values of the adapter's fields. The house
        keeps it, and doesn't ask again for a code that it knows."""
        ...

    def rotate(self, house: House, account: Account) -> Account:
        """The account with new keys or certificates in `values` and `credentials`; the house numbers the version."""
        ...

    def payment_notice(
        self, house: House, account: Account, trade: Trade, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        """The notice of a trade's state; None where the channel sends none of it."""
        ...

    def refund_notice(
        self, house: House, account: Account, trade: Trade, refund: Refund, telling: Telling
    ) -> Outgoing | None:  # fmt: skip
        """The notice of a refund's state; None where the channel sends none of it."""
        ...

    def heard(self, status: int, body: bytes) -> bool:
        """Whether the receiver has said that it took the notice."""
        ...

    def bill(self, house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
        """The day's file in the channel's real format."""
        ...

    def instalments(self, house: House, trade: Trade) -> tuple[Instalment, ...]:
        """What the buyer may choose in the wallet beside paying at once; () for nothing."""
        ...

    def decline(self, house: House, account: Account, trade: Trade, code: str) -> Trade:
        """The trade after the wallet or bank refused the buyer: mostly as it was, some protocols close it."""
        ...

    def return_url(self, house: House, account: Account, trade: Trade) -> str | Form:
        """Where the buyer goes back to; "" when the merchant gave no such address."""
        ...


def path_of(request: Request) -> str:
    """The path with its query as the channel's own host would see it: without the mount's prefix, not decoded."""
    scope = request.scope
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    path = raw.partition(b"?")[0].decode("ascii").removeprefix(scope.get("root_path", ""))
    query = scope["query_string"].decode("ascii")
    return f"{path}?{query}" if query else path
