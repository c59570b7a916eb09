"""The mall of the races: the real application on a socket, the gateways on another, and what both sides' books say.

No job runs by itself: a test says when the listener drains, when the janitor asks and when time passes.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import msgspec
import uvicorn
from msgspec.structs import replace
from tests import world
from tests.channels.running import Running
from tests.charging.mall import Mall

from fenqi import attempt, credit, customer, ledger, main, order, policy
from fenqi.attempt import Attempt, ChannelRefund
from fenqi.cashier import Payment
from fenqi.channels.contract import Handover, Incoming
from fenqi.channels.gateway import app as gateway_app
from fenqi.channels.gateway.control import TradeSeen
from fenqi.channels.http import Http
from fenqi.flows import charge, hear, janitor, refund
from fenqi.flows.reference import ReferenceCache
from fenqi.flows.shop import Placed
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock, business_date
from fenqi.kernel.ids import new_id
from fenqi.ledger import balances, chart
from fenqi.settings import Settings

PATIENCE_S = 20
AGES = timedelta(days=3)
SCENE = "mall"


def held(seen: TradeSeen) -> int:
    """What the channel holds of a trade, in fen: paid, less what has gone back or is going."""
    if seen.trade.state != "paid":
        return 0
    return seen.trade.amount_minor - sum(each.amount_minor for each in seen.refunds if each.state != "failed")


class Ticking(SteeredClock):
    """A clock that shows each who looks a millisecond more, so that what follows something is later than it."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at)
        self._one_at_a_time = threading.Lock()

    def now(self) -> datetime:
        with self._one_at_a_time:
            self.advance(timedelta(milliseconds=1))
            return super().now()


