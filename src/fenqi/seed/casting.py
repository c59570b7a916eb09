"""Bringing the cast up: each member signs up, lives the past that `lives` has for them, and places the ready order.

All live at once, each on a clock of their own; `renew` places again what has lapsed when the demo is started later.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from fenqi import merchant, order
from fenqi.channels.bank_card.gateway.issuer import test_card
from fenqi.flows import money
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.merchant import Relation
from fenqi.order import OrderState
from fenqi.seed.cast import MEMBERS, Member
from fenqi.seed.ident import seed_id
from fenqi.seed.moment import TaskClock
from fenqi.seed.people import SEED, SeedPerson, card_number, enrol, id_number, name_of
from fenqi.seed.shops import BY_CODE, SELF_DEALING
from fenqi.seed.stage import READY_FOR, Stage
from fenqi.seed.till import Till

_JOINED_DAYS_AGO = 99
_AT_ONCE = 10
_FIRST_NUMBER = 90_000_000
"""Phones of the cast begin here; the market's people have the numbers below."""
_LEAST_LEFT = timedelta(hours=12)


@dataclass(frozen=True)
class Casting:
    """What it takes: the passwords are hashed once for everybody."""

    ctx: Context
    clock: TaskClock
    reference: Reference
    now: datetime
    password_hash: str
    pay_password_hash: str
    pay_password: str
    taken: set[str] = field(default_factory=set)
    """Id numbers that somebody has: two people of one date and region would be one person."""
    till: Till | None = None
    """The way to the payment channels; None: there are none, and who needs one stays away."""

    async def everybody(self, done: Callable[[int, int], None], members: tuple[Member, ...] = MEMBERS) -> None:
        """Bring all members up, then let happen what changes goods for everybody."""
        members = tuple(member for member in members if self.till is not None or not member.part.at_channel)
        gate = asyncio.Semaphore(_AT_ONCE)
        stages: dict[str, Stage] = {}

        async def one(member: Member) -> None:
            async with gate:
                stages[member.name] = await self.bring_up(member)
            done(len(stages), len(members))

        async with asyncio.TaskGroup() as group:
            for member in members:
                group.create_task(one(member))
        for member in members:
            if member.part.then is not None:
                self.clock.go_to(self.now)
                await member.part.then(stages[member.name])

    async def bring_up(self, member: Member, name: str | None = None) -> Stage:
        """One member's life up to the ready order. `name` makes another person with the same life."""
        person = person_of(member, self.now, name, self.taken)
        stage = Stage(
            self.ctx, self.clock, self.reference, person, self.now, self.pay_password, channels=self.till
        )  # fmt: skip
        await self._sign_up(member, stage)
        await member.part.life(stage)
        stage.days_ago(0, member.part.placed_hours_ago)
        if member.part.currency != "CNY":
            await stage.place_in(member.part.basket, member.part.currency)
        else:
            await stage.place(member.part.basket, member.part.waits)
        stage.come_home()
        return stage

    async def _sign_up(self, member: Member, stage: Stage) -> None:
        stage.days_ago(_JOINED_DAYS_AGO)
        by = By("system:demo", "one of the demo's cast", self.ctx.now())
        person = stage.person
        async with self.ctx.database.transaction() as tx:
            made = await enrol(
                tx, self.ctx.keys, person, self.password_hash, by,
                pay_password_hash=self.pay_password_hash if member.part.pay_password else None,
                real_name=member.part.real_name, card=member.part.card, wallet=member.part.wallet,
            )  # fmt: skip
            if member.part.wallet:
                await money.open_within(tx, person.consumer_id, by)
        if member.part.owns_shop and made.person_hash is not None:
            async with self.ctx.database.transaction() as tx:
                shop_id = BY_CODE[SELF_DEALING].merchant_id
                await merchant.relate(tx, shop_id, made.person_hash, Relation.OWNER, by)


def consumer_id_of(name: str) -> UUID:
    """The id of a member by sign-in name, the same in every installation."""
    return seed_id("cast", name)


def person_of(member: Member, now: datetime, name: str | None = None, taken: set[str] | None = None) -> SeedPerson:
    """The member as a person: from 25 to 55 years old unless told otherwise, with an id number that isn't `taken`."""
    own = name or member.name
    number = _FIRST_NUMBER + int.from_bytes(seed_id("cast", own).bytes[8:12], "big") % 9_000_000
    twin = member.part.same_person_as
    rng = random.Random(f"{SEED}/cast/{twin or own}")
    today_on = business_date(now)
    years = member.part.age or rng.randint(25, 55)
    birth_on = today_on - timedelta(days=int(years * 365.2425) + 40 + rng.randrange(250))
    until_on = today_on - timedelta(days=12) if member.part.document_lapsed else today_on + timedelta(days=2_000)
    female = rng.random() < 0.5
    number_of_id = id_number(birth_on, female, rng)
    while twin is None and taken is not None and number_of_id in taken:
        birth_on += timedelta(days=1)
        number_of_id = id_number(birth_on, female, rng)
    if taken is not None:
        taken.add(number_of_id)
    cards = random.Random(f"{SEED}/card/{own}")
    card = card_number("91560101", cards)
    if member.part.card_says:
        card = test_card(member.part.card_says, f"91560101{cards.randrange(10_000):04d}")
    return SeedPerson(
        consumer_id_of(own), own, f"129{number:08d}", name_of(rng, female),
        number_of_id, birth_on, until_on, card, member.part.is_student,
    )  # fmt: skip


async def renew(ctx: Context, clock: TaskClock, now: datetime, pay_password: str) -> int:
    """Place the ready orders again that have lapsed unpaid since; how many."""
    async with ctx.database.snapshot() as tx:
        reference = await ctx.reference.current(tx, now)
    clock.go_to(now)
    renewed = 0
    for member in MEMBERS:
        if member.part.waits != READY_FOR or member.part.then is not None or member.part.currency != "CNY":
            continue
        async with ctx.database.snapshot() as tx:
            newest = next(iter(await order.of_consumer(tx, consumer_id_of(member.name), limit=1)), None)
        if newest is not None and _is_lapsed(newest, now):
            stage = Stage(ctx, clock, reference, person_of(member, now), now, pay_password)
            await stage.place(member.part.basket, READY_FOR)
            renewed += 1
    return renewed


def _is_lapsed(newest: order.Order, now: datetime) -> bool:
    if newest.state is OrderState.EXPIRED:
        return True
    return newest.state is OrderState.AWAITING_PAYMENT and newest.pay_by_at < now + _LEAST_LEFT
