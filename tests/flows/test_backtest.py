"""The back-test: a candidate's figures on a little trade, counted again by hand, and the two engines found to agree."""

from __future__ import annotations

import dataclasses
import random
from datetime import timedelta

import msgspec
import polars as pl
import pytest
from tests import world
from tests.flows.trade import trade

from fenqi import cashier
from fenqi.flows import backtest, backtest_tables, facts_export, repolicy
from fenqi.flows.backtest_tables import codes_of
from fenqi.flows.decision_rows import Ended, frame_of, judged_of, rows_of
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import CapRow, PlanRow, PolicyBook, PolicyState, PolicyVersion
from fenqi.policy.table import Row, Table

CASES = 90


@pytest.fixture(scope="module")
def ctx(database, run, tmp_path_factory):
    context = world.context(database)
    context.settings = dataclasses.replace(context.settings, data_dir=tmp_path_factory.mktemp("data"))
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def stored(ctx, run):
    """All decisions, and the clock a day later."""

    async def all_of():
        found = []
        for consumer_id, intent_id, _ in await trade(ctx, CASES, seed=3):
            async with ctx.database.snapshot() as tx:
                found += await cashier.select_decisions(tx, bucket_of(consumer_id), consumer_id, intent_id)
        ctx.clock.advance(timedelta(hours=3))
        return found

    return run(all_of())


def document(ctx):
    return ctx.reference.newest.policy.document


def with_rows(doc, key, change):
    """The document with the rows of one table changed."""
    tables = tuple(Table(t.key, tuple(change(t.rows))) if t.key == key else t for t in doc.tables)
    return msgspec.structs.replace(doc, tables=tables)


def expected(ctx, stored, candidate):
    """By hand, decision after decision: method → orders that it could pay (before, after); and rows that change."""
    at = world.AT
    book = PolicyBook(PolicyVersion(new_id(), "c", PolicyState.DRAFT, candidate, "a", at, None, None, None))
    last, changed = {}, 0
    for one in sorted(stored, key=lambda each: (each.decided_at, each.decision_id)):
        facts = cashier.decode_facts(one.facts)
        after = repolicy.under(facts, book, ctx.reference.newest.tree, ctx.reference.newest.policy)
        for said in judged_of(one, facts):
            now = not cashier.evaluate(after, said.method, said.plan)
            last[facts.order.order_id, said.method, said.plan] = (not said.reasons, now)
            changed += now is bool(said.reasons)
    by_order = {}
    for (order_id, method, _), (was, now) in last.items():
        old = by_order.get((method, order_id), (False, False))
        by_order[method, order_id] = (old[0] or was, old[1] or now)
    methods = {}
    for (method, _), (was, now) in by_order.items():
        before, after = methods.get(method, (0, 0))
        methods[method] = (before + was, after + now)
    return methods, changed


def figures_of(report):
    return {method: (change.before, change.after) for method, change in report.figures.methods.items()}


def test_the_policy_in_force_changes_nothing(ctx, run, stored):
    report = run(backtest.backtest(ctx, document(ctx), 3))
    assert not report.is_exact
    assert report.figures.changed_decisions == 0
    assert report.figures.disagreed == 0
    assert figures_of(report) == expected(ctx, stored, document(ctx))[0]
    assert report.figures.gmv.before == report.figures.gmv.after > 0
    assert report.figures.credit.before == report.figures.credit.after > 0
    assert report.figures.new_reasons == report.figures.gone_reasons == {}
    assert (report.merchants_count, report.buyers_count) == (0, 0)


def loose(rows):
    """Credit for everything that matches a rule about goods."""
    return [Row(row.rule_id, row.when) if "credit" in row.rule_id else row for row in rows]


def strict(rows):
    """At most ¥500 of anything by whatever method, and no instalments but three."""
    return [
        Row(row.rule_id, row.when, {**row.then, "max_minor": 50_000, "terms": (1, 3)})
        if row.then.get("verdict", "allow") == "allow"
        else row
        for row in rows
    ]


def wary(rows):
    """Findings by amount, hour, kind of seller, device and what others told, with every cure."""

    def finding(place, code, cure, when, hours=0):
        return Row(f"wary-{place}", when, {"code": code, "cure": cure, "wait_hours": hours})

    return [
        finding(1, "RISK_CASHOUT_SUSPECT", "none", {"amount_minor": "> 600000", "method": '"credit"'}),
        finding(2, "RISK_VELOCITY", "wait", {"presses_1h_count": ">= 1"}, 2),
        finding(3, "RISK_VELOCITY", "wait", {"seller_kind": '"third_party"', "amount_minor": "> 100000"}, 1),
        finding(4, "RISK_ACCOUNT_TAKEOVER", "step_up", {"amount_minor": "[30000..400000]", "hour": ">= 10"}),
        finding(5, "RISK_ADDRESS_ANOMALY", "id_check", {"category": '"digital", "appliance"'}),
        finding(6, "RISK_MANUAL_REVIEW", "review", {"merchant": 'not in ["M1001"]', "scene": '"scan_to_pay"'}),
        *rows,
    ]


