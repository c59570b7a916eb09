"""Back-tests in the console: ordered with a reason by who makes policy, followed while they run, read when done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.flows.trade import trade
from tests.web.test_console import LOCALES, enter

from fenqi import staff
from fenqi.flows import backtests

WHY = "sales asks for gold on credit"


@pytest.fixture(scope="module")
def traded(ctx: Any, ref: Any, run: Any, tmp_path_factory: Any) -> Any:
    """A little trade, looked back at from a while later."""
    ctx.settings = replace(ctx.settings, data_dir=tmp_path_factory.mktemp("data"))
    run(trade(ctx, 40, seed=2))
    ctx.clock.advance(timedelta(hours=2))


def order(visitor: Any, **typed: str) -> Any:
    page = visitor.get("/console/backtests")
    return visitor.send(page, "/console/backtests", **{"why": WHY, **typed})


@pytest.mark.parametrize("locale", LOCALES)
def test_a_loosened_rule_is_tested_and_its_result_read(
    browser: Any, ctx: Any, traded: Any, run: Any, locale: str
) -> None:
    visitor = enter(browser, "risk", locale)
    asked = order(visitor, rule="credit-no-gold", days="7")
    assert asked.path.startswith("/console/backtests/") and asked.page.faults == []
    assert "<progress" in asked.text and 'http-equiv="refresh"' in asked.text
    far = visitor.http
    answer = run(far.get(f"{asked.path}/progress"))
    assert (answer.json()["percent"], answer.json()["is_open"]) == (0, True)
    assert run(backtests.run_next(ctx))
    done = visitor.get(asked.path)
    assert done.status == 200 and done.page.faults == []
    assert "<progress" not in done.text and "credit-no-gold" in done.text
    assert run(far.get(f"{asked.path}/progress")).json()["is_open"] is False
    listed = visitor.get("/console/backtests")
    assert listed.page.faults == [] and asked.path in listed.text and WHY in listed.text


def test_ordering_is_kept_with_its_reason(browser: Any, ctx: Any, traded: Any, run: Any) -> None:
    async def audits() -> Any:
        async with ctx.database.snapshot() as tx:
            return await staff.audits(tx, "policy:credit-no-gold")

    kept = run(audits())
    assert [(each.action, each.why) for each in kept] == [("make_policy", WHY)] * len(kept)
    assert kept


def test_the_same_form_sent_twice_is_one_back_test(browser: Any, ctx: Any, traded: Any, run: Any) -> None:
    visitor = enter(browser, "risk")
    page = visitor.get("/console/backtests")
    first, again = (visitor.send(page, "/console/backtests", why=WHY, rule="credit-grocery") for _ in range(2))
    assert first.path == again.path
    assert run(backtests.run_next(ctx))
    assert not run(backtests.run_next(ctx))


def test_what_can_t_be_tested_is_said_on_the_form(browser: Any, traded: Any) -> None:
    visitor = enter(browser, "risk")
    for typed in ({"rule": "no-such-rule"}, {"rule": "income-2000"}, {"rule": ""}):
        refused = order(visitor, **typed)
        assert refused.status >= 400 and refused.page.faults == []
        assert refused.path == "/console/backtests"


def test_who_may_only_see_policy_orders_nothing(browser: Any, traded: Any) -> None:
    visitor = enter(browser, "operator")
    page = visitor.get("/console/backtests")
    assert page.status == 200 and page.page.faults == []
    assert 'name="rule"' not in page.text
    assert enter(browser, "support").get("/console/backtests").status == 403


def test_the_lost_money_page_s_link_fills_the_form_in(browser: Any, traded: Any) -> None:
    page = enter(browser, "risk").get("/console/backtests?loosen=credit-no-gold&days=90")
    assert 'value="credit-no-gold"' in page.text
    assert '<option value="90" selected>' in page.text
