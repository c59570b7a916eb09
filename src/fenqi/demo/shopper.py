"""One consumer of the simulated market: places orders, pays, is refused, takes a remedy, another method, or leaves.

All behaviour is drawn from `assumptions` by the person's own random numbers, and all of it goes through the flows.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from fenqi.cashier import Offer, Payment
from fenqi.demo import assumptions as a
from fenqi.demo.shelf import Shelf, chosen
from fenqi.demo.tally import Tally
from fenqi.flows import pay, quote, refund, remedy, shop
from fenqi.flows.context import Context
from fenqi.flows.quote import Quote
from fenqi.flows.request import PayRequest
from fenqi.flows.shop import Placed
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.refusal import Refusal
from fenqi.seed.moment import TaskClock
from fenqi.seed.people import SeedPerson

_CREDIT, _MONEY, _OUTSIDE = "credit", "money_account", "bank_card"
_INPUTS_AT_MOST = 4


@dataclass
class Shopper:
    """A person with habits. `next_due_on` is when the next instalment is due, as far as they remember."""

    ctx: Context
    clock: TaskClock
    shelf: Shelf
    tally: Tally
    person: SeedPerson
    pay_password: str
    rng: random.Random
    has_line: bool = False
    next_due_on: date | None = None
    pays_on: date | None = None
    bought: list[UUID] = field(default_factory=list)

    @property
    def consumer_id(self) -> UUID:
        """The consumer's id."""
        return self.person.consumer_id

    def id(self) -> UUID:
        """A time-ordered id of this instant whose random part comes from the person's own numbers."""
        raw = bytearray(epoch_ms(self.ctx.now()).to_bytes(6, "big") + self.rng.randbytes(10))
        raw[6] = 0x70 | (raw[6] & 0x0F)
        raw[8] = 0x80 | (raw[8] & 0x3F)
        return UUID(bytes=bytes(raw))

    def think(self, least_s: int, most_s: int) -> None:
        """Let some seconds pass for this person."""
        self.clock.pass_by(timedelta(seconds=self.rng.randint(least_s, most_s)))

    async def buy(self) -> None:
        """Place an order and try to pay it."""
        rng = self.rng
        scene = chosen(a.SCENES, rng)
        try:
            placed = await shop.place_order(
                self.ctx, self.consumer_id, self.id(), scene, self.shelf.wishes(scene, rng), _delivery(scene)
            )
        except Refusal as no:
            self.tally.add(f"order refused: {no.code}")
            return
        self.tally.add("orders")
        self.think(5, 60)
        if rng.random() < a.LEFT_BEHIND:
            self.tally.add("left behind")
            return
        await self._pay_somehow(placed)
        if rng.random() < a.RETURNED:
            await self._return(placed)

    async def _pay_somehow(self, placed: Placed) -> None:
        method, plan = self._preference(placed.order.payable_minor)
        if method != _OUTSIDE and self.rng.random() < a.ONE_TAP:
            payment = await self._press(placed.intent_id, method, plan, None)
            if payment is None or payment.outcome == "succeeded":
                return
            self.think(5, 40)
        shown = await quote.quote(self.ctx, self.consumer_id, placed.intent_id)
        wanted = _offer(shown, method, plan)
        self.think(4, 90)
        if wanted is not None and wanted.available:
            await self._press(placed.intent_id, wanted.method, wanted.plan or "full", shown.decision_id)
        else:
            await self._refused(shown, wanted)

    def _preference(self, payable_minor: int) -> tuple[str, str]:
        """The method and plan that the person would like best."""
        drawn = self.rng.random()
        if drawn < a.CREDIT:
            if payable_minor >= 30_000 and self.rng.random() < a.INSTALMENTS * 2:
                return _CREDIT, chosen(a.TERMS, self.rng)
            return _CREDIT, "pay_later"
        if drawn < a.CREDIT + a.WALLET:
            return _MONEY, "full"
        return _OUTSIDE, "full"

    async def _refused(self, shown: Quote, wanted: Offer | None) -> None:
        """See the reasons: take a remedy, take another method, or leave."""
        rng = self.rng
        self.tally.add("refused")
        if wanted is not None:
            self.tally.refused_by.update({reason.code for reason in wanted.reasons})
        outside = wanted is None or wanted.method == _OUTSIDE
        if outside and rng.random() < a.LEAVES_WITHOUT_METHOD:
            self.tally.add("left")
            return
        codes = {reason.code for reason in wanted.reasons} if wanted is not None else set()
        ready = a.TOPS_UP if codes == {"BALANCE_INSUFFICIENT"} else a.RECOVERS
        if not outside and wanted is not None and rng.random() < ready and await self._cure(shown, wanted):
            self.tally.add("recovered")
            return
        others = [offer for offer in shown.offers if offer.available]
        if others and rng.random() < a.TAKES_ANOTHER:
            other = rng.choice(others)
            self.think(5, 60)
            await self._press(shown.intent_id, other.method, other.plan or "full", shown.decision_id)
            return
        self.tally.add("left")

    async def _cure(self, shown: Quote, wanted: Offer) -> bool:
        """Carry out the first remedy that needs no waiting and nothing that this person can't type; then pay."""
        for place, _one in enumerate(wanted.remedies[:2]):
            given: dict[str, str] = {}
            try:
                for _ in range(_INPUTS_AT_MOST):
                    done = await remedy.apply(
                        self.ctx, self.consumer_id, remedy.remedy_id(shown.decision_id, wanted, place), given
                    )
                    if done.done:
                        payment = await self._press(
                            done.intent_id, done.method, done.plan or "full", None, done.part_by
                        )
                        return payment is not None and payment.outcome == "succeeded"
                    if done.needed is None or done.needed.names != ("pay_password",):
                        break
                    given = {"pay_password": self.pay_password}
            except Refusal as no:
                self.tally.add(f"remedy refused: {no.code}")
        return False

    async def _press(
        self, intent_id: UUID, method: str, plan: str, decision_id: UUID | None, part_by: tuple[str, int] | None = None
    ) -> Payment | None:
        """Press the button."""
        asked = f"{intent_id}/{method}/{plan}/{part_by}".encode()
        request = PayRequest(
            self.consumer_id, self.id(), intent_id, method, plan, hashlib.sha256(asked).digest(), decision_id, part_by
        )
        try:
            payment = await pay.pay(self.ctx, request)
        except Refusal as no:
            self.tally.add(f"payment refused: {no.code}")
            return None
        if payment.outcome == "succeeded":
            self.tally.add("paid")
            self.tally.paid_by[f"{method} {plan}"] += 1
            if payment.loan_id is not None:
                first = _month_after(business_date(payment.paid_at))
                self.next_due_on = first if self.next_due_on is None else min(first, self.next_due_on)
        return payment

    async def _return(self, placed: Placed) -> None:
        """Send something back, all of it or half."""
        part = None if self.rng.random() < 0.5 else max(1, placed.order.payable_minor // 2)
        self.think(3_600, 4 * 3_600)
        by = self.ctx.by_system("demo", "the goods came back")
        try:
            await refund.refund(self.ctx, self.consumer_id, self.id(), placed.order.order_id, part, by)
            self.tally.add("refunded")
        except Refusal as no:
            self.tally.add(f"refund refused: {no.code}")


def _offer(shown: Quote, method: str, plan: str) -> Offer | None:
    """The offer of this method and plan, else the method's first available one, else its first."""
    same = [offer for offer in shown.offers if offer.method == method]
    exact = [offer for offer in same if offer.plan == plan]
    return next(iter(exact or [offer for offer in same if offer.available] or same), None)


def _delivery(scene: str) -> str:
    return "pick_up" if scene in ("scan_to_pay", "partner_store") else "express"


def _month_after(on: date) -> date:
    """A day not after the due date one month on; the visit looks up the true one."""
    return on + timedelta(days=28)
