"""API keys over HTTP: the first from an operator, further ones from a key; shown once, listed, limited, revoked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.api.door import PASSWORD, no
from tests.webhooks.shop import key_of

from fenqi import merchant, staff
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.merchant import Scope
from fenqi.staff import Role


@pytest.fixture(scope="module")
def of_role(door):
    async def hired():
        by = By("system:test", "the team", door.ctx.now())
        async with door.ctx.database.transaction() as tx:
            for role in (Role.OPERATOR, Role.SUPPORT):
                await staff.hire(tx, new_id(), f"keys.{role}", f"Keys {role}", PASSWORD, [role], by)

    def token(role):
        return door.post("/v1/staff/sessions", {"name": f"keys.{role}", "password": PASSWORD})["access_token"]

    door.run(hired())
    return token


@pytest.fixture(scope="module")
def sellers(door):
    return sorted(door.ctx.reference.newest.sellers)[:2]


def test_an_operator_makes_the_first_key_and_says_why(door, sellers, of_role):
    path = f"/v1/merchants/{sellers[0]}/api-keys"
    asked = {"label": "till", "scopes": ["payments:read", "keys:manage"], "why": "joined the mall"}
    no(door.call("POST", path, asked, of_role(Role.SUPPORT)), 403, "NOT_ALLOWED")
    operator = of_role(Role.OPERATOR)
    no(door.call("POST", path, {**asked, "why": ""}, operator), 422, "WHY_REQUIRED")
    no(door.call("POST", f"/v1/merchants/{new_id()}/api-keys", asked, operator), 404, "MERCHANT_UNKNOWN")
    made = door.post(path, asked, operator)
    assert made["scopes"] == ["payments:read", "keys:manage"]
    assert door.get("/v1/merchant/payments", made["key"]) == []
    (listed,) = door.get(f"{path}?why=a look", operator)
    assert listed == {name: value for name, value in made.items() if name != "key"} | {"last_used_on": "2026-08-24"}

    async def audits():
        async with door.ctx.database.snapshot() as tx:
            return await staff.audits(tx, f"merchant:{sellers[0]}")

    assert [(one.action, one.why) for one in door.run(audits())] == [
        ("change_merchant", "a look"), ("change_merchant", "joined the mall"),
    ]  # fmt: skip
    assert door.post(f"{path}/{made['key_id']}:revoke", {"why": "left"}, operator)["revoked_at"] is not None
    no(door.call("GET", "/v1/merchant/payments", None, made["key"]), 401, "UNAUTHENTICATED")


def test_a_key_makes_keys_that_can_do_no_more_than_itself(door, sellers):
    own = door.run(key_of(door, sellers[1], Scope.KEYS_MANAGE, Scope.ORDERS_READ))
    made = door.post("/v1/merchant/api-keys", {"label": "shelf", "scopes": ["orders:read"]}, own)
    more = {"label": "till", "scopes": ["orders:read", "refunds:write"]}
    assert no(door.call("POST", "/v1/merchant/api-keys", more, own), 403, "SCOPE_MISSING")["scope"] == "refunds:write"
    assert (
        no(door.call("GET", "/v1/merchant/api-keys", None, made["key"]), 403, "SCOPE_MISSING")["scope"] == "keys:manage"
    )
    listed = door.get("/v1/merchant/api-keys", own)
    assert [one["label"] for one in listed] == ["till", "shelf"]
    assert not {"key", "key_hash"} & set(listed[0])
    assert own not in str(listed) and made["key"] not in str(listed)
    path = f"/v1/merchant/api-keys/{made['key_id']}:revoke"
    other = door.run(key_of(door, sellers[0], Scope.KEYS_MANAGE))
    no(door.call("POST", path, {}, other), 404, "API_KEY_UNKNOWN")
    assert door.post(path, {}, own)["revoked_at"] == "2026-08-24T01:00:00Z"
    no(door.call("POST", path, {}, own), 404, "API_KEY_UNKNOWN")


def test_a_key_ends_and_its_days_are_kept(door, sellers):
    end = (door.ctx.now() + timedelta(days=2)).isoformat()
    own = door.run(key_of(door, sellers[1], Scope.KEYS_MANAGE))
    made = door.post("/v1/merchant/api-keys", {"label": "a while", "scopes": ["keys:manage"], "expires_at": end}, own)
    for day in ("2026-08-24", "2026-08-25"):
        listed = door.get("/v1/merchant/api-keys", made["key"])
        assert {one["last_used_on"] for one in listed if one["key_id"] == made["key_id"]} == {day}
        door.clock.advance(timedelta(days=1))
    no(door.call("GET", "/v1/merchant/api-keys", None, made["key"]), 401, "UNAUTHENTICATED")
    found = door.get("/v1/merchant/api-keys", own)
    assert [one["last_used_on"] for one in found if one["key_id"] == made["key_id"]] == ["2026-08-25"]


@pytest.mark.parametrize(
    "body",
    [
        {"label": "", "scopes": ["orders:read"]},
        {"label": "x" * 61, "scopes": ["orders:read"]},
        {"label": "till", "scopes": []},
        {"label": "till", "scopes": ["everything"]},
        {"label": "till", "scopes": ["keys:manage"], "expires_at": "2026-08-24T01:00:00"},
    ],
)
def test_a_malformed_key_is_refused(door, sellers, body):
    own = door.run(key_of(door, sellers[1]))
    no(door.call("POST", "/v1/merchant/api-keys", body, own), 422, "REQUEST_MALFORMED")


def test_the_past_is_no_end(door, sellers):
    own = door.run(key_of(door, sellers[1]))
    body = {"label": "till", "scopes": ["keys:manage"], "expires_at": "2026-08-24T00:59:59Z"}
    no(door.call("POST", "/v1/merchant/api-keys", body, own), 422, "API_KEY_INVALID")


def test_a_key_is_kept_as_its_hash_alone(door, sellers):
    key = door.run(key_of(door, sellers[0]))

    async def rows():
        async with door.ctx.database.snapshot() as tx:
            found = await tx.execute("SELECT merchant_api_key::text FROM merchant_api_key")
            return str(await found.fetchall()), await merchant.get_history(tx, sellers[0])

    stored, history = door.run(rows())
    assert key not in stored and key.removeprefix("fq_") not in stored
    assert key not in str(history)
