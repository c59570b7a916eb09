"""Policies by the API: two people take a version from a draft into force, by tables, files, shares and shadows."""

from __future__ import annotations

import base64
import io
from datetime import timedelta

import openpyxl
import pytest
from tests import world
from tests.api.door import PASSWORD, new_key, no

from fenqi import staff
from fenqi.flows import policy_shadow
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.staff import Role

ZH = {"Accept-Language": "zh-CN"}
WHY = {"why": "furniture for parents of students"}
PARENTS = {
    "rule_id": "parents",
    "when": {"method": '"credit"', "category": '"furniture"', "segments": '"student_parent"', "clean_months": ">= 24"},
    "then": {"max_minor": 2_000_000},
}


class Desk:
    """The API as one member of staff calls it."""

    def __init__(self, door, token):
        self.door, self.token = door, token

    def get(self, path):
        return self.door.get(f"/v1/policies{path}", self.token)

    def post(self, path, body, key=None):
        return self.door.post(f"/v1/policies{path}", body, self.token, key=key or new_key())

    def call(self, method, path, body=None, key=None):
        key = (key or new_key()) if method == "POST" else None
        return self.door.call(method, f"/v1/policies{path}", body, self.token, key=key)


@pytest.fixture(scope="module")
def desks(door, run):
    """Ann and Bea of the risk team, and Oli, an operator."""

    async def hired():
        found = {}
        async with door.ctx.database.transaction() as tx:
            for name, role in (("pol.ann", Role.RISK), ("pol.bea", Role.RISK), ("pol.oli", Role.OPERATOR)):
                await staff.hire(tx, new_id(), name, name, PASSWORD, [role], By("system:test", "api", world.AT))
                found[name[4:]] = (await staff.sign_in(tx, name, PASSWORD, door.ctx.now())).token
        return found

    return {name: Desk(door, token) for name, token in run(hired()).items()}


def draft(desk, number):
    return desk.post("", {"number": number, **WHY})


def test_from_a_draft_into_force_and_back(door, desks):
    ann, bea = desks["ann"], desks["bea"]
    key = new_key()
    made = ann.post("", {"number": "api-1", **WHY}, key)
    assert (made["state"], made["revision"], made["based_on"]) == ("draft", 1, "2026-1")
    assert ann.post("", {"number": "api-1", **WHY}, key) == made, "the same key, the same answer"
    no(ann.call("POST", "", {"number": "api-1", "why": "another"}, key), 409, "IDEMPOTENCY_KEY_REUSED")
    no(ann.call("POST", "", {"number": "api-1", **WHY}), 409, "POLICY_EXISTS")
    goods = ann.get("/api-1/tables/goods")["rows"]
    body = {"revision": 1, "rows": [PARENTS, *goods], **WHY}
    saved = door.call("PUT", "/v1/policies/api-1/tables/goods", body, ann.token).json()
    assert saved["revision"] == 2
    no(bea.call("PUT", "/api-1/tables/goods", body), 403, "NOT_THE_MAKER")
    no(ann.call("PUT", "/api-1/tables/goods", {**body, "rows": goods[:1]}), 409, "POLICY_CHANGED")
    no(ann.call("PUT", "/api-1/tables/prices", body), 404, "TABLE_UNKNOWN")
    [change] = ann.get("/api-1/difference")
    assert change["sentence"] == (
        "Goods: the rule parents is new: Payment method Fenqi Credit; Category Furniture; Group of buyers parents of"
        " students; Months without a day overdue ≥ 24 → Up to ¥20,000.00."
    )
    assert (change["change"]["part"], change["change"]["kind"], change["change"]["row"]) == (
        "goods",
        "added",
        "parents",
    )
    [said] = door.call("GET", "/v1/policies/api-1/difference?beside=2026-1", None, ann.token, headers=ZH).json()
    assert said["sentence"].startswith("商品准入：新增规则parents：支付方式为白条；类目为家具；")
    no(ann.call("POST", "/api-1:submit", {"revision": 1, **WHY}), 409, "POLICY_CHANGED")
    assert ann.post("/api-1:submit", {"revision": 2, **WHY})["state"] == "submitted"
    bea.post("/api-1:note", {"why": "who are they?"})
    no(ann.call("POST", "/api-1:approve", {"revision": 2, **WHY}), 403, "SAME_PERSON")
    no(desks["oli"].call("POST", "/api-1:approve", {"revision": 2, **WHY}), 403, "NOT_ALLOWED")
    key, approval = new_key(), {"revision": 2, "effective_at": _at(door, minutes=1), **WHY}
    approved = bea.post("/api-1:approve", approval, key)
    assert bea.post("/api-1:approve", approval, key) == approved
    no(bea.call("POST", "/api-1:approve", approval), 409, "STATE_CONFLICT")
    found = bea.get("")
    assert (found["in_force"], found["next_change_at"]) == ("2026-1", approved["effective_at"])
    door.clock.advance(timedelta(minutes=1))
    assert bea.get("")["in_force"] == "api-1"
    assert bea.post("/api-1:roll-back", {"why": "too soon"})["number"] == "2026-1"
    no(bea.call("POST", "/api-1:roll-back", {"why": "again"}), 409, "POLICY_CHANGED")
    story = bea.get("/api-1")
    assert [step["verb"] for step in story["history"]] == ["draft", "save", "submit", "note", "publish", "roll_back"]
    assert (story["version"]["state"], story["lint"]["faults"], len(story["saves"])) == ("rolled_back", [], 2)
    assert bea.get("/api-1/saves/2") == story["document"] != bea.get("/api-1/saves/1")
    no(bea.call("GET", "/api-1/saves/9"), 404, "POLICY_UNKNOWN")
    no(bea.call("GET", "/nothing"), 404, "POLICY_UNKNOWN")


