"""A policy version's life while people pay: reviewed, tried on a share, in force, rolled back, and in shadow.

Everything through the flows, on a real database; two people of the risk team, and buyers with a line.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from tests import world

from fenqi import cashier, policy, staff
from fenqi.flows import pay, policy_publish, policy_shadow, quote
from fenqi.flows.context import Context
from fenqi.flows.request import PayRequest
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, Forbidden, Refusal
from fenqi.policy import PolicyState, Share
from fenqi.staff import Role

HOUR = timedelta(hours=1)


class Town:
    """The world with its risk officers, and the verbs that the tests use again and again."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.ann, self.bea, self.sue = new_id(), new_id(), new_id()

    async def furnish(self, buyers: int) -> None:
        self.ref = await world.furnish(self.ctx)
        self.buyers = await world.people(self.ctx, buyers)
        for buyer in self.buyers:
            await world.give_line(self.ctx, buyer)
        by = By("system:test", "the risk team", world.AT)
        people = ((self.ann, "ann", Role.RISK), (self.bea, "bea", Role.RISK), (self.sue, "sue", Role.OPERATOR))
        async with self.ctx.database.transaction() as tx:
            for staff_id, name, role in people:
                await staff.hire(tx, staff_id, name, name.title(), "a long password", [role], by)

    async def submitted(self, number: str, **numbers: object) -> policy.PolicyVersion:
        """A version with other numbers, made by Ann and handed in."""
        made = await policy_publish.draft(self.ctx, self.ann, new_id(), number, "a trial")
        document = msgspec.structs.replace(
            made.document, numbers=msgspec.structs.replace(made.document.numbers, **numbers)
        )
        saved = await policy_publish.save(self.ctx, self.ann, made.policy_id, 1, document, "the change")
        return await policy_publish.submit(self.ctx, self.ann, saved.policy_id, saved.revision, "please look")

    async def approved(self, number: str, at=None, **numbers: object) -> policy.PolicyVersion:
        made = await self.submitted(number, **numbers)
        self.ctx.clock.advance(timedelta(seconds=1))
        return await policy_publish.approve(self.ctx, self.bea, made.policy_id, made.revision, at, "looked at")

    async def seen(self, buyer, category="small_appliance", most_minor=40_000):
        placed = await world.buy(self.ctx, buyer, [world.wish(self.ref, category, most_minor=most_minor)])
        return await quote.quote(self.ctx, buyer, placed.intent_id)

    async def press(self, shown, buyer, plan="instalment_3"):
        request = PayRequest(buyer, new_id(), shown.intent_id, "credit", plan, b"x" * 32, shown.decision_id, None)
        return await pay.pay(self.ctx, request)

    async def decision_of(self, payment):
        async with self.ctx.database.snapshot() as tx:
            found = await cashier.select_decision(
                tx, bucket_of(payment.consumer_id), payment.consumer_id, payment.decision_id
            )
        assert found is not None
        return found


@pytest.fixture
def town(fresh_database, run):
    made = Town(world.context(fresh_database))
    run(made.furnish(4))
    return made


NO_INSTALMENTS = {"apr_cap_ppm": 10_000}
"""A cap of 1 % a year: no plan with a fee is below it."""


def test_a_press_is_judged_again_under_the_version_that_took_over_meanwhile(town, run):
    async def story():
        buyer = town.buyers[0]
        shown = await town.seen(buyer)
        assert shown.facts.policy_version == "2026-1"
        await town.approved("2026-2", **NO_INSTALMENTS)
        refused = await town.press(shown, buyer)
        assert (refused.outcome, [r.code for r in refused.reasons]) == ("refused", ["PLAN_APR_CAP"])
        assert (await town.decision_of(refused)).policy_version == "2026-2"
        back = await policy_publish.roll_back(town.ctx, town.bea, "2026-2", "nobody can buy")
        assert back.number == "2026-1"
        paid = await town.press(shown, buyer)
        assert (paid.outcome, (await town.decision_of(paid)).policy_version) == ("succeeded", "2026-1")
        assert await world.settle(town.ctx) == []

    run(story())


def test_a_version_that_waits_takes_over_by_time_alone(town, run):
    async def story():
        one, two = town.buyers[:2]
        minute = timedelta(minutes=1)
        await town.approved("2026-2", world.AT + 10 * minute, **NO_INSTALMENTS)
        before, late = await town.seen(one), await town.seen(two)
        town.ctx.clock.advance(5 * minute)
        before = await quote.quote(town.ctx, one, before.intent_id)
        late = await quote.quote(town.ctx, two, late.intent_id)
        paid = await town.press(before, one)
        assert (paid.outcome, (await town.decision_of(paid)).policy_version) == ("succeeded", "2026-1")
        town.ctx.clock.advance(5 * minute)
        refused = await town.press(late, two)
        assert (refused.outcome, (await town.decision_of(refused)).policy_version) == ("refused", "2026-2")

    run(story())


