"""怎么回事 in pages: the buyer's own, support's one screen, and the dictionary that everybody may read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests import world
from tests.web.test_console import enter, look

from fenqi.flows import quote
from fenqi.kernel.reason import CODES
from fenqi.texts import published

LOCALES = ["zh-CN", "en"]


@pytest.fixture(scope="module")
def gold(ctx: Any, ref: Any, run: Any) -> Any:
    """An order of gold, looked at in the cashier: credit doesn't buy it."""

    async def make() -> Any:
        (buyer,) = await world.people(ctx, 1)
        await world.give_line(ctx, buyer)
        placed = await world.buy(ctx, buyer, [world.wish(ref, "gold", "mall", most_minor=500_000)], "mall")
        await quote.quote(ctx, buyer, placed.intent_id)
        return placed

    return run(make())


@pytest.fixture(scope="module")
def stranger(ctx: Any, ref: Any, run: Any) -> Any:
    """Somebody else."""

    async def make() -> Any:
        (buyer,) = await world.people(ctx, 1, skip=1)
        return buyer

    return run(make())


@pytest.mark.parametrize("locale", LOCALES)
def test_the_buyer_reads_why_and_can_go_on(browser: Any, gold: Any, names: Any, locale: str) -> None:
    visitor = browser(locale)
    visitor.sign_in(names(gold.order.consumer_id))
    page = visitor.get(f"/why/{gold.order.number}")
    assert page.status == 200 and page.page.faults == []
    assert gold.order.number in page.page.words
    assert ("黄金首饰不能用白条购买" if locale == "zh-CN" else "Gold jewellery can't be bought") in page.page.words
    assert [link for link in page.page.links if link.startswith(f"/cashier/{gold.intent_id}")]
    assert f"/why/{gold.order.number}" in visitor.get(f"/orders/{gold.order.order_id}").page.links
    assert f"/why/{gold.order.number}" in visitor.get(f"/cashier/{gold.intent_id}").page.links


def test_nobody_reads_why_of_another_buyers_order(browser: Any, gold: Any, stranger: Any, names: Any) -> None:
    visitor = browser()
    visitor.sign_in(names(stranger))
    for path in (f"/why/{gold.order.number}", f"/why/limit/{gold.order.consumer_id}", "/why/ZZZZZZZZZZ"):
        missing = visitor.get(path)
        assert missing.status == 404 and missing.page.faults == []
    own = visitor.get(f"/why/limit/{stranger}")
    assert own.status == 200 and own.page.faults == []
    assert browser().get(f"/why/{gold.order.number}").path == "/sign-in"


@pytest.mark.parametrize("locale", LOCALES)
def test_support_answers_on_one_screen(browser: Any, gold: Any, locale: str) -> None:
    visitor = enter(browser, "support", locale)
    page = look(visitor, gold.order.number)
    assert page.path == f"/console/orders/{gold.order.number}" and page.page.faults == []
    for words in ("黄金首饰不能用白条购买", "Gold jewellery can't be bought with Fenqi Credit"):
        assert words in page.page.words
    assert "GOODS_CATEGORY_EXCLUDED" in page.page.words
    assert ("结论逐字节一致" if locale == "zh-CN" else "identical, byte for byte") in page.page.words
    assert "RISK" not in page.page.words
    layers = visitor.get(f"{page.path}/decisions")
    assert layers.status == 200 and layers.page.faults == []
    person = look(visitor, str(gold.order.consumer_id))
    assert person.path == f"/console/consumers/{gold.order.consumer_id}"
    limit = visitor.get(f"/console/why/limit/{gold.order.consumer_id}")
    assert limit.status == 200 and limit.page.faults == [] and "¥50,000.00" in limit.page.words


@pytest.mark.parametrize("what", ["payment/nonsense", "nothing/1", "refund/0197f3f0-0000-7000-8000-000000000000"])
def test_unknown_things_are_not_found(browser: Any, what: str) -> None:
    visitor = enter(browser, "support")
    missing = visitor.get(f"/console/why/{what}")
    assert missing.status == 404 and missing.page.faults == []


@pytest.mark.parametrize("locale", LOCALES)
def test_the_dictionary_has_every_code(browser: Any, locale: str) -> None:
    page = browser(locale).get("/reasons")
    assert page.status == 200 and page.page.faults == []
    assert not [code for code in CODES if f'id="{code}"' not in page.text]


def test_the_dictionary_is_published_for_programs(browser: Any) -> None:
    answer = browser().get("/reasons.json")
    assert answer.headers["content-type"] == "application/json"
    found = json.loads(answer.text)
    assert [one["code"] for one in found["codes"]] == list(CODES)
    assert (found["version"], found["sha256"]) == (published.kept().version, published.version().sha256)
