"""Cases on the pages: a buyer asks with a file, a clerk proposes, another decides, and the buyer reads it."""

from __future__ import annotations

from typing import Any

import pytest
from tests import world

from fenqi import risk, staff
from fenqi.flows import case_buyer, manage_line
from fenqi.flows.case_buyer import Request
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.risk import Subject
from fenqi.staff import Role

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
LOCALES = ["zh-CN", "en"]


@pytest.fixture(scope="module")
def people(ctx: Any, ref: Any, run: Any) -> Any:
    """Somebody on the block list with an order, somebody whose line was withdrawn, and a second clerk of risk."""

    async def make() -> Any:
        blocked, withdrawn, other = await world.people(ctx, 3)
        for one in (blocked, withdrawn, other):
            await world.give_line(ctx, one)
        by = By("staff:risk", "a test's list", ctx.now())
        async with ctx.database.transaction() as tx:
            await risk.lists.add(tx, Subject("consumer", blocked), "block", by)
            await staff.hire(tx, new_id(), "risk2", "Second Clerk", "a staff password", [Role.RISK], world.BY)
        await manage_line.withdraw_line(ctx, withdrawn, ("CR_DEBT_BURDEN",), by)
        placed = await world.buy(ctx, blocked, [world.wish(ref, "phone", "mall", most_minor=600_000)], "mall")
        return blocked, withdrawn, other, placed

    return run(make())


def enter(browser: Any, role: str, locale: str = "en") -> Any:
    visitor = browser(locale)
    visitor.send(visitor.get("/console/sign-in"), "/console/sign-in", sign_in_name=role, password="a staff password")
    return visitor


def check(answer: Any) -> Any:
    assert (answer.status, answer.page.faults) == (200, [])
    return answer


@pytest.mark.parametrize("locale", LOCALES)
def test_every_way_to_ask_is_sound(browser: Any, people: Any, names: Any, locale: str) -> None:
    visitor = browser(locale)
    visitor.sign_in(names(people[2]))
    for route in (*case_buyer.ROUTES, "nonsense"):
        check(visitor.get(f"/requests/new?route={route}"))
    check(visitor.get("/requests"))
    check(visitor.get("/credit"))
    assert visitor.get("/requests/C2222222222").status == 404


def test_from_the_cashier_to_the_answer(browser: Any, ctx: Any, run: Any, people: Any, names: Any) -> None:
    blocked, _, _, placed = people
    buyer = browser()
    buyer.sign_in(names(blocked))
    cashier = check(buyer.get(f"/cashier/{placed.intent_id}?method=credit"))
    assert "SANCTION" not in cashier.text
    href = next(link for link in cashier.page.links if link.startswith("/requests/new?route=appeal"))
    form = check(buyer.get(href.replace("&amp;", "&")))
    fields = {name: value for name, value in form.page.form("/requests").fields} | {"text": "It is really me."}
    sent = run(
        buyer.http.post(
            "/requests", data=fields, files=[("files", ("bill.png", PNG, "image/png"))], follow_redirects=True
        )
    )
    assert sent.status_code == 200 and "bill.png" in sent.text and "It is really me." in sent.text
    number = sent.url.path.rsplit("/", 1)[-1]
    file = next(part for part in sent.text.split('"') if part.startswith(f"/requests/{number}/files/"))
    kept = run(buyer.http.get(file))
    assert (kept.content, kept.headers["content-type"], kept.headers["x-content-type-options"]) == (
        PNG, "image/png", "nosniff",
    )  # fmt: skip
    assert number in check(buyer.get("/requests")).text

    first, second = enter(browser, "risk"), enter(browser, "risk2")
    at = f"/console/cases/{number}"
    assert number in check(first.get("/console/cases?kind=appeal")).text
    assert "SANCTION_OR_FRAUD_LIST" in check(first.get(at)).text
    taken = first.send(first.get(at), f"{at}/claim", why="my turn")
    assert "It is yours." in taken.text
    proposed = first.send(
        check(first.get(at)), f"{at}/decide", outcome="upheld", days="3", told="We found it was you.", why="bill fits"
    )
    assert "A colleague has to agree." in check(proposed).text
    assert f"{at}/agree" not in proposed.text, "not the one who proposed it"
    waiting = check(second.get(at))
    decided = second.send(waiting, f"{at}/agree", why="it fits")
    assert "in effect" in decided.text and "Every decision stands as it was taken" in decided.text
    assert "Decided in your favour" in check(buyer.get(f"/requests/{number}")).text
    again = check(buyer.get(f"/cashier/{placed.intent_id}?method=credit"))
    assert "/requests/new?route=appeal" not in again.text and f"/cashier/{placed.intent_id}/pay" in again.text

    async def listed() -> Any:
        async with ctx.database.snapshot() as tx:
            return await risk.lists.listed(tx, [blocked])

    assert run(listed()) == []


@pytest.mark.parametrize("locale", LOCALES)
def test_the_console_s_pages_are_sound_in_every_state(
    browser: Any, ctx: Any, run: Any, people: Any, names: Any, locale: str
) -> None:
    withdrawn = people[1]
    case = run(case_buyer.ask(ctx, withdrawn, new_id(), Request(route="human_review", text="Why me?"))).case
    at = f"/console/cases/{case.number}"
    clerk, support = enter(browser, "risk", locale), enter(browser, "support", locale)
    buyer = browser(locale)
    buyer.sign_in(names(withdrawn))
    for whose in ("", "mine", "ended"):
        check(clerk.get(f"/console/cases?whose={whose}"))
    check(clerk.get(at))
    assert f"{at}/claim" not in check(support.get(at)).text
    check(clerk.send(clerk.get(at), f"{at}/claim", why="my turn"))
    refused = clerk.send(clerk.get(at), f"{at}/decide", outcome="cleared", told="No.", why="no")
    assert refused.status == 422 and refused.page.faults == []
    check(clerk.send(clerk.get(at), f"{at}/ask", text="Your last three payslips, please.", why="income is old"))
    check(buyer.get(f"/requests/{case.number}"))
    check(buyer.send(buyer.get(f"/requests/{case.number}"), f"/requests/{case.number}/reply", text="Here they are."))
    check(clerk.send(clerk.get(at), f"{at}/note", text="Called the employer."))
    assert "Called the employer." not in check(buyer.get(f"/requests/{case.number}")).text
    check(buyer.send(buyer.get(f"/requests/{case.number}"), f"/requests/{case.number}/withdraw"))
    check(clerk.get(at))
    check(clerk.get("/console/cases?whose=ended"))


def test_a_body_with_too_much_in_it_is_refused(browser: Any, run: Any, people: Any, names: Any) -> None:
    visitor = browser()
    visitor.sign_in(names(people[2]))
    form = visitor.get("/requests/new?route=contact_support")
    fields = {name: value for name, value in form.page.form("/requests").fields} | {"text": "Hello"}
    many = [("files", (f"{n}.png", PNG, "image/png")) for n in range(4)]
    large = [("files", ("large.png", PNG + bytes(5 << 20), "image/png"))]
    odd = [("files", ("page.png", b"<script>", "image/png"))]
    for files in (many, large, odd):
        answer = run(visitor.http.post("/requests", data=fields, files=files))
        assert answer.status_code == 422
    assert run(visitor.http.get("/requests")).text.count("/requests/C") == 0