def test_a_canary_decides_for_its_share_alone_and_everybody_keeps_their_side(town, run):
    async def story():
        made = await town.submitted("2026-2", **NO_INSTALMENTS)
        share = Share(500_000, world.AT + HOUR, world.AT + 24 * HOUR)
        begun = await policy_publish.begin_canary(
            town.ctx, town.bea, made.policy_id, made.revision, share, "half of them"
        )
        assert (begun.state, begun.share, begun.checker) == (PolicyState.CANARY, share, f"staff:{town.bea}")
        ids = [new_id() for _ in range(4_000)]
        inside = {each for each in ids if policy.is_in_share("2026-2", each, 500_000)}
        assert 1_850 < len(inside) < 2_150
        assert {each for each in ids if policy.is_in_share("2026-2", each, 250_000)} < inside
        with pytest.raises(Conflict, match="CANARY_RUNNING"):
            other = await town.submitted("2026-3")
            await policy_publish.begin_canary(town.ctx, town.bea, other.policy_id, other.revision, share, "another")
        assert {(await town.seen(buyer)).facts.policy_version for buyer in town.buyers} == {"2026-1"}
        town.ctx.clock.advance(HOUR)
        sides = {}
        for buyer in town.buyers:
            is_in = policy.is_in_share("2026-2", buyer, 500_000)
            shown = await town.seen(buyer)
            sides[buyer] = shown.facts.policy_version
            assert sides[buyer] == ("2026-2" if is_in else "2026-1")
            paid = await town.press(shown, buyer)
            assert paid.outcome == ("refused" if is_in else "succeeded")
            assert (await town.decision_of(paid)).policy_version == sides[buyer]
        town.ctx.clock.advance(24 * HOUR)
        assert {(await town.seen(buyer)).facts.policy_version for buyer in town.buyers} == {"2026-1"}

    run(story())


def test_a_canary_ends_by_itself_or_for_everybody(town, run):
    async def story():
        made = await town.submitted("2026-2", **NO_INSTALMENTS)
        most = Share(999_999, world.AT, world.AT + HOUR)
        await policy_publish.begin_canary(town.ctx, town.bea, made.policy_id, made.revision, most, "nearly all")
        buyer = town.buyers[0]
        shown = await town.seen(buyer)
        assert shown.facts.policy_version == "2026-2"
        ended = await policy_publish.end_canary(town.ctx, town.bea, made.policy_id, "seen enough")
        assert ended.state is PolicyState.WITHDRAWN
        paid = await town.press(shown, buyer)
        assert (paid.outcome, (await town.decision_of(paid)).policy_version) == ("succeeded", "2026-1")
        with pytest.raises(Conflict, match="STATE_CONFLICT"):
            await policy_publish.promote(town.ctx, town.bea, made.policy_id, made.revision, None, "too late")
        again = await town.submitted("2026-3", **NO_INSTALMENTS)
        await policy_publish.begin_canary(town.ctx, town.bea, again.policy_id, again.revision, most, "once more")
        with pytest.raises(Forbidden, match="SAME_PERSON"):
            await policy_publish.promote(town.ctx, town.ann, again.policy_id, again.revision, None, "mine")
        town.ctx.clock.advance(timedelta(seconds=1))
        full = await policy_publish.promote(town.ctx, town.bea, again.policy_id, again.revision, None, "for everybody")
        assert (full.state, full.effective_at) == (PolicyState.PUBLISHED, town.ctx.now())
        assert {(await town.seen(each)).facts.policy_version for each in town.buyers} == {"2026-3"}
        third = await town.submitted("2026-4")
        late = Share(1, town.ctx.now(), town.ctx.now() + HOUR)
        await policy_publish.begin_canary(town.ctx, town.bea, third.policy_id, third.revision, late, "one in a million")
        town.ctx.clock.advance(2 * HOUR)
        fourth = await town.submitted("2026-5")
        await policy_publish.begin_canary(
            town.ctx,
            town.bea,
            fourth.policy_id,
            fourth.revision,
            Share(1, town.ctx.now(), town.ctx.now() + HOUR),
            "room is made",
        )
        async with town.ctx.database.snapshot() as tx:
            assert (await policy.get(tx, third.policy_id)).state is PolicyState.WITHDRAWN
            verbs = [each.verb for each in await policy.get_history(tx, third.policy_id)]
        assert verbs[-2:] == ["begin_canary", "end_canary"]

    run(story())


