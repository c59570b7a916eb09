"""Kill -9 at every step of a delivery: the event is sent again under its id, once its lease has run out."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest
from tests.webhooks.receiver import OK

from fenqi.merchant import LADDER, LEASE, DeliveryState

ROOT = Path(__file__).parents[2]


async def die(url: str, at: datetime, steps: list[int]) -> list[tuple[int, int]]:
    """(exit code, steps) of a process for each, a lease after one another; the loop's own server answers them."""
    line = [sys.executable, "-m", "tests.webhooks.killed", url, at.isoformat()]
    pipe = subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*line, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await child.communicate("".join(f"{n}\n" for n in steps).encode())
    assert child.returncode == 0, err.decode()
    return [(int(code), int(seen)) for code, seen in map(str.split, out.decode().splitlines())]


@pytest.mark.parametrize("status", [OK, 500])
def test_killed_anywhere_every_event_is_delivered(shop, receiver, urls, run, status):
    """What was leased by a dead process is taken over when its lease is over; what was not, by the next."""
    run(shop.register(receiver.url()))
    receiver.answer = lambda _: status
    run(shop.tell())
    [(code, steps)] = run(die(urls.app, shop.ctx.now(), [0]))
    assert (code, steps > 15) == (0, True)
    shop.advance(days=1)
    receiver.answer = lambda _: OK
    run(shop.deliver())
    receiver.got.clear()
    receiver.answer = lambda _: status
    events = [event for _ in range(steps) for event in run(shop.tell())]
    codes = run(die(urls.app, shop.ctx.now(), list(range(1, steps + 1))))
    assert codes == [(-9, 0)] * steps
    by_the_dead = Counter(receiver.ids)
    assert set(by_the_dead.values()) == {1}, "a lease holds while it lasts"
    receiver.answer = lambda _: OK
    shop.ctx.clock.advance(max(LEASE, LADDER[1] * 1.2))
    run(shop.deliver())
    sent, unrecorded = Counter(receiver.ids), 0
    for event in events:
        delivery, tries = run(shop.story(event))
        assert delivery.state is DeliveryState.DELIVERED
        assert [one.try_no for one in tries] == list(range(1, delivery.tries + 1))
        assert 1 <= sent[str(event.event_id)] <= delivery.tries <= 2
        unrecorded += sum(one.ended_at is None for one in tries)
    assert unrecorded > 5, "some died between the claim and the record, and that is to be seen"
    assert set(sent) == {str(event.event_id) for event in events}
