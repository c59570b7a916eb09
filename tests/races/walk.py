"""A random walk of one buyer over the gateways: presses, payments, notices, faults, time, closings, refunds.

Every choice comes from one seeded source, so that a walk that fails can be walked again.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any
from uuid import UUID

from tests.races.served import Served, held

from fenqi import attempt
from fenqi.attempt import Attempt
from fenqi.channels.gateway.control import ControlError
from fenqi.flows import expire, give_back, hear, janitor, refund, shop
from fenqi.flows.shop import Placed
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal

WAYS: tuple[tuple[str, str, str | None, str], ...] = (
    *[("alipay", "full", None, "web")] * 4,
    *[("alipay", "full", None, "wap")] * 2,
    *[("wechat_pay", "full", None, "web")] * 4,
    ("bank_card", "full", None, "app"),
    ("bank_card", "full", None, "web"),
    ("credit", "pay_later", None, "web"),
    *[("credit", "pay_later", "wechat_pay", "web")] * 3,
    *[("credit", "instalment_3", "alipay", "web")] * 3,
    ("credit", "pay_later", "bank_card", "app"),
    ("money_account", "full", "wechat_pay", "web"),
    ("money_account", "full", None, "web"),
)
CHANNELS = ("alipay", "wechat_pay", "bank_card")
FAULTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("timeout_before", "pay", {}),
    ("timeout_after", "pay", {}),
    ("garbled", "pay", {}),
    ("down", "pay", {}),
    ("down", "pay", {"mode": "drop"}),
    ("error", "pay", {"when": "before"}),
    ("error", "pay", {"when": "after"}),
    ("merchant_banned", "pay", {}),
    ("timeout_before", "query", {}),
    ("timeout_after", "query", {}),
    ("error", "query", {}),
    ("timeout_before", "close", {}),
    ("timeout_after", "close", {}),
    ("error", "close", {"when": "after"}),
    ("close_says_paid", "close", {}),
    ("timeout_before", "refund", {}),
    ("timeout_after", "refund", {}),
    ("garbled", "refund", {}),
    ("error", "refund", {"when": "after"}),
    ("error", "refund", {"when": "before"}),
    ("refund_fails_later", "refund", {"seconds": "30"}),
    ("timeout_before", "query_refund", {}),
    ("no_notice", "notice.*", {}),
    ("late_notice", "notice.*", {"seconds": "2400"}),
    ("duplicate_notice", "notice.*", {"copies": "3"}),
    ("forged_notice", "notice.payment", {}),
    ("out_of_order_notice", "notice.payment", {"seconds": "4000"}),
)


class Walk:
    """One buyer, one order after another; `steps` says what was done, for whoever has to find out."""

    def __init__(self, mall: Served, buyer: UUID, seed: int) -> None:
        self.mall, self.buyer, self.seed = mall, buyer, seed
        self.chance = random.Random(seed)
        self.orders: list[Placed] = []
        self.keys: list[tuple[Placed, UUID, tuple[Any, ...]]] = []
        self.steps: list[str] = []

    async def goes(self, length: int) -> None:
        """So many random steps."""
        await self._order()
        verbs = (
            (self._press, 6), (self._troubled_press, 6), (self._press_again, 2), (self._visit, 9), (self._time, 5),
            (self._fault, 4), (self._hear, 3), (self._ask, 2), (self._close, 2), (self._refund, 2),
            (self._troubled_refund, 3), (self._order, 1), (self._at_once, 3), (self._give_back, 2),
        )  # fmt: skip
        weights = [weight for _, weight in verbs]
        for _ in range(length):
            [(verb, _)] = self.chance.choices(verbs, weights)
            self.steps.append(verb.__name__)
            await verb()

    def _say(self, what: object) -> None:
        self.steps[-1] += f" {what}"

    def _any_order(self) -> Placed:
        return self.chance.choice(self.orders[-2:])

    async def _order(self) -> None:
        self.orders.append(await self.mall.bought(self.buyer, "small_appliance", self.chance.choice([40_000, 90_000])))

    async def _open_order(self) -> Placed:
        """An order that awaits payment, most of the time."""
        for placed in reversed(self.orders):
            state = await self.mall.state_of(self.buyer, placed.order.order_id)
            if state == "awaiting_payment" or self.chance.random() < 0.05:
                return placed
        await self._order()
        return self.orders[-1]

    async def _troubled_press(self) -> None:
        """A press that meets a fault of its channel."""
        way = self.chance.choice(WAYS)
        channel = way[2] or way[0]
        if channel in CHANNELS:
            name, operation, params = self.chance.choice(FAULTS)
            self._say((channel, name, operation))
            self.mall.fault(channel, name, operation, **params)
        await self._press(way)

    async def _press(self, way: tuple[str, str, str | None, str] | None = None) -> None:
        method, plan, other, client = way or self.chance.choice(WAYS)
        placed = await self._open_order()
        part = None if other is None else (other, self.chance.randint(100, placed.order.payable_minor - 100))
        self.keys.append((placed, new_id(), (method, plan, part, client)))
        await self._pressed(self.keys[-1])

    async def _press_again(self) -> None:
        if self.keys:
            await self._pressed(self.chance.choice(self.keys))

    async def _pressed(self, pressed: tuple[Placed, UUID, tuple[Any, ...]]) -> None:
        placed, key, (method, plan, part, client) = pressed
        self._say((method, plan, part, client))
        try:
            answer = await self.mall.press(self.buyer, placed, method, plan, key=key, part_by=part, client=client)
        except Refusal as no:
            self._say(no.code)
        else:
            self._say((answer.outcome, [reason.code for reason in answer.reasons]))

    async def _tries(self) -> list[Attempt]:
        return [each for placed in self.orders for each in await self.mall.attempts(self.buyer, placed.order.order_id)]

    async def _visit(self) -> None:
        """The buyer goes to a channel's page, of any press that led there, and pays, is refused, or leaves."""
        tries = [each for each in await self._tries() if each.handover is not None]
        if not tries:
            return
        begun = self.chance.choice(tries[-3:])
        if begun.way in ("page", "wap"):
            await self.mall.opens(begun)
        seen = self.mall.control.find(begun.channel, begun.attempt_no)
        if seen is None or self.chance.random() < 0.15:
            return
        try:
            self.mall.control.pay(seen.trade.trade_no)
            self._say((begun.channel, "paid", begun.state))
        except ControlError as no:
            self._say(no)

    async def _time(self) -> None:
        seconds = self.chance.choice([1, 1, 5, 5, 20, 40, 40, 60, 300, 1_000, 2_000, 90_000])
        self._say(seconds)
        self.mall.control.steer(at=self.mall.clock.now() + self.mall.later_by(seconds))
        for verb in self.chance.sample([janitor.tick, expire.tick, hear.drain], self.chance.randint(0, 3)):
            await verb(self.mall.ctx)

    async def _fault(self) -> None:
        name, operation, params = self.chance.choice(FAULTS)
        channel, times = self.chance.choice(CHANNELS), self.chance.choice([1, 1, 2, 3])
        self._say((channel, name, operation, times))
        self.mall.fault(channel, name, operation, times, **params)

    async def _hear(self) -> None:
        await hear.drain(self.mall.ctx)

    async def _ask(self) -> None:
        await janitor.tick(self.mall.ctx)

    async def _close(self) -> None:
        try:
            await shop.close_order(self.mall.ctx, self.buyer, self._any_order().order.order_id)
        except Refusal as no:
            self._say(no.code)

    async def _troubled_refund(self) -> None:
        """A refund that meets a fault at whatever channel it goes through."""
        name, operation, params = self.chance.choice([each for each in FAULTS if "refund" in each[1]])
        for channel in CHANNELS:
            self.mall.fault(channel, name, operation, **params)
        await self._refund()
        await self._give_back()

    async def _refund(self) -> None:
        """All or some of an order, a paid one if there is one."""
        states = [(placed, await self.mall.state_of(self.buyer, placed.order.order_id)) for placed in self.orders]
        placed = self.chance.choice([placed for placed, state in states if state == "paid"] or self.orders)
        amount = self.chance.choice([None, self.chance.randint(1, placed.order.payable_minor)])
        by = self.mall.ctx.by_consumer(self.buyer, "walked back")
        try:
            await refund.refund(self.mall.ctx, self.buyer, new_id(), placed.order.order_id, amount, by)
            self._say(amount)
        except Refusal as no:
            self._say(no.code)

    async def _give_back(self) -> None:
        for placed in self.orders[-2:]:
            for back in await self.mall.refunds(self.buyer, placed.order.order_id):
                await give_back.carry_out(self.mall.ctx, self.buyer, back.refund_id)

    async def _at_once(self) -> None:
        """Several of these at the same time."""
        verbs = self.chance.choices(
            [self._press, self._press_again, self._hear, self._ask, self._close, self._refund], k=3
        )
        await asyncio.gather(*(verb() for verb in verbs))

    async def comes_to_rest(self) -> None:
        """The faults are over, time passes, everything that is due is done."""
        self.mall.control.clear_faults()
        for seconds in (1, 60, 1_000, 2_000, 4_000, 90_000, 90_000):
            await self.mall.passes(seconds)

    async def reckoning(self) -> list[str]:
        """What of this buyer's money is not accounted for: one line for each thing, none when all is well."""
        found: list[str] = []
        for placed in self.orders:
            found += await self._of_order(placed)
        if await self.mall.reserved(self.buyer):
            found.append("something is still set aside")
        return found

    async def _of_order(self, placed: Placed) -> list[str]:
        bought = await self.mall.order_of(placed)
        tries = await self.mall.attempts(self.buyer, placed.order.order_id)
        backs = await self.mall.refunds(self.buyer, placed.order.order_id)
        found = [f"{each.attempt_no} is {each.state}" for each in tries if each.is_open]
        found += [f"refund {each.refund_no} is {each.state}" for each in backs if each.ask_at is not None]
        if bought.attempts_open:
            found.append(f"{bought.number} counts {bought.attempts_open} open attempts")
        if bought.state == "awaiting_payment":
            found.append(f"{bought.number} still awaits payment")
        applied = [each for each in tries if each.disposition == "applied"]
        if len(applied) > 1:
            found.append(f"{bought.number} was paid {len(applied)} times")
        if applied and bought.state != "paid":
            found.append(f"{bought.number} took money and is {bought.state}")
        for each in tries:
            found += self._of_attempt(each, [back for back in backs if back.attempt_id == each.attempt_id])
        return found

    def _of_attempt(self, begun: Attempt, backs: list[attempt.ChannelRefund]) -> list[str]:
        """The channel's money against ours: what it holds is applied and not refunded, or stands in an open difference
        (a refund that it won't carry out, or that went to the money account instead)."""
        seen = self.mall.control.find(begun.channel, begun.attempt_no)
        there = 0 if seen is None else held(seen)
        given = sum(back.amount_minor for back in backs if back.state == "succeeded")
        ours = 0 if begun.disposition is None else begun.paid_minor - given
        found = [] if ours == there else [f"{begun.attempt_no} ({begun.state}): {there} there, {ours} here"]
        if begun.disposition == "returned":
            owed = sum(back.amount_minor for back in backs if back.state in ("failed", "diverted"))
            if ours != owed:
                found.append(f"{begun.attempt_no} was returned, but {ours - owed} of it nobody answers for")
        return found
