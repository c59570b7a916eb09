"""What goes wrong on the way is told for what it is: unknown where money may hang on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import msgspec
import pytest
from tests.channels.alipay.shop import Shop
from tests.channels.running import Running

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.contract import Declined, Paid, Pending, Refunded, RefundFailed, Unknown
from fenqi.channels.http import Http

replace = msgspec.structs.replace
FAULTS = [
    ("down", {}), ("down", {"mode": "drop"}), ("timeout_before", {}), ("timeout_after", {}), ("garbled", {}),
]  # fmt: skip


@pytest.fixture(scope="module")
def shop(gateway: Running) -> Shop:
    return Shop(gateway)


@contextmanager
def impatient(shop: Shop) -> Iterator[None]:
    """Within it the shop waits 0.3 seconds for an answer, for what is never answered anyway."""

    async def pool() -> Http:
        return Http(timeout_s=0.3)

    patient, shop.gateway.http = shop.gateway.http, shop.gateway.ask(pool())
    try:
        yield
    finally:
        hurried, shop.gateway.http = shop.gateway.http, patient
        shop.gateway.ask(hurried.close())


@pytest.mark.parametrize(("name", "params"), FAULTS)
def test_nothing_is_guessed(shop: Shop, name: str, params: dict[str, str]) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 100)
    fresh = shop.charge("qr")
    asks: dict[str, Callable[[], object]] = {
        "pay": lambda: shop.pay(fresh), "query": lambda: shop.query(charge), "close": lambda: shop.close(charge),
        "refund": lambda: shop.refund(asked), "query_refund": lambda: shop.query_refund(asked),
    }  # fmt: skip
    for operation, ask in asks.items():
        shop.fault(name, operation, times=2, **params)
        with impatient(shop):
            assert isinstance(ask(), Unknown), operation
        shop.gateway.control.clear_faults()
    assert isinstance(shop.query(charge), Paid)
    assert isinstance(shop.pay(fresh), Pending)
    assert isinstance(shop.refund(asked), Refunded)
    assert len(shop.gateway.control.trade(paid.channel_no).refunds) == 1


def test_a_refund_that_was_done_before_the_silence_is_found(shop: Shop) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 100)
    shop.fault("timeout_after", "refund", times=2)
    with impatient(shop):
        assert isinstance(shop.refund(asked), Unknown)
    found = shop.query_refund(asked)
    assert isinstance(found, Refunded) and found.amount_minor == 100


def test_a_refund_that_was_not_is_absent(shop: Shop) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 100)
    shop.fault("timeout_before", "refund", times=2)
    with impatient(shop):
        assert isinstance(shop.refund(asked), Unknown)
    found = shop.query_refund(asked)
    assert isinstance(found, RefundFailed) and found.absent and found.again


def test_a_close_done_before_the_silence(shop: Shop) -> None:
    charge = shop.charge()
    shop.open(shop.handed_over(charge))
    shop.fault("timeout_after", "close")
    with impatient(shop):
        assert isinstance(shop.close(charge), Unknown)
    found = shop.query(charge)
    assert isinstance(found, Declined) and found.kind == "closed"


def test_nobody_there_is_certain(shop: Shop) -> None:
    nowhere = replace(shop.passage, endpoint="http://127.0.0.1:9/alipay")
    found = shop.gateway.ask(CHANNEL.pay(shop.gateway.http, nowhere, shop.charge("qr")))
    assert isinstance(found, Declined)
    assert (found.reason, found.fault, found.kind) == ("CHANNEL_DOWN", "passage", "absent")


def test_slow_is_not_wrong(shop: Shop) -> None:
    charge, paid = shop.bought()
    shop.fault("slow", "query", seconds="1")
    assert shop.query(charge) == paid
