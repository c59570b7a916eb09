"""The dictionary of reasons: every code with its layer, who can fix it, and how openly it may be told.

Order within a layer is the order of precedence in which people are told. Codes are stable: they are never renamed,
and a change of meaning is a new code.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Layer(StrEnum):
    """The nine layers of gates, outermost first."""

    PLATFORM = "platform"
    MERCHANT = "merchant"
    GOODS = "goods"
    PLAN = "plan"
    ACCOUNT = "account"
    LIMIT = "limit"
    RISK = "risk"
    CHANNEL = "channel"
    STATE = "state"


class Fixer(StrEnum):
    """Who can make the reason go away."""

    USER = "user"
    MERCHANT = "merchant"
    PLATFORM = "platform"
    BANK = "bank"
    TIME = "time"
    NOBODY = "nobody"


class Disclosure(StrEnum):
    """How openly a code may be told to the buyer."""

    EXACT = "exact"
    STEP_UP = "step_up"
    """Exact after a step-up sign-in; before it, the public twin."""
    GENERIC = "generic"
    """Never exact to the buyer: always the public twin. Staff and the audit log see the code."""
    STAFF = "staff"
    """A caller's or integrator's matter: the buyer sees the public twin."""


class CodeMeta(msgspec.Struct, frozen=True):
    """One entry of the dictionary."""

    code: str
    group: str
    layer: Layer
    fixer: Fixer
    disclosure: Disclosure = Disclosure.EXACT
    twin: str | None = None


_L, _F, _D = Layer, Fixer, Disclosure
_U, _M, _P, _B, _T, _X = _F.USER, _F.MERCHANT, _F.PLATFORM, _F.BANK, _F.TIME, _F.NOBODY

_ROWS: list[tuple[str, str, Layer, Fixer] | tuple[str, str, Layer, Fixer, Disclosure, str]] = [
    # P: platform and integration
    ("METHOD_NOT_IN_SCENE", "P", _L.PLATFORM, _P),
    ("METHOD_NOT_INTEGRATED", "P", _L.PLATFORM, _P),
    ("METHOD_SUSPENDED", "P", _L.PLATFORM, _T),
    ("EXPOSURE_CAP_REACHED", "P", _L.PLATFORM, _T, _D.GENERIC, "METHOD_UNAVAILABLE_NOW"),
    ("POLICY_MISSING", "P", _L.PLATFORM, _P, _D.GENERIC, "METHOD_UNAVAILABLE_NOW"),
    ("METHOD_UNAVAILABLE_NOW", "P", _L.PLATFORM, _T),
    # F: seller
    ("SELLER_NOT_ENABLED", "F", _L.MERCHANT, _M),
    ("SELLER_TYPE_EXCLUDED", "F", _L.MERCHANT, _X),
    ("SELLER_STATUS_ABNORMAL", "F", _L.MERCHANT, _M),
    ("SELF_DEALING", "F", _L.MERCHANT, _X),
    # F: order and goods
    ("GOODS_CATEGORY_EXCLUDED", "F", _L.GOODS, _U),
    ("GOODS_VIRTUAL_SCENE_SUSPENDED", "F", _L.GOODS, _P, _D.STEP_UP, "METHOD_UNAVAILABLE_NOW"),
    ("GOODS_GIFT_OR_ADDON", "F", _L.GOODS, _U),
    ("MIXED_CART_PARTIAL", "F", _L.GOODS, _U),
    ("PRESALE_DEPOSIT", "F", _L.GOODS, _U),
    ("CROSS_BORDER", "F", _L.GOODS, _X),
    ("RECURRING_OR_SUBSCRIPTION", "F", _L.GOODS, _X),
    ("ENTERPRISE_ORDER", "F", _L.GOODS, _X),
    ("AMOUNT_BELOW_MIN", "F", _L.GOODS, _U),
    ("AMOUNT_ABOVE_MAX", "F", _L.GOODS, _U),
    ("DELIVERY_METHOD_EXCLUDED", "F", _L.GOODS, _U),
    ("CURRENCY_NOT_SUPPORTED", "F", _L.GOODS, _X),
    ("FORBIDDEN_WORD", "F", _L.GOODS, _M, _D.STAFF, "METHOD_UNAVAILABLE_NOW"),
    # H: plan and promotion
    ("PLAN_TERM_NOT_OFFERED", "H", _L.PLAN, _U),
    ("DOWN_PAYMENT_REQUIRED", "H", _L.PLAN, _U),
    ("PLAN_TERM_CONFLICT", "H", _L.PLAN, _P, _D.STAFF, "METHOD_UNAVAILABLE_NOW"),
    ("PLAN_APR_CAP", "H", _L.PLAN, _P, _D.STAFF, "PLAN_TERM_NOT_OFFERED"),
    ("COUPON_EXCLUSIVE", "H", _L.PLAN, _U),
    ("COUPON_METHOD_BOUND", "H", _L.PLAN, _U),
    ("INTEREST_FREE_QUOTA_USED", "H", _L.PLAN, _M),
    ("BUDGET_EXHAUSTED", "H", _L.PLAN, _M),
    ("TRADE_IN_SUBSIDY_EXCLUSIVE", "H", _L.PLAN, _U),
    # A: credit account
    ("CREDIT_NOT_OPENED", "A", _L.ACCOUNT, _U),
    ("CREDIT_NOT_ACTIVATED", "A", _L.ACCOUNT, _U),
    ("CREDIT_APPLICATION_PENDING", "A", _L.ACCOUNT, _T),
    ("CREDIT_APPLICATION_REJECTED", "A", _L.ACCOUNT, _T, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CREDIT_COOLING_OFF", "A", _L.ACCOUNT, _T),
    ("CREDIT_CLOSED_BY_USER", "A", _L.ACCOUNT, _U),
    ("CREDIT_CLOSED_BY_LENDER", "A", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CREDIT_SELF_LOCKED", "A", _L.ACCOUNT, _U),
    ("CREDIT_DORMANT_LOCKED", "A", _L.ACCOUNT, _U),
    ("CREDIT_ACCOUNT_LOCKED_PIN", "A", _L.ACCOUNT, _U),
    ("CREDIT_AGREEMENT_EXPIRED", "A", _L.ACCOUNT, _U),
    ("CREDIT_AUTH_WITHDRAWN", "A", _L.ACCOUNT, _U),
    ("CREDIT_ON_OTHER_ACCOUNT", "A", _L.ACCOUNT, _U, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("AGE_INELIGIBLE", "A", _L.ACCOUNT, _X),
    ("REGION_INELIGIBLE", "A", _L.ACCOUNT, _X),
    ("STUDENT_RESTRICTED", "A", _L.ACCOUNT, _X),
    ("CREDIT_UNDER_ASSESSMENT", "A", _L.ACCOUNT, _P),
    # D: identity and authentication
    ("REALNAME_REQUIRED", "D", _L.ACCOUNT, _U),
    ("REALNAME_MISMATCH", "D", _L.ACCOUNT, _U, _D.STEP_UP, "IDENTITY_CHECK_NEEDED"),
    ("ID_DOCUMENT_EXPIRED", "D", _L.ACCOUNT, _U),
    ("PHONE_NOT_REACHABLE", "D", _L.ACCOUNT, _U),
    ("PAY_PASSWORD_NOT_SET", "D", _L.ACCOUNT, _U),
    ("PAY_PASSWORD_LOCKED", "D", _L.ACCOUNT, _U),
    ("STEP_UP_REQUIRED", "D", _L.ACCOUNT, _U),
    ("SMS_LIMIT", "D", _L.ACCOUNT, _T),
    ("PAYER_NOT_ACCOUNT_OWNER", "D", _L.ACCOUNT, _U, _D.STEP_UP, "IDENTITY_CHECK_NEEDED"),
    ("IDENTITY_CHECK_NEEDED", "D", _L.ACCOUNT, _U),
    # C: repayment status
    ("OVERDUE_CURRENT", "C", _L.ACCOUNT, _U),
    ("OVERDUE_RECENT_HISTORY", "C", _L.ACCOUNT, _T, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("OVERDUE_WITH_OTHERS", "C", _L.ACCOUNT, _U, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("REPAYMENT_DISPUTED", "C", _L.ACCOUNT, _P),
    ("COLLECTIONS_OR_LEGAL", "C", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("HARDSHIP_PLAN_ACTIVE", "C", _L.ACCOUNT, _T, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    # B: limit
    ("LIMIT_INSUFFICIENT", "B", _L.LIMIT, _U),
    ("LIMIT_SINGLE_TXN_CAP", "B", _L.LIMIT, _U),
    ("LIMIT_DAILY_CAP", "B", _L.LIMIT, _T),
    ("LIMIT_MONTHLY_CAP", "B", _L.LIMIT, _T),
    ("LIMIT_SCENE_MISMATCH", "B", _L.LIMIT, _U),
    ("LIMIT_TEMPORARY_EXPIRED", "B", _L.LIMIT, _U),
    ("LIMIT_TEMP_NOT_INSTALLABLE", "B", _L.LIMIT, _U),
    ("LIMIT_REDUCED", "B", _L.LIMIT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("LIMIT_FROZEN", "B", _L.LIMIT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("LIMIT_HELD_BY_PENDING", "B", _L.LIMIT, _T),
    ("LIMIT_OVERDRAWN", "B", _L.LIMIT, _U),
    ("INSTALLMENT_LIMIT_INSUFFICIENT", "B", _L.LIMIT, _U),
    ("CONCURRENT_LOANS_CAP", "B", _L.LIMIT, _U),
    # G: principal reasons of a credit decision
    ("CR_APPLICATION_INCOMPLETE", "G", _L.ACCOUNT, _U, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_INCOME_LOW", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_DEBT_BURDEN", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_NO_FILE", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_THIN_FILE", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_BUREAU_DELINQUENT", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_OWN_DELINQUENT", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_TOO_MANY_INQUIRIES", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_UNVERIFIED_INCOME", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_UNVERIFIED_EMPLOYMENT", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_UNVERIFIED_RESIDENCE", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_UNVERIFIED_IDENTITY", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_MULTI_LENDER", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_RECENT_CREDIT", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    ("CR_HIGH_UTILISATION", "G", _L.ACCOUNT, _P, _D.STEP_UP, "CREDIT_UNDER_ASSESSMENT"),
    # E: risk and environment
    ("RISK_TXN_BLOCKED", "E", _L.RISK, _U, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_DEVICE_NEW", "E", _L.RISK, _U, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_DEVICE_ROOTED", "E", _L.RISK, _U, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_NETWORK", "E", _L.RISK, _U, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_ADDRESS_ANOMALY", "E", _L.RISK, _U, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_CASHOUT_SUSPECT", "E", _L.RISK, _P, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_PROFILE_CHURN", "E", _L.RISK, _T, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_ACCOUNT_TAKEOVER", "E", _L.RISK, _U, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_MERCHANT_FLAGGED", "E", _L.RISK, _M, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_ABUSE_RETURNS", "E", _L.RISK, _P, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_VELOCITY", "E", _L.RISK, _T),
    ("RISK_MANUAL_REVIEW", "E", _L.RISK, _T),
    ("SANCTION_OR_FRAUD_LIST", "E", _L.RISK, _P, _D.GENERIC, "RISK_REVIEW"),
    ("RISK_REVIEW", "E", _L.RISK, _U),
    # I: other instruments and channels
    ("BALANCE_INSUFFICIENT", "I", _L.LIMIT, _U),
    ("CARD_INSUFFICIENT", "I", _L.CHANNEL, _U),
    ("CARD_EXPIRED", "I", _L.CHANNEL, _U),
    ("CARD_INVALID", "I", _L.CHANNEL, _U),
    ("CARD_LOST_STOLEN", "I", _L.CHANNEL, _B, _D.GENERIC, "CARD_INVALID"),
    ("CARD_LIMIT_AMOUNT", "I", _L.CHANNEL, _U),
    ("CARD_LIMIT_COUNT", "I", _L.CHANNEL, _U),
    ("CARD_ONLINE_DISABLED", "I", _L.CHANNEL, _U),
    ("TXN_NOT_PERMITTED", "I", _L.CHANNEL, _B),
    ("ISSUER_DECLINED", "I", _L.CHANNEL, _B),
    ("ISSUER_UNAVAILABLE", "I", _L.CHANNEL, _T),
    ("PAY_SWITCH_OFF", "I", _L.ACCOUNT, _U),
    ("NO_INSTRUMENT", "I", _L.ACCOUNT, _U),
    ("CHANNEL_NOT_CONTRACTED", "I", _L.CHANNEL, _M, _D.STAFF, "METHOD_UNAVAILABLE_NOW"),
    ("CHANNEL_MAINTENANCE", "I", _L.CHANNEL, _T),
    ("CHANNEL_DOWN", "I", _L.CHANNEL, _T),
    ("CHANNEL_TIMEOUT", "I", _L.CHANNEL, _T),
    ("CHANNEL_RATE_LIMITED", "I", _L.CHANNEL, _T, _D.STAFF, "METHOD_UNAVAILABLE_NOW"),
    ("CLIENT_UNSUPPORTED", "I", _L.CHANNEL, _U),
    # state of the order and of payments under way
    ("ORDER_PAID", "F", _L.STATE, _X),
    ("ORDER_CLOSED", "F", _L.STATE, _U),
    ("ORDER_EXPIRED", "F", _L.STATE, _U),
    ("AMOUNT_CHANGED", "F", _L.STATE, _U),
    ("PAYMENT_IN_PROGRESS", "I", _L.STATE, _T),
    ("DUPLICATE_REVERSING", "I", _L.STATE, _T),
    ("UNKNOWN", "I", _L.STATE, _P),
]

CODES: dict[str, CodeMeta] = {row[0]: CodeMeta(*row) for row in _ROWS}
"""Every code there is."""

PRECEDENCE: dict[str, int] = {code: place for place, code in enumerate(CODES)}
"""The order in which reasons are told."""
