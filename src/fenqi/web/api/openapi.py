"""The OpenAPI document, made from the declared resources and the very structs that they decode and encode."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fenqi.web.api.resource import RESOURCES, Resource

_REF = "#/components/schemas/{name}"
_PROBLEM_NAMES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found, or somebody else's",
    409: "Conflict with the state, or the key is in use",
    413: "Too large",
    422: "Refused, or malformed",
}


class Problem(msgspec.Struct):
    """RFC 9457, with a stable `code`."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""


def document(version: str) -> dict[str, Any]:
    """The whole OpenAPI 3.1 document."""
    types = [t for r in RESOURCES for t in (r.body, r.answer) if t is not None]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    by_place = dict(zip([*range(len(types)), "problem"], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    place = 0
    for declared in RESOURCES:
        body = answer = None
        if declared.body is not None:
            body, place = by_place[place], place + 1
        if declared.answer is not None:
            answer, place = by_place[place], place + 1
        path = re.sub(r"\{(\w+):\w+\}", r"{\1}", declared.path)
        paths.setdefault(path, {})[declared.method.lower()] = _operation(declared, path, body, answer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "fenqi",
            "version": version,
            "description": "An instalment mall, a credit line, and a cashier that always says why.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(declared: Resource, path: str, body: Any, answer: Any) -> dict[str, Any]:
    text = (declared.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": f"{declared.handler.__module__.rsplit('.', 1)[1]}_{declared.handler.__name__}",
        "summary": text.split("\n", 1)[0],
        "description": text,
        "tags": [declared.handler.__module__.rsplit(".", 1)[1]],
        "parameters": _parameters(declared, path),
        "responses": _responses(declared, answer),
    }
    if declared.who:
        operation["security"] = [{"bearer": []}]
        operation["x-who"] = list(declared.who)
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    return operation


def _parameters(declared: Resource, path: str) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    found += [{"name": name, "in": "query", "required": False, "schema": {"type": "string"}} for name in declared.query]
    if declared.keyed:
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    return found


def _responses(declared: Resource, answer: Any) -> dict[str, Any]:
    ok: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        ok["content"] = {"application/json": {"schema": answer}}
    statuses = set(declared.problems)
    if declared.who:
        statuses |= {401, 403}
    if declared.body is not None:
        statuses |= {400, 413, 422}
    if declared.keyed:
        statuses |= {400, 409}
    if "{" in declared.path:
        statuses |= {404}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {str(s): {"description": _PROBLEM_NAMES.get(s, "Problem"), "content": content} for s in sorted(statuses)}
    return {"200": ok, **problems}
