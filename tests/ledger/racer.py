"""A process that races: posts, repeats, reserves and releases on a few consumers, and says what was acknowledged.

`python -m tests.ledger.racer URL SEED SECONDS CONSUMER…`: one JSON object on the last line of its output.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from tests.ledger.cases import AT, DAY, GENERAL, MERCHANT, item

from fenqi.database.coalesce import Coalescer
from fenqi.database.pool import Database
from fenqi.kernel.ids import new_id
from fenqi.ledger import chart, holds
from fenqi.ledger.door import post_batch
from fenqi.ledger.model import Leg, Outcome, PostingItem, Verdict
from fenqi.ledger.postings.parts import Draw, Share
from fenqi.ledger.postings.purchase import purchase

LIMITS = (GENERAL, chart.loan_principal("temporary"))
CLIENTS = 24


class Racer:
    """One process's clients, all paying one merchant."""

    def __init__(self, database: Database, consumers: Sequence[UUID], seed: int) -> None:
        self.database, self.consumers, self.dice = database, consumers, random.Random(seed)
        self.door: Coalescer[PostingItem, Verdict] = Coalescer(self._post, writers=2, max_batch=64)
        self.acknowledged: dict[str, str] = {}
        self.retried = 0

    async def _post(self, items: list[PostingItem]) -> list[Verdict]:
        async with self.database.transaction() as tx:
            return await post_batch(tx, items)

    def _item(self) -> PostingItem:
        """A purchase on one or two limits and money, or a part of it back; ids are shared among racers now and then."""
        consumer = self.dice.choice(self.consumers)
        draws = [Draw(path, self.dice.randrange(1, 60)) for path in self.dice.sample(LIMITS, self.dice.choice((1, 2)))]
        money = self.dice.choice((0, 0, self.dice.randrange(1, 20)))
        total = sum(draw.amount_minor for draw in draws) + money
        entries = purchase([Share(MERCHANT, total)], draws, money)
        if self.dice.random() < 0.3:
            entries = purchase([Share(MERCHANT, -total)], [Draw(d.path, -d.amount_minor) for d in draws], -money)
        shared = UUID(int=(consumer.int & ~0xFFFFFF) | self.dice.randrange(200)) if self.dice.random() < 0.2 else None
        return item(consumer, entries, journal_id=shared or new_id())

    async def pay(self) -> None:
        """Post one item until it is answered, whatever happens to the server in between."""
        one = self._item()
        while True:
            try:
                verdict = await self.door.submit(one)
            except psycopg.OperationalError:
                self.retried += 1
                await asyncio.sleep(0.05)
                continue
            if verdict.outcome is not Outcome.KEY_CONFLICT:
                self.acknowledged[str(one.journal_id)] = verdict.outcome.value
            return

    async def hold(self) -> None:
        """Reserve, then commit or release, perhaps twice at once."""
        consumer, amount_minor = self.dice.choice(self.consumers), self.dice.randrange(1, 60)
        hold = holds.Hold(new_id(), consumer, (Leg(GENERAL, amount_minor),), DAY, AT)
        held = await self._verb(holds.reserve, hold)
        if held.outcome is not Outcome.HELD:
            return
        if self.dice.random() < 0.5:
            entries = purchase([Share(MERCHANT, amount_minor)], [Draw(GENERAL, amount_minor)])
            one = item(consumer, entries, legs=())
            await asyncio.gather(*[self._verb(holds.commit, hold.hold_id, one) for _ in range(2)])
        else:
            await asyncio.gather(*[self._verb(holds.release, consumer, hold.hold_id, AT) for _ in range(2)])

    async def _verb(self, verb: Any, *arguments: Any) -> Any:
        """One verb in its transaction, again and again until the server has answered."""
        while True:
            try:
                async with self.database.transaction() as tx:
                    return await verb(tx, *arguments)
            except psycopg.OperationalError:
                self.retried += 1
                await asyncio.sleep(0.05)

    async def client(self, until: float) -> None:
        while time.monotonic() < until or len(self.acknowledged) < LEAST:
            await (self.hold() if self.dice.random() < 0.1 else self.pay())


LEAST = 300
"""How many answers a racer goes on for, however slow the machine: a race that nobody runs proves nothing."""


async def main(url: str, seed: int, seconds: float, consumers: list[UUID]) -> None:
    async with await Database.open(url, max_size=8) as database:
        racer = Racer(database, consumers, seed)
        until = time.monotonic() + seconds
        await asyncio.gather(*[racer.client(until) for _ in range(CLIENTS)])
        await racer.door.close()
    print(json.dumps({"acknowledged": racer.acknowledged, "retried": racer.retried}))


if __name__ == "__main__":
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    url, seed, seconds, *consumers = sys.argv[1:]
    asyncio.run(main(url, int(seed), float(seconds), [UUID(consumer) for consumer in consumers]))
