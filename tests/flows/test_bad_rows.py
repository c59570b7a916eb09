"""A decision that can't be read stops neither the counter, nor the export, nor a shadow: the others go on."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import msgspec
import polars as pl
import pytest
from tests import world

from fenqi import cashier, insight
from fenqi.cashier import StoredDecision
from fenqi.flows import at_stake, facts_export, policy_shadow, quote
from fenqi.jobs import background
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of, new_id


@pytest.fixture
def ctx(fresh_database):
    return world.context(fresh_database)


def spoilt(good: StoredDecision) -> StoredDecision:
    fields = {"decision_id": new_id(), "facts": b"{}"}
    change = dataclasses.replace if dataclasses.is_dataclass(good) else msgspec.structs.replace
    return change(good, **fields)


async def looked(ctx, buyer, ref):
    placed = await world.buy(ctx, buyer, [world.wish(ref, "phone", most_minor=500_000)])
    await quote.quote(ctx, buyer, placed.intent_id)
    async with ctx.database.snapshot() as tx:
        [stored] = await cashier.select_decisions(tx, bucket_of(buyer), buyer, placed.intent_id)
    return placed, stored


def test_the_rest_is_counted_exported_and_judged_again(ctx, run, tmp_path):
    async def story():
        ref = await world.furnish(ctx)
        one, two = await world.people(ctx, 2)
        (_, first), (placed, second) = await looked(ctx, one, ref), await looked(ctx, two, ref)
        bad = spoilt(first)
        async with ctx.database.transaction() as tx:
            await cashier.insert_decisions(tx, [bad])
        ctx.clock.advance(timedelta(seconds=5))

        assert await at_stake.count(ctx) == 2
        assert await at_stake.count(ctx) == 0, "the mark has moved past it"
        today_on = business_date(ctx.now())
        async with ctx.database.snapshot() as tx:
            rows = await insight.at_stake(tx, today_on, today_on)
        assert {row.consumer_id for row in rows} == {two}

        path = tmp_path / "day.parquet"
        portion = [(each, placed.order.order_id, None, None, 0, False) for each in (bad, second)]
        facts_export.write(path, portion, epoch_ms(ctx.now()))
        assert set(pl.read_parquet(path)["decision_id"]) == {str(second.decision_id)}
        assert [each.name for each in tmp_path.iterdir()] == ["day.parquet"], "nothing half written is left"

        tally = await policy_shadow._tallied([bad, second], {"": ref.policy}, ref.tree)
        assert tally.decisions == 1

    run(story())


def test_checkouts_of_one_instant_are_counted_together(ctx, run, monkeypatch):
    """The clock stands: what lies behind the limit at the same instant isn't passed by."""
    monkeypatch.setattr(at_stake, "_AT_ONCE", 1)

    async def story():
        ref = await world.furnish(ctx)
        buyers = await world.people(ctx, 3)
        for buyer in buyers:
            await looked(ctx, buyer, ref)
        ctx.clock.advance(timedelta(seconds=5))
        await at_stake.count(ctx)
        today_on = business_date(ctx.now())
        async with ctx.database.snapshot() as tx:
            return set(buyers), {row.consumer_id for row in await insight.at_stake(tx, today_on, today_on)}

    buyers, counted = run(story())
    assert counted == buyers


def test_a_job_s_part_that_stumbles_leaves_the_next_its_turn(run, caplog):
    async def fails():
        raise ValueError("a bad row")

    run(background._tried("the counter", fails()))
    assert "the counter stumbled" in caplog.text
