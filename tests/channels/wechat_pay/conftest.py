"""A gateway that plays WeChat Pay only, and a shop that has an account there.

shop         one per test module
fresh_shop   an account of its own for this test, on the same gateway
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.channels.running import Running
from tests.channels.wechat_pay.shop import Shop

from fenqi.channels.wechat_pay.gateway import SIDE


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("gateway"), [SIDE]) as found:
        yield found


@pytest.fixture(scope="module")
def _shop(gateway: Running) -> Shop:
    return Shop(gateway)


@pytest.fixture
def shop(_shop: Shop) -> Iterator[Shop]:
    """The module's shop; faults, clock and speed are put back after each test."""
    yield _shop
    _shop.put_back()


@pytest.fixture
def fresh_shop(gateway: Running) -> Iterator[Shop]:
    found = Shop(gateway)
    yield found
    found.put_back()
