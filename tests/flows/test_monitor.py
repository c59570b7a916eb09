"""The monitor's run over real rows: the report, alarms raised once, and what people do with them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests import world

from fenqi import credit, insight
from fenqi.credit import BureauFile
from fenqi.flows import apply_credit, monitor
from fenqi.flows.apply_credit import Declared
from fenqi.insight import AlarmState, Measure, Threshold
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, start_of_day
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal

GOOD, BAD = BureauFile(1, 60, 0, 0, 50_000), BureauFile(9, 60, 0, 12, 50_000, 4, 950_000)


@pytest.fixture(scope="module")
def ctx(database: Any, run: Any) -> Any:
    found = world.context(database)
    run(world.furnish(found))
    return found


@pytest.fixture(scope="module")
def crowd(ctx: Any, run: Any) -> list[Any]:
    """Four who applied: three approved, one refused."""
    people = run(world.people(ctx, 4))
    consents = credit.activation.required_consents(credit.PRODUCT)

    async def apply() -> None:
        for one, file in zip(people, (GOOD, GOOD, GOOD, BAD), strict=True):
            declared = Declared(1_500_000, ("income", "employment", "residence"))
            await apply_credit.apply(ctx, one, new_id(), declared, consents, file)

    run(apply())
    return list(people)


def tomorrow(ctx: Any) -> By:
    return By("staff:risk", "a look", ctx.now() + timedelta(days=1))


def test_the_report_counts_what_the_rooms_keep(ctx: Any, crowd: Any, run: Any) -> None:
    report = run(monitor.run(ctx, tomorrow(ctx)))
    assert report.current.applications == {"approved": 3, "rejected": 1}
    assert report.current.approved_ppm == 750_000
    names = [(each.name, each.current) for each in report.reasons if each.stage == "application"]
    assert ("CR_MULTI_LENDER", 1) in names
    assert ("lenders-8", 1) in [(each.name, each.current) for each in report.rules]
    training = {each.feature: each for each in report.drifts if each.against == "training"}
    assert training["inquiries_count"].current == (3, 0, 1, 0)
    assert sum(training["inquiries_count"].reference) == 9_857
    points = next(each for each in report.drifts if each.feature == "points")
    assert sum(points.current) == 4

    async def kept() -> Any:
        async with ctx.database.snapshot() as tx:
            return await insight.latest_report(tx), await insight.latest_report_on(tx)

    (latest, at), day_on = run(kept())
    assert (latest, at, day_on) == (report, ctx.now() + timedelta(days=1), report.day_on)


def test_the_nightly_run_is_made_once_a_day(ctx: Any, crowd: Any, run: Any) -> None:
    """Today's report is there already (made a day ahead); the next day's is made after two in the night only."""
    assert not run(monitor.tick(ctx))
    at = ctx.now()
    midnight = start_of_day(business_date(at) + timedelta(days=2))
    try:
        for later, has_run in ((timedelta(hours=1), False), (timedelta(hours=2), True), (timedelta(hours=3), False)):
            ctx.clock.set(midnight + later)
            assert run(monitor.tick(ctx)) is has_run
    finally:
        ctx.clock.set(at)


def test_an_alarm_is_raised_once_and_goes_its_way(ctx: Any, crowd: Any, run: Any) -> None:
    """Thresholds that a person sets hold from the next run on; what is found again moves the reading, not the state."""
    psi = Threshold(Measure.PSI, 1, 100_000, 1, "risk", "a test")
    by = tomorrow(ctx)

    async def story() -> None:
        async with ctx.database.transaction() as tx:
            await insight.set_threshold(tx, psi, by)
            assert (await insight.thresholds(tx))[Measure.PSI] == psi
        for _ in range(2):
            await monitor.run(ctx, by)
            async with ctx.database.snapshot() as tx:
                standing = await insight.standing_alarms(tx)
        mine = [each for each in standing if (each.measure, each.subject) == (Measure.PSI, "used_ppm/training")]
        assert [(each.state, each.level, each.version) for each in mine] == [(AlarmState.OPEN, "act", 1)]
        alarm_id = mine[0].alarm_id

        async def move(state: AlarmState, role: str = "risk", why: str = "looked into it") -> Any:
            async with ctx.database.transaction() as tx:
                return await insight.move_alarm(tx, alarm_id, state, [role], By("staff:x", why, by.at))

        for state, role, why, code in (
            (AlarmState.ACKNOWLEDGED, "operator", "mine?", "NOT_ALLOWED"),
            (AlarmState.ACKNOWLEDGED, "risk", " ", "WHY_REQUIRED"),
            (AlarmState.OPEN, "risk", "again", "STATE_CONFLICT"),
        ):
            with pytest.raises(Refusal) as caught:
                await move(state, role, why)
            assert caught.value.code == code
        assert (await move(AlarmState.ACKNOWLEDGED)).version == 2
        assert (await move(AlarmState.CLOSED)).version == 3
        async with ctx.database.snapshot() as tx:
            moves = (await insight.moves_of(tx, [alarm_id]))[alarm_id]
            assert alarm_id not in [each.alarm_id for each in await insight.standing_alarms(tx)]
        assert [(each.to_state, each.why) for each in moves] == [
            (AlarmState.OPEN, "a look"),
            (AlarmState.ACKNOWLEDGED, "looked into it"),
            (AlarmState.CLOSED, "looked into it"),
        ]
        await monitor.run(ctx, by)
        async with ctx.database.snapshot() as tx:
            again = [each for each in await insight.standing_alarms(tx) if each.subject == "used_ppm/training"]
        assert [each.version for each in again if each.measure is Measure.PSI] == [1]
        assert again[0].alarm_id != alarm_id

    run(story())


def test_a_threshold_must_make_sense(ctx: Any, run: Any) -> None:
    async def wrong() -> None:
        async with ctx.database.transaction() as tx:
            await insight.set_threshold(tx, Threshold(Measure.KS, 2, 1, 1, "risk"), tomorrow(ctx))

    with pytest.raises(Refusal, match="THRESHOLD_INVALID"):
        run(wrong())
