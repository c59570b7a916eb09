"""The credit line as facts for an evaluation: everything the cashier asks about it, for many consumers in one query.

The structs carry the cashier's field names, so that `flows/quote` converts them without a mapping of its own. What
time brings about (a lock that ends, a limit that lapses, a debt that falls due) is derived here from the dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from fenqi.credit import line as lines
from fenqi.credit import store
from fenqi.credit.model import GENERAL_PATH, CreditLine, LimitKind, LineState
from fenqi.credit.position import Position, position
from fenqi.credit.product import CreditProduct
from fenqi.credit.store.facts import HoldRow, LimitRow, Read
from fenqi.database.pool import Tx
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import short_number
from fenqi.kernel.money import share_minor

HOLD = timedelta(days=15)
"""A hold is released within 15 days at the latest (reasons.md, DUPLICATE_REVERSING and refunds under way)."""


class LimitView(msgspec.Struct, frozen=True):
    """See `cashier.facts.LimitFacts`."""

    path: str
    kind: str
    ceiling_minor: int
    used_minor: int = 0
    held_minor: int = 0
    frozen_minor: int = 0
    scenes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    expires_on: date | None = None
    installable: bool = True
    version: int = 0


class HoldView(msgspec.Struct, frozen=True):
    """See `cashier.facts.HoldFacts`."""

    path: str
    amount_minor: int
    order_number: str
    release_by_ms: int


class OpenLoanView(msgspec.Struct, frozen=True):
    """See `cashier.facts.OpenLoan`: a loan's part on one limit."""

    loan_id: str
    outstanding_minor: int
    settle_minor: int
    limit_path: str = GENERAL_PATH
    overdue_minor: int = 0
    overdue_principal_minor: int = 0
    is_instalment: bool = False


class CreditView(msgspec.Struct, frozen=True, kw_only=True):
    """See `cashier.facts.CreditFacts`. `line_version` is what the paying batch compares (`versions`)."""

    line_version: int = 0
    state: str = "not_opened"
    expected_by_ms: int | None = None
    principal_reasons: tuple[str, ...] = ()
    reapply_from_on: date | None = None
    locked_until_ms: int | None = None
    frozen_until_ms: int | None = None
    agreement_signed: str | None = None
    agreement_required: str = ""
    consent_given: bool = True
    opened_on_other_account: bool = False
    limits: tuple[LimitView, ...] = ()
    holds: tuple[HoldView, ...] = ()
    reduced_from_minor: int | None = None
    instalment_ceiling_minor: int | None = None
    instalment_used_minor: int = 0
    loans: tuple[OpenLoanView, ...] = ()
    loans_cap: int = 0
    overdue_minor: int = 0
    overdue_days: int = 0
    observed_until_on: date | None = None
    observed_if_cleared_until_on: date | None = None
    overdue_with_others: bool = False
    dispute_case: str | None = None
    in_collections: bool = False
    hardship_until_on: date | None = None
    virtual_suspended: bool = False
    age_min: int = 18
    age_max: int | None = None
    regions: tuple[str, ...] = ("CN",)
    clean_months: int = 0


async def credit_facts(
    tx: Tx, consumer_ids: Sequence[UUID], now: datetime, product: CreditProduct
) -> dict[UUID, CreditView]:
    """The lines of these consumers as they stand now, by consumer; who has none is `not_opened`. One round trip."""
    return {read.consumer_id: view(read, now, product) for read in await store.facts.read(tx, consumer_ids)}


async def credit_facts_of(tx: Tx, consumer_id: UUID, now: datetime, product: CreditProduct) -> CreditView:
    """One consumer's line."""
    return (await credit_facts(tx, [consumer_id], now, product))[consumer_id]


class Admission(msgspec.Struct, frozen=True):
    """What the paying batch compares of a locked line: its version, and what the counted bounds count."""

    version: int
    open_loans: int
    instalment_used_minor: int | None = None
    """Only for those asked for: what they owe in instalments."""


async def lock_for_payment(
    tx: Tx, consumer_ids: Sequence[UUID], with_instalments: Sequence[UUID], now: datetime, product: CreditProduct
) -> dict[UUID, Admission]:
    """Lock the lines of a batch's consumers, so that what is counted afterwards stays so until its end.

    Counting comes after locking, in statements of its own: whoever waited for the lock must see what the other wrote.
    """
    found = await store.line.lock_versions(tx, consumer_ids)
    loans = await store.line.select_open_loans(tx, consumer_ids)
    views = await credit_facts(tx, with_instalments, now, product) if with_instalments else {}
    return {
        one: Admission(version, loans.get(one, 0), views[one].instalment_used_minor if one in views else None)
        for one, version in found.items()
    }


def view(read: Read, now: datetime, product: CreditProduct) -> CreditView:
    """The facts from the rows read, as of an instant. Pure."""
    today_on = business_date(now)
    line = read.line or lines.nothing_yet(read.consumer_id, now)
    positions = open_positions(read, today_on)
    overdue_days = max((one.state.days_past_due for one in positions), default=0)
    return CreditView(
        line_version=line.version,
        **_account(line, now, product),
        limits=_limits(read.limits, line),
        holds=_holds(read.holds),
        reduced_from_minor=_reduced(read.limits, today_on),
        instalment_used_minor=sum(one.outstanding_minor for one in positions if one.is_instalment),
        loans=tuple(row for one in positions for row in _open_loan(one)),
        overdue_minor=sum(one.state.overdue_minor for one in positions),
        overdue_days=overdue_days,
        observed_if_cleared_until_on=observed_if_cleared(line, overdue_days, today_on, product),
        age_min=product.age_min,
        age_max=product.age_max,
        regions=product.regions,
        clean_months=0 if overdue_days else clean_months(_first_loan_on(read, line), read.late_on, today_on),
    )


