"""The lint of tables: every fault is named where it stands, odd rows are warned of, and nothing broken fails open."""

from __future__ import annotations

import json
import string
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.policy.random_tables import TESTS, VALUES, tables

from fenqi import policy as policies
from fenqi.catalog import CategoryTree
from fenqi.kernel.refusal import Refusal
from fenqi.policy import Engine, Known
from fenqi.policy.cell import holds, parse
from fenqi.policy.default_tables import TABLES
from fenqi.policy.lint_table import covers, table_faults, table_warnings
from fenqi.policy.rule import decide, rules
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Row, Table
from fenqi.seed import categories

TREE = CategoryTree(categories())
KNOWN = Known(TREE.codes, {"8080"})
ELSE = Row("else")


def goods(*rows):
    return Table("goods", (*rows, ELSE))


def exposure(*rows):
    return Table("exposure", rows)


NONE = Row("none")
CAP = {"programme": "gold", "cap_minor": 5}


@pytest.mark.parametrize("table", TABLES, ids=[table.key for table in TABLES])
def test_the_default_tables_have_no_fault_and_no_warning(table):
    assert table_faults(table, KNOWN) == [] and table_warnings(table) == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (Table("stars"), ["stars: no such table"]),
        (Table("goods"), ["goods: the last row must match everything"]),
        (Table("goods", (Row("a", {"scene": '"mall"'}),)), ["goods: the last row must match everything"]),
        (goods(Row("a", {"moon": '"x"'})), ["goods a: moon: no such input"]),
        (goods(Row("a", {"clean_months": "> two"})), ["goods a: clean_months: '> two': a number"]),
        (goods(Row("a", {"clean_months": "[5..1]"})), ["goods a: clean_months: '[5..1]': a range that holds"]),
        (goods(Row("a", {"scene": "mall"})), ["goods a: scene: 'mall': codes in quotes"]),
        (goods(Row("a", {"scene": '"moon"'})), ["goods a: scene: unknown scene 'moon'"]),
        (goods(Row("a", {"scene": 'not in ["moon"]'})), ["goods a: scene: unknown scene 'moon'"]),
        (goods(Row("a", {"category": '"gold", "moon"'})), ["goods a: category: unknown category 'moon'"]),
        (goods(Row("a", {"merchant": '"8081"'})), ["goods a: merchant: unknown merchant '8081'"]),
        (goods(Row("a", {"segments": '"king"'})), ["goods a: segments: unknown segments 'king'"]),
        (goods(Row("a", {"scene": '"mall"'}, {"moon": 1})), ["goods a: moon: no output 'moon'"]),
        (goods(Row("a", {"scene": '"mall"'}, {"min_minor": "5"})), ["goods a: min_minor: '5' is no number"]),
        (goods(Row("a", {"scene": '"mall"'}, {"max_minor": -1})), ["goods a: max_minor: -1 is outside 0"]),
        (goods(Row("a", {"scene": '"mall"'}, {"max_minor": 10**17})), ["goods a: max_minor: 1000000"]),
        (goods(Row("", {"scene": '"mall"'})), ["goods: no rule_id"]),
        (goods(Row("a\n", {"scene": '"mall"'})), ["no rule_id of 1 to 80 characters"]),
        (goods(Row("else", {"scene": '"mall"'})), ["goods else: rule_id 'else' is there twice"]),
        (
            goods(ELSE, Row("b")),
            ["rule_id 'else' is there twice", "goods b: never reached", "goods else: never reached"],
        ),
        (
            goods(Row("a", {"category": '"gold"'}), Row("b", {"category": '"gold"', "scene": '"mall"'})),
            ["goods b: never reached: 'a' takes every case of it"],
        ),
        (
            goods(Row("a", {"clean_months": "> 3"}), Row("b", {"clean_months": "[5..9]"})),
            ["goods b: never reached: 'a' takes every case of it"],
        ),
        (
            goods(Row("a", {"scene": 'not in ["mall"]'}), Row("b", {"scene": 'not in ["scan_to_pay", "mall"]'})),
            ["goods b: never reached: 'a' takes every case of it"],
        ),
        (exposure(Row("a", {"category": '"gold"'}, CAP)), ["exposure: exactly one row must match everything"]),
        (exposure(NONE, Row("also")), ["exposure: exactly one row must match everything"]),
        (exposure(NONE, Row("a", {"category": '"gold"'})), ["exposure a: a row that tests something must find"]),
        (exposure(Row("all", {}, CAP)), ["exposure: exactly one row must match everything"]),
        (
            Table("counter_offer", (Row("a", {}, {"down_payment_ppm": 1_000_001}),)),
            ["counter_offer a: down_payment_ppm: 1000001 is outside 0 … 1000000"],
        ),
    ],
)
def test_every_fault_is_named_where_it_stands(table, says):
    found = [str(fault) for fault in table_faults(table, KNOWN)]
    assert len(found) == len(says) and all(part in line for part, line in zip(says, found, strict=True)), found


