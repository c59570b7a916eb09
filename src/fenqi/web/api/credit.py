"""The consumer's own credit line: where it stands, its limits and loans; activated, locked, closed, opened again."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from fenqi import credit, texts
from fenqi.credit import Consent, ConsentKind, CreditLine, CreditProduct, Position
from fenqi.credit.facts import HoldView, LimitView
from fenqi.flows import activate_credit, manage_line
from fenqi.flows.manage_line import MyCredit
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.texts import Audience, Locale
from fenqi.web.api.resource import Call, Nothing, resource


class ConsentText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One consent in one version."""

    kind: ConsentKind
    version: str


class PrincipalReason(msgspec.Struct, frozen=True):
    """One of the at most four reasons of a credit refusal."""

    code: str
    title: str
    text: str


class LoanView(msgspec.Struct, frozen=True):
    """A loan in one line; amounts in minor units."""

    loan_id: UUID
    order_id: UUID
    plan: str
    state: str
    principal_minor: int
    outstanding_minor: int
    """Principal and costs still to be paid."""
    settle_minor: int
    """What paying it off today costs."""
    overdue_minor: int
    instalments: int
    instalments_left: int
    disbursed_on: date
    next_due_on: date | None
    next_due_minor: int


class CreditLineView(msgspec.Struct, frozen=True):
    """The line with its limits and loans; `agreement_in_force` and `consents_required` are what is signed to use it."""

    state: str
    approved_minor: int | None
    limits: tuple[LimitView, ...]
    holds: tuple[HoldView, ...]
    agreement_signed: str | None
    agreement_in_force: str
    consents_required: tuple[ConsentText, ...]
    consents_stand: bool
    principal_reasons: tuple[PrincipalReason, ...]
    reapply_from_on: date | None
    expected_by_ms: int | None
    locked_until_ms: int | None
    frozen_until_ms: int | None
    overdue_minor: int
    overdue_days: int
    loans: tuple[LoanView, ...]


class LineStanding(msgspec.Struct, frozen=True):
    """Where the line stands after a change."""

    state: str
    approved_minor: int | None
    agreement_signed: str | None
    consents: tuple[str, ...]
    reapply_from_on: date | None
    locked_until_at: datetime | None


def line_view(line: CreditLine) -> LineStanding:
    """The line as the API shows it after a change."""
    return LineStanding(
        str(line.state),
        line.approved_minor,
        line.agreement_signed,
        line.consents,
        line.reapply_from_on,
        line.locked_until_at,
    )


def loan_view(one: Position) -> LoanView:
    """A loan in one line."""
    return LoanView(
        loan_id=one.loan_id,
        order_id=one.loan.order_id,
        plan=one.loan.plan,
        state=str(one.loan.state),
        principal_minor=one.loan.principal_minor,
        outstanding_minor=one.state.outstanding.total_minor,
        settle_minor=one.settle.total_minor,
        overdue_minor=one.state.overdue_minor,
        instalments=len(one.state.rows),
        instalments_left=len(one.unpaid),
        disbursed_on=one.loan.disbursed_on,
        next_due_on=one.state.next_due_on,
        next_due_minor=one.state.next_due_minor,
    )


def principal_reasons(codes: tuple[str, ...], locale: Locale) -> tuple[PrincipalReason, ...]:
    """A refusal's principal reasons in words, exactly: they are told to the person concerned."""
    return tuple(
        PrincipalReason(
            code,
            texts.title(code, locale, stepped_up=True),
            texts.render_reason(code, Audience.BUYER, locale, stepped_up=True),
        )
        for code in codes
    )


def given(consents: tuple[ConsentText, ...]) -> list[Consent]:
    """Consents as the credit room takes them."""
    return [Consent(one.kind, one.version, True) for one in consents]


@resource("GET", "/v1/credit", answer=CreditLineView)
async def read(call: Call) -> CreditLineView:
    """The consumer's line, its limits with what is used and held, and every open loan."""
    consumer_id = call.actor.consumer_id
    mine = await manage_line.my_credit(call.context, consumer_id)
    async with call.context.database.autocommit() as tx:
        line = await credit.line.read(tx, consumer_id)
    return _credit_view(mine, line, call.context.reference.product, call.locale)


