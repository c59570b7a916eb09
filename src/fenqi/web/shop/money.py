"""The money account: balance, movements, money in from a bank card, and the switch for paying by balance."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fenqi import cashier, customer, texts
from fenqi.attempt import Attempt
from fenqi.database.pool import Tx
from fenqi.flows import charge, money
from fenqi.flows.facts import MONEY_PATH
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import parse_id
from fenqi.kernel.reason import Reason, Scope, ScopeKind
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.ledger import limits, statements
from fenqi.ledger.chart import PAYMENT_COMPANY
from fenqi.web import saying
from fenqi.web.locale import local_path
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop import waiting
from fenqi.web.shop.giving_back import Progress, progress_of

_KINDS = ("bank_in", "purchase", "repayment", "refund", "withdrawal")
_LATEST = 30


class Balance(NamedTuple):
    """What the money account holds, and what of it is held by something under way."""

    balance_minor: int = 0
    held_minor: int = 0


async def balance_of(tx: Tx, consumer_id: UUID) -> Balance:
    """The balance from the limit-bearing account; nothing where none is open."""
    account = (await limits.accounts_of(tx, consumer_id)).get(MONEY_PATH)
    return Balance() if account is None else Balance(-account.balance_minor, account.reserved_minor)


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /money?amount=&next=."""
    context, consumer_id = visit.context, visit.consumer_id
    today_on = business_date(context.now())
    async with context.database.snapshot() as tx:
        consumer = await customer.get(tx, consumer_id)
        cards = await customer.cards(tx, consumer_id)
        balance = await balance_of(tx, consumer_id)
        found = await statements.of_consumer(tx, consumer_id, PAYMENT_COMPANY, MONEY_PATH, date(2000, 1, 1), today_on)
    source = visit.form.text if no is not None else visit.query
    entries = [
        {"at": line.posted_at, "words": _words(visit, line.kind), "amount_minor": -line.amount_minor}
        for line in reversed(found.lines[-_LATEST:])
    ]
    return visit.render(
        "shop/money.html",
        200 if no is None else no.status,
        state=str(consumer.money_account),
        pay_switch_on=consumer.pay_switch_on,
        balance_minor=balance.balance_minor,
        held_minor=balance.held_minor,
        cards=cards,
        entries=entries,
        typed=source("amount", 20),
        next=local_path(source("next", 300), "/money"),
        error=visit.error(no),
    )


def _words(visit: Visit, kind: str) -> str:
    known = next((one for one in _KINDS if kind.startswith(one)), "other")
    return texts.t(f"money.entry_{known}", visit.locale)


async def open_account(visit: Visit) -> Response:
    """POST /money/open."""
    await money.open_account(visit.context, visit.consumer_id)
    return visit.redirect("/money", notice="money_opened")


async def top_up(visit: Visit) -> Response:
    """POST /money/top-up: the page's key makes a second click the same movement."""
    form = visit.form
    card_id = parse_id(form.text("card_id", 40))
    key = visit.key("key", "top_up")
    try:
        moved = await money.top_up(visit.context, visit.consumer_id, key, form.amount_minor("amount"), card_id)
    except Refusal as no:
        return await page(visit, no)
    if moved.state in ("pending", "unknown"):
        return visit.redirect(f"/money/attempts/{moved.attempt_id}", go="1")
    return visit.redirect(local_path(form.text("next"), "/money"), notice="topped_up")


async def switch(visit: Visit) -> Response:
    """POST /money/switch."""
    async with visit.context.database.transaction() as tx:
        on = visit.form.text("on", 1) == "1"
        await customer.switch_pay(tx, visit.consumer_id, on, visit.by("switched paying by balance"))
    return visit.redirect("/money", notice="switched")


async def tried(visit: Visit) -> Response:
    """GET /money/attempts/{attempt_id}?go=1: a top-up or a withdrawal that goes through a channel."""
    found, backs = await _look(visit)
    outcome, here = waiting.outcome_of(found), f"/money/attempts/{found.attempt_id}"
    wait = waiting.told(visit, outcome, found, backs, f"{here}/state.json")
    refused = None
    if outcome == "refused":
        reason = Reason(found.reason, found.method, Scope(ScopeKind.CHANNEL, (found.passage,)), {})
        told = saying.tell_reasons(cashier.for_audience((reason,), texts.Audience.BUYER), visit.locale)
        refused = told[0]
    response = visit.render(
        "shop/waiting.html",
        wait=wait,
        backs=backs,
        here=here,
        leaves=visit.query("go", 1) == "1",
        amount_minor=found.amount_minor,
        tenders=(),
        back="/money",
        again=outcome in ("closed", "refused"),
        refused=refused,
    )
    return waiting.leading(response, wait.handover)


async def state(visit: Visit) -> Response:
    """GET /money/attempts/{attempt_id}/state.json: for the page that waits."""
    found, backs = await _look(visit)
    return waiting.state(waiting.outcome_of(found), found, backs)


async def _look(visit: Visit) -> tuple[Attempt, list[Progress]]:
    found = await waiting.look(visit, visit.id("attempt_id"))
    if found.purpose == "order":
        raise NotFound("ATTEMPT_UNKNOWN", "no such movement")
    if found.disposition != "returned":
        return found, []
    async with visit.context.database.snapshot() as tx:
        return found, await progress_of(tx, visit.consumer_id, [found])


async def cancel(visit: Visit) -> Response:
    """POST /money/attempts/{attempt_id}/cancel: close a top-up at its channel; one that is paid stays paid."""
    found, _ = await _look(visit)
    if found.is_open and found.purpose == "top_up":
        found = await charge.close(visit.context, found, visit.by("chose not to pay in"))
    notice = "still_open" if found.is_open else "withdrawn" if waiting.outcome_of(found) == "closed" else ""
    return visit.redirect(f"/money/attempts/{found.attempt_id}", **({"notice": notice} if notice else {}))


async def returned(request: Request) -> Response:
    """POST /money/attempts/{attempt_id}: the bank's page sends the buyer back; no more than a visit."""
    attempt_id = parse_id(request.path_params["attempt_id"])
    return RedirectResponse(f"/money/attempts/{attempt_id}" if attempt_id is not None else "/money", 303)


ROUTES = [
    get("/money", page, Who.CONSUMER),
    get("/money/attempts/{attempt_id}", tried, Who.CONSUMER),
    get("/money/attempts/{attempt_id}/state.json", state, Who.CONSUMER),
    post("/money/attempts/{attempt_id}/cancel", cancel),
    Route("/money/attempts/{attempt_id}", returned, methods=["POST"], include_in_schema=False),
    post("/money/open", open_account),
    post("/money/top-up", top_up),
    post("/money/switch", switch),
]
