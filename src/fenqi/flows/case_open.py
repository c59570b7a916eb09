"""Opening cases: by themselves, where the policy or risk leaves something to people, and through one door for others.

A case about an order, an application or a gap in the policy is opened once, however often somebody runs into it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace

from fenqi import aftersales, credit, order
from fenqi.aftersales import About, Case, Kind, NewCase, Opened, Subject, Topic
from fenqi.cashier import Facts, Offer
from fenqi.credit import Application, CreditLine
from fenqi.database.pool import Tx
from fenqi.flows.basis import Basis
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.reason import Reason

MANUAL = "RISK_MANUAL_REVIEW"
MISSING = "POLICY_MISSING"
_JOB = "cases"


async def open(
    ctx: Context, kind: Kind, subject: Subject, consumer_id: UUID | None, about: About, by: By, text: str = "",
    case_id: UUID | None = None, topic: Topic = Topic.NONE, amount_minor: int | None = None,
) -> Opened:  # fmt: skip
    """`open_within` in a transaction of its own."""
    async with ctx.database.transaction() as tx:
        return await open_within(ctx, tx, kind, subject, consumer_id, about, by, text, case_id, topic, amount_minor)


async def open_within(
    ctx: Context, tx: Tx, kind: Kind, subject: Subject, consumer_id: UUID | None, about: About, by: By, text: str = "",
    case_id: UUID | None = None, topic: Topic = Topic.NONE, amount_minor: int | None = None,
) -> Opened:  # fmt: skip
    """Open a case about a consumer, or (None) about nobody; the one that is open about it where there is one.

    `text` is the opener's first message: the buyer's own, or a note of staff or of a job. `case_id` makes a repeat
    find the first.
    """
    new_case_id = case_id or new_id(epoch_ms(by.at))
    ref = await ctx.reference.current(tx, by.at)
    number = ref.policy.number if consumer_id is None else ref.policy_for(consumer_id).number
    new = NewCase(
        case_id=new_case_id, kind=kind, subject=subject, policy_version=number, topic=topic, about=about,
        amount_minor=amount_minor,
    )  # fmt: skip
    opened = await aftersales.open_case(tx, consumer_id, new, by)
    if text:
        await say(tx, opened.case, message_id_of(new_case_id, text), text, by)
    return opened


async def say(tx: Tx, case: Case, message_id: UUID, text: str, by: By) -> None:
    """What the opener says: the buyer to staff, anybody else as a note."""
    if by.actor == f"consumer:{case.consumer_id}":
        await aftersales.reply(tx, case.party_id, case.case_id, message_id, text, by)
    else:
        await aftersales.tell(tx, case.party_id, case.case_id, message_id, text, by, internal=True)


def message_id_of(case_id: UUID, text: str) -> UUID:
    """The id of what a call says: the same when the call is repeated."""
    digest = hashlib.sha256(case_id.bytes + text.encode()).digest()
    return UUID(bytes=digest[:16], version=4)


async def by_itself(ctx: Context, basis: Basis, reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    """Open what a verdict leaves to people: a review of the payment, and an alarm for each gap in the policy.

    The reasons again, a manual review's with the instant by which it is decided. Nothing is asked of the database
    where neither is among them.
    """
    due_at = await _opened(ctx, basis, reasons)
    return tuple(_dated(one, due_at) for one in reasons)


async def of_offers(ctx: Context, basis: Basis, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """The same for what a cashier's page shows: the offers again, with that instant."""
    due_at = await _opened(ctx, basis, [reason for offer in offers for reason in offer.reasons])
    if due_at is None:
        return offers
    return tuple(replace(one, reasons=tuple(_dated(reason, due_at) for reason in one.reasons)) for one in offers)


def _dated(reason: Reason, due_at: datetime | None) -> Reason:
    if due_at is None or reason.code != MANUAL:
        return reason
    return replace(reason, until_ms=epoch_ms(due_at))


