"""The money account: balance, movements, money in from a bank card, and the switch for paying by balance."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import customer, texts
from fenqi.database.pool import Tx
from fenqi.flows import money
from fenqi.flows.facts import MONEY_PATH
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import limits, statements
from fenqi.ledger.chart import PAYMENT_COMPANY
from fenqi.web.locale import local_path
from fenqi.web.page import Visit, Who, get, post

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
    try:
        await money.top_up(visit.context, visit.consumer_id, visit.key("key", "top_up"), form.amount_minor("amount"))
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(local_path(form.text("next"), "/money"), notice="topped_up")


async def switch(visit: Visit) -> Response:
    """POST /money/switch."""
    async with visit.context.database.transaction() as tx:
        on = visit.form.text("on", 1) == "1"
        await customer.switch_pay(tx, visit.consumer_id, on, visit.by("switched paying by balance"))
    return visit.redirect("/money", notice="switched")


ROUTES = [
    get("/money", page, Who.CONSUMER),
    post("/money/open", open_account),
    post("/money/top-up", top_up),
    post("/money/switch", switch),
]
