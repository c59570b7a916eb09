"""The local UnionPay alone, on a clock that tests move, and a passage through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.channels.running import Heard, Running

from fenqi.channels.bank_card import CHANNEL
from fenqi.channels.bank_card.gateway import SIDE
from fenqi.channels.bank_card.message import write_form
from fenqi.channels.contract import Charge, Paid, Passage, Payout, Repayable
from fenqi.channels.http import Http
from fenqi.kernel.clock import SteeredClock, epoch_ms
from fenqi.kernel.ids import new_id

NOON = datetime(2026, 3, 10, 4, 0, 0, tzinfo=UTC)
"""12:00 in Beijing."""
GOOD = "9156010100000000007"


@dataclass
class Shop:
    """A merchant with one passage. Every call runs on the gateway helper's loop."""

    gateway: Running
    clock: SteeredClock
    http: Http
    passage: Passage
    heard: Heard

    def no(self) -> str:
        return new_id(epoch_ms(self.clock.now())).hex

    def charge(self, amount_minor: int = 12_345, way: str = "page", **changes: Any) -> Charge:
        now = self.clock.now()
        given = {
            "attempt_no": self.no(), "amount_minor": amount_minor, "subject": "电饭煲 & 'x' {y}", "way": way,
            "made_at": now, "expires_at": now + timedelta(minutes=30), "notify_url": self.heard.url,
            "return_url": "http://127.0.0.1:9/back",
        }  # fmt: skip
        return Charge(**(given | changes))

    def token(self, number: str = GOOD) -> str:
        token = self.ask("bind_card", self.no(), number, "林晓")
        assert isinstance(token, str)
        return token

    def ask(self, verb: str, *args: Any) -> Any:
        return self.gateway.ask(getattr(CHANNEL, verb)(self.http, self.passage, *args))

    def pay(self, amount_minor: int = 12_345, number: str = GOOD) -> tuple[Charge, Paid]:
        charge = self.charge(amount_minor, "token", payer=self.token(number))
        paid = self.ask("pay", charge)
        assert isinstance(paid, Paid)
        return charge, paid

    def repayable(self, charge: Charge, paid: Paid, amount_minor: int | None = None, **changes: Any) -> Repayable:
        given = {
            "refund_no": self.no(), "attempt_no": charge.attempt_no, "channel_no": paid.channel_no,
            "amount_minor": paid.amount_minor if amount_minor is None else amount_minor,
            "paid_minor": paid.amount_minor, "paid_at": paid.paid_at, "why": "changed mind",
            "notify_url": self.heard.url,
        }  # fmt: skip
        return Repayable(**(given | changes))

    def payout(self, amount_minor: int = 5_000, payee: str = GOOD) -> Payout:
        return Payout(self.no(), amount_minor, payee, self.clock.now(), "withdrawal", payee_name="林晓")

    def steer(self, at: datetime) -> None:
        """The gateway's clock is ours: one process."""
        self.gateway.control.steer(at=at)

    def send_form(self, fields: dict[str, str], path: str = "") -> Any:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        url = self.passage.endpoint + (path or "/gateway/api/frontTransReq.do")
        return self.gateway.ask(self.http.send("POST", url, headers=headers, content=write_form(fields)))


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, SteeredClock]]:
    clock = SteeredClock(NOON)
    with Running(tmp_path_factory.mktemp("gateway"), [SIDE], clock, timeout_s=1.5) as gateway:
        yield gateway, clock


@pytest.fixture(scope="module")
def passage(playing: tuple[Running, SteeredClock]) -> Passage:
    return playing[0].enrol("bank_card", "cards")


@pytest.fixture
def shop(playing: tuple[Running, SteeredClock], passage: Passage) -> Iterator[Shop]:
    gateway, clock = playing
    http = Http(timeout_s=1.5, clock=clock)
    found = Shop(gateway, clock, http, passage, gateway.hear())
    found.steer(NOON)
    yield found
    gateway.control.clear_faults()
    gateway.ask(http.close())
