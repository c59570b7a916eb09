"""Applying for a line: the policy decides at once, or a person does; each application keeps what was looked at.

The id's claim in the directory comes before (`flows/apply_credit`), because it lies in another place than the line.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from fenqi.credit import activation, store
from fenqi.credit import line as lines
from fenqi.credit.decision import ApplicationDecision, ApplicationInputs, ApplicationPolicy, decide
from fenqi.credit.model import Application, Consent, CreditLine, LineState
from fenqi.credit.product import CreditProduct
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Conflict, NotFound, Refusal

_POLICY = "system:credit_policy"
_MAY_APPLY = frozenset({LineState.NOT_OPENED, LineState.REJECTED, LineState.CLOSED_BY_LENDER})


def refuse_ineligible(inputs: ApplicationInputs, product: CreditProduct) -> None:
    """Refuse what no assessment changes: REALNAME_REQUIRED, AGE_INELIGIBLE, REGION_INELIGIBLE, STUDENT_RESTRICTED."""
    if inputs.real_name == "none":
        raise Refusal("REALNAME_REQUIRED", "the account must be real-named first")
    if inputs.age < product.age_min or (product.age_max is not None and inputs.age > product.age_max):
        raise Refusal("AGE_INELIGIBLE", "the line is not offered at this age", age=inputs.age, age_min=product.age_min)
    if inputs.region not in product.regions:
        raise Refusal("REGION_INELIGIBLE", "the line is not offered in this region", region=inputs.region)
    if inputs.is_student:
        raise Refusal("STUDENT_RESTRICTED", "the line is not offered to students")


async def apply(
    tx: Tx,
    consumer_id: UUID,
    application_id: UUID,
    inputs: ApplicationInputs,
    consents: Sequence[Consent],
    policy: ApplicationPolicy,
    product: CreditProduct,
    by: By,
) -> tuple[Application, CreditLine]:
    """Decide an application and move the line: approved with a limit, rejected with reasons, or pending for a person.

    Refuses the ineligible, CONSENT_REQUIRED, CREDIT_COOLING_OFF while it is too early after a refusal, and
    STATE_CONFLICT where a line is open or being decided already.
    """
    refuse_ineligible(inputs, product)
    activation.refuse_missing(consents, product)
    line = await store.line.select_line(tx, consumer_id, lock="update") or lines.nothing_yet(consumer_id, by.at)
    if line.state not in _MAY_APPLY:
        raise Conflict("STATE_CONFLICT", "there is a credit line already", state=str(line.state))
    lines.refuse_cooling_off(line, business_date(by.at))
    assessed = policy.assess(inputs)
    decision = decide(inputs, assessed)
    application = Application(
        consumer_id, application_id, by.at, policy.version, inputs, decision.outcome, decision.limit_minor,
        decision.principal_reasons, assessed,
    )  # fmt: skip
    line = msgspec.structs.replace(line, consents=activation.texts_of(consents))
    after = await _follow(tx, line, decision, product, By(_POLICY, policy.version, by.at))
    await activation.keep(tx, consumer_id, consents, by.at)
    await store.line.insert_application(tx, application)
    return application, after


async def review(
    tx: Tx,
    consumer_id: UUID,
    application_id: UUID,
    decision: ApplicationDecision,
    product: CreditProduct,
    by: By,
) -> CreditLine:
    """A person's decision on a pending application: approved with a limit above zero, or rejected with its reasons."""
    if decision.outcome == "review" or (decision.outcome == "approved") != (decision.limit_minor > 0):
        raise Refusal("REVIEW_INVALID", "a review approves with a limit, or rejects without")
    if decision.outcome == "rejected" and not decision.principal_reasons:
        raise Refusal("REVIEW_INVALID", "a rejection names its principal reasons")
    line = await lines.lock(tx, consumer_id, by.at)
    pending = [one for one in await store.line.select_applications(tx, consumer_id) if one.outcome == "review"]
    if not pending or pending[-1].application_id != application_id:
        raise NotFound("APPLICATION_UNKNOWN", "no such application is waiting for a review")
    if line.state is not LineState.PENDING:
        raise Conflict("STATE_CONFLICT", "the application has been decided", state=str(line.state))
    reviewed = Application(
        consumer_id, application_id, by.at, pending[-1].policy_version, pending[-1].inputs, decision.outcome,
        decision.limit_minor, decision.principal_reasons[:4],
    )  # fmt: skip
    await store.line.insert_review(tx, reviewed, by.actor, check_why(by.why), by.at)
    return await _follow(tx, line, decision, product, by)