def _at(door, **more):
    return (door.ctx.now() + timedelta(**more)).isoformat().replace("+00:00", "Z")


def test_a_broken_row_is_kept_in_the_draft_and_can_not_be_handed_in(desks):
    ann = desks["ann"]
    draft(ann, "api-2")
    broken = {**PARENTS, "when": {**PARENTS["when"], "clean_months": "about 24", "colour": '"red"'}}
    rows = [broken, *ann.get("/api-2/tables/goods")["rows"]]
    assert ann.call("PUT", "/api-2/tables/goods", {"revision": 1, "rows": rows, **WHY}).json()["revision"] == 2
    lint = ann.get("/api-2")["lint"]
    assert {(fault["table"], fault["rule_id"], fault["column"]) for fault in lint["cells"]} == {
        ("goods", "parents", "clean_months"), ("goods", "parents", "colour"),
    }  # fmt: skip
    problem = no(ann.call("POST", "/api-2:submit", {"revision": 2, **WHY}), 422, "POLICY_INVALID")
    assert len(problem["faults"]) == 2
    document = ann.get("/api-2")["document"]
    assert ann.call("POST", ":lint", document).json()["faults"] == lint["faults"]
    no(ann.call("POST", ":lint", {**document, "colour": 1}), 422, "REQUEST_MALFORMED")
    assert ann.post("/api-2:withdraw", {"why": "no"})["state"] == "withdrawn"


def test_out_to_a_spreadsheet_and_back(desks):
    ann = desks["ann"]
    draft(ann, "api-3")
    answer = ann.call("GET", "/api-3/file?form=xlsx")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == 'attachment; filename="policy-api-3.xlsx"'
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book["goods"]
    sheet.insert_rows(2)
    names = {cell.value.split(" [")[0]: cell.column for cell in sheet[1]}
    for name, value in {"rule_id": "parents", "method": "credit", "category": "furniture", "segments": "student_parent",
                        "clean_months": ">= 24", "→ max_minor": 2_000_000}.items():  # fmt: skip
        sheet.cell(2, names[name]).value = value
    taken = ann.post("/api-3:import", {"revision": 1, "form": "xlsx", "file": _file(book), **WHY})
    assert taken["revision"] == 2
    assert ann.get("/api-3/tables/goods")["rows"][0] == PARENTS
    sheet.cell(2, names["→ max_minor"]).value = "=A1*2"
    refused = {"revision": 2, "form": "xlsx", "file": _file(book), **WHY}
    problem = no(ann.call("POST", "/api-3:import", refused), 422, "SHEET_INVALID")
    assert problem["faults"] == [
        {"sheet": "goods", "row": 2, "column": "M", "found": "=A1*2", "wanted": "a value, no formula"}
    ]
    assert ann.get("/api-3")["version"]["revision"] == 2
    csv = ann.call("GET", "/api-3/file?form=csv&table=goods").content
    again = {"revision": 2, "form": "csv", "table": "goods", "file": base64.b64encode(csv).decode(), **WHY}
    assert ann.post("/api-3:import", again)["revision"] == 2, "what is there already changes nothing"
    jdm = ann.call("GET", "/api-3/file?form=jdm").content
    back = {"revision": 2, "form": "jdm", "file": base64.b64encode(jdm).decode(), **WHY}
    assert ann.post("/api-3:import", back)["revision"] == 2
    whole = ann.call("GET", "/api-3/file?form=json").content
    one = {"revision": 2, "form": "json", "file": base64.b64encode(whole).decode(), **WHY}
    assert ann.post("/api-3:import", one)["revision"] == 2
    no(ann.call("GET", "/api-3/file?form=pdf"), 422, "FORM_UNKNOWN")
    no(ann.call("GET", "/api-3/file?form=csv"), 404, "TABLE_UNKNOWN")
    no(ann.call("POST", "/api-3:import", {**one, "file": "§"}), 422, "REQUEST_MALFORMED")
    for form, code in (("jdm", "JDM_INVALID"), ("json", "POLICY_INVALID"), ("csv", "SHEET_INVALID")):
        body = {**one, "form": form, "file": base64.b64encode(b"[1]").decode()}
        no(ann.call("POST", "/api-3:import", body), 422, code)


