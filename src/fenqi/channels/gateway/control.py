"""The control API's records, and the client by which the demo, the console and tests steer a running gateway.

The addresses are in `control_api`; every call needs the token that the gateway keeps beside its book.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from fenqi.channels.contract import Credential, Passage
from fenqi.channels.gateway.fault import Fault, Kind
from fenqi.channels.gateway.notice import Post, Try
from fenqi.channels.gateway.side import Refund, Trade
from fenqi.channels.http import Http

T = TypeVar("T")


class Enrolled(msgspec.Struct, frozen=True):
    """An account as its merchant sees it. `credentials` are the values of the adapter's `fields`."""

    channel: str
    account_id: str
    code: str
    endpoint: str
    version: int
    credentials: Mapping[str, str]
    state: str
    balance_minor: int

    def passage(self, passage_id: UUID, accepted: tuple[Credential, ...] = ()) -> Passage:
        """The passage through this account; `accepted` are older credentials that still verify."""
        newest = Credential(self.version, self.credentials)
        return Passage(passage_id, self.code, self.channel, self.endpoint, newest, (newest, *accepted))


class SideSeen(msgspec.Struct, frozen=True):
    """A channel that the gateway plays. `declines`: the channel's codes → what they say in English."""

    channel: str
    endpoint: str
    ladder_s: tuple[int, ...]
    declines: Mapping[str, str]


class State(msgspec.Struct, frozen=True):
    """What the gateway is, as a whole."""

    base_url: str
    now: datetime
    notice_speed: int
    channels: tuple[SideSeen, ...]
    accounts: tuple[Enrolled, ...]
    faults: tuple[Fault, ...]
    catalogue: tuple[Kind, ...]


class TradeSeen(msgspec.Struct, frozen=True):
    """A trade with its refunds, and where its buyer pays."""

    trade: Trade
    refunds: tuple[Refund, ...]
    wallet_url: str


class NoticeSeen(msgspec.Struct, frozen=True):
    """A notice with every try. The account in it has no keys."""

    notice: Post
    tries: tuple[Try, ...]


class ControlError(Exception):
    """The gateway refuses what was asked of it; `status` is HTTP's."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(f"{status}: {why}")
        self.status = status


class Control:
    """The client. Raises ControlError, and http.NoAnswer when the gateway isn't there."""

    def __init__(self, http: Http, base_url: str, token: str) -> None:
        self._http = http
        self._base = f"{base_url}/control"
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def state(self) -> State:
        """Everything at a glance, the catalogue of faults included."""
        return await self._ask("GET", "", State)

    async def enrol(self, channel: str, code: str) -> Enrolled:
        """The account of a passage's code, made at the first call."""
        return await self._ask("POST", "/accounts", Enrolled, {"channel": channel, "code": code})

    async def account(self, channel: str, account_id: str) -> Enrolled:
        """An account with its newest credentials."""
        return await self._ask("GET", f"/accounts/{channel}/{account_id}", Enrolled)

    async def rotate(self, channel: str, account_id: str) -> Enrolled:
        """New keys for an account; the gateway signs with them from now on."""
        return await self._ask("POST", f"/accounts/{channel}/{account_id}/rotate", Enrolled, {})

    async def change_account(
        self, channel: str, account_id: str, state: str | None = None, balance_minor: int | None = None
    ) -> Enrolled:  # fmt: skip
        """Ban an account ("banned") or let it in again ("active"); set what refunds are paid from."""
        change = {"state": state, "balance_minor": balance_minor}
        return await self._ask("POST", f"/accounts/{channel}/{account_id}", Enrolled, change)

    async def set_fault(
        self, channel: str, name: str, operation: str = "*", times: int = 1, account_id: str = "*", **params: str
    ) -> Fault:  # fmt: skip
        """Set a fault of the catalogue; `times` -1: until it is cleared. `operation` may be a glob pattern."""
        asked = {
            "channel": channel, "name": name, "operation": operation, "times": times, "account_id": account_id,
            "params": {name: str(value) for name, value in params.items()},
        }  # fmt: skip
        return await self._ask("POST", "/faults", Fault, asked)

    async def faults(self) -> list[Fault]:
        """All faults, those used up too, the newest first."""
        return await self._ask("GET", "/faults", list[Fault])

    async def clear_faults(self, fault_id: int | None = None) -> None:
        """Forget one fault, or all."""
        await self._ask("DELETE", "/faults" if fault_id is None else f"/faults/{fault_id}", dict[str, int])

    async def trades(self, **by: str | int) -> list[TradeSeen]:
        """The newest trades; `by` channel, account_id, state, out_no, limit."""
        return await self._ask("GET", f"/trades?{urlencode(by)}", list[TradeSeen])

    async def trade(self, trade_no: str) -> TradeSeen:
        """A trade by the channel's number."""
        return await self._ask("GET", f"/trades/{trade_no}", TradeSeen)

    async def find(self, channel: str, out_no: str) -> TradeSeen | None:
        """A trade by the merchant's number."""
        found = await self.trades(channel=channel, out_no=out_no, limit=1)
        return found[0] if found else None

    async def pay(self, trade_no: str, payer: str = "", instalments: int = 0) -> TradeSeen:
        """Pay as the buyer does in the wallet."""
        asked = {"payer": payer, "instalments": instalments}
        return await self._ask("POST", f"/trades/{trade_no}/pay", TradeSeen, asked)

    async def decline(self, trade_no: str, code: str) -> TradeSeen:
        """Refuse the buyer by one of the channel's codes."""
        return await self._ask("POST", f"/trades/{trade_no}/decline", TradeSeen, {"code": code})

    async def tell(
        self, trade_no: str, *, is_forged: bool = False, amount_minor: int | None = None, as_paid: bool = False
    ) -> None:  # fmt: skip
        """Send a notice of a trade now; a forged one may tell of a payment that never was (`as_paid`)."""
        asked = {"is_forged": is_forged, "amount_minor": amount_minor, "as_paid": as_paid}
        await self._ask("POST", f"/trades/{trade_no}/notice", dict[str, int], asked)

    async def notices(self, **by: str | int) -> list[NoticeSeen]:
        """The newest notices with their tries; `by` trade_no, limit."""
        return await self._ask("GET", f"/notices?{urlencode(by)}", list[NoticeSeen])

    async def again(self, notice_id: int) -> None:
        """Make the next try of a notice due now, whatever became of it."""
        await self._ask("POST", f"/notices/{notice_id}/again", dict[str, int], {})

    async def steer(self, offset_s: float | None = None, at: datetime | None = None) -> datetime:
        """Run the gateway's clock so far ahead of the machine's, or let it stand at an instant; the time it shows."""
        asked = {"offset_s": offset_s, "at": at}
        return (await self._ask("POST", "/clock", dict[str, datetime], asked))["now"]

    async def set_speed(self, notice_speed: int) -> None:
        """Divide the waits of every ladder, and of refunds, by this."""
        await self._ask("POST", "/speed", dict[str, int], {"notice_speed": notice_speed})

    async def _ask(self, method: str, path: str, kind: type[T], asked: Mapping[str, Any] | None = None) -> T:
        content = None if asked is None else msgspec.json.encode(asked)
        answer = await self._http.send(method, self._base + path, headers=self._headers, content=content)
        if answer.status != 200:
            raise ControlError(answer.status, answer.body.decode(errors="replace"))
        return msgspec.json.decode(answer.body, type=kind)