def _first_loan_on(read: Read, line: CreditLine) -> date | None:
    return min((on for on in (read.first_loan_on, line.first_loan_on) if on is not None), default=None)


def clean_months(first_loan_on: date | None, late_on: date | None, today_on: date) -> int:
    """Whole months up to today without a day overdue, since the first loan; 0 without a loan."""
    if first_loan_on is None:
        return 0
    since_on = first_loan_on if late_on is None else max(first_loan_on, late_on)
    months = (today_on.year - since_on.year) * 12 + today_on.month - since_on.month
    return max(0, months - (today_on.day < since_on.day))


def open_positions(read: Read, today_on: date) -> list[Position]:
    """The open loans, those due first in front: the order in which repayments take them."""
    positions = [position(loan, happened, today_on) for loan, happened in read.loans]
    return sorted(positions, key=lambda one: (one.next_due_on or date.max, one.loan_id))


def observed_if_cleared(line: CreditLine, overdue_days: int, today_on: date, product: CreditProduct) -> date | None:
    """Until when the line is under observation once what is overdue now is paid; None when it would not be."""
    if overdue_days <= product.observed_after_days:
        return None
    until_on = today_on + timedelta(days=product.observation_days)
    return until_on if line.observed_until_on is None else max(until_on, line.observed_until_on)


def _account(line: CreditLine, now: datetime, product: CreditProduct) -> dict[str, Any]:
    state = lines.state_at(line, now)
    return {
        "state": str(state),
        "expected_by_ms": _ms(line.expected_by_at),
        "principal_reasons": line.principal_reasons,
        "reapply_from_on": line.reapply_from_on,
        "locked_until_ms": None if state is LineState.ACTIVE else _ms(line.locked_until_at),
        "frozen_until_ms": None if state is LineState.ACTIVE else _ms(line.frozen_until_at),
        "agreement_signed": line.agreement_signed,
        "agreement_required": product.agreement_version,
        "consent_given": state is LineState.NOT_OPENED or lines.has_consents(line, product),
        "opened_on_other_account": line.opened_on_other_account,
        "instalment_ceiling_minor": line.instalment_ceiling_minor,
        "loans_cap": line.loans_cap,
        "observed_until_on": line.observed_until_on,
        "overdue_with_others": line.overdue_with_others,
        "dispute_case": line.dispute_case,
        "in_collections": line.in_collections,
        "hardship_until_on": line.hardship_until_on,
        "virtual_suspended": line.virtual_suspended,
    }


def _limits(rows: Sequence[LimitRow], line: CreditLine) -> tuple[LimitView, ...]:
    """The limits; an approved line that is not activated shows the one it will have."""
    found = [
        LimitView(
            row.path, row.kind, row.granted_minor, row.used_minor, row.held_minor, row.frozen_minor, row.scenes,
            row.categories, row.expires_on, row.installable, row.version,
        )
        for row in rows
    ]  # fmt: skip
    if (
        line.state is LineState.NOT_ACTIVATED
        and line.approved_minor
        and not any(one.path == GENERAL_PATH for one in found)
    ):
        found.append(LimitView(GENERAL_PATH, str(LimitKind.FIXED), line.approved_minor))
    return tuple(found)


def _holds(rows: Sequence[HoldRow]) -> tuple[HoldView, ...]:
    return tuple(
        HoldView(row.path, row.amount_minor, short_number(row.reference or row.hold_id), epoch_ms(row.held_at + HOLD))
        for row in rows
    )


def _reduced(rows: Sequence[LimitRow], today_on: date) -> int | None:
    for row in rows:
        told = row.reduced_until_on is not None and today_on <= row.reduced_until_on
        if row.path == GENERAL_PATH and told:
            return row.reduced_from_minor
    return None


def _open_loan(one: Position) -> list[OpenLoanView]:
    """The loan's parts by limit; charges are shared by what is drawn, overdue principal goes in the order drawn."""
    amounts = [draw.amount_minor for draw in one.remaining]
    if not amounts:
        amounts, paths = [0], [GENERAL_PATH]
    else:
        paths = [draw.path for draw in one.remaining]
    charges = share_minor(one.settle.total_minor - one.settle.principal_minor, amounts)
    overdue_principal_minor = sum(row.outstanding.principal_minor for row in one.overdue)
    overdue_charges = share_minor(one.state.overdue_minor - overdue_principal_minor, amounts)
    views = []
    for path, amount, charge, overdue_charge in zip(paths, amounts, charges, overdue_charges, strict=True):
        due = min(amount, overdue_principal_minor)
        overdue_principal_minor -= due
        views.append(
            OpenLoanView(str(one.loan_id), amount, amount + charge, path, due + overdue_charge, due, one.is_instalment)
        )
    return views


def _ms(at: datetime | None) -> int | None:
    return None if at is None else epoch_ms(at)
