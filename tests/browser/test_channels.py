"""Paying through channels in a browser, on a phone's width and on a desk, in both languages: the buyer's page and the
wallet's beside it, with notices and jobs as they are. FENQI_SHOTS names a directory for pictures of every page.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.browser.channel_site import PASSWORD, Site, serving

from fenqi.channels.bank_card.gateway.page import GOOD_CARD

SIZES = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
KINDS = [(size, locale) for size in SIZES for locale in ("zh-CN", "en")]
SHOTS = os.environ.get("FENQI_SHOTS", "")
PAID = {"zh-CN": "付款成功", "en": "Payment done"}


@pytest.fixture(scope="module")
def site(urls: Any, chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(urls.app, tmp_path_factory.mktemp("gateway"), len(KINDS)) as found:
        yield found


class Walker:
    """Somebody at a window of some size, in a language."""

    def __init__(self, chromium: Any, site: Site, size: str, locale: str, name: str, **more: Any) -> None:
        self.site, self.size, self.locale = site, size, locale
        self.window = chromium.new_context(viewport=SIZES[size], locale=locale, base_url=site.url, **more)
        self.page = self.window.new_page()
        self.page.set_default_timeout(15_000)
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._hear)
        self.page.goto("/sign-in")
        self.page.fill("#sign_in_name", name)
        self.page.fill("#password", PASSWORD)
        self.page.locator('form[action="/sign-in"] button').click()

    def _hear(self, said: Any) -> None:
        """Errors on pages of ours."""
        if said.type == "error" and said.location["url"].startswith(self.site.url):
            self.wrong.append(said.text)

    def says(self, zh: str, en: str) -> str:
        return zh if self.locale == "zh-CN" else en

    def order(self) -> None:
        """Buy the dearest of the cheap phones in the mall, up to the cashier."""
        self.page.goto("/category/phone?scene=mall&order=cheapest&at_most=3000")
        self.page.locator(".goods h3 a").last.click()
        self.page.locator("button[value=checkout]").click()
        self.page.locator('form[action="/orders"] button').click()
        assert "/cashier/" in self.page.url

    def press(self, method: str, plan: str = "") -> None:
        if plan:
            self.page.locator(f'#{method} input[value="{plan}"]').check()
        self.page.locator(f'#{method} form[action$="/pay"] button').click()

    def shot(self, name: str, page: Any = None) -> None:
        """A picture, if pictures are wanted; and nothing sticks out to the side."""
        page = page or self.page
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        if SHOTS:
            Path(SHOTS).mkdir(exist_ok=True, parents=True)
            page.screenshot(path=f"{SHOTS}/{name}-{self.size}-{self.locale}.png", full_page=True)

    def comes(self, heading: str) -> None:
        """Wait for the page to say so by itself."""
        self.page.wait_for_function("said => document.querySelector('h1')?.textContent.includes(said)", arg=heading)

    def close(self) -> None:
        self.window.close()
        assert self.wrong == []


@pytest.fixture(params=KINDS, ids=lambda kind: "-".join(kind))
def walker(request: pytest.FixtureRequest, chromium: Any, site: Site) -> Iterator[Walker]:
    size, locale = request.param
    found = Walker(chromium, site, size, locale, site.buyers[KINDS.index(request.param)])
    yield found
    site.control.clear_faults()
    found.close()


def test_a_code_is_scanned_with_another_device(walker: Walker, chromium: Any) -> None:
    walker.order()
    walker.shot("cashier")
    walker.press("wechat_pay")
    walker.comes(walker.says("等待付款", "Waiting for your payment"))
    assert walker.page.locator("svg.code path").count() == 1
    walker.shot("code")
    phone = chromium.new_context(viewport=SIZES["phone"], locale=walker.locale).new_page()
    phone.goto(walker.page.locator(".scan a").get_attribute("href"))
    walker.shot("wechat-wallet", phone)
    phone.locator("button.go").click()
    walker.comes(PAID[walker.locale])
    walker.shot("paid")
    phone.context.close()


def test_a_wallets_own_page_pays_and_leads_back(walker: Walker) -> None:
    walker.order()
    walker.press("alipay", "hb_3")
    walker.page.wait_for_url(re.compile("/alipay/"))
    walker.shot("alipay-wallet")
    walker.page.locator("button.go").click()
    walker.page.wait_for_url(re.compile("/payments/"))
    walker.comes(PAID[walker.locale])
    walker.page.goto(walker.page.url.partition("?")[0])
    walker.page.locator('a[href^="/orders/"]').last.click()
    walker.shot("order-paid")


def test_whoever_comes_back_unpaid_finds_the_way_again(walker: Walker) -> None:
    walker.order()
    walker.press("alipay", "full")
    walker.page.wait_for_url(re.compile("/alipay/"))
    walker.page.goto(walker.site.url + "/orders")
    walker.page.locator(".order-card a").first.click()
    walker.shot("order-open")
    walker.page.locator('a[href^="/payments/"]').first.click()
    walker.comes(walker.says("等待付款", "Waiting for your payment"))
    walker.shot("redirect")
    walker.page.goto(walker.page.url)
    assert "/payments/" in walker.page.url, "nobody is led away a second time"
    walker.page.locator('form[action$="/cancel"] button').click()
    walker.page.wait_for_url(re.compile("/cashier/"))
    walker.shot("cashier-again")


def test_a_bound_card_and_a_refund_followed(walker: Walker) -> None:
    walker.order()
    walker.press("bank_card")
    walker.comes(PAID[walker.locale])
    walker.page.locator('a.button[href^="/orders/"]').click()
    walker.page.locator("details:has(form[action$='/refund']) > summary").click()
    walker.page.fill("#amount", "100")
    walker.page.locator('form[action$="/refund"] button').click()
    walker.page.goto(walker.page.url.partition("?")[0])
    assert walker.says("已申请", "Asked for") in walker.page.inner_text(".track")
    walker.shot("refund")


def test_credit_and_a_wallet_share_an_order(walker: Walker) -> None:
    walker.order()
    walker.page.locator("#mix > summary").click()
    walker.page.locator("#part_method").select_option("wechat_pay")
    walker.page.fill("#part", "500")
    walker.page.locator("#mix form button").click()
    walker.shot("cashier-mixed")
    walker.press("credit", "instalment_3")
    walker.comes(walker.says("等待付款", "Waiting for your payment"))
    walker.shot("code-mixed")
    _pay(walker)
    walker.comes(PAID[walker.locale])
    assert walker.page.locator('a[href^="/credit/loans/"]').count()
    walker.shot("paid-mixed")


def test_silence_turns_into_certainty_by_itself(walker: Walker) -> None:
    walker.order()
    walker.site.control.set_fault("wechat_pay", "timeout_after", "pay", 1, seconds="8")
    walker.site.control.set_fault("wechat_pay", "down", "query", -1)
    walker.press("wechat_pay")
    walker.comes(walker.says("正在确认付款结果", "Confirming your payment"))
    walker.shot("unknown")
    walker.site.control.clear_faults()
    _pay(walker)
    walker.comes(PAID[walker.locale])


def test_a_payment_is_given_up(walker: Walker) -> None:
    walker.order()
    walker.press("wechat_pay")
    walker.comes(walker.says("等待付款", "Waiting for your payment"))
    here = walker.page.url
    walker.page.locator('form[action$="/cancel"] button').click()
    walker.page.wait_for_url(re.compile("/cashier/"))
    walker.page.goto(here)
    walker.comes(walker.says("付款已关闭", "This payment is closed"))
    walker.shot("closed")


def test_a_top_up_waits_for_its_bank(walker: Walker) -> None:
    walker.site.control.set_fault("bank_card", "timeout_after", "pay", 1, seconds="8")
    walker.site.control.set_fault("bank_card", "down", "query", -1)
    walker.site.control.set_fault("bank_card", "no_notice", "notice.payment", -1)
    walker.page.goto("/money")
    walker.page.fill("#amount", "88")
    walker.page.locator('form[action="/money/top-up"] button').click()
    walker.page.wait_for_url(re.compile("/money/attempts/"))
    walker.shot("top-up-unknown")
    walker.site.control.clear_faults()
    walker.comes(walker.says("已完成", "Done"))
    walker.shot("top-up-done")


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_card_without_money_is_declined_in_words(chromium: Any, site: Site, locale: str) -> None:
    for size in SIZES:
        walker = Walker(chromium, site, size, locale, site.short[locale == "en"])
        walker.order()
        if walker.page.locator('#bank_card form[action$="/pay"]').count():
            walker.press("bank_card")
            walker.comes(walker.says("没有付成", "Not paid"))
            walker.shot("declined")
            walker.page.locator('ul.list a[href*="#"]').first.click()
            walker.page.wait_for_url(re.compile("/cashier/"))
        walker.shot("cashier-declined")
        walker.close()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_phone_goes_to_the_wallet_and_the_sheet_opens_inside_it(chromium: Any, site: Site, locale: str) -> None:
    phone = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    buyer = site.buyers[locale == "en"]
    walker = Walker(chromium, site, "phone", locale, buyer, user_agent=phone, is_mobile=True, has_touch=True)
    walker.order()
    walker.shot("cashier-mobile")
    walker.press("wechat_pay")
    walker.page.wait_for_url(re.compile("/wechat_pay/"))
    walker.shot("wechat-wap")
    walker.close()

    inside = Walker(chromium, site, "phone", locale, buyer, user_agent=f"{phone} MicroMessenger/8.0", is_mobile=True)
    inside.page.add_init_script(
        "window.WeixinJSBridge = {invoke: (name, fields) => { window.asked = [name, Object.keys(fields).sort()] }}"
    )
    inside.order()
    inside.press("wechat_pay")
    inside.page.wait_for_function("window.asked")
    names = ["appId", "nonceStr", "package", "paySign", "signType", "timeStamp"]
    assert inside.page.evaluate("window.asked") == ["getBrandWCPayRequest", names]
    inside.shot("sheet")
    inside.close()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_a_form_goes_to_the_bank_by_itself_and_the_banks_form_comes_back(
    chromium: Any, site: Site, locale: str
) -> None:
    walker = Walker(chromium, site, "desktop", locale, site.buyers[locale == "en"])
    walker.order()
    walker.press("wechat_pay")
    walker.comes(walker.says("等待付款", "Waiting for your payment"))
    here = walker.page.url.partition("?")[0]
    site.lead_to_the_bank(_trade(walker).trade.out_no, here)
    walker.page.goto(here)
    walker.shot("form")
    walker.page.goto(f"{here}?go=1")
    walker.page.wait_for_url(re.compile("/bank_card/"))
    walker.shot("unionpay")
    walker.page.fill("[name=number]", GOOD_CARD)
    walker.page.locator("button").first.click()
    walker.page.wait_for_url(here)
    walker.comes(walker.says("等待付款", "Waiting for your payment"))
    walker.close()


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_everything_works_without_scripts(chromium: Any, site: Site, locale: str) -> None:
    name = site.buyers[2 + (locale == "en")]
    walker = Walker(chromium, site, "phone", locale, name, java_script_enabled=False)
    walker.order()
    walker.press("wechat_pay")
    assert walker.page.locator("svg.code").count() == 1
    _pay(walker)
    walker.page.locator("h1", has_text=PAID[locale]).wait_for()  # the page renews itself

    walker.order()
    walker.press("alipay", "full")
    walker.page.locator("a[href*='/alipay/']").click()
    walker.page.locator("button.go").click()
    walker.page.locator("h1", has_text=PAID[locale]).wait_for()
    walker.close()


def _trade(walker: Walker) -> Any:
    """The newest trade at WeChat Pay."""
    return walker.site.control.trades(channel="wechat_pay")[0]


def _pay(walker: Walker) -> None:
    walker.site.control.pay(_trade(walker).trade.trade_no)
