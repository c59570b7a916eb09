"""怎么回事 in a browser: the buyer's page from refusal to payment, support's one screen, and the dictionary."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.browser.conftest import PASSWORD, PAY_PASSWORD
from tests.browser.test_story import fits, locale, page, sign_in

__all__ = ["locale", "page"]
SHOTS = os.environ.get("FENQI_SHOTS", "")
"""A folder for pictures of every page that is walked through, for whoever wants to look."""
WORDS = {
    "zh-CN": {"short": "可用额度不足", "helps": "要用白条付款，可以", "paid": "付款成功", "none": "没有这样的原因"},
    "en": {
        "short": "Not enough available limit",
        "helps": "What helps for Fenqi Credit",
        "paid": "was paid on",
        "none": "There is no such reason",
    },
}


def shot(page: Any, name: str) -> None:
    """A picture of the whole page, where they are wanted."""
    if SHOTS:
        path = Path(SHOTS) / f"{name}-{page.buyer.removeprefix('short-')}.png"
        page.screenshot(path=path, full_page=True)


def test_from_why_to_paid_and_support_sees_it_all(page: Any, locale: str) -> None:
    said = WORDS[locale]
    sign_in(page)
    page.goto("/category/phone?order=cheapest&at_most=5000")
    page.locator(".goods h3 a").last.click()
    page.locator("button[value=checkout]").click()
    page.locator('form[action="/orders"] button').click()
    page.locator('a[href^="/why/"]').click()
    number = page.url.rpartition("/")[2]
    told = page.inner_text("main")
    assert number in told and said["short"] in told and said["helps"] in told
    fits(page)
    shot(page, "buyer-refused")

    page.locator(".remedy.best button").click()
    while "/remedies/" in page.url:
        if page.locator("#pay_password").count():
            page.fill("#pay_password", PAY_PASSWORD)
        page.locator('form[action^="/remedies/"] button').click()
    page.locator('#credit input[value="instalment_12"]').check()
    page.locator('#credit form[action$="/pay"] button').click()
    page.goto(f"/why/{number}")
    told = page.inner_text("main")
    assert said["paid"] in told and said["short"] in told
    fits(page)
    shot(page, "buyer-paid")

    page.goto("/console/sign-in")
    page.fill("#sign_in_name", "support")
    page.fill("#password", PASSWORD)
    page.locator('form[action="/console/sign-in"] button').click()
    page.fill("#what", number)
    page.fill("#why", "the buyer called")
    page.locator('form[action="/console/find"] button').click()
    told = page.inner_text("main")
    assert page.url.endswith(f"/console/orders/{number}")
    assert number in told and "LIMIT_INSUFFICIENT" in told
    fits(page)
    shot(page, "support")


def test_the_dictionary_can_be_searched(page: Any, locale: str) -> None:
    page.goto("/reasons#LIMIT_INSUFFICIENT")
    assert page.locator("#LIMIT_INSUFFICIENT").is_visible()
    fits(page)
    page.screenshot(path=Path(SHOTS) / f"dictionary-{page.buyer}.png") if SHOTS else None
    if page.buyer.startswith("short-desktop"):
        page.fill("#find", "CARD_LOST_STOLEN")
        assert page.locator(".code-card:visible").count() == 1
        page.fill("#find", "no such words at all")
        assert WORDS[locale]["none"] in page.inner_text("main")
