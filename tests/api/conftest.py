"""The whole application over its database, called as clients do: real routes, real flows, a steered clock."""

from __future__ import annotations

import httpx
import pytest
from tests import world
from tests.api.door import Door

from fenqi import main, seed
from fenqi.settings import Settings


@pytest.fixture(scope="session")
def door(new_database, run):
    """The application with the seed's shops and goods, its clock standing at `world.AT`; one for the whole folder."""
    urls = new_database()
    clock = world.SteeredClock(world.AT)
    settings = Settings(database_url=urls.app, demo=True, secret=world.SECRET)
    app = main.create_app(settings, clock, with_jobs=False)
    lifespan = app.router.lifespan_context(app)
    run(lifespan.__aenter__())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://fenqi.test")
    ctx = app.state.context
    run(world.furnish(ctx))
    yield Door(run, client, ctx, app, clock, urls)
    run(client.aclose())
    run(lifespan.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def grown_ups():
    """Invented people fit for a line, of whom nobody has signed up."""
    return [
        person
        for person in seed.people(60, world.AT.date())
        if not person.is_student and 20 <= world.AT.year - person.birth_on.year <= 60
    ]
