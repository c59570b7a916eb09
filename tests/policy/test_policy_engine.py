"""The engine says what `cell.holds` says of every row: over random tables and inputs, and what it makes of the odd."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.policy.random_tables import VALUES, cases, tables

from fenqi.kernel.refusal import Refusal
from fenqi.policy import Engine
from fenqi.policy import rule as rows
from fenqi.policy.default_tables import TABLES
from fenqi.policy.rule import decide, normal, rules, tidy
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Row, Table


@settings(max_examples=300, deadline=None)
@given(cases())
def test_the_engine_says_what_the_cells_say(case):
    table, inputs = case
    assert Engine([table]).ask(table.key, inputs) == decide(table, inputs)


@settings(deadline=None)
@given(tables(), st.data())
def test_what_is_remembered_is_what_would_be_said(table, data):
    """Many cases asked of one engine, so that answers are given again to cases like them."""
    engine, schema = Engine([table]), SCHEMAS[table.key]
    for _ in range(12):
        inputs = {field.name: data.draw(VALUES[field.kind]) for field in schema.inputs}
        assert engine.ask(table.key, inputs) == decide(table, inputs)


@settings(deadline=None)
@given(cases())
def test_the_other_forms_mean_the_same(case):
    table, inputs = case
    assert normal(normal(table)) == normal(table) == normal(tidy(table))
    assert decide(normal(table), inputs) == decide(tidy(table), inputs) == decide(table, inputs)


@settings(deadline=None)
@given(cases(), st.data())
def test_an_input_that_is_tested_and_not_known_decides_nothing(case, data):
    table, inputs = case
    names = rows.tested(SCHEMAS[table.key], rules(table))
    assume(names)
    lost = data.draw(st.sampled_from(names))
    said = Engine([table]).ask(table.key, {**inputs, lost: None})
    assert said.hits == () and lost in said.missing
    left_out = Engine([table]).ask(table.key, {name: value for name, value in inputs.items() if name != lost})
    assert left_out == said


GOODS = Table("goods", (Row("two-years", {"clean_months": ">= 24"}), Row("else", {}, {"verdict": "not_covered"})))


def test_a_number_that_nobody_knows_never_passes_silently():
    said = Engine([GOODS]).ask("goods", {"clean_months": None})
    assert (said.hits, said.missing, said.hit) == ((), ("clean_months",), None)


def test_a_table_that_tests_nothing_answers_without_inputs():
    assert Engine([Table("goods", (Row("else"),))]).ask("goods", {}).hit.rule_id == "else"
    assert Engine([Table("exposure", (Row("none"),))]).ask("exposure", {}).hits == ()


def test_a_table_that_is_not_there_is_missing():
    assert Engine([]).ask("transaction", {"amount_minor": 1}).missing == ("transaction",)
    assert Engine([]).table("goods") is None


def test_a_collect_table_without_its_silent_row_is_a_bug_and_no_yes():
    open_door = Table("exposure", (Row("gold", {"category": '"gold"'}, {"programme": "gold", "cap_minor": 5}),))
    for category in ((), ("gold",)):
        with pytest.raises(AssertionError, match="no row that matches everything has answered"):
            Engine([open_door]).ask("exposure", {"category": category})


def test_a_first_table_without_a_last_row_decides_nothing():
    said = Engine([Table("goods", GOODS.rows[:1])]).ask("goods", {"clean_months": 3})
    assert (said.hit, said.missing) == (None, ())


@pytest.mark.parametrize("value", ["24", True, 24.0, (24,), 10**18])
def test_an_input_of_another_type_is_a_bug(value):
    with pytest.raises(TypeError):
        Engine([GOODS]).ask("goods", {"clean_months": value})


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (Table("goods", (Row("a", {"clean_months": ">= two"}),)), "CELL_INVALID"),
        (Table("goods", (Row("a", {"moon": "1"}),)), "INPUT_UNKNOWN"),
        (Table("goods", (Row("a", {}, {"min_minor": "5"}),)), "OUTPUT_INVALID"),
        (Table("goods", (Row("a", {}, {"verdict": "maybe"}),)), "OUTPUT_INVALID"),
        (Table("goods", (Row("a", {}, {"verdict": None}),)), "OUTPUT_INVALID"),
        (Table("goods", (Row("a", {}, {"terms": 3}),)), "OUTPUT_INVALID"),
        (Table("goods", (Row("a", {}, {"terms": (True,)}),)), "OUTPUT_INVALID"),
        (Table("stars"), "TABLE_UNKNOWN"),
    ],
)
def test_a_broken_table_is_never_compiled(table, code):
    with pytest.raises(Refusal) as refusal:
        Engine([table])
    assert refusal.value.code == code


def test_a_table_twice_is_refused():
    with pytest.raises(Refusal, match="TABLE_REPEATED"):
        Engine([GOODS, GOODS])


def test_every_finding_has_a_row_in_the_default():
    transaction = next(table for table in TABLES if table.key == "transaction")
    codes = {each.hit.then["code"] for each in rules(transaction)}
    assert codes == set(SCHEMAS["transaction"].outputs[0].values)
