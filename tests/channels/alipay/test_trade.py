"""Trades from end to end, adapter against gateway over real sockets, by both protocols."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from tests.channels.alipay.shop import Shop, with_values
from tests.channels.running import Running

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.contract import Declined, Paid, Pending, Refunded, RefundFailed, RefundPending, Unknown

replace = msgspec.structs.replace


@pytest.mark.parametrize("way", ["page", "wap", "app", "qr"])
def test_a_trade_of_each_way(shop: Shop, way: str) -> None:
    charge = shop.charge(way, 88_88)
    handover = shop.handed_over(charge)
    assert handover.kind == {"qr": "qr", "app": "app"}.get(way, "redirect")
    absent = shop.query(charge)
    assert isinstance(absent, Declined) and absent.kind == "absent"
    there = shop.open(handover)
    assert there.status == 302 and "/alipay/wallet/" in there.headers["location"]
    waiting = shop.query(charge)
    assert waiting == Pending(channel_no=shop.trade_no(charge))
    shop.gateway.control.pay(shop.trade_no(charge), "13812345678")
    paid = shop.query(charge)
    assert isinstance(paid, Paid)
    assert (paid.amount_minor, paid.currency, paid.channel_no) == (88_88, "CNY", shop.trade_no(charge))
    assert (paid.payer_hint, paid.refunded_minor) == ("138****5678", 0)
    assert abs(paid.paid_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_trade_number_has_alipays_form(shop: Shop) -> None:
    charge, paid = shop.bought()
    assert len(paid.channel_no) == 28 and paid.channel_no.isdigit() and paid.channel_no[8:14] == "220014"
    assert shop.query(charge) == paid


def test_huabei_instalments_arrive(shop: Shop) -> None:
    charge = shop.charge(amount_minor=120_000, instalments=6, seller_pays_instalments=True)
    shop.open(shop.handed_over(charge))
    trade = shop.gateway.control.find("alipay", charge.attempt_no).trade
    assert (trade.instalments, trade.extra["seller_pays"]) == (6, "1")


def test_the_same_number_again_is_the_same_trade(shop: Shop) -> None:
    charge = shop.charge("qr")
    assert shop.handed_over(charge).url == shop.handed_over(charge).url
    found = shop.pay(replace(charge, amount_minor=charge.amount_minor + 1))
    assert isinstance(found, Declined) and (found.reason, found.fault) == ("AMOUNT_CHANGED", "caller")


def test_a_page_opened_twice_leads_to_one_trade(shop: Shop) -> None:
    charge = shop.charge()
    first, second = (shop.open(shop.handed_over(charge)).headers["location"] for _ in range(2))
    assert first == second
    other = shop.open(shop.handed_over(replace(charge, amount_minor=1)))
    assert other.status == 400 and b"ACQ.CONTEXT_INCONSISTENT" in other.body


def test_charging_what_is_paid_says_paid(shop: Shop) -> None:
    charge, paid = shop.bought(way="qr")
    assert shop.pay(charge) == paid
    assert b"ACQ.TRADE_HAS_SUCCESS" in shop.open(shop.handed_over(replace(charge, way="page"))).body


def test_closing(shop: Shop) -> None:
    charge = shop.charge("qr")
    handover = shop.handed_over(charge)
    absent = shop.close(charge)
    assert isinstance(absent, Declined) and absent.kind == "absent"
    shop.open(handover)
    closed = shop.close(charge)
    assert isinstance(closed, Declined) and (closed.kind, closed.reason) == ("closed", "ORDER_CLOSED")
    assert shop.query(charge) == closed and shop.close(charge) == closed
    again = shop.pay(charge)
    assert isinstance(again, Declined) and (again.kind, again.reason) == ("closed", "ORDER_CLOSED")


def test_closing_what_is_paid_says_paid(shop: Shop) -> None:
    charge, paid = shop.bought()
    assert shop.close(charge) == paid


@pytest.mark.parametrize("is_opened", [True, False])
def test_a_buyer_who_is_faster_than_the_close(shop: Shop, is_opened: bool) -> None:
    charge = shop.charge("qr")
    handover = shop.handed_over(charge)
    if is_opened:
        shop.open(handover)
    shop.fault("close_says_paid", "close")
    found = shop.close(charge)
    assert isinstance(found, Paid) and found.amount_minor == charge.amount_minor


def test_after_its_end_a_trade_takes_no_money(shop: Shop) -> None:
    opened, unopened, scanned_late = shop.charge(), shop.charge(), shop.charge("qr")
    shop.open(shop.handed_over(opened))
    late, code = shop.handed_over(unopened), shop.handed_over(scanned_late)
    shop.gateway.control.steer(offset_s=16 * 60)
    found = shop.query(opened)
    assert isinstance(found, Declined) and (found.kind, found.reason) == ("closed", "ORDER_CLOSED")
    page = shop.open(late)
    assert page.status == 400 and b"ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR" in page.body
    shop.open(code)
    absent = shop.query(scanned_late)
    assert isinstance(absent, Declined) and absent.kind == "absent"


def test_refunds_in_parts_and_whole(shop: Shop) -> None:
    charge, paid = shop.bought(amount_minor=10_000)
    first, second = (shop.repayable(charge, paid, amount) for amount in (3_000, 7_000))
    assert isinstance(shop.query_refund(first), RefundFailed)
    done = shop.refund(first)
    assert isinstance(done, Refunded) and done.amount_minor == 3_000
    assert shop.refund(first) == done and shop.query_refund(first) == done
    assert shop.query(charge) == paid
    too_large = shop.refund(shop.repayable(charge, paid, 7_001))
    assert isinstance(too_large, RefundFailed) and too_large.reason == "REFUND_TOO_LARGE"
    assert isinstance(shop.refund(second), Refunded)
    assert shop.query(charge) == replace(paid, refunded_minor=10_000)


def test_a_refund_number_has_one_amount(shop: Shop) -> None:
    charge, paid = shop.bought(amount_minor=10_000)
    asked = shop.repayable(charge, paid, 3_000)
    shop.refund(asked)
    other = shop.refund(replace(asked, amount_minor=2_999))
    assert isinstance(other, RefundFailed) and other.code.endswith("DISCORDANT_REPEAT_REQUEST")
    assert isinstance(shop.query_refund(replace(asked, amount_minor=2_999)), Unknown)


def test_an_account_that_is_empty_can_be_filled_and_asked_again(shop: Shop) -> None:
    charge, paid = shop.bought(amount_minor=10_000)
    asked = shop.repayable(charge, paid, 10_000)
    shop.gateway.control.change_account("alipay", shop.app_id, balance_minor=0)
    found = shop.refund(asked)
    assert isinstance(found, RefundFailed) and (found.reason, found.again) == ("REFUND_UNFUNDED", True)
    shop.gateway.control.change_account("alipay", shop.app_id, balance_minor=100_000_000)
    assert isinstance(shop.refund(asked), Refunded)


def test_a_refund_that_fails_later_is_found_out_by_asking_again(shop: Shop) -> None:
    charge, paid = shop.bought()
    asked = shop.repayable(charge, paid, 100)
    shop.fault("refund_fails_later", "refund", seconds="30")
    assert shop.refund(asked) == RefundPending(paid.channel_no)
    under_way = shop.query_refund(asked)
    assert isinstance(under_way, RefundFailed) and under_way.absent and under_way.again
    shop.gateway.control.steer(offset_s=31)
    wait_until(lambda: shop.gateway.control.trade(paid.channel_no).refunds[0].state == "failed")
    failed = shop.refund(asked)
    assert isinstance(failed, RefundFailed) and (failed.reason, failed.again) == ("REFUND_ACCOUNT_GONE", False)


def wait_until(is_so: Callable[[], bool]) -> None:
    """Ask until it is so; the gateway's clerk does it at its own time."""
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_refunding_what_was_never_paid(shop: Shop) -> None:
    charge = shop.charge()
    paid = Paid("2" * 28, charge.amount_minor, charge.made_at)
    asked = shop.repayable(charge, paid, 1)
    absent = shop.refund(asked)
    assert isinstance(absent, RefundFailed) and absent.absent
    shop.open(shop.handed_over(charge))
    waiting = shop.refund(asked)
    assert isinstance(waiting, RefundFailed) and waiting.code.endswith("TRADE_STATUS_ERROR")


