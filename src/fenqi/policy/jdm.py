"""Tables as graphs in the open JDM format of GoRules: decision tables beside one another between one input and output.

Written graphs run in any JDM engine and say there what they say here. Of graphs that are read only this subset is
admitted: tables alone, cells of `cell`'s grammar, outputs as literals. Everything else is refused, by node, row and
column, and never skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import unary
from fenqi.policy.rule import Rule, rule, schema_of, test, tidy
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Answer, Field, Row, Schema, Table

_INPUT, _TABLE, _OUTPUT = "inputNode", "decisionTableNode", "outputNode"
_ID, _NOTE = "_id", "_description"
_APART = 320
_CONTENT = {
    "hitPolicy", "inputs", "outputs", "rules", "passThrough", "passThorough", "inputField", "outputPath",
    "executionMode",
}  # fmt: skip
_COLUMN = {"id", "name", "field", "type", "defaultValue"}
_NODE = {"id", "name", "type", "content", "position"}
_SOME = re.compile(r"(not\s+)?some\(")
"""Of a set, anything else would mean one thing in our cells and another in the engine."""
_MOST_BYTES = 4_000_000

Graph = dict[str, Any]


def write_graph(tables: Iterable[Table]) -> Graph:
    """The tables as one graph; each answers under its key (`outputPath`)."""
    nodes = [_table_node(tidy(table), n) for n, table in enumerate(tables)]
    return _graph(nodes)


def lean_graph(key: str, schema: Schema, found: Sequence[Rule]) -> Graph:
    """What our own engine is given: the columns that are tested, and the number of the row as the only output."""
    names = list(dict.fromkeys(name for each in found for name in each.tests))
    content = {
        "hitPolicy": schema.hit,
        "inputs": [{"id": name, "name": name, "field": name} for name in names],
        "outputs": [{"id": "row", "name": "row", "field": "row"}],
        "rules": [
            {_ID: str(n), **{name: _unary(schema, each, name) for name in names}, "row": str(n)}
            for n, each in enumerate(found)
        ],
    }
    return _graph([{"id": key, "name": key, "type": _TABLE, "position": _at(0), "content": content}])


def _unary(schema: Schema, found: Rule, name: str) -> str:
    field = schema.input(name)
    assert field is not None, "rules are read by their schema"
    return unary(found.tests[name], field.kind) if name in found.tests else ""


def _graph(tables: list[Graph]) -> Graph:
    first = {"id": "request", "name": "request", "type": _INPUT, "position": {"x": 0, "y": 0}, "content": {}}
    last = {"id": "response", "name": "response", "type": _OUTPUT, "position": {"x": 2 * _APART, "y": 0}, "content": {}}
    edges = [pair for node in tables for pair in (("request", node["id"]), (node["id"], "response"))]
    return {
        "contentType": "application/vnd.gorules.decision",
        "nodes": [first, *tables, last],
        "edges": [
            {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}
            for source, target in edges
        ],
    }


def _at(n: int) -> dict[str, int]:
    return {"x": _APART, "y": n * _APART // 2}


def _table_node(table: Table, n: int) -> Graph:
    schema = schema_of(table)
    content = {
        "hitPolicy": schema.hit,
        "inputs": [{"id": f.name, "name": f.name, "field": f.name, "type": "expression"} for f in schema.inputs],
        "outputs": [{"id": f"={o.name}", "name": o.name, "field": o.name} for o in schema.outputs],
        "rules": [_row(row, schema) for row in table.rows],
        "passThrough": False,
        "inputField": None,
        "outputPath": table.key,
        "executionMode": "single",
    }
    return {"id": table.key, "name": table.key, "type": _TABLE, "position": _at(n), "content": content}


def _row(row: Row, schema: Schema) -> dict[str, str]:
    """Ids of outputs begin with "=": an input and an output of a table may have the same name."""
    cells = {field.name: _test(row, field, schema) for field in schema.inputs}
    said = {f"={o.name}": _literal(row.then[o.name]) if o.name in row.then else "" for o in schema.outputs}
    return {_ID: row.rule_id, _NOTE: row.note, **cells, **said}


def _test(row: Row, field: Field, schema: Schema) -> str:
    """The author's own words are an expression of the engine's, but for sets of codes."""
    if field.name not in row.when:
        return ""
    return unary(test(row, field.name, schema), field.kind) if field.kind == "codes" else row.when[field.name]


def _literal(value: Answer) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def read_graph(raw: bytes | str | Mapping[str, Any]) -> tuple[Table, ...]:
    """The tables of a graph, as `rule.tidy` has them; refuses JDM_INVALID, naming node, row and column.

    Every row needs an `_id`, which becomes its rule's id; a description becomes its note.
    """
    graph = _object(_decoded(raw), "the graph", {"contentType", "nodes", "edges"})
    nodes = [_object(node, "a node", _NODE) for node in _list(graph.get("nodes"), "nodes")]
    kinds: dict[str, str] = {}
    for node in nodes:
        name, kind = _text(node.get("id"), "a node's id"), _text(node.get("type"), "a node's type")
        if kind not in (_INPUT, _TABLE, _OUTPUT):
            raise _bad(f"node {node.get('name')!r}: {kind} is outside the subset of decision tables", node=name)
        if name in kinds:
            raise _bad(f"two nodes have the id {name!r}", node=name)
        kinds[name] = kind
    _check_edges(graph, kinds)
    tables = tuple(_table(node) for node in nodes if node["type"] == _TABLE)
    keys = [table.key for table in tables]
    if len(set(keys)) != len(keys):
        raise _bad("a table is there twice")
    return tables


def _decoded(raw: bytes | str | Mapping[str, Any]) -> Any:
    if isinstance(raw, Mapping):
        return raw
    if len(raw) > _MOST_BYTES:
        raise _bad(f"more than {_MOST_BYTES} bytes")
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _bad(f"no JSON: {error}") from None


def _check_edges(graph: Mapping[str, Any], kinds: dict[str, str]) -> None:
    """One input, one output, and each table between the two: a table fed by another would mean something else here."""
    for kind in (_INPUT, _OUTPUT):
        if sum(each == kind for each in kinds.values()) != 1:
            raise _bad(f"a graph has one {kind}")
    tables = [name for name, kind in kinds.items() if kind == _TABLE]
    first = next(name for name, kind in kinds.items() if kind == _INPUT)
    last = next(name for name, kind in kinds.items() if kind == _OUTPUT)
    wanted = {pair for name in tables for pair in ((first, name), (name, last))}
    found = set()
    for each in _list(graph.get("edges"), "edges"):
        edge = _object(each, "an edge", {"id", "type", "sourceId", "targetId", "sourceHandle"})
        if edge.get("sourceHandle") is not None:
            raise _bad("an edge from a handle belongs to a switch, which is outside the subset")
        found.add((_text(edge.get("sourceId"), "an edge's source"), _text(edge.get("targetId"), "an edge's target")))
    if found != wanted:
        odd = sorted(found ^ wanted)[0]
        raise _bad(f"every table stands between input and output, which {odd[0]!r} → {odd[1]!r} breaks")


def _table(node: Mapping[str, Any]) -> Table:
    key = _text(node.get("name"), "a table's name")
    if key not in SCHEMAS:
        raise _bad(f"node {key!r}: there is no such table, only {', '.join(SCHEMAS)}", node=key)
    schema = SCHEMAS[key]
    content = _object(node.get("content"), f"node {key!r}", _CONTENT)
    if content.get("hitPolicy") != schema.hit:
        raise _bad(f"node {key!r}: its hit policy is {schema.hit!r}, not {content.get('hitPolicy')!r}", node=key)
    if content.get("inputField") or content.get("executionMode") not in (None, "single"):
        raise _bad(f"node {key!r}: it is asked of the whole input, once", node=key)
    if content.get("outputPath") not in (None, "", key):
        raise _bad(f"node {key!r}: its answer goes out as it is, or under its own key", node=key)
    inputs = _columns(content, "inputs", key, {field.name for field in schema.inputs})
    outputs = _columns(content, "outputs", key, {output.name for output in schema.outputs})
    if set(inputs) & set(outputs):
        raise _bad(f"node {key!r}: an input and an output have the same id", node=key)
    rows = [_read_row(row, schema, inputs, outputs) for row in _list(content.get("rules"), f"node {key!r}: rules")]
    return Table(key, tuple(rows))


def _columns(content: Mapping[str, Any], kind: str, key: str, known: set[str]) -> dict[str, str]:
    """Column ids with the fields that they stand for."""
    found: dict[str, str] = {}
    for each in _list(content.get(kind), f"node {key!r}: {kind}"):
        column = _object(each, f"node {key!r}: a column", _COLUMN)
        field = _text(column.get("field"), f"node {key!r}: a column's field")
        ident = _text(column.get("id"), f"node {key!r}: column {field!r}: id")
        if field not in known:
            raise _bad(f"node {key!r}: no column {field!r} among its {kind}", node=key, column=field)
        if field in found.values() or ident in found or ident in (_ID, _NOTE):
            raise _bad(f"node {key!r}: column {field!r} is there twice", node=key, column=field)
        if column.get("defaultValue") not in (None, "") or column.get("type") not in (None, "expression"):
            raise _bad(f"node {key!r}: column {field!r}: defaults and types are the schema's", node=key, column=field)
        found[ident] = field
    return found


def _read_row(found: Any, schema: Schema, inputs: dict[str, str], outputs: dict[str, str]) -> Row:
    cells = _object(found, f"node {schema.key!r}: a row", {_ID, _NOTE, *inputs, *outputs})
    rule_id = _text(cells.get(_ID), f"node {schema.key!r}: a row's _id")
    at = f"node {schema.key!r}, row {rule_id!r}"
    texts = {
        name: _text("" if cell is None else cell, f"{at}, column {name!r}", empty=True) for name, cell in cells.items()
    }
    when = {field: texts[ident] for ident, field in inputs.items() if texts.get(ident, "").strip()}
    then = {
        field: _value(texts[ident], schema.key, rule_id, field)
        for ident, field in outputs.items()
        if texts.get(ident, "").strip()
    }
    for name, text in when.items():
        field = schema.input(name)
        if field is not None and field.kind == "codes" and not _SOME.match(text.strip()):
            says = f"{at}, column {name!r}: a set of codes is tested by some($, # in [...]), not by {text!r}"
            raise _bad(says, node=schema.key, row=rule_id, column=name)
    try:
        row = Row(rule_id, when, then, texts.get(_NOTE, ""))
        rule(row, schema)
        return tidy(Table(schema.key, (row,))).rows[0]
    except Refusal as refusal:
        raise _bad(refusal.detail, node=schema.key, **refusal.extra) from None


def _value(text: str, key: str, rule_id: str, field: str) -> Answer:
    """An output cell: a literal and nothing else."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        value = {}
    parts = value if isinstance(value, list) else [value]
    if isinstance(value, dict) or not all(isinstance(part, str | int | None) for part in parts):
        says = f"node {key!r}, row {rule_id!r}, column {field!r}: {text!r} is no literal"
        raise _bad(says, node=key, row=rule_id, column=field)
    return tuple(value) if isinstance(value, list) else value


def _object(value: Any, what: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _bad(f"{what} is no object")
    odd = [name for name in value if name not in known]
    if odd:
        raise _bad(f"{what} has {str(odd[0])!r}, which is outside the subset", column=str(odd[0]))
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _bad(f"{what}: no list")
    return value


def _text(value: Any, what: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value or empty):
        raise _bad(f"{what}: a text is wanted, not {value!r}")
    return value


def _bad(says: str, **where: object) -> Refusal:
    return Refusal("JDM_INVALID", says, **where)
