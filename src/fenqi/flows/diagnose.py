"""Diagnosis: 怎么回事, answered for anything of the past: what happened, why, with proof, what changed, what works now.

`diagnose` finds what a number stands for, gathers its dossier and tells it to one audience in one language. The
console, the shop, the API, `fenqi explain` and questions in words all show the same. Reads only.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi.cashier import Payment
from fenqi.flows import diagnose_changes, diagnose_find, diagnose_timeline, naming, narrative, stories
from fenqi.flows import diagnose_told as told
from fenqi.flows import dossier as dossiers
from fenqi.flows.context import Context
from fenqi.flows.diagnose_find import Kind, Subject
from fenqi.flows.diagnose_timeline import ToldEvent
from fenqi.flows.diagnose_told import Reader, ToldDecision, ToldOffer, ToldReason
from fenqi.flows.dossier import Dossier
from fenqi.flows.narrative import Proof
from fenqi.kernel.refusal import NotFound
from fenqi.order import Order
from fenqi.texts import Audience, Locale

__all__ = [
    "Diagnosis", "Dossier", "Kind", "Subject", "ToldDecision", "ToldEvent", "ToldOffer", "ToldReason", "diagnose",
    "of_subject", "tell",
]  # fmt: skip


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a subject, as one audience may know it, in one language."""

    subject: Subject
    audience: Audience
    locale: Locale
    narrative: str
    """A few sentences: what happened, why, what has changed since, what works now."""
    sentences: tuple[str, ...]
    number: str = ""
    """The order's."""
    order: Order | None = None
    """For staff and the order's own buyer."""
    payments: tuple[Payment, ...] = ()
    """For staff only: they carry reasons that nobody has told yet."""
    decisions: tuple[ToldDecision, ...] = ()
    """Every decision, oldest first, replayed. To a buyer and a merchant without hashes."""
    reasons: tuple[ToldReason, ...] = ()
    """Why it was refused: of the press or look that the narrative is about."""
    method: str = ""
    plan: str = ""
    """What those reasons are about."""
    changes: tuple[str, ...] = ()
    """What has changed since, in words, most telling first."""
    now: tuple[ToldOffer, ...] = ()
    """Every method and plan as it stands now, with what would help."""
    checkout_id: UUID | None = None
    timeline: tuple[ToldEvent, ...] = ()
    proof: Proof | None = None


async def diagnose(
    ctx: Context,
    what: str,
    audience: Audience,
    locale: Locale,
    *,
    owner: UUID | None = None,
    merchant_id: UUID | None = None,
) -> Diagnosis:
    """The diagnosis of whatever this number stands for (see `diagnose_find.find`).

    Who asks must have been checked before; `owner` finds that consumer's things only, `merchant_id` only orders with
    this merchant's goods, and of those what concerns them. Refuses SUBJECT_UNKNOWN.
    """
    async with ctx.database.snapshot() as tx:
        subject = await diagnose_find.find(tx, what, owner)
    return tell(await dossiers.gather(ctx, subject), audience, locale, merchant_id)


async def of_subject(ctx: Context, subject: Subject, audience: Audience, locale: Locale) -> Diagnosis:
    """The diagnosis of a thing that is known already."""
    return tell(await dossiers.gather(ctx, subject), audience, locale)


def tell(found: Dossier, audience: Audience, locale: Locale, merchant_id: UUID | None = None) -> Diagnosis:
    """The dossier as this audience may know it. A merchant without goods in it finds nothing (SUBJECT_UNKNOWN)."""
    if audience is Audience.MERCHANT and (found.bought is None or not _sells(found.bought, merchant_id)):
        raise NotFound("SUBJECT_UNKNOWN", "nothing of this number")
    reader = Reader(audience, locale, found.stepped_up, merchant_id, found.bought, found.ref)
    focus = stories.focus_of(found)
    changes = _changes(found, focus, reader)
    proof = stories.proof_of(found, focus)
    story = stories.story_of(found, focus, reader, changes, proof)
    sentences = narrative.render(narrative.compose(story, locale), audience, locale)
    return Diagnosis(
        subject=found.subject,
        audience=audience,
        locale=locale,
        narrative=narrative.joined(sentences, locale),
        sentences=sentences,
        number=found.bought.number if found.bought is not None else "",
        order=found.bought if audience is not Audience.MERCHANT else None,
        payments=found.payments if reader.is_staff else (),
        decisions=tuple(told.decision(one.stored, one.identical, reader) for one in found.decisions),
        reasons=stories.reasons_of(found, focus, reader),
        method=focus.method if focus is not None else "",
        plan=focus.plan if focus is not None else "",
        changes=changes,
        now=_now(found, reader),
        checkout_id=found.standing.intent_id if found.standing is not None else None,
        timeline=diagnose_timeline.tell(found.events, reader),
        proof=proof,
    )


def _sells(bought: Order, merchant_id: UUID | None) -> bool:
    """Whether the merchant has goods in the order; without a merchant (staff read as one) any will do."""
    return merchant_id is None or any(line.merchant_id == merchant_id for line in bought.lines)


def _changes(found: Dossier, focus: stories.Focus | None, reader: Reader) -> tuple[str, ...]:
    """What has changed since the refusal, up to the payment that went through, or to now."""
    if focus is None or focus.facts is None:
        return ()
    after = stories.facts_after(found)
    if after is None:
        return ()
    known = diagnose_changes.open_to(
        diagnose_changes.between(focus.facts, after, focus.method), reader.audience, reader.stepped_up
    )
    ids = [one.about for one in known if one.what in ("seller", "enabled")]
    if reader.audience is Audience.MERCHANT and reader.merchant_id is not None:
        known = tuple(one for one in known if one.about in ("", str(reader.merchant_id)) or one.about not in ids)
    names = naming.seller_names(found.ref, reader.locale, ids)
    return tuple(diagnose_changes.say(one, reader.locale, names) for one in known)


def _now(found: Dossier, reader: Reader) -> tuple[ToldOffer, ...]:
    """How every method stands; merchants learn that of refusals only, and of a paid order there is nothing to say."""
    if found.standing is None or stories.is_over(found) or reader.audience is Audience.MERCHANT:
        return ()
    return tuple(told.offer(one, reader) for one in found.standing.offers)
