"""The console: who may see what, that it asks why and keeps it, and that what it shows is the stored decision."""

from __future__ import annotations

from typing import Any

import pytest
from tests import world

from fenqi import staff
from fenqi.flows import quote
from fenqi.kernel.ids import new_id

LOCALES = ["zh-CN", "en"]


@pytest.fixture(scope="module")
def paid(ctx: Any, ref: Any, run: Any) -> Any:
    """An order that was looked at in the cashier and then paid with the money account."""

    async def make() -> Any:
        (buyer,) = await world.people(ctx, 1)
        await world.give_line(ctx, buyer)
        placed = await world.buy(ctx, buyer, [world.wish(ref, "gold", "mall", most_minor=500_000)], "mall")
        await quote.quote(ctx, buyer, placed.intent_id)
        return placed

    return run(make())


def enter(browser: Any, role: str, locale: str = "en") -> Any:
    """A member of staff at work."""
    visitor = browser(locale)
    page = visitor.get("/console/sign-in")
    home = visitor.send(page, "/console/sign-in", sign_in_name=role, password="a staff password")
    assert home.path == "/console" and home.page.faults == []
    return visitor


def csrf_of(answer: Any) -> str:
    """The token of a page's forms."""
    return next((value for form in answer.page.forms for name, value in form.fields if name == "csrf"), "")


def look(visitor: Any, number: str, why: str = "the buyer called") -> Any:
    return visitor.send(visitor.get("/console"), "/console/find", what=number, why=why)


def test_nobody_enters_without_signing_in(browser: Any, paid: Any) -> None:
    visitor = browser()
    for path in ("/console", "/console/trial-balance", f"/console/orders/{paid.order.number}"):
        assert visitor.get(path).path == "/console/sign-in"
    wrong = visitor.send(visitor.get("/console/sign-in"), "/console/sign-in", sign_in_name="risk", password="wrong")
    assert wrong.status == 422 and wrong.page.faults == []


def test_a_consumers_session_opens_no_console(browser: Any, paid: Any, names: Any) -> None:
    visitor = browser()
    visitor.sign_in(names(paid.order.consumer_id))
    assert visitor.get("/console").path == "/console/sign-in"


def test_looking_asks_why_and_keeps_who_looked(browser: Any, ctx: Any, paid: Any, run: Any) -> None:
    visitor = enter(browser, "support")
    asked = visitor.get(f"/console/orders/{paid.order.number}")
    assert asked.path == "/console"
    without = look(visitor, paid.order.number, why=" ")
    assert without.status == 422 and without.page.faults == []
    found = look(visitor, paid.order.number)
    assert found.path == f"/console/orders/{paid.order.number}" and found.page.faults == []

    async def audits() -> Any:
        async with ctx.database.snapshot() as tx:
            return await staff.audits(tx, f"order:{paid.order.order_id}")

    (kept,) = run(audits())
    assert (kept.action, kept.why) == ("see_diagnosis", "the buyer called")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_audience_reads_its_own_words(browser: Any, paid: Any, locale: str) -> None:
    visitor = enter(browser, "risk", locale)
    found = look(visitor, paid.order.number)
    said = {}
    for audience in ("buyer", "merchant", "support", "risk"):
        page = visitor.get(f"{found.path}?method=credit&plan=instalment_12&audience={audience}")
        assert page.page.faults == []
        said[audience] = page.page.words
    assert len(set(said.values())) == 4
    assert "GOODS_CATEGORY_EXCLUDED" in said["risk"]


def test_support_does_not_read_what_is_for_the_risk_desk(browser: Any, paid: Any) -> None:
    visitor = enter(browser, "support")
    found = look(visitor, paid.order.number)
    page = visitor.get(f"{found.path}?audience=risk")
    assert not [link for link in page.page.links if "audience=risk" in link]


def test_a_replay_gives_the_identical_verdict_and_is_kept(browser: Any, ctx: Any, paid: Any, run: Any) -> None:
    visitor = enter(browser, "risk")
    found = look(visitor, paid.order.number)
    layers = visitor.get(f"{found.path}/decisions")
    again = visitor.send(layers, f"{found.path}/replay", why="checking the corpus")
    assert again.status == 200 and "Identical to the decision of then" in again.page.words
    assert visitor.send(layers, f"{found.path}/replay", why="").status == 422


@pytest.mark.parametrize("locale", LOCALES)
def test_accountants_walk_the_journals_and_see_balanced_books(
    browser: Any, ctx: Any, ref: Any, paid: Any, names: Any, locale: str
) -> None:
    buyer = browser()
    buyer.sign_in(names(paid.order.consumer_id))
    cashier = buyer.get(f"/cashier/{paid.intent_id}")
    press = {"csrf": csrf_of(cashier), "payment_id": str(new_id()), "method": "credit", "plan": "instalment_12"}
    buyer.post(f"/cashier/{paid.intent_id}/pay", press)
    if any(form.action == f"/cashier/{paid.intent_id}/pay" for form in cashier.page.forms):
        buyer.send(cashier, f"/cashier/{paid.intent_id}/pay")
    visitor = enter(browser, "accountant", locale)
    found = look(visitor, paid.order.number)
    for link in [link for link in found.page.links if "decision=" in link]:
        assert visitor.get(link).page.faults == []
    walk = visitor.get(f"/console/orders/{paid.order.number}/journals")
    assert walk.page.faults == [] and "liability:money_account" in walk.page.words
    trial = visitor.get("/console/trial-balance")
    assert trial.page.faults == []
    assert ("不平" if locale == "zh-CN" else "Out of balance") not in trial.page.words
    assert visitor.get("/console/trial-balance?through=nonsense").status == 422
    person = look(visitor, names(paid.order.consumer_id))
    assert person.path == f"/console/consumers/{paid.order.consumer_id}" and person.page.faults == []
    assert "liability:money_account" in person.page.words


def test_roles_bound_what_can_be_seen(browser: Any, paid: Any, names: Any) -> None:
    visitor = enter(browser, "support")
    look(visitor, paid.order.number)
    for path in ("/console/trial-balance", f"/console/orders/{paid.order.number}/journals"):
        refused = visitor.get(path)
        assert refused.status == 403 and refused.page.faults == []
    person = look(visitor, names(paid.order.consumer_id))
    assert "liability:money_account" not in person.page.words


def test_nothing_is_found_under_an_unknown_number(browser: Any) -> None:
    visitor = enter(browser, "support")
    missing = look(visitor, "ZZZZZZZZZZ")
    assert missing.status == 404 and missing.page.faults == []
