"""Staff: signing in, and the diagnosis of a decision for one of four audiences, with the reason for looking kept."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import cashier, staff
from fenqi.cashier import Facts, Offer, StoredDecision, Verdict
from fenqi.flows import replay
from fenqi.flows.basis import TenderVerdict
from fenqi.kernel.refusal import Refusal
from fenqi.staff import Action
from fenqi.texts import Audience, Locale
from fenqi.web.api.offer_view import OfferView, ReasonView, offer_told, reason_views
from fenqi.web.api.resource import Call, Nothing, resource
from fenqi.web.api.session import SignIn, not_signed_in

_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])


class StaffToken(msgspec.Struct, frozen=True):
    """Send it as `Authorization: Bearer`."""

    access_token: str
    staff_id: UUID
    roles: tuple[str, ...]
    expires_at: datetime


@resource("POST", "/v1/staff/sessions", body=SignIn, answer=StaffToken, who=(), problems=(401, 429))
async def create(call: Call) -> StaffToken:
    """Sign in as a member of staff, for eight hours; refused with SIGN_IN_FAILED or SIGN_IN_BLOCKED."""
    now = call.context.now()
    async with call.context.database.transaction() as tx:
        found = await staff.sign_in(tx, call.body.name, call.body.password, now)
    if isinstance(found, Refusal):
        raise not_signed_in(found, now)
    member = found.member
    return StaffToken(found.token, member.staff_id, tuple(map(str, member.roles)), found.expires_at)


class VerdictView(msgspec.Struct, frozen=True):
    """The verdict on one part of a payment; `covered_minor` is what the other part pays."""

    method: str
    plan: str | None
    available: bool
    covered_minor: int
    reasons: tuple[ReasonView, ...]


class Diagnosis(msgspec.Struct, frozen=True):
    """A decision as an audience reads it. `facts` are for those who may see hidden reasons."""

    decision_id: UUID
    checkout_id: UUID
    kind: str
    decided_at: datetime
    evaluator_version: int
    policy_version: str
    audience: str
    identical: bool
    """Whether the stored facts, evaluated again now, give the identical verdict."""
    offers: tuple[OfferView, ...]
    verdicts: tuple[VerdictView, ...]
    facts: Facts | None


@resource(
    "GET", "/v1/consumers/{consumer}/decisions/{decision}", answer=Diagnosis, who=("staff",),
    query=("audience", "why"), problems=(422,),
)  # fmt: skip
async def diagnose(call: Call) -> Diagnosis:
    """The full tree of a decision for `audience` (buyer | merchant | support | risk); `why` it is looked at is kept."""
    context = call.context
    stored = await replay.decision(context, call.id("consumer"), call.id("decision"))
    audience = _audience(call.query.get("audience", "support"))
    async with context.database.transaction() as tx:
        member = await staff.get(tx, call.actor.staff_id)
        if audience is Audience.RISK:
            staff.check_may(member, Action.SEE_HIDDEN_REASONS)
        subject, why = f"decision:{stored.decision_id}", call.query.get("why", "")
        await staff.audit(tx, member, Action.SEE_DIAGNOSIS, subject, why, context.now(), {"audience": str(audience)})
    identical = replay.is_identical(stored, context.reference.product)
    shows_facts = audience is Audience.RISK
    return _diagnosis(stored, audience, call.locale, identical, shows_facts)


def _audience(text: str) -> Audience:
    try:
        return Audience(text)
    except ValueError:
        raise Refusal("AUDIENCE_UNKNOWN", f"one of {', '.join(Audience)}") from None


def _diagnosis(
    stored: StoredDecision, audience: Audience, locale: Locale, identical: bool, shows_facts: bool
) -> Diagnosis:
    facts = cashier.decode_facts(stored.facts)
    offers: tuple[OfferView, ...] = ()
    verdicts: tuple[VerdictView, ...] = ()
    if stored.kind == "offers":
        found = _OFFERS.decode(stored.verdict)
        offers = tuple(offer_told(stored.decision_id, offer, audience, locale) for offer in found)
    else:
        parts = _TENDERS.decode(stored.verdict)
        verdicts = tuple(_verdict(part.covered_minor, part.verdict, audience, locale) for part in parts)
    return Diagnosis(
        stored.decision_id,
        stored.intent_id,
        stored.kind,
        stored.decided_at,
        stored.evaluator_version,
        stored.policy_version,
        str(audience),
        identical,
        offers,
        verdicts,
        facts if shows_facts else None,
    )


def _verdict(covered_minor: int, one: Verdict, audience: Audience, locale: Locale) -> VerdictView:
    told = cashier.for_audience(one.reasons, audience)
    reasons = reason_views(told, locale, stepped_up=False, audience=audience)
    return VerdictView(one.method, one.plan, one.available, covered_minor, reasons)


@resource("POST", "/v1/staff/sessions:end", body=Nothing, answer=Nothing, who=("staff",))
async def end(call: Call) -> Nothing:
    """Sign out."""
    async with call.context.database.transaction() as tx:
        await staff.sign_out(tx, call.actor.token, call.context.now())
    return Nothing()
