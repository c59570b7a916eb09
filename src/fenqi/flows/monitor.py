"""The monitor's run: read all rooms, make the report, judge it by the thresholds, raise alarms. Nightly and on demand.

Lateness comes from the loans' due dates; what servicing will add later (charge-off, collections) is not read yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, time

from fenqi import credit, insight, risk
from fenqi.database.pool import Tx
from fenqi.flows.context import Context
from fenqi.insight import Classes, LoanLife, Programme, Report, Watched
from fenqi.kernel.by import By
from fenqi.kernel.clock import ZONE, business_date, epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.policy import PolicyBook
from fenqi.risk import scorecard

NIGHT = time(2, 0)
"""In the mall's zone: the day before is over, and the relay has handed on what it left."""
_VINTAGES = 13
"""Months."""


async def tick(ctx: Context) -> bool:
    """Run if it is past two in the night and today has no report yet, or if there has never been one; whether it has
    run."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        latest = await insight.latest_report_on(tx)
    if latest is not None and (latest >= business_date(now) or now.astimezone(ZONE).time() < NIGHT):
        return False
    return await run(ctx, ctx.by_system("monitor", "nightly")) is not None


async def run(ctx: Context, by: By) -> Report | None:
    """Make the report of today, up to yesterday's end, and raise alarms; None while another run is under way."""
    day_on = business_date(by.at)
    async with ctx.database.transaction() as tx:
        if not await insight.claim_monitor(tx):
            return None
        reference = await ctx.reference.current(tx, by.at)
        watched = await _watch(tx, day_on, reference.policy)
        report = insight.make_report(
            day_on, reference.policy.number, scorecard.APPLICATION.version, watched, training_tallies()
        )
        await insight.insert_report(tx, new_id(epoch_ms(by.at)), report, by.actor, by.why, by.at)
        limits = await insight.thresholds(tx)
        await insight.raise_alarms(tx, insight.judge(insight.readings(report), limits.values()), by)
    return report


def training_tallies() -> Sequence[tuple[Classes, tuple[int, ...]]]:
    """The scorecard's features with their bins, and how many of the people it learnt from lie in each."""
    return tuple(
        (
            Classes(feature.name, tuple(one.upto for one in feature.bins if one.upto is not None)),
            tuple(one.good + one.bad for one in feature.bins),
        )
        for feature in scorecard.APPLICATION.features
    )


async def _watch(tx: Tx, day_on: date, book: PolicyBook) -> Watched:
    from_on, _, until_on = insight.windows(day_on)
    year, month = divmod(day_on.year * 12 + day_on.month - _VINTAGES, 12)
    lives = [
        LoanLife(one.disbursed_on, one.principal_minor, one.dues)
        for one in await credit.lateness.paid(tx, date(year, month + 1, 1), day_on)
    ]
    return Watched(
        applied=await insight.applied(tx, from_on, until_on),
        asked=await insight.asked(tx, from_on, until_on),
        bought=await insight.bought(tx, from_on, until_on, insight.AMOUNT_CLASSES.edges),
        judged=await insight.judged(tx, from_on, until_on),
        vintages=insight.vintages(lives, day_on, insight.BAD_DAYS),
        programmes=_programmes(await risk.exposures.ledgers(tx), book),
    )


def _programmes(used: dict[str, int], book: PolicyBook) -> list[Programme]:
    """Every programme that has lent, or that the version in force caps."""
    caps: dict[str, int | None] = {}
    for row in book.table("exposure").rows:
        name, cap_minor = row.then.get("programme"), row.then.get("cap_minor")
        if isinstance(name, str) and name:
            caps[name] = cap_minor if isinstance(cap_minor, int) else None
    return [Programme(name, used.get(name, 0), caps.get(name)) for name in sorted({*used, *caps})]
