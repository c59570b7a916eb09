"""Routes: for each reason the ways whose outcome others decide, with their usual times.

Never shown as a certain remedy. A reason with neither a route nor an action is marked incurable.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fenqi.cashier.action import Route
from fenqi.cashier.case import start_of_day_ms
from fenqi.cashier.facts import Facts
from fenqi.kernel.reason import Reason

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

USUAL_MS: dict[str, int] = {
    "apply": 10 * _MINUTE,
    "await_application": 10 * _MINUTE,
    "appeal": 3 * _DAY,
    "human_review": 2 * _DAY,
    "ask_seller": 3 * _DAY,
    "other_account": 5 * _MINUTE,
    "dispute_report": 20 * _DAY,
    "settlement_plan": 5 * _DAY,
    "contact_support": 1 * _DAY,
    "bank": 1 * _DAY,
    "raise_limit": 10 * _MINUTE,
    "add_goods": 5 * _MINUTE,
    "channel_back": 1 * _HOUR,
    "step_up": 1 * _MINUTE,
    "id_check": 2 * _MINUTE,
    "other_method": 1 * _MINUTE,
}
"""The usual time of each kind of route; the operator's promise where there is one."""

ROUTES: dict[str, tuple[str, ...]] = {
    "METHOD_NOT_INTEGRATED": ("contact_support",),
    "POLICY_MISSING": ("contact_support",),
    "METHOD_UNAVAILABLE_NOW": ("other_method", "contact_support"),
    "SELLER_NOT_ENABLED": ("ask_seller",),
    "SELLER_STATUS_ABNORMAL": ("contact_support",),
    "GOODS_VIRTUAL_SCENE_SUSPENDED": ("appeal",),
    "FORBIDDEN_WORD": ("ask_seller",),
    "AMOUNT_BELOW_MIN": ("add_goods",),
    "PLAN_TERM_CONFLICT": ("contact_support",),
    "CREDIT_NOT_OPENED": ("apply",),
    "CREDIT_APPLICATION_PENDING": ("await_application",),
    "CREDIT_APPLICATION_REJECTED": ("human_review", "apply"),
    "CREDIT_COOLING_OFF": ("human_review",),
    "CREDIT_CLOSED_BY_LENDER": ("appeal", "human_review"),
    "CREDIT_ON_OTHER_ACCOUNT": ("other_account",),
    "CREDIT_UNDER_ASSESSMENT": ("step_up", "human_review"),
    "PAYER_NOT_ACCOUNT_OWNER": ("other_account",),
    "IDENTITY_CHECK_NEEDED": ("step_up", "contact_support"),
    "OVERDUE_RECENT_HISTORY": ("human_review",),
    "OVERDUE_WITH_OTHERS": ("dispute_report",),
    "REPAYMENT_DISPUTED": ("contact_support",),
    "COLLECTIONS_OR_LEGAL": ("settlement_plan",),
    "HARDSHIP_PLAN_ACTIVE": ("contact_support",),
    "LIMIT_INSUFFICIENT": ("raise_limit",),
    "LIMIT_TEMPORARY_EXPIRED": ("raise_limit",),
    "LIMIT_REDUCED": ("human_review",),
    "LIMIT_FROZEN": ("human_review",),
    "LIMIT_OVERDRAWN": ("human_review",),
    "INSTALLMENT_LIMIT_INSUFFICIENT": ("raise_limit",),
    "RISK_TXN_BLOCKED": ("appeal",),
    "RISK_DEVICE_NEW": ("step_up", "appeal"),
    "RISK_DEVICE_ROOTED": ("appeal",),
    "RISK_NETWORK": ("step_up", "appeal"),
    "RISK_ADDRESS_ANOMALY": ("step_up", "appeal"),
    "RISK_CASHOUT_SUSPECT": ("appeal",),
    "RISK_PROFILE_CHURN": ("step_up", "appeal"),
    "RISK_ACCOUNT_TAKEOVER": ("step_up", "appeal"),
    "RISK_MERCHANT_FLAGGED": ("contact_support",),
    "RISK_ABUSE_RETURNS": ("appeal",),
    "RISK_MANUAL_REVIEW": ("human_review",),
    "SANCTION_OR_FRAUD_LIST": ("appeal",),
    "RISK_REVIEW": ("step_up", "id_check", "other_method", "appeal"),
    "NO_INSTRUMENT": ("contact_support",),
    "CARD_EXPIRED": ("bank",),
    "CARD_INVALID": ("bank",),
    "CARD_LOST_STOLEN": ("bank",),
    "CARD_LIMIT_AMOUNT": ("bank",),
    "CARD_LIMIT_COUNT": ("bank",),
    "CARD_ONLINE_DISABLED": ("bank",),
    "TXN_NOT_PERMITTED": ("bank",),
    "ISSUER_DECLINED": ("bank",),
    "ISSUER_UNAVAILABLE": ("channel_back",),
    "CHANNEL_NOT_CONTRACTED": ("contact_support",),
    "CHANNEL_MAINTENANCE": ("channel_back",),
    "CHANNEL_DOWN": ("channel_back",),
    "CHANNEL_TIMEOUT": ("channel_back",),
    "CHANNEL_RATE_LIMITED": ("channel_back",),
    "UNKNOWN": ("contact_support",),
} | {
    code: ("human_review",)
    for code in (
        "CR_APPLICATION_INCOMPLETE",
        "CR_INCOME_LOW",
        "CR_DEBT_BURDEN",
        "CR_NO_FILE",
        "CR_THIN_FILE",
        "CR_BUREAU_DELINQUENT",
        "CR_OWN_DELINQUENT",
        "CR_TOO_MANY_INQUIRIES",
        "CR_UNVERIFIED_INCOME",
        "CR_UNVERIFIED_EMPLOYMENT",
        "CR_UNVERIFIED_RESIDENCE",
        "CR_UNVERIFIED_IDENTITY",
        "CR_MULTI_LENDER",
        "CR_RECENT_CREDIT",
        "CR_HIGH_UTILISATION",
    )
}
"""Code → kinds of route, the first to be shown first."""


def routes_of(facts: Facts, reasons: Iterable[Reason]) -> tuple[Route, ...]:
    """The routes of these reasons, each kind once, in the reasons' order.

    A limit that can't be judged before the line is open has none yet: opening the line comes first.
    """
    found: dict[str, Route] = {}
    for reason in reasons:
        if reason.depends_on is not None and reason.meta.group == "B":
            continue
        for kind in ROUTES.get(reason.code, ()):
            if kind not in found:
                found[kind] = _route(facts, kind, reason)
    return tuple(found.values())


def route_kinds(code: str) -> tuple[str, ...]:
    """The kinds of route that a reason of this code has."""
    return ROUTES.get(code, ())


def fixed_routes(code: str) -> tuple[Route, ...]:
    """The one set of routes of a public twin, the same whatever it stands for."""
    return tuple(Route(kind, USUAL_MS[kind]) for kind in ROUTES.get(code, ()))


def _route(facts: Facts, kind: str, reason: Reason) -> Route:
    if kind == "apply":
        from_on = facts.credit.reapply_from_on
        early = from_on is not None and facts.today_on < from_on
        return Route(kind, USUAL_MS[kind], start_of_day_ms(from_on) if early and from_on is not None else None)
    if kind in ("await_application", "channel_back") and reason.until_ms is not None:
        return Route(kind, max(0, reason.until_ms - facts.now_ms))
    return Route(kind, USUAL_MS[kind])
