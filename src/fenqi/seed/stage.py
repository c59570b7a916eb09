"""The stage on which a member of the demo's cast lives: verbs of a life, each through the flows that people use.

Every member has their own clock; `days_ago` goes to a day of their past, `come_home` back to now.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from fenqi import cashier, credit, customer, order
from fenqi.cashier import Payment
from fenqi.credit import BureauFile, Grant, LimitKind
from fenqi.flows import activate_credit, apply_credit, money, pay, prove, shop
from fenqi.flows.apply_credit import Declared
from fenqi.flows.context import Context
from fenqi.flows.device import address_id
from fenqi.flows.reference import Reference
from fenqi.flows.request import PayRequest
from fenqi.flows.shop import Placed, Wish
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms, start_of_day
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.order import Coupon
from fenqi.seed.moment import TaskClock
from fenqi.seed.people import SeedPerson
from fenqi.seed.shops import BY_CODE
from fenqi.seed.till import Till

GENERAL = "asset:loan_principal:general"
READY_FOR = timedelta(days=3)
"""How long a ready order waits to be paid."""


class Pick(NamedTuple):
    """Goods to be bought: of a category (or one SKU), of a shop, near a price."""

    category: str = "phone"
    about_yuan: int = 3_000
    shop: str = "fenqi"
    pieces: int = 1
    sku_id: UUID | None = None


class Basket(NamedTuple):
    """What a member wants to buy now."""

    picks: tuple[Pick, ...] = (Pick(),)
    scene: str = "mall"
    delivery: str = "express"
    buyer_kind: str = "person"
    coupon: dict[str, Any] | None = None
    """A discount of ¥50, with what it can be combined with."""
    address: str = ""
    """Where it is to be delivered."""


class LineAs(NamedTuple):
    """An applicant whom the policy gives a certain limit."""

    income_yuan: int
    bureau: BureauFile | None = BureauFile(1, 60, 0, 1, 100_000)


WIDE = LineAs(20_000)
"""¥50,000."""
MIDDLE = LineAs(3_000)
"""¥10,000."""
NARROW = LineAs(2_000, BureauFile(1, 60, 0, 12, 10_000))
"""¥2,000."""
NO_FILE = LineAs(9_000, None)
"""Left to a person."""
REFUSED = LineAs(2_600, BureauFile(9, 4, 45, 12, 180_000))


@dataclass
class Stage:
    """One member's life so far."""

    ctx: Context
    clock: TaskClock
    reference: Reference
    person: SeedPerson
    now: datetime
    pay_password: str
    orders: list[Placed] = field(default_factory=list)
    channels: Till | None = None
    """The way to the payment channels, where there are any."""

    @property
    def consumer_id(self) -> UUID:
        """The member's id."""
        return self.person.consumer_id

    @property
    def by_demo(self) -> By:
        """What others do to the member, in the demo's name."""
        return By("system:demo", "the demo's cast", self.ctx.now())

    def days_ago(self, days: int, hours: int = 0) -> None:
        """Go to a day of the past."""
        self.clock.go_to(self.now - timedelta(days=days, hours=hours))

    def earlier_today(self) -> None:
        """Go back some minutes, but not beyond midnight: what counts by the day or month must fall into today."""
        midnight = start_of_day(business_date(self.now))
        self.clock.go_to(max(midnight, self.now - timedelta(minutes=5)))

    def come_home(self) -> None:
        """Go back to now."""
        self.clock.go_to(self.now)

    def wait(self, seconds: int) -> None:
        """Let some seconds pass."""
        self.clock.pass_by(timedelta(seconds=seconds))

    def transaction(self) -> Any:
        """One verb of a room."""
        return self.ctx.database.transaction()

    async def flags(self, **flags: Any) -> None:
        """Set what suspends or bounds the line."""
        async with self.transaction() as tx:
            await credit.line.set_flags(tx, self.consumer_id, self.by_demo, **flags)

    async def marks(self, **marks: Any) -> None:
        """Note what operators learnt."""
        async with self.transaction() as tx:
            await customer.mark(tx, self.consumer_id, customer.Marks(**marks), self.by_demo)

    async def top_up(self, yuan: int) -> None:
        """Have money sent to the money account."""
        await money.receive(self.ctx, self.consumer_id, new_id(epoch_ms(self.ctx.now())), yuan * 100)

    async def apply(self, applicant: LineAs) -> str:
        """Apply for the line: what the policy says."""
        application, _ = await apply_credit.apply(
            self.ctx,
            self.consumer_id,
            new_id(epoch_ms(self.ctx.now())),
            Declared(applicant.income_yuan * 100, ("income", "employment", "residence")),
            credit.activation.required_consents(self.ctx.reference.product),
            applicant.bureau,
        )
        return application.outcome

    async def line(self, applicant: LineAs = WIDE) -> None:
        """Have an active line."""
        outcome = await self.apply(applicant)
        assert outcome == "approved", f"{self.person.sign_in_name} was {outcome}"
        await activate_credit.activate(self.ctx, self.consumer_id)

    async def grant(self, kind: LimitKind, yuan: int, **more: Any) -> None:
        """Be granted a temporary or dedicated limit."""
        new = Grant(kind=kind, amount_minor=yuan * 100, **more)
        async with self.transaction() as tx:
            await credit.limit.grant(tx, self.consumer_id, new, self.by_demo)

    async def cut_to(self, yuan: int) -> None:
        """Have the general limit cut or raised."""
        product = self.ctx.reference.product
        async with self.transaction() as tx:
            await credit.limit.set_granted(tx, self.consumer_id, GENERAL, yuan * 100, product, self.by_demo)

    async def place(self, basket: Basket, window: timedelta = shop.PAY_WINDOW) -> Placed:
        """Place an order for it."""
        wishes = [self.wish(pick, basket.scene) for pick in basket.picks]
        coupons = () if basket.coupon is None else (Coupon(new_id(), 5_000, **basket.coupon),)
        placed = await shop.place_order(
            self.ctx, self.consumer_id, new_id(epoch_ms(self.ctx.now())), basket.scene, wishes, basket.delivery,
            buyer_kind=basket.buyer_kind, coupons=coupons, pay_window=window,
            address_id=address_id(self.ctx.keys, basket.address),
        )  # fmt: skip
        self.orders.append(placed)
        return placed

    def wish(self, pick: Pick, scene: str) -> Wish:
        """The offer that is meant: by SKU, else the one whose price is nearest."""
        merchant_id = BY_CODE[pick.shop].merchant_id
        offers = [
            offer
            for offer in self.reference.offers.values()
            if offer.merchant_id == merchant_id and scene in offer.scenes
            if offer.sku_id == pick.sku_id
            or (
                pick.sku_id is None
                and self.reference.items[offer.sku_id].category == pick.category
                and not offer.is_gift
                and offer.deposit_minor is None
            )
        ]
        assert offers, f"nothing on sale for {pick} in {scene}"
        best = min(offers, key=lambda offer: (abs(offer.price_minor - pick.about_yuan * 100), offer.sku_id))
        return Wish(best.sku_id, merchant_id, pick.pieces)

    async def buy(self, basket: Basket, method: str, plan: str = "full") -> Payment:
        """Place an order and pay it, confirming with the pay password where that is asked for."""
        placed = await self.place(basket)
        self.wait(20)
        await prove.step_up(self.ctx, self.consumer_id, {"pay_password": self.pay_password})
        digest = hashlib.sha256(placed.intent_id.bytes).digest()
        request = PayRequest(self.consumer_id, new_id(epoch_ms(self.ctx.now())), placed.intent_id, method, plan, digest)
        payment = await pay.pay(self.ctx, request)
        assert payment.outcome == "succeeded", f"{self.person.sign_in_name}: {payment.reasons}"
        return payment

    async def place_in(self, basket: Basket, currency: str) -> Placed:
        """Place an order in another currency, as a partner would (shops here sell in yuan)."""
        wish = self.wish(basket.picks[0], basket.scene)
        at, order_id = self.ctx.now(), new_id(epoch_ms(self.ctx.now()))
        line = shop.new_line(self.reference, wish, basket.scene, shop.line_id_of(order_id, 1))
        new = order.NewOrder(
            self.consumer_id, order_id, basket.scene, (line,), at + READY_FOR, basket.delivery, currency
        )
        async with self.transaction() as tx:
            await order.claim_number(tx, self.consumer_id, order_id, at)
        async with self.transaction() as tx:
            placed = await order.place(tx, new, self.by_demo)
            bucket = bucket_of(self.consumer_id)
            intent_id = await cashier.open_checkout(tx, bucket, self.consumer_id, new_id(), order_id, at)
        self.orders.append(Placed(placed, intent_id))
        return self.orders[-1]
