"""The tables that a policy has: what each is asked, and what it may answer. Each is a contract with one flow.

A new table is an entry here; the lint, both engines, the console, import and export follow from it.
"""

from __future__ import annotations

from fenqi.kernel.reason_codes import CODES
from fenqi.policy.model import KINDS, METHODS, NOT_COVERED, SCENES, SELLER_KINDS, VERDICTS
from fenqi.policy.table import Field, Output, Schema

SEGMENTS = ("student_parent", "teacher", "veteran", "employee")
"""Groups that a consumer has shown to belong to; a person may be in several."""
LISTS = ("block", "watch", "allow")
SUBJECTS = ("consumer", "device", "card", "address", "merchant")
LISTED = tuple(f"{kind}:{subject}" for kind in LISTS for subject in SUBJECTS)
NETWORKS = ("ordinary", "proxy", "far")
REVIEWS = ("none", "open", "cleared", "confirmed")
CURES = ("none", "step_up", "id_check", "wait", "review")
"""What lifts a finding: nothing, a confirmation by password or code, proving one's name again, time, a person."""
FINDINGS = (
    "none", "RISK_TXN_BLOCKED", "RISK_DEVICE_NEW", "RISK_DEVICE_ROOTED", "RISK_NETWORK", "RISK_ADDRESS_ANOMALY",
    "RISK_CASHOUT_SUSPECT", "RISK_PROFILE_CHURN", "RISK_ACCOUNT_TAKEOVER", "RISK_MERCHANT_FLAGGED",
    "RISK_ABUSE_RETURNS", "RISK_VELOCITY", "RISK_MANUAL_REVIEW", "SANCTION_OR_FRAUD_LIST",
)  # fmt: skip

_WHERE = (
    Field("method", "text", METHODS),
    Field("scene", "text", SCENES),
    Field("category", "codes"),
    Field("seller_kind", "text", SELLER_KINDS),
    Field("merchant", "text"),
)
"""Of one line: the goods' categories from the leaf to the root; the merchant by its code."""
_WHERE_ALL = (
    Field("method", "text", METHODS),
    Field("scene", "text", SCENES),
    Field("category", "codes"),
    Field("seller_kind", "codes", SELLER_KINDS),
    Field("merchant", "codes"),
)
"""Of a whole order: the categories, kinds of sellers and merchants of all its lines together."""
_WHO = (
    Field("segments", "codes", SEGMENTS),
    Field("clean_months", "number"),
    Field("account_age_days", "number"),
    Field("pd_ppm", "number"),
)
"""Months in a row without a day overdue; the calibrated probability of going bad within a year."""

GOODS = Schema(
    "goods",
    "first",
    (*_WHERE, *_WHO),
    (
        Output("verdict", "text", "allow", (*VERDICTS, NOT_COVERED)),
        Output("min_minor", "number", 0),
        Output("max_minor", "number", None),
        Output("terms", "numbers", None),
        Output("excluded", "texts", (), KINDS),
    ),
    {},
)
"""Scene × category × method × merchant: may these goods be bought so, from how much to how much, in how many parts."""

TRANSACTION = Schema(
    "transaction",
    "collect",
    (
        *_WHERE_ALL,
        *_WHO,
        Field("amount_minor", "number"),
        Field("hour", "number"),
        Field("limit_used_ppm", "number"),
        Field("same_seller_30d_count", "number"),
        Field("same_seller_30d_minor", "number"),
        Field("presses_1h_count", "number"),
        Field("refused_1h_count", "number"),
        Field("device_presses_1h_count", "number"),
        Field("device_known", "flag"),
        Field("device_rooted", "flag"),
        Field("device_consumers_count", "number"),
        Field("card_consumers_count", "number"),
        Field("address_consumers_count", "number"),
        Field("address_is_new", "flag"),
        Field("network", "text", NETWORKS),
        Field("profile_changed_hours", "number"),
        Field("wrong_passwords_24h_count", "number"),
        Field("listed", "codes", LISTED),
        Field("linked_fraud_count", "number"),
        Field("seller_linked", "flag"),
        Field("returns_90d_count", "number"),
        Field("returned_90d_ppm", "number"),
        Field("complaints_upheld_90d_count", "number"),
        Field("review", "text", REVIEWS),
    ),
    (
        Output("code", "text", "none", FINDINGS),
        Output("cure", "text", "none", CURES),
        Output("wait_hours", "number", 0),
    ),
    {"code": "none"},
)
"""Per-transaction risk: every finding, with what lifts it."""

EXPOSURE = Schema(
    "exposure",
    "collect",
    (*_WHERE_ALL, *_WHO),
    (Output("programme", "text", ""), Output("cap_minor", "number", None)),
    {"programme": ""},
)
"""Caps of the whole book: which programmes a purchase counts against, and how much each may lend in all."""

COUNTER_OFFER = Schema(
    "counter_offer",
    "first",
    (*_WHERE_ALL, *_WHO, Field("amount_minor", "number"), Field("limit_used_ppm", "number")),
    (Output("down_payment_ppm", "number", 0), Output("most_instalments", "number", None)),
    {},
)
"""What is offered instead of a no: a part down, or a shorter term."""

CREDIT_REASONS = tuple(code for code, meta in CODES.items() if meta.group == "G")
"""The principal reasons that a row may give; a row without one gives the scorecard's."""

_APPLICANT = tuple(
    Field(name, "number")
    for name in (
        "identity_mismatch", "is_incomplete", "without_file", "income_unverified", "employment_unverified",
        "residence_unverified", "income_minor", "burden_ppm", "delinquent_days", "own_overdue_days", "lenders_count",
        "inquiries_count", "months_on_file",
    )
)  # fmt: skip

OPENING = Schema(
    "opening",
    "collect",
    (*_APPLICANT, Field("segments", "codes", SEGMENTS), Field("pd_ppm", "number")),
    (
        Output("effect", "text", "none", ("none", "reject", "review", "points")),
        Output("code", "text", "", ("", *CREDIT_REASONS)),
        Output("weight", "number", 0),
    ),
    {"effect": "none"},
)
"""An application: every condition that speaks against it, with the principal reason that it gives and its weight."""

LIMIT = Schema(
    "limit",
    "first",
    (
        Field("score", "number"),
        Field("pd_ppm", "number"),
        Field("income_minor", "number"),
        Field("segments", "codes", SEGMENTS),
    ),
    (
        Output("share_ppm", "number", 0),
        Output("floor_minor", "number", 0),
        Output("cap_minor", "number", 0),
        Output("review", "flag", False),
    ),
    {},
)
"""The limit of an approved application: a share of the income, between a floor and a cap, or left to a person. The
score is 700 less the weights of everything that spoke against the applicant."""

SCHEMAS = {each.key: each for each in (OPENING, LIMIT, GOODS, TRANSACTION, EXPOSURE, COUNTER_OFFER)}
