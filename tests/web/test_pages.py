"""Every page in both languages: sound markup, no string missing, its headers; and what must not be possible."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests import world
from tests.opening import APPLICATION_POLICY
from tests.web.conftest import ORIGIN

from fenqi import credit, customer, order
from fenqi.customer import NewConsumer
from fenqi.flows import manage_line
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id

LOCALES = ["zh-CN", "en"]
OPEN_PAGES = [
    "/", "/search", "/search?q=1", "/search?q=%E6%89%8B%E6%9C%BA&order=dearest&at_most=5000&in_stock=1", "/sign-in",
    "/category/digital", "/category/phone?scene=mall&order=cheapest&page=2", "/register", "/phone", "/console/sign-in",
]  # fmt: skip
OWN_PAGES = [
    "/cart", "/cart?scene=mall", "/orders", "/credit", "/credit/apply", "/credit/activate", "/credit/repay", "/money",
    "/cards", "/security", "/me", "/phone", "/step-up", "/prove/real-name", "/prove/phone", "/prove/card",
    "/requests", "/requests/new",
    "/prove/pay-password", "/prove/id-document", "/prove/unlock-self", "/prove/unlock-dormant", "/prove/unlock-pin",
]  # fmt: skip
STATES = ["none", "new", "approved", "active", "locked", "closed", "rejected"]


@pytest.fixture(scope="module")
def crowd(ctx: Any, ref: Any, run: Any) -> dict[str, Any]:
    """Somebody in each of the states that a page tells apart; `new` has nothing proved at all."""

    async def make() -> dict[str, Any]:
        none, approved, active, locked, closed, rejected = await world.people(ctx, 6)
        for one in (active, locked, closed):
            await world.give_line(ctx, one)
        await manage_line.lock(ctx, locked)
        await manage_line.close(ctx, closed)
        poor = credit.ApplicationInputs(real_name="verified", age=30, phone_reachable=True, card_bound=True)
        consents = credit.activation.required_consents(credit.PRODUCT)
        by = By("system:test", "states", ctx.now())
        for one, inputs in ((approved, world.GOOD), (rejected, poor)):
            async with ctx.database.transaction() as tx:
                await credit.application.apply(
                    tx, one, new_id(), inputs, consents, APPLICATION_POLICY, credit.PRODUCT, by
                )
        new = NewConsumer(new_id(), "newcomer", "12000000000")
        async with ctx.database.transaction() as tx:
            await customer.sign_up(tx, ctx.keys, new, "correct horse battery", by)
        people = [none, new.consumer_id, approved, active, locked, closed, rejected]
        return dict(zip(STATES, people, strict=True))

    return run(make())


def check(answer: Any, status: int = 200) -> None:
    assert answer.status == status, answer.text[:300]
    assert answer.page.faults == []
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("path", OPEN_PAGES)
def test_open_pages_are_sound(browser: Any, path: str, locale: str) -> None:
    answer = browser(locale).get(path)
    check(answer)
    assert answer.page.lang == locale


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", STATES)
def test_own_pages_are_sound_in_every_state(
    browser: Any, crowd: dict[str, Any], names: Any, state: str, locale: str
) -> None:
    visitor = browser(locale)
    visitor.sign_in(names(crowd[state]))
    for path in OWN_PAGES:
        check(visitor.get(path))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_goods_page_of_a_category_is_sound(browser: Any, ref: Any, locale: str) -> None:
    visitor = browser(locale)
    for leaf in sorted({item.category for item in ref.items.values()}):
        item = next(item for item in ref.items.values() if item.category == leaf)
        for scene in ("instalment_mall", "mall"):
            check(visitor.get(f"/goods/{item.goods_id}?scene={scene}"))
        picture = visitor.get(f"/goods/pictures/{item.number}.svg")
        assert picture.headers["content-type"].startswith("image/svg+xml")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("state", STATES)
def test_the_cashier_is_sound_and_says_every_reason_in_every_state(
    browser: Any, ctx: Any, ref: Any, crowd: dict[str, Any], names: Any, run: Any, state: str, locale: str
) -> None:
    visitor = browser(locale)
    visitor.sign_in(names(crowd[state]))
    wishes = [world.wish(ref, "phone", "mall"), world.wish(ref, "gold", "mall", most_minor=500_000)]
    placed = run(world.buy(ctx, crowd[state], wishes, "mall"))
    answer = visitor.get(f"/orders/{placed.order.order_id}/pay")
    check(answer)
    assert answer.path == f"/cashier/{placed.intent_id}"
    assert ("现在用不了" if locale == "zh-CN" else "Not now") in answer.page.words
    check(visitor.get(f"/cashier/{placed.intent_id}?method=credit&plan=instalment_3"))
    check(visitor.get(f"/cashier/{placed.intent_id}?part_method=money_account&part=100"))
    check(visitor.get(f"/cashier/{placed.intent_id}?part_method=money_account&part=nonsense"))
    check(visitor.get(f"/orders/{placed.order.order_id}"))
    check(visitor.get("/orders"))
    press = {"csrf": token(visitor.get("/me")), "payment_id": str(new_id())}
    refused = visitor.post(f"/cashier/{placed.intent_id}/pay", press | {"method": "credit", "plan": "instalment_12"})
    check(refused)
    assert refused.path.startswith("/payments/")


def token(answer: Any) -> str:
    """The page's own token."""
    return next(value for form in answer.page.forms for name, value in form.fields if name == "csrf")


