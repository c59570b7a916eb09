"""Random tables of every kind, and random inputs near what their rows test."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from fenqi.policy.cell import ANYTHING, Between, Is, OneOf, unary, write
from fenqi.policy.rule import rules
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Row, Table

BIG = 10**18 - 1
_PRINTED = st.characters(exclude_categories=("Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Co", "Cn"), exclude_characters='"\\')
CODES = st.one_of(
    st.sampled_from(["gold", "phone", "家具", "a'b", "`", "${x}", "#", "true", "null", "5", "-", "[1..5]", ",", "é"]),
    st.text(_PRINTED, min_size=1, max_size=6).filter(str.isprintable),
)
NUMBERS = st.one_of(st.integers(-5, 5), st.integers(-BIG, BIG), st.sampled_from([0, BIG, -BIG, 2**53 + 1, 2**53]))
LISTED = st.lists(CODES, min_size=1, max_size=4, unique=True).map(tuple)
RANGES = st.tuples(st.none() | NUMBERS, st.none() | NUMBERS).filter(lambda two: two != (None, None))
TESTS = {
    "text": st.builds(OneOf, LISTED, st.booleans()),
    "codes": st.builds(OneOf, LISTED, st.booleans()),
    "flag": st.builds(Is, st.booleans()),
    "number": st.one_of(
        RANGES.filter(lambda two: None in two or two[0] <= two[1]).map(lambda two: Between(*two)),
        st.builds(OneOf, st.lists(NUMBERS, min_size=1, max_size=3, unique=True).map(tuple), st.booleans()),
    ),
}
VALUES = {
    "text": CODES | st.just(""),
    "codes": st.lists(CODES, max_size=4, unique=True).map(tuple),
    "flag": st.booleans(),
    "number": NUMBERS,
}


@st.composite
def tables(draw):
    """A table of any kind, with random rows before its row for everything else."""
    schema = SCHEMAS[draw(st.sampled_from(sorted(SCHEMAS)))]
    fields = draw(st.lists(st.sampled_from(schema.inputs), min_size=1, max_size=5, unique_by=lambda field: field.name))
    rows = []
    for n in range(draw(st.integers(0, 6))):
        cells = {field.name: draw(_cell(field.kind)) for field in fields}
        rows.append(Row(f"r{n}", cells, _said(schema)))
    return Table(schema.key, (*rows, Row("else")))


def _cell(kind):
    """A cell in any of the words that the grammar has for a test."""
    return (st.just(ANYTHING) | TESTS[kind]).flatmap(lambda test: st.sampled_from(_worded(test, kind)))


def _worded(test, kind):
    normal = write(test, kind)
    match test:
        case OneOf((one,), negated) if kind != "codes":
            sign = "!=" if negated else "=="
            return [normal, f"{sign} {json.dumps(one, ensure_ascii=False)}"]
        case OneOf(values, False):
            return [normal, unary(test, kind), " , ".join(json.dumps(each, ensure_ascii=False) for each in values)]
        case Between(int(low), None):
            return [normal, f"> {low - 1}", f">{low - 1}"] if low > -BIG else [normal]
        case Between(None, int(high)):
            return [normal, f"< {high + 1}"] if high < BIG else [normal]
        case Between(int(low), int(high)) if low > -BIG and high < BIG:
            return [normal, f"({low - 1}..{high + 1})", f"[ {low} .. {high + 1})"]
    return ["", " ", "-"] if test is ANYTHING else [normal, f" {normal} "]


def _said(schema):
    """Something found, where the kind of table has words for nothing found."""
    found = {"none": "RISK_VELOCITY", "": "programme"} if schema.key != "opening" else {"none": "review"}
    return {name: found[value] for name, value in schema.silent.items()}


@st.composite
def cases(draw):
    """A table with an input: often a value that some row names."""
    table = draw(tables())
    schema, inputs = SCHEMAS[table.key], {}
    for field in schema.inputs:
        named = [
            value for each in rules(table) for test in [each.tests.get(field.name)] for value in _near(test, field.kind)
        ]
        strategy = VALUES[field.kind] | (st.sampled_from(named) if named else VALUES[field.kind])
        inputs[field.name] = draw(strategy if draw(st.integers(0, 15)) else st.none())
    return table, inputs


def _near(test, kind):
    match test:
        case OneOf(values):
            return [(value,) for value in values] if kind == "codes" else list(values)
        case Between(low, high):
            ends = [end + step for end in (low, high) if end is not None for step in (-1, 0, 1)]
            return [end for end in ends if -BIG <= end <= BIG]
    return []
