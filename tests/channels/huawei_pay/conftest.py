"""The local Huawei Pay alone, on a clock that tests move, and a passage through it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.channels.running import Heard, Running

from fenqi.channels.contract import Charge, Paid, Passage, Pending, Repayable
from fenqi.channels.http import Http
from fenqi.channels.huawei_pay import CHANNEL
from fenqi.channels.huawei_pay.gateway import SIDE
from fenqi.kernel.clock import SteeredClock, epoch_ms
from fenqi.kernel.ids import new_id

NOON = datetime(2026, 3, 10, 4, 0, 0, tzinfo=UTC)


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

    def charge(self, amount_minor: int = 12_345, **changes: Any) -> Charge:
        now = self.clock.now()
        given = {
            "attempt_no": self.no(), "amount_minor": amount_minor, "subject": "晨星商城-手机 & 壳", "way": "app",
            "made_at": now, "expires_at": now + timedelta(minutes=30), "notify_url": self.heard.url, "return_url": "",
        }  # fmt: skip
        return Charge(**(given | changes))

    def ask(self, verb: str, *args: Any) -> Any:
        return self.gateway.ask(getattr(CHANNEL, verb)(self.http, self.passage, *args))

    def pay(self, amount_minor: int = 12_345) -> tuple[Charge, Paid]:
        charge = self.charge(amount_minor)
        assert isinstance(self.ask("pay", charge), Pending)
        self.gateway.control.pay(self.gateway.control.find("huawei_pay", charge.attempt_no).trade.trade_no)
        paid = self.ask("query", charge.attempt_no)
        assert isinstance(paid, Paid)
        return charge, paid

    def repayable(self, charge: Charge, paid: Paid, amount_minor: int) -> Repayable:
        return Repayable(
            self.no(), charge.attempt_no, paid.channel_no, amount_minor, paid.amount_minor, paid.paid_at,
            "changed mind", self.heard.url,
        )  # fmt: skip

    def steer(self, at: datetime) -> None:
        self.gateway.control.steer(at=at)


@pytest.fixture(scope="module")
def playing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, SteeredClock]]:
    clock = SteeredClock(NOON)
    with Running(tmp_path_factory.mktemp("gateway"), [SIDE], clock, timeout_s=1.5) as gateway:
        yield gateway, clock


@pytest.fixture(scope="module")
def passage(playing: tuple[Running, SteeredClock]) -> Passage:
    return playing[0].enrol("huawei_pay", "huawei")


@pytest.fixture
def shop(playing: tuple[Running, SteeredClock], passage: Passage) -> Iterator[Shop]:
    gateway, clock = playing
    http = Http(timeout_s=1.5, clock=clock)
    found = Shop(gateway, clock, http, passage, gateway.hear())
    found.steer(NOON)
    yield found
    gateway.control.clear_faults()
    gateway.ask(http.close())
