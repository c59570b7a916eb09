"""One process's share of the preparation: its people sign up, live their days, and its part of the cast is brought up.

Two processes use two cores. They meet at the end of each week, where one of them runs the clockwork for both.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import uvloop

from fenqi import customer, seed
from fenqi.customer import Keys
from fenqi.database.pool import Database
from fenqi.demo import assumptions, gateways
from fenqi.demo.market import Market
from fenqi.demo.tally import Tally
from fenqi.flows import money, passages, pay
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.seed import SeedPerson, requests
from fenqi.seed.cast import MEMBERS, Member
from fenqi.seed.casting import Casting
from fenqi.seed.moment import TaskClock
from fenqi.seed.till import Key, Till
from fenqi.settings import Settings

PASSWORD = "fenqi-demo"
"""Everybody's sign-in password in the demo, staff included."""
PAY_PASSWORD = "246802"
"""Everybody's pay password, where they have one."""
_CONNECTIONS = 12
_AT_ONCE = 10

Say = Callable[[str, int, int], None]
"""Progress: (what is under way, how much is done, of how much)."""


@dataclass(frozen=True)
class Timetable:
    """When the world begins, when trade does and for how long, and who of `of` this process is."""

    begin_at: datetime
    first_on: date
    days: int
    index: int
    of: int

    @property
    def leads(self) -> bool:
        """Whether this process runs the clockwork for all."""
        return self.index == 0


class Meeting:
    """Where the processes wait for one another; alone, nobody waits. `key` is the one to the channels' gateways."""

    def __init__(self, barrier: Barrier | None, key: Key | None = None) -> None:
        self._barrier = barrier
        self.key = key

    async def wait(self) -> None:
        """Go on when everybody is here. Raises BrokenBarrierError when one of them has failed."""
        if self._barrier is not None:
            await asyncio.to_thread(self._barrier.wait)


async def work(settings: Settings, plan: Timetable, meeting: Meeting, say: Say) -> Tally:
    """Do the share; what happened in it."""
    clock = TaskClock(plan.begin_at)
    async with (
        await Database.open(settings.database_url, max_size=_CONNECTIONS, relaxed=True) as database,
        gateways.steering(settings) as control,
    ):
        ctx = Context(database, clock, settings, Keys(settings.secret))
        ctx.pay_queue = pay.open_queue(ctx)
        till = None if control is None else Till(ctx, clock, control, meeting.key)
        try:
            everybody = seed.people(assumptions.CONSUMERS, business_date(plan.begin_at))
            mine = everybody[plan.index :: plan.of]
            hashes = await customer.hash_password(PASSWORD), await customer.hash_password(PAY_PASSWORD)
            await _enrol(ctx, mine, *hashes, plan.begin_at, lambda done: say("consumers", done, len(mine)))
            market = Market(ctx, clock, mine, PAY_PASSWORD, plan.first_on, plan.days, 1 / plan.of, till)
            tally = await market.run(plan.index, meeting.wait, lambda day: say("days", day, plan.days))
            await _cast(ctx, clock, till, plan, {one.id_number for one in everybody}, hashes, say)
        finally:
            await ctx.pay_queue.close()
            await passages.hand_in(ctx)
            await ctx.http.close()
    return tally


async def _enrol(
    ctx: Context, people: list[SeedPerson], password: str, pay_password: str, at: datetime, done: Callable[[int], None]
) -> None:
    """Sign the people of the market up, with a money account each."""
    gate = asyncio.Semaphore(_AT_ONCE)
    by = By("system:demo", "one of the demo's consumers", at)
    count = 0

    async def enrol(person: SeedPerson) -> None:
        nonlocal count
        async with gate, ctx.database.transaction() as tx:
            await seed.enrol(tx, ctx.keys, person, password, by, pay_password_hash=pay_password)
            await money.open_within(tx, person.consumer_id, by)
        count += 1
        done(count)

    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(enrol(person))


async def _cast(
    ctx: Context, clock: TaskClock, till: Till | None, plan: Timetable, taken: set[str], hashes: tuple[str, str],
    say: Say,
) -> None:  # fmt: skip
    """Bring up this share of the cast, as of now; who changes something for everybody is the leader's."""
    now = datetime.now(UTC)
    clock.go_to(now)
    async with ctx.database.snapshot() as tx:
        reference = await ctx.reference.current(tx, now)
    crew = Casting(ctx, clock, reference, now, *hashes, PAY_PASSWORD, taken, till)
    mine = _mine(plan)
    await crew.everybody(lambda done, total: say("people", done, total), mine)
    await requests.live(ctx, clock, now, {member.name for member in mine})


def _mine(plan: Timetable) -> tuple[Member, ...]:
    common = [member for member in MEMBERS if member.part.then is None and member.part.same_person_as is None]
    others = [member for member in MEMBERS if member not in common]
    return (*common[plan.index :: plan.of], *(others if plan.leads else ()))


def in_process(
    settings: Settings, plan: Timetable, barrier: Barrier, key: Key, answers: Queue[Tally | None]
) -> None:  # fmt: skip
    """The other process's whole life: its tally is put into `answers`, None when it failed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the first process's, which ends this one
    done: Tally | None = None
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            done = runner.run(work(settings, plan, Meeting(barrier, key), _silent))
    finally:
        if done is None:
            barrier.abort()
        answers.put(done)


def _silent(_what: str, _done: int, _total: int) -> None:
    return None
