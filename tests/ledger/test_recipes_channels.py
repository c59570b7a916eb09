"""What channels take and give back, against tables an accountant can read; numbers worked out by hand."""

from __future__ import annotations

import pytest
from tests.ledger.tables import ALIPAY, CARD, GENERAL, PHONE_SHOP, SOFA_SHOP, check

from fenqi.ledger import chart
from fenqi.ledger.postings.cancellation import cancellation
from fenqi.ledger.postings.channel_refund import channel_refund
from fenqi.ledger.postings.parts import Draw, Receipt, Share, Unbalanced
from fenqi.ledger.postings.payout import payout
from fenqi.ledger.postings.payout_failed import payout_failed
from fenqi.ledger.postings.payout_paid import payout_paid
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.postings.receipt import receipt
from fenqi.ledger.postings.refund import refund
from fenqi.ledger.postings.refund_bounced import refund_bounced
from fenqi.ledger.postings.refund_diverted import refund_diverted
from fenqi.ledger.postings.top_up import top_up


def test_purchase_through_a_channel() -> None:
    check(
        purchase([Share(PHONE_SHOP, 8_990)], channels=[Receipt("alipay", ALIPAY, 8_990)]),
        """
        payment_company clearing:channel:alipay (alipay one)          Dr     89.90
        payment_company clearing:mall                                 Cr     89.90
        mall            clearing:payment_company                      Dr     89.90
        mall            clearing:merchant (phone shop)                Cr     89.90
        """,
    )


def test_purchase_by_credit_money_and_two_channels_from_two_merchants() -> None:
    """6,000.00 = 4,000.00 on credit + 500.00 of money + 1,000.00 with Alipay + 500.00 by card; 90.00 of subsidy."""
    check(
        purchase(
            [Share(PHONE_SHOP, 450_000), Share(SOFA_SHOP, 150_000)],
            [Draw(GENERAL, 400_000)],
            50_000,
            [Share(PHONE_SHOP, 9_000)],
            [Receipt("alipay", ALIPAY, 100_000), Receipt("bank_card", CARD, 50_000)],
        ),
        """
        lender          asset:loan_principal:general                  Dr  4,000.00
        lender          clearing:mall                                 Cr  4,000.00
        mall            clearing:lender                               Dr  4,000.00
        payment_company liability:money_account                       Dr    500.00
        payment_company clearing:channel:alipay (alipay one)          Dr  1,000.00
        payment_company clearing:channel:bank_card (card one)         Dr    500.00
        payment_company clearing:mall                                 Cr  2,000.00
        mall            clearing:payment_company                      Dr  2,000.00
        mall            clearing:merchant (phone shop)                Cr  4,500.00
        mall            clearing:merchant (sofa shop)                 Cr  1,500.00
        mall            clearing:merchant (phone shop)                Dr     90.00
        mall            clearing:lender                               Cr     90.00
        lender          clearing:mall                                 Dr     90.00
        lender          income:merchant_subsidy                       Cr     90.00
        """,
    )


def test_receipt_that_no_order_can_take() -> None:
    check(
        receipt(Receipt("alipay", ALIPAY, 8_990)),
        """
        payment_company clearing:channel:alipay (alipay one)          Dr     89.90
        payment_company liability:refund_payable (alipay one)         Cr     89.90
        """,
    )


def test_refund_through_a_channel_is_owed_first() -> None:
    """1,000.00 back: 600.00 off the loan, 150.00 repaid before and so in money, 250.00 through Alipay."""
    check(
        refund(
            [Share(PHONE_SHOP, 100_000)], [Draw(GENERAL, 60_000)], 15_000, channels=[Receipt("alipay", ALIPAY, 25_000)]
        ),
        """
        mall            clearing:merchant (phone shop)                Dr  1,000.00
        mall            clearing:lender                               Cr    600.00
        lender          clearing:mall                                 Dr    600.00
        lender          asset:loan_principal:general                  Cr    600.00
        mall            clearing:payment_company                      Cr    400.00
        payment_company clearing:mall                                 Dr    400.00
        payment_company liability:money_account                       Cr    150.00
        payment_company liability:refund_payable (alipay one)         Cr    250.00
        """,
    )