def test_after_a_year_a_trade_is_finished(shop: Shop) -> None:
    charge, paid = shop.bought()
    shop.gateway.control.steer(offset_s=366 * 86_400)
    assert shop.query(charge) == paid
    late = shop.refund(shop.repayable(charge, paid, 1))
    assert isinstance(late, RefundFailed) and late.reason == "REFUND_TOO_LATE"


def test_a_banned_merchant_takes_no_new_money_but_gives_back(shop: Shop) -> None:
    charge, paid = shop.bought()
    shop.gateway.control.change_account("alipay", shop.app_id, state="banned")
    try:
        found = shop.pay(shop.charge("qr"))
        assert isinstance(found, Declined)
        assert (found.reason, found.fault) == ("SELLER_STATUS_ABNORMAL", "passage")
        assert b"ACQ.SELLER_BEEN_BLOCKED" in shop.open(shop.handed_over(shop.charge())).body
        assert shop.query(charge) == paid
        assert isinstance(shop.refund(shop.repayable(charge, paid, 1)), Refunded)
    finally:
        shop.gateway.control.change_account("alipay", shop.app_id, state="active")


def test_keys_are_rotated_between_two_calls(gateway: Running) -> None:
    shop = Shop(gateway)
    charge, paid = shop.bought()
    old = shop.passage
    shop.passage = gateway.rotate(old)
    assert shop.passage.credential.version == 2 and shop.query(charge) == paid
    shop.passage = old
    found = shop.query(charge)
    assert found == Unknown("the signature does not verify")


def test_the_probe(shop: Shop) -> None:
    def probe(passage: object) -> bool:
        return bool(shop.gateway.ask(CHANNEL.probe(shop.gateway.http, passage)))  # type: ignore[arg-type]

    assert probe(shop.passage)
    assert not probe(with_values(shop.passage, app_id="2021000000000000"))
    assert not probe(replace(shop.passage, endpoint="http://127.0.0.1:9/alipay"))
    shop.fault("error", "query", code="ACQ.SYSTEM_ERROR")
    assert not probe(shop.passage)
