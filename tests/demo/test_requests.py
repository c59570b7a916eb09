"""The cast's requests: somebody with a case in every state, made through the flows; and a clerk's week at the desk."""

from __future__ import annotations

import random
from datetime import timedelta

from tests.demo.conftest import NOW

from fenqi import aftersales
from fenqi.aftersales import Case, CaseState
from fenqi.demo import clerks
from fenqi.flows import case_replay
from fenqi.seed import requests
from fenqi.seed.cast import MEMBERS
from fenqi.seed.casting import Casting, consumer_id_of


async def _everybody(crew: Casting) -> list[Case]:
    members = [one for one in MEMBERS if one.name in requests.LIVES and one.part.then is None]
    for member in members:
        await crew.bring_up(member)
    await requests.live(crew.ctx, crew.clock, NOW, {one.name for one in members})
    async with crew.ctx.database.snapshot() as tx:
        return await aftersales.queue(tx) + await aftersales.ended(tx)


def test_the_cast_has_a_case_in_every_state_and_the_desk_works_through_what_is_open(crew: Casting, live) -> None:
    cases = live(_everybody(crew))
    assert {one.state for one in cases} == set(CaseState) - {CaseState.LAPSED}
    by_name = {one.party_id: one for one in cases}
    late = by_name[consumer_id_of("frozen")]
    assert late.due_at < NOW and late.state is CaseState.IN_HAND
    assert by_name[consumer_id_of("rejected")].state is CaseState.PROPOSED

    async def replayed() -> list[tuple[str, ...]]:
        async with crew.ctx.database.snapshot() as tx:
            return [(await case_replay.again(crew.ctx, tx, one)).faults for one in cases]

    assert set(live(replayed())) == {()}

    async def week() -> tuple[int, list[Case], list[Case]]:
        crew.clock.go_to(NOW)
        done = await clerks.work(crew.ctx, crew.clock, NOW + timedelta(days=14), random.Random("a week"))
        async with crew.ctx.database.snapshot() as tx:
            return done, await aftersales.queue(tx), await aftersales.ended(tx)

    done, left, ended = live(week())
    assert done >= 1
    assert all(one.state is not CaseState.OPEN for one in left), "two weeks are enough for all"
    assert all(one.ended_at is not None and one.ended_at > one.opened_at for one in ended)
