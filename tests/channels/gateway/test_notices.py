"""Notices on their way: the ladder by a standing clock, every try on record, and each of the notifier's faults."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.channels.gateway.conftest import Merchant
from tests.channels.gateway.toy import ToySide
from tests.channels.running import Heard, Running

from fenqi.channels.contract import Incoming, Reply
from fenqi.kernel.clock import SteeredClock

NOW = datetime(2026, 8, 19, 4, 30, tzinfo=UTC)


def said(got: list[Incoming]) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in got]


def paid(merchant: Merchant, heard: Heard, no: str = "a1", amount: int = 1_000) -> str:
    status, trade = merchant.call("pay", no, amount=amount, notify_url=heard.url)
    assert status == 200
    merchant.gateway.control.pay(trade["trade_no"])
    trade_no: str = trade["trade_no"]
    return trade_no


def test_a_notice_is_sent_by_the_ladder_until_its_end(tmp_path: Path) -> None:
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        heard = gateway.hear(500)
        trade_no = paid(Merchant(gateway), heard)
        first = gateway.told(trade_no, tries=1)
        assert (first.notice.state, first.notice.due_at) == ("due", NOW + timedelta(seconds=60))
        gateway.control.steer(at=NOW + timedelta(seconds=59.999))
        gateway.control.steer(at=NOW + timedelta(seconds=60))
        second = gateway.told(trade_no, tries=2)
        assert second.notice.due_at == NOW + timedelta(seconds=660)
        gateway.control.steer(at=NOW + timedelta(seconds=661))
        last = gateway.told(trade_no, "given_up")
        assert [(one.try_no, one.at - NOW, one.status, one.taken) for one in last.tries] == [
            (1, timedelta(), 500, False),
            (2, timedelta(seconds=60), 500, False),
            (3, timedelta(seconds=661), 500, False),
        ]
        numbers = {(one["notice"], one["state"]) for one in said(heard.got)}
        assert numbers == {(last.notice.notice_no, "paid")} and [one["try"] for one in said(heard.got)] == [1, 2, 3]


def test_a_notice_that_is_taken_is_not_sent_again(merchant: Merchant, toy: Running) -> None:
    heard = toy.hear(Reply(200, "text/plain", b"thanks"))
    seen = toy.told(paid(merchant, heard), "taken")
    assert [(one.url, one.status, one.answer, one.taken) for one in seen.tries] == [(heard.url, 200, "thanks", True)]
    assert json.loads(seen.tries[0].sent) == said(heard.got)[0]
    assert said(heard.got)[0]["word"] == merchant.word


def test_nobody_there_counts_as_a_try(tmp_path: Path) -> None:
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        heard = Heard()
        heard.stop()
        seen = gateway.told(paid(Merchant(gateway), heard), tries=1)
        assert (seen.tries[0].status, seen.tries[0].answer, seen.notice.state) == (None, "", "due")


def test_speed_divides_the_waits(tmp_path: Path) -> None:
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        gateway.control.set_speed(600)
        trade_no = paid(Merchant(gateway), gateway.hear(500))
        assert gateway.told(trade_no, tries=1).notice.due_at == NOW + timedelta(milliseconds=100)
        gateway.control.steer(at=NOW + timedelta(milliseconds=100))
        assert gateway.told(trade_no, tries=2).notice.due_at == NOW + timedelta(milliseconds=1_100)


def test_with_a_running_clock_nobody_has_to_wake_it(merchant: Merchant, toy: Running) -> None:
    toy.control.set_speed(6_000)
    heard = toy.hear(500)
    paid(merchant, heard)
    assert [one["try"] for one in said(heard.wait(3))] == [1, 2, 3]


def test_a_gateway_that_was_stopped_goes_on(tmp_path: Path) -> None:
    heard = Heard(500)
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        trade_no = paid(Merchant(gateway), heard)
        gateway.told(trade_no, tries=1)
    heard.answer = 200
    with Running(tmp_path, [ToySide()], SteeredClock(NOW + timedelta(seconds=60))) as gateway:
        seen = gateway.told(trade_no, "taken")
        assert [one.status for one in seen.tries] == [500, 200]
    heard.stop()


def test_a_notice_keeps_the_keys_it_was_made_with(tmp_path: Path) -> None:
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        heard, merchant = gateway.hear(500), Merchant(gateway)
        gateway.told(paid(merchant, heard), tries=1)
        rotated = gateway.rotate(merchant.passage)
        assert [one.version for one in rotated.accepted] == [2, 1]
        new_word = rotated.credential.values["word"]
        gateway.control.steer(at=NOW + timedelta(seconds=60))
        assert [one["word"] for one in said(heard.wait(2))] == [merchant.word, merchant.word]
        merchant.word = new_word
        gateway.told(paid(merchant, heard, "a2"), tries=1)
        assert said(heard.wait(3))[2]["word"] == new_word


def test_duplicated(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "duplicate_notice", "notice.payment", copies=4)
    heard = toy.hear()
    paid(merchant, heard)
    assert len({one["notice"] for one in said(heard.wait(4))}) == 1
    paid(merchant, heard, "a2")
    assert Counter(one["no"] for one in said(heard.wait(5))) == {"a1": 4, "a2": 1}


def test_forged_beside_the_true_one_and_alone(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "forged_notice", "notice.payment")
    heard = toy.hear()
    paid(merchant, heard)
    assert sorted(one["word"] == "forged" for one in said(heard.wait(2))) == [False, True]
    toy.control.set_fault("toy", "forged_notice", "notice.payment", only=1)
    heard.answer = 400
    seen = toy.told(paid(merchant, heard, "a2"), "given_up")  # tried once
    assert len(seen.tries) == 1 and seen.notice.is_forged
    assert [one["word"] for one in said(heard.wait(3))[2:]] == ["forged"]


def test_wrong_amount(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "wrong_amount_notice")
    toy.control.set_fault("toy", "wrong_amount_notice", amount_minor=7)
    heard = toy.hear()
    toy.told(paid(merchant, heard, "a1"), "taken")
    toy.told(paid(merchant, heard, "a2"), "taken")
    assert [(one["amount"], one["word"]) for one in said(heard.got)] == [(999, merchant.word), (7, merchant.word)]


def test_never_sent(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "no_notice", "notice.payment")
    heard = toy.hear()
    first = paid(merchant, heard, "a1")
    toy.told(paid(merchant, heard, "a2"), "taken")
    assert [one["no"] for one in said(heard.got)] == ["a2"]
    seen = toy.told(first, "withheld")
    toy.control.again(seen.notice.notice_id)
    assert said(heard.wait(2))[1]["no"] == "a1"


def test_out_of_order(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "out_of_order_notice", "notice.payment")
    heard = toy.hear()
    trade_no = paid(merchant, heard)
    assert toy.control.notices(trade_no=trade_no)[0].notice.state == "held"
    assert merchant.call("refund", "a1", refund="r1", amount=100)[1]["state"] == "succeeded"
    first, second = said(heard.wait(2))
    assert (first["refund"], second["no"]) == ("r1", "a1")


def test_late(tmp_path: Path) -> None:
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        gateway.control.set_fault("toy", "late_notice", seconds=90)
        heard = gateway.hear()
        trade_no = paid(Merchant(gateway), heard)
        assert gateway.control.notices(trade_no=trade_no)[0].notice.due_at == NOW + timedelta(seconds=90)
        gateway.control.steer(at=NOW + timedelta(seconds=90))
        assert said(heard.wait(1))[0]["no"] == "a1"


def test_a_forged_notice_of_a_payment_that_never_was(merchant: Merchant, toy: Running) -> None:
    heard = toy.hear(400)
    _, trade = merchant.call("pay", "a1", amount=1_000, notify_url=heard.url)
    toy.control.tell(trade["trade_no"], is_forged=True, as_paid=True)
    assert [(one["state"], one["word"]) for one in said(heard.wait(1))] == [("paid", "forged")]
    assert toy.control.trade(trade["trade_no"]).trade.state == "waiting"


def test_a_refund_that_fails_later_tells_so(tmp_path: Path) -> None:
    with Running(tmp_path, [ToySide()], SteeredClock(NOW)) as gateway:
        heard, merchant = gateway.hear(), Merchant(gateway)
        paid(merchant, heard)
        heard.wait(1)
        gateway.control.set_fault("toy", "refund_fails_later", "refund", seconds=30)
        assert merchant.call("refund", "a1", refund="r1", amount=100)[1]["state"] == "processing"
        gateway.control.steer(at=NOW + timedelta(seconds=30))
        assert said(heard.wait(2))[1] == {"refund": "r1", "state": "failed", "word": merchant.word}


def test_without_an_address_there_is_nothing_to_send(merchant: Merchant, toy: Running) -> None:
    _, trade = merchant.call("pay", "a1", amount=1_000, at_once=True)
    assert toy.told(trade["trade_no"], "nothing").tries == ()
