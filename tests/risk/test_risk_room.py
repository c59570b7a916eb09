"""The risk database: racing counters, lists that stop presses at once, bounded walks, ledgers that agree with loans."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from tests import world
from tests.risk.test_group_e import Person

from fenqi import credit, policy, risk
from fenqi.flows import pay, quote, refund, remedy, repay
from fenqi.flows.device import address_id, parse
from fenqi.flows.request import PayRequest
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy.table import Row
from fenqi.risk import Beat, Subject
from fenqi.risk.links import Met
from fenqi.risk.model import KEPT, Pulse, event_key
from fenqi.risk.profiles import AROUND
from fenqi.risk.store import pulses
from fenqi.seed import tree as seed

BY = By("staff:risk", "the risk desk says so", world.AT)


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    run(world_with_caps(context))
    return context


async def world_with_caps(ctx) -> None:
    """Another version: phones count against a programme of ¥9,000, and ask for a fifth down above ¥2,000."""
    async with ctx.database.transaction() as tx:
        version = await policy.in_force(tx, ctx.now())
        tables = []
        for table in version.document.tables:
            rows = table.rows
            if table.key == "exposure":
                when = {"method": '"credit"', "category": '"phone"'}
                rows = (Row("phones", when, {"programme": "phones", "cap_minor": 900_000}), *rows)
            if table.key == "counter_offer":
                when = {"method": '"credit"', "category": '"phone"', "amount_minor": ">= 200000"}
                rows = (Row("phone-down", when, {"down_payment_ppm": 200_000, "most_instalments": 6}), *rows)
            tables.append(msgspec.structs.replace(table, rows=rows))
        document = msgspec.structs.replace(version.document, tables=tuple(tables))
        known = policy.Known({category.code for category in seed.categories()})
        made = await policy.draft(tx, new_id(), "test-2", document, BY)
        await policy.submit(tx, made.policy_id, 1, known, BY)
        checker = By("staff:another", "looked at", world.AT)
        await policy.publish(tx, made.policy_id, 1, world.AT + timedelta(seconds=1), known, checker)
    ctx.clock.advance(timedelta(seconds=2))
    async with ctx.database.snapshot() as tx:
        await ctx.reference.current(tx, ctx.now())


@pytest.fixture(scope="module")
def crowd(ctx, run) -> list[UUID]:
    found = run(world.people(ctx, 8))
    for consumer_id in found:
        run(world.give_line(ctx, consumer_id))
    return found


def test_counters_of_racing_processes_lose_and_repeat_nothing(urls, ctx, run) -> None:
    subject = new_id()
    racers = [
        subprocess.Popen([sys.executable, "-m", "tests.risk.counter", urls.app, str(subject), str(first), "20"])
        for first in (1_000, 2_000, 3_000)
    ]
    assert [racer.wait(timeout=120) for racer in racers] == [0, 0, 0]

    async def counted() -> Pulse:
        async with ctx.database.snapshot() as tx:
            return (await pulses.pulses(tx, [subject]))[subject, "press"]

    pulse = run(counted())
    numbers = [*range(1_000, 1_020), *range(2_000, 2_020), *range(3_000, 3_020)]
    assert Counter(pulse.keys) == Counter(event_key(UUID(int=number)) for number in numbers)
    assert sorted(pulse.at_ms) == numbers


def test_a_pulse_keeps_the_latest_and_windows_begin_anywhere(ctx, run) -> None:
    async def story() -> Pulse:
        subject = new_id()
        async with ctx.database.transaction() as tx:
            beats = [Beat(subject, "press", UUID(int=n), n * 1_000, n) for n in range(1, KEPT + 11)]
            await risk.count(tx, beats[:30])
            return (await risk.count(tx, [*beats[20:], beats[-1]]))[subject, "press"]

    pulse = run(story())
    assert len(pulse.keys) == KEPT and pulse.at_ms[0] == 11_000 and pulse.last_ms(20_500) == 20_000
    assert pulse.before(None, 70_000, 74_000) == 4 and pulse.before(None, 69_999, 74_000) == 5
    assert pulse.before(UUID(int=72), 69_999, 74_000) == 2 and pulse.sum_minor(72_000, 99_000) == 73 + 74
    assert pulse.before(None, 0, 10_000) == KEPT - 4  # a clock that runs a minute ahead is no loophole


def test_of_many_presses_at_once_no_more_pass_than_the_table_bears(ctx, crowd, run) -> None:
    """The default table refuses from the twentieth press of an hour on; two processes' queues press at once."""
    other = world.context(ctx.database, ctx.now())

    async def story() -> list[str]:
        consumer_id = crowd[0]
        wanted = world.wish(ctx.reference.newest, "kitchen_appliance", most_minor=20_000)
        placed = [await world.buy(ctx, consumer_id, [wanted]) for _ in range(30)]
        seen = [await quote.quote(ctx, consumer_id, each.intent_id) for each in placed]
        presses = [
            pay.pay(
                one,
                PayRequest(consumer_id, new_id(), found.intent_id, "money_account", "full", b"x", found.decision_id),
            )
            for one, found in zip([ctx, other] * 15, seen, strict=True)
        ]
        return [each.outcome for each in await asyncio.gather(*presses)]

    outcomes = Counter(run(story()))
    assert outcomes == {"succeeded": 20, "refused": 10}


