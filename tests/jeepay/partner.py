"""A partner's shop as tests use it: its client, its own server, and the wallet on the buyer's side."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

import httpx
from fastapi import FastAPI
from tests.charging.mall import Mall
from tests.jeepay.client import JeepayClient, md5_sign
from tests.webhooks.receiver import Receiver

from fenqi import jeepay
from fenqi.attempt import Attempt
from fenqi.channels.http import Http
from fenqi.flows import jeepay_notify
from fenqi.jeepay import App, PayOrder


@dataclass
class Partner:
    run: Any
    mall: Mall
    web: FastAPI
    http: httpx.AsyncClient
    merchant_id: UUID
    app: App
    secret: str
    server: Receiver
    _numbers: int = 0
    _told: Http = field(default_factory=lambda: Http(5.0))

    @property
    def client(self) -> JeepayClient:
        return JeepayClient(self.http, self.mch_no, self.app.number, self.secret)

    @property
    def mch_no(self) -> str:
        return self.mall.ctx.reference.newest.sellers[self.merchant_id].merchant.number

    def number(self) -> str:
        """A new order number of the shop's own."""
        self._numbers += 1
        return f"mho{self._numbers:06}"

    async def order(self, **fields: Any) -> dict[str, Any]:
        """A unified order that was taken: its data."""
        answer = await self.client.unified_order(**{"mchOrderNo": self.number(), "amount": 68_000} | fields)
        assert answer["code"] == 0, answer
        return answer["data"]

    async def found(self, mch_order_no: str) -> PayOrder:
        """The pay order as it is kept."""
        async with self.mall.ctx.database.snapshot() as tx:
            pay_order_id = jeepay.pay_order_id_of(self.merchant_id, mch_order_no)
            return await jeepay.get_order(tx, self.merchant_id, pay_order_id)

    async def tries(self, mch_order_no: str) -> list[Attempt]:
        """Its attempts at channels."""
        found = await self.found(mch_order_no)
        assert found.consumer_id is not None
        return await self.mall.attempts(found.consumer_id, found.order_id)

    async def pay(self, made: dict[str, Any], channel: str) -> None:
        """The buyer pays at the wallet, and the channel's notice comes."""
        [begun] = await self.tries(made["mchOrderNo"])
        if channel == "alipay" and begun.way in ("page", "wap"):
            await self.mall.open_page(begun)
        self.mall.pay_at_wallet(channel, begun.attempt_no)
        await self.mall.listen(begun.attempt_no)

    async def tell(self) -> int:
        """The relay and the messenger make one round each; how many notices were sent."""
        assert await self.mall.faults() == []
        return await jeepay_notify.deliver_due(self.mall.ctx, self._told)

    def heard(self, place: int = -1) -> dict[str, str]:
        """A notice that the shop's server got: its fields, the signature checked."""
        got = self.server.got[place]
        assert got.method == "POST" and got.headers["content-type"] == "application/x-www-form-urlencoded"
        fields = dict(parse_qsl(got.body.decode(), strict_parsing=True))
        return fields

    def is_signed(self, fields: dict[str, str], *apart: str) -> bool:
        """Whether a notice is signed; the address's own query (`apart`) is not."""
        return fields["sign"] == md5_sign({k: v for k, v in fields.items() if k not in apart}, self.secret)
