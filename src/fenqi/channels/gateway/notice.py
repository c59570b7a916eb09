"""Notices on their way out: what is to be told, when the next try is due, and what each try was answered.

Kept in the book, so that a gateway that was stopped goes on; `Queue` only keeps, the notifier sends.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.fault import Fault
from fenqi.channels.gateway.side import Account, Refund, Telling, Trade
from fenqi.kernel.clock import Clock, epoch_ms

replace = msgspec.structs.replace
NoticeState = Literal["due", "held", "taken", "given_up", "withheld", "nothing"]
"""due: a try is to come; held: until the trade's next notice; taken: the receiver said so; given_up: the ladder is at
its end; withheld: by the fault no_notice; nothing: the channel has no such notice, or no address was given."""


class Post(msgspec.Struct, frozen=True):
    """A notice: of what, with the account's keys, the trade and the refund as they were when it was made."""

    kind: Literal["payment", "refund"]
    account: Account
    trade: Trade
    refund: Refund | None = None
    is_forged: bool = False
    amount_minor: int | None = None
    notice_no: str = ""
    made_at: datetime | None = None
    flavour: str = ""
    """The fault that made it what it is."""
    state: NoticeState = "due"
    due_at: datetime | None = None
    tries: int = 0
    notice_id: int = 0

    def telling(self) -> Telling:
        """What the side is told of the try that comes now."""
        assert self.made_at is not None
        return Telling(self.notice_no, self.made_at, self.tries + 1, self.is_forged, self.amount_minor)


class Try(msgspec.Struct, frozen=True):
    """One try: what was sent where, and what came back. `status` None: no answer."""

    try_no: int
    at: datetime
    url: str
    sent: str
    status: int | None = None
    answer: str = ""
    taken: bool = False


class Queue:
    """The notices of the book, and the event that wakes whoever sends them."""

    def __init__(self, book: Book, clock: Clock) -> None:
        self._book = book
        self._clock = clock
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Something may be due now. From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def sleep(self, seconds: float | None) -> None:
        """Until woken, or for so long at most."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                await self._woken.wait()
        except TimeoutError:
            return
        finally:
            self._woken.clear()

    def add(self, post: Post, after_s: float = 0) -> Post:
        """Keep a notice; its first try is due after so many seconds."""
        now = self._clock.now()
        post = replace(
            post, notice_no=post.notice_no or secrets.token_hex(16), made_at=post.made_at or now,
            due_at=now + timedelta(seconds=after_s),
        )  # fmt: skip
        sql = "INSERT INTO notice (trade_no, state, due_ms, doc) VALUES (?, ?, ?, ?) RETURNING notice_id"
        row = self._book.rows(sql, post.trade.trade_no, post.state, _due_ms(post), msgspec.json.encode(post))[0]
        self.wake()
        return replace(post, notice_id=row[0])

    def add_with_faults(self, post: Post, fault: Callable[[str], Fault | None]) -> None:
        """Keep a notice the way the faults want it; `fault(name)` takes one that fits."""
        if fault("no_notice"):
            self.add(replace(post, state="withheld", flavour="no_notice"))
            return
        if forged := fault("forged_notice"):
            self.add(replace(post, is_forged=True, flavour="forged_notice"))
            if forged.number("only", 0):
                return
        if wrong := fault("wrong_amount_notice"):
            true_minor = post.refund.amount_minor if post.refund else post.trade.amount_minor
            told_minor = wrong.number("amount_minor", true_minor - 1)
            post = replace(post, amount_minor=told_minor, flavour="wrong_amount_notice")
        if late := fault("late_notice"):
            self.add(replace(post, flavour="late_notice"), after_s=late.number("seconds", 600))
        elif held := fault("out_of_order_notice"):
            post = replace(post, state="held", flavour="out_of_order_notice")
            self.add(post, after_s=held.number("seconds", 3_600))
        elif copies := fault("duplicate_notice"):
            first = self.add(replace(post, flavour="duplicate_notice"))
            for _ in range(copies.number("copies", 3) - 1):
                self.add(first)
        else:
            self.add(post)

    def due(self, limit: int, but: set[int]) -> list[Post]:
        """Notices whose try is due (a held one's: whose time is over), without those in `but`, the oldest first."""
        found = self._book.rows(
            "SELECT notice_id, doc FROM notice WHERE state IN ('due', 'held') AND due_ms <= ?"
            " AND notice_id NOT IN (SELECT value FROM json_each(?)) ORDER BY due_ms, notice_id LIMIT ?",
            epoch_ms(self._clock.now()), msgspec.json.encode(sorted(but)).decode(), limit,
        )  # fmt: skip
        return [_post(row) for row in found]

    def next_due_ms(self, but: set[int]) -> int | None:
        """When the next try is due, in Unix milliseconds."""
        due: int | None = self._book.rows(
            "SELECT min(due_ms) FROM notice WHERE state IN ('due', 'held')"
            " AND notice_id NOT IN (SELECT value FROM json_each(?))", msgspec.json.encode(sorted(but)).decode(),
        )[0][0]  # fmt: skip
        return due

    def put(self, post: Post, tried: Try | None) -> None:
        """Write a notice back with the try that was made; what was held behind it becomes due."""
        with self._book.transaction():
            sql = "UPDATE notice SET state = ?, due_ms = ?, doc = ? WHERE notice_id = ?"
            self._book.rows(sql, post.state, _due_ms(post), msgspec.json.encode(post), post.notice_id)
            if tried is None:
                return
            sql = "INSERT INTO notice_try VALUES (?, ?, ?)"
            self._book.rows(sql, post.notice_id, tried.try_no, msgspec.json.encode(tried))
            self._release(post)

    def _release(self, sent: Post) -> None:
        sql = "SELECT notice_id, doc FROM notice WHERE trade_no = ? AND state = 'held' AND notice_id < ?"
        for row in self._book.rows(sql, sent.trade.trade_no, sent.notice_id):
            self.put(replace(_post(row), state="due", due_at=self._clock.now()), None)
            self.wake()

    def again(self, notice_id: int) -> None:
        """Make a notice's next try due now, whatever became of it. Raises KeyError."""
        found = self._book.rows("SELECT notice_id, doc FROM notice WHERE notice_id = ?", notice_id)
        if not found:
            raise KeyError(notice_id)
        self.put(replace(_post(found[0]), state="due", due_at=self._clock.now()), None)
        self.wake()

    def kept(self, trade_no: str | None = None, limit: int = 100) -> list[tuple[Post, list[Try]]]:
        """Notices with their tries, the newest first."""
        found = self._book.rows(
            "SELECT notice_id, doc FROM notice WHERE trade_no = coalesce(?, trade_no) ORDER BY notice_id DESC LIMIT ?",
            trade_no, limit,
        )  # fmt: skip
        return [(_post(row), self._tries(row[0])) for row in found]

    def _tries(self, notice_id: int) -> list[Try]:
        found = self._book.rows("SELECT doc FROM notice_try WHERE notice_id = ? ORDER BY try_no", notice_id)
        return [msgspec.json.decode(doc, type=Try) for (doc,) in found]


def _post(row: tuple[int, bytes]) -> Post:
    return replace(msgspec.json.decode(row[1], type=Post), notice_id=row[0])


def _due_ms(post: Post) -> int | None:
    return epoch_ms(post.due_at) if post.due_at is not None and post.state in ("due", "held") else None