async def redecide(
    tx: Tx,
    consumer_id: UUID,
    application_id: UUID,
    decision: ApplicationDecision,
    product: CreditProduct,
    by: By,
) -> CreditLine:
    """After an appeal a person approves the consumer's latest application, which was refused.

    Refuses REVIEW_INVALID for anything but an approval with a limit, APPLICATION_UNKNOWN where another application has
    come after it, and STATE_CONFLICT where the refusal is not what holds now.
    """
    if decision.outcome != "approved" or decision.limit_minor <= 0:
        raise Refusal("REVIEW_INVALID", "an appeal that is upheld approves with a limit")
    check_why(by.why)
    line = await lines.lock(tx, consumer_id, by.at)
    latest = (await store.line.select_applications(tx, consumer_id))[-1:]
    if not latest or latest[0].application_id != application_id:
        raise NotFound("APPLICATION_UNKNOWN", "it is not the latest application")
    if line.state is not LineState.REJECTED:
        raise Conflict("STATE_CONFLICT", "no refusal holds", state=str(line.state))
    return await _follow(tx, line, decision, product, by)


async def applications(tx: Tx, consumer_id: UUID) -> list[Application]:
    """Every application of the consumer, oldest first, as the policy decided it."""
    return await store.line.select_applications(tx, consumer_id)


def replays(application: Application, policy: ApplicationPolicy) -> bool:
    """Whether the policy, asked again with the stored inputs, says the same and gives the stored decision."""
    assessed = policy.assess(application.inputs)
    again = decide(application.inputs, assessed)
    stored = (application.outcome, application.limit_minor, application.principal_reasons, application.assessed)
    return policy.version == application.policy_version and stored == (
        again.outcome,
        again.limit_minor,
        again.principal_reasons,
        assessed,
    )


async def note_other_account(tx: Tx, consumer_id: UUID, by: By) -> CreditLine:
    """Remember that the same id has a line under another account, so that the cashier can say it."""
    line = await store.line.select_line(tx, consumer_id, lock="update") or lines.nothing_yet(consumer_id, by.at)
    if line.opened_on_other_account:
        return line
    return await lines.change(tx, line, by, opened_on_other_account=True)


async def _follow(
    tx: Tx, line: CreditLine, decision: ApplicationDecision, product: CreditProduct, by: By
) -> CreditLine:
    """Move the line as the decision says."""
    if decision.outcome == "approved":
        return await lines.change(
            tx, line, by, LineState.NOT_ACTIVATED, approved_minor=decision.limit_minor, principal_reasons=(),
            reapply_from_on=None, expected_by_at=None, loans_cap=product.loans_cap, opened_on_other_account=False,
        )  # fmt: skip
    if decision.outcome == "rejected":
        return await lines.change(
            tx, line, by, LineState.REJECTED, principal_reasons=decision.principal_reasons[:4],
            reapply_from_on=business_date(by.at) + timedelta(days=product.cooling_off_days), expected_by_at=None,
            opened_on_other_account=False,
        )  # fmt: skip
    return await lines.change(
        tx, line, by, LineState.PENDING, expected_by_at=by.at + timedelta(hours=product.review_hours),
        principal_reasons=(), reapply_from_on=None, opened_on_other_account=False,
    )  # fmt: skip
