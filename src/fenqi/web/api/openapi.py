"""The OpenAPI document, made from the declared resources and the very structs that they decode and encode."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from fenqi.catalog.change_offer import SCENES
from fenqi.credit import ConsentKind
from fenqi.flows.policy_sheets import FORMS
from fenqi.policy.schema import SCHEMAS
from fenqi.texts import Audience
from fenqi.web.api.resource import RESOURCES, Download, Resource

_REF = "#/components/schemas/{name}"
_PROBLEM_NAMES = {
    400: "Bad request",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found, or somebody else's",
    409: "Conflict with the state, or the key is in use",
    413: "Too large",
    422: "Refused, or malformed",
    429: "Too many tries",
}
_ID = {"type": "string", "format": "uuid"}
_FILE = {"type": "string", "format": "binary"}
_NAMES: dict[str, dict[str, Any]] = {
    "remedy": {"type": "string", "description": "As an offer names it"},
    "kind": {"type": "string", "enum": [str(kind) for kind in ConsentKind if kind is not ConsentKind.AGREEMENT]},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "offset": {"type": "integer", "minimum": 0, "maximum": 100_000},
    "before": _ID,
    "scene": {"type": "string", "enum": list(SCENES)},
    "category": {"type": "string", "description": "Its code"},
    "search": {"type": "string", "description": "Looked for in titles; its first 60 characters"},
    "from_on": {"type": "string", "format": "date"},
    "to_on": {"type": "string", "format": "date"},
    "audience": {"type": "string", "enum": [str(audience) for audience in Audience]},
    "number": {"type": "string", "pattern": "^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$"},
    "beside": {"type": "string", "maxLength": 40, "description": "The number of another version"},
    "revision": {"type": "integer", "minimum": 1, "maximum": 1_000_000},
    "table": {"type": "string", "enum": list(SCHEMAS)},
    "form": {"type": "string", "enum": list(FORMS)},
    "why": {"type": "string", "minLength": 1, "maxLength": 500},
}
"""What stands in paths and queries; every other name in a path is an id."""
_ALWAYS = frozenset({"why", "form"})
"""Query parameters that a call can't do without."""


class Problem(msgspec.Struct):
    """RFC 9457, with a stable `code`."""

    type: str
    title: str
    status: int
    code: str
    detail: str = ""


def document(version: str) -> dict[str, Any]:
    """The whole OpenAPI 3.1 document."""
    types = [t for r in RESOURCES for t in (r.body, r.answer) if t is not None and t is not Download]
    schemas, components = msgspec.json.schema_components([*types, Problem], ref_template=_REF)
    by_place = dict(zip([*range(len(types)), "problem"], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    place = 0
    for declared in RESOURCES:
        body = answer = None
        if declared.body is not None:
            body, place = by_place[place], place + 1
        if declared.answer is Download:
            answer = _FILE
        elif declared.answer is not None:
            answer, place = by_place[place], place + 1
        paths.setdefault(declared.path, {})[declared.method.lower()] = _operation(declared, body, answer)
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


def _operation(declared: Resource, body: Any, answer: Any) -> dict[str, Any]:
    text = (declared.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": f"{declared.handler.__module__.rsplit('.', 1)[1]}_{declared.handler.__name__}",
        "summary": text.split("\n", 1)[0],
        "description": text,
        "tags": [declared.handler.__module__.rsplit(".", 1)[1]],
        "parameters": _parameters(declared),
        "responses": _responses(declared, answer),
    }
    if declared.who:
        operation["security"] = [{"bearer": []}]
        operation["x-who"] = list(declared.who)
    if declared.scopes:
        operation["x-scopes"] = list(declared.scopes)
        operation["description"] += f"\n\nScopes of the key: {', '.join(declared.scopes)}."
    if body is not None:
        needed = _is_needed(declared.body)
        operation["requestBody"] = {"required": needed, "content": {"application/json": {"schema": body}}}
    return operation


def _is_needed(body: Any) -> bool:
    """Whether a body has anything without a default; one that hasn't may be left out."""
    if not isinstance(body, type) or not issubclass(body, msgspec.Struct):
        return True
    return any(one.required for one in msgspec.structs.fields(body))


def _parameters(declared: Resource) -> list[dict[str, Any]]:
    found = [
        {"name": name, "in": "path", "required": True, "schema": _NAMES.get(name, _ID)}
        for name in re.findall(r"\{(\w+)\}", declared.path)
    ]
    found += [
        {"name": name, "in": "query", "required": name in _ALWAYS, "schema": _NAMES[name]} for name in declared.query
    ]
    found.append({"name": "Accept-Language", "in": "header", "required": False, "schema": {"type": "string"}})
    if declared.keyed:
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x20-\\x7e]+$"}
        found.append({"name": "Idempotency-Key", "in": "header", "required": True, "schema": schema})
    return found


def _responses(declared: Resource, answer: Any) -> dict[str, Any]:
    ok: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        kind = "application/octet-stream" if answer is _FILE else "application/json"
        ok["content"] = {kind: {"schema": answer}}
    statuses = set(declared.problems)
    if declared.who:
        statuses |= {401, 403}
    if declared.body is not None:
        statuses |= {400, 413}
    if declared.keyed:
        statuses |= {400, 409}
    statuses |= {422}  # an unknown query parameter, at least
    if "{" in declared.path:
        statuses |= {404}
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    problems = {str(s): {"description": _PROBLEM_NAMES.get(s, "Problem"), "content": content} for s in sorted(statuses)}
    also = {str(status): {**ok, "description": text} for status, text in declared.also.items()}
    return {"200": ok, **also, **problems}
