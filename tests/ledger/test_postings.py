"""Recipes against tables an accountant can read: debit and credit per book, numbers worked out by hand."""

from __future__ import annotations

import pytest
from tests.ledger.tables import FURNITURE, GENERAL, PHONE_SHOP, SOFA_SHOP, check

from fenqi.ledger.postings.bank_in import bank_in
from fenqi.ledger.postings.cancellation import cancellation
from fenqi.ledger.postings.instalment_due import instalment_due
from fenqi.ledger.postings.parts import Charges, Draw, Share, Unbalanced
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.postings.refund import refund
from fenqi.ledger.postings.repayment import repayment
from fenqi.ledger.postings.withdrawal import withdrawal


def test_bank_in() -> None:
    check(
        bank_in(100_000),
        """
        partner_bank    asset:interbank                               Dr  1,000.00
        partner_bank    clearing:payment_company                      Cr  1,000.00
        payment_company clearing:partner_bank                         Dr  1,000.00
        payment_company liability:money_account                       Cr  1,000.00
        """,
    )


def test_withdrawal() -> None:
    check(
        withdrawal(25_050),
        """
        payment_company liability:money_account                       Dr    250.50
        payment_company clearing:partner_bank                         Cr    250.50
        partner_bank    clearing:payment_company                      Dr    250.50
        partner_bank    asset:interbank                               Cr    250.50
        """,
    )


def test_purchase_by_credit() -> None:
    check(
        purchase([Share(PHONE_SHOP, 599_900)], [Draw(GENERAL, 599_900)]),
        """
        lender          asset:loan_principal:general                  Dr  5,999.00
        lender          clearing:mall                                 Cr  5,999.00
        mall            clearing:lender                               Dr  5,999.00
        mall            clearing:merchant (phone shop)                Cr  5,999.00
        """,
    )


def test_purchase_on_two_limits_from_two_merchants() -> None:
    check(
        purchase(
            [Share(PHONE_SHOP, 200_000), Share(SOFA_SHOP, 300_000)],
            [Draw(FURNITURE, 300_000), Draw(GENERAL, 200_000)],
        ),
        """
        lender          asset:loan_principal:dedicated:furniture      Dr  3,000.00
        lender          asset:loan_principal:general                  Dr  2,000.00
        lender          clearing:mall                                 Cr  5,000.00
        mall            clearing:lender                               Dr  5,000.00
        mall            clearing:merchant (phone shop)                Cr  2,000.00
        mall            clearing:merchant (sofa shop)                 Cr  3,000.00
        """,
    )


def test_purchase_by_money_account() -> None:
    check(
        purchase([Share(PHONE_SHOP, 8_990)], money_account_minor=8_990),
        """
        payment_company liability:money_account                       Dr     89.90
        payment_company clearing:mall                                 Cr     89.90
        mall            clearing:payment_company                      Dr     89.90
        mall            clearing:merchant (phone shop)                Cr     89.90
        """,
    )


def test_mixed_purchase() -> None:
    """1,200.00 of 5,999.00 from the money account, the rest by credit."""
    check(
        purchase([Share(PHONE_SHOP, 599_900)], [Draw(GENERAL, 479_900)], 120_000),
        """
        lender          asset:loan_principal:general                  Dr  4,799.00
        lender          clearing:mall                                 Cr  4,799.00
        mall            clearing:lender                               Dr  4,799.00
        payment_company liability:money_account                       Dr  1,200.00
        payment_company clearing:mall                                 Cr  1,200.00
        mall            clearing:payment_company                      Dr  1,200.00
        mall            clearing:merchant (phone shop)                Cr  5,999.00
        """,
    )


def test_purchase_with_merchant_subsidy() -> None:
    """Interest-free for the buyer: the merchant pays 4.5 % of 6,000.00 = 270.00 to the lender."""
    check(
        purchase([Share(PHONE_SHOP, 600_000)], [Draw(GENERAL, 600_000)], subsidies=[Share(PHONE_SHOP, 27_000)]),
        """
        lender          asset:loan_principal:general                  Dr  6,000.00
        lender          clearing:mall                                 Cr  6,000.00
        mall            clearing:lender                               Dr  6,000.00
        mall            clearing:merchant (phone shop)                Cr  6,000.00
        mall            clearing:merchant (phone shop)                Dr    270.00
        mall            clearing:lender                               Cr    270.00
        lender          clearing:mall                                 Dr    270.00
        lender          income:merchant_subsidy                       Cr    270.00
        """,
    )


def test_instalment_due() -> None:
    check(
        instalment_due(Charges(fee_minor=3_000, interest_minor=1_234, penalty_minor=56)),
        """
        lender          asset:interest_receivable                     Dr     12.34
        lender          asset:fee_receivable                          Dr     30.00
        lender          asset:penalty_receivable                      Dr      0.56
        lender          income:interest                               Cr     12.34
        lender          income:instalment_fee                         Cr     30.00
        lender          income:penalty                                Cr      0.56
        """,
    )


