"""Faults of the wire over real sockets: what the client sees, and what was done all the same."""

from __future__ import annotations

import asyncio
import json

import pytest
from tests.channels.gateway.conftest import Merchant
from tests.channels.running import Running

from fenqi.channels.http import NoAnswer


def state(gateway: Running, no: str) -> str:
    found = gateway.control.find("toy", no)
    return "absent" if found is None else str(found.trade.state)


def test_without_a_fault_all_works(merchant: Merchant, toy: Running) -> None:
    assert merchant.call("pay", "a1", amount=500, at_once=True)[1]["state"] == "paid"
    assert merchant.call("query", "a1")[1]["state"] == "paid"


def test_down_answers_503_or_cuts(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "down", "pay")
    answer = toy.ask(merchant.send("pay", "a1", amount=500))
    assert (answer.status, state(toy, "a1")) == (503, "absent")
    toy.control.set_fault("toy", "down", "*", mode="drop")
    with pytest.raises(NoAnswer) as no:
        toy.ask(merchant.send("pay", "a1", amount=500))
    assert no.value.sent and state(toy, "a1") == "absent"
    assert merchant.call("pay", "a1", amount=500)[0] == 200


def test_timeout_before_does_nothing(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "timeout_before", "pay")
    with pytest.raises(NoAnswer) as no:
        toy.ask(merchant.send("pay", "a1", amount=500, at_once=True))
    assert no.value.sent and state(toy, "a1") == "absent"


def test_timeout_after_has_taken_the_money(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "timeout_after", "pay")
    with pytest.raises(NoAnswer) as no:
        toy.ask(merchant.send("pay", "a1", amount=500, at_once=True))
    assert no.value.sent and state(toy, "a1") == "paid"


def test_a_hang_that_is_over_cuts_the_connection(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "timeout_before", "query", seconds=0)
    with pytest.raises(NoAnswer) as no:
        toy.ask(merchant.send("query", "a1"))
    assert "Timeout" not in str(no.value)


def test_slow_does_it_in_the_end(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "slow", "pay", seconds=0)
    assert merchant.call("pay", "a1", amount=500)[0] == 200
    assert toy.control.faults()[0].taken == 1


def test_garbled_is_done_but_can_not_be_read(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "garbled", "pay")
    answer = toy.ask(merchant.send("pay", "a1", amount=500, at_once=True))
    assert answer.status == 200 and state(toy, "a1") == "paid"
    with pytest.raises(ValueError):
        json.loads(answer.body)


def test_a_fault_of_another_account_or_operation_does_not_touch_it(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "down", "pay", times=-1, account_id="acc-other")
    toy.control.set_fault("toy", "down", "refund", times=-1)
    assert merchant.call("pay", "a1", amount=500)[0] == 200
    other = Merchant(toy, "other")
    assert toy.ask(other.send("pay", "a2", amount=500)).status == 503


def test_a_side_tells_errors_and_bans_in_its_own_words(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "error", "query", code="SYSTEM_BUSY", status=502)
    assert merchant.call("query", "a1") == (502, {"error": "SYSTEM_BUSY"})
    toy.control.change_account("toy", merchant.account_id, state="banned")
    assert merchant.call("query", "a1") == (403, {"error": "BANNED"})
    toy.control.change_account("toy", merchant.account_id, state="active")
    assert merchant.call("query", "a1") == (404, {"error": "ABSENT"})


def test_many_calls_at_once_take_a_fault_as_often_as_it_was_set(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "down", "query", times=7)

    async def all_at_once() -> list[int]:
        answers = await asyncio.gather(*(merchant.send("query", "a1") for _ in range(20)))
        return [answer.status for answer in answers]

    statuses = toy.ask(all_at_once())
    assert (statuses.count(503), statuses.count(404)) == (7, 13)