def test_merchants_are_only_looked_at_where_they_are_handed_in():
    assert table_faults(goods(Row("a", {"merchant": '"8081"'})), Known(TREE.codes)) == []


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (goods(Row("a", {"clean_months": "> 9"}), Row("b", {"clean_months": "> 5"}, {"min_minor": 1})), []),
        (
            goods(Row("a", {"clean_months": "[0..9]"}), Row("b", {"clean_months": "[5..12]"}, {"min_minor": 1})),
            ["goods b: at odds with 'a': both can match, and their order decides"],
        ),
        (goods(Row("a", {"clean_months": "[0..9]"}), Row("b", {"clean_months": "[5..12]"})), []),
        (goods(Row("a", {"clean_months": "[0..4]"}), Row("b", {"clean_months": "[5..12]"}, {"min_minor": 1})), []),
        (
            exposure(Row("a", {"category": '"gold"'}, CAP), Row("b", {}, {**CAP, "cap_minor": 6}), NONE),
            ["exposure b: at odds with 'a': one programme with two caps"],
        ),
        (
            Table(
                "transaction",
                (
                    Row("a", {"hour": "3"}, {"code": "RISK_VELOCITY"}),
                    Row("b", {"hour": "3"}, {"code": "RISK_VELOCITY", "cure": "wait"}),
                    Row("c", {"hour": "3"}, {"code": "RISK_NETWORK"}),
                    NONE,
                ),
            ),
            ["transaction b: at odds with 'a': the same cases, told in two ways"],
        ),
    ],
)
def test_rows_at_odds_are_warned_of(table, says):
    assert [str(fault) for fault in table_warnings(table)] == says


def test_a_document_is_linted_with_all_its_tables():
    document = policies.default_document(_AT)
    broken = msgspec.structs.replace(document, tables=(*TABLES[:2], goods(Row("a", {"scene": '"moon"'})), *TABLES[3:]))
    assert policies.faults(broken, TREE.codes) == ["goods a: scene: unknown scene 'moon'"]
    caps = exposure(Row("a", {"category": '"gold"'}, CAP), Row("b", {"scene": '"mall"'}, {**CAP, "cap_minor": 6}), NONE)
    at_odds = msgspec.structs.replace(
        document, tables=tuple(caps if table.key == "exposure" else table for table in TABLES)
    )
    assert policies.faults(at_odds, TREE.codes) == []
    assert policies.warnings(at_odds) == ["exposure b: at odds with 'a': one programme with two caps"]


_AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)


@settings(deadline=None)
@given(st.sampled_from(sorted(TESTS)), st.data())
def test_what_one_test_is_said_to_cover_it_covers(kind, data):
    wide, narrow = data.draw(TESTS[kind]), data.draw(TESTS[kind])
    if covers(wide, narrow):
        for _ in range(8):
            value = data.draw(VALUES[kind])
            assert not holds(narrow, value) or holds(wide, value)


@settings(deadline=None)
@given(st.text(st.sampled_from(string.printable + "家，“”０１٣²"), max_size=24), st.sampled_from(sorted(TESTS)))
def test_any_text_is_a_cell_or_a_refusal(text, kind):
    """And what is read as a cell is what the engine reads, too."""
    try:
        parse(text, kind)
    except Refusal as refusal:
        assert refusal.code == "CELL_INVALID"
        return
    name = {"text": "scene", "codes": "segments", "flag": "device_known", "number": "hour"}[kind]
    table = Table("transaction", (Row("a", {name: text}, {"code": "RISK_VELOCITY"}), NONE))
    assert not [fault for fault in table_faults(table, KNOWN) if "engine" in fault.says]
    Engine([table])


def _broken(data, table):
    """The table with some of its cells, outputs, rows or ids changed, as a hand or a file might."""
    raw = json.loads(msgspec.json.encode(table))
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.sampled_from(raw["rows"]))
        part = data.draw(st.sampled_from([row.setdefault("when", {}), row.setdefault("then", {})]))
        name = data.draw(st.sampled_from([*part, "moon", "hour", "cap_minor"]))
        text = str(part.get(name, ""))
        at = data.draw(st.integers(0, len(text)))
        sign = data.draw(st.sampled_from(['"', "[", "..", ">", "not in", "-", "0", "", "some($", "null", " or true"]))
        part[name] = data.draw(st.sampled_from([text[:at] + sign + text[at + 1 :], 5, True, None, -1, ["a"]]))
        raw["rows"] = data.draw(st.sampled_from([raw["rows"], raw["rows"][1:] or raw["rows"], raw["rows"][::-1]]))
    return raw


@settings(max_examples=400, deadline=None)
@given(tables() | st.sampled_from(TABLES), st.data())
def test_a_broken_table_is_never_published_and_never_fails_open(table, data):
    """Whatever is done to a table: it is refused, or it decides what its cells say, with a row for every case."""
    try:
        found = msgspec.convert(_broken(data, table), Table)
    except msgspec.ValidationError:
        return
    if table_faults(found, KNOWN):
        return
    engine, schema = Engine([found]), SCHEMAS[found.key]
    for _ in range(4):
        inputs = {field.name: data.draw(VALUES[field.kind] | st.none()) for field in schema.inputs}
        said = engine.ask(found.key, inputs)
        assert said == decide(found, inputs)
        assert said.missing or said.hit is not None or schema.hit == "collect"
        ids = {row.rule_id for row in found.rows}
        assert {hit.rule_id for hit in said.hits} <= ids and len(rules(found)) == len(ids)
