"""Getting the demo ready on a migrated database: reference data, staff, consumers, the market's days, and the cast.

Everybody lives on one clock that ends at the machine's now; afterwards the demo's clock runs on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fenqi import customer, merchant, seed
from fenqi.customer import Keys
from fenqi.database import clock as database_clock
from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.demo import assumptions
from fenqi.demo.market import Market
from fenqi.demo.tally import Tally
from fenqi.flows import events, money, pay
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, start_of_day
from fenqi.ledger import balances
from fenqi.seed import SeedPerson, cast, casting, staff
from fenqi.seed.moment import TaskClock
from fenqi.settings import DemoPerson, Settings

PASSWORD = "fenqi-demo"
"""Everybody's sign-in password in the demo, staff included."""
PAY_PASSWORD = "246802"
"""Everybody's pay password, where they have one."""
_PAST_DAYS = 100
"""How long before today the world begins: the cast has a past of its own, however few days are simulated."""
_CONNECTIONS = 14
_AT_ONCE = 12

Say = Callable[[str, int, int], None]
"""Progress: (what is under way, how much is done, of how much)."""


class OtherData(Exception):
    """The database holds data that no demo put there."""


class BooksWrong(Exception):
    """The ledger's standing checks found faults after the simulation: a bug, never to be served."""


@dataclass(frozen=True)
class Prepared:
    """What there is now."""

    consumers: int
    tally: Tally


async def prepare(settings: Settings, days: int, say: Say) -> Prepared:
    """Fill an empty database. Refuses OtherData where there are merchants already."""
    now = datetime.now(UTC)
    today_on = business_date(now)
    begin = start_of_day(today_on - timedelta(days=max(days, _PAST_DAYS) + 2))
    clock = TaskClock(begin)
    async with await Database.open(settings.database_url, max_size=_CONNECTIONS) as database:
        ctx = Context(database, clock, settings, Keys(settings.secret))
        ctx.pay_queue = pay.open_queue(ctx)
        try:
            people = await _populate(ctx, begin, now, say)
            market = Market(ctx, clock, people, PAY_PASSWORD, today_on - timedelta(days=days), days)
            tally = await market.run(lambda day, _so_far: say("days", day, days))
            await _cast(ctx, clock, datetime.now(UTC), {one.id_number for one in people}, say)
            await _hand_over(ctx, clock)
        finally:
            await ctx.pay_queue.close()
    return Prepared(len(people), tally)


async def renew(settings: Settings) -> int:
    """What a later start needs: ready orders that have lapsed are placed again; how many."""
    async with await Database.open(settings.database_url) as database:
        async with database.transaction() as tx:
            ahead = await database_clock.read_offset(tx)
        now = datetime.now(UTC) + ahead
        clock = TaskClock(now)
        ctx = Context(database, clock, settings, Keys(settings.secret))
        return await casting.renew(ctx, clock, now, PAY_PASSWORD)


def sign_in_list() -> tuple[DemoPerson, ...]:
    """Whom the sign-in page offers."""
    return tuple(
        DemoPerson(one.name, *cast.GROUPS[one.group], one.label_zh, one.label_en, one.code) for one in cast.MEMBERS
    )


async def _populate(ctx: Context, begin: datetime, now: datetime, say: Say) -> list[SeedPerson]:
    """Merchants, goods, policy, staff, and the consumers who take part in the market."""
    async with ctx.database.transaction() as tx:
        if await merchant.get_all(tx):
            raise OtherData("the database holds merchants already")
        await seed.reference(tx, begin, as_of=now)
        await staff.hire_all(tx, PASSWORD, By("system:demo", "the demo's staff", begin))
    people = seed.people(assumptions.CONSUMERS, business_date(begin))
    password, pay_password = await customer.hash_password(PASSWORD), await customer.hash_password(PAY_PASSWORD)
    gate = asyncio.Semaphore(_AT_ONCE)
    done = 0

    async def enrol(person: SeedPerson) -> None:
        nonlocal done
        by = By("system:demo", "one of the demo's consumers", begin)
        async with gate, ctx.database.transaction() as tx:
            await seed.enrol(tx, ctx.keys, person, password, by, pay_password_hash=pay_password)
            await money.open_within(tx, person.consumer_id, by)
        done += 1
        say("consumers", done, len(people))

    async with asyncio.TaskGroup() as group:
        for person in people:
            group.create_task(enrol(person))
    return people


async def _cast(ctx: Context, clock: TaskClock, now: datetime, taken: set[str], say: Say) -> None:
    """Bring up somebody in every state, as of now."""
    clock.go_to(now)
    async with ctx.database.snapshot() as tx:
        reference = await ctx.reference.current(tx, now)
    hashes = await customer.hash_password(PASSWORD), await customer.hash_password(PAY_PASSWORD)
    crew = casting.Casting(ctx, clock, reference, now, *hashes, PAY_PASSWORD, taken)
    await crew.everybody(lambda done, total: say("people", done, total))


async def _hand_over(ctx: Context, clock: TaskClock) -> None:
    """Hand every event on, check the books, and let the demo's clock run from the machine's."""
    clock.go_to(datetime.now(UTC))
    await outbox.drain(ctx.database, events.handlers(ctx), clock.now())
    async with ctx.database.snapshot() as tx:
        waiting, parked = await outbox.backlog(tx)
        faults = await balances.faults(tx)
    if faults or waiting:
        raise BooksWrong("\n".join([*faults, f"{waiting} events wait, {parked} of them parked"]))
    async with ctx.database.transaction() as tx:
        await database_clock.set_offset(tx, timedelta())
