"""The buyer's side of cases: an appeal, a review, a higher limit, a complaint or a question, and the thread about it.

What an appeal is against is read off the decision that refused, or off the line as it stands; the buyer need not (and,
of hidden reasons, may not) know it. Two buyers whose hidden reasons differ get the same answers here.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

import msgspec

from fenqi import aftersales, cashier, credit, order
from fenqi.aftersales import About, Case, Evidence, Kind, NewCase, Subject, Topic, Whole
from fenqi.cashier import StoredDecision
from fenqi.cashier.disclosure import public_code
from fenqi.credit.model import GENERAL_PATH
from fenqi.database.pool import Tx
from fenqi.flows import case_topic, replay
from fenqi.flows.case_open import MANUAL, message_id_of
from fenqi.flows.case_topic import Against
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import Conflict, NotFound, Refusal

ROUTES = ("appeal", "human_review", "raise_limit", "contact_support", "settlement_plan", "complaint")
"""The ways, of those shown beside a refusal, that begin with a request to people; `complaint` begins elsewhere."""
_OPEN_MOST = 10
"""How many open requests one buyer may have."""


class File(msgspec.Struct, frozen=True):
    """A file handed in with a request."""

    name: str
    content: bytes


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a buyer asks for. An appeal names the refusal (`decision_id`, `method`, `plan`), or nothing: then it is
    against what the line says. `order_id` is for complaints and questions about an order."""

    route: str
    text: str
    decision_id: UUID | None = None
    method: str = ""
    plan: str = ""
    order_id: UUID | None = None
    wanted_minor: int | None = None
    question: str = ""
    files: tuple[File, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """The request's case; `joined` where one about the same thing was open already, and the text was added to it."""

    case: Case
    joined: bool


async def ask(ctx: Context, consumer_id: UUID, case_id: UUID, request: Request) -> Asked:
    """Open a request, or add to the open one about the same thing; a repeat under the same `case_id` changes nothing.

    Refuses ROUTE_UNKNOWN, TEXT_INVALID, files (`aftersales.hand_in`), DECISION_UNKNOWN, ORDER_UNKNOWN,
    NOTHING_TO_APPEAL, LIMIT_NOT_RAISED, CREDIT_NOT_OPENED, AMOUNT_INVALID, and CASES_TOO_MANY.
    """
    if request.route not in ROUTES:
        raise Refusal("ROUTE_UNKNOWN", f"one of {', '.join(ROUTES)}")
    by = ctx.by_consumer(consumer_id, "asked for it")
    async with ctx.database.transaction() as tx:
        new = await _new(ctx, tx, consumer_id, case_id, request, by)
        opened = await _open(tx, consumer_id, new, by)
        key = (consumer_id, opened.case.case_id)
        case = await aftersales.reply(tx, *key, message_id_of(case_id, "text"), request.text, by)
        for place, file in enumerate(request.files):
            file_id = message_id_of(case_id, f"file {place}")
            await aftersales.hand_in(tx, *key, file_id, file.name, file.content, by)
    return Asked(case, opened.case.case_id != case_id)


async def _open(tx: Tx, consumer_id: UUID, new: NewCase, by: By) -> aftersales.Opened:
    opened = await aftersales.open_case(tx, consumer_id, new, by)
    if opened.is_new:
        mine = await aftersales.of_consumer(tx, consumer_id, 100)
        if sum(one.is_open and one.opened_by == by.actor for one in mine) > _OPEN_MOST:
            raise Conflict("CASES_TOO_MANY", f"at most {_OPEN_MOST} open requests", cases_most=_OPEN_MOST)
    elif not opened.case.is_open:
        raise Conflict("STATE_CONFLICT", "the request has ended", state=str(opened.case.state))
    return opened


async def _new(
    ctx: Context, tx: Tx, consumer_id: UUID, case_id: UUID, request: Request, by: By
) -> NewCase:  # fmt: skip
    ref = await ctx.reference.current(tx, by.at)
    new = NewCase(
        case_id=case_id, kind=Kind.QUESTION, subject=Subject("none", str(case_id)),
        policy_version=ref.policy_for(consumer_id).number,
        about=About(question=request.question, method=request.method),
    )  # fmt: skip
    if request.route in ("appeal", "human_review"):
        return await _appeal(ctx, tx, consumer_id, new, request)
    if request.route == "raise_limit":
        return await _raise(ctx, tx, consumer_id, new, request, by)
    kind = Kind.COMPLAINT if request.route == "complaint" else Kind.QUESTION
    if request.order_id is None:
        return msgspec.structs.replace(new, kind=kind)
    bought = await order.get(tx, consumer_id, request.order_id)
    about = msgspec.structs.replace(new.about, order_id=bought.order_id, order_number=bought.number)
    return msgspec.structs.replace(
        new, kind=kind, subject=Subject("order", str(bought.order_id)), about=about, amount_minor=bought.payable_minor
    )


async def _appeal(
    ctx: Context, tx: Tx, consumer_id: UUID, new: NewCase, request: Request
) -> NewCase:  # fmt: skip
    """An appeal, or the payment's own review while that is open."""
    against = await _against(ctx, tx, consumer_id, request)
    kind, topic = Kind.APPEAL, against.topic
    if topic is Topic.NONE:
        reviews = await aftersales.of_subject(tx, consumer_id, Kind.PAYMENT_REVIEW, against.subject)
        under_way = any(one.is_open and is_shown(one) for one in reviews)
        kind, topic = (Kind.PAYMENT_REVIEW, topic) if under_way else (kind, Topic.RISK_REFUSAL)
    return msgspec.structs.replace(
        new, kind=kind, topic=topic, subject=against.subject, about=against.about, amount_minor=against.amount_minor
    )


async def _against(ctx: Context, tx: Tx, consumer_id: UUID, request: Request) -> Against:
    """What the appeal is against; refuses NOTHING_TO_APPEAL."""
    ref = await ctx.reference.current(tx, ctx.now())
    view = await credit.credit_facts_of(tx, consumer_id, ctx.now(), ref.product)
    applications = await credit.application.applications(tx, consumer_id)
    latest = applications[-1].application_id if applications else None
    if request.decision_id is None:
        return case_topic.of_line(consumer_id, view, latest)
    stored = await cashier.select_decision(tx, bucket_of(consumer_id), consumer_id, request.decision_id)
    if stored is None:
        raise NotFound("DECISION_UNKNOWN", "no such decision")
    reasons = case_topic.reasons_of(stored, request.method, request.plan)
    found = await _order_of(tx, stored)
    return case_topic.of_reasons(consumer_id, request.route, reasons, latest, found, stored, request)


async def _order_of(tx: Tx, stored: StoredDecision) -> order.Order:
    opened = await cashier.checkout(tx, stored.bucket, stored.consumer_id, stored.intent_id)
    assert opened is not None, "a decision is on a checkout"
    return await order.get(tx, stored.consumer_id, opened.order_id)


async def _raise(
    ctx: Context, tx: Tx, consumer_id: UUID, new: NewCase, request: Request, by: By
) -> NewCase:  # fmt: skip
    """A higher limit: what is at stake is the difference."""
    wanted_minor = request.wanted_minor or 0
    check_amount_minor(wanted_minor)
    limit = (await credit.limit.limits_of(tx, consumer_id)).get(GENERAL_PATH)
    if limit is None:
        raise Conflict("CREDIT_NOT_OPENED", "there is no limit to be raised")
    if wanted_minor <= limit.granted_minor:
        raise Conflict("LIMIT_NOT_RAISED", "the limit is as high already", limit_minor=limit.granted_minor)
    return msgspec.structs.replace(
        new, kind=Kind.RAISE_LIMIT, subject=Subject("limit", GENERAL_PATH), about=About(wanted_minor=wanted_minor),
        amount_minor=wanted_minor - limit.granted_minor,
    )  # fmt: skip


async def write(ctx: Context, consumer_id: UUID, number: str, message_id: UUID, text: str) -> Case:
    """Write to one's own case; where an answer was waited for, its clock goes on."""
    by = ctx.by_consumer(consumer_id, "wrote")
    async with ctx.database.transaction() as tx:
        case = await own(tx, consumer_id, number)
        return await aftersales.reply(tx, consumer_id, case.case_id, message_id, text, by)


async def hand_in(ctx: Context, consumer_id: UUID, number: str, file_id: UUID, file: File) -> Evidence:
    """Hand a file in."""
    by = ctx.by_consumer(consumer_id, "handed a file in")
    async with ctx.database.transaction() as tx:
        case = await own(tx, consumer_id, number)
        return await aftersales.hand_in(tx, consumer_id, case.case_id, file_id, file.name, file.content, by)


async def withdraw(ctx: Context, consumer_id: UUID, number: str) -> Case:
    """Take one's own request back, while nobody has decided it."""
    by = ctx.by_consumer(consumer_id, "took the request back")
    async with ctx.database.transaction() as tx:
        case = await own(tx, consumer_id, number)
        return await aftersales.withdraw(tx, consumer_id, case.case_id, by)


async def mine(ctx: Context, consumer_id: UUID) -> list[Case]:
    """The buyer's cases that they may know of, newest first."""
    async with ctx.database.snapshot() as tx:
        return [one for one in await aftersales.of_consumer(tx, consumer_id, 100) if is_shown(one)]


async def one(ctx: Context, consumer_id: UUID, number: str) -> Whole:
    """One of them with its thread; NotFound (CASE_UNKNOWN) otherwise."""
    async with ctx.database.snapshot() as tx:
        return await aftersales.whole(tx, await own(tx, consumer_id, number))


async def own(tx: Tx, consumer_id: UUID, number: str) -> Case:
    """The buyer's own case of this number, if they may know of it."""
    case = await aftersales.find_own(tx, consumer_id, number)
    if not is_shown(case):
        raise NotFound("CASE_UNKNOWN", "no such case")
    return case


def is_shown(case: Case) -> bool:
    """Whether its buyer may know of the case: what they asked for, their application, and a review that their cashier
    tells of. A review for a hidden reason would tell that reason."""
    if case.opened_by == f"consumer:{case.consumer_id}" or case.kind is Kind.APPLICATION_REVIEW:
        return True
    return case.kind is Kind.PAYMENT_REVIEW and MANUAL in case.about.codes


def told_codes(codes: Iterable[str]) -> tuple[str, ...]:
    """Codes as the buyer may read them, once each."""
    return tuple(dict.fromkeys(public_code(code, case_topic.BUYER) for code in codes))


async def decision_of(ctx: Context, consumer_id: UUID, decision_id: UUID) -> StoredDecision:
    """The buyer's own decision that a request is about; NotFound (DECISION_UNKNOWN) otherwise."""
    return await replay.decision(ctx, consumer_id, decision_id)