def capped(rows):
    """A cap of the whole book that leaves room for small orders only, and one that leaves none."""
    return [
        Row("cap-all", {"method": '"credit"'}, {"programme": "all", "cap_minor": 150_000}),
        Row("cap-mall", {"scene": '"mall"', "method": '"credit"'}, {"programme": "mall", "cap_minor": 0}),
        *rows,
    ]


def countered(rows):
    """A part down for what costs more than ¥500 on credit, and short plans in the mall."""
    return [
        Row("short", {"scene": '"mall"'}, {"most_instalments": 6}),
        Row("down", {"method": '"credit"', "amount_minor": "> 50000"}, {"down_payment_ppm": 300_000}),
        *rows,
    ]


CHANGES = [
    ("goods", loose),
    ("goods", strict),
    ("transaction", wary),
    ("exposure", capped),
    ("counter_offer", countered),
]


@pytest.mark.parametrize(("key", "change"), CHANGES)
def test_other_tables_are_counted_as_the_evaluator_would_by_hand(ctx, run, stored, key, change):
    candidate = with_rows(document(ctx), key, change)
    report = run(backtest.backtest(ctx, candidate, 3))
    methods, changed = expected(ctx, stored, candidate)
    assert changed > 5
    assert figures_of(report) == methods
    assert not report.is_exact
    assert report.figures.disagreed == 0
    assert report.figures.agreed > changed
    assert report.figures.judged_exactly == report.figures.changed_decisions > 0


def test_what_nobody_knows_goes_to_a_person_by_both_engines(ctx, stored):
    """Signals that are not known, in facts otherwise real: the tables over rows, and the evaluator."""
    rng, rows, codes = random.Random(1), [], []
    for one in stored:
        facts = cashier.decode_facts(one.facts)
        unknown = rng.sample(("device_known", "hour", "network"), rng.randrange(3))
        signals = tuple((name, None if name in unknown else value) for name, value in facts.risk.signals)
        without = msgspec.structs.replace(facts, risk=msgspec.structs.replace(facts.risk, signals=signals))
        after = repolicy.under(without, ctx.reference.newest.policy)
        again = msgspec.structs.replace(one, facts=cashier.encode_facts(after))
        for row in rows_of(again, Ended(new_id()), after.now_ms):
            rows.append(row)
            codes.append({reason.code for reason in cashier.evaluate(after, row["method"], row["plan"])})
    frame = frame_of(rows)
    judged = backtest_tables.Tables(document(ctx)).judge(frame)
    assert judged["available_after"].to_list() == [not said for said in codes]
    to_a_person = ["RISK_MANUAL_REVIEW" in codes_of(mask) for mask in judged["after"]]
    assert to_a_person == ["RISK_MANUAL_REVIEW" in said for said in codes]
    assert 0.2 < sum(to_a_person) / len(codes) < 0.9


def test_signals_were_gathered_for_the_risk_table(ctx, run, stored):
    run(backtest.backtest(ctx, document(ctx), 3))
    folder = facts_export.folder_of(ctx)
    frame = pl.concat([pl.read_parquet(path) for path in folder.glob("*.parquet")])
    assert frame["is_asked"].all()
    assert frame["presses_1h_count"].max() > 0


def test_the_tables_alone_come_to_the_same_figures(ctx, run, stored, monkeypatch):
    """Without asking the evaluator at all."""
    from fenqi.flows import backtest_file

    candidate = with_rows(document(ctx), "goods", strict)
    exactly = run(backtest.backtest(ctx, candidate, 3))
    monkeypatch.setattr(backtest_file, "_chosen", lambda judged, _: (judged["decision_id"].head(0), 0))
    by_tables = run(backtest.backtest(ctx, candidate, 3))
    assert by_tables.figures.judged_exactly == 0
    same = ("methods", "gmv", "credit", "loss", "exposure", "days", "opened", "closed", "payable")
    for name in same:
        assert getattr(by_tables.figures, name) == getattr(exactly.figures, name), name
    derived = {"MIXED_CART_PARTIAL"}
    for name in ("new_reasons", "gone_reasons"):
        told = {code: count for code, count in getattr(exactly.figures, name).items() if code not in derived}
        assert {c: n for c, n in getattr(by_tables.figures, name).items() if c not in derived} == told


