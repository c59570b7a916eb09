"""Back-tests by order: asked for with a reason, run beside everything else, kept with their reports."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import policy as policies
from fenqi.flows import backtest
from fenqi.flows.backtest import MOST_DAYS, Progress, Report
from fenqi.flows.context import Context
from fenqi.flows.facts_export import Run, inline
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Refusal
from fenqi.policy import trial
from fenqi.policy.trial import Trial

_REPORT = msgspec.json.Decoder(Report)


async def ask(
    ctx: Context, backtest_id: UUID, by: By, *, days: int, policy_number: str = "", rule_id: str = ""
) -> Trial:
    """Order a back-test of a version, or of the version in force with a rule loosened; a job runs it.

    Refuses BACKTEST_INVALID (neither or both), DAYS_INVALID, POLICY_UNKNOWN, RULE_UNKNOWN, RULE_NOT_ABOUT_PURCHASES and
    WHY_REQUIRED.
    """
    if bool(policy_number) == bool(rule_id):
        raise Refusal("BACKTEST_INVALID", "a version, or a rule to loosen")
    if not 1 <= days <= MOST_DAYS:
        raise Refusal("DAYS_INVALID", f"1 to {MOST_DAYS} days", days_most=MOST_DAYS)
    async with ctx.database.transaction() as tx:
        if policy_number:
            await policies.by_number(tx, policy_number)
        else:
            backtest.loosened((await policies.in_force(tx, ctx.now())).document, rule_id)
        return await trial.ask_trial(tx, backtest_id, policy_number, rule_id, days, by)


async def run_next(ctx: Context, run: Run = inline) -> bool:
    """Run the oldest back-test that waits, to its end; whether there was one. What is refused ends it as failed."""
    async with ctx.database.transaction() as tx:
        found = await trial.claim_trial(tx, ctx.now())
    if found is None:
        return False
    try:
        report = await _run(ctx, found, run)
    except Refusal as no:
        await _end(ctx, found.backtest_id, None, no.code)
    else:
        await _end(ctx, found.backtest_id, msgspec.json.encode(report))
    return True


async def waits(ctx: Context) -> bool:
    """Whether a back-test waits to be run."""
    async with ctx.database.snapshot() as tx:
        return any(each.is_open for each in await trial.trials(tx))


async def _run(ctx: Context, found: Trial, run: Run) -> Report:
    async def say(far: Progress) -> None:
        async with ctx.database.transaction() as tx:
            figures = (min(99, far.percent), far.rows, far.rows_a_second)
            await trial.move_on(tx, found.backtest_id, *figures, ctx.now())

    if found.rule_id:
        return await backtest.loosen(ctx, found.rule_id, found.days, run=run, say=say)
    async with ctx.database.snapshot() as tx:
        version = await policies.by_number(tx, found.policy_number)
    return await backtest.backtest(ctx, version, found.days, run=run, say=say)


async def _end(ctx: Context, backtest_id: UUID, report: bytes | None, refusal: str = "") -> None:
    async with ctx.database.transaction() as tx:
        await trial.end_trial(tx, backtest_id, ctx.now(), report, refusal)


def report_of(found: Trial) -> Report | None:
    """What came out, of one that is done."""
    return None if found.report is None else _REPORT.decode(found.report)
