"""Back-tests by order: kept with who asked and why, run once by one who claims them, ended by a report or a refusal."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests import world
from tests.flows.trade import trade

from fenqi.flows import backtest, backtests
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import trial
from fenqi.policy.trial import TrialState


@pytest.fixture(scope="module")
def ctx(database, run, tmp_path_factory):
    context = world.context(database)
    context.settings = dataclasses.replace(context.settings, data_dir=tmp_path_factory.mktemp("data"))
    run(world.furnish(context))
    return context


def by(ctx):
    return world.BY._replace(at=ctx.now(), why="what would it do")


async def found(ctx, backtest_id):
    async with ctx.database.snapshot() as tx:
        return await trial.get_trial(tx, backtest_id)


def test_without_trade_it_fails_in_words(ctx, run):
    number = ctx.reference.newest.policy.number
    asked = run(backtests.ask(ctx, new_id(), by(ctx), days=3, policy_number=number))
    assert asked.state is TrialState.ASKED
    assert run(backtests.run_next(ctx))
    ended = run(found(ctx, asked.backtest_id))
    assert (ended.state, ended.refusal, ended.report) == (TrialState.FAILED, "NO_DECISIONS", None)
    assert backtests.report_of(ended) is None


def test_it_is_run_once_and_its_report_kept(ctx, run):
    run(trade(ctx, 25, seed=5))
    ctx.clock.advance(timedelta(hours=2))
    backtest_id = new_id()
    asked = run(backtests.ask(ctx, backtest_id, by(ctx), days=3, rule_id="credit-no-gold"))
    assert run(backtests.ask(ctx, backtest_id, by(ctx), days=3, rule_id="credit-no-gold")) == asked
    assert run(backtests.waits(ctx))
    assert run(backtests.run_next(ctx))
    assert not run(backtests.run_next(ctx))
    assert not run(backtests.waits(ctx))
    ended = run(found(ctx, backtest_id))
    assert (ended.state, ended.percent, ended.tries) == (TrialState.DONE, 100, 1)
    assert ended.row_count > 300 and ended.rows_a_second > 0
    report = backtests.report_of(ended)
    expected = run(backtest.loosen(ctx, "credit-no-gold", 3))
    timeless = {"seconds_ms": 0, "tables_ms": 0, "exact_ms": 0}
    assert replace(report, **timeless) == replace(expected, **timeless)


def test_one_that_fell_silent_is_taken_up_again_and_given_up_after_three_times(ctx, run):
    number = ctx.reference.newest.policy.number
    backtest_id = new_id()
    run(backtests.ask(ctx, backtest_id, by(ctx), days=1, policy_number=number))

    async def claim():
        async with ctx.database.transaction() as tx:
            return await trial.claim_trial(tx, ctx.now())

    for tries in (1, 2, 3):
        assert run(claim()).tries == tries
        assert run(claim()) is None
        ctx.clock.advance(timedelta(minutes=6))
    assert run(claim()) is None
    ended = run(found(ctx, backtest_id))
    assert (ended.state, ended.refusal) == (TrialState.FAILED, "BACKTEST_STOPPED")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"days": 3}, "BACKTEST_INVALID"),
        ({"days": 3, "policy_number": "x", "rule_id": "y"}, "BACKTEST_INVALID"),
        ({"days": 0, "rule_id": "credit-no-gold"}, "DAYS_INVALID"),
        ({"days": 3, "policy_number": "no-such"}, "POLICY_UNKNOWN"),
        ({"days": 3, "rule_id": "no-such"}, "RULE_UNKNOWN"),
        ({"days": 3, "rule_id": "income-2000"}, "RULE_NOT_ABOUT_PURCHASES"),
    ],
)
def test_nonsense_is_refused_and_nothing_kept(ctx, run, given, code):
    backtest_id = new_id()
    with pytest.raises(Refusal) as no:
        run(backtests.ask(ctx, backtest_id, by(ctx), **given))
    assert no.value.code == code
    with pytest.raises(NotFound):
        run(found(ctx, backtest_id))


def test_a_reason_is_required(ctx, run):
    with pytest.raises(Refusal) as no:
        run(backtests.ask(ctx, new_id(), by(ctx)._replace(why=" "), days=3, rule_id="credit-no-gold"))
    assert no.value.code == "WHY_REQUIRED"
