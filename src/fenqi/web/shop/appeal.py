"""My requests: an appeal, a review, a higher limit, a complaint or a question put to people, and what came of each.

Every route beside a refusal that begins with people leads to the form here; it says by when there will be an answer.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from fenqi import aftersales, cashier, credit, order
from fenqi.aftersales import Case, CaseState
from fenqi.cashier import Offer
from fenqi.credit.model import GENERAL_PATH
from fenqi.flows import case_buyer, case_topic
from fenqi.flows.case_buyer import ROUTES as KINDS
from fenqi.flows.case_buyer import File, Request
from fenqi.flows.case_open import message_id_of
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.saying import REQUESTS, ToldReason, tell_reasons
from fenqi.web.upload import FILES_MOST, file_response

_DEFAULT = "contact_support"


async def listing(visit: Visit) -> Response:
    """GET /requests."""
    cases = await case_buyer.mine(visit.context, visit.consumer_id)
    return visit.render("shop/requests.html", cases=[_shown(visit, one) for one in cases])


async def form(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /requests/new?route=&decision=&method=&plan=&order=: what is asked for, about which refusal."""
    ask = visit.query if no is None else visit.form.text
    route = ask("route", 30)
    if route not in KINDS:
        route = _DEFAULT
    about = {name: ask(name, 60) for name in ("decision", "method", "plan", "order", "question")}
    told = await _told(visit, about) if route in ("appeal", "human_review") else ()
    kind = REQUESTS.get(route, aftersales.Kind.COMPLAINT)
    return visit.render(
        "shop/request_new.html",
        200 if no is None else no.status,
        route=route,
        about=about,
        told=told,
        bought=await _order(visit, about["order"]),
        granted_minor=await _granted(visit) if route == "raise_limit" else None,
        due_at=aftersales.norm.due_at(kind, visit.context.now()),
        files_most=FILES_MOST,
        typed={"text": ask("text", 2_000) if no is not None else about["question"], "wanted": ask("wanted", 20)},
        error=visit.error(no),
    )


async def _told(visit: Visit, about: dict[str, str]) -> tuple[ToldReason, ...]:
    """The reasons of the refusal that a request is against, as its buyer was told them."""
    decision_id = parse_id(about["decision"])
    if decision_id is None:
        return ()
    stored = await case_buyer.decision_of(visit.context, visit.consumer_id, decision_id)
    reasons = case_topic.reasons_of(stored, about["method"], about["plan"])
    stepped_up = case_topic.was_stepped_up(stored)
    offer = Offer(about["method"], about["plan"] or None, 0, False, reasons)
    seen = cashier.offer_for(offer, case_topic.BUYER, stepped_up).reasons
    return tell_reasons(seen, visit.locale, stepped_up=stepped_up)


async def _order(visit: Visit, order_id: str) -> order.Order | None:
    """The order that a complaint or a question is about."""
    found = parse_id(order_id)
    if found is None:
        return None
    async with visit.context.database.snapshot() as tx:
        return await order.get(tx, visit.consumer_id, found)


async def _granted(visit: Visit) -> int | None:
    async with visit.context.database.snapshot() as tx:
        limit = (await credit.limit.limits_of(tx, visit.consumer_id)).get(GENERAL_PATH)
    return None if limit is None else limit.granted_minor


async def send(visit: Visit) -> Response:
    """POST /requests: the form's key makes a second click the same request."""
    key = visit.key("key", "case")
    try:
        asked = await case_buyer.ask(visit.context, visit.consumer_id, key, _request(visit))
    except Refusal as no:
        if isinstance(no, NotFound):
            raise
        return await form(visit, no)
    return visit.redirect(f"/requests/{asked.case.number}", did="joined" if asked.joined else "asked")


def _request(visit: Visit) -> Request:
    given = visit.form
    return Request(
        route=given.text("route", 30) or _DEFAULT,
        text=given.required("text", 2_000),
        decision_id=parse_id(given.text("decision", 60)),
        method=given.text("method", 30),
        plan=given.text("plan", 30),
        order_id=parse_id(given.text("order", 60)),
        wanted_minor=given.amount_minor("wanted") if given.text("route", 30) == "raise_limit" else None,
        question=given.text("question", 500),
        files=_files(visit),
    )


def _files(visit: Visit) -> tuple[File, ...]:
    """The files sent along; a field left empty is none."""
    return tuple(File(one.name, one.content) for one in visit.files if one.content or one.name)


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /requests/{number}."""
    number = visit.request.path_params["number"]
    whole = await case_buyer.one(visit.context, visit.consumer_id, number)
    case = whole.case
    return visit.render(
        "shop/request.html",
        200 if no is None else no.status,
        case=case,
        shown=_shown(visit, case),
        messages=whole.for_buyer,
        files=[one for one in whole.evidence if one.audience == "buyer"],
        mine=f"consumer:{visit.consumer_id}",
        may_withdraw=case.is_open and case.opened_by == f"consumer:{visit.consumer_id}",
        did=visit.query("did", 20),
        files_most=FILES_MOST,
        error=visit.error(no),
    )


def _shown(visit: Visit, case: Case) -> dict[str, Any]:
    """A case as its buyer sees it: its route in words, and what time it is with it."""
    late = case.is_open and case.state is not CaseState.WAITING and case.due_at < visit.context.now()
    return {"case": case, "is_late": late, "title": _title(case)}


def _title(case: Case) -> str:
    """The key of the words for what was asked: never finer than what the buyer asked for."""
    return "human_review" if case.topic not in ("", "risk_refusal") else str(case.kind)


async def write(visit: Visit) -> Response:
    """POST /requests/{number}/reply: more words, or files."""
    number, context = visit.request.path_params["number"], visit.context
    try:
        text, files = visit.form.text("text", 2_000), _files(visit)
        if text or not files:
            await case_buyer.write(context, visit.consumer_id, number, visit.key("key", "case_reply"), text)
        for place, file in enumerate(files):
            file_id = message_id_of(visit.key("key", "case_file"), str(place))
            await case_buyer.hand_in(context, visit.consumer_id, number, file_id, file)
    except Refusal as no:
        if isinstance(no, NotFound):
            raise
        return await page(visit, no)
    return visit.redirect(f"/requests/{number}", did="written")


async def withdraw(visit: Visit) -> Response:
    """POST /requests/{number}/withdraw."""
    number = visit.request.path_params["number"]
    await case_buyer.withdraw(visit.context, visit.consumer_id, number)
    return visit.redirect(f"/requests/{number}", did="withdrawn")


async def file(visit: Visit) -> Response:
    """GET /requests/{number}/files/{file_id}: the buyer's own file."""
    async with visit.context.database.snapshot() as tx:
        case = await case_buyer.own(tx, visit.consumer_id, visit.request.path_params["number"])
        found, content = await aftersales.file_of(tx, case, visit.id("file_id"))
    if found.audience != "buyer":
        raise NotFound("FILE_UNKNOWN", "no such file")
    return file_response(found.name, found.media_type, content)


ROUTES = [
    get("/requests", listing, Who.CONSUMER),
    get("/requests/new", form, Who.CONSUMER),
    post("/requests", send, takes_files=True),
    get("/requests/{number}", page, Who.CONSUMER),
    post("/requests/{number}/reply", write, takes_files=True),
    post("/requests/{number}/withdraw", withdraw),
    get("/requests/{number}/files/{file_id}", file, Who.CONSUMER),
]
