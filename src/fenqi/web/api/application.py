"""Applications for the credit line, decided by the policy in force: at once, or left to a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi.credit import Application, CreditLine
from fenqi.flows import apply_credit
from fenqi.flows.apply_credit import Declared
from fenqi.kernel.money import MAX_AMOUNT_MINOR
from fenqi.texts import Locale
from fenqi.web.api.credit import ConsentText, PrincipalReason, given, principal_reasons
from fenqi.web.api.resource import Call, resource


class NewApplication(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the applicant declares, and the consents in force (`consents_required` of `GET /v1/credit`).

    `income_minor` is monthly. What is shown by papers is not the applicant's to say.
    """

    consents: tuple[ConsentText, ...]
    income_minor: Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT_MINOR)] | None = None


class ApplicationView(msgspec.Struct, frozen=True):
    """The decision: approved with a limit (then `POST /v1/credit:activate`), rejected with reasons, or review."""

    application_id: UUID
    applied_at: datetime
    outcome: str
    limit_minor: int
    principal_reasons: tuple[PrincipalReason, ...]
    policy_version: str
    line_state: str
    reapply_from_on: date | None
    expected_by_at: datetime | None


@resource("POST", "/v1/credit/applications", body=NewApplication, answer=ApplicationView, keyed=True, problems=(409,))
async def apply(call: Call) -> ApplicationView:
    """Apply for the line. A rejection is an answer with its principal reasons, not a problem."""
    context, new = call.context, call.body
    application, line = await apply_credit.apply(
        context,
        call.actor.consumer_id,
        call.id_of_key("application"),
        Declared(new.income_minor),
        given(new.consents),
        apply_credit.bureau_of(context),
    )
    return _view(application, line, call.locale)


def _view(found: Application, line: CreditLine, locale: Locale) -> ApplicationView:
    return ApplicationView(
        found.application_id,
        found.applied_at,
        found.outcome,
        found.limit_minor,
        principal_reasons(found.principal_reasons[:4], locale),
        found.policy_version,
        str(line.state),
        line.reapply_from_on,
        line.expected_by_at,
    )