def test_signed_out_visitors_are_asked_to_sign_in_and_come_back(
    browser: Any, crowd: dict[str, Any], names: Any
) -> None:
    visitor = browser()
    asked = visitor.get("/credit/repay?what=settle")
    assert (asked.path, asked.query) == ("/sign-in", "next=%2Fcredit%2Frepay%3Fwhat%3Dsettle")
    back = visitor.send(
        asked, "/sign-in", sign_in_name=names(crowd["active"]), password="correct horse battery", holding="password"
    )
    assert back.path == "/credit/repay"


def test_sign_in_never_leads_elsewhere(browser: Any, crowd: dict[str, Any], names: Any) -> None:
    for target in ("https://evil.test/", "//evil.test/", "/\\evil.test", "javascript:alert(1)"):
        visitor = browser()
        page = visitor.get(f"/sign-in?next={target}")
        name = names(crowd["active"])
        back = visitor.send(
            page, "/sign-in", holding="password", sign_in_name=name, password="correct horse battery", follow=False
        )
        assert back.where == "/"


def test_cookies_are_out_of_reach_of_scripts(browser: Any, crowd: dict[str, Any], names: Any) -> None:
    visitor = browser()
    page = visitor.get("/sign-in")
    answer = visitor.send(
        page, "/sign-in", holding="password", sign_in_name=names(crowd["active"]), password="correct horse battery",
        follow=False,
    )  # fmt: skip
    cookies = answer.headers.get_list("set-cookie")
    assert cookies and all("HttpOnly" in one and "SameSite=lax" in one for one in cookies)


@pytest.mark.parametrize("spoil", ["no token", "another visitor's", "another site"])
def test_forged_forms_are_refused_and_change_nothing(
    browser: Any, ctx: Any, ref: Any, crowd: dict[str, Any], names: Any, run: Any, spoil: str
) -> None:
    visitor, stranger = browser(), browser()
    visitor.sign_in(names(crowd["active"]))
    wish = world.wish(ref, "tea")
    fields = {
        "csrf": token(visitor.get("/me")), "scene": "mall", "sku_id": str(wish.sku_id),
        "merchant_id": str(wish.merchant_id), "quantity": "3", "then": "stay",
    }  # fmt: skip
    headers = {"Origin": "http://evil.test"} if spoil == "another site" else {}
    if spoil == "no token":
        fields["csrf"] = ""
    if spoil == "another visitor's":
        fields["csrf"] = token(stranger.get("/sign-in"))
    answer = visitor.post("/cart/lines", fields, **headers)
    assert (answer.status, answer.page.faults) == (403, [])

    async def cart() -> list[Any]:
        async with ctx.database.snapshot() as tx:
            return await order.cart(tx, crowd["active"], "mall")

    assert run(cart()) == []


