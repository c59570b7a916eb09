"""The risk officers' errand in a browser: instalments for furniture, for parents with two clean years, by two people.

On a desk with script in Chinese, on a phone without it in English; the buyer sees the change at the cashier.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from tests.browser.conftest import NOW, PASSWORD, PAY_PASSWORD
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

WALKS = {"desk": ("zh-CN", {"width": 1280, "height": 900}), "phone": ("en", {"width": 390, "height": 844})}
SAYS = {"zh-CN": ("学生家长", "不支持", "没有问题"), "en": ("parents of students", "not offered", "Nothing is wrong")}


@pytest.fixture(scope="module")
def desk(urls: Urls, chromium: Any) -> Iterator[str]:
    """The server, with two risk officers and a parent at the cashier for each walk."""
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
            for name in ("ann", "bob"):
                await staff.hire(tx, new_id(), name, name.title(), PASSWORD, [Role.RISK], by)
        async with ctx.database.snapshot() as tx:
            reference = await ctx.reference.current(tx, NOW)
        hashes = await customer.hash_password(PASSWORD), await customer.hash_password(PAY_PASSWORD)
        crew = Casting(ctx, clock, reference, NOW, *hashes, PAY_PASSWORD)
        parent = next(member for member in MEMBERS if member.name == "student-parent")
        for walk in WALKS:
            await crew.bring_up(parent, f"parent-{walk}")


def as_staff(browser: Any, site: str, walk: str, name: str) -> Any:
    locale, size = WALKS[walk]
    context = browser.new_context(viewport=size, locale=locale, base_url=site, java_script_enabled=walk == "desk")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/console/sign-in")
    page.fill("#sign_in_name", name)
    page.fill("#password", PASSWORD)
    page.locator('form[action="/console/sign-in"] button').click()
    return page


def act(page: Any, name: str, why: str, **fields: str) -> None:
    if page.locator(f"#{name}[open]").count() == 0:
        page.locator(f"#{name} > summary").click()
    for field, value in fields.items():
        page.fill(f"#{name} #{field}", value)
    page.fill(f"#why-{name}", why)
    page.locator(f"#{name} .why button").click()


def offered(browser: Any, site: str, walk: str) -> str:
    """What the parent reads at the cashier about twelve instalments."""
    locale, size = WALKS[walk]
    context = browser.new_context(viewport=size, locale=locale, base_url=site, java_script_enabled=walk == "desk")
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.goto("/sign-in")
    page.fill("#sign_in_name", f"parent-{walk}")
    page.fill("#password", PASSWORD)
    page.locator('form[action="/sign-in"] button[type=submit], form[action="/sign-in"] button').first.click()
    page.goto("/orders")
    page.locator('main a[href^="/orders/"]').first.click()
    page.goto(f"{page.url}/pay")
    text = page.inner_text("#credit")
    usable = page.locator('#credit input[name=plan][value="instalment_12"]:not([disabled])').count()
    context.close()
    return f"{usable} {text}"


@pytest.mark.parametrize("walk", list(WALKS))
def test_furniture_is_opened_for_parents_with_two_clean_years(chromium: Any, desk: str, walk: str) -> None:
    locale = WALKS[walk][0]
    parents, _, sound = SAYS[locale]
    assert offered(chromium, desk, walk).startswith("0 ")
    ann = as_staff(chromium, desk, walk, "ann")
    number = f"parents-{walk}"
    ann.goto("/console/policies")
    ann.locator("details.act").first.locator("summary").click()
    ann.fill("#number", number)
    ann.fill("#why-new", "asked for by the furniture team")
    ann.locator('form[action="/console/policies"] .why button').click()
    assert ann.url.endswith(f"/console/policies/{number}?notice=drafted")

    ann.goto(f"/console/policies/{number}/tables/goods/rows/new?above=0")
    ann.fill("#rule_id", f"furniture-{walk}")
    ann.check('input[name="in.method"][value="credit"]')
    ann.fill('input[name="in.category"]', "furniture")
    ann.check('input[name="in.segments"][value="student_parent"]')
    ann.fill('input[name="low.clean_months"]', "24")
    ann.fill('input[name="out.max_minor"]', "20000")
    ann.fill('input[name="out.terms"]', "3, 6, 12, 24")
    if walk == "desk":
        ann.locator("#judged", has_text=sound).wait_for()
        assert parents in ann.inner_text("#judged")
    ann.fill("#why", "parents with two clean years")
    ann.locator("button.primary.wide").click()
    assert "notice=saved" in ann.url
    assert parents in ann.inner_text("#row-0") and "¥20,000.00" in ann.inner_text("#row-0")
    ann.goto(f"/console/policies/{number}")
    assert ann.evaluate("document.documentElement.scrollWidth <= innerWidth") if walk == "desk" else True
    act(ann, "submit", "ready for review")
    assert ann.locator("#publish").count() == 0, "whoever wrote it is not asked to approve it"

    bob = as_staff(chromium, desk, walk, "bob")
    bob.goto(f"/console/policies/{number}")
    act(bob, "publish", "looked at the back-test")
    assert "notice=publish" in bob.url
    assert offered(chromium, desk, walk).startswith("1 ")

    bob.goto("/console/policies")
    act(bob, "roll-back", "too many returns")
    assert offered(chromium, desk, walk).startswith("0 ")


def test_a_broken_row_is_kept_as_a_draft_and_never_submitted(chromium: Any, desk: str) -> None:
    ann = as_staff(chromium, desk, "desk", "ann")
    ann.goto("/console/policies")
    ann.locator("details.act").first.locator("summary").click()
    ann.fill("#number", "broken")
    ann.fill("#why-new", "to be broken")
    ann.locator('form[action="/console/policies"] .why button').click()
    ann.goto("/console/policies/broken/tables/goods/rows/new?above=0")
    ann.fill("#rule_id", "nowhere")
    ann.fill('input[name="in.category"]', "no_such_goods")
    ann.locator("#judged .error").wait_for()
    ann.fill("#why", "a slip")
    ann.locator("button.primary.wide").click()
    assert ann.locator("#row-0.broken").count() == 1
    ann.goto("/console/policies/broken")
    act(ann, "submit", "let it through")
    assert "POLICY_INVALID" in ann.content()
    ann.goto("/console/policies/broken/tables/goods")
    ann.locator("details.drawer summary").last.click()
    ann.fill("#sheet", "rule_id\tcolour\nx\tred")
    ann.fill("#why-paste", "from the sheet")
    ann.locator("details.drawer .why button").click()
    assert "colour" in ann.inner_text("main")
