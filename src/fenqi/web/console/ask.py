"""Asking in words for a buyer, and the questions that wait for a person: taken up here, with what is done."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from starlette.responses import Response

from fenqi import customer, order, question, staff
from fenqi.database.pool import Tx
from fenqi.flows import ask
from fenqi.flows.ask_told import Answer
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.staff import Action
from fenqi.texts import Audience
from fenqi.web.console.act import check_may
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit, Who, get, post

_FIGURES_OF = timedelta(days=30)
_MOST_READ = 5000


async def page(visit: Visit, no: Refusal | None = None, answer: Answer | None = None) -> Response:
    """GET /console/questions."""
    check_may(visit, Action.SEE_DIAGNOSIS)
    async with visit.context.database.snapshot() as tx:
        waiting = await question.waiting(tx)
        figures = await question.tally(tx, visit.context.now() - _FIGURES_OF)
    form = visit.form
    return visit.render(
        "console/ask.html",
        200 if no is None else no.status,
        answer=answer,
        error=visit.error(no),
        typed={"text": form.text("text", _MOST_READ)[:400], "what": form.text("what", 60), "why": form.text("why")},
        waiting=waiting,
        figures=figures[:20],
    )


async def put(visit: Visit) -> Response:
    """POST /console/questions: answer for an order or a person, keeping who looked and why."""
    check_may(visit, Action.SEE_DIAGNOSIS)
    form = visit.form
    try:
        text = question.check(form.text("text", _MOST_READ))
        consumer_id, order_id = await _whom(visit, form.text("what", 60))
        answer = await ask.ask(
            visit.context, text, visit.locale, Audience.SUPPORT, consumer_id, order_id, form.text("topic", 40) or None
        )
    except Refusal as no:
        return await page(visit, no)
    return await page(visit, answer=answer)


async def _whom(visit: Visit, what: str) -> tuple[UUID | None, UUID | None]:
    """(consumer, order) of an order's number or a sign-in name, recorded with why; nobody for an empty one."""
    if not what:
        return None, None
    async with visit.context.database.transaction() as tx:
        consumer_id, order_id = await _find(visit, tx, what)
        subject = f"consumer:{consumer_id}" if order_id is None else f"order:{order_id}"
        why = visit.form.text("why")
        await staff.audit(tx, member_of(visit), Action.SEE_DIAGNOSIS, subject, why, visit.context.now())
    return consumer_id, order_id


async def _find(visit: Visit, tx: Tx, what: str) -> tuple[UUID, UUID | None]:
    try:
        return await order.find(tx, what)
    except NotFound:
        found = await customer.find_by_sign_in_name(tx, visit.context.keys, what)
        if found is None:
            raise
        return found, None


async def take(visit: Visit) -> Response:
    """POST /console/questions/take: this member takes a waiting question up, and says what is done."""
    check_may(visit, Action.SEE_DIAGNOSIS)
    question_id = parse_id(visit.form.text("question_id"))
    if question_id is None:
        raise NotFound("QUESTION_UNKNOWN", "no such question")
    async with visit.context.database.transaction() as tx:
        await question.take(tx, question_id, visit.by(visit.form.required("why")))
    return visit.redirect("/console/questions", notice="saved")


ROUTES = [
    get("/console/questions", page, Who.STAFF),
    post("/console/questions", put, Who.STAFF),
    post("/console/questions/take", take, Who.STAFF),
]
