"""The credit policy that fenqi starts with: the table of an application, and the parameters of the credit product.

All numbers are the demo's own assumptions except where a source is named; a real operator publishes its own versions.
"""

from __future__ import annotations

from fenqi.credit.decision import ApplicationPolicy, Condition, LimitBand
from fenqi.credit.product import CreditProduct

APPLICATION_POLICY = ApplicationPolicy(
    version="application-2026-1",
    base_score=700,
    pass_score=500,
    review_score=540,
    conditions=(
        Condition("identity_mismatch", "==", 1, "reject", "CR_UNVERIFIED_IDENTITY", 300),
        Condition("is_incomplete", "==", 1, "reject", "CR_APPLICATION_INCOMPLETE", 250),
        Condition("delinquent_days", ">", 30, "reject", "CR_BUREAU_DELINQUENT", 220),
        Condition("own_overdue_days", ">", 30, "reject", "CR_OWN_DELINQUENT", 210),
        Condition("lenders_count", ">=", 8, "reject", "CR_MULTI_LENDER", 180),
        Condition("burden_ppm", ">", 550_000, "reject", "CR_DEBT_BURDEN", 170),
        Condition("income_minor", "<", 200_000, "reject", "CR_INCOME_LOW", 160),
        Condition("inquiries_count", ">", 10, "points", "CR_TOO_MANY_INQUIRIES", 90),
        Condition("lenders_count", ">=", 5, "points", "CR_MULTI_LENDER", 80),
        Condition("burden_ppm", ">", 350_000, "points", "CR_DEBT_BURDEN", 70),
        Condition("without_file", "==", 1, "review", "CR_NO_FILE", 60),
        Condition("delinquent_days", ">", 0, "points", "CR_BUREAU_DELINQUENT", 60),
        Condition("own_overdue_days", ">", 3, "points", "CR_OWN_DELINQUENT", 50),
        Condition("inquiries_count", ">", 5, "points", "CR_TOO_MANY_INQUIRIES", 40),
        Condition("income_unverified", "==", 1, "points", "CR_UNVERIFIED_INCOME", 35),
        Condition("months_on_file", "<", 6, "points", "CR_THIN_FILE", 30),
        Condition("employment_unverified", "==", 1, "points", "CR_UNVERIFIED_EMPLOYMENT", 20),
        Condition("residence_unverified", "==", 1, "points", "CR_UNVERIFIED_RESIDENCE", 15),
    ),
    bands=(
        LimitBand(680, 3_000_000, 1_000_000, 5_000_000),
        LimitBand(620, 2_000_000, 500_000, 3_000_000),
        LimitBand(540, 1_000_000, 100_000, 1_500_000),
        LimitBand(500, 500_000, 50_000, 500_000),
    ),
)

PRODUCT = CreditProduct(version="credit-2026-1")

PRODUCTS = {PRODUCT.version: PRODUCT}
"""Every version that a loan may name; a loan keeps the rules of its own version for ever."""
