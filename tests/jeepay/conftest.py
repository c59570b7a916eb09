"""A mall with channels, its web application in front of the same context, and a partner's app that calls it."""

from __future__ import annotations

import httpx
import pytest
from tests.charging.mall import BY, Mall
from tests.jeepay.partner import Partner
from tests.webhooks.receiver import Receiver

from fenqi import main
from fenqi.flows import jeepay as flow
from fenqi.seed.shops import BY_CODE


@pytest.fixture(scope="module")
def partner(database, run, tmp_path_factory):
    """The luggage shop outside, with an app; its own server takes notices."""
    mall = Mall(database, tmp_path_factory.mktemp("gateway"))
    run(mall.open())
    merchant_id = BY_CODE["yuanshan"].merchant_id
    app, secret = run(flow.open_app(mall.ctx, merchant_id, "till", "bag", BY))
    web = main.create_app(mall.ctx.settings, mall.clock, with_jobs=False)
    web.state.context = mall.ctx
    http = httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://fenqi.test")
    server = run(Receiver(said=b"success").start())
    yield Partner(run, mall, web, http, merchant_id, app, secret, server)
    run(server.stop())
    run(http.aclose())
    run(mall.close())
