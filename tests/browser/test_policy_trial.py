"""A policy beside another and in shadow, in a browser: sentences, counts and reasons, on a desk and on a phone."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from msgspec.structs import replace
from tests import world
from tests.browser.conftest import PASSWORD
from tests.conftest import Urls

from fenqi import staff
from fenqi.flows import policy_publish, policy_shadow, quote
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.main import create_app
from fenqi.settings import Settings
from fenqi.staff import Role

WALKS = {"desk": ("zh-CN", {"width": 1280, "height": 900}), "phone": ("en", {"width": 390, "height": 844})}
LATER = world.AT + timedelta(minutes=5)


@pytest.fixture(scope="module")
def office(urls: Urls, chromium: Any) -> Iterator[str]:
    """The server, with a draft that opens furniture and lowers the cost cap, in shadow over four buyers' quotes."""
    thread = threading.Thread(target=lambda: asyncio.run(_furnish(urls)))
    thread.start()
    thread.join()
    settings = Settings(database_url=urls.app, secret=world.SECRET, demo=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(settings, SteeredClock(LATER), with_jobs=False)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        serving = threading.Thread(target=lambda: server.run(sockets=[listener]))
        serving.start()
        while not server.started:
            assert serving.is_alive(), "the server has not come up"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        serving.join()


async def _furnish(urls: Urls) -> None:
    async with await world.Database.open(urls.app) as database:
        ctx = world.context(database)
        ref = await world.furnish(ctx)
        ann = new_id()
        async with database.transaction() as tx:
            by = By("system:test", "a test's staff", world.AT)
            await staff.hire(tx, ann, "ann", "Ann", PASSWORD, [Role.RISK], by)
        for buyer in await world.people(ctx, 4):
            await world.give_line(ctx, buyer)
            placed = await world.buy(ctx, buyer, [world.wish(ref, "small_appliance", most_minor=40_000)])
            await quote.quote(ctx, buyer, placed.intent_id)
        ctx.clock.set(LATER)
        made = await policy_publish.draft(ctx, ann, new_id(), "trial-1", "furniture and a lower cap")
        goods = next(table for table in made.document.tables if table.key == "goods")
        rows = [
            replace(row, then={**row.then, "max_minor": 2_000_000, "terms": (3, 6, 12)})
            if row.rule_id == "credit-furniture" else row
            for row in goods.rows if row.rule_id != "credit-no-ticket"
        ]  # fmt: skip
        document = policy_publish.with_tables(made.document, [replace(goods, rows=(*rows[1:3], rows[0], *rows[3:]))])
        document = replace(document, numbers=replace(document.numbers, apr_cap_ppm=10_000))
        await policy_publish.save(ctx, ann, made.policy_id, 1, document, "the change")
        await policy_shadow.begin(
            ctx, ann, new_id(), made.policy_id, 2, LATER + timedelta(days=7), "what would it do",
            since_at=world.AT - timedelta(hours=1),
        )  # fmt: skip
        while await policy_shadow.tick(ctx):
            pass
        assert ctx.pay_queue is not None
        await ctx.pay_queue.close()


@pytest.mark.parametrize("walk", list(WALKS))
def test_what_differs_and_what_it_would_do(chromium: Any, office: str, walk: str) -> None:
    locale, size = WALKS[walk]
    context = chromium.new_context(viewport=size, locale=locale, base_url=office, java_script_enabled=walk == "desk")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/console/sign-in")
    page.fill("#sign_in_name", "ann")
    page.fill("#password", PASSWORD)
    page.locator('form[action="/console/sign-in"] button').click()
    page.goto("/console/policies/trial-1")
    page.locator('a[href$="/beside"]').click()
    _shot(page, f"beside-{walk}")
    text = page.inner_text("main")
    assert ("24.00%改为1.00%" if locale == "zh-CN" else "24.00% → 1.00%") in text
    assert "credit-no-ticket" in text and "credit-furniture" in text
    page.goto("/console/policies/trial-1/shadows")
    _shot(page, f"shadows-{walk}")
    page.locator('a[href*="/shadows/"]').first.click()
    _shot(page, f"shadow-{walk}")
    text = page.inner_text("main")
    assert ("已评估4次决策，4次不同" if locale == "zh-CN" else "4 decisions looked at, 4 different") in text
    width = page.evaluate("document.documentElement.scrollWidth") if walk == "desk" else size["width"]
    assert width <= size["width"]
    if walk == "desk":
        page.goto("/console/policies/trial-1/shadows")
        page.fill("#why-shadow", "from now on, too")
        page.locator('form[action$="/shadows"] button.primary').click()
        assert page.locator("#end").count() == 1
        page.locator("#end > summary").click()
        page.fill("#why-end", "seen enough")
        page.locator("#end .why button").click()
        assert page.locator("#end").count() == 0
    context.close()


def _shot(page: Any, name: str) -> None:
    """A picture for whoever wants to look, in the folder that FENQI_SHOTS names."""
    if folder := os.environ.get("FENQI_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
