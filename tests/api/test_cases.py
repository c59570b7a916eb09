"""Cases by the API: a buyer asks with a file, two clerks decide, everything replays, and nobody sees another's."""

from __future__ import annotations

import base64

import pytest
from tests import world
from tests.api.door import PASSWORD, new_key, no

from fenqi import staff
from fenqi.kernel.ids import new_id
from fenqi.staff import Role

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
FILE = {"name": "payslip.png", "content": base64.b64encode(PNG).decode()}


@pytest.fixture(scope="module")
def clerks(door):
    """Tokens of two clerks of risk and one of support."""

    async def hired():
        async with door.ctx.database.transaction() as tx:
            for name, role in (("anna", Role.RISK), ("bob", Role.RISK), ("cyd", Role.SUPPORT)):
                await staff.hire(tx, new_id(), f"case.{name}", name.title(), PASSWORD, [role], world.BY)

    door.run(hired())
    return [
        door.post("/v1/staff/sessions", {"name": f"case.{name}", "password": PASSWORD})["access_token"]
        for name in ("anna", "bob", "cyd")
    ]


@pytest.fixture(scope="module")
def buyers(door):
    """Tokens of two people with a line."""

    async def made():
        found = await world.people(door.ctx, 2, skip=20)
        for consumer_id in found:
            await world.give_line(door.ctx, consumer_id)
        return found

    return [door.token_of(one) for one in door.run(made())]


def test_a_higher_limit_from_the_request_to_the_replay(door, clerks, buyers):
    buyer, other = buyers
    anna, bob, cyd = clerks
    body = {"route": "raise_limit", "text": "More, please", "wanted_minor": 6_000_000, "files": [FILE]}
    key = new_key()
    asked = door.post("/v1/cases", body, buyer, key=key)
    assert door.post("/v1/cases", body, buyer, key=key) == asked
    number = asked["case"]["number"]
    assert (asked["case"]["kind"], asked["case"]["state"]) == ("raise_limit", "open")
    assert [one["by"] for one in asked["messages"]] == ["consumer"]
    kept = door.get(f"/v1/cases/{number}/files/{asked['files'][0]['file_id']}", buyer)
    assert base64.b64decode(kept["content"]) == PNG and kept["media_type"] == "image/png"
    no(door.call("GET", f"/v1/cases/{number}", None, other), 404, "CASE_UNKNOWN")
    no(door.call("POST", "/v1/cases", body | {"wanted_minor": 1}, buyer, key=new_key()), 409, "LIMIT_NOT_RAISED")

    at = f"/v1/staff/cases/{number}"
    no(door.call("POST", f"{at}:claim", {"why": "mine"}, cyd), 403, "NOT_ALLOWED")
    no(door.call("GET", at, None, anna), 422, "WHY_REQUIRED")
    assert number in {one["number"] for one in door.get("/v1/staff/cases?kind=raise_limit", cyd)}
    door.post(f"{at}:claim", {"why": "my turn"}, anna)
    mark = door.get(f"{at}?why=deciding", anna)["mark"]
    wanted = {"outcome": "approved", "limit_minor": 5_500_000, "told": "Granted.", "why": "paid well", "mark": mark}
    no(door.call("POST", f"{at}:decide", wanted | {"mark": "x"}, anna), 409, "CASE_CHANGED")
    no(door.call("POST", f"{at}:decide", wanted | {"limit_minor": 10**12}, anna), 422, "AMOUNT_INVALID")
    done = door.post(f"{at}:decide", wanted, anna)
    assert (done["case"]["state"], done["decision"]["stage"]) == ("proposed", "proposed")
    assert door.get(f"/v1/cases/{number}", buyer)["case"]["state"] == "in_hand", "a second look is ours alone"
    mark = door.get(f"{at}?why=seconding", bob)["mark"]
    no(door.call("POST", f"{at}:agree", {"why": "yes", "mark": mark}, anna), 403, "SAME_PERSON")
    done = door.post(f"{at}:agree", {"why": "yes", "mark": mark}, bob)
    assert (done["case"]["outcome"], done["decision"]["stage"]) == ("approved", "decided")
    limits = door.get("/v1/credit", buyer)["limits"]
    assert [one["ceiling_minor"] for one in limits] == [5_500_000]
    replayed = door.post(f"{at}:replay", {"why": "an audit"}, cyd)
    assert (replayed["identical"], replayed["decisions_count"], replayed["faults"]) == (True, 2, [])
    told = door.get(f"/v1/cases/{number}", buyer)
    assert sorted(one["text"] for one in told["messages"]) == ["Granted.", "More, please"]
    no(door.call("POST", f"/v1/cases/{number}:withdraw", {}, buyer), 409, "STATE_CONFLICT")


def test_asking_back_and_taking_back(door, clerks, buyers):
    buyer, cyd = buyers[1], clerks[2]
    number = door.post("/v1/cases", {"route": "contact_support", "text": "Where is it?"}, buyer, key=new_key())["case"][
        "number"
    ]
    at = f"/v1/staff/cases/{number}"
    door.post(f"{at}:claim", {"why": "my turn"}, cyd)
    door.post(f"{at}/messages", {"text": "Calls often.", "audience": "staff"}, cyd)
    mark = door.get(f"{at}?why=asking", cyd)["mark"]
    assert door.post(f"{at}:ask", {"text": "Which order?", "why": "there are two", "mark": mark}, cyd)["left_minutes"]
    seen = door.get(f"/v1/cases/{number}", buyer)
    assert seen["case"]["state"] == "waiting" and "Calls often." not in str(seen)
    key = new_key()
    for _ in range(2):
        seen = door.post(f"/v1/cases/{number}/messages", {"text": "The second."}, buyer, key=key)
    assert seen["case"]["state"] == "in_hand"
    assert sorted(one["text"] for one in seen["messages"]) == ["The second.", "Where is it?", "Which order?"]
    odd = {"name": "x.html", "content": base64.b64encode(b"<script>").decode()}
    no(door.call("POST", f"/v1/cases/{number}/files", odd, buyer, key=new_key()), 422, "FILE_TYPE_UNKNOWN")
    assert door.post(f"/v1/cases/{number}/files", FILE, buyer, key=new_key())["files"][0]["size_bytes"] == len(PNG)
    assert door.post(f"/v1/cases/{number}:withdraw", {}, buyer)["state"] == "withdrawn"
    assert [one["number"] for one in door.get("/v1/cases", buyer)] == [number]
    no(door.call("GET", "/v1/staff/cases", None, buyer), 403, "FORBIDDEN")
