"""A process that counts: `python -m tests.risk.counter URL SUBJECT FIRST COUNT`, each event in its own transaction.

Every event is counted twice on purpose; of the second time nothing may show.
"""

from __future__ import annotations

import asyncio
import sys
from uuid import UUID

from fenqi import risk
from fenqi.database.pool import Database
from fenqi.risk import Beat


async def count(url: str, subject: UUID, first: int, count: int) -> None:
    """Count so many events at once, twice."""
    async with await Database.open(url) as database:

        async def one(number: int) -> None:
            async with database.transaction() as tx:
                await risk.count(tx, [Beat(subject, "press", UUID(int=number), number)])

        numbers = list(range(first, first + count))
        await asyncio.gather(*map(one, numbers), *map(one, numbers))


if __name__ == "__main__":
    asyncio.run(count(sys.argv[1], UUID(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