def test_a_press_on_facts_from_before_a_list_entry_is_judged_again(ctx, crowd, run) -> None:
    async def story():
        consumer_id = crowd[1]
        wanted = world.wish(ctx.reference.newest, "kitchen_appliance", most_minor=20_000)
        placed = await world.buy(ctx, consumer_id, [wanted])
        seen = await quote.quote(ctx, consumer_id, placed.intent_id)
        assert any(offer.available for offer in seen.offers if offer.method == "credit")
        async with ctx.database.transaction() as tx:
            await risk.lists.add(tx, Subject("consumer", consumer_id), "block", BY)
        asked = PayRequest(consumer_id, new_id(), placed.intent_id, "credit", "pay_later", b"x", seen.decision_id)
        payment = await pay.pay(ctx, asked)
        assert payment.outcome == "refused"
        assert [reason.code for reason in payment.reasons] == ["SANCTION_OR_FRAUD_LIST"]

    run(story())


def test_lists_keep_who_why_and_until(ctx, run) -> None:
    async def story():
        subject = Subject("device", new_id())
        async with ctx.database.transaction() as tx:
            await risk.lists.add(tx, subject, "watch", BY, world.AT + timedelta(days=1))
            await risk.lists.add(tx, subject, "watch", BY._replace(why="for longer"), world.AT + timedelta(days=9))
            await risk.lists.remove(tx, subject, "watch", BY._replace(why="a mistake"))
            with pytest.raises(NotFound, match="LIST_ENTRY_UNKNOWN"):
                await risk.lists.remove(tx, subject, "watch", BY)
            with pytest.raises(Refusal, match="UNTIL_INVALID"):
                await risk.lists.add(tx, subject, "block", BY, world.AT)
            with pytest.raises(Refusal, match="WHY_REQUIRED"):
                await risk.lists.add(tx, subject, "block", BY._replace(why=" "))
        async with ctx.database.snapshot() as tx:
            return await risk.profiles.profile(tx, subject)

    profile = run(story())
    assert profile.lists == ()
    assert [(x.verb, x.why) for x in profile.changes] == [
        ("remove", "a mistake"), ("add", "for longer"), ("add", "the risk desk says so"),
    ]  # fmt: skip


def test_walks_are_bounded_and_counts_exact(ctx, run) -> None:
    async def story():
        people, device, card = [new_id() for _ in range(30)], Subject("device", new_id()), Subject("card", new_id())
        met = [Met(one, device, world.AT) for one in people] + [Met(people[0], card, world.AT)]
        async with ctx.database.transaction() as tx:
            await risk.links.meet(tx, met)
            await risk.links.meet(tx, met[:10])
            await risk.record_outcome(tx, Subject("consumer", people[3]), "fraud", BY, "case")
            assert not await risk.record_outcome(tx, Subject("consumer", people[3]), "fraud", BY, "case")
        await world.settle(ctx)
        async with ctx.database.snapshot() as tx:
            near = await risk.links.walk(tx, card, hops=2)
            far = await risk.links.walk(tx, card, hops=3)
            known = (await risk.profiles.profile(tx, device)).known
        return near, far, known, device, card

    near, far, known, device, card = run(story())
    assert (known.consumers_count, known.fraud_count) == (30, 1)
    assert near.nodes[card.subject_id] == ("card", 0) and near.nodes[device.subject_id] == ("device", 2)
    assert len(near.nodes) == 3 and near.cut == ()
    assert len(far.nodes) == 3 + 20 - (1 if far.nodes.keys() >= near.nodes.keys() and _has_own(far) else 0)
    assert far.cut == (device.subject_id,)


def test_a_fraud_does_not_hide_behind_a_crowd_on_the_same_device(ctx, run) -> None:
    async def story():
        device, fraud = new_id(), new_id()
        at = ctx.now()
        async with ctx.database.transaction() as tx:
            await risk.links.meet(tx, [Met(fraud, Subject("device", device), at - timedelta(days=9))])
            await risk.record_outcome(tx, Subject("consumer", fraud), "fraud", BY)
        await world.settle(ctx)
        later = [Met(new_id(), Subject("device", device), at) for _ in range(AROUND + 5)]
        async with ctx.database.transaction() as tx:
            await risk.links.meet(tx, later)
            seen = await risk.profiles.around(tx, [device], [device])
        assert len(seen.links) == AROUND
        assert [link.other_id for link in seen.links if link.is_fraud] == [fraud]
        assert seen.known[device].fraud_count == 1

    run(story())


