"""The channel layer from passages to offers, on a database: what a quote says as passages come, go and fall ill."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from tests import world

from fenqi import attempt, cashier, customer, passage
from fenqi.attempt import Attempt, AttemptState
from fenqi.cashier.action import PayPartBy
from fenqi.channels import shelf
from fenqi.channels.contract import Capabilities
from fenqi.credit import limit
from fenqi.flows import quote, replay
from fenqi.flows.quote import Quote
from fenqi.flows.remedy import apply, remedy_id
from fenqi.flows.shop import Wish
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.passage import Outcome, OutcomeKind, PassageState, Terms

BY = world.BY
GENERAL = "asset:loan_principal:general"


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def buyer(ctx, run) -> UUID:
    (found,) = run(world.people(ctx, 1, money_minor=5_000))
    run(world.give_line(ctx, found))
    run(world.step_up(ctx, found))
    return found


class Plain(msgspec.Struct):
    """A channel of which only the capabilities matter here."""

    capabilities: Capabilities


@pytest.fixture(autouse=True)
def plain_channels(monkeypatch):
    """Whatever the adapters can do, here each serves browser and app, from 1 fen to ¥50,000."""
    can = Plain(Capabilities({"web": "page", "app": "app"}, max_minor=5_000_000))
    monkeypatch.setattr(shelf, "channel", lambda name: can)


async def shown(ctx, buyer: UUID, scene: str = "mall", category: str = "phone") -> Quote:
    placed = await world.buy(ctx, buyer, [world.wish(ctx.reference.newest, category, scene)], scene)
    return await quote.quote(ctx, buyer, placed.intent_id)


async def scanned(ctx, buyer: UUID) -> Quote:
    """The cashier of a shop outside, by its code."""
    offer = next(each for each in ctx.reference.newest.offers.values() if "scan_to_pay" in each.scenes)
    placed = await world.buy(ctx, buyer, [Wish(offer.sku_id, offer.merchant_id)], "scan_to_pay")
    return await quote.quote(ctx, buyer, placed.intent_id)


def channel_of(found: Quote, method: str):
    return next(each.channel for each in found.facts.methods if each.method == method)


def codes(found: Quote, method: str, plan: str = "full") -> list[str]:
    (offer,) = [each for each in found.offers if (each.method, each.plan) == (method, plan)]
    return [reason.code for reason in offer.reasons]


async def add(ctx, code: str, channel: str, **terms) -> UUID:
    passage_id = new_id()
    async with ctx.database.transaction() as tx:
        await passage.register(tx, passage_id, code, channel, Terms("http://127.0.0.1:9/x", **terms), BY)
        await passage.rotate(tx, ctx.keys, passage_id, BY, {"key": "value"})
    return passage_id


async def change(ctx, verb, *args):
    async with ctx.database.transaction() as tx:
        return await verb(tx, *args)


def test_without_a_passage_a_method_is_not_contracted(ctx, buyer, run) -> None:
    found = run(shown(ctx, buyer))
    for method in ("bank_card", "alipay", "wechat_pay", "huawei_pay"):
        assert codes(found, method) == ["CHANNEL_NOT_CONTRACTED"]
        assert channel_of(found, method) == cashier.ChannelFacts(method, contracted=False)


def test_a_passage_makes_its_method_available_in_its_scenes(ctx, buyer, run) -> None:
    wechat = run(add(ctx, "wx_main", "wechat_pay", scenes=("mall",), min_minor=100))
    found = run(shown(ctx, buyer))
    assert codes(found, "wechat_pay") == []
    assert channel_of(found, "wechat_pay") == cashier.ChannelFacts(
        "wx_main", clients=("app", "web"), min_minor=100, max_minor=5_000_000, scenes=("mall",)
    )
    assert "CHANNEL_NOT_CONTRACTED" in codes(run(scanned(ctx, buyer)), "wechat_pay")
    run(change(ctx, passage.change_state, wechat, PassageState.RETIRED, BY))
    assert codes(run(shown(ctx, buyer)), "wechat_pay") == ["CHANNEL_NOT_CONTRACTED"]


def test_a_spare_takes_over_and_the_facts_name_what_was_passed_over(ctx, buyer, run) -> None:
    first = run(add(ctx, "ali_first", "alipay", cost_ppm=3_800))
    spare = run(add(ctx, "ali_spare", "alipay", cost_ppm=6_000))
    assert channel_of(run(shown(ctx, buyer)), "alipay").name == "ali_first"

    run(change(ctx, passage.change_state, first, PassageState.BANNED, BY))
    found = run(shown(ctx, buyer))
    assert codes(found, "alipay") == []
    assert (channel_of(found, "alipay").name, channel_of(found, "alipay").passed_over) == (
        "ali_spare", ("ali_first:banned",),
    )  # fmt: skip

    now = ctx.now()
    failures = [Outcome(spare, OutcomeKind.TIMEOUT, 8_000, now)] * 5
    run(change(ctx, passage.record, failures, now))
    found = run(shown(ctx, buyer))
    (reason,) = next(each.reasons for each in found.offers if (each.method, each.plan) == ("alipay", "full"))
    assert (reason.code, reason.scope.ids, reason.until_ms) == (
        "CHANNEL_DOWN", ("ali_spare",), epoch_ms(now + timedelta(seconds=30)),
    )  # fmt: skip
    assert reason.observed == {"channel": "ali_spare", "passed_over": "ali_first:banned"}

    run(change(ctx, passage.change_state, first, PassageState.ACTIVE, BY))
    found = run(shown(ctx, buyer))
    assert (channel_of(found, "alipay").name, codes(found, "alipay")) == ("ali_first", [])


def test_maintenance_and_too_many_calls_say_until_when(ctx, buyer, run) -> None:
    huawei = run(add(ctx, "hw_main", "huawei_pay"))
    now = ctx.now()
    until_at = now + timedelta(minutes=10)
    run(change(ctx, passage.plan_maintenance, huawei, new_id(), now, until_at, BY))
    found = run(shown(ctx, buyer))
    (offer,) = [each for each in found.offers if each.method == "huawei_pay"]
    assert [(each.code, each.until_ms) for each in offer.reasons] == [("CHANNEL_MAINTENANCE", epoch_ms(until_at))]
    assert [type(each).__name__ for each in offer.remedies[0].actions] == ["Wait"]

    card = run(add(ctx, "card_busy", "bank_card"))
    run(change(ctx, passage.record, [Outcome(card, OutcomeKind.LIMITED, 5, now)], now))
    assert codes(run(shown(ctx, buyer)), "bank_card") == ["CHANNEL_RATE_LIMITED"]
    run(change(ctx, passage.change_state, card, PassageState.RETIRED, BY))


def test_an_amount_that_no_passage_takes_names_its_bound(ctx, buyer, run) -> None:
    card = run(add(ctx, "card_small", "bank_card", max_minor=200_000))
    found = run(shown(ctx, buyer))
    (offer,) = [each for each in found.offers if each.method == "bank_card"]
    assert [(each.code, each.required["max_minor"]) for each in offer.reasons] == [("AMOUNT_ABOVE_MAX", 200_000)]
    run(change(ctx, passage.change_state, card, PassageState.RETIRED, BY))


def test_the_wallets_own_instalments_have_their_price(ctx, buyer, run) -> None:
    found = run(shown(ctx, buyer))
    amount_minor = found.order.payable_minor
    offers = {each.plan: each for each in found.offers if each.method == "alipay"}
    assert list(offers) == ["full", "hb_3", "hb_6", "hb_12"]
    for plan, ppm, count in (("hb_3", 23_000, 3), ("hb_6", 45_000, 6), ("hb_12", 75_000, 12)):
        cost = offers[plan].cost
        assert cost is not None and offers[plan].available
        assert cost.fee_minor == -(-amount_minor * ppm // 1_000_000)
        assert cost.total_minor == amount_minor + cost.fee_minor
        assert 0 <= cost.first_minor - cost.total_minor // count < count
        assert 130_000 < cost.annual_cost_ppm < 160_000, "well below the cap of 24 %"
    stored = run(replay.decision(ctx, buyer, found.decision_id))
    assert replay.is_identical(stored, ctx.reference.product)


def test_the_rest_that_the_limit_does_not_carry_is_paid_at_a_channel(ctx, run) -> None:
    (poor,) = run(world.people(ctx, 1, money_minor=100, skip=1))
    run(world.give_line(ctx, poor))
    run(world.step_up(ctx, poor))
    run(change(ctx, limit.set_granted, poor, GENERAL, 100_000, ctx.reference.product, BY))
    found = run(shown(ctx, poor))
    (offer,) = [each for each in found.offers if (each.method, each.plan) == ("credit", "instalment_3")]
    parts = [
        (place, each.actions[-1])
        for place, each in enumerate(offer.remedies)
        if isinstance(each.actions[-1], PayPartBy)
    ]
    place, part = next(each for each in parts if each[1].method == "alipay")
    assert part.amount_minor == found.order.payable_minor - 100_000
    done = run(apply(ctx, poor, remedy_id(found.decision_id, offer, place), {}))
    assert (done.done, done.part_by) == (True, ("alipay", part.amount_minor))


def tried(ctx, buyer: UUID, found: Quote, method: str, instrument: str = "") -> Attempt:
    now = ctx.now()
    return Attempt(
        consumer_id=buyer, attempt_id=new_id(), purpose="order", payment_id=new_id(), order_id=found.order.order_id,
        intent_id=found.intent_id, decision_id=found.decision_id, input_hash=b"\0" * 32, passage_id=new_id(),
        passage="any", channel=method, method=method, plan="full", way="page",
        amount_minor=found.order.payable_minor, currency="CNY", subject="a test", terms=b"{}", is_held=False,
        state=AttemptState.CREATED, made_at=now, expires_at=now + timedelta(minutes=15), instrument=instrument,
    )  # fmt: skip


async def declined(ctx, buyer: UUID, found: Quote, method: str, reason: str, instrument: str = "") -> None:
    """A refused attempt, as the flows leave it."""
    async with ctx.database.transaction() as tx:
        begun = tried(ctx, buyer, found, method, instrument)
        await attempt.begin(tx, begun, BY)
        await attempt.move(tx, begun, AttemptState.DECLINED, BY, code="X", reason=reason)


def test_what_a_channel_refused_stands_against_the_method_for_a_while(ctx, run) -> None:
    (buyer,) = run(world.people(ctx, 1, skip=2))
    run(add(ctx, "card_told", "bank_card"))
    found = run(shown(ctx, buyer))
    assert codes(found, "bank_card") == [] and codes(found, "alipay") == []
    run(declined(ctx, buyer, found, "alipay", "BALANCE_INSUFFICIENT"))
    (card,) = run(cards_of(ctx, buyer))
    run(declined(ctx, buyer, found, "bank_card", "CARD_EXPIRED", str(card.card_id)))
    run(declined(ctx, buyer, found, "bank_card", "ISSUER_DECLINED", str(new_id())))

    found = run(shown(ctx, buyer))
    assert codes(found, "alipay") == codes(found, "alipay", "hb_3") == ["BALANCE_INSUFFICIENT"]
    assert codes(found, "bank_card") == ["CARD_EXPIRED"], "of a card that is not bound any more nothing stands"
    assert cashier.cards_refused(found.facts, 1) == {str(card.card_id)}
    ctx.clock.advance(timedelta(minutes=30))
    later = run(shown(ctx, buyer))
    assert codes(later, "alipay") == [] and codes(later, "bank_card") == ["CARD_EXPIRED"]


async def cards_of(ctx, buyer: UUID):
    async with ctx.database.snapshot() as tx:
        return await customer.cards(tx, buyer)
