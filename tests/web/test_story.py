"""The issue's story through the pages alone, without any script: refused, every reason read, cured, paid, repaid."""

from __future__ import annotations

from typing import Any

import pytest
from tests import world

from fenqi import credit
from fenqi.flows import manage_line
from fenqi.flows.shop import Wish
from fenqi.kernel.by import By

GENERAL = "asset:loan_principal:general"


@pytest.fixture(scope="module")
def buyers(ctx: Any, ref: Any, run: Any) -> list[Any]:
    """Two people whose line is too short for a phone, with ¥20,000 in the money account each."""

    async def make() -> list[Any]:
        found = await world.people(ctx, 2)
        for consumer_id in found:
            await world.give_line(ctx, consumer_id)
            by = By("system:test", "a small line from the start", ctx.now())
            async with ctx.database.transaction() as tx:
                await credit.limit.set_granted(tx, consumer_id, GENERAL, 6_000_000, credit.PRODUCT, by)
        return found

    return run(make())


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_phone_is_bought_in_twelve_instalments(
    browser: Any, ctx: Any, ref: Any, buyers: list[Any], names: Any, locale: str
) -> None:
    visitor = browser(locale)
    visitor.sign_in(names(buyers[locale == "en"]))
    wish = world.wish(ref, "phone")
    goods = visitor.get(f"/goods/{ref.items[wish.sku_id].goods_id}?sku={wish.sku_id}&scene=instalment_mall")
    assert goods.page.faults == []

    checkout = visitor.send(goods, "/cart/lines", merchant_id=str(wish.merchant_id), then="checkout")
    cashier = visitor.send(checkout, "/orders")
    assert cashier.path.startswith("/cashier/") and cashier.page.faults == []
    price_minor = ref.offers[wish.sku_id, wish.merchant_id].price_minor
    assert f"¥{price_minor / 100:,.2f}" in cashier.page.words

    assert ("需要验证是您本人" if locale == "zh-CN" else "Confirm that it's you") in cashier.page.words
    remedy = next(form for form in cashier.page.forms if ".credit.instalment_12." in form.action)
    asked = visitor.send(cashier, remedy.action)
    assert asked.path == remedy.action and asked.page.faults == []
    wrong = visitor.send(asked, remedy.action, pay_password="000000")
    assert wrong.status == 422 and wrong.page.faults == []
    ready = visitor.send(wrong, remedy.action, pay_password=world.PAY_PASSWORD)
    assert ready.path == cashier.path

    result = visitor.send(ready, f"{cashier.path}/pay", holding="plan", plan="instalment_12", method="credit")
    assert result.path.startswith("/payments/") and result.page.faults == []
    assert "10.90%" in result.page.words
    loan = visitor.get(next(link for link in result.page.links if link.startswith("/credit/loans/")))
    assert loan.page.faults == [] and "10.90%" in loan.page.words

    before = visitor.get("/credit")
    repaying = visitor.get(f"/credit/repay?loan={loan.path.rpartition('/')[2]}")
    assert repaying.page.faults == []
    repaid = visitor.send(repaying, "/credit/repay", holding="key")
    assert repaid.path == loan.path and repaid.page.faults == []
    assert ("已还1期，共12期" if locale == "zh-CN" else "1 of 12 payments made") in repaid.page.words
    after = visitor.get("/credit")
    assert before.page.faults == [] and after.page.faults == []
    assert before.page.words != after.page.words


def test_a_double_click_pays_once(browser: Any, ctx: Any, ref: Any, buyers: list[Any], names: Any, run: Any) -> None:
    visitor = browser()
    visitor.sign_in(names(buyers[0]))
    placed = run(world.buy(ctx, buyers[0], [world.wish(ref, "tea", most_minor=20_000)]))
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    action = f"/cashier/{placed.intent_id}/pay"
    first = visitor.send(cashier, action, follow=False)
    second = visitor.send(cashier, action, follow=False)
    assert first.status == second.status == 303
    assert first.where == second.where
    order = visitor.get(f"/orders/{placed.order.order_id}")
    assert order.page.words.count("Payment done") == 1


def test_a_repayment_sent_twice_is_one(browser: Any, ctx: Any, buyers: list[Any], names: Any, run: Any) -> None:
    visitor = browser()
    visitor.sign_in(names(buyers[0]))
    repaying = visitor.get("/credit/repay?what=next")
    first = visitor.send(repaying, "/credit/repay", holding="key", follow=False)
    second = visitor.send(repaying, "/credit/repay", holding="key", follow=False)
    assert (first.status, second.status) == (303, 303)
    mine = run(manage_line.my_credit(ctx, buyers[0]))
    assert sorted(len(loan.events) for loan in mine.open_loans) == [1, 1], "one each: the story's and this one"


def test_a_part_is_paid_from_the_money_account(
    browser: Any, ctx: Any, ref: Any, buyers: list[Any], names: Any, run: Any
) -> None:
    visitor = browser()
    visitor.sign_in(names(buyers[1]))
    run(world.step_up(ctx, buyers[1]))
    placed = run(world.buy(ctx, buyers[1], [world.wish(ref, "phone", most_minor=400_000)]))
    mixed = visitor.get(f"/cashier/{placed.intent_id}?part_method=money_account&part=1000")
    rest = placed.order.payable_minor - 100_000
    assert mixed.page.faults == [] and f"Pay ¥{rest / 100:,.2f} with" in mixed.page.words
    result = visitor.send(
        mixed, f"/cashier/{placed.intent_id}/pay", holding="part_minor", method="credit", plan="instalment_3"
    )
    assert result.page.faults == []
    assert "¥1,000.00" in result.page.words and f"¥{rest / 100:,.2f}" in result.page.words


def test_a_presale_is_paid_in_two_stages(
    browser: Any, ctx: Any, ref: Any, buyers: list[Any], names: Any, run: Any
) -> None:
    visitor = browser()
    visitor.sign_in(names(buyers[1]))
    offer = next(offer for offer in ref.offers.values() if offer.deposit_minor)
    placed = run(world.buy(ctx, buyers[1], [Wish(offer.sku_id, offer.merchant_id)], offer.scenes[0]))
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    paid = visitor.send(cashier, f"/cashier/{placed.intent_id}/pay", holding="plan", method="money_account")
    assert "Payment done" in paid.page.words
    waiting = visitor.get(f"/orders/{placed.order.order_id}")
    assert waiting.page.faults == [] and "The deposit is paid; the final payment opens" in waiting.page.words
    early = visitor.post(f"/orders/{placed.order.order_id}/tail", {"csrf": dict(cashier.page.forms[0].fields)["csrf"]})
    assert early.status == 409 and early.page.faults == []

    before = ctx.clock.now()
    ctx.clock.set(offer.tail_from_at)
    opened = visitor.get(f"/orders/{placed.order.order_id}")
    if opened.path == "/sign-in":  # the session has ended meanwhile
        visitor.sign_in(names(buyers[1]))
        opened = visitor.get(f"/orders/{placed.order.order_id}")
    tail = visitor.send(opened, f"/orders/{placed.order.order_id}/tail")
    ctx.clock.set(before)
    assert tail.path.startswith("/cashier/") and tail.path != cashier.path
    assert f"¥{(offer.price_minor - offer.deposit_minor) / 100:,.2f}" in tail.page.words
