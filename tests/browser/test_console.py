"""A clerk's round in a browser, on a phone and on a desk, in both languages: what is open, asking, banning, faults."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import uvicorn
from tests.browser.test_story import SIZES
from tests.conftest import Urls
from tests.web.counter import PASSWORD, Counter

from fenqi.main import create_app

WORDS = {
    "zh-CN": {"unknown": "还不知道", "asked": "已询问通道", "shut": "现在不接付款", "nothing": "没有，各通道一切正常"},
    "en": {
        "unknown": "Nobody knows yet",
        "asked": "The channel was asked",
        "shut": "Takes no payments now",
        "nothing": "None: every channel works",
    },
}


@pytest.fixture(scope="module")
def counter(chromium: Any, database: Any, run: Any, tmp_path_factory: Any) -> Iterator[Counter]:
    """A mall with gateways, something stuck, something parked, and a payment for each walk that nobody knows of."""

    async def fill(made: Counter) -> None:
        await made.open()
        await made.tell_merchant()
        await made.pay("paid", "alipay")
        await made.stuck("stuck")
        await made.park()
        await made.relay()
        for locale in WORDS:
            for size in SIZES:
                await made.unknown(f"{size}-{locale}")

    made = Counter(database, tmp_path_factory.mktemp("gateway"))
    run(fill(made))
    yield made
    run(made.close())


@pytest.fixture(scope="module")
def desk(counter: Counter, urls: Urls) -> Iterator[str]:
    """The server's address."""
    settings = replace(counter.ctx.settings, database_url=urls.app)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(settings, counter.mall.clock, with_jobs=False)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        serving = threading.Thread(target=lambda: server.run(sockets=[listener]))
        serving.start()
        while not server.started:
            assert serving.is_alive(), "the server has not come up"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        serving.join()


@pytest.fixture(params=list(WORDS))
def locale(request: pytest.FixtureRequest) -> str:
    """The reader's language."""
    return str(request.param)


@pytest.fixture(params=list(SIZES))
def page(request: pytest.FixtureRequest, chromium: Any, desk: str, locale: str) -> Iterator[Any]:
    """A window of that size, an operator signed in; whatever goes wrong in it fails the test."""
    size = str(request.param)
    context = chromium.new_context(
        viewport=SIZES[size], locale=locale, base_url=desk, java_script_enabled=size == "desktop"
    )
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    opened.size = size
    opened.goto("/console/sign-in")
    opened.fill("#sign_in_name", "operator")
    opened.fill("#password", PASSWORD)
    opened.locator('form[action="/console/sign-in"] button').click()
    yield opened
    assert wrong == []
    context.close()


def fits(page: Any) -> None:
    """Nothing sticks out to the side, with everything unfolded, too."""
    if page.size == "desktop":
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
        page.reload()


def act(page: Any, id: str, why: str) -> None:
    """Unfold an action, say why, do it."""
    page.locator(f"#{id} > summary").click()
    page.fill(f"#why-{id}", why)
    page.locator(f"#{id} button").click()


def test_a_clerks_round(page: Any, counter: Counter, locale: str) -> None:
    said = WORDS[locale]
    for path in ("/console", "/console/notices?state=parked", "/console/webhooks", "/console/matters"):
        page.goto(path)
        fits(page)
    begun = counter.tries[f"{page.size}-{locale}"]

    page.locator(f'#unknown a[href="/console/payments/{begun.attempt_no}"]').click()
    page.fill("#why", "it is on the list")
    page.locator('form[action="/console/find"] button').click()
    assert page.url.endswith(f"/console/payments/{begun.attempt_no}")
    assert said["unknown"] in page.inner_text("main")
    fits(page)
    act(page, f"ask-{begun.attempt_no}", "the buyer waits")
    assert said["asked"] in page.inner_text("main")

    page.goto("/console/channels")
    fits(page)
    page.locator('a[href="/console/channels/huawei-pay"]').click()
    fits(page)
    act(page, "to-suspended", "a drill")
    assert said["shut"] in page.inner_text("main")
    act(page, "to-active", "the drill is over")
    assert said["shut"] not in page.inner_text("main")

    page.goto("/console/gateways")
    fits(page)
    if page.size == "phone":
        act(page, "fault-slow", "a drill")
    else:
        set_fault(page)
    assert said["nothing"] not in page.inner_text("main")
    while said["nothing"] not in page.inner_text("main"):
        page.locator("#set details.act > summary").first.click()
        page.locator("#set details.act[open] input[name=why]").fill("over")
        page.locator("#set details.act[open] button").click()


def set_fault(page: Any) -> None:
    """The same by what a desk has room for: another channel, another operation, more often."""
    page.locator("#fault-slow > summary").click()
    page.select_option("#where-slow", "huawei_pay")
    page.select_option("#operation-slow", "query")
    page.select_option("#times-slow", "5")
    page.fill("#slow-seconds", "1")
    page.fill("#why-fault-slow", "a drill")
    page.locator("#fault-slow button").click()
