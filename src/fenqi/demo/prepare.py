"""Getting the demo ready on a migrated database: reference data, staff, then everybody's past, by two processes.

Everybody lives on one clock that ends at the machine's now; afterwards the demo's clock runs on from there.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from multiprocessing.queues import Queue
from threading import BrokenBarrierError

from fenqi import attempt, insight, merchant, seed
from fenqi.channels.gateway.control import Control
from fenqi.customer import Keys
from fenqi.database import clock as database_clock
from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.demo import assumptions, gateways, policies
from fenqi.demo.share import PASSWORD, PAY_PASSWORD, Meeting, Say, Timetable, in_process, work
from fenqi.demo.tally import Tally
from fenqi.flows import events
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock, business_date, start_of_day
from fenqi.ledger import balances
from fenqi.seed import cast, casting, staff
from fenqi.seed.moment import TaskClock
from fenqi.settings import DemoPerson, Settings

_PAST_DAYS = 100
"""How long before today the world begins: the cast has a past of its own, however few days are simulated."""
_SETTLING_DAYS = 2
_PROCESSES = 2
_EVER_DAYS, _MANY = 3_650, 1_000
_WORTH_TWO_DAYS = 5
"""Below so many days another process costs more than it helps."""


class OtherData(Exception):
    """The database holds data that no demo put there."""


class PreparationFailed(Exception):
    """A process failed, or the books are wrong after the simulation: a bug, never to be served."""


@dataclass(frozen=True)
class Prepared:
    """What there is now."""

    consumers: int
    tally: Tally


async def prepare(settings: Settings, days: int, say: Say) -> Prepared:
    """Fill an empty database. Refuses OtherData where there are merchants already."""
    now = datetime.now(UTC)
    today_on = business_date(now)
    begin_at = start_of_day(today_on - timedelta(days=max(days, _PAST_DAYS) + _SETTLING_DAYS))
    async with gateways.steering(settings) as control:
        await _reference(settings, control, begin_at, now)
        count = min(_PROCESSES, os.cpu_count() or 1) if days >= _WORTH_TWO_DAYS else 1
        plan = Timetable(begin_at, today_on - timedelta(days=days), days, 0, count)
        with _others(settings, plan) as (meeting, answers):
            tally = await work(settings, plan, meeting, say)
            for _ in range(1, count):
                other = await asyncio.to_thread(answers.get)
                if other is None:
                    raise PreparationFailed("the other process failed: its error stands above")
                tally.take_in(other)
        await _hand_over(settings, control)
    return Prepared(assumptions.CONSUMERS + len(cast.MEMBERS), tally)


@contextmanager
def _others(settings: Settings, plan: Timetable) -> Iterator[tuple[Meeting, Queue[Tally | None]]]:
    """The other processes for the length of the `with`; they end with it."""
    spawn = multiprocessing.get_context("spawn")
    answers: Queue[Tally | None] = spawn.Queue()
    barrier, key = spawn.Barrier(plan.of), spawn.Lock()
    others = [
        spawn.Process(
            target=in_process, args=(settings, replace(plan, index=index), barrier, key, answers), daemon=True
        )
        for index in range(1, plan.of)
    ]
    for process in others:
        process.start()
    try:
        yield Meeting(barrier if others else None, key if others else None), answers
    except BrokenBarrierError:
        raise PreparationFailed("the other process failed: its error stands above") from None
    finally:
        barrier.abort()
        for process in others:
            process.terminate()
            process.join()


async def _reference(settings: Settings, control: Control | None, begin_at: datetime, now: datetime) -> None:
    """Merchants, goods, the first policy, staff, and passages through the channels that have a gateway."""
    async with await Database.open(settings.database_url) as database:
        async with database.transaction() as tx:
            if await merchant.get_all(tx):
                raise OtherData(
                    "this database holds data that no demo put there: use another one, or another data directory"
                )
            await seed.reference(tx, begin_at, as_of=now, with_states=False)
            await staff.hire_all(tx, PASSWORD, By("system:demo", "the demo's staff", begin_at))
            await insight.insert_experiment(tx, _experiment(begin_at, now))
        if control is not None:
            await control.steer(at=begin_at)
            await gateways.silence(control)
            by = By("system:demo", "the demo's passages", begin_at)
            await gateways.connect(database, Keys(settings.secret), control, by)


def _experiment(begin_at: datetime, now: datetime) -> insight.Experiment:
    """What explaining is worth, tried on the market while it is simulated; whoever looks at the demo sees reasons."""
    return insight.Experiment(
        "reasons", round(assumptions.SEES_BARE * 1_000_000), begin_at, now, "system:demo",
        "what reasons and remedies are worth", begin_at,
    )  # fmt: skip


async def _hand_over(settings: Settings, control: Control | None) -> None:
    """Hand every event on, check the books, and let the demo's clocks run from the machine's.

    Some shops are frozen, closed or out of contract from now on; while trade was simulated all of them sold.
    """
    async with await Database.open(settings.database_url) as database:
        ctx = Context(database, SteeredClock(), settings, Keys(settings.secret))
        async with database.transaction() as tx:
            await seed.let_shops_be(tx, By("system:demo", "the demo's shops", ctx.now()))
        await outbox.drain(database, events.handlers(ctx), ctx.now())
        faults = await _faults(database, control, ctx.now())
        if faults:
            raise PreparationFailed("\n".join(faults))
        await policies.lay_out(ctx)
        if control is not None:
            await gateways.speak(control)
        async with database.transaction() as tx:
            await database_clock.set_offset(tx, timedelta())


async def _faults(database: Database, control: Control | None, now: datetime) -> list[str]:
    """What is not as it has to be: the books, events on their way, attempts of the market's that nobody has ended, and
    what the gateways hold of ours."""
    async with database.snapshot() as tx:
        found = await balances.faults(tx)
        waiting, parked = await outbox.backlog(tx)
        ever = now + timedelta(days=_EVER_DAYS)
        asked = [*await attempt.to_ask(tx, ever, _MANY), *await attempt.refunds_to_ask(tx, ever, _MANY)]
        if control is not None:
            found += await gateways.faults(tx, control)
    if waiting:
        found.append(f"{waiting} events wait, {parked} of them parked")
    people = {casting.consumer_id_of(member.name) for member in cast.MEMBERS}
    found += [f"{own_id.hex} of {consumer_id} is open at its channel" for consumer_id, own_id in asked
              if consumer_id not in people]  # fmt: skip
    return found


async def renew(settings: Settings) -> int:
    """What a later start needs: the gateways at their new address and on our clock, and ready orders that have lapsed
    placed again; how many."""
    async with await Database.open(settings.database_url) as database, gateways.steering(settings) as control:
        async with database.transaction() as tx:
            ahead = await database_clock.read_offset(tx)
        now = datetime.now(UTC) + ahead
        clock = TaskClock(now)
        ctx = Context(database, clock, settings, Keys(settings.secret))
        if control is not None:
            await gateways.connect(database, ctx.keys, control, ctx.by_system("demo", "the demo's passages"))
            await control.steer(offset_s=ahead.total_seconds())
        return await casting.renew(ctx, clock, now, PAY_PASSWORD)


def sign_in_list() -> tuple[DemoPerson, ...]:
    """Whom the sign-in page offers."""
    return tuple(
        DemoPerson(one.name, *cast.GROUPS[one.group], one.label_zh, one.label_en, one.code) for one in cast.MEMBERS
    )
