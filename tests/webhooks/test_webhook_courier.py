"""The courier among the jobs of a process: what is due is delivered without anybody asking, and it stops when told."""

from __future__ import annotations

import asyncio

from tests import world
from tests.webhooks.shop import Shop, open_shop

from fenqi import main
from fenqi.flows import webhook
from fenqi.settings import Settings


def test_a_running_process_delivers_by_itself(new_database, receiver, run):
    settings = Settings(database_url=new_database().app, demo=True, secret=world.SECRET)
    app = main.create_app(settings, world.SteeredClock(world.AT))

    async def lived():
        async with app.router.lifespan_context(app):
            shop: Shop = await open_shop(app.state.context)
            endpoint, _ = await shop.register(receiver.url())
            event_id = await webhook.send_test(shop.ctx, shop.merchant_id, endpoint.endpoint_id, shop.by)
            await asyncio.wait_for(receiver.wait_for(1), 30)
            await shop.http.close()
            return event_id

    assert [str(run(lived()))] == receiver.ids
