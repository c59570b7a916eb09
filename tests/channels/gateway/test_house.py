"""The house's verbs on trades, refunds, accounts and bills, with a clock that stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from tests.channels.gateway.toy import ToySide

from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.house import FIRST_BALANCE_MINOR, House, NoRefund, NotPayable, half_up
from fenqi.channels.gateway.side import Account, Trade
from fenqi.kernel.clock import SteeredClock

NOW = datetime(2026, 8, 19, 4, 30, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    book = Book(tmp_path / "book.db")
    yield House(book, (ToySide(),), SteeredClock(NOW), "http://127.0.0.1:1")
    book.close()


@pytest.fixture
def account(house: House) -> Account:
    return house.enrol("toy", "shop")


def opened(house: House, no: str, amount_minor: int = 10_000) -> Trade:
    now = house.clock.now()
    lives = timedelta(minutes=15)
    trade = Trade(f"T{no}", "toy", "acc-shop", no, amount_minor, "Goods", now, now + lives, notify_url="http://m/n")
    return house.open(trade)[0]


def balance(house: House) -> int:
    found = house.book.account("toy", "acc-shop")
    assert found is not None
    return found.balance_minor


def states(house: House) -> list[str]:
    return [f"{post.kind} {post.trade.state}" for post, _ in house.queue.kept()]


def test_half_up_rounds_halves_away_from_zero() -> None:
    assert [half_up(n, 4) for n in (0, 1, 2, 3, 5, 6)] == [0, 0, 1, 1, 1, 2]


def test_paying_takes_the_money_less_the_fee_and_queues_a_notice(house: House, account: Account) -> None:
    paid = house.pay(opened(house, "1", 10_083).trade_no, payer="li", instalments=3, extra={"bank": "x"})
    assert (paid.state, paid.paid_at, paid.payer, paid.instalments) == ("paid", NOW, "li", 3)
    assert paid.fee_minor == 60  # 0.6 % of 100.83 is 0.60498
    assert paid.extra == {"bank": "x"}
    assert balance(house) == FIRST_BALANCE_MINOR + 10_083 - 60
    assert house.trade("T1") == paid and states(house) == ["payment paid"]
    with pytest.raises(NotPayable):
        house.pay("T1")
    assert balance(house) == FIRST_BALANCE_MINOR + 10_083 - 60
    with pytest.raises(KeyError):
        house.pay("T9")


def test_a_trade_is_closed_the_moment_its_time_is_over(house: House, account: Account) -> None:
    opened(house, "1")
    house.clock.advance(timedelta(minutes=15) - timedelta(microseconds=1))
    found = house.find("toy", "acc-shop", "1")
    assert found is not None and found.state == "waiting"
    house.clock.advance(timedelta(microseconds=1))
    with pytest.raises(NotPayable) as no:
        house.pay("T1")
    assert no.value.trade.state == "closed"
    found = house.find("toy", "acc-shop", "1")
    assert found is not None and (found.state, found.closed_at) == ("closed", NOW + timedelta(minutes=15))
    assert balance(house) == FIRST_BALANCE_MINOR


def test_closing(house: House, account: Account) -> None:
    assert house.close(opened(house, "1")).state == "closed"
    assert house.close(house.pay(opened(house, "2").trade_no)).state == "paid"
    house.set_fault("toy", "close_says_paid", "close", 1, {})
    late = house.close(opened(house, "3"))
    assert late.state == "paid" and house.trade("T3") == late
    assert states(house) == ["payment paid", "payment paid"]
    assert house.close(opened(house, "4")).state == "closed"


def test_declines_leave_it_waiting_or_close_it_as_the_side_says(house: House, account: Account) -> None:
    first = house.decline(opened(house, "1").trade_no, "NO_MONEY")
    assert (first.state, first.declined) == ("waiting", "NO_MONEY")
    assert house.pay("T1").declined == ""
    second = house.decline(opened(house, "2").trade_no, "CLOSED")
    assert (second.state, second.closed_at) == ("closed", NOW)


def test_refunds_give_the_fee_back_by_parts_that_sum_to_it(house: House, account: Account) -> None:
    paid = house.pay(opened(house, "1", 10_083).trade_no)
    parts = [house.refund(paid, f"r{n}", 3_361, f"R{n}") for n in (1, 2, 3)]
    assert [one.fee_minor for one in parts] == [20, 20, 20]
    assert {one.state for one in parts} == {"succeeded"}
    assert balance(house) == FIRST_BALANCE_MINOR
    with pytest.raises(NoRefund) as no:
        house.refund(paid, "r4", 1, "R4")
    assert no.value.code == "too_large" and balance(house) == FIRST_BALANCE_MINOR


def test_a_refunds_number_refunds_once(house: House, account: Account) -> None:
    paid = house.pay(opened(house, "1").trade_no)
    first = house.refund(paid, "r1", 400, "R1")
    assert house.refund(paid, "r1", 400, "R2") == first
    with pytest.raises(NoRefund) as no:
        house.refund(paid, "r1", 500, "R3")
    assert no.value.code == "conflict" and house.book.refunded_minor("T1") == 400


def test_refunds_that_are_refused(house: House, account: Account) -> None:
    waiting = opened(house, "1")
    for amount_minor, code in ((100, "not_paid"),):
        with pytest.raises(NoRefund) as no:
            house.refund(waiting, "r1", amount_minor, "R1")
        assert no.value.code == code
    paid = house.pay("T1")
    house.book.put_account("toy", "acc-shop", None, 50)
    with pytest.raises(NoRefund) as no:
        house.refund(paid, "r1", 100, "R1")
    assert no.value.code == "unfunded" and balance(house) == 50 and house.book.refunds("T1") == []
    with pytest.raises(NoRefund) as no:
        house.refund(paid, "r1", 0, "R1")
    assert no.value.code == "not_positive"


def test_a_refund_that_is_accepted_and_fails_later(house: House, account: Account) -> None:
    house.set_fault("toy", "refund_fails_later", "refund", 1, {"seconds": "30"})
    paid = house.pay(opened(house, "1").trade_no)
    asked = house.refund(paid, "r1", 4_000, "R1", notify_url="http://m/r")
    assert (asked.state, asked.due_at) == ("processing", NOW + timedelta(seconds=30))
    assert balance(house) == FIRST_BALANCE_MINOR + 9_940 - 4_000 + 24
    house.clock.advance(timedelta(seconds=29))
    assert house.end_refunds() == 0
    house.clock.advance(timedelta(seconds=1))
    assert house.end_refunds() == 1
    failed = house.book.refund("R1")
    assert failed is not None and (failed.state, failed.finished_at) == ("failed", NOW + timedelta(seconds=30))
    assert balance(house) == FIRST_BALANCE_MINOR + 9_940 and house.book.refunded_minor("T1") == 0
    assert states(house) == ["refund paid", "payment paid"]
    assert house.refund(paid, "r2", 10_000, "R2").state == "succeeded"


def test_enrolling_again_gives_the_same_account_with_its_newest_keys(house: House, account: Account) -> None:
    assert house.enrol("toy", "shop") == account
    rotated = house.rotate(account)
    assert rotated.version == 2 and rotated.credentials != account.credentials
    assert house.enrol("toy", "shop") == rotated


def test_a_rotated_certificate_is_rotated_when_it_is_set(house: House, account: Account) -> None:
    fault = house.set_fault("toy", "rotated_certificate", "*", 1, {}, "acc-shop")
    assert (fault.times, fault.taken) == (0, 1)
    assert [one.version for one in house.book.versions("toy", "acc-shop")] == [2, 1]


def test_what_the_catalogue_does_not_know_is_refused(house: House) -> None:
    for channel, name, params in (("toy", "sleepy", {}), ("other", "slow", {}), ("toy", "slow", {"minutes": "1"})):
        with pytest.raises(ValueError):
            house.set_fault(channel, name, "*", 1, params)
    assert house.book.faults() == []


def test_a_banned_merchant_by_fault_and_by_state(house: House, account: Account) -> None:
    assert not house.is_banned(account, "pay")
    house.set_fault("toy", "merchant_banned", "pay", 1, {})
    assert not house.is_banned(account, "query")
    assert house.is_banned(account, "pay") and not house.is_banned(account, "pay")
    house.book.put_account("toy", "acc-shop", "banned", None)
    assert house.is_banned(house.enrol("toy", "shop"), "query")


def test_a_bill_has_the_day_in_beijing(house: House, account: Account) -> None:
    house.clock.set(datetime(2026, 8, 19, 15, 59, 59, tzinfo=UTC))
    first = house.pay(opened(house, "1").trade_no)
    house.refund(first, "r1", 1_000, "R1")
    house.clock.advance(timedelta(seconds=1))
    house.pay(opened(house, "2").trade_no)
    house.refund(first, "r2", 500, "R2")
    said = [
        [(row.kind, row.trade.out_no, row.amount_minor, row.fee_minor) for row in house.bill_rows(account, on)]
        for on in (date(2026, 8, 18), date(2026, 8, 19), date(2026, 8, 20))
    ]
    assert said == [
        [],
        [("payment", "1", 10_000, -60), ("refund", "1", -1_000, 6)],
        [("payment", "2", 10_000, -60), ("refund", "1", -500, 3)],
    ]


def test_planted_differences_stay_with_their_day(house: House, account: Account) -> None:
    for number in range(1, 7):
        house.clock.advance(timedelta(seconds=1))
        house.pay(opened(house, str(number), 10_000 * number).trade_no)
    house.refund(house.pay(opened(house, "7").trade_no), "r1", 1_000, "R1")
    house.set_fault(
        "toy", "bill_differences", "bill", 1, {"plant": "missing,extra,amount,fee,duplicate,missing_refund"}
    )
    on = date(2026, 8, 19)
    rows = house.bill_rows(account, on)
    said = [(row.kind, row.trade.out_no, row.amount_minor, row.fee_minor) for row in rows]
    assert said == [
        ("payment", "2", 20_000, -120),
        ("payment", "3", 30_001, -180),
        ("payment", "4", 40_000, -241),
        ("payment", "5", 50_000, -300),
        ("payment", "5", 50_000, -300),
        ("payment", "6", 60_000, -360),
        ("payment", "7", 10_000, -60),
        ("payment", "2", 20_000, -120),
    ]
    assert rows[-1].trade.trade_no == "2T"  # nobody's
    assert house.bill_rows(account, on) == rows
    assert house.bill_rows(account, date(2026, 8, 20)) == ()


def test_the_clock_goes_on_where_it_was_left(house: House) -> None:
    house.steer(at=NOW + timedelta(days=3))
    other = House(house.book, (ToySide(),), SteeredClock(), "http://127.0.0.1:1")
    other.steer_as_kept()
    assert other.clock.now() == NOW + timedelta(days=3)
    house.steer(offset_s=86_400)
    other.steer_as_kept()
    assert timedelta(hours=23) < other.clock.now() - datetime.now(UTC) < timedelta(hours=25)
