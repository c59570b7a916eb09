"""The credit room's nouns: the line with its states, applications, consents, limits, loans and what happens to them.

States and kinds are the database's own words; every struct mirrors its table, column by column.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from fenqi.credit.decision import ApplicationInputs, Assessed


class LineState(StrEnum):
    """Where a consumer's credit line stands; a line without a row is `not_opened`."""

    NOT_OPENED = "not_opened"
    PENDING = "pending"
    REJECTED = "rejected"
    NOT_ACTIVATED = "not_activated"
    ACTIVE = "active"
    FROZEN = "frozen"
    SELF_LOCKED = "self_locked"
    DORMANT_LOCKED = "dormant_locked"
    PIN_LOCKED = "pin_locked"
    CLOSED_BY_USER = "closed_by_user"
    CLOSED_BY_LENDER = "closed_by_lender"


_S = LineState
_DECIDED = frozenset({_S.PENDING, _S.REJECTED, _S.NOT_ACTIVATED})
_LOCKED = frozenset({_S.ACTIVE, _S.FROZEN, _S.CLOSED_BY_USER, _S.CLOSED_BY_LENDER})

LINE_MOVES: Mapping[LineState, frozenset[LineState]] = {
    _S.NOT_OPENED: _DECIDED,
    _S.PENDING: frozenset({_S.REJECTED, _S.NOT_ACTIVATED}),
    _S.REJECTED: _DECIDED,
    _S.NOT_ACTIVATED: frozenset({_S.ACTIVE, _S.CLOSED_BY_LENDER}),
    _S.ACTIVE: frozenset(
        {_S.FROZEN, _S.SELF_LOCKED, _S.DORMANT_LOCKED, _S.PIN_LOCKED, _S.CLOSED_BY_USER, _S.CLOSED_BY_LENDER}
    ),
    _S.FROZEN: frozenset({_S.ACTIVE, _S.CLOSED_BY_LENDER}),
    _S.SELF_LOCKED: _LOCKED,
    _S.DORMANT_LOCKED: _LOCKED,
    _S.PIN_LOCKED: _LOCKED,
    _S.CLOSED_BY_USER: frozenset({_S.ACTIVE}),
    _S.CLOSED_BY_LENDER: frozenset({_S.ACTIVE, *_DECIDED}),
}
"""The line's transitions. A closed line still has its loans, and they are repaid as if it were open."""

LOCKS = frozenset({_S.SELF_LOCKED, _S.DORMANT_LOCKED, _S.PIN_LOCKED})
"""The locks that their owner can take off."""


class CreditLine(msgspec.Struct, frozen=True, kw_only=True):
    """One consumer's line. `version` rises with every change that a payment's facts depend on."""

    bucket: int
    consumer_id: UUID
    state: LineState
    version: int
    opened_at: datetime
    expected_by_at: datetime | None = None
    principal_reasons: tuple[str, ...] = ()
    reapply_from_on: date | None = None
    approved_minor: int | None = None
    locked_until_at: datetime | None = None
    frozen_until_at: datetime | None = None
    agreement_signed: str | None = None
    consents: tuple[str, ...] = ()
    """Consents in force as "kind@version"."""
    opened_on_other_account: bool = False
    bill_day: int | None = None
    loans_cap: int = 0
    instalment_ceiling_minor: int | None = None
    observed_until_on: date | None = None
    overdue_with_others: bool = False
    dispute_case: str | None = None
    in_collections: bool = False
    hardship_until_on: date | None = None
    virtual_suspended: bool = False
    first_loan_on: date | None = None
    """Of a line taken over from another system: when its first loan was paid out there."""


class ConsentKind(StrEnum):
    """What a person agrees to when a line is opened, each with its own version."""

    AGREEMENT = "agreement"
    BUREAU = "bureau"
    PERSONAL_INFORMATION = "personal_information"


class Consent(msgspec.Struct, frozen=True):
    """One consent given or withdrawn."""

    kind: ConsentKind
    version: str
    given: bool


class LimitKind(StrEnum):
    """What a limit is: lasting and general, until a date, or for certain goods or scenes only."""

    FIXED = "fixed"
    TEMPORARY = "temporary"
    DEDICATED = "dedicated"


GENERAL_PATH = "asset:loan_principal:general"
TEMPORARY_PATH = "asset:loan_principal:temporary"
DEDICATED_PREFIX = "asset:loan_principal:dedicated:"