async def _opened(ctx: Context, basis: Basis, reasons: Sequence[Reason]) -> datetime | None:
    """Open what has to be; by when the payment's review is due, if there is one."""
    stops = {MANUAL, *(one.code for one in basis.facts.risk.findings if one.cure == "review")}
    found = [one for one in reasons if one.code == MISSING or one.code in stops]
    if not found:
        return None
    for subject, about in {one.id: (one, about) for one, about in _gaps(basis.facts, found)}.values():
        await _alarm(ctx, subject, about)
    stopped = [one for one in found if one.code in stops]
    return await _review(ctx, basis, stopped) if stopped else None


async def _review(ctx: Context, basis: Basis, stopped: list[Reason]) -> datetime | None:
    """One review an order while it is open; none where a person has confirmed the suspicion. By when it is due.

    The risk database hears of it only when somebody has decided: what stops the payment stands until then, and other
    methods, on which it doesn't bear, stay as they are.
    """
    subject = Subject("order", str(basis.order_id))
    async with ctx.database.snapshot() as tx:
        earlier = await aftersales.of_subject(tx, basis.consumer_id, Kind.PAYMENT_REVIEW, subject)
        bought = await order.get(tx, basis.consumer_id, basis.order_id)
    for one in earlier:
        if one.is_open or one.outcome == "confirmed":
            return one.due_at if one.is_open else None
    by = ctx.by_system(_JOB, "risk wants a person to look at the payment")
    about = About(
        order_id=basis.order_id, order_number=bought.number, intent_id=basis.intent_id,
        decision_id=basis.decision_id, method=stopped[0].method,
        plan=stopped[0].plan or "", codes=tuple(dict.fromkeys(one.code for one in stopped)),
    )  # fmt: skip
    new = NewCase(
        case_id=new_id(epoch_ms(by.at)), kind=Kind.PAYMENT_REVIEW, subject=subject,
        policy_version=basis.facts.policy_version, about=about, amount_minor=basis.facts.order.payable_minor,
    )  # fmt: skip
    async with ctx.database.transaction() as tx:
        return (await aftersales.open_case(tx, basis.consumer_id, new, by)).case.due_at


def _gaps(facts: Facts, reasons: Sequence[Reason]) -> Iterable[tuple[Subject, About]]:
    """What no row of the policy covers: once a version, scene, category and method."""
    for one in reasons:
        if one.code == MISSING:
            scene, category = str(one.observed.get("scene", "")), str(one.observed.get("category", ""))
            key = f"{facts.policy_version}/{scene}/{category}/{one.method}"
            yield Subject("policy", key), About(scene=scene, category=category, method=one.method, codes=(MISSING,))


async def _alarm(ctx: Context, subject: Subject, about: About) -> None:
    if subject.id in ctx.alarms:
        return
    async with ctx.database.snapshot() as tx:
        known = await aftersales.of_subject(tx, None, Kind.POLICY_MISSING, subject)
    if not known:
        by = ctx.by_system(_JOB, "no row of the policy covers what somebody wanted to buy")
        await open(ctx, Kind.POLICY_MISSING, subject, None, about, by)
    ctx.alarms.add(subject.id)


async def of_application(ctx: Context, tx: Tx, application: Application, line: CreditLine) -> CreditLine:
    """An application that the opening table leaves to a person becomes a case, within the application's transaction.

    The line says by when, as the case does. Applications that are decided are no case's.
    """
    if application.outcome != "review":
        return line
    subject = Subject("application", str(application.application_id))
    new = NewCase(
        case_id=application.application_id, kind=Kind.APPLICATION_REVIEW, subject=subject,
        policy_version=application.policy_version,
        about=About(application_id=application.application_id, codes=application.principal_reasons),
    )  # fmt: skip
    system = ctx.by_system(_JOB, "the opening table leaves it to a person")
    opened = await aftersales.open_case(tx, application.consumer_id, new, system)
    if not opened.is_new:
        return line
    return await credit.line.change(tx, line, system, expected_by_at=opened.case.due_at)


async def overtake_application(tx: Tx, consumer_id: UUID, application_id: UUID, by: By) -> None:
    """Somebody decides the application by another door: nothing is left of its case."""
    subject = Subject("application", str(application_id))
    for case in await aftersales.of_subject(tx, consumer_id, Kind.APPLICATION_REVIEW, subject):
        if case.is_open:
            await aftersales.lapse(tx, case.party_id, case.case_id, by)