class Served(Mall):
    """The application under uvicorn, with its door for channels, on the tests' event loop."""

    def __init__(
        self, url: str, data_dir: Path, owner_url: str = "", clock: SteeredClock | None = None, public_url: str = ""
    ) -> None:
        self.owner_url = owner_url
        self.clock = clock or Ticking(world.AT)
        self.gateway = Running(data_dir, clock=self.clock)
        self.control = self.gateway.control
        self._listener: socket.socket = gateway_app.listen("127.0.0.1", 0)
        self.base_url = gateway_app.address(self._listener)
        settings = Settings(database_url=url, demo=True, secret=world.SECRET, public_url=public_url or self.base_url)
        self._app = main.create_app(settings, self.clock, with_jobs=False)

    async def open(self) -> None:
        """Both sides are up, the shops are furnished, the passages are open."""
        await self.start()
        await super().open()

    async def start(self) -> None:
        """The application answers."""
        config = uvicorn.Config(self._app, http="httptools", access_log=False, log_level="warning")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started:
            assert not self._serving.done(), "the application has not come up"
            await asyncio.sleep(0.01)
        self.ctx = self._app.state.context
        self.web = httpx.AsyncClient(base_url=self.base_url, trust_env=False, timeout=PATIENCE_S)

    async def close(self) -> None:
        await asyncio.to_thread(self.gateway.stop)
        await self.web.aclose()
        self._server.should_exit = True
        await self._serving

    # Buyers

    async def bought(self, consumer_id: UUID, category: str = "phone", most_minor: int = 600_000) -> Placed:
        """An order of one piece, placed and not paid."""
        wish = world.wish(self.ctx.reference.newest, category, SCENE, most_minor)
        return await world.buy(self.ctx, consumer_id, [wish], SCENE)

    async def paid_at(self, consumer_id: UUID, placed: Placed, method: str, **how: Any) -> Attempt:
        """Paid on the channel's page, or by the bound card, and heard of: the attempt."""
        pressed = await self.press(consumer_id, placed, method, **how)
        begun = (await self.attempts(consumer_id, placed.order.order_id))[-1]
        if pressed.outcome == "pending":
            await self.goes_and_pays(begun)
            await self.listen(begun.attempt_no)
        assert await self.state_of(consumer_id, placed.order.order_id) == "paid"
        return await self.get(begun)

    async def goes_and_pays(self, begun: Attempt) -> TradeSeen:
        """The buyer goes to the channel's page with what the press has given them, and pays."""
        if begun.way in ("page", "wap"):
            await self.open_page(begun)
        seen = self.trade(begun)
        paid: TradeSeen = self.control.pay(seen.trade.trade_no)
        return paid

    async def opens(self, begun: Attempt) -> int:
        """The buyer follows the handover; the status of the page that they see at the end, 0 when none comes."""
        led = msgspec.json.decode(begun.handover or b"", type=Handover)
        verb, data = ("POST", dict(led.fields)) if led.kind == "form" else ("GET", None)
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False) as browser:
            try:
                return (await browser.request(verb, led.url, data=data)).status_code
            except httpx.TransportError:
                return 0

    def token(self, consumer_id: UUID) -> str:
        """A session of the API."""
        return customer.issue_access_token(self.ctx.keys, consumer_id, self.ctx.now())

    async def api(self, verb: str, path: str, consumer_id: UUID, body: Any = None, key: str = "") -> httpx.Response:
        """A call of the API over its socket."""
        headers = {"authorization": f"Bearer {self.token(consumer_id)}", "accept-language": "en"}
        if key:
            headers["idempotency-key"] = key
        return await self.web.request(verb, path, json=body, headers=headers)

    # Channels

    def trade(self, begun: Attempt) -> TradeSeen:
        """The attempt's trade at its channel."""
        seen: TradeSeen | None = self.control.find(begun.channel, begun.attempt_no)
        assert seen is not None, f"{begun.channel} knows the trade"
        return seen

    def fault(
        self, begun_or_channel: Attempt | str, name: str, operation: str = "*", times: int = 1, **params: str
    ) -> None:
        """Set a fault of a channel; silence lasts no longer than it takes to notice."""
        channel = begun_or_channel if isinstance(begun_or_channel, str) else begun_or_channel.channel
        if name.startswith("timeout"):
            params.setdefault("seconds", "0")
        self.control.set_fault(channel, name, operation, times, **params)

    async def listen(self, about: str, count: int = 1) -> None:
        """Act on notices until `count` have come that speak of this number of ours, repeats counted."""
        await self.kept(about, count)
        while await hear.drain(self.ctx):
            pass

    async def kept(self, about: str, count: int = 1) -> None:
        """Wait until the door has taken in so many notices that speak of this number."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.ctx.news.clear()
                if await self._times(about) >= count:
                    return
                await self.ctx.news.wait()

    async def begun(self, placed: Placed) -> Attempt:
        """An order's first attempt, as soon as it is written down."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                tries = await self.attempts(placed.order.consumer_id, placed.order.order_id)
                if tries:
                    return tries[0]
                await asyncio.sleep(0)

    async def posted(self, incoming: Incoming) -> int:
        """A notice sent to the door by whoever has a copy of it; what it was answered with."""
        headers = {k: v for k, v in incoming.headers.items() if k not in ("host", "content-length", "connection")}
        answer = await self.web.post(incoming.path, content=incoming.body, headers=headers)
        return answer.status_code

    async def told(self, begun: Attempt) -> list[attempt.NoticeRow]:
        """The notices of an attempt as they are kept."""
        async with self.ctx.database.snapshot() as tx:
            return await attempt.notices_of(tx, [begun.attempt_no])

    async def refused(self, passage: str) -> attempt.NoticeRow:
        """The newest notice at a passage's door that was not believed, as soon as it has come."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                self.ctx.news.clear()
                async with self.ctx.database.snapshot() as tx:
                    found = await attempt.latest_notices(tx, 100, state="refused")
                here = [each for each in found if each.passage == passage]
                if here:
                    return here[0]
                await self.ctx.news.wait()

    @asynccontextmanager
    async def impatient(self, timeout_s: float) -> AsyncIterator[None]:
        """Calls to channels are given up after so long."""
        patient, self.ctx.http = self.ctx.http, Http(timeout_s=timeout_s, clock=self.clock)
        yield
        await self.ctx.http.close()
        self.ctx.http = patient

    # Time, and what both sides' books say

    async def passes(self, seconds: float) -> None:
        """Time goes by on both sides; notices that come are acted on, the janitor asks, orders lapse."""
        self.control.steer(at=self.clock.now() + timedelta(seconds=seconds))
        await self.settle()

    @staticmethod
    def later_by(seconds: float) -> timedelta:
        return timedelta(seconds=seconds)

    def forget(self) -> None:
        """What a process that has just come up has not read yet."""
        self.ctx.reference = ReferenceCache()

    async def settle(self) -> None:
        """Everything that is due now."""
        while await hear.drain(self.ctx):
            pass
        await janitor.settle(self.ctx)
        while await hear.drain(self.ctx):
            pass
        assert await self.faults() == []

    async def asked(self, begun: Attempt) -> Attempt:
        """The channel is asked what became of an attempt, now."""
        return await charge.ask(self.ctx, await self.get(begun), self.ctx.by_system("test", "asked"))

    async def gives_back(self, placed: Placed, amount_minor: int | None) -> ChannelRefund:
        """The seller refunds this much of a paid order (None: all of it): the part of the channel, agreed and owed."""
        by = self.ctx.by_consumer(placed.order.consumer_id, "changed their mind")
        key = new_id()
        await refund.refund(self.ctx, placed.order.consumer_id, key, placed.order.order_id, amount_minor, by)
        backs = await self.refunds(placed.order.consumer_id, placed.order.order_id)
        return next(each for each in backs if each.order_refund_id == key)

    async def ends(self, back: ChannelRefund) -> str:
        """Time passes until a refund is done: its state then."""
        for seconds in (0, 60, 1_300, 4_000):
            await self.passes(seconds)
            async with self.ctx.database.snapshot() as tx:
                back = await attempt.get_refund(tx, back.consumer_id, back.refund_id)
            if back.state in ("succeeded", "failed", "diverted"):
                break
        return str(back.state)

    async def get(self, begun: Attempt) -> Attempt:
        """The attempt as it stands now."""
        async with self.ctx.database.snapshot() as tx:
            return await attempt.get(tx, begun.consumer_id, begun.attempt_id)

    async def standing(self, pressed: Payment) -> str:
        """What the buyer is told of a press."""
        return (await charge.standing(self.ctx, pressed.consumer_id, pressed.payment_id)).outcome

    async def journals(self, consumer_id: UUID, order_id: UUID) -> list[str]:
        """The kinds of an order's journals, sorted."""
        async with self.ctx.database.snapshot() as tx:
            rows = await tx.execute(
                "SELECT kind FROM journal WHERE consumer_id = %s AND reference = %s ORDER BY kind",
                [consumer_id, order_id],
            )
            return [kind for (kind,) in await rows.fetchall()]

    async def owed_back(self, consumer_id: UUID) -> int:
        """What channels still have to give back to a buyer, in fen."""
        return -await self._sum(consumer_id, chart.REFUND_PAYABLE)

    async def money_of(self, consumer_id: UUID) -> int:
        """The money account's balance, in fen."""
        return -await self._sum(consumer_id, chart.MONEY_ACCOUNT)

    async def _sum(self, consumer_id: UUID, path: str) -> int:
        async with self.ctx.database.snapshot() as tx:
            rows = await tx.execute(
                "SELECT coalesce(sum(amount_minor), 0)::bigint FROM entry WHERE consumer_id = %s AND path = %s",
                [consumer_id, path],
            )
            [(found,)] = await rows.fetchall()
        return int(found)

    async def reserved(self, consumer_id: UUID) -> int:
        """What is set aside on the buyer's limits, in fen."""
        async with self.ctx.database.snapshot() as tx:
            rows = await tx.execute(
                "SELECT coalesce(sum(reserved_minor), 0)::bigint FROM limit_account WHERE consumer_id = %s",
                [consumer_id],
            )
            [(found,)] = await rows.fetchall()
        return int(found)

    async def limits(self, consumer_id: UUID) -> dict[str, int]:
        """The balances of the accounts that have a limit, by path."""
        async with self.ctx.database.snapshot() as tx:
            found = await ledger.limits.accounts_of(tx, consumer_id)
        return {path: each.balance_minor for path, each in found.items()}

    async def position(self, placed: Placed) -> credit.Position:
        """An order's loan as it stands today."""
        async with self.ctx.database.snapshot() as tx:
            found = await credit.positions(tx, placed.order.consumer_id, business_date(self.clock.now()))
        return next(each for each in found if each.loan.order_id == placed.order.order_id)

    async def party_sum(self, party_id: UUID, path: str) -> int:
        """The balance of a party's account, debits positive, once every event has been handed on."""
        await self.faults()
        async with self.ctx.database.snapshot() as tx:
            rows = await tx.execute(
                "SELECT coalesce(sum(amount_minor), 0)::bigint FROM party_entry WHERE party_id = %s AND path = %s",
                [party_id, path],
            )
            [(found,)] = await rows.fetchall()
        return int(found)

    def trade_money(self, begun: Attempt) -> int:
        """What the channel holds of an attempt, in fen: paid, less what was refunded."""
        seen = self.trade(begun)
        return held(seen)

    async def order_of(self, placed: Placed) -> order.Order:
        """The order as it stands."""
        async with self.ctx.database.snapshot() as tx:
            return await order.get(tx, placed.order.consumer_id, placed.order.order_id)

    async def refund_of(self, begun: Attempt) -> ChannelRefund:
        """The one refund of an attempt."""
        async with self.ctx.database.snapshot() as tx:
            [found] = await attempt.refunds_of(tx, begun.consumer_id, [begun.attempt_id])
        return found

    async def policy(self, **numbers: Any) -> None:
        """A new policy with these of its numbers changed, in force at once."""
        async with self.ctx.database.transaction() as tx:
            ref = await self.ctx.reference.current(tx, self.clock.now())
            before = await policy.in_force(tx, self.clock.now())
            document = replace(before.document, numbers=replace(before.document.numbers, **numbers))
            policy_id, codes = new_id(), policy.Known(ref.tree.codes)
            by, other = By("staff:maker", "a race", self.clock.now()), By("staff:checker", "a race", self.clock.now())
            await policy.draft(tx, policy_id, policy_id.hex[-12:], document, by)
            await policy.submit(tx, policy_id, 1, codes, by)
            await policy.publish(tx, policy_id, 1, self.clock.now(), codes, other)

    async def balanced(self) -> bool:
        """Whether each book's trial balance comes out."""
        await self.settle()
        async with self.ctx.database.snapshot() as tx:
            rows = await balances.trial_balance(tx, (self.clock.now() + AGES).date())
        return all(sum(row.balance_minor for row in rows if row.book == book) == 0 for book in chart.BOOKS)
