"""A merchant's shop and server for each test, over one database for each module."""

from __future__ import annotations

import pytest
from tests import world
from tests.webhooks.receiver import Receiver
from tests.webhooks.shop import open_shop


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
