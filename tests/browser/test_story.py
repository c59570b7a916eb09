"""The issue's story in a browser, on a phone and on a desk, in both languages, with scripts and without them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from tests.browser.conftest import PASSWORD, PAY_PASSWORD

SIZES = {"phone": {"width": 375, "height": 812}, "desktop": {"width": 1280, "height": 900}}
WORDS = {
    "zh-CN": {
        "short": "可用额度不足",
        "paid": "付款成功",
        "none": "已还0期，共12期",
        "one": "已还1期，共12期",
        "cost": "年化综合资金成本",
    },
    "en": {
        "short": "Not enough available limit",
        "paid": "Payment done",
        "none": "0 of 12 payments made",
        "one": "1 of 12 payments made",
        "cost": "Annualised all-in cost",
    },
}


@pytest.fixture(params=["zh-CN", "en"])
def locale(request: pytest.FixtureRequest) -> str:
    """The reader's language."""
    return str(request.param)


@pytest.fixture(params=["phone", "desktop"])
def page(request: pytest.FixtureRequest, chromium: Any, site: str, locale: str) -> Iterator[Any]:
    """A browser window of that size; errors on its console and answers of 5xx fail the test."""
    size = str(request.param)
    script = size == "desktop"  # the phone walks the story without any script
    context = chromium.new_context(viewport=SIZES[size], locale=locale, base_url=site, java_script_enabled=script)
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("response", lambda answer: wrong.append(answer.url) if answer.status >= 400 else None)
    opened.buyer = f"short-{size}-{locale}"
    yield opened
    assert wrong == []
    context.close()


def sign_in(page: Any) -> None:
    page.goto("/sign-in")
    page.fill("#sign_in_name", page.buyer)
    page.fill("#password", PASSWORD)
    page.locator('form[action="/sign-in"] button').click()


def fits(page: Any) -> None:
    """Nothing sticks out to the side."""
    if page.buyer.startswith("short-desktop"):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def take_the_first_remedy(page: Any) -> None:
    """Press the easiest remedy and type what it asks for, until the cashier is back."""
    page.locator("#credit .remedy.best button").click()
    while "/remedies/" in page.url:
        if page.locator("#pay_password").count():
            page.fill("#pay_password", PAY_PASSWORD)
        page.locator('form[action^="/remedies/"] button').click()


def test_refused_cured_paid_and_repaid(page: Any, locale: str) -> None:
    said = WORDS[locale]
    sign_in(page)
    page.goto("/category/phone?order=cheapest&at_most=5000")
    fits(page)
    page.locator(".goods h3 a").last.click()
    assert said["cost"] in page.inner_text("main")
    fits(page)
    page.locator("button[value=checkout]").click()
    page.locator('form[action="/orders"] button').click()

    assert page.locator("#credit.refused").count() == 1
    assert said["short"] in page.inner_text("#credit")
    fits(page)
    take_the_first_remedy(page)

    page.locator('#credit input[value="instalment_12"]').check()
    page.locator('#credit form[action$="/pay"] button').click()
    assert said["paid"] in page.inner_text("h1")
    assert re.search(r"1\d\.\d\d%", page.inner_text("main"))
    fits(page)

    page.locator('a.button[href^="/credit/loans/"]').click()
    assert said["none"] in page.inner_text("main")
    fits(page)
    page.locator('a.button[href^="/credit/repay"]').click()
    if not page.locator('form[method="post"][action="/credit/repay"]').count():
        page.locator('a.button[href^="/money"]').click()
        page.locator('form[action="/money/top-up"] button').click()
    fits(page)
    repay = page.locator('form[method="post"][action="/credit/repay"] button')
    repay.click()
    assert said["one"] in page.inner_text("main")
