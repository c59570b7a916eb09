"""The forms of a policy's tables answer nobody whose role doesn't make policies, whatever is on the form."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize("path", ["new", "0", "0/up", "0/remove", "new/check"])
def test_who_makes_no_policies_gets_no_row_to_read(browser: Any, ref: Any, path: str) -> None:
    visitor = browser()
    visitor.send(
        visitor.get("/console/sign-in"), "/console/sign-in", sign_in_name="support", password="a staff password"
    )
    kept = dict(visitor.get("/console").page.form("/console/find").fields)
    fields = {"csrf": kept["csrf"], "rule_id": "", "above": "0", "revision": "1", "why": "a look"}
    answer = visitor.post(f"/console/policies/{ref.policy.number}/tables/goods/rows/{path}", fields)
    assert answer.status == 403 and "NOT_ALLOWED" in answer.text
    assert ref.policy.table("goods").rows[0].rule_id not in answer.text
