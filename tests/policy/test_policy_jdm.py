"""Tables as JDM: written and read back exactly, run by the engine as they stand, and whatever is broken is refused."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.random_tables import VALUES, cases, tables
from zen import ZenEngine

from fenqi.kernel.refusal import Refusal
from fenqi.policy import Engine
from fenqi.policy.default_tables import GOODS_TABLE, TABLES
from fenqi.policy.jdm import read_graph, write_graph
from fenqi.policy.rule import decide, tidy
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Row, Table


def test_the_default_tables_come_back_as_they_were():
    assert all(tidy(table) == table for table in TABLES)
    assert read_graph(json.dumps(write_graph(TABLES))) == TABLES


@settings(deadline=None)
@given(st.lists(tables(), unique_by=lambda table: table.key, max_size=3))
def test_tables_come_back_as_they_are_exchanged(some):
    assert read_graph(json.dumps(write_graph(some))) == tuple(tidy(table) for table in some)


def raw_answer(graph, key, inputs):
    """What the rules engine itself says of a graph, without anything of ours: outputs by name, row by row."""
    context = {name: list(value) if isinstance(value, tuple) else value for name, value in inputs.items()}
    engine = ZenEngine({"loader": {"type": "static", "content": {"policy": graph}}})
    said = engine.evaluate("policy", context)["result"]
    said = said.get(key, said) if isinstance(said, dict) else said
    return [row for row in (said if isinstance(said, list) else [said]) if row]


def our_answer(table, inputs):
    """The same of our own reading: only what rows say themselves, before defaults."""
    found = decide(table, inputs)
    assert not found.missing
    ids = [hit.rule_id for hit in found.hits]
    rows = [row for row in table.rows if row.rule_id in ids and row.then]
    return [{name: list(v) if isinstance(v, tuple) else v for name, v in row.then.items()} for row in rows]


@settings(max_examples=200, deadline=None)
@given(cases())
def test_a_written_graph_says_the_same_in_the_engine_itself(case):
    table, inputs = case
    if None not in inputs.values():
        assert raw_answer(write_graph([table]), table.key, inputs) == our_answer(table, inputs)


def graph():
    return write_graph([GOODS_TABLE])


def table_node(found):
    return next(node for node in found["nodes"] if node["type"] == "decisionTableNode")


def broken(change):
    found = graph()
    change(found)
    return found


def _content(**changes):
    return lambda found: table_node(found)["content"].update(changes)


def _cell(row, column, text):
    return lambda found: table_node(found)["content"]["rules"][row].update({column: text})


def _node(kind):
    def add(found):
        found["nodes"].append({"id": "x", "name": "x", "type": kind, "position": {}, "content": {}})
        found["edges"] += [
            {"id": "1", "type": "edge", "sourceId": "request", "targetId": "x"},
            {"id": "2", "type": "edge", "sourceId": "x", "targetId": "response"},
        ]

    return add


def _edge(**changes):
    return lambda found: found["edges"][0].update(changes)


def _twice(found):
    twin = copy.deepcopy(table_node(found))
    twin["id"] = "twin"
    found["nodes"].append(twin)
    found["edges"] += [
        {"id": "1", "type": "edge", "sourceId": "request", "targetId": "twin"},
        {"id": "2", "type": "edge", "sourceId": "twin", "targetId": "response"},
    ]


@pytest.mark.parametrize(
    ("change", "says", "where"),
    [
        (_node("functionNode"), "functionNode is outside the subset", {"node": "x"}),
        (_node("expressionNode"), "expressionNode is outside the subset", {"node": "x"}),
        (_node("switchNode"), "switchNode is outside the subset", {"node": "x"}),
        (_node("decisionNode"), "decisionNode is outside the subset", {"node": "x"}),
        (_node("customNode"), "customNode is outside the subset", {"node": "x"}),
        (_node("inputNode"), "one inputNode", {}),
        (_twice, "a table is there twice", {}),
        (_content(hitPolicy="collect"), "hit policy", {"node": "goods"}),
        (_content(executionMode="loop"), "asked of the whole input", {"node": "goods"}),
        (_content(inputField="order"), "asked of the whole input", {"node": "goods"}),
        (_content(outputPath="elsewhere"), "its answer goes out", {"node": "goods"}),
        (_content(expressions=[]), "'expressions', which is outside the subset", {"column": "expressions"}),
        (lambda g: table_node(g).update(name="stars"), "no such table", {"node": "stars"}),
        (lambda g: g.update(settings={}), "'settings', which is outside", {"column": "settings"}),
        (lambda g: table_node(g)["content"]["inputs"][0].update(field="moon"), "no column 'moon'", {"column": "moon"}),
        (lambda g: table_node(g)["content"]["inputs"][0].update(defaultValue='"x"'), "defaults", {"column": "method"}),
        (lambda g: table_node(g)["content"]["inputs"][1].update(field="method"), "twice", {"column": "method"}),
        (_edge(targetId="response"), "stands between input and output", {}),
        (_edge(sourceHandle="yes"), "belongs to a switch", {}),
        (_cell(0, "moon", '"x"'), "'moon', which is outside the subset", {"column": "moon"}),
        (_cell(0, "_id", ""), "a text is wanted", {}),
        (_cell(0, "clean_months", 24), "a text is wanted, not 24", {}),
        (_cell(0, "clean_months", 0), "a text is wanted, not 0", {}),
        (_cell(0, "clean_months", "> two"), "is wanted here", {"row": GOODS_TABLE.rows[0].rule_id}),
        (_cell(0, "method", '"credit'), "is wanted here", {"column": "method"}),
        (_cell(0, "method", "len($) > 3"), "is wanted here", {"column": "method"}),
        (_cell(0, "method", '$ == "credit" or true'), "is wanted here", {"column": "method"}),
        (_cell(0, "category", '"gold"'), "some($, # in", {"column": "category"}),
        (_cell(0, "category", 'not in ["gold"]'), "some($, # in", {"column": "category"}),
        (_cell(0, "=verdict", "allow"), "is no literal", {"column": "verdict"}),
        (_cell(0, "=verdict", '"maybe"'), "unknown 'maybe'", {"column": "verdict"}),
        (_cell(0, "=min_minor", "5 + 5"), "is no literal", {"column": "min_minor"}),
        (_cell(0, "=min_minor", "5.5"), "is no literal", {"column": "min_minor"}),
        (_cell(0, "=min_minor", "true"), "is no number", {"column": "min_minor"}),
        (_cell(0, "=terms", "[[1]]"), "is no literal", {"column": "terms"}),
        (_cell(0, "=terms", '{"a": 1}'), "is no literal", {"column": "terms"}),
    ],
)
def test_what_is_outside_the_subset_is_refused_where_it_stands(change, says, where):
    with pytest.raises(Refusal) as refusal:
        read_graph(broken(change))
    assert refusal.value.code == "JDM_INVALID" and says in refusal.value.detail, refusal.value.detail
    assert {name: refusal.value.extra.get(name) for name in where} == where


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b"null", b"\xff", b"[" * 100_000, '{"nodes": [1], "edges": []}'])
def test_what_is_no_graph_is_refused(raw):
    with pytest.raises(Refusal, match="JDM_INVALID"):
        read_graph(raw)


def _mutated(data, raw):
    """Some bytes changed, taken out or put in; often at the cells' own signs."""
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        put = data.draw(st.sampled_from([b"", b'"', b"\\", b"[", b"]", b"<", b"0", b"not ", b"$", b"null", b" ", b"-"]))
        raw = raw[:at] + put + raw[at + data.draw(st.integers(0, 3)) :]
    return raw


@settings(max_examples=400, deadline=None)
@given(tables(), st.data())
def test_a_graph_with_broken_bytes_is_refused_or_means_what_it_says(table, data):
    raw = _mutated(data, json.dumps(write_graph([table]), ensure_ascii=False).encode())
    try:
        found = read_graph(raw)
    except Refusal as refusal:
        assert refusal.code == "JDM_INVALID"
        return
    for each in found:
        inputs = {field.name: data.draw(VALUES[field.kind]) for field in SCHEMAS[each.key].inputs}
        try:
            said = Engine([each]).ask(each.key, inputs)
        except AssertionError:
            assert SCHEMAS[each.key].hit == "collect"
            continue
        assert said == decide(each, inputs)
        assert raw_answer(json.loads(raw), each.key, inputs) == our_answer(each, inputs)


def test_a_rule_keeps_its_note():
    table = Table("goods", (Row("a", {"method": '"credit"'}, {}, "as agreed: 家具"), Row("z")))
    assert read_graph(write_graph([table])) == (table,)