def test_channel_refund_takes_it_off_the_channel() -> None:
    check(
        channel_refund(Receipt("alipay", ALIPAY, 25_000)),
        """
        payment_company liability:refund_payable (alipay one)         Dr    250.00
        payment_company clearing:channel:alipay (alipay one)          Cr    250.00
        """,
    )


def test_channel_refund_that_came_back() -> None:
    check(
        refund_bounced(Receipt("bank_card", CARD, 25_000)),
        """
        payment_company clearing:channel:bank_card (card one)         Dr    250.00
        payment_company liability:refund_payable (card one)           Cr    250.00
        """,
    )


def test_refund_that_the_channel_can_not_carry_out_goes_to_the_money_account() -> None:
    check(
        refund_diverted(Receipt("bank_card", CARD, 25_000)),
        """
        payment_company liability:refund_payable (card one)           Dr    250.00
        payment_company liability:money_account                       Cr    250.00
        """,
    )


def test_cancellation_owes_back_what_the_channel_took() -> None:
    bought = purchase(
        [Share(PHONE_SHOP, 599_900)], [Draw(GENERAL, 479_900)], 20_000, channels=[Receipt("alipay", ALIPAY, 100_000)]
    )
    check(
        cancellation(bought),
        """
        lender          asset:loan_principal:general                  Cr  4,799.00
        lender          clearing:mall                                 Dr  4,799.00
        mall            clearing:lender                               Cr  4,799.00
        payment_company liability:money_account                       Cr    200.00
        payment_company liability:refund_payable (alipay one)         Cr  1,000.00
        payment_company clearing:mall                                 Dr  1,200.00
        mall            clearing:payment_company                      Cr  1,200.00
        mall            clearing:merchant (phone shop)                Dr  5,999.00
        """,
    )


def test_top_up() -> None:
    check(
        top_up(Receipt("bank_card", CARD, 100_000)),
        """
        payment_company clearing:channel:bank_card (card one)         Dr  1,000.00
        payment_company liability:money_account                       Cr  1,000.00
        """,
    )


def test_payout_that_is_paid() -> None:
    check(
        (*payout(25_050), *payout_paid(Receipt("bank_card", CARD, 25_050))),
        """
        payment_company liability:money_account                       Dr    250.50
        payment_company liability:payout_payable                      Cr    250.50
        payment_company liability:payout_payable                      Dr    250.50
        payment_company clearing:channel:bank_card (card one)         Cr    250.50
        """,
    )


def test_payout_that_failed_is_money_again() -> None:
    check(
        (*payout(25_050), *payout_failed(25_050)),
        """
        payment_company liability:money_account                       Dr    250.50
        payment_company liability:payout_payable                      Cr    250.50
        payment_company liability:payout_payable                      Dr    250.50
        payment_company liability:money_account                       Cr    250.50
        """,
    )


def test_channels_parts_have_to_add_up_too() -> None:
    with pytest.raises(Unbalanced):
        purchase([Share(PHONE_SHOP, 100)], [Draw(GENERAL, 60)], 10, channels=[Receipt("alipay", ALIPAY, 31)])
    with pytest.raises(Unbalanced):
        refund([Share(PHONE_SHOP, 100)], [Draw(GENERAL, 60)], 10, channels=[Receipt("alipay", ALIPAY, 29)])


def test_a_channels_account_is_its_passages() -> None:
    path = Receipt("alipay", ALIPAY, 1).path
    assert (path, chart.mirror(path, 1), chart.mirror(path, -1)) == (
        "clearing:channel:alipay", chart.CHANNEL_IN_TRANSIT, chart.CHANNEL_IN_TRANSIT,
    )  # fmt: skip
    assert chart.is_channel(path) and chart.is_owned(path) and chart.is_clearing(path)
    assert not chart.is_channel("clearing:mall")
    assert not chart.is_limited(chart.REFUND_PAYABLE) and not chart.is_limited(chart.PAYOUT_PAYABLE)