def test_repayment_of_an_instalment_that_was_due() -> None:
    """499.92 principal, 30.00 fee and 0.56 late fee, all booked as due before."""
    check(
        repayment([Draw(GENERAL, 49_992)], Charges(fee_minor=3_000, penalty_minor=56)),
        """
        payment_company liability:money_account                       Dr    530.48
        payment_company clearing:lender                               Cr    530.48
        lender          clearing:payment_company                      Dr    530.48
        lender          asset:loan_principal:general                  Cr    499.92
        lender          asset:fee_receivable                          Cr     30.00
        lender          asset:penalty_receivable                      Cr      0.56
        """,
    )


def test_repayment_of_a_fee_that_falls_due_with_it() -> None:
    check(
        repayment([Draw(GENERAL, 50_000)], Charges(fee_minor=3_000), recognised=Charges(fee_minor=3_000)),
        """
        payment_company liability:money_account                       Dr    530.00
        payment_company clearing:lender                               Cr    530.00
        lender          clearing:payment_company                      Dr    530.00
        lender          asset:fee_receivable                          Dr     30.00
        lender          income:instalment_fee                         Cr     30.00
        lender          asset:loan_principal:general                  Cr    500.00
        lender          asset:fee_receivable                          Cr     30.00
        """,
    )


def test_refund_before_anything_was_repaid() -> None:
    check(
        refund([Share(PHONE_SHOP, 599_900)], [Draw(GENERAL, 599_900)]),
        """
        mall            clearing:merchant (phone shop)                Dr  5,999.00
        mall            clearing:lender                               Cr  5,999.00
        lender          clearing:mall                                 Dr  5,999.00
        lender          asset:loan_principal:general                  Cr  5,999.00
        """,
    )


def test_refund_of_a_loan_partly_repaid() -> None:
    """1,000.00 comes back, 600.00 of principal is still open: 400.00 were repaid and become money, a due fee goes."""
    check(
        refund([Share(PHONE_SHOP, 100_000)], [Draw(GENERAL, 60_000)], 40_000, waived=Charges(fee_minor=500)),
        """
        mall            clearing:merchant (phone shop)                Dr  1,000.00
        mall            clearing:lender                               Cr    600.00
        lender          clearing:mall                                 Dr    600.00
        lender          asset:loan_principal:general                  Cr    600.00
        mall            clearing:payment_company                      Cr    400.00
        payment_company clearing:mall                                 Dr    400.00
        payment_company liability:money_account                       Cr    400.00
        lender          income:instalment_fee                         Dr      5.00
        lender          asset:fee_receivable                          Cr      5.00
        """,
    )


def test_refund_of_a_loan_fully_repaid_or_of_a_purchase_by_money() -> None:
    check(
        refund([Share(PHONE_SHOP, 8_990)], money_account_minor=8_990),
        """
        mall            clearing:merchant (phone shop)                Dr     89.90
        mall            clearing:payment_company                      Cr     89.90
        payment_company clearing:mall                                 Dr     89.90
        payment_company liability:money_account                       Cr     89.90
        """,
    )


def test_refund_gives_the_subsidy_back() -> None:
    check(
        refund([Share(PHONE_SHOP, 300_000)], [Draw(GENERAL, 300_000)], subsidies=[Share(PHONE_SHOP, 13_500)]),
        """
        mall            clearing:merchant (phone shop)                Dr  3,000.00
        mall            clearing:lender                               Cr  3,000.00
        lender          clearing:mall                                 Dr  3,000.00
        lender          asset:loan_principal:general                  Cr  3,000.00
        lender          income:merchant_subsidy                       Dr    135.00
        lender          clearing:mall                                 Cr    135.00
        mall            clearing:lender                               Dr    135.00
        mall            clearing:merchant (phone shop)                Cr    135.00
        """,
    )


def test_cancellation_undoes_the_purchase() -> None:
    bought = purchase([Share(PHONE_SHOP, 599_900)], [Draw(GENERAL, 479_900)], 120_000)
    check(
        cancellation(bought),
        """
        lender          asset:loan_principal:general                  Cr  4,799.00
        lender          clearing:mall                                 Dr  4,799.00
        mall            clearing:lender                               Cr  4,799.00
        payment_company liability:money_account                       Cr  1,200.00
        payment_company clearing:mall                                 Dr  1,200.00
        mall            clearing:payment_company                      Cr  1,200.00
        mall            clearing:merchant (phone shop)                Dr  5,999.00
        """,
    )


def test_parts_that_do_not_add_up_are_a_bug() -> None:
    with pytest.raises(Unbalanced):
        purchase([Share(PHONE_SHOP, 100)], [Draw(GENERAL, 99)])
    with pytest.raises(Unbalanced):
        refund([Share(PHONE_SHOP, 100)], [Draw(GENERAL, 60)], 41)
