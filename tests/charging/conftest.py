"""One mall with channels for a module's tests."""

from __future__ import annotations

import pytest
from tests.charging.mall import Mall


@pytest.fixture(scope="module")
def mall(database, run, tmp_path_factory):
    made = Mall(database, tmp_path_factory.mktemp("gateway"))
    run(made.open())
    yield made
    run(made.close())
