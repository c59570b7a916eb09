"""An appeal in a browser: a buyer is refused, asks with a file, one clerk proposes, another decides, the buyer pays."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from tests import world
from tests.browser.test_story import SIZES
from tests.conftest import Urls

from fenqi import customer, risk, staff
from fenqi.database.pool import Database
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.main import create_app
from fenqi.risk import Subject
from fenqi.staff import Role

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
STAFF_PASSWORD, PASSWORD = "a staff password", "correct horse battery"
WORDS = {
    "zh-CN": {"asked": "最晚", "yours": "已认领", "waits": "等另一位同事确认", "same": "每个决定都与当时一致",
              "right": "支持您的请求", "paid": "付款成功"},
    "en": {"asked": "Answer by", "yours": "It is yours", "waits": "A colleague has to agree",
           "same": "Every decision stands as it was taken", "right": "Decided in your favour", "paid": "Payment done"},
}  # fmt: skip


class Hall:
    """The server, and who is refused in each walk: sign-in name and checkout by size and language."""

    def __init__(self, address: str, refused: dict[str, tuple[str, str]]) -> None:
        self.address, self.refused = address, refused


async def _furnish(url: str) -> dict[str, tuple[str, str]]:
    """Two clerks, and four people on the block list with an order each."""
    async with await Database.open(url) as database:
        ctx = world.context(database)
        ref = await world.furnish(ctx)
        by = By("staff:test", "a test's list", ctx.now())
        async with ctx.database.transaction() as tx:
            for name in ("anna", "bob"):
                await staff.hire(tx, new_id(), name, name.title(), STAFF_PASSWORD, [Role.RISK], world.BY)
        walks = [f"{size}-{locale}" for size in SIZES for locale in WORDS]
        refused: dict[str, tuple[str, str]] = {}
        for walk, buyer in zip(walks, await world.people(ctx, len(walks)), strict=True):
            await world.give_line(ctx, buyer)
            placed = await world.buy(ctx, buyer, [world.wish(ref, "phone", "mall", most_minor=600_000)], "mall")
            async with ctx.database.transaction() as tx:
                await risk.lists.add(tx, Subject("consumer", buyer), "block", by)
                name = (await customer.person(tx, ctx.keys, buyer)).sign_in_name
            refused[walk] = (name, str(placed.intent_id))
        assert ctx.pay_queue is not None
        await ctx.pay_queue.close()
        return refused


@pytest.fixture(scope="module")
def hall(urls: Urls, chromium: Any) -> Iterator[Hall]:
    """The server, furnished."""
    found: list[dict[str, tuple[str, str]]] = []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(_furnish(urls.app))))
    thread.start()
    thread.join()
    clock = world.SteeredClock(world.AT)
    settings = replace(world.Settings(demo=True), database_url=urls.app, secret=world.SECRET)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(settings, clock, with_jobs=False)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        serving = threading.Thread(target=lambda: server.run(sockets=[listener]))
        serving.start()
        while not server.started:
            assert serving.is_alive(), "the server has not come up"
        yield Hall(f"http://127.0.0.1:{listener.getsockname()[1]}", found[0])
        server.should_exit = True
        serving.join()


@pytest.fixture(params=list(WORDS))
def locale(request: pytest.FixtureRequest) -> str:
    """The reader's language."""
    return str(request.param)


@pytest.fixture(params=list(SIZES))
def size(request: pytest.FixtureRequest) -> str:
    """The window."""
    return str(request.param)


@pytest.fixture
def window(chromium: Any, hall: Hall, size: str, locale: str) -> Iterator[Any]:
    """Opens windows of that size; whatever goes wrong in one fails the test. Phones do without script."""
    wrong: list[str] = []
    contexts = []

    def opened() -> Any:
        context = chromium.new_context(
            viewport=SIZES[size], locale=locale, base_url=hall.address, java_script_enabled=size == "desktop"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
        return page

    yield opened
    assert wrong == []
    for context in contexts:
        context.close()


def sign_in(page: Any, path: str, name: str, password: str) -> None:
    page.goto(path)
    page.fill("#sign_in_name", name)
    page.fill("#password", password)
    page.locator(f'form[action="{path}"] button').click()


def fits(page: Any, size: str) -> None:
    """Nothing sticks out to the side."""
    if size == "desktop":
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def test_an_appeal_from_the_refusal_to_the_payment(
    window: Any, hall: Hall, size: str, locale: str, tmp_path: Any
) -> None:
    said, (name, intent_id) = WORDS[locale], hall.refused[f"{size}-{locale}"]
    (tmp_path / "bill.png").write_bytes(PNG)
    buyer = window()
    sign_in(buyer, "/sign-in", name, PASSWORD)
    buyer.goto(f"/cashier/{intent_id}")
    fits(buyer, size)
    buyer.locator('#credit .routes a[href*="route=appeal"]').click()
    fits(buyer, size)
    buyer.fill("#text", "It is really me, and the bill is in my name.")
    buyer.set_input_files("#files", tmp_path / "bill.png")
    buyer.locator('form[action="/requests"] button').click()
    assert said["asked"] in buyer.inner_text("main") and "bill.png" in buyer.inner_text("main")
    fits(buyer, size)
    number = buyer.url.rsplit("/", 1)[-1].partition("?")[0]

    anna, at = window(), f"/console/cases/{number}"
    sign_in(anna, "/console/sign-in", "anna", STAFF_PASSWORD)
    anna.goto("/console/cases")
    fits(anna, size)
    anna.locator(f'a[href="{at}"]').click()
    assert "SANCTION_OR_FRAUD_LIST" in anna.inner_text("main")
    fits(anna, size)
    anna.fill("#why-claim", "my turn")
    anna.locator("#claim button").click()
    assert said["yours"] in anna.inner_text("main")
    anna.locator('input[name="outcome"][value="upheld"]').check()
    anna.fill("#days", "3")
    anna.fill("#told", "We found that it was you. Thank you for the bill.")
    anna.fill("#why-decide", "the bill fits the account")
    fits(anna, size)
    anna.locator(f'form[action="{at}/decide"] button').click()
    assert said["waits"] in anna.inner_text("main")
    assert anna.locator("#agree").count() == 0, "nobody agrees with themselves"

    bob = window()
    sign_in(bob, "/console/sign-in", "bob", STAFF_PASSWORD)
    bob.goto(at)
    bob.fill("#why-agree", "seen the bill, too")
    bob.locator("#agree button").click()
    assert said["same"] in bob.inner_text("main")
    fits(bob, size)

    buyer.goto(f"/requests/{number}")
    assert said["right"] in buyer.inner_text("main")
    buyer.locator(f'a[href="/cashier/{intent_id}"]').click()
    buyer.locator(f'form[action="/cashier/{intent_id}/pay"] button').first.click()
    assert said["paid"] in buyer.inner_text("main")
