"""Stored decisions as Parquet: every decision once, each column what the decision says, the same at each writing."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import msgspec
import polars as pl
import pytest
from tests import world
from tests.flows.trade import trade

from fenqi import cashier
from fenqi.flows import facts_export
from fenqi.flows.decision_rows import COLUMNS, judged_of
from fenqi.kernel.clock import business_date, start_of_day
from fenqi.kernel.ids import bucket_of

DAY_ON = business_date(world.AT)


@pytest.fixture(scope="module")
def ctx(database, run, tmp_path_factory):
    context = world.context(database)
    context.settings = dataclasses.replace(context.settings, data_dir=tmp_path_factory.mktemp("data"))
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def stored(ctx, run):
    """order id → its decisions; a day and a half later."""

    async def all_of():
        found = {}
        for consumer_id, intent_id, order_id in await trade(ctx):
            async with ctx.database.snapshot() as tx:
                found[str(order_id)] = await cashier.select_decisions(
                    tx, bucket_of(consumer_id), consumer_id, intent_id
                )
        ctx.clock.set(start_of_day(DAY_ON + timedelta(days=1)) + timedelta(hours=3))
        return found

    return run(all_of())


@pytest.fixture(scope="module")
def frame(ctx, stored, run):
    assert run(facts_export.catch_up(ctx)) == 1
    path = facts_export.folder_of(ctx) / f"{DAY_ON.isoformat()}.parquet"
    return pl.read_parquet(path)


def test_every_decision_is_there_with_every_method_and_plan(stored, frame):
    assert frame.schema == pl.Schema(COLUMNS)
    expected = [
        (str(one.decision_id), judged.method, judged.plan, judged.pays_minor, not judged.reasons)
        for decisions in stored.values()
        for one in decisions
        for judged in judged_of(one, cashier.decode_facts(one.facts))
    ]
    assert len(expected) > 800
    got = frame.select("decision_id", "method", "plan", "pays_minor", "available").rows()
    assert sorted(got, key=str) == sorted(expected, key=str)


def test_reasons_are_those_of_the_decision_parted_by_who_gives_them(stored, frame):
    by_id = {str(one.decision_id): one for decisions in stored.values() for one in decisions}
    policy = {"GOODS_CATEGORY_EXCLUDED", "SELLER_TYPE_EXCLUDED", "POLICY_MISSING", "PLAN_TERM_NOT_OFFERED"}
    seen = set()
    for row in frame.iter_rows(named=True):
        one = by_id[row["decision_id"]]
        said = next(
            j
            for j in judged_of(one, cashier.decode_facts(one.facts))
            if (j.method, j.plan) == (row["method"], row["plan"])
        )
        assert set(row["other_reasons"]) | set(row["policy_reasons"]) == {reason.code for reason in said.reasons}
        assert row["available"] == (not row["other_reasons"] and not row["policy_reasons"])
        seen |= policy & set(row["policy_reasons"])
        assert not policy - {"PLAN_TERM_NOT_OFFERED"} & set(row["other_reasons"])
    assert {"GOODS_CATEGORY_EXCLUDED", "PLAN_TERM_NOT_OFFERED"} <= seen


def test_facts_stand_once_for_each_decision_as_they_are_stored(stored, frame):
    kept = frame.filter(pl.col("facts").is_not_null()).select("decision_id", "facts").rows()
    by_id = {str(one.decision_id): one.facts for decisions in stored.values() for one in decisions}
    assert len(kept) == len(by_id)
    assert dict(kept) == by_id


def test_what_became_of_an_order_is_told(ctx, run, stored, frame):
    outcomes = dict(frame.select("order_id", "outcome").unique().rows())
    assert set(outcomes.values()) == {"paid", "refused", "left"}
    paid = frame.filter(pl.col("outcome") == "paid").select("order_id", "paid_method", "paid_plan", "on_credit_minor")
    for order_id, method, plan, on_credit_minor in paid.unique().rows():
        last = stored[order_id][-1]
        judged = {(j.method, j.plan): j for j in judged_of(last, cashier.decode_facts(last.facts))}[method, plan]
        assert judged.reasons == ()
        assert on_credit_minor == (judged.pays_minor if method == "credit" else 0)


def test_only_the_latest_word_on_a_method_and_plan_is_the_last(frame):
    last = frame.filter(pl.col("is_last")).group_by("order_id", "method", "plan").len()
    assert last["len"].to_list() == [1] * last.height
    assert last.height == frame.select("order_id", "method", "plan").unique().height
    rivals = frame.join(frame.filter(pl.col("is_last")), on=["order_id", "method", "plan"], nulls_equal=True)
    assert (rivals["at"] <= rivals["at_right"]).all()


def test_a_day_is_written_once_and_the_same_again(ctx, run, frame):
    assert run(facts_export.catch_up(ctx)) == 0
    (path,) = run(facts_export.export_day(ctx, DAY_ON))
    assert pl.read_parquet(path).drop("outcome").equals(frame.drop("outcome"))


def test_the_day_that_runs_has_a_file_of_its_own_until_it_is_over(ctx, run, frame):
    run(facts_export.up_to_now(ctx))
    folder = facts_export.folder_of(ctx)
    today = DAY_ON + timedelta(days=1)
    assert [path.name for path in facts_export.files_of(folder, DAY_ON, today)] == [
        f"{DAY_ON.isoformat()}.parquet",
        f"{today.isoformat()}.open.parquet",
    ]
    ctx.clock.advance(timedelta(days=1))
    assert run(facts_export.catch_up(ctx)) == 1
    assert [path.name for path in facts_export.files_of(folder, today, today)] == [f"{today.isoformat()}.parquet"]


def test_nothing_personal_is_written(frame):
    text = frame.drop("facts").write_ndjson()
    assert "phone_reachable" not in text and "13800" not in text
    assert {name for name in frame.columns if "name" in name or "phone" in name} == set()


def test_files_of_many_decisions_are_parted_between_checkouts(ctx, run, monkeypatch, frame):
    monkeypatch.setattr(facts_export, "_A_FILE", 20)
    paths = run(facts_export.export_day(ctx, DAY_ON))
    assert len(paths) > 2
    whole = pl.concat([pl.read_parquet(path) for path in facts_export.files_of(paths[0].parent, DAY_ON, DAY_ON)])
    keys = ["decision_id", "method", "plan"]
    assert whole.sort(keys).drop("outcome").equals(frame.sort(keys).drop("outcome"))
    monkeypatch.undo()
    assert len(run(facts_export.export_day(ctx, DAY_ON))) == 1
    assert len(facts_export.files_of(paths[0].parent, DAY_ON, DAY_ON)) == 1


def test_a_stored_decision_goes_to_another_process_and_back(stored):
    import pickle

    one = next(iter(stored.values()))[0]
    assert msgspec.structs.asdict(pickle.loads(pickle.dumps(one))) == msgspec.structs.asdict(one)
