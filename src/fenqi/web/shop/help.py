"""Help: a question box that answers in words, with the reader's own order and figures where they are signed in."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from fenqi.flows import ask, ask_told
from fenqi.flows.ask_told import Answer
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import Refusal
from fenqi.texts import t
from fenqi.web.page import Visit, Who, get, post

OFTEN = ("instalment_refused", "order_refused", "limit_short", "refund_where", "due_date", "repay_early")
"""Topics whose example questions stand as chips under the box."""
SHOWN = (
    "open_how", "use_how", "usable_where", "fees", "due_date", "repay_how", "refund_where", "overdue_consequence",
    "limit_see", "close",
)  # fmt: skip
"""Topics whose general answers stand on the page."""
MOST_READ = 5000
"""How much of a text is taken before it is called too long; the form itself stops at 300."""


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /help?question=&order=."""
    answer = await _answered(visit) if no is None else None
    typed = visit.form.text("text", MOST_READ)[:400] if no is not None else ""
    return visit.render(
        "shop/help.html",
        200 if no is None else no.status,
        answer=answer,
        error=visit.error(no),
        typed=typed or ("" if answer is None else answer.asked),
        order_id=_order_id(visit),
        chips=[t(f"help.chip_{topic}", visit.locale) for topic in OFTEN],
        shown=[ask_told.help_of(topic, None, visit.locale) for topic in SHOWN],
    )


async def _answered(visit: Visit) -> Answer | None:
    question_id = parse_id(visit.query("question"))
    if question_id is None:
        return None
    return await ask.again(visit.context, question_id, _consumer_id(visit), visit.locale)


def _consumer_id(visit: Visit) -> UUID | None:
    return None if visit.consumer is None else visit.consumer_id


def _order_id(visit: Visit) -> UUID | None:
    return parse_id(visit.form.text("order_id") or visit.query("order"))


async def put(visit: Visit) -> Response:
    """POST /help/ask: read the question, keep it, and show its answer under an address of its own."""
    form, consumer_id = visit.form, _consumer_id(visit)
    order_id = _order_id(visit) if consumer_id is not None else None
    try:
        answer = await ask.ask(
            visit.context, form.text("text", MOST_READ), visit.locale, consumer_id=consumer_id, order_id=order_id,
            topic=form.text("topic", 40) or None,
        )  # fmt: skip
    except Refusal as no:
        if no.code not in ("QUESTION_EMPTY", "QUESTION_TOO_LONG"):
            raise
        return await page(visit, no)
    kept = {} if order_id is None else {"order": str(order_id)}
    return visit.redirect("/help", question=str(answer.question_id), **kept)


async def rate(visit: Visit) -> Response:
    """POST /help/rate: whether the answer helped."""
    question_id, helped = visit.form.id("question_id"), visit.form.text("helped", 3) == "yes"
    await ask.rate(visit.context, question_id, _consumer_id(visit), helped)
    return visit.redirect("/help", question=str(question_id))


ROUTES = [get("/help", page), post("/help/ask", put, Who.ANYONE), post("/help/rate", rate, Who.ANYONE)]
