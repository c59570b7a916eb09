"""Policy as data: decision tables, methods, plans and campaigns, and the numbers of law, in versions with dates.

A document is written by one person and published by another; from its effective instant it decides, and decisions of
the past name the version they were made by.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from fenqi.policy.table import Table

ANY = "*"
SCENES = ("mall", "instalment_mall", "partner_store", "scan_to_pay")
SELLER_KINDS = ("self_operated", "third_party", "external")
METHODS = ("credit", "money_account", "bank_card", "alipay", "wechat_pay", "huawei_pay")
VERDICTS = ("allow", "category_excluded", "seller_type_excluded")
NOT_COVERED = "not_covered"
"""What the goods table's last row says: nobody has laid down anything for such goods, which is POLICY_MISSING."""
KINDS = ("gift", "cross_border", "subscription", "enterprise", "presale_deposit", "trade_in")
"""Kinds of goods and orders that a rule can rule out."""


class _Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A row of a decision table."""


class CapRow(_Row, frozen=True):
    """A spending cap of a method: `window` is single, day or month; in one scene, or in all (None)."""

    window: str
    cap_minor: int
    scene: str | None = None


class MethodRow(_Row, frozen=True):
    """A payment method: where it is offered, where it is connected, and its bounds."""

    method: str
    offered_in: tuple[str, ...]
    integrated_in: tuple[str, ...]
    capabilities: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ("CNY",)
    suspended: bool = False
    suspended_until_at: datetime | None = None
    caps: tuple[CapRow, ...] = ()
    single_cap_minor: int | None = None
    step_up_from_minor: int | None = None
    deliveries_excluded: tuple[str, ...] = ()


class PlanRow(_Row, frozen=True):
    """A way to repay: so many instalments at a flat fee per period on the principal, in millionths."""

    plan: str
    method: str
    instalments: int
    fee_rate_ppm: int = 0
    min_minor: int = 0
    max_minor: int | None = None
    scenes: tuple[str, ...] = ()
    """Empty: everywhere."""
    fee_total_ppm: int = 0
    """Of a channel's own instalments: what it takes from the buyer over the whole plan, in millionths."""


class InterestFreeRow(_Row, frozen=True):
    """Somebody else pays the fee of these plans for a while: the platform, or a merchant for its own goods."""

    campaign: str
    sponsor: str
    """merchant | platform"""
    plans: tuple[str, ...]
    from_at: datetime
    until_at: datetime
    merchant_id: UUID | None = None
    categories: tuple[str, ...] = ()
    """Goods of these categories and what lies under them; empty: all."""
    budget_minor: int | None = None
    uses_per_consumer: int | None = None


class Numbers(_Row, frozen=True):
    """Numbers of law and of the operator; rules.md names the sources."""

    apr_cap_ppm: int = 240_000
    """Annualised all-in cost at most, in millionths: the 24 % line of consumer finance."""
    age_min: int = 18
    age_max: int | None = 65
    loans_cap: int = 20
    cooling_off_days: int = 30
    """Between a refused application and the next."""
    min_payment_ppm: int = 100_000
    """Share of a statement that must be paid."""
    late_success: str = "return"
    """What happens to a channel's money that comes for an order that has lapsed: return | revive."""


class PolicyDocument(_Row, frozen=True):
    """One whole policy."""

    methods: tuple[MethodRow, ...]
    plans: tuple[PlanRow, ...]
    interest_free: tuple[InterestFreeRow, ...] = ()
    forbidden_words: tuple[str, ...] = ()
    """Words in a title that payment channels block."""
    numbers: Numbers = Numbers()
    tables: tuple[Table, ...] = ()
    """One of each key of `SCHEMAS`."""


class PolicyState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    REJECTED = "rejected"
    CANARY = "canary"
    """Approved for a share of the consumers."""
    PUBLISHED = "published"
    """Approved for everybody from its effective instant on."""
    ROLLED_BACK = "rolled_back"
    WITHDRAWN = "withdrawn"


_S = PolicyState
MOVES: dict[PolicyState, frozenset[PolicyState]] = {
    _S.DRAFT: frozenset({_S.SUBMITTED, _S.WITHDRAWN}),
    _S.SUBMITTED: frozenset({_S.DRAFT, _S.REJECTED, _S.CANARY, _S.PUBLISHED, _S.WITHDRAWN}),
    _S.REJECTED: frozenset({_S.DRAFT, _S.WITHDRAWN}),
    _S.CANARY: frozenset({_S.PUBLISHED, _S.WITHDRAWN}),
    _S.PUBLISHED: frozenset({_S.ROLLED_BACK, _S.WITHDRAWN}),
    _S.ROLLED_BACK: frozenset(),
    _S.WITHDRAWN: frozenset(),
}
"""A version that has decided anything never becomes a draft again: decisions name it, and its document stays."""


class Share(msgspec.Struct, frozen=True):
    """The part of the consumers that a canary decides for, and how long: from an instant until before another."""

    share_ppm: int
    from_at: datetime
    until_at: datetime


class PolicyVersion(msgspec.Struct, frozen=True):
    """A version of the policy as stored; `number` is what decisions and people name it by."""

    policy_id: UUID
    number: str
    state: PolicyState
    document: PolicyDocument
    maker: str
    made_at: datetime
    checker: str | None
    published_at: datetime | None
    """When it was approved."""
    effective_at: datetime | None
    revision: int = 1
    """How often it was saved: whoever changes it says which one they have seen."""
    based_on: str = ""
    """The number of the version that it was copied from."""
    share: Share | None = None
    """Of a canary, or of a version that was one."""
    ended_at: datetime | None = None
    """When it was rolled back or withdrawn."""


class Saved(msgspec.Struct, frozen=True):
    """One save of a draft."""

    revision: int
    actor: str
    why: str
    at: datetime


class GoodsVerdict(msgspec.Struct, frozen=True):
    """What policy says of goods in a scene, from a kind of seller, by a method; field for field a `GoodsRule`."""

    scene: str
    category: str
    seller_kind: str
    method: str
    matched: bool = True
    verdict: str = "allow"
    rule_id: str = ""
    min_minor: int = 0
    max_minor: int | None = None
    terms: tuple[int, ...] | None = None
    excluded: tuple[str, ...] = ()


class Who(msgspec.Struct, frozen=True):
    """The buyer as policy asks about them; the fields are inputs of the tables."""

    segments: tuple[str, ...] = ()
    clean_months: int = 0
    account_age_days: int = 0
    pd_ppm: int | None = None


class HistoryRow(msgspec.Struct, frozen=True):
    """One step of a version: who, when, why."""

    verb: str
    actor: str
    why: str
    at: datetime
