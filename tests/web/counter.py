"""A mall with running gateways, staff, and payments in the states that the console shows: for its tests and walks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests import world
from tests.charging.mall import Mall
from tests.webhooks.receiver import Receiver

from fenqi import passage, staff
from fenqi.attempt import Attempt, ChannelRefund
from fenqi.channels.contract import Charge
from fenqi.channels.shelf import channel
from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.flows import events, passages, refund, webhook
from fenqi.flows.shop import Placed
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.staff import Role

PASSWORD = "a staff password"
BY = By("system:test", "a test's counter", world.AT)
SCENE = "mall"
FROZEN = "REASON_TRADE_BEEN_FREEZEN"


class Counter:
    """The mall and its buyers; `placed` and `tries` are kept by the name of what was bought."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self.mall = Mall(database, data_dir, timeout_s=1.0)
        gateway, settings = self.mall.gateway, self.mall.ctx.settings
        self.ctx = self.mall.ctx
        self.ctx.settings = replace(
            settings, secret=world.SECRET, gateway_url=gateway.base_url, gateway_token=gateway.token
        )
        self.receiver = Receiver()
        self.buyers: list[UUID] = []
        self.placed: dict[str, Placed] = {}
        self.tries: dict[str, Attempt] = {}

    async def open(self) -> None:
        """Shops, passages, one member of staff a role, and buyers."""
        await self.mall.open()
        async with self.ctx.database.transaction() as tx:
            for role in Role:
                await staff.hire(tx, new_id(), str(role), f"The {role}", PASSWORD, [role], BY)
        self.buyers = await world.people(self.ctx, 4)
        await world.give_line(self.ctx, self.buyers[0])
        await world.step_up(self.ctx, self.buyers[0])
        await self.receiver.start()

    async def close(self) -> None:
        """End it all."""
        await self.receiver.stop()
        await self.mall.close()

    async def merchant_id(self) -> UUID:
        """Who sells what is bought here."""
        return (await self._wish()).merchant_id

    async def _wish(self) -> Any:
        async with self.ctx.database.snapshot() as tx:
            ref = await self.ctx.reference.current(tx, self.ctx.now())
        return world.wish(ref, "phone", SCENE, 600_000)

    async def buy(self, name: str, method: str, buyer: int = 1, **press: Any) -> Attempt:
        """An order and one press of the button: the last attempt of it."""
        consumer_id = self.buyers[buyer]
        placed = await world.buy(self.ctx, consumer_id, [await self._wish()], SCENE)
        self.placed[name] = placed
        await self.mall.press(consumer_id, placed, method, **press)
        self.tries[name] = (await self.mall.attempts(consumer_id, placed.order.order_id))[-1]
        return self.tries[name]

    async def pay(self, name: str, method: str, buyer: int = 1, **press: Any) -> Attempt:
        """The same, paid at the channel, and its notice acted on."""
        begun = await self.buy(name, method, buyer, **press)
        await self.mall.open_page(begun)
        self.mall.pay_at_wallet(begun.channel, begun.attempt_no)
        await self.mall.listen(begun.attempt_no)
        return begun

    async def give_back(self, name: str, amount_minor: int, why: str) -> ChannelRefund:
        """A refund of a part, agreed and asked for at the channel."""
        begun = self.tries[name]
        assert begun.order_id is not None
        by = self.ctx.by_consumer(begun.consumer_id, why)
        await refund.refund(self.ctx, begun.consumer_id, new_id(), begun.order_id, amount_minor, by)
        await self.mall.later(1)
        return (await self.mall.refunds(begun.consumer_id, begun.order_id))[-1]

    async def stuck(self, name: str) -> ChannelRefund:
        """Paid by Alipay, and a refund that Alipay refuses because the trade is frozen there."""
        await self.pay(name, "alipay")
        self.mall.control.set_fault(
            "alipay", "error", "refund", code="40004", sub_code=f"ACQ.{FROZEN}", message="交易被冻结"
        )
        back = await self.give_back(name, 10_000, "the screen was scratched")
        assert back.state == "failed", back
        return back

    async def unknown(self, name: str) -> Attempt:
        """WeChat Pay takes the order and never answers."""
        self.mall.control.set_fault("wechat_pay", "timeout_after", "pay")
        begun = await self.buy(name, "wechat_pay")
        assert begun.state == "unknown", begun
        return begun

    async def park(self) -> str:
        """A notice of a trade that another system made with our account: its number."""
        number = new_id().hex
        async with self.ctx.database.snapshot() as tx:
            await self.ctx.reference.current(tx, self.ctx.now())
        way = await passages.by_code(self.ctx, "alipay")
        now = self.ctx.now()
        asked = Charge(
            number, 9_900, "another system's", "qr", now, now + timedelta(minutes=15),
            passages.notify_url(self.ctx, "alipay"), self.ctx.settings.base_url,
        )  # fmt: skip
        await channel("alipay").pay(self.ctx.http, way, asked)
        self.mall.pay_at_wallet("alipay", number)
        await self.mall.listen(number)
        return number

    async def forge(self, begun: Attempt) -> None:
        """Somebody tells of a payment, once its page is open, with a signature that isn't the channel's."""
        await self.mall.open_page(begun)
        seen = self.mall.control.find(begun.channel, begun.attempt_no)
        assert seen is not None
        already = len(self.mall.notices.got)
        self.mall.control.tell(seen.trade.trade_no, is_forged=True, as_paid=True)
        [*_, incoming] = self.mall.notices.wait(already + 1)
        await self.mall.tell(incoming)

    async def tell_merchant(self) -> UUID:
        """The seller registers a webhook; its id."""
        by = BY._replace(at=self.ctx.now())
        made, _ = await webhook.register(self.ctx, await self.merchant_id(), self.receiver.url(), [], by)
        return made.endpoint_id

    async def relay(self) -> None:
        """Hand every event on, and deliver what is due."""
        await outbox.drain(self.ctx.database, events.handlers(self.ctx), self.ctx.now())
        while await webhook.deliver_due(self.ctx, self.ctx.http):
            pass

    async def passage(self, code: str) -> passage.Passage:
        """A passage as it stands."""
        async with self.ctx.database.snapshot() as tx:
            return await passage.by_code(tx, code)
