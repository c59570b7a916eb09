"""A merchant with webhooks on a real database, and short words for what the tests do with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from tests import world
from tests.api.door import Door

from fenqi import merchant
from fenqi.channels.http import Http
from fenqi.flows import notify_merchant, webhook
from fenqi.flows.context import Context
from fenqi.flows.notify_merchant import PaymentData
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.merchant import Delivery, Endpoint, Event, EventType, MerchantKind, NewEvent, Scope, Try

BY = By("merchant:test", "a test", world.AT)


@dataclass
class Shop:
    """One merchant; `http` waits half a second for answers."""

    ctx: Context
    http: Http
    merchant_id: UUID

    @property
    def by(self) -> By:
        return BY._replace(at=self.ctx.now())

    def advance(self, **span: float) -> None:
        assert isinstance(self.ctx.clock, SteeredClock)
        self.ctx.clock.advance(timedelta(**span))

    async def register(self, url: str, topics: Sequence[str] = ()) -> tuple[Endpoint, str]:
        return await webhook.register(self.ctx, self.merchant_id, url, topics, self.by)

    async def close(self) -> None:
        """Take the endpoints away, so that nothing is left for the next test's deliveries."""
        async with self.ctx.database.transaction() as tx:
            for endpoint in await merchant.endpoints_of(tx, [self.merchant_id]):
                await merchant.remove_endpoint(tx, self.merchant_id, endpoint.endpoint_id, self.by)
        await self.http.close()

    async def endpoint(self, endpoint_id: UUID) -> Endpoint:
        async with self.ctx.database.snapshot() as tx:
            return await merchant.endpoint_of(tx, self.merchant_id, endpoint_id)

    async def tell(self, *payments: UUID, event_type: EventType = EventType.PAYMENT_SUCCEEDED) -> list[Event]:
        """An event of each of these payments (a new one where none is named), in one transaction."""
        new = [self.news(one, event_type) for one in payments or (new_id(),)]
        async with self.ctx.database.transaction() as tx:
            return await merchant.tell(tx, new)

    def news(self, payment_id: UUID, event_type: EventType) -> NewEvent:
        at = self.ctx.now()
        data = PaymentData(payment_id, payment_id, "ABCDEFGH23", 1_234, "CNY")
        raw = notify_merchant.body(event_type, at, data)
        return NewEvent(self.merchant_id, new_id(), event_type, payment_id, at, raw)

    async def deliver(self) -> int:
        """Pass after pass, until nothing is due; how many tries."""
        total = 0
        while tried := await webhook.deliver_due(self.ctx, self.http):
            total += tried
        return total

    async def story(self, event: Event) -> tuple[Delivery, list[Try]]:
        """An event's way to the only endpoint, and its tries."""
        async with self.ctx.database.snapshot() as tx:
            _, (delivery,), tries = await merchant.event_of(tx, self.merchant_id, event.event_id)
        return delivery, tries


async def open_shop(ctx: Context) -> Shop:
    """A new merchant."""
    merchant_id = new_id()
    by = BY._replace(at=ctx.now())
    async with ctx.database.transaction() as tx:
        await merchant.register(tx, merchant_id, MerchantKind.THIRD_PARTY, "澄屿", "Chengyu", by)
    return Shop(ctx, Http(timeout_s=0.5), merchant_id)


async def key_of(door: Door, merchant_id: UUID, *scopes: Scope) -> str:
    """A key of the merchant's, with these scopes; none named: every one."""
    by = By("system:test", "a key for the till", door.ctx.now())
    async with door.ctx.database.transaction() as tx:
        return await merchant.create_api_key(tx, merchant_id, "till", scopes or list(Scope), by)