class CreditLimit(msgspec.Struct, frozen=True, kw_only=True):
    """One limit; `path` is the ledger's limit account that it bounds, whose ceiling is granted less frozen."""

    bucket: int
    consumer_id: UUID
    path: str
    kind: LimitKind
    granted_minor: int
    frozen_minor: int = 0
    scenes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    installable: bool = True
    expires_on: date | None = None
    """The last day on which a temporary limit can be used."""
    closed_on: date | None = None
    """When its expiry was posted to the ledger."""
    reduced_from_minor: int | None = None
    reduced_until_on: date | None = None

    @property
    def ceiling_minor(self) -> int:
        """What the ledger enforces."""
        return 0 if self.closed_on is not None else self.granted_minor - self.frozen_minor


class LoanState(StrEnum):
    """Where a loan stands; all but `active` are ends."""

    ACTIVE = "active"
    SETTLED = "settled"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


def bearer_of(kind: LimitKind, dedicated_to: str = "") -> str:
    """The ledger path of a limit of this kind: general, temporary, or dedicated to a purpose ("furniture")."""
    if kind is LimitKind.FIXED:
        return GENERAL_PATH
    if kind is LimitKind.TEMPORARY:
        return TEMPORARY_PATH
    return DEDICATED_PREFIX + dedicated_to


class LineMove(msgspec.Struct, frozen=True):
    """One change of a line: of its state, or of `changed` alone; `version` is the line's after it."""

    consumer_id: UUID
    version: int
    from_state: LineState
    to_state: LineState
    changed: dict[str, Any]
    moved_by: str
    why: str
    moved_at: datetime


class Application(msgspec.Struct, frozen=True):
    """One application, with what the decision looked at; `policy_version` and `inputs` replay it."""

    consumer_id: UUID
    application_id: UUID
    applied_at: datetime
    policy_version: str
    inputs: ApplicationInputs
    outcome: str
    """approved | rejected | review"""
    limit_minor: int = 0
    principal_reasons: tuple[str, ...] = ()
    assessed: Assessed | None = None
    """What the policy's tables and the scorecard said; None of applications from before they were asked."""


class Loan(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One loan as it stands: what was agreed, and the summary of the fold over its events.

    `terms` is the agreed plan as JSON without principal and disbursement, which have columns of their own.
    """

    consumer_id: UUID
    loan_id: UUID
    order_id: UUID
    payment_id: UUID
    journal_id: UUID
    """Of the drawdown."""
    plan: str
    product_version: str
    terms: str
    draws: str
    """JSON pairs of limit path and amount, in the order in which principal comes back to them."""
    principal_minor: int
    subsidy_minor: int = 0
    disbursed_on: date
    first_due_on: date
    drawn_at: datetime
    state: LoanState = LoanState.ACTIVE
    events: int = 0
    outstanding_minor: int
    """Principal not repaid."""
    next_due_on: date | None = None
    """The earliest due date on which something is still unpaid; before today it makes the loan overdue since then."""


class RecordedEvent(msgspec.Struct, frozen=True):
    """One thing that happened to a loan after its drawdown: the engine's event as JSON, and where principal went.

    `returned` is JSON pairs of limit path and amount: the principal that the event gave back to each limit.
    """

    consumer_id: UUID
    loan_id: UUID
    n: int
    kind: str
    happened_on: date
    event: str
    returned: str
    journal_id: UUID | None
    recorded_by: str
    recorded_at: datetime


class Happened(msgspec.Struct, frozen=True):
    """One recorded event, as JSON: the engine's event, and the principal it gave back by limit."""

    event: str
    returned: str


class RefundRow(msgspec.Struct, frozen=True):
    """One refund of a purchase. `refund_id` is its journal's id too; `shares` is JSON: fen by merchant.

    The amount went to limits, to the money account, and through channels; the three sums add up to it.
    """

    consumer_id: UUID
    refund_id: UUID
    order_id: UUID
    purchase_id: UUID
    """The purchase's journal."""
    kind: str
    """refund | cancellation"""
    amount_minor: int
    on_credit_minor: int
    to_limit_minor: int
    to_money_account_minor: int
    shares: str
    refunded_by: str
    why: str
    refunded_at: datetime
    to_channel_minor: int = 0
    to_channels: str = "[]"
    """JSON: channel, passage_id and amount_minor of each part that goes back through a passage."""
    subsidies: str = "{}"
    """JSON: fen by merchant that got back of the subsidy it paid."""