def test_other_peoples_things_are_not_found(
    browser: Any, ctx: Any, ref: Any, crowd: dict[str, Any], names: Any, run: Any
) -> None:
    owner, other = browser(), browser()
    owner.sign_in(names(crowd["active"]))
    other.sign_in(names(crowd["none"]))
    placed = run(world.buy(ctx, crowd["active"], [world.wish(ref, "tea", most_minor=20_000)]))
    cashier = owner.get(f"/cashier/{placed.intent_id}")
    paid = owner.send(cashier, f"/cashier/{placed.intent_id}/pay")
    loan = next(link for link in paid.page.links if link.startswith("/credit/loans/"))
    again = run(world.buy(ctx, crowd["active"], [world.wish(ref, "phone")]))
    remedy = next(f.action for f in owner.get(f"/cashier/{again.intent_id}").page.forms if "/remedies/" in f.action)
    for path in (
        f"/orders/{placed.order.order_id}", f"/orders/{placed.order.order_id}/pay", f"/cashier/{placed.intent_id}",
        paid.path, loan, f"/credit/repay?loan={loan.rpartition('/')[2]}", remedy, f"/orders/{new_id()}", "/orders/x",
    ):  # fmt: skip
        check(other.get(path), 404)
    mine = token(other.get("/me"))
    for path in (f"/orders/{again.order.order_id}/cancel", f"/orders/{placed.order.order_id}/refund", remedy):
        fields = {"csrf": mine, "key": str(new_id()), "amount": "1.00"}
        assert other.post(path, fields).status == 404


@pytest.mark.parametrize("locale", LOCALES)
def test_unknown_addresses_and_wrong_methods_get_a_page(browser: Any, locale: str) -> None:
    visitor = browser(locale)
    check(visitor.get("/nothing/here"), 404)
    check(visitor.get("/goods/not-an-id"), 404)
    check(visitor.get("/category/nothing"), 404)
    check(visitor.get("/cart/lines"), 405)
    assert visitor.get("/v1/nothing").headers["content-type"] == "application/problem+json"


def test_bad_input_is_refused_in_words(browser: Any, crowd: dict[str, Any], names: Any, run: Any) -> None:
    visitor = browser()
    visitor.sign_in(names(crowd["active"]))
    mine = token(visitor.get("/me"))
    for fields in (
        {"amount": "-5"}, {"amount": "0"}, {"amount": "1.005"}, {"amount": "1e9"}, {"amount": "9" * 25}, {"amount": ""},
        {"amount": "NaN"}, {"amount": "5", "key": "not an id"}, {"amount": "5\0"}, {"amount": "x" * 70_000},
    ):  # fmt: skip
        answer = visitor.post("/money/top-up", {"csrf": mine, "key": str(new_id())} | fields)
        assert (answer.status, answer.page.faults) == (422, []), fields
    with_file = run(visitor.http.post("/money/top-up", files={"amount": ("a", b"5")}, headers={"Origin": ORIGIN}))
    assert isinstance(with_file, httpx.Response) and with_file.status_code == 422


def test_the_language_is_chosen_and_kept(browser: Any) -> None:
    visitor = browser("zh-CN")
    assert visitor.get("/").page.lang == "zh-CN"
    chosen = visitor.get("/locale/en?next=/search?q=1")
    assert (chosen.path, chosen.page.lang) == ("/search", "en")
    assert visitor.get("/").page.lang == "en"
    assert visitor.get("/locale/en?next=//evil.test/", follow=False).where == "/"


def test_registering_signs_in_and_says_what_is_wrong(browser: Any) -> None:
    visitor = browser()
    page = visitor.get("/register")
    weak = visitor.send(page, "/register", sign_in_name="lin.mo", phone="12012340001", password="short")
    assert weak.status == 422 and weak.page.faults == []
    done = visitor.send(weak, "/register", sign_in_name="lin.mo", phone="12012340001", password="a long password")
    assert done.path == "/me" and done.status == 200
    left = visitor.send(done, "/sign-out")
    assert left.path == "/"
    assert visitor.get("/me").path == "/sign-in"
