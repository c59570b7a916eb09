"""One mall for all races: the application and the gateways are up, and every test takes buyers of its own."""

from __future__ import annotations

import pytest
from tests import world
from tests.races.served import Served


@pytest.fixture(scope="package")
def mall(new_database, run, tmp_path_factory):
    urls = new_database()
    made = Served(urls.app, tmp_path_factory.mktemp("gateway"), urls.owner)
    run(made.open())
    yield made
    run(made.close())


@pytest.fixture(autouse=True)
def calm(request):
    """Nothing that one race has done to the channels is left for the next."""
    yield
    if "mall" in request.fixturenames:
        made, run = request.getfixturevalue("mall"), request.getfixturevalue("run")
        made.control.clear_faults()
        run(made.passes(3_600))


@pytest.fixture(scope="package")
def _taken():
    return [0]


@pytest.fixture
def buyer(mall, run, _taken):
    """A buyer with an active line, money in the account and a bound card, confirmed by the pay password."""
    _taken[0] += 1

    async def made():
        [consumer_id] = await world.people(mall.ctx, 1, skip=_taken[0])
        await world.give_line(mall.ctx, consumer_id)
        await world.step_up(mall.ctx, consumer_id)
        return consumer_id

    return run(made())
