"""Refunds over sockets: accepted, done, failed later, repeated; and each rule about how many and when."""

from __future__ import annotations

import msgspec
from tests.channels.wechat_pay.shop import Shop

from fenqi.channels.contract import Refunded, RefundFailed, RefundPending

replace = msgspec.structs.replace


def test_a_refund_is_accepted_and_later_done(shop: Shop) -> None:
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 345)
    pending = shop.refund(asked)
    assert isinstance(pending, RefundPending)
    assert len(pending.channel_no) == 29 and pending.channel_no.startswith("503")
    assert shop.query_refund(asked) == pending
    shop.gateway.control.steer(20 * 60 + 1)
    shop.notices(1, out_refund_no=asked.refund_no)
    done = shop.query_refund(asked)
    assert isinstance(done, Refunded)
    assert (done.channel_no, done.amount_minor) == (pending.channel_no, 345)


def test_a_refund_that_is_not_there(shop: Shop) -> None:
    charge, paid = shop.sell()
    missing = shop.query_refund(shop.repayable(charge, paid, 1))
    assert missing == RefundFailed("RESOURCE_NOT_EXISTS", "REFUND_REJECTED", "退款单不存在", absent=True)


def test_the_same_number_is_the_same_refund(shop: Shop) -> None:
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 12_345)
    assert shop.refund(asked) == shop.refund(asked) == shop.query_refund(asked)
    seen = shop.gateway.control.find("wechat_pay", charge.attempt_no)
    assert [refund.amount_minor for refund in seen.refunds] == [12_345]


def test_the_same_number_for_another_amount_is_still_the_first(shop: Shop) -> None:
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 100)
    first = shop.refund(asked)
    other = shop.refund(replace(asked, amount_minor=200))
    assert other == first
    assert [one.amount_minor for one in shop.gateway.control.find("wechat_pay", charge.attempt_no).refunds] == [100]


def test_more_than_is_left_is_too_large(shop: Shop) -> None:
    shop.gateway.control.set_speed(1_000)
    charge, paid = shop.sell()
    assert isinstance(shop.refund(shop.repayable(charge, paid, 12_000)), RefundPending)
    shop.gateway.control.steer(120)
    failed = shop.refund(shop.repayable(charge, paid, 346))
    assert failed == RefundFailed("INVALID_REQUEST", "REFUND_TOO_LARGE", "退款金额大于可退金额")
    assert isinstance(shop.refund(shop.repayable(charge, paid, 345)), RefundPending)


def test_two_refunds_of_a_payment_are_a_minute_apart(shop: Shop) -> None:
    charge, paid = shop.sell()
    shop.refund(shop.repayable(charge, paid, 100))
    asked = shop.repayable(charge, paid, 100)
    early = shop.refund(asked)
    assert isinstance(early, RefundFailed) and (early.reason, early.again) == ("REFUND_TOO_MANY", True)
    shop.gateway.control.steer(61)
    assert isinstance(shop.refund(asked), RefundPending)


def test_fifty_refunds_are_the_most(fresh_shop: Shop) -> None:
    shop = fresh_shop
    charge, paid = shop.sell()
    for count in range(50):
        shop.gateway.control.steer(61 * count)
        assert isinstance(shop.refund(shop.repayable(charge, paid, 1)), RefundPending), count
    shop.gateway.control.steer(61 * 50)
    last = shop.refund(shop.repayable(charge, paid, 1))
    assert isinstance(last, RefundFailed) and last.reason == "REFUND_TOO_MANY"


def test_a_year_is_the_longest(shop: Shop) -> None:
    charge, paid = shop.sell()
    shop.gateway.control.steer(365 * 86_400 + 60)
    late = shop.refund(shop.repayable(charge, paid, 1))
    assert late == RefundFailed("TRADE_OVERDUE", "REFUND_TOO_LATE", "订单已经超过退款期限")


def test_an_empty_account_refunds_nothing_until_it_is_filled(fresh_shop: Shop) -> None:
    shop = fresh_shop
    charge, paid = shop.sell()
    shop.gateway.control.change_account("wechat_pay", shop.values["mchid"], balance_minor=0)
    asked = shop.repayable(charge, paid, 12_345)
    short = shop.refund(asked)
    assert isinstance(short, RefundFailed) and (short.reason, short.again) == ("REFUND_UNFUNDED", True)
    shop.gateway.control.change_account("wechat_pay", shop.values["mchid"], balance_minor=12_345)
    assert isinstance(shop.refund(asked), RefundPending)


def test_a_refund_of_what_was_never_paid(shop: Shop) -> None:
    _, paid = shop.sell()
    unpaid = shop.charge()
    shop.pay(unpaid)
    failed = shop.refund(shop.repayable(unpaid, paid, 1))
    assert isinstance(failed, RefundFailed) and (failed.code, failed.absent) == ("RESOURCE_NOT_EXISTS", False)


def test_a_refund_that_fails_later(shop: Shop) -> None:
    charge, paid = shop.sell()
    shop.fault("refund_fails_later", "refund")
    asked = shop.repayable(charge, paid, 100)
    assert isinstance(shop.refund(asked), RefundPending)
    shop.gateway.control.steer(6)
    [incoming] = shop.notices(1, out_refund_no=asked.refund_no)
    notice = shop.channel.read_notice(shop.passage, incoming)
    assert notice.result == shop.query_refund(asked) == RefundFailed("CLOSED", "REFUND_REJECTED")
