"""The local gateways, running for the tests of channels: see `tests.channels.running`.

gateway          one per test module, with every side of the shelf; accounts are made per test by `enrol`
fresh_gateway    one per test, in its own directory
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.channels.running import Running, running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway for this test module. Clear your faults: `gateway.control.clear_faults()`."""
    with running(tmp_path_factory.mktemp("gateway")) as found:
        yield found


@pytest.fixture
def fresh_gateway(tmp_path: Path) -> Iterator[Running]:
    """A gateway for this test."""
    with running(tmp_path / "gateway") as found:
        yield found
