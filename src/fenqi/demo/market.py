"""The market: so many days of trade, day by day, everybody's day at once, through the real flows.

Payments of one day meet in the queue and are written in batches. At the end of a week the clockwork runs and the
relay hands everything on, as jobs do while the demo is served.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fenqi.database import outbox
from fenqi.demo import assumptions as a
from fenqi.demo import clerks, household, past
from fenqi.demo.shelf import Shelf
from fenqi.demo.shopper import Shopper
from fenqi.demo.tally import Tally
from fenqi.flows import case_clock, events, expire
from fenqi.flows.context import Context
from fenqi.kernel.clock import start_of_day
from fenqi.seed.moment import TaskClock
from fenqi.seed.people import SeedPerson
from fenqi.seed.till import Till

_AT_ONCE = 14
_WEEK = 7
Progress = Callable[[int], None]
"""Called after each day with how many are over."""
Wait = Callable[[], Awaitable[None]]
"""Waits until the other processes are as far."""


@dataclass(frozen=True)
class Market:
    """Who takes part, when it begins, how long it lasts, and which part of the whole trade is theirs."""

    ctx: Context
    clock: TaskClock
    people: list[SeedPerson]
    pay_password: str
    first_on: date
    days: int
    part: float = 1.0
    till: Till | None = None
    """The way to the payment channels; None: there are none."""

    async def run(self, index: int, wait: Wait, progress: Progress) -> Tally:
        """Simulate all days; the tally of what happened. Process 0 runs the clockwork while the others wait."""
        tally = Tally()
        self.clock.go_to(start_of_day(self.first_on))
        async with self.ctx.database.snapshot() as tx:
            shelf = Shelf(await self.ctx.reference.current(tx, self.ctx.now()))
        everybody = [
            Shopper(
                self.ctx,
                self.clock,
                shelf,
                tally,
                person,
                self.pay_password,
                random.Random(f"{a.SEED}/{person.sign_in_name}"),
                self.till,
            )
            for person in self.people
        ]
        if self.days:
            await self._together([self._settle_in(one) for one in everybody])
        for day in range(self.days):
            on = self.first_on + timedelta(days=day)
            await self._day(everybody, on, random.Random(f"{a.SEED}/{index}/{day}"))
            if day % _WEEK == _WEEK - 1 or day == self.days - 1:
                await wait()
                if index == 0:
                    await self._clockwork(on + timedelta(days=1))
                await wait()
            progress(day + 1)
        return tally

    async def _settle_in(self, one: Shopper) -> None:
        """Before the first day: money in the wallet, and for many a line."""
        self.clock.go_to(start_of_day(self.first_on) - timedelta(hours=one.rng.randint(12, 40)))
        await household.fill_wallet(one, one.rng.uniform(0.4, 1.2))
        if not one.person.is_student and one.rng.random() < a.HAS_LINE_AT_START:
            await household.ask_for_line(one)
        await past.bring_over(one, self.first_on)

    async def _day(self, everybody: list[Shopper], on: date, rng: random.Random) -> None:
        """Draw who does what on this day, then let everybody live it."""
        buyers = rng.choices(range(len(everybody)), k=max(0, round(rng.gauss(a.ORDERS_A_DAY, 4) * self.part)))
        visits: dict[int, int] = {}
        for buyer in buyers:
            visits[buyer] = visits.get(buyer, 0) + 1
        lives = [
            self._live(one, on, visits.get(number, 0))
            for number, one in enumerate(everybody)
            if number in visits or household.is_due(one, on) or _is_payday(one, on)
        ]
        await self._together(lives)

    async def _live(self, one: Shopper, on: date, visits: int) -> None:
        """One person's day, from morning to night."""
        begin = start_of_day(on)
        self.clock.go_to(begin + timedelta(hours=8, minutes=one.rng.randint(0, 90)))
        if _is_payday(one, on):
            await household.fill_wallet(one)
        if household.is_due(one, on):
            one.think(30, 600)
            await household.pay_instalments(one)
        for at in sorted(_moment(begin, one.rng) for _ in range(visits)):
            self.clock.go_to(max(at, one.ctx.now()))
            await one.buy()
            if not one.has_line and not one.person.is_student and one.rng.random() < 0.004:
                await household.ask_for_line(one)

    async def _clockwork(self, on: date) -> None:
        """What jobs do: orders and limits lapse, channels are asked, events are handed on; and what the desk does."""
        await clerks.work(self.ctx, self.clock, start_of_day(on), random.Random(f"{a.SEED}/desk/{on}"))
        await expire.tick(self.ctx)
        await case_clock.tick(self.ctx)
        if self.till is not None:
            async with self.till.turn():
                await self.till.tidy()
        await outbox.drain(self.ctx.database, events.handlers(self.ctx), self.ctx.now())

    async def _together(self, lives: list[Coroutine[None, None, None]]) -> None:
        """Run coroutines at once, a bounded number at a time, each in a task of its own."""
        gate = asyncio.Semaphore(_AT_ONCE)

        async def bounded(life: Coroutine[None, None, None]) -> None:
            async with gate:
                await life

        async with asyncio.TaskGroup() as group:
            for life in lives:
                group.create_task(bounded(life))


def _is_payday(one: Shopper, on: date) -> bool:
    """Everybody has a pay-day of their own, the same in each month."""
    return on.day == 1 + one.consumer_id.bytes[9] % 28


def _moment(begin: datetime, rng: random.Random) -> datetime:
    """A moment of the day between 10 and 24 o'clock, mostly around lunch or in the evening."""
    hour = rng.gauss(12.5, 1.2) if rng.random() < 0.35 else rng.gauss(20.5, 1.6)
    return begin + timedelta(minutes=round(min(max(hour, 10.0), 23.4) * 60), seconds=rng.randrange(60))
