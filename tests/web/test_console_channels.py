"""The console's pages for channels on running gateways: what they show, who may act, and that every act says why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.counter import Counter
from tests.web.test_console import enter, look

LOCALES = ["zh-CN", "en"]


@pytest.fixture(scope="module")
def counter(database: Any, run: Any, tmp_path_factory: Any) -> Iterator[Counter]:
    """A mall with gateways, and a payment in each state."""

    async def fill(made: Counter) -> None:
        await made.open()
        await made.tell_merchant()
        await made.pay("paid", "alipay")
        await made.pay("mixed", "credit", 0, plan="instalment_12", part_by=("wechat_pay", 100_000))
        await made.buy("waits", "alipay", 2)
        await made.unknown("unknown")
        await made.stuck("stuck")
        await made.park()
        await made.forge(made.tries["waits"])
        await made.relay()

    made = Counter(database, tmp_path_factory.mktemp("gateway"))
    run(fill(made))
    yield made
    run(made.close())


@pytest.fixture(scope="module")
def ctx(counter: Counter) -> Any:
    """The counter's context instead of the usual world's."""
    return counter.ctx


@pytest.fixture(scope="module")
def ref(counter: Counter) -> Any:
    """Furnished already."""
    return counter.ctx.reference.newest


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_sound_in_both_languages(browser: Any, counter: Counter, locale: str) -> None:
    visitor = enter(browser, "operator", locale)
    for path in ("/console/matters", "/console/channels", "/console/notices", "/console/webhooks", "/console/gateways"):
        answer = visitor.get(path)
        assert (answer.status, answer.page.faults) == (200, []), path
    for name, begun in counter.tries.items():
        answer = look(visitor, begun.attempt_no)
        assert (answer.path, answer.status, answer.page.faults) == (f"/console/payments/{begun.attempt_no}", 200, []), name
    for begun in counter.tries.values():
        answer = visitor.get(f"/console/channels/{begun.passage}")
        assert (answer.status, answer.page.faults) == (200, [])


@pytest.mark.parametrize("locale", LOCALES)
def test_notices_are_shown_as_they_came(browser: Any, locale: str) -> None:
    visitor = enter(browser, "support", locale)
    for state in ("done", "parked", "refused"):
        page = visitor.get(f"/console/notices?state={state}")
        links = [link for link in page.page.links if link.startswith("/console/notices/")]
        assert links, state
        for link in links:
            one = visitor.get(link)
            assert (one.status, one.page.faults) == (200, [])
            assert one.path == link or state == "done"
    assert visitor.get("/console/notices?state=received").page.faults == []
