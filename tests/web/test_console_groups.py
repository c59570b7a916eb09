"""Groups on a consumer's page: noted and withdrawn by who may, with the reason on record."""

from __future__ import annotations

from typing import Any

import pytest
from tests import world
from tests.web.test_console import enter

from fenqi import customer, staff


@pytest.fixture
def buyer(ctx: Any, run: Any) -> Any:
    (found,) = run(world.people(ctx, 1))
    return found


def seen_by(browser: Any, role: str, buyer: Any, locale: str = "en") -> tuple[Any, Any]:
    """Somebody of the staff who has said why, on the consumer's page."""
    visitor = enter(browser, role, locale)
    found = visitor.send(visitor.get("/console"), "/console/find", what=str(buyer), why="the buyer called")
    assert found.path == f"/console/consumers/{buyer}" and found.page.faults == []
    return visitor, found


def segments(ctx: Any, run: Any, buyer: Any) -> Any:
    async def read() -> Any:
        async with ctx.database.snapshot() as tx:
            return (await customer.get(tx, buyer)).segments, await staff.audits(tx, f"consumer:{buyer}")

    return run(read())


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_support_notes_a_group_and_withdraws_it(browser: Any, ctx: Any, run: Any, buyer: Any, locale: str) -> None:
    visitor, page = seen_by(browser, "support", buyer, locale)
    path = f"/console/consumers/{buyer}"
    noted = visitor.send(page, f"{path}/grant", segment="student_parent", why="saw the enrolment")
    assert (noted.path, noted.status) == (path, 200) and noted.page.faults == []
    assert "saw the enrolment" in noted.text
    groups, audits = segments(ctx, run, buyer)
    assert groups == ("student_parent",)
    assert ("saw the enrolment", {"verb": "grant_segment", "segment": "student_parent"}) in [
        (each.why, each.detail) for each in audits if each.action == "change_consumer"
    ]
    gone = visitor.send(noted, f"{path}/withdraw", segment="student_parent", why="it was last year's")
    assert gone.page.faults == [] and segments(ctx, run, buyer)[0] == ()


def test_without_a_reason_or_a_group_of_policy_nothing_is_noted(browser: Any, ctx: Any, run: Any, buyer: Any) -> None:
    visitor, page = seen_by(browser, "support", buyer)
    path = f"/console/consumers/{buyer}/grant"
    assert visitor.send(page, path, segment="teacher", why=" ").status == 422
    assert visitor.send(page, path, segment="king", why="he said so").status == 422
    assert segments(ctx, run, buyer)[0] == ()


def test_accountants_note_no_groups(browser: Any, ctx: Any, run: Any, buyer: Any) -> None:
    _, page = seen_by(browser, "accountant", buyer)
    assert f"/console/consumers/{buyer}/grant" not in [form.action for form in page.page.forms]
