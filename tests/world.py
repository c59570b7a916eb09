"""A small world on a real database: the seed's shops and goods, people with a line and money, and ways to shop.

Everything goes through the rooms' and flows' own doors; a steered clock stands at `AT`.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from tests.opening import APPLICATION_POLICY

from fenqi import credit, customer, seed
from fenqi.credit import activation, application
from fenqi.credit.decision import ApplicationInputs, BureauFile
from fenqi.customer import Keys
from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.flows import events, expire, money, pay, shop
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.flows.shop import Placed, Wish
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.ledger import balances
from fenqi.settings import Settings

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
SECRET = b"a secret of the tests"
PAY_PASSWORD = "825913"
GOOD = ApplicationInputs(
    real_name="verified",
    age=40,
    phone_reachable=True,
    card_bound=True,
    income_minor=2_000_000,
    income_verified=True,
    employment_verified=True,
    residence_verified=True,
    bureau=BureauFile(2, 60, 0, 1, 100_000),
)
BY = By("system:test", "a test's world", AT)


def context(database: Database, at: datetime = AT) -> Context:
    """A context with its own standing clock and pay queue."""
    ctx = Context(database, SteeredClock(at), Settings(demo=True), Keys(SECRET))
    ctx.pay_queue = pay.open_queue(ctx)
    return ctx


async def furnish(ctx: Context) -> Reference:
    """Shops, goods, stock and the first policy."""
    async with ctx.database.transaction() as tx:
        await seed.reference(tx, AT)
    async with ctx.database.snapshot() as tx:
        return await ctx.reference.current(tx, ctx.now())


async def people(ctx: Context, count: int, money_minor: int = 2_000_000, skip: int = 0) -> list[UUID]:
    """Grown-ups, the first `skip` left out, with a proved name, a card and a money account; no credit line yet."""
    password_hash = await customer.hash_password("correct horse battery")
    pay_hash = await customer.hash_password(PAY_PASSWORD)
    fit = [
        person
        for person in seed.people((count + skip) * 2, AT.date())
        if not person.is_student and 20 <= AT.year - person.birth_on.year <= 60
    ]
    found = []
    for person in fit[skip : skip + count]:
        async with ctx.database.transaction() as tx:
            await seed.enrol(tx, ctx.keys, person, password_hash, BY, pay_password_hash=pay_hash)
            await money.open_within(tx, person.consumer_id, BY)
        await money.top_up(ctx, person.consumer_id, new_id(), money_minor)
        found.append(person.consumer_id)
    return found


async def give_line(ctx: Context, consumer_id: UUID) -> None:
    """An approved and active line of ¥50,000."""
    consents = activation.required_consents(credit.PRODUCT)
    async with ctx.database.transaction() as tx:
        await application.apply(tx, consumer_id, new_id(), GOOD, consents, APPLICATION_POLICY, credit.PRODUCT, BY)
        await activation.activate(tx, consumer_id, credit.PRODUCT, BY)


async def step_up(ctx: Context, consumer_id: UUID) -> None:
    """Confirm with the pay password."""
    async with ctx.database.transaction() as tx:
        by = By("system:test", "confirmed", ctx.now())
        assert await customer.step_up_by_pay_password(tx, consumer_id, PAY_PASSWORD, by) is None


async def buy(
    ctx: Context,
    consumer_id: UUID,
    wishes: Sequence[Wish],
    scene: str = "instalment_mall",
    order_id: UUID | None = None,
) -> Placed:
    """Place an order."""
    return await shop.place_order(ctx, consumer_id, order_id or new_id(), scene, wishes)


def wish(ref: Reference, category: str, scene: str = "instalment_mall", most_minor: int = 10**9) -> Wish:
    """The dearest goods of a category up to a price, self-operated, on sale in the scene."""
    found = [
        offer
        for offer in ref.offers.values()
        if category in ref.tree.path(ref.items[offer.sku_id].category)
        and scene in offer.scenes
        and offer.state == "on_sale"
        and offer.deposit_minor is None
        and 0 < offer.price_minor <= most_minor
        and not (offer.is_gift or offer.is_subscription or offer.is_cross_border or offer.is_trade_in_subsidised)
        and ref.sellers[offer.merchant_id].merchant.kind == "self_operated"
        and ref.sellers[offer.merchant_id].merchant.state == "active"
    ]
    best = max(found, key=lambda offer: (offer.price_minor, offer.sku_id))
    return Wish(best.sku_id, best.merchant_id)


def any_wishes(ref: Reference, rng: random.Random) -> tuple[str, list[Wish]]:
    """A random scene and one to three goods on sale there."""
    scene = rng.choice(["mall", "mall", "instalment_mall", "instalment_mall", "partner_store", "scan_to_pay"])
    shelf = sorted(
        (offer for offer in ref.offers.values() if scene in offer.scenes and offer.state == "on_sale"),
        key=lambda offer: (offer.sku_id, offer.merchant_id),
    )
    chosen = {(o.sku_id, o.merchant_id): o for o in rng.sample(shelf, k=min(len(shelf), rng.choice([1, 1, 2, 3])))}
    presale = [o for o in chosen.values() if o.deposit_minor]
    if presale:
        chosen = {(presale[0].sku_id, presale[0].merchant_id): presale[0]}
    return scene, [Wish(sku, merchant, rng.choice([1, 1, 2])) for sku, merchant in chosen]


async def settle(ctx: Context) -> list[str]:
    """Hand on every event, let time do its work, and ask the ledger for faults: none are expected."""
    await outbox.drain(ctx.database, events.handlers(ctx), ctx.now())
    await expire.tick(ctx)
    async with ctx.database.snapshot() as tx:
        return await balances.faults(tx)
