"""Law 9: money that a channel took is never forgotten. It ends as paid, refunded, or an open difference.

FENQI_WALKS sets the number of random walks, FENQI_SEED the first one's seed. After each walk the faults end and time
passes; then every fen at the gateway has to be accounted for here, trade by trade and account by account.
"""

from __future__ import annotations

import os

import pytest
from tests import world
from tests.races.served import Served, held
from tests.races.walk import Walk

from fenqi.ledger import chart

WALKS = int(os.environ.get("FENQI_WALKS", "25"))
SEED = int(os.environ.get("FENQI_SEED", "1"))
STEPS = 40


@pytest.fixture(scope="module")
def roads(new_database, run, tmp_path_factory):
    made = Served(new_database().app, tmp_path_factory.mktemp("gateway"))
    run(made.open())
    yield made
    run(made.close())


async def somebody(mall, place):
    [consumer_id] = await world.people(mall.ctx, 1, skip=place)
    await world.give_line(mall.ctx, consumer_id)
    await world.step_up(mall.ctx, consumer_id)
    return consumer_id


@pytest.mark.timeout(max(300, WALKS * 20))
def test_no_money_is_forgotten_on_any_walk(roads, run):
    for place in range(WALKS):
        walk = Walk(roads, run(somebody(roads, place)), SEED + place)
        try:
            run(walk.goes(STEPS))
            run(walk.comes_to_rest())
        except Exception as error:
            raise AssertionError(f"FENQI_SEED={walk.seed} FENQI_WALKS=1\n" + "\n".join(walk.steps)) from error
        wrong = run(walk.reckoning())
        assert not wrong, "\n".join([f"FENQI_SEED={walk.seed} FENQI_WALKS=1", *wrong, *walk.steps])
    both = run(accounts(roads))
    assert all(there == here for there, here in both.values()), both


async def accounts(mall):
    """By passage what its account at the channel holds of our trades, and what our ledger has there in transit."""
    await mall.settle()
    trades = mall.control.trades(limit=1_000_000)
    found = {}
    for known in mall.control.state().accounts:
        there = sum(held(seen) for seen in trades if seen.trade.account_id == known.account_id)
        [each] = [each for each in mall.ctx.reference.newest.passages if each.code == known.code]
        found[known.code] = (there, await mall.party_sum(each.passage_id, chart.CHANNEL_IN_TRANSIT))
    return found