def test_what_is_not_in_tables_goes_through_the_evaluator_whole(ctx, run, stored):
    doc = document(ctx)
    methods = tuple(
        msgspec.structs.replace(row, suspended=True)
        if row.method == "money_account"
        else msgspec.structs.replace(row, caps=(CapRow("day", 100_000),))
        if row.method == "credit"
        else row
        for row in doc.methods
    )
    candidate = msgspec.structs.replace(doc, methods=methods)
    report = run(backtest.backtest(ctx, candidate, 3))
    assert report.is_exact
    assert report.figures.judged_exactly == report.figures.decisions == len(stored)
    assert figures_of(report) == expected(ctx, stored, candidate)[0]
    assert report.figures.methods["money_account"].after == 0
    assert report.figures.new_reasons["METHOD_SUSPENDED"] > 20
    assert report.figures.lost_minor > 0
    assert report.figures.gmv.after == report.figures.gmv.before - report.figures.lost_minor + report.figures.won_minor


def test_a_plan_that_only_the_candidate_has_counts(ctx, run, stored):
    doc = document(ctx)
    only = (*(row for row in doc.plans if row.method != "credit"), PlanRow("pay_in_two", "credit", 2, 4_000))
    candidate = msgspec.structs.replace(doc, plans=only, interest_free=())
    report = run(backtest.backtest(ctx, candidate, 3))
    before = report.figures.methods["credit"].before
    assert 0 < report.figures.methods["credit"].after <= before
    assert report.figures.new_reasons["PLAN_TERM_NOT_OFFERED"] > 50


def test_lost_and_won_are_what_is_assumed(ctx, run, stored):
    """Everything is closed: all that was paid is lost, whatever share of buyers would pay otherwise."""
    nothing = with_rows(
        document(ctx), "goods", lambda rows: [Row(r.rule_id, r.when, {"verdict": "category_excluded"}) for r in rows]
    )
    report = run(backtest.backtest(ctx, nothing, 3))
    assert report.figures.gmv.after == 0
    assert report.figures.lost_minor == report.figures.gmv.before
    assert report.figures.credit.after == report.figures.loss.after == 0
    lent = {}
    for one in stored:
        facts = cashier.decode_facts(one.facts)
        lent[facts.order.order_id] = facts.consumer.pd_ppm or 12_100
    paid = {order_id: minor for order_id, minor in _on_credit(ctx) if minor}
    assert sum(paid.values()) == report.figures.credit.before > 0
    by_hand = sum(minor * lent[order_id] // 10**6 * 600_000 // 10**6 for order_id, minor in paid.items())
    assert report.figures.loss.before == by_hand


def _on_credit(ctx):
    folder = facts_export.folder_of(ctx)
    frame = pl.concat([pl.read_parquet(path) for path in folder.glob("*.parquet")])
    return frame.select("order_id", "on_credit_minor").unique().rows()


def test_credit_is_told_by_segment_scene_category_and_merchant(ctx, run, stored):
    report = run(backtest.backtest(ctx, document(ctx), 3))
    lent = report.figures.credit.before
    for by in ("segment", "scene"):
        assert sum(change.before for change in report.figures.exposure[by].values()) == lent, by
    for by in ("category", "merchant"):
        told = sum(change.before for change in report.figures.exposure[by].values())
        assert lent - 10 * report.figures.orders <= told <= lent, by


def test_a_rule_loosened(ctx, run, stored):
    report = run(backtest.loosen(ctx, "credit-no-gold", 3))
    assert report.loosened == "credit-no-gold"
    assert set(report.figures.gone_reasons) <= {"GOODS_CATEGORY_EXCLUDED", "MIXED_CART_PARTIAL"}
    assert report.figures.closed == 0
    loose = backtest.loosened(document(ctx), "credit-no-gold")
    assert figures_of(report) == expected(ctx, stored, loose)[0]


def test_what_can_t_be_loosened_is_refused(ctx):
    with pytest.raises(NotFound) as no:
        backtest.loosened(document(ctx), "no-such-rule")
    assert no.value.code == "RULE_UNKNOWN"
    with pytest.raises(Refusal) as no:
        backtest.loosened(document(ctx), "income-2000")
    assert no.value.code == "RULE_NOT_ABOUT_PURCHASES"


def test_days_out_of_bounds_are_refused(ctx, run):
    with pytest.raises(Refusal) as no:
        run(backtest.backtest(ctx, document(ctx), 0))
    assert no.value.code == "DAYS_INVALID"


def test_progress_is_told_file_by_file(ctx, run, stored):
    heard = []

    async def say(progress):
        heard.append(progress)

    report = run(backtest.backtest(ctx, document(ctx), 3, say=say))
    assert [each.done for each in heard] == list(range(1, len(heard) + 1))
    assert heard[-1].percent == 100
    assert heard[-1].rows == report.figures.rows
