"""Back-tests by the API: ordered once under a key, read while they wait and when they are done, by those who may."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest
from tests.api.door import PASSWORD, new_key, no
from tests.flows.trade import trade

from fenqi import staff
from fenqi.flows import backtests
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.staff import Role

ASKED = {"loosen": "credit-no-gold", "days": 7, "why": "sales asks for gold on credit"}


@pytest.fixture(scope="module")
def tokens(door, run, tmp_path_factory):
    """Ann, who makes policy, and Oli, who sees it; and a little trade to look back at."""
    ctx = door.ctx
    ctx.settings = dataclasses.replace(ctx.settings, data_dir=tmp_path_factory.mktemp("data"))

    async def set_up():
        found = []
        async with ctx.database.transaction() as tx:
            for name, role in (("bt.ann", Role.RISK), ("bt.oli", Role.OPERATOR)):
                await staff.hire(tx, new_id(), name, name, PASSWORD, [role], By("system:test", "hired", ctx.now()))
                found.append((await staff.sign_in(tx, name, PASSWORD, ctx.now())).token)
        await trade(ctx, 20, seed=4, skip=60)
        ctx.clock.advance(timedelta(hours=1))
        return found

    return run(set_up())


def test_a_back_test_is_ordered_run_and_read(door, run, tokens):
    ann, oli = tokens
    key = new_key()
    asked = door.post("/v1/backtests", ASKED, ann, key)
    assert (asked["state"], asked["percent"], asked["loosen"]) == ("asked", 0, "credit-no-gold")
    assert door.post("/v1/backtests", ASKED, ann, key) == asked
    assert run(backtests.run_next(door.ctx))
    done = door.get(f"/v1/backtests/{asked['backtest_id']}", oli)
    assert (done["state"], done["percent"], done["why"]) == ("done", 100, ASKED["why"])
    assert done["sentence"].startswith("Rule credit-no-gold would have let everything through")
    assert done["report"]["figures"]["disagreed"] == 0
    assert done["report"]["figures"]["rows"] > 200
    (listed,) = door.get("/v1/backtests", oli)["backtests"]
    assert listed["backtest_id"] == asked["backtest_id"] and "report" not in listed


def test_who_may_not_is_refused(door, tokens):
    _, oli = tokens
    no(door.call("POST", "/v1/backtests", ASKED, oli, key=new_key()), 403, "NOT_ALLOWED")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"loosen": "no-such"}, 404, "RULE_UNKNOWN"),
        ({"policy": "2026-1"}, 422, "BACKTEST_INVALID"),
        ({"loosen": ""}, 422, "BACKTEST_INVALID"),
        ({"days": 0}, 422, "REQUEST_MALFORMED"),
    ],
)
def test_nonsense_is_refused(door, tokens, changed, status, code):
    no(door.call("POST", "/v1/backtests", {**ASKED, **changed}, tokens[0], key=new_key()), status, code)


def test_an_unknown_one_is_not_found(door, tokens):
    no(door.call("GET", f"/v1/backtests/{new_id()}", None, tokens[0]), 404, "BACKTEST_UNKNOWN")
