"""A real Chromium on the real server: the application under uvicorn on a free port, its clock standing.

Needs Debian's chromium and a font with Chinese (`apt-get install chromium fonts-wqy-microhei`); skipped without.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from tests.conftest import Urls

from fenqi import customer, seed, staff
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.main import create_app, opened
from fenqi.seed.cast import MEMBERS
from fenqi.seed.casting import Casting
from fenqi.seed.moment import TaskClock
from fenqi.settings import Settings
from fenqi.staff import Role

CHROMIUM = os.environ.get("FENQI_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
PASSWORD = "a password of the tests"
PAY_PASSWORD = "246802"
NOW = datetime(2026, 8, 19, 4, 30, tzinfo=UTC)
BUYERS = [f"short-{size}-{locale}" for size in ("phone", "desktop") for locale in ("zh-CN", "en")]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Playwright's handle on the machine's Chromium; while it is there, an event loop runs on the tests' thread."""
    if not os.path.exists(CHROMIUM):
        pytest.skip("no Chromium: apt-get install chromium fonts-wqy-microhei, or name one in FENQI_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def site(urls: Urls, chromium: Any) -> Iterator[str]:
    """The server's address, with goods, staff and four people whose limit is a little short."""
    settings = Settings(database_url=urls.app, secret=b"a secret of the tests", demo=True)
    thread = threading.Thread(target=lambda: asyncio.run(_furnish(settings)))
    thread.start()
    thread.join()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(settings, SteeredClock(NOW), with_jobs=False)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        serving = threading.Thread(target=lambda: server.run(sockets=[listener]))
        serving.start()
        while not server.started:
            assert serving.is_alive(), "the server has not come up"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        serving.join()


async def _furnish(settings: Settings) -> None:
    clock = TaskClock(NOW - timedelta(days=102))
    async with opened(settings, clock) as ctx:
        async with ctx.database.transaction() as tx:
            await seed.reference(tx, clock.now(), as_of=NOW)
            by = By("system:test", "a test's staff", clock.now())
            for role in Role:
                await staff.hire(tx, new_id(), str(role), f"The {role}", PASSWORD, [role], by)
        async with ctx.database.snapshot() as tx:
            reference = await ctx.reference.current(tx, NOW)
        hashes = await customer.hash_password(PASSWORD), await customer.hash_password(PAY_PASSWORD)
        crew = Casting(ctx, clock, reference, NOW, *hashes, PAY_PASSWORD)
        short = next(member for member in MEMBERS if member.name == "short")
        for name in BUYERS:
            await crew.bring_up(short, name)