@pytest.mark.parametrize("share_ppm", [0, 1_000_000, -5])
def test_a_share_is_more_than_nobody_and_less_than_everybody(town, run, share_ppm):
    async def story():
        made = await town.submitted("2026-2")
        for share in (
            Share(share_ppm, world.AT, world.AT + HOUR),
            Share(5, world.AT, world.AT),
            Share(5, world.AT - HOUR, world.AT + HOUR),
        ):
            with pytest.raises(Refusal, match="SHARE_INVALID"):
                await policy_publish.begin_canary(town.ctx, town.bea, made.policy_id, made.revision, share, "a share")

    run(story())


def test_roles_and_reasons_are_looked_at_and_kept(town, run):
    async def story():
        ctx = town.ctx
        with pytest.raises(Forbidden, match="NOT_ALLOWED"):
            await policy_publish.draft(ctx, town.sue, new_id(), "2026-2", "mine")
        with pytest.raises(Refusal, match="WHY_REQUIRED"):
            await policy_publish.draft(ctx, town.ann, new_id(), "2026-2", "  ")
        made = await town.submitted("2026-2", apr_cap_ppm=200_000)
        assert made.based_on == "2026-1"
        for staff_id, code in ((town.sue, "NOT_ALLOWED"), (town.ann, "SAME_PERSON")):
            with pytest.raises(Forbidden, match=code):
                await policy_publish.approve(ctx, staff_id, made.policy_id, made.revision, None, "yes")
            with pytest.raises(Forbidden, match=code if code == "NOT_ALLOWED" else "SAME_PERSON"):
                await policy_publish.reject(ctx, staff_id, made.policy_id, made.revision, "no")
        with pytest.raises(Forbidden, match="NOT_ALLOWED"):
            await policy_publish.roll_back(ctx, town.sue, "2026-1", "no")
        await policy_publish.note(ctx, town.bea, made.policy_id, "why 20 %?")
        await policy_publish.reject(ctx, town.bea, made.policy_id, made.revision, "say why")
        async with ctx.database.snapshot() as tx:
            audits = await staff.audits(tx, f"policy:{made.policy_id}")
        assert [(each.staff_id, each.action, each.why) for each in reversed(audits)] == [
            (town.ann, "make_policy", "a trial"), (town.ann, "make_policy", "the change"),
            (town.ann, "make_policy", "please look"), (town.bea, "make_policy", "why 20 %?"),
            (town.bea, "publish_policy", "say why"),
        ]  # fmt: skip

    run(story())


def test_pressing_against_publishing_pays_under_one_version_or_the_other(town, run):
    """Presses and changes of version at once: every payment names a version under which it was right."""

    async def story():
        shown = [(buyer, await town.seen(buyer)) for buyer in town.buyers for _ in range(2)]
        made = await town.submitted("2026-2", **NO_INSTALMENTS)
        town.ctx.clock.advance(timedelta(seconds=1))
        approve = policy_publish.approve(town.ctx, town.bea, made.policy_id, made.revision, None, "now")
        answers = await asyncio.gather(approve, *(town.press(each, buyer) for buyer, each in shown))
        for payment in answers[1:]:
            number = (await town.decision_of(payment)).policy_version
            assert payment.outcome == {"2026-1": "succeeded", "2026-2": "refused"}[number]
        assert await world.settle(town.ctx) == []

    run(story())


async def _caught_up(ctx: Context) -> int:
    seen = 0
    while more := await policy_shadow.tick(ctx):
        seen += more
    return seen


