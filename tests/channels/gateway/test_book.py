"""The gateways' store: what is kept, what is unique, and faults counted down by many at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.side import Account, Refund, Trade

NOW = datetime(2026, 8, 19, 4, 30, tzinfo=UTC)
replace = msgspec.structs.replace


def trade(no: str, **changes: object) -> Trade:
    made = Trade(f"T{no}", "toy", "a", no, 1_000, "Goods", NOW, NOW + timedelta(minutes=15), code=f"q{no}")
    return replace(made, **changes)


def test_an_account_keeps_every_version_of_its_keys(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    first = Account("toy", "a", "shop", {"key": "1"}, {"secret": "1"}, balance_minor=500)
    book.add_account(first)
    second = book.add_version(replace(first, values={"key": "2"}, credentials={"secret": "2"}))
    assert second.version == 2
    assert book.account("toy", "a") == second
    assert book.account("toy", "a", 1) == first
    assert book.account_of("toy", "shop") == second
    assert book.versions("toy", "a") == [second, first]
    assert book.accounts("other") == []


def test_a_balance_never_falls_below_zero(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    book.add_account(Account("toy", "a", "shop", {}, balance_minor=500))
    assert book.move_balance("toy", "a", -500)
    assert not book.move_balance("toy", "a", -1)
    assert book.move_balance("toy", "a", 7)
    found = book.account("toy", "a")
    assert found is not None and found.balance_minor == 7


def test_a_merchants_number_belongs_to_one_trade(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    made = trade("1")
    assert book.add_trade(made) == (made, True)
    assert book.add_trade(trade("1", trade_no="T2", code="q2")) == (made, False)
    assert book.trade_of("toy", "a", "1") == book.trade("T1") == book.trade_by_code("toy", "q1") == made
    assert book.trade("T2") is None and book.trade_by_code("toy", "") is None
    assert book.add_trade(trade("1", trade_no="T3", code="q3", account_id="b"))[1]


def test_a_trade_is_moved_from_the_state_it_was_in_only(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    made, _ = book.add_trade(trade("1"))
    paid = replace(made, state="paid", paid_at=NOW)
    assert book.put_trade(paid, was="waiting")
    assert not book.put_trade(replace(made, state="closed"), was="waiting")
    assert book.trade("T1") == paid


def test_what_is_written_in_a_failed_transaction_is_not_kept(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    try:
        with book.transaction():
            with book.transaction():
                book.add_trade(trade("1"))
            raise RuntimeError
    except RuntimeError:
        pass
    assert book.trades() == []


def test_failed_refunds_do_not_count(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    for number, state in enumerate(("processing", "succeeded", "failed"), 1):
        refund = Refund(f"R{number}", "toy", "a", f"r{number}", "T1", 10**number, NOW, state=state)  # type: ignore[arg-type]
        book.put_refund(refund)
    assert book.refunded_minor("T1") == 110
    found = book.refund_of("toy", "a", "r3")
    assert found is not None and found.state == "failed"
    assert [one.refund_no for one in book.refunds("T1")] == ["R1", "R2", "R3"]


def test_everything_is_there_after_opening_again(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    made, _ = book.add_trade(trade("1"))
    book.put_setting("clock", "offset 7")
    fault = book.set_fault("toy", "slow", "pay", -1, {"seconds": "2"}, NOW)
    book.close()
    again = Book(tmp_path / "book.db")
    assert again.trades() == [made]
    assert again.setting("clock") == "offset 7" and again.setting("speed", "1") == "1"
    assert again.faults() == [fault]


def test_a_fault_fits_by_channel_account_operation_and_name(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    book.set_fault("toy", "slow", "notice.*", 1, {}, NOW, account_id="a")
    names = ("slow", "down")
    assert book.take_fault("toy", "query", names, "a") is None
    assert book.take_fault("other", "notice.payment", names, "a") is None
    assert book.take_fault("toy", "notice.payment", names, "b") is None
    assert book.take_fault("toy", "notice.payment", ("down",), "a") is None
    taken = book.take_fault("toy", "notice.payment", names, "a")
    assert taken is not None and (taken.times, taken.taken) == (0, 1)
    assert book.take_fault("toy", "notice.payment", names, "a") is None


def test_the_oldest_fault_that_fits_comes_first_and_one_for_ever_stays(tmp_path: Path) -> None:
    book = Book(tmp_path / "book.db")
    book.set_fault("*", "error", "*", 1, {"code": "FIRST"}, NOW)
    book.set_fault("toy", "error", "pay", -1, {"code": "SECOND"}, NOW)
    taken = [book.take_fault("toy", "pay", ("error",)) for _ in range(3)]
    assert [one and one.text("code") for one in taken] == ["FIRST", "SECOND", "SECOND"]
    assert [(one.times, one.taken) for one in book.faults()] == [(-1, 2), (0, 1)]
    assert book.clear_faults() == 2 and book.faults() == []


def test_many_at_once_take_a_fault_exactly_as_often_as_it_was_set(tmp_path: Path) -> None:
    Book(tmp_path / "book.db").set_fault("toy", "down", "*", 60, {}, NOW)
    counts: list[int] = []

    def take() -> None:
        book = Book(tmp_path / "book.db")
        counts.append(sum(book.take_fault("toy", "pay", ("down",)) is not None for _ in range(20)))
        book.close()

    threads = [threading.Thread(target=take) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(counts) == 6 and sum(counts) == 60
    assert Book(tmp_path / "book.db").faults()[0].taken == 60
