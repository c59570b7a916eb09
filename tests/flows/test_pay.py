"""Paying through PostgreSQL: once, twice with one key, many at once, and never beyond a limit."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from tests import world

from fenqi import credit, customer, ledger, order
from fenqi.credit import limit as limits
from fenqi.database.idempotency import KeyReused
from fenqi.flows import pay, quote
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.ledger import walk

GENERAL = "asset:loan_principal:general"


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture
def ref(ctx):
    return ctx.reference.newest


@pytest.fixture(scope="module")
def crowd(ctx, run) -> list[UUID]:
    found = run(world.people(ctx, 12))
    for consumer_id in found:
        run(world.give_line(ctx, consumer_id))
    return found


def press(consumer_id, placed, method="credit", plan="instalment_12", key=None, part_by=None, body=b"body"):
    return PayRequest(consumer_id, key or new_id(), placed.intent_id, method, plan, body, None, part_by)


async def used(ctx, consumer_id, path=GENERAL):
    async with ctx.database.snapshot() as tx:
        return (await ledger.limits.accounts_of(tx, consumer_id))[path].balance_minor


def test_a_phone_in_twelve_instalments(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[0]
        await world.step_up(ctx, consumer_id)
        phone = world.wish(ref, "phone", most_minor=600_000)
        placed = await world.buy(ctx, consumer_id, [phone])
        paid = await pay.pay(ctx, press(consumer_id, placed))
        assert paid.outcome == "succeeded"
        assert await world.settle(ctx) == []
        async with ctx.database.snapshot() as tx:
            bought = await order.get(tx, consumer_id, placed.order.order_id)
            loans = await credit.loans_of_order(tx, consumer_id, bought.order_id)
            walked = await walk.walk_order(tx, consumer_id, bought.order_id)
        return placed.order.payable_minor, bought, loans, walked, await used(ctx, consumer_id)

    price, bought, loans, walked, drawn = run(story())
    assert bought.state == "paid"
    assert [loan.principal_minor for loan in loans] == [price] == [drawn]
    own, house, seller = walked
    assert [(e.book, e.path, e.amount_minor) for e in own.entries] == [
        ("lender", GENERAL, price),
        ("lender", "clearing:mall", -price),
        ("mall", "clearing:lender", price),
        ("mall", "clearing:merchant", -price),
    ]
    assert sum(e.amount_minor for e in house.entries) == 0
    assert [(e.path, e.amount_minor) for e in seller.entries] == [
        ("clearing:merchant", price),
        ("liability:merchant_payable", -price),
    ]


def test_the_same_key_gives_the_same_answer_and_another_body_its_own_refusal(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[1]
        placed = await world.buy(ctx, consumer_id, [world.wish(ref, "small_appliance", most_minor=40_000)])
        asked = press(consumer_id, placed, plan="pay_later")
        answers = await asyncio.gather(*(pay.pay(ctx, asked) for _ in range(8)))
        with pytest.raises(KeyReused):
            await pay.pay(ctx, press(consumer_id, placed, plan="pay_later", key=asked.payment_id, body=b"other"))
        return answers, await used(ctx, consumer_id), placed.order.payable_minor

    answers, drawn, price = run(story())
    assert len({answer.payment_id for answer in answers}) == 1
    assert {answer.outcome for answer in answers} == {"succeeded"}
    assert drawn == price


def test_two_presses_with_two_keys_pay_once(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[2]
        placed = await world.buy(ctx, consumer_id, [world.wish(ref, "small_appliance", most_minor=40_000)])
        presses = [press(consumer_id, placed, plan="pay_later") for _ in range(10)]
        answers = await asyncio.gather(*(pay.pay(ctx, each) for each in presses))
        return answers, await used(ctx, consumer_id), placed.order.payable_minor

    answers, drawn, price = run(story())
    assert sorted(answer.outcome for answer in answers) == ["refused"] * 9 + ["succeeded"]
    assert {r.code for a in answers for r in a.reasons} == {"ORDER_PAID"}
    assert drawn == price


def test_many_orders_race_for_a_limit_that_carries_three(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[3]
        goods = world.wish(ref, "small_appliance", most_minor=40_000)
        price = ref.offers[goods.sku_id, goods.merchant_id].price_minor
        async with ctx.database.transaction() as tx:
            await limits.set_granted(tx, consumer_id, GENERAL, 3 * price + 1, credit.PRODUCT, world.BY)
        orders = [await world.buy(ctx, consumer_id, [goods]) for _ in range(8)]
        other = world.context(ctx.database)
        answers = await asyncio.gather(
            *(pay.pay(ctx if i % 2 else other, press(consumer_id, o, plan="pay_later")) for i, o in enumerate(orders))
        )
        return answers, await used(ctx, consumer_id), price

    answers, drawn, price = run(story())
    assert sum(answer.outcome == "succeeded" for answer in answers) == 3
    assert drawn == 3 * price
    refused = [answer for answer in answers if answer.outcome == "refused"]
    assert all("LIMIT_INSUFFICIENT" in {r.code for r in answer.reasons} for answer in refused)


def test_many_orders_race_for_the_last_two_loans(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[10]
        goods = world.wish(ref, "small_appliance", most_minor=40_000)
        async with ctx.database.transaction() as tx:
            await credit.line.set_flags(tx, consumer_id, world.BY, loans_cap=2)
        orders = [await world.buy(ctx, consumer_id, [goods]) for _ in range(6)]
        quotes = [await quote.quote(ctx, consumer_id, o.intent_id) for o in orders]
        asked = [
            PayRequest(consumer_id, new_id(), o.intent_id, "credit", "pay_later", b"x", q.decision_id)
            for o, q in zip(orders, quotes, strict=True)
        ]
        return await asyncio.gather(*(pay.pay(ctx, one) for one in asked))

    answers = run(story())
    assert sorted(answer.outcome for answer in answers) == ["refused"] * 4 + ["succeeded"] * 2
    assert {r.code for a in answers for r in a.reasons} == {"CONCURRENT_LOANS_CAP"}


def test_part_by_the_money_account_and_the_rest_on_credit(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[4]
        placed = await world.buy(ctx, consumer_id, [world.wish(ref, "small_appliance", most_minor=40_000)])
        before = await used(ctx, consumer_id, "liability:money_account")
        paid = await pay.pay(ctx, press(consumer_id, placed, plan="pay_later", part_by=("money_account", 5_000)))
        after = await used(ctx, consumer_id, "liability:money_account")
        return paid, after - before, await used(ctx, consumer_id), placed.order.payable_minor

    paid, taken, drawn, price = run(story())
    assert paid.outcome == "succeeded"
    assert (taken, drawn) == (5_000, price - 5_000)
    assert [(t.method, t.amount_minor) for t in paid.tenders] == [("credit", price - 5_000), ("money_account", 5_000)]


@pytest.mark.parametrize("part", [0, -1, 10**9])
def test_a_part_that_is_no_part_is_refused(ctx, ref, crowd, run, part):
    async def story():
        consumer_id = crowd[5]
        placed = await world.buy(ctx, consumer_id, [world.wish(ref, "small_appliance", most_minor=40_000)])
        await pay.pay(ctx, press(consumer_id, placed, plan="pay_later", part_by=("money_account", part)))

    with pytest.raises(Refusal, match="AMOUNT_INVALID"):
        run(story())


def test_other_peoples_checkouts_do_not_exist(ctx, ref, crowd, run):
    async def story():
        placed = await world.buy(ctx, crowd[6], [world.wish(ref, "small_appliance", most_minor=40_000)])
        await pay.pay(ctx, press(crowd[7], placed))

    with pytest.raises(NotFound, match="CHECKOUT_UNKNOWN"):
        run(story())


def test_a_quote_overtaken_by_a_lock_is_judged_again(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[8]
        placed = await world.buy(ctx, consumer_id, [world.wish(ref, "small_appliance", most_minor=40_000)])
        seen = await quote.quote(ctx, consumer_id, placed.intent_id)
        assert next(o for o in seen.offers if o.plan == "pay_later").available
        async with ctx.database.transaction() as tx:
            await credit.line.set_lock(tx, consumer_id, credit.LineState.SELF_LOCKED, world.BY)
        asked = PayRequest(consumer_id, new_id(), placed.intent_id, "credit", "pay_later", b"x", seen.decision_id)
        return await pay.pay(ctx, asked)

    refused = run(story())
    assert refused.outcome == "refused"
    assert [reason.code for reason in refused.reasons] == ["CREDIT_SELF_LOCKED"]


def test_a_quote_overtaken_by_a_switch_is_judged_again(ctx, ref, crowd, run):
    async def story():
        consumer_id = crowd[9]
        placed = await world.buy(ctx, consumer_id, [world.wish(ref, "small_appliance", most_minor=40_000)])
        seen = await quote.quote(ctx, consumer_id, placed.intent_id)
        async with ctx.database.transaction() as tx:
            await customer.switch_pay(tx, consumer_id, False, world.BY)
        asked = PayRequest(consumer_id, new_id(), placed.intent_id, "money_account", "full", b"x", seen.decision_id)
        return await pay.pay(ctx, asked)

    refused = run(story())
    assert [reason.code for reason in refused.reasons] == ["PAY_SWITCH_OFF"]


def test_the_books_are_without_fault_at_the_end(ctx, crowd, run):
    assert run(world.settle(ctx)) == []