def test_a_shadow_counts_what_would_have_been_different(town, run):
    async def story():
        ctx = town.ctx
        made = await town.submitted("2026-2", **NO_INSTALMENTS)
        same = await town.submitted("2026-3")
        begin = lambda shadow_id, version, **more: policy_shadow.begin(  # noqa: E731
            ctx,
            town.ann,
            shadow_id,
            version.policy_id,
            version.revision,
            world.AT + 24 * HOUR,
            "what would it do",
            **more,
        )
        before = await town.seen(town.buyers[0])
        ctx.clock.advance(timedelta(seconds=1))
        hard = await begin(new_id(), made)
        mild = await begin(new_id(), same, since_at=world.AT - HOUR)
        assert await begin(hard.shadow_id, made) == hard
        ctx.clock.advance(timedelta(minutes=1))
        shown = [await town.seen(buyer) for buyer in town.buyers]
        paid = await town.press(shown[0], town.buyers[0])
        assert paid.outcome == "succeeded"
        assert await policy_shadow.tick(ctx) == 1, "the newest may not be committed yet; the first quote lies back"
        ctx.clock.advance(timedelta(minutes=1))
        assert await _caught_up(ctx) == 8
        assert await policy_shadow.tick(ctx) == 0
        quiet = await policy_shadow.result(ctx, mild.shadow_id)
        assert (quiet.shadow.decisions, quiet.shadow.differing, quiet.codes, quiet.sample) == (5, 0, (), ())
        assert {day.change for day in quiet.days} == {"same"}
        found = await policy_shadow.result(ctx, hard.shadow_id)
        assert (found.shadow.decisions, found.shadow.differing) == (4, 4)
        credit = [day for day in found.days if day.method == "credit"]
        assert [(day.day_on, day.scene, day.change, day.decisions) for day in credit] == [
            (before.facts.today_on, "instalment_mall", "otherwise", 4)
        ]
        assert credit[0].payable_minor == sum(each.facts.order.payable_minor for each in shown)
        assert [(code.code, code.gained, code.lost) for code in found.codes if code.method == "credit"] == [
            ("PLAN_APR_CAP", 4, 0)
        ]
        assert {each.decision_id for each in found.sample} == {each.decision_id for each in shown}
        one = {(each.method, each.plan): (each.was, each.now) for each in found.sample[0].differences}
        assert one["credit", "instalment_3"] == ((), ("PLAN_APR_CAP",))
        await policy_shadow.end(ctx, town.ann, hard.shadow_id, "seen enough")
        with pytest.raises(Conflict, match="STATE_CONFLICT"):
            await policy_shadow.end(ctx, town.ann, hard.shadow_id, "again")
        ctx.clock.advance(timedelta(minutes=1))
        await town.seen(town.buyers[0])
        ctx.clock.advance(timedelta(minutes=1))
        assert await _caught_up(ctx) == 1
        assert (await policy_shadow.result(ctx, hard.shadow_id)).shadow.decisions == 4

    run(story())


def test_two_processes_count_each_decision_once_and_the_sample_is_bounded(town, run, monkeypatch):
    from fenqi.policy import shadow

    monkeypatch.setattr(shadow, "SAMPLE", 3)

    async def story():
        ctx = town.ctx
        made = await town.submitted("2026-2", **NO_INSTALMENTS)
        begun = await policy_shadow.begin(
            ctx, town.ann, new_id(), made.policy_id, made.revision, world.AT + 24 * HOUR, "what would it do"
        )
        ctx.clock.advance(timedelta(minutes=1))
        shown = [await town.seen(buyer) for buyer in town.buyers for _ in range(3)]
        ctx.clock.advance(timedelta(minutes=1))
        await asyncio.gather(*(policy_shadow.tick(ctx) for _ in range(4)))
        await _caught_up(ctx)
        found = await policy_shadow.result(ctx, begun.shadow_id)
        assert (found.shadow.decisions, found.shadow.differing) == (12, 12)
        assert sum(day.decisions for day in found.days if day.method == "credit") == 12
        assert len(found.sample) == 3
        assert {each.decision_id for each in found.sample} < {each.decision_id for each in shown}

    run(story())


def test_a_decision_that_can_not_be_judged_again_stops_neither_its_shadow_nor_the_others(town, run, monkeypatch):
    count, stuck = policy_shadow._count, []

    def stumbling(tally, stored, *others):
        if stored.decision_id in stuck:
            raise ValueError("facts of another age")
        count(tally, stored, *others)

    monkeypatch.setattr(policy_shadow, "_count", stumbling)

    async def story():
        ctx = town.ctx
        made = await town.submitted("2026-2", **NO_INSTALMENTS)
        begun = await policy_shadow.begin(
            ctx, town.ann, new_id(), made.policy_id, made.revision, world.AT + 24 * HOUR, "what would it do"
        )
        ctx.clock.advance(timedelta(minutes=1))
        shown = [await town.seen(buyer) for buyer in town.buyers]
        stuck.append(shown[1].decision_id)
        ctx.clock.advance(timedelta(minutes=1))
        assert await _caught_up(ctx) == 4
        assert (await policy_shadow.result(ctx, begun.shadow_id)).shadow.decisions == 3

    run(story())
