"""The OpenAPI document: whole, consistent in itself, and the one that is served."""

from __future__ import annotations

import json
import re

import pytest

from fenqi import main
from fenqi.merchant import Scope
from fenqi.web.api import openapi, resource

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document():
    resource.load()
    return openapi.document(main.VERSION)


def operations(document):
    return [(path, name, one) for path, item in document["paths"].items() for name, one in item.items()]


def test_every_operation_is_there_and_described(document):
    declared = {(one.path, one.method.lower()) for one in resource.RESOURCES}
    assert {(path, name) for path, name, _ in operations(document)} == declared
    ids = [one["operationId"] for _, _, one in operations(document)]
    assert len(set(ids)) == len(ids)
    assert all(name in METHODS and one["summary"] for _, name, one in operations(document))


def test_every_name_in_a_path_is_a_parameter(document):
    for path, _, one in operations(document):
        named = {each["name"] for each in one["parameters"] if each["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path)), path


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    found = set(re.findall(r"#/components/schemas/([\w.]+)", str(document)))
    assert found == set(schemas)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in schemas)


def test_every_answer_is_typed(document):
    for path, name, one in operations(document):
        for status, response in one["responses"].items():
            kind = "application/json" if status in ("200", "202", "402") else "application/problem+json"
            if status == "200" and path.endswith("/file"):
                kind = "application/octet-stream"
            assert list(response["content"]) == [kind], (path, name, status)


def test_who_moves_money_by_the_api_needs_a_key(document):
    keyed = {
        path for path, _, one in operations(document) if any(p["name"] == "Idempotency-Key" for p in one["parameters"])
    }
    ours = {path for path, name, _ in operations(document) if path.startswith("/v1/policies") and name == "post"}
    assert {path for path in keyed if path.startswith("/v1/policies")} == ours - {"/v1/policies:lint"}
    assert keyed - ours == {
        "/v1/backtests",
        "/v1/cards",
        "/v1/cases",
        "/v1/cases/{case}/files",
        "/v1/cases/{case}/messages",
        "/v1/credit/applications",
        "/v1/credit/repayments",
        "/v1/merchant/payments/{payment}/refunds",
        "/v1/money-account/top-ups",
        "/v1/money-account/withdrawals",
        "/v1/orders",
        "/v1/orders/{order}/refunds",
        "/v1/payments",
    }


def test_every_call_of_a_merchant_names_its_scopes(document):
    scopes = {str(scope) for scope in Scope}
    for path, _, one in operations(document):
        assert bool(one.get("x-scopes")) == ("merchant" in one.get("x-who", ())), path
        assert set(one.get("x-scopes", ())) <= scopes


def test_the_document_is_served(door, document):
    assert door.get("/openapi.json") == json.loads(json.dumps(document))
    assert document["openapi"] == "3.1.0"
