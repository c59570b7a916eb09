"""At the channels in simulated time: the gateways' clock is put to a person's instant, who then pays there, or doesn't.

One person is there at a time, in all processes together. What a channel has to say is asked for, nobody waits for its
notices.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from fenqi import attempt
from fenqi.attempt import Attempt, ChannelRefund
from fenqi.channels.contract import Handover
from fenqi.channels.gateway.control import Control
from fenqi.flows import charge, give_back, janitor
from fenqi.flows.context import Context
from fenqi.seed.moment import TaskClock

_PATIENCE_S = 120
_ROUNDS = 8
_FORM = {"content-type": "application/x-www-form-urlencoded"}


class Key(Protocol):
    """A lock that processes share."""

    def acquire(self, block: bool = True, timeout: float | None = None, /) -> bool:
        """Take it; False when that took too long."""
        ...

    def release(self) -> None:
        """Give it back."""
        ...


class Till:
    """Where simulated people meet the gateways. `others`: the lock of all processes that do."""

    def __init__(self, ctx: Context, clock: TaskClock, control: Control, others: Key | None = None) -> None:
        self._ctx = ctx
        self._clock = clock
        self._here = asyncio.Lock()
        self._others = others
        self.control = control

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Be there, at the instant of the running task. Not to be entered twice by one task."""
        async with self._here:
            if self._others is not None and not await asyncio.to_thread(self._others.acquire, True, _PATIENCE_S):
                raise TimeoutError("another process has held the till for two minutes")
            try:
                await self.be_on_time()
                yield
            finally:
                if self._others is not None:
                    self._others.release()

    async def be_on_time(self) -> None:
        """Put the gateways' clock to the running task's instant, after some time has passed for it."""
        await self.control.steer(at=self._ctx.now())

    async def pass_by(self, seconds: float) -> None:
        """Let time pass for the task and the gateways."""
        self._clock.pass_by(timedelta(seconds=seconds))
        await self.be_on_time()

    async def begun(self, consumer_id: UUID, payment_id: UUID) -> Attempt:
        """The newest attempt of a press."""
        async with self._ctx.database.snapshot() as tx:
            return (await attempt.of_payment(tx, consumer_id, payment_id))[-1]

    async def open_page(self, begun: Attempt) -> None:
        """Follow the handover to the channel's page, where there is one; a code is only looked at."""
        assert begun.handover is not None, f"{begun.attempt_no} waits for its buyer"
        led = msgspec.json.decode(begun.handover, type=Handover)
        if led.kind == "form":
            await self._ctx.http.send("POST", led.url, headers=_FORM, content=urlencode(led.fields).encode())
        elif led.kind == "redirect":
            await self._ctx.http.send("GET", led.url)

    async def pay(self, begun: Attempt, seconds: float = 0) -> Attempt:
        """Open the page, pay on it after so many seconds, and let the channel be asked: what became of it."""
        await self.open_page(begun)
        if seconds:
            await self.pass_by(seconds)
        await self.control.pay(await self._trade_no(begun))
        return await self.ask(begun)

    async def decline(self, begun: Attempt, place: int = 0) -> None:
        """Open the page, and be refused there by one of the channel's reasons."""
        await self.open_page(begun)
        sides = (await self.control.state()).channels
        codes = sorted(next(side.declines for side in sides if side.channel == begun.channel))
        await self.control.decline(await self._trade_no(begun), codes[place % len(codes)])

    async def _trade_no(self, begun: Attempt) -> str:
        seen = await self.control.find(begun.channel, begun.attempt_no)
        assert seen is not None, f"{begun.channel} knows {begun.attempt_no}"
        return seen.trade.trade_no

    async def ask(self, begun: Attempt) -> Attempt:
        """Ask the channel now, or close it there when its time is over."""
        await charge.ask(self._ctx, begun, self._ctx.by_system("demo", "asked the channel"))
        async with self._ctx.database.snapshot() as tx:
            return await attempt.get(tx, begun.consumer_id, begun.attempt_id)

    async def leave(self, begun: Attempt) -> Attempt:
        """Go away without paying: when its time is over the trade is closed."""
        left = begun.expires_at - self._ctx.now()
        await self.pass_by(max(0.0, left.total_seconds()) + 1)
        return await self.ask(begun)

    async def give_back(self, tries: Sequence[Attempt]) -> list[ChannelRefund]:
        """Carry out what these attempts' channel owes the buyer, until it has said yes or no."""
        ids = [each.attempt_id for each in tries]
        found: list[ChannelRefund] = []
        for _ in range(_ROUNDS):
            async with self._ctx.database.snapshot() as tx:
                found = await attempt.refunds_of(tx, tries[0].consumer_id, ids) if ids else []
            due = [each for each in found if each.ask_at is not None]
            if not due:
                break
            self._clock.go_to(max(self._ctx.now(), *(each.ask_at for each in due if each.ask_at is not None)))
            await self.be_on_time()
            for each in due:
                await give_back.carry_out(self._ctx, each.consumer_id, each.refund_id)
        return found

    async def tidy(self) -> None:
        """The janitor's rounds, until nothing is due."""
        await janitor.settle(self._ctx)
