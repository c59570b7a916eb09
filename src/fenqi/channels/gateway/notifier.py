"""Sends what is due: the tries of notices by the channel's ladder, and the ends of refunds that take their time.

One task that sleeps until something is due or an event wakes it; each notice is sent by a task of its own.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import msgspec

from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.notice import Post, Try
from fenqi.channels.gateway.side import Outgoing
from fenqi.kernel.clock import epoch_ms

replace = msgspec.structs.replace
AT_ONCE = 64
"""Notices under way at the same time."""
_SHOWN = 2_000
"""Characters of a notice and of its answer that are kept with a try."""
_LEAST_S = 0.02
_log = logging.getLogger(__name__)


class Notifier:
    """The house's clerk. `run` never ends; cancel it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._queue = house.queue
        self._sending: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Do what is due, sleep, and again."""
        try:
            while True:
                self._house.end_refunds()
                for post in self._queue.due(AT_ONCE - len(self._sending), set(self._sending)):
                    self._sending[post.notice_id] = asyncio.create_task(self._send(post))
                await self._queue.sleep(self._seconds_to_next())
        finally:
            for task in self._sending.values():
                task.cancel()
            await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def _seconds_to_next(self) -> float | None:
        """Until the next thing is due, by the house's clock; None: nothing is, or no hand is free."""
        dues = [self._house.book.next_refund_due_ms()]
        if len(self._sending) < AT_ONCE:
            dues.append(self._queue.next_due_ms(set(self._sending)))
        left = [due - epoch_ms(self._house.clock.now()) for due in dues if due is not None]
        return max(min(left) / 1_000, _LEAST_S) if left else None

    async def _send(self, post: Post) -> None:
        try:
            outgoing = self._written(post)
            if outgoing is None or not outgoing.url:
                self._queue.put(replace(post, state="nothing"), None)
                return
            tried = await self._tried(post, outgoing)
            self._queue.put(self._after(post, tried), tried)
        except Exception:  # noqa: BLE001 - the edge of a job: one notice's bug must not stop the others
            _log.exception("notice %s could not be sent", post.notice_no)
            self._queue.put(replace(post, state="given_up"), None)
        finally:
            del self._sending[post.notice_id]
            self._queue.wake()

    def _written(self, post: Post) -> Outgoing | None:
        side = self._house.sides[post.trade.channel]
        if post.refund is None:
            return side.payment_notice(self._house, post.account, post.trade, post.telling())
        return side.refund_notice(self._house, post.account, post.trade, post.refund, post.telling())

    async def _tried(self, post: Post, outgoing: Outgoing) -> Try:
        at = self._house.clock.now()
        answer = await self._house.send(outgoing.url, outgoing.headers, outgoing.body)
        status, body = answer if answer is not None else (None, b"")
        return Try(
            post.tries + 1, at, outgoing.url, _text(outgoing.body), status, _text(body),
            status is not None and self._house.sides[post.trade.channel].heard(status, body),
        )  # fmt: skip

    def _after(self, post: Post, tried: Try) -> Post:
        """The notice after a try: taken, at the end of its ladder, or due again. What is forged is tried once."""
        ladder_s = self._house.sides[post.trade.channel].ladder_s
        tries = post.tries + 1
        if tried.taken:
            return replace(post, state="taken", tries=tries)
        if post.is_forged or tries > len(ladder_s):
            return replace(post, state="given_up", tries=tries)
        wait = timedelta(seconds=ladder_s[tries - 1] / self._house.speed)
        return replace(post, state="due", tries=tries, due_at=self._house.clock.now() + wait)


def _text(raw: bytes) -> str:
    return raw[:_SHOWN].decode(errors="replace")
