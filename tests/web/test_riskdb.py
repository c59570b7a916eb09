"""The risk database on the console: a profile found, its links drawn, put on a list and taken off with a reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests import world

from fenqi import risk
from fenqi.flows.device import Device, device_id
from fenqi.kernel.ids import new_id
from fenqi.risk import Beat, Subject
from fenqi.risk.links import Met


@pytest.fixture(scope="module")
def device(ctx, ref, run) -> Subject:
    """A device in four hands, one of them a confirmed fraud's."""

    async def furnish() -> Subject:
        found = Subject("device", device_id(ctx.keys, new_id(), Device("one phone in many hands")))
        people = [new_id() for _ in range(4)]
        async with ctx.database.transaction() as tx:
            await risk.links.meet(tx, [Met(one, found, world.AT, True) for one in people])
            card = Subject("card", new_id())
            await risk.links.meet(tx, [Met(one, card, world.AT) for one in people[:2]])
            await risk.record_outcome(tx, Subject("consumer", people[0]), "fraud", world.BY, "a case")
            await risk.links.carry_fraud(tx, people[0], world.AT)
            await risk.count(tx, [Beat(found.subject_id, "press", new_id(), 1787533200000 - n) for n in range(7)])
            await risk.lists.add(tx, card, "watch", world.BY, world.AT + timedelta(days=3))
        return found

    return run(furnish())


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
def test_a_profile_is_found_drawn_and_listed(browser, device, locale) -> None:
    clerk = browser(locale)
    clerk.send(clerk.get("/console/sign-in"), "/console/sign-in", sign_in_name="risk", password="a staff password")
    lists = clerk.get("/console/lists")
    assert lists.status == 200 and "s world" in lists.text
    found = clerk.send(lists, "/console/lists/find", kind="device", what="one phone in many hands")
    assert found.path == f"/console/lists/device/{device.subject_id}"
    assert found.text.count('class="n-consumer') == 4 and found.text.count('class="n-device me') == 1
    assert found.text.count('<line x1="') == 4 + 2 and "bad" in found.text
    added = clerk.send(found, f"{found.path}/add", list="block", until_at="2026-09-30T12:00", why="in too many hands")
    assert added.status == 200 and "in too many hands" in added.text
    off = clerk.send(added, f"{found.path}/remove", list="block", why="looked at it")
    assert "looked at it" in off.text and f"{found.path}/remove" not in off.text
    wrong = clerk.send(lists, "/console/lists/find", kind="merchant", what="nobody")
    assert wrong.status == 404


def test_only_the_risk_desk_sees_it(browser, device) -> None:
    clerk = browser()
    clerk.send(clerk.get("/console/sign-in"), "/console/sign-in", sign_in_name="support", password="a staff password")
    assert clerk.get("/console/lists").status == 403
    assert clerk.get(f"/console/lists/device/{device.subject_id}").status == 403