def _file(book):
    out = io.BytesIO()
    book.save(out)
    return base64.b64encode(out.getvalue()).decode()


def test_a_share_and_a_shadow(door, desks, run):
    ann, bea = desks["ann"], desks["bea"]
    draft(ann, "api-4")
    document = ann.get("/api-4")["document"]
    document["numbers"] = {**document.get("numbers", {}), "apr_cap_ppm": 200_000}
    ann.call("PUT", "/api-4", {"revision": 1, "document": document, **WHY})
    ann.post("/api-4:submit", {"revision": 2, **WHY})
    key, body = new_key(), {"revision": 2, "until_at": _at(door, days=2), "since_at": _at(door, hours=-1), **WHY}
    shadow = ann.post("/api-4/shadows", body, key)
    assert ann.post("/api-4/shadows", body, key) == shadow
    run(policy_shadow.tick(door.ctx))
    found = ann.get(f"/api-4/shadows/{shadow['shadow_id']}")
    assert (found["shadow"]["policy_id"], found["shadow"]["differing"]) == (shadow["policy_id"], 0)
    no(ann.call("GET", f"/2026-1/shadows/{shadow['shadow_id']}"), 404, "SHADOW_UNKNOWN")
    ann.post(f"/api-4/shadows/{shadow['shadow_id']}:end", {"why": "seen"})
    share = {"revision": 2, "share_ppm": 50_000, "until_at": _at(door, days=1), **WHY}
    no(ann.call("POST", "/api-4:canary", share), 403, "SAME_PERSON")
    no(bea.call("POST", "/api-4:canary", {**share, "share_ppm": 0}), 422, "REQUEST_MALFORMED")
    trial = bea.post("/api-4:canary", share)
    assert (trial["state"], trial["share"]["share_ppm"], bea.get("")["canary"]) == ("canary", 50_000, "api-4")
    door.clock.advance(timedelta(minutes=1))
    assert bea.post("/api-4:promote", {"revision": 2, **WHY})["state"] == "published"
    assert (bea.get("")["in_force"], bea.get("")["canary"]) == ("api-4", None)
    assert bea.post("/api-4:roll-back", {"why": "the tests go on"})["number"] == "2026-1"
    draft(ann, "api-5")
    ann.post("/api-5:submit", {"revision": 1, **WHY})
    assert ann.post("/api-5:recall", {"why": "wait"})["state"] == "draft"
    ann.post("/api-5:submit", {"revision": 1, **WHY})
    assert bea.post("/api-5:reject", {"revision": 1, "why": "nothing in it"})["state"] == "rejected"


def test_only_staff_come_in(door, desks):
    buyer = door.token_of(new_id())
    no(door.call("GET", "/v1/policies", None, buyer), 403, "FORBIDDEN")
    no(door.call("GET", "/v1/policies"), 401, "UNAUTHENTICATED")
    no(desks["oli"].call("POST", "", {"number": "api-9", **WHY}), 403, "NOT_ALLOWED")