def _has_own(web) -> bool:
    """Whether the walk's own way to the device is among the links that were followed from it."""
    ways = [edge for edge in web.edges if edge.other_kind == "device" or edge.subject_kind == "device"]
    return len(ways) == 20


def test_a_part_down_is_asked_for_and_paid(ctx, crowd, run) -> None:
    async def story():
        who = Person(ctx, crowd[2])
        placed = await who.place("phone", 400_000)
        shown = await quote.quote(ctx, who.consumer_id, placed.intent_id)
        long = next(each for each in shown.offers if each.plan == "instalment_12")
        assert "PLAN_TERM_NOT_OFFERED" in {reason.code for reason in long.reasons}
        offer = next(each for each in shown.offers if each.plan == "instalment_6")
        assert [reason.code for reason in offer.reasons] == ["DOWN_PAYMENT_REQUIRED"]
        down_minor = -(-placed.order.payable_minor // 5)
        assert offer.reasons[0].required["down_payment_minor"] == down_minor
        done = await remedy.apply(ctx, who.consumer_id, remedy.remedy_id(shown.decision_id, offer, 0), {})
        assert done.part_by == ("money_account", down_minor)
        asked = PayRequest(
            who.consumer_id, new_id(), done.intent_id, "credit", "instalment_6", b"b", None, done.part_by
        )
        payment = await pay.pay(ctx, asked)
        assert payment.outcome == "succeeded", payment.reasons
        assert {t.method: t.amount_minor for t in payment.tenders} == {
            "credit": placed.order.payable_minor - down_minor, "money_account": down_minor,
        }  # fmt: skip
        await refund.refund(ctx, who.consumer_id, new_id(), placed.order.order_id, None, BY)
        assert await world.settle(ctx) == []

    run(story())


async def ledgers_agree(ctx) -> int:
    """Every programme's sum is that of its loans, and each loan's that of the credit room; the sum."""
    async with ctx.database.snapshot() as tx:
        sums = await risk.exposures.ledgers(tx)
        loans = await risk.exposures.loans(tx, "phones")
        assert sums == {"phones": sum(loans.values())}
        for (consumer_id, loan_id), used_minor in loans.items():
            left = await credit.positions(tx, consumer_id, ctx.now().date())
            assert used_minor == next(each.outstanding_minor for each in left if each.loan_id == loan_id)
    return sums["phones"]


def test_exposure_ledgers_follow_purchases_repayments_and_refunds_and_close_the_cap(ctx, crowd, run) -> None:
    async def bought(consumer_id: UUID):
        who = Person(ctx, consumer_id)
        placed = await who.place("phone", 400_000)
        part = ("money_account", -(-placed.order.payable_minor // 5))
        asked = PayRequest(consumer_id, new_id(), placed.intent_id, "credit", "instalment_3", b"b", None, part)
        return await pay.pay(ctx, asked), placed

    async def story():
        first, _ = await bought(crowd[3])
        second, placed = await bought(crowd[4])
        assert (first.outcome, second.outcome) == ("succeeded", "succeeded")
        await world.settle(ctx)
        full = await ledgers_agree(ctx)
        refused, _ = await bought(crowd[5])
        assert {reason.code for reason in refused.reasons} == {"EXPOSURE_CAP_REACHED"}
        await repay.pay_amount(ctx, crowd[3], new_id(), 30_000)
        await world.settle(ctx)
        less = await ledgers_agree(ctx)
        await refund.refund(ctx, crowd[4], new_id(), placed.order.order_id, None, BY)
        await world.settle(ctx)
        least = await ledgers_agree(ctx)
        assert full > less > least
        again, _ = await bought(crowd[5])
        assert again.outcome == "succeeded", again.reasons
        await world.settle(ctx)
        await ledgers_agree(ctx)

    run(story())


def test_devices_and_addresses_are_known_by_hashes_only(ctx) -> None:
    assert parse("id=abcdefgh; rooted; network=proxy").rooted and parse("").id == ""
    assert not parse("id=abcdefgh;rooted=0").rooted
    for header in ("rooted", "id=short", "id=abcdefgh; network=moon", "id=abcdefgh; name=x"):
        with pytest.raises(Refusal, match="DEVICE_INVALID"):
            parse(header)
    assert address_id(ctx.keys, " Road 1 ") == address_id(ctx.keys, "road1") != address_id(ctx.keys, "road2")
    assert address_id(ctx.keys, "  ") is None
