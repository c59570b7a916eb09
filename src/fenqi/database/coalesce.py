"""The coalescing writer: concurrent requests queue, a few writers take them in batches, each gets its own answer.

There is no lingering: a lone item goes at once, and batches grow only because items wait while writers are busy.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from psycopg import errors

Item = TypeVar("Item")
Result = TypeVar("Result")

RETRIED = (errors.DeadlockDetected, errors.SerializationFailure, errors.UniqueViolation)


class Closed(Exception):
    """The coalescer takes no more items: the process is going down."""


class Overloaded(Exception):
    """More items wait than the limit allows; try again shortly."""


class Coalescer(Generic[Item, Result]):
    """Hands queued items to `handle_batch` in lists of 1 to `max_batch`, by up to `writers` at once.

    A further writer begins only when `further_from` items wait: a batch costs much the same for one item as for ten.

    `handle_batch` gives one result per item, in order, and runs one transaction: on a deadlock, a serialisation
    failure or a unique clash the whole batch runs again, at most `attempts` times. Any other exception goes to
    each waiter. A waiter who gives up doesn't take the item back: it is decided all the same.
    """

    def __init__(
        self,
        handle_batch: Callable[[list[Item]], Awaitable[Sequence[Result]]],
        *,
        writers: int = 2,
        further_from: int = 1,
        max_batch: int = 512,
        max_waiting: int = 20_000,
        attempts: int = 5,
    ) -> None:
        self._handle_batch = handle_batch
        self._writers = writers
        self._further_from = further_from
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._attempts = attempts
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._busy: set[asyncio.Task[None]] = set()
        self._closed = False

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """Queue the item; await what is returned for its result. Raises Closed or Overloaded at once."""
        if self._closed:
            raise Closed
        if len(self._waiting) >= self._max_waiting:
            raise Overloaded
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((item, future))
        if not self._busy or (len(self._busy) < self._writers and len(self._waiting) >= self._further_from):
            self._busy.add(loop.create_task(self._write()))
        return future

    async def close(self) -> None:
        """Take no more items and return when all queued ones are answered."""
        self._closed = True
        while self._busy:
            await asyncio.wait(self._busy)

    async def _write(self) -> None:
        """One writer: batch after batch until nothing waits."""
        try:
            while self._waiting:
                count = min(len(self._waiting), self._max_batch)
                batch = [self._waiting.popleft() for _ in range(count)]
                await self._answer(batch)
        finally:
            task = asyncio.current_task()
            assert task is not None
            self._busy.discard(task)

    async def _answer(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        outcome = await self._handled([item for item, _ in batch])
        if isinstance(outcome, BaseException):
            for _, future in batch:
                if not future.done():
                    future.set_exception(outcome)
            return
        for (_, future), result in zip(batch, outcome, strict=True):
            if not future.done():
                future.set_result(result)

    async def _handled(self, items: list[Item]) -> Sequence[Result] | BaseException:
        """The batch's results, or the exception that stands after the retries."""
        for attempt in range(1, self._attempts + 1):
            (outcome,) = await asyncio.gather(self._handle_batch(items), return_exceptions=True)
            if not isinstance(outcome, RETRIED) or attempt == self._attempts:
                break
            await asyncio.sleep(0.001 * attempt)
        if not isinstance(outcome, BaseException) and len(outcome) != len(items):
            return AssertionError(f"{len(outcome)} results for {len(items)} items")
        return outcome
