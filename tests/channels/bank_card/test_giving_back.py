"""Refunds, voids, payouts and settlement files of the local UnionPay, over real sockets."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from tests.channels.bank_card.conftest import GOOD, NOON, Shop

from fenqi.channels.bank_card import CHANNEL
from fenqi.channels.bank_card.gateway import issuer
from fenqi.channels.contract import (
    BillNotReady,
    CardUnbound,
    Declined,
    Paid,
    Pending,
    Refunded,
    RefundFailed,
    RefundPending,
    Unknown,
)
from fenqi.kernel.clock import start_of_day

replace = msgspec.structs.replace
LATER = timedelta(seconds=6)
NEXT_DAY = NOON + timedelta(days=1)


def kind_of(shop: Shop, attempt_no: str) -> list[str]:
    return [refund.extra["txnType"] for refund in shop.gateway.control.find("bank_card", attempt_no).refunds]


def test_a_whole_payment_of_the_day_is_voided(shop: Shop) -> None:
    charge, paid = shop.pay()
    asked = shop.repayable(charge, paid)
    accepted = shop.ask("refund", asked)
    assert isinstance(accepted, RefundPending) and len(accepted.channel_no) == 21
    assert isinstance(shop.ask("query_refund", asked), RefundPending)
    shop.steer(NOON + LATER)
    done = Refunded(accepted.channel_no, 12_345, NOON + LATER)
    [_, told] = shop.heard.wait(2)
    assert shop.ask("query_refund", asked) == done
    notice = CHANNEL.read_notice(shop.passage, told)
    assert (notice.attempt_no, notice.refund_no, notice.result) == (charge.attempt_no, asked.refund_no, done)
    assert kind_of(shop, charge.attempt_no) == ["31"]


def test_a_part_is_refunded(shop: Shop) -> None:
    charge, paid = shop.pay()
    for part in (2_345, 10_000):
        assert isinstance(shop.ask("refund", shop.repayable(charge, paid, part)), RefundPending)
    assert kind_of(shop, charge.attempt_no) == ["04", "04"]
    more = shop.ask("refund", shop.repayable(charge, paid, 1))
    assert isinstance(more, RefundFailed) and (more.code, more.reason) == ("45", "REFUND_TOO_LARGE")


def test_more_than_is_left_is_refused(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.ask("refund", shop.repayable(charge, paid, 10_000))
    more = shop.ask("refund", shop.repayable(charge, paid, 10_000))
    assert isinstance(more, RefundFailed) and (more.code, more.reason, more.again) == ("36", "REFUND_TOO_LARGE", False)


def test_a_payment_of_yesterday_is_refunded_not_voided(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.steer(NEXT_DAY)
    assert isinstance(shop.ask("refund", shop.repayable(charge, paid)), RefundPending)
    assert kind_of(shop, charge.attempt_no) == ["04"]


def test_the_settlement_day_ends_at_23(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.steer(NOON + timedelta(hours=11))
    shop.ask("refund", shop.repayable(charge, paid))
    assert kind_of(shop, charge.attempt_no) == ["04"]


def test_a_void_that_is_refused_becomes_a_refund(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.gateway.control.set_fault("bank_card", "error", "refund", code="35")
    assert isinstance(shop.ask("refund", shop.repayable(charge, paid)), RefundPending)
    assert kind_of(shop, charge.attempt_no) == ["04"]


def test_the_same_number_refunds_once(shop: Shop) -> None:
    charge, paid = shop.pay()
    asked = shop.repayable(charge, paid, 345)
    first = shop.ask("refund", asked)
    assert shop.ask("refund", asked) == first
    shop.steer(NEXT_DAY)
    assert isinstance(shop.ask("refund", asked), Refunded)
    assert len(kind_of(shop, charge.attempt_no)) == 1


def test_a_void_whose_answer_was_lost_is_not_made_twice(shop: Shop) -> None:
    charge, paid = shop.pay()
    asked = shop.repayable(charge, paid)
    shop.gateway.control.set_fault("bank_card", "timeout_after", "refund", seconds="5")
    assert isinstance(shop.ask("refund", asked), Unknown)
    shop.steer(NEXT_DAY)  # now it would be a refund
    assert isinstance(shop.ask("refund", asked), Refunded)
    assert kind_of(shop, charge.attempt_no) == ["31"]


def test_a_refund_that_never_came_is_absent(shop: Shop) -> None:
    charge, paid = shop.pay()
    asked = shop.repayable(charge, paid)
    shop.gateway.control.set_fault("bank_card", "timeout_before", "refund", seconds="5")
    assert isinstance(shop.ask("refund", asked), Unknown)
    nothing = shop.ask("query_refund", asked)
    assert isinstance(nothing, RefundFailed) and nothing.absent
    assert isinstance(shop.ask("refund", asked), RefundPending)


def test_a_refund_that_fails_later_is_told(shop: Shop) -> None:
    charge, paid = shop.pay()
    shop.gateway.control.set_fault("bank_card", "refund_fails_later", "refund", seconds="5")
    asked = shop.repayable(charge, paid, 100)
    assert isinstance(shop.ask("refund", asked), RefundPending)
    shop.steer(NOON + LATER)
    [_, told] = shop.heard.wait(2)
    failed = shop.ask("query_refund", asked)
    assert isinstance(failed, RefundFailed) and (failed.code, failed.reason, failed.absent) == (
        "01",
        "REFUND_REJECTED",
        False,
    )
    assert CHANNEL.read_notice(shop.passage, told).result == failed


def test_an_account_that_holds_too_little_refunds_later(shop: Shop) -> None:
    charge, paid = shop.pay()
    mer_id = shop.passage.credential.values["mer_id"]
    was = shop.gateway.control.account("bank_card", mer_id).balance_minor
    shop.gateway.control.change_account("bank_card", mer_id, balance_minor=0)
    poor = shop.ask("refund", shop.repayable(charge, paid, 100))
    assert isinstance(poor, RefundFailed) and (poor.reason, poor.again) == ("REFUND_UNFUNDED", True)
    shop.gateway.control.change_account("bank_card", mer_id, balance_minor=was)


def test_a_refund_of_a_payment_that_is_not_there(shop: Shop) -> None:
    charge, paid = shop.pay()
    lost = shop.ask("refund", shop.repayable(charge, paid, 100, channel_no="0" * 21))
    assert isinstance(lost, RefundFailed) and lost.code == "35"


def test_a_number_is_taken_once_for_whatever_it_was(shop: Shop) -> None:
    charge, paid = shop.pay()
    same = shop.ask("refund", shop.repayable(charge, paid, 100, refund_no=charge.attempt_no))
    assert isinstance(same, Refunded | RefundFailed | Unknown | RefundPending)
    assert kind_of(shop, charge.attempt_no) == []


def test_money_goes_out_to_a_card(shop: Shop) -> None:
    payout = shop.payout(payee=shop.token())
    before = shop.gateway.control.account("bank_card", shop.passage.credential.values["mer_id"]).balance_minor
    paid = shop.ask("pay_out", payout)
    assert isinstance(paid, Paid) and (paid.amount_minor, paid.paid_at) == (5_000, NOON)
    assert shop.ask("pay_out", payout) == paid == shop.ask("query_payout", payout.payout_no)
    after = shop.gateway.control.account("bank_card", shop.passage.credential.values["mer_id"]).balance_minor
    assert before - after == 5_000
    assert isinstance(shop.ask("pay_out", shop.payout(payee=GOOD)), Paid)


def test_a_payout_that_the_bank_refuses(shop: Shop) -> None:
    said = shop.ask("pay_out", shop.payout(payee=issuer.test_card("14")))
    assert isinstance(said, Declined) and (said.reason, said.kind) == ("CARD_INVALID", "refused")
    assert isinstance(shop.ask("pay_out", shop.payout(payee=issuer.test_card("09"))), Pending)


def test_a_payout_without_an_answer(shop: Shop) -> None:
    payee = shop.token()
    shop.gateway.control.set_fault("bank_card", "timeout_after", "pay_out", seconds="5")
    payout = shop.payout(payee=payee)
    assert isinstance(shop.ask("pay_out", payout), Unknown)
    assert isinstance(shop.ask("query_payout", payout.payout_no), Paid)
    assert shop.ask("query_payout", shop.payout().payout_no).kind == "absent"


def test_a_payout_that_the_account_cannot_pay(shop: Shop) -> None:
    said = shop.ask("pay_out", shop.payout(10**11, GOOD))
    assert isinstance(said, Declined) and said.code == "64"


def test_a_card_is_bound_or_not(shop: Shop) -> None:
    token = shop.token()
    assert token.startswith("token:") and len(token) == 25 and not issuer.is_number(token.removeprefix("token:"))
    lost = shop.ask("bind_card", shop.no(), issuer.test_card("41"), "林晓")
    assert isinstance(lost, Declined) and lost.reason == "CARD_LOST_STOLEN"
    shop.gateway.control.set_fault("bank_card", "timeout_after", "bind", seconds="5")
    with pytest.raises(CardUnbound):
        shop.ask("bind_card", shop.no(), GOOD, "林晓")
    assert shop.token() == token


def test_a_days_file(shop: Shop) -> None:
    passage = shop.gateway.enrol("bank_card")
    mine = replace_passage(shop, passage)
    day_on = date(2026, 3, 20)
    mine.steer(start_of_day(day_on) + timedelta(hours=10))
    first, paid = mine.pay(10_000)
    mine.steer(mine.clock.now() + timedelta(minutes=1))
    second, _ = mine.pay(20_000)
    mine.steer(mine.clock.now() + timedelta(minutes=1))
    asked = mine.repayable(first, paid, 4_000)
    mine.ask("refund", asked)
    with pytest.raises(BillNotReady) as early:
        mine.ask("download_bill", day_on)
    assert early.value.empty
    mine.steer(start_of_day(day_on) + timedelta(days=1, hours=10))
    raw = mine.ask("download_bill", day_on)
    read = CHANNEL.parse_bill(raw, day_on)
    assert read.account == passage.credential.values["mer_id"]
    assert [(line.kind, line.attempt_no, line.refund_no, line.amount_minor, line.fee_minor) for line in read.lines] == [
        ("payment", first.attempt_no, "", 10_000, -55),
        ("payment", second.attempt_no, "", 20_000, -110),
        ("refund", first.attempt_no, asked.refund_no, -4_000, 22),
    ]
    assert read.lines[0].channel_no == paid.channel_no and read.lines[0].at == paid.paid_at
    assert (read.payments, read.paid_minor, read.refunds, read.refunded_minor, read.fee_minor) == (
        2,
        30_000,
        1,
        4_000,
        -143,
    )
    with pytest.raises(BillNotReady):
        mine.ask("download_bill", day_on - timedelta(days=1))
    mine.gateway.control.set_fault("bank_card", "down", "bill", times=2)
    with pytest.raises(BillNotReady) as down:
        mine.ask("download_bill", day_on)
    assert not down.value.empty


def test_differences_planted_in_a_file_are_in_it(shop: Shop) -> None:
    mine = replace_passage(shop, shop.gateway.enrol("bank_card"))
    day_on = date(2026, 3, 22)
    mine.steer(start_of_day(day_on) + timedelta(hours=10))
    for _ in range(4):
        mine.pay(10_000)
    mine.gateway.control.set_fault("bank_card", "bill_differences", "bill", plant="missing,amount,duplicate")
    mine.steer(start_of_day(day_on) + timedelta(days=1, hours=10))
    read = CHANNEL.parse_bill(mine.ask("download_bill", day_on), day_on)
    assert sorted(line.amount_minor for line in read.lines) == [10_000, 10_000, 10_000, 10_001]
    assert len({line.attempt_no for line in read.lines}) == 3


def replace_passage(shop: Shop, passage: object) -> Shop:
    return Shop(shop.gateway, shop.clock, shop.http, passage, shop.heard)  # type: ignore[arg-type]
