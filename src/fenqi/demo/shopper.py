"""One consumer of the simulated market: places orders, pays, is refused, takes a remedy, another method, or leaves.

All behaviour is drawn from `assumptions` by the person's own random numbers, and all of it goes through the flows.
"""

from __future__ import annotations

import hashlib
import random
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from fenqi.cashier import Offer, Payment, Remedy, action
from fenqi.demo import assumptions as a
from fenqi.demo import clerks, outside
from fenqi.demo.shelf import Shelf, chosen
from fenqi.demo.tally import Tally
from fenqi.flows import at_stake, money, pay, prove, quote, refund, remedy, shop
from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, Device
from fenqi.flows.quote import Quote
from fenqi.flows.request import PayRequest
from fenqi.flows.shop import Placed
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.refusal import Refusal
from fenqi.seed.moment import TaskClock
from fenqi.seed.people import SeedPerson
from fenqi.seed.till import Till

_CREDIT, _MONEY = "credit", "money_account"
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
    till: Till | None = None
    """The way to the channels; None: there are none."""
    client: str = "web"
    """Where they shop just now."""
    device: Device = USUAL
    """What they shop on just now."""
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
        self.client, self.device = "web", _device(placed)
        paid = await self._pay_somehow(placed)
        await clerks.write_in(self, placed)
        went_outside = paid is not None and any(outside.is_outside(tender.method) for tender in paid.tenders)
        if rng.random() < (a.RETURNED_OUTSIDE if went_outside else a.RETURNED):
            await self._return(placed, went_outside)

    async def _pay_somehow(self, placed: Placed) -> Payment | None:
        """Pay, by what they like best or can be brought to; the last press, None where there was none."""
        method, plan = self._preference(placed.order.scene, placed.order.payable_minor)
        part_by = self._part(method, placed.order.payable_minor)
        if part_by is not None or (not outside.is_outside(method) and self.rng.random() < a.ONE_TAP):
            payment = await self._press(placed.intent_id, method, plan, None, part_by)
            if payment is None or payment.outcome == "succeeded":
                return payment
            self.think(5, 40)
        shown = await quote.quote(self.ctx, self.consumer_id, placed.intent_id, self.client, self.device)
        wanted = _offer(shown, method, plan)
        self.think(4, 90)
        if wanted is not None and wanted.available:
            return await self._press(placed.intent_id, wanted.method, wanted.plan or "full", shown.decision_id)
        return await self._refused(shown, wanted)

    def _preference(self, scene: str, payable_minor: int) -> tuple[str, str]:
        """The method and plan that the person would like best; they are where that can be used."""
        drawn = self.rng.random()
        if drawn < a.CREDIT:
            if payable_minor >= 30_000 and self.rng.random() < a.INSTALMENTS * 2:
                return _CREDIT, chosen(a.TERMS, self.rng)
            return _CREDIT, "pay_later"
        if drawn >= a.CREDIT + a.OUTSIDE:
            return _MONEY, "full"
        method = chosen(a.CHANNELS[scene], self.rng)
        self.client = chosen(a.CLIENTS[method], self.rng)
        return method, "full"

    def _part(self, method: str, payable_minor: int) -> tuple[str, int] | None:
        """A part that a wallet pays beside the credit line, for those who like it so."""
        if method != _CREDIT or self.till is None or not self.has_line or self.rng.random() >= a.MIXED:
            return None
        return "wechat_pay", max(1, payable_minor * self.rng.randint(20, 60) // 100)

    async def _refused(self, shown: Quote, wanted: Offer | None) -> Payment | None:
        """See the reasons: take a remedy, take another method, or leave."""
        rng = self.rng
        if wanted is not None and _asked_by_risk(wanted) and shown.order.order_id.bytes[13] < a.CONFIRMS:
            with suppress(Refusal):
                await prove.step_up(self.ctx, self.consumer_id, {"pay_password": self.pay_password})
            return await self._press(shown.intent_id, wanted.method, wanted.plan or "full", None)
        self.tally.add("refused")
        if wanted is not None:
            self.tally.refused_by.update({reason.code for reason in wanted.reasons})
        bare = False
        if wanted is not None:
            bare = await at_stake.arm(self.ctx, self.consumer_id) == "bare"
            await at_stake.note(self.ctx, "wanted", self.consumer_id, shown.intent_id, wanted.method, wanted.plan)
        elsewhere = wanted is None or outside.is_outside(wanted.method)
        if elsewhere and rng.random() < a.LEAVES_WITHOUT_METHOD:
            self.tally.add("left")
            return None
        codes = {reason.code for reason in wanted.reasons} if wanted is not None else set()
        ready = a.EASY.get(next(iter(codes), ""), a.RECOVERS) if len(codes) == 1 else a.RECOVERS
        if bare:
            ready = min(ready, a.RECOVERS_BARE)
        if not elsewhere and wanted is not None and rng.random() < ready:
            payment = await self._cure(shown, wanted)
            if payment is not None and payment.outcome == "succeeded":
                self.tally.add("recovered")
                return payment
        if not elsewhere and wanted is not None and not bare:
            await clerks.ask_people(self, shown, wanted)
        others = [offer for offer in shown.offers if offer.available and not outside.is_outside(offer.method)]
        if others and rng.random() < a.TAKES_ANOTHER:
            other = rng.choice(others)
            self.think(5, 60)
            return await self._press(shown.intent_id, other.method, other.plan or "full", shown.decision_id)
        self.tally.add("left")
        return None

    async def _cure(self, shown: Quote, wanted: Offer) -> Payment | None:
        """Carry out the first remedy that needs no waiting and nothing that this person can't type; then pay."""
        for place, one in enumerate(wanted.remedies[:2]):
            own = _own_top_up(one)
            if own is not None and self.till is not None and self.rng.random() >= a.MOVES_BY_CARD:
                await money.receive(self.ctx, self.consumer_id, self.id(), own.amount_minor)
                return await self._press(shown.intent_id, wanted.method, one.plan or wanted.plan or "full", None)
            if self.till is not None and any(isinstance(step, action.TopUp) for step in one.actions):
                async with self.till.turn():
                    done = await self._carry_out(remedy.remedy_id(shown.decision_id, wanted, place))
            else:
                done = await self._carry_out(remedy.remedy_id(shown.decision_id, wanted, place))
            if done is not None:
                return await self._press(done.intent_id, done.method, done.plan or "full", None, done.part_by)
        return None

    async def _carry_out(self, remedy_id: str) -> remedy.Outcome | None:
        """A remedy, with the pay password where it asks for that; None where it wants more, or is refused."""
        given: dict[str, str] = {}
        try:
            for _ in range(_INPUTS_AT_MOST):
                done = await remedy.apply(self.ctx, self.consumer_id, remedy_id, given, self.device)
                if done.done:
                    return done
                if done.needed is None or done.needed.names != ("pay_password",):
                    return None
                given = {"pay_password": self.pay_password}
        except Refusal as no:
            self.tally.add(f"remedy refused: {no.code}")
        return None

    async def _press(
        self, intent_id: UUID, method: str, plan: str, decision_id: UUID | None, part_by: tuple[str, int] | None = None
    ) -> Payment | None:
        """Press the button; what a channel outside has a part in is brought to its end there."""
        asked = f"{intent_id}/{method}/{plan}/{part_by}".encode()
        request = PayRequest(
            self.consumer_id, self.id(), intent_id, method, plan, hashlib.sha256(asked).digest(), decision_id, part_by,
            client=self.client, device=self.device,
        )  # fmt: skip
        if self.till is not None and outside.is_outside(method, part_by):
            return await outside.press(self, request)
        return await self.pay(request)

    async def pay(self, request: PayRequest) -> Payment | None:
        """One payment, as far as the house itself gets with it."""
        try:
            payment = await pay.pay(self.ctx, request)
        except Refusal as no:
            self.tally.add(f"payment refused: {no.code}")
            return None
        self.note(payment)
        return payment

    def note(self, payment: Payment) -> None:
        """Count a payment that has succeeded, and remember when its loan is due."""
        if payment.outcome != "succeeded":
            return
        self.tally.add("paid")
        methods = "+".join(tender.method for tender in payment.tenders)
        self.tally.paid_by[f"{methods} {payment.plan}"] += 1
        if payment.loan_id is not None:
            first = _month_after(business_date(payment.paid_at))
            self.next_due_on = first if self.next_due_on is None else min(first, self.next_due_on)

    async def _return(self, placed: Placed, went_outside: bool) -> None:
        """Send something back, all of it or half."""
        part = None if self.rng.random() < 0.5 else max(1, placed.order.payable_minor // 2)
        self.think(3_600, 4 * 3_600)
        try:
            if went_outside:
                await outside.send_back(self, placed.order.order_id, part)
                return
            by = self.ctx.by_system("demo", "the goods came back")
            await refund.refund(self.ctx, self.consumer_id, self.id(), placed.order.order_id, part, by)
            self.tally.add("refunded")
        except Refusal as no:
            self.tally.add(f"refund refused: {no.code}")


def _own_top_up(one: Remedy) -> action.TopUp | None:
    """The top-up that a remedy consists of, where it is nothing else."""
    [first, *more] = one.actions
    return first if isinstance(first, action.TopUp) and not more else None


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


def _device(placed: Placed) -> Device:
    """The usual device, or now and then one that is new here; drawn from the order's id, which is the person's own."""
    order_id = placed.order.order_id
    return Device(f"borrowed for {order_id}") if order_id.bytes[12] < a.BORROWED_DEVICE else USUAL


def _asked_by_risk(offer: Offer) -> bool:
    """Whether risk alone stands in the way, so that confirming is worth a try."""
    return bool(offer.reasons) and all(reason.meta.group == "E" for reason in offer.reasons)
