"""A merchant's shop and server for each test, over one database for each module."""

from __future__ import annotations

import httpx
import pytest
from tests import world
from tests.api.door import Door
from tests.webhooks.receiver import Receiver
from tests.webhooks.shop import open_shop

from fenqi import main
from fenqi.settings import Settings


@pytest.fixture
def shop(database, run):
    made = run(open_shop(world.context(database)))
    yield made
    run(made.close())


@pytest.fixture
def receiver(run):
    made = run(Receiver().start())
    yield made
    run(made.stop())


@pytest.fixture(scope="module")
def door(new_database, run):
    """The application in the demo, its clock standing, with its shops and goods."""
    urls = new_database()
    clock = world.SteeredClock(world.AT)
    app = main.create_app(Settings(database_url=urls.app, demo=True, secret=world.SECRET), clock, with_jobs=False)
    lifespan = app.router.lifespan_context(app)
    run(lifespan.__aenter__())
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://fenqi.test"
    )
    ctx = app.state.context
    run(world.furnish(ctx))
    yield Door(run, client, ctx, app, clock, urls)
    run(client.aclose())
    run(lifespan.__aexit__(None, None, None))
