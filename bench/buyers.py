"""Buyers who pay through the mall at a channel: quote, press, the channel's wallet, and the wait until it is concluded.

Each has one connection to the mall and one to the gateway. That a payment is concluded is seen in the database, by one
look for all who wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

import msgspec

from bench.alipay import pay_at
from bench.crowd import Due
from bench.load import Line
from fenqi.database import packing
from fenqi.database.pool import Database
from fenqi.kernel.ids import bucket_of, new_id

METHOD, PLAN = "alipay", "full"
_LOOK_S = 0.01
_CONCLUDED = (
    "SELECT w.payment_id FROM unnest(%b::smallint[], %b::uuid[], %b::uuid[]) AS w (bucket, consumer_id, payment_id)"
    " JOIN payment p USING (bucket, consumer_id, payment_id) WHERE p.outcome = 'succeeded'"
)
Requests = tuple[Callable[[Due], bytes], Callable[[Due, UUID], bytes]]
"""How to ask for the offers of a checkout, and how to press, given the quote."""


class Spent(NamedTuple):
    """Seconds of one payment, by leg."""

    quote_s: float
    press_s: float
    wallet_s: float
    """At the gateway: opened and paid there."""
    concluded_s: float
    """From the gateway's answer to the buyer until the payment is booked."""

    @property
    def whole_s(self) -> float:
        return sum(self)


class Mall:
    """The mall as its buyers reach it, and the gateway behind it."""

    def __init__(self, database: Database, port: int, gateway_port: int, requests: Requests) -> None:
        self._database, self._ports = database, (port, gateway_port)
        self._offers, self._pay = requests
        self._waiting: dict[UUID, tuple[UUID, asyncio.Future[None]]] = {}
        self.paid: list[UUID] = []

    async def drive(self, dues: Sequence[Due], concurrency: int) -> tuple[list[Spent], float]:
        """Pay every order; what each took, and the seconds of the whole."""
        queue = iter(dues)
        lines = [(await Line.open(self._ports[0]), await Line.open(self._ports[1])) for _ in range(concurrency)]
        watch = asyncio.create_task(self._watch())
        started = time.perf_counter()
        buyers = asyncio.gather(*(self._buyer(*pair, queue) for pair in lines))
        await asyncio.wait((watch, buyers), return_when=asyncio.FIRST_COMPLETED)
        elapsed_s = time.perf_counter() - started
        if watch.done():
            watch.result()
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        for pair in lines:
            for line in pair:
                line.close()
        return [each for part in buyers.result() for each in part], elapsed_s

    async def _buyer(self, mall: Line, gateway: Line, queue: Iterator[Due]) -> list[Spent]:
        return [await self._buy(mall, gateway, due) for due in queue]

    async def _buy(self, mall: Line, gateway: Line, due: Due) -> Spent:
        at = [time.perf_counter()]
        status, _, body = await mall.ask(self._offers(due))
        assert status == 200, body[:600]
        at.append(time.perf_counter())
        status, _, body = await mall.ask(self._pay(due, _OFFERED.decode(body).decision_id))
        assert status == 202, body[:600]
        pressed = _PRESSED.decode(body)
        at.append(time.perf_counter())
        await pay_at(gateway, pressed.handover.url)
        at.append(time.perf_counter())
        await self._concluded(due.consumer_id, pressed.payment_id)
        at.append(time.perf_counter())
        self.paid.append(pressed.payment_id)
        return Spent(*(after - before for before, after in pairwise(at)))

    async def _concluded(self, consumer_id: UUID, payment_id: UUID) -> None:
        booked = asyncio.get_running_loop().create_future()
        self._waiting[payment_id] = (consumer_id, booked)
        await booked

    async def _watch(self) -> None:
        """Look every few milliseconds which of the payments waited for are booked."""
        while True:
            await asyncio.sleep(_LOOK_S)
            asked = [(consumer_id, payment_id) for payment_id, (consumer_id, _) in self._waiting.items()]
            if not asked:
                continue
            async with self._database.autocommit() as tx:
                rows = await tx.execute(
                    _CONCLUDED,
                    [
                        packing.pack_int2([bucket_of(one) for one, _ in asked]),
                        packing.pack_uuid([one for one, _ in asked]), packing.pack_uuid([one for _, one in asked]),
                    ],
                )  # fmt: skip
                for (payment_id,) in await rows.fetchall():
                    self._waiting.pop(payment_id)[1].set_result(None)


class _Offered(msgspec.Struct):
    decision_id: UUID


class _Handover(msgspec.Struct):
    url: str


class _Pressed(msgspec.Struct):
    payment_id: UUID
    handover: _Handover


_OFFERED = msgspec.json.Decoder(_Offered)
_PRESSED = msgspec.json.Decoder(_Pressed)


def press(due: Due, decision_id: UUID) -> tuple[dict[str, object], str]:
    """The body of a press, and its key."""
    body = {"checkout_id": due.intent_id, "method": METHOD, "plan": PLAN, "decision_id": decision_id}
    return body, str(new_id())
