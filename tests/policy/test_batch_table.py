"""The engine of millions of cases answers each as the meaning of the cells says: random tables, random inputs."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fenqi.policy.batch import JOINED, BatchTable
from fenqi.policy.cell import ANYTHING, Anything, Between, Is, OneOf, holds, parse, write
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Field, Output, Row, Schema, Table

_CODES = ("a", "b", "c", "digital", "phone")
_FIELDS = (
    Field("method", "text", _CODES),
    Field("category", "codes"),
    Field("segments", "codes", _CODES),
    Field("amount_minor", "number"),
    Field("pd_ppm", "number"),
    Field("device_known", "flag"),
)
_TYPES = {"text": pl.String, "number": pl.Int64, "flag": pl.Boolean, "codes": pl.List(pl.String)}


def schema(hit):
    return Schema("t", hit, _FIELDS, (Output("verdict", "text", "allow"),), {})


def some(values):
    return st.lists(values, min_size=1, max_size=3, unique=True).map(tuple)


_NUMBERS = st.integers(-5, 12) | st.sampled_from([10**17, -(10**17)])


def cells_of(kind):
    if kind == "flag":
        return st.booleans().map(Is)
    if kind == "number":
        bounds = st.tuples(_NUMBERS, _NUMBERS).map(sorted).map(tuple)
        ranges = bounds.flatmap(lambda b: st.sampled_from([Between(*b), Between(b[0], None), Between(None, b[1])]))
        return ranges | st.builds(OneOf, some(_NUMBERS), st.booleans())
    return st.builds(OneOf, some(st.sampled_from(_CODES)), st.booleans())


def values_of(kind):
    if kind == "flag":
        return st.none() | st.booleans()
    if kind == "number":
        return st.none() | _NUMBERS
    if kind == "text":
        return st.none() | st.sampled_from(_CODES)
    return st.none() | st.lists(st.sampled_from(_CODES), max_size=3, unique=True).map(tuple)


@st.composite
def tables(draw):
    rows = []
    for place in range(draw(st.integers(0, 6))):
        named = draw(st.lists(st.sampled_from(_FIELDS), max_size=3, unique_by=lambda field: field.name))
        when = {field.name: write(draw(cells_of(field.kind) | st.just(ANYTHING)), field.kind) for field in named}
        rows.append(Row(f"r{place}", when))
    return Table("t", tuple(rows))


inputs = st.fixed_dictionaries({field.name: values_of(field.kind) for field in _FIELDS})


def reference(table, hit, case):
    """(rules, missing) as the cells mean it: any row that tests an input that nobody knows makes all of it missing."""
    kinds = {field.name: field.kind for field in _FIELDS}
    tested = {
        name
        for row in table.rows
        for name, text in row.when.items()
        if not isinstance(parse(text, kinds[name]), Anything)
    }
    missing = [field.name for field in _FIELDS if field.name in tested and case[field.name] is None]
    if missing:
        return [], missing
    rules = [
        row.rule_id
        for row in table.rows
        if all(holds(parse(text, kinds[name]), case[name]) for name, text in row.when.items())
    ]
    return (rules[:1] if hit == "first" else rules), []


def frame_of(cases, joined=False):
    columns = {}
    for field in _FIELDS:
        values = [list(v) if isinstance(v := case[field.name], tuple) else v for case in cases]
        if field.kind == "codes" and joined:
            texts = [None if v is None else JOINED.join(v) for v in values]
            columns[field.name] = pl.Series(field.name, texts, dtype=pl.String)
        else:
            columns[field.name] = pl.Series(field.name, values, dtype=_TYPES[field.kind])
    return pl.DataFrame(columns)


@settings(max_examples=300, deadline=None)
@given(tables(), st.sampled_from(["first", "collect"]), st.lists(inputs, min_size=1, max_size=12), st.booleans())
def test_every_row_of_a_frame_is_answered_as_the_cells_mean_it(table, hit, cases, joined):
    answered = BatchTable(table, schema(hit)).ask(frame_of(cases, joined)).rows()
    assert answered == [reference(table, hit, case) for case in cases]


@settings(max_examples=60, deadline=None)
@given(tables(), st.lists(inputs, min_size=1, max_size=5))
def test_first_and_every_are_what_ask_says(table, cases):
    frame = frame_of(cases)
    first = BatchTable(table, schema("first"))
    places = first.first(frame).to_list()
    assert [[] if p is None else [first.rule_ids[p]] for p in places] == first.ask(frame)["rules"].to_list()
    collect = BatchTable(table, schema("collect"))
    every = collect.every(frame)
    rows = [[collect.rule_ids[int(name)] for name in every.columns if row[name]] for row in every.iter_rows(named=True)]
    if table.rows:
        assert rows == collect.ask(frame)["rules"].to_list()


def test_a_column_that_is_not_there_is_an_input_that_nobody_knows():
    table = Table("t", (Row("big", {"amount_minor": "> 5"}), Row("rest")))
    asked = BatchTable(table, schema("first"))
    assert asked.tested == ("amount_minor",)
    frame = pl.DataFrame({"method": ["a", "b"]})
    assert asked.ask(frame).rows() == [([], ["amount_minor"])] * 2
    assert asked.first(frame).to_list() == [None, None]


def test_nothing_asked_is_nothing_answered():
    table = Table("t", (Row("big", {"amount_minor": "> 5"}), Row("rest")))
    empty = pl.DataFrame(schema={"amount_minor": pl.Int64})
    assert BatchTable(table, schema("first")).first(empty).to_list() == []
    assert BatchTable(table, schema("collect")).ask(empty).height == 0


@pytest.mark.parametrize("key", sorted(SCHEMAS))
def test_outputs_that_a_row_leaves_out_are_the_schema_s(key):
    known = SCHEMAS[key]
    asked = BatchTable(Table(key, (Row("one"),)))
    assert [asked.outputs(output.name) for output in known.outputs] == [(output.default,) for output in known.outputs]
