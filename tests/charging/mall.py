"""A small world with channels: the tests' mall, a running gateway, a passage through each channel, and its notices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
from tests import world
from tests.channels.running import Running

from fenqi import attempt, order, passage
from fenqi.attempt import Attempt, ChannelRefund
from fenqi.cashier import Payment
from fenqi.channels.contract import Handover, Incoming
from fenqi.channels.gateway import shelf
from fenqi.channels.http import Http
from fenqi.customer import Keys
from fenqi.database.pool import Database
from fenqi.flows import hear, janitor, pay
from fenqi.flows.context import Context
from fenqi.flows.request import PayRequest
from fenqi.flows.shop import Placed
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.passage import Terms
from fenqi.settings import Settings

BY = By("system:test", "a test's mall", world.AT)


class Mall:
    """The mall and the channels' gateways, on one clock. `heard` keeps the notices that have come; nothing acts on them
    before `listen`."""

    def __init__(self, database: Database, data_dir: Path, timeout_s: float = 3.0) -> None:
        self.clock = SteeredClock(world.AT)
        self.gateway = Running(data_dir, clock=self.clock)
        self.notices = self.gateway.hear()
        url = self.notices.url.removesuffix("/hooks/here")
        self.ctx = Context(database, self.clock, Settings(demo=True, public_url=url), Keys(world.SECRET))
        self.ctx.http = Http(timeout_s=timeout_s, clock=self.clock)
        self.ctx.pay_queue = pay.open_queue(self.ctx)
        self.ctx.notice_queue = hear.open_queue(self.ctx)
        self.control = self.gateway.control
        self._acted = 0

    async def open(self) -> None:
        """Shops and goods, and two passages through each channel whose gateway runs: the second is the dearer."""
        await world.furnish(self.ctx)
        for side in shelf():
            for place, code in enumerate((side.channel, f"{side.channel}-spare")):
                await self.add_passage(side.channel, code.replace("_", "-"), 6_000 + 1_000 * place)

    async def add_passage(self, channel: str, code: str, cost_ppm: int) -> UUID:
        """One more passage through a channel, with an account of its own at the gateway."""
        enrolled = self.control.enrol(channel, code)
        passage_id = new_id()
        terms = Terms(enrolled.endpoint, cost_ppm)
        async with self.ctx.database.transaction() as tx:
            await passage.register(tx, passage_id, code, channel, terms, BY)
            await passage.rotate(tx, self.ctx.keys, passage_id, BY, enrolled.credentials)
        return passage_id

    def account(self, code: str) -> str:
        """The account at the gateway behind a passage."""
        return next(one.account_id for one in self.control.state().accounts if one.code == code)

    async def press(
        self, consumer_id: UUID, placed: Placed, method: str, plan: str = "full", *, key: UUID | None = None,
        part_by: tuple[str, int] | None = None, client: str = "web", body: bytes = b"body",
    ) -> Payment:  # fmt: skip
        """One press of the button."""
        request = PayRequest(
            consumer_id, key or new_id(), placed.intent_id, method, plan, body, None, part_by, client=client
        )
        return await pay.pay(self.ctx, request)

    async def attempts(self, consumer_id: UUID, order_id: UUID) -> list[Attempt]:
        """An order's attempts."""
        async with self.ctx.database.snapshot() as tx:
            return await attempt.of_order(tx, consumer_id, order_id)

    async def refunds(self, consumer_id: UUID, order_id: UUID) -> list[ChannelRefund]:
        """What channels give back for an order."""
        tries = await self.attempts(consumer_id, order_id)
        async with self.ctx.database.snapshot() as tx:
            return await attempt.refunds_of(tx, consumer_id, [each.attempt_id for each in tries])

    async def state_of(self, consumer_id: UUID, order_id: UUID) -> str:
        """The order's state."""
        async with self.ctx.database.snapshot() as tx:
            return str((await order.get(tx, consumer_id, order_id)).state)

    async def open_page(self, begun: Attempt) -> str:
        """The buyer follows the handover to the channel's page: its text."""
        assert begun.handover is not None, begun
        led = msgspec.json.decode(begun.handover, type=Handover)
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as browser:
            if led.kind == "form":
                got = await browser.post(led.url, data=dict(led.fields))
            else:
                got = await browser.get(led.url)
        assert got.status_code == 200, got.text
        return got.text

    def pay_at_wallet(self, channel: str, attempt_no: str) -> None:
        """The buyer pays on the channel's page."""
        seen = self.control.find(channel, attempt_no)
        assert seen is not None, "the channel knows the trade"
        self.control.pay(seen.trade.trade_no)

    async def listen(self, about: str, count: int = 1) -> list[int]:
        """Take in and act on notices as they come, until `count` spoke of this number; what those were answered."""
        answers: list[int] = []
        while len(answers) < count:
            [*_, incoming] = self.notices.wait(self._acted + 1)[: self._acted + 1]
            self._acted += 1
            before = await self._times(about)
            status = await self.tell(incoming)
            answers += [status] * (await self._times(about) - before)
        return answers

    async def _times(self, number: str) -> int:
        async with self.ctx.database.snapshot() as tx:
            return sum(each.times for each in await attempt.notices_of(tx, [number]))

    async def tell(self, incoming: Incoming) -> int:
        """Hand one notice in, as the door for channels does, and act on it."""
        reply = await hear.hear(self.ctx, incoming.path.rpartition("/")[2], incoming)
        await hear.drain(self.ctx)
        return reply.status

    async def later(self, seconds: float) -> None:
        """Time goes by, on both sides, and the janitor makes its rounds."""
        self.control.steer(at=self.clock.now() + timedelta(seconds=seconds))
        await janitor.settle(self.ctx)

    async def faults(self) -> Sequence[str]:
        """What the ledger finds wrong once every event has been handed on."""
        return await world.settle(self.ctx)

    async def close(self) -> None:
        """End it all."""
        assert self.ctx.pay_queue is not None and self.ctx.notice_queue is not None
        await self.ctx.pay_queue.close()
        await self.ctx.notice_queue.close()
        await self.ctx.http.close()
        self.gateway.stop()