def _credit_view(mine: MyCredit, line: CreditLine | None, product: CreditProduct, locale: Locale) -> CreditLineView:
    view = mine.view
    return CreditLineView(
        state=view.state,
        approved_minor=None if line is None else line.approved_minor,
        limits=view.limits,
        holds=view.holds,
        agreement_signed=view.agreement_signed,
        agreement_in_force=product.agreement_version,
        consents_required=tuple(ConsentText(kind, version) for kind, version in product.consent_versions),
        consents_stand=view.consent_given,
        principal_reasons=principal_reasons(view.principal_reasons, locale),
        reapply_from_on=view.reapply_from_on,
        expected_by_ms=view.expected_by_ms,
        locked_until_ms=view.locked_until_ms,
        frozen_until_ms=view.frozen_until_ms,
        overdue_minor=view.overdue_minor,
        overdue_days=view.overdue_days,
        loans=tuple(loan_view(one) for one in mine.open_loans),
    )


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version of the agreement that is accepted; only the one in force can be."""

    agreement_version: str


def _check_in_force(version: str, product: CreditProduct) -> None:
    if version != product.agreement_version:
        raise Conflict("AGREEMENT_VERSION", "this version is not in force", in_force=product.agreement_version)


@resource("POST", "/v1/credit:activate", body=Agreed, answer=LineStanding, problems=(409,))
async def activate(call: Call) -> LineStanding:
    """Sign the agreement in force and make the approved line usable; an active line is given as it is."""
    _check_in_force(call.body.agreement_version, call.context.reference.product)
    return line_view(await activate_credit.activate(call.context, call.actor.consumer_id))


@resource("POST", "/v1/credit:lock", body=Nothing, answer=LineStanding, problems=(409,))
async def lock(call: Call) -> LineStanding:
    """Lock the line for safety; `POST /v1/credit:unlock` takes the lock off."""
    return line_view(await manage_line.lock(call.context, call.actor.consumer_id))


@resource("POST", "/v1/credit:close", body=Nothing, answer=LineStanding, problems=(409,))
async def close(call: Call) -> LineStanding:
    """Close the line; refused with CREDIT_DEBT_OPEN while a loan is open."""
    return line_view(await manage_line.close(call.context, call.actor.consumer_id))


@resource("POST", "/v1/credit:reopen", body=Agreed, answer=LineStanding, problems=(409,))
async def reopen(call: Call) -> LineStanding:
    """Open a line again that its owner had closed, under the agreement in force."""
    _check_in_force(call.body.agreement_version, call.context.reference.product)
    return line_view(await manage_line.reopen(call.context, call.actor.consumer_id))


class GivenConsents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every consent in force, in its version."""

    consents: tuple[ConsentText, ...]


@resource("POST", "/v1/credit/consents", body=GivenConsents, answer=LineStanding, problems=(409,))
async def give_consents(call: Call) -> LineStanding:
    """Give every consent in force; giving one again changes nothing. Refuses CONSENT_REQUIRED when one is missing."""
    context, consumer_id, product = call.context, call.actor.consumer_id, call.context.reference.product
    credit.activation.refuse_missing(given(call.body.consents), product)
    by = context.by_consumer(consumer_id, "gave the consents")
    async with context.database.transaction() as tx:
        return line_view(await credit.activation.give_consents(tx, consumer_id, product, by))


@resource("POST", "/v1/credit/consents/{kind}:withdraw", body=Nothing, answer=LineStanding, problems=(409,))
async def withdraw_consent(call: Call) -> LineStanding:
    """Withdraw a consent (bureau | personal_information); the line can't be used until it is given again."""
    try:
        kind = ConsentKind(call.path["kind"])
    except ValueError:
        raise NotFound("NOT_FOUND", "no such consent") from None
    return line_view(await manage_line.withdraw_consent(call.context, call.actor.consumer_id, kind))
