"""The lint of one decision table: what could never match, says something impossible, or answers by accident. Pure.

A broken row is a fault that keeps the table from being published; it is never passed over, since a refusal that never
matches is a door left open. Rows that merely look at odds are warnings for the checker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from itertools import combinations

import msgspec
import zen

from fenqi.kernel.money import MAX_AMOUNT_MINOR
from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import ANYTHING, Anything, Between, Is, Kind, OneOf, Test, unary
from fenqi.policy.rule import Rule, answer, rule, test
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Answer, Row, Schema, Table

_PPM_MOST = 100_000_000
_HOURS_MOST = 24 * 365
_RULE_ID_MOST = 80


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a table: at a row and a column where it has one, in words."""

    table: str
    says: str
    rule_id: str = ""
    column: str = ""

    def __str__(self) -> str:
        where = f"{self.table} {self.rule_id}".rstrip()
        return f"{where}: {self.column}: {self.says}" if self.column else f"{where}: {self.says}"


class Known(msgspec.Struct, frozen=True):
    """The codes that exist besides a schema's own: of the category tree, and of merchants where they are handed in."""

    categories: Collection[str]
    merchants: Collection[str] | None = None

    def of(self, name: str, values: tuple[str, ...]) -> Collection[str] | None:
        """The codes that an input may be compared with; None: any."""
        if name == "category":
            return self.categories
        return self.merchants if name == "merchant" else values or None


def table_faults(table: Table, known: Known) -> list[Fault]:
    """Everything wrong with a table; empty is what publication asks for."""
    schema = SCHEMAS.get(table.key)
    if schema is None:
        return [Fault(table.key, f"no such table: there are {', '.join(SCHEMAS)}")]
    rows = [fault for row in table.rows for fault in _row(row, schema, known)]
    twice = [name for name, count in Counter(row.rule_id for row in table.rows).items() if count > 1]
    rows += [Fault(table.key, f"rule_id {name!r} is there twice", name) for name in sorted(twice)]
    if any(_is_unreadable(row, schema) for row in table.rows):
        return rows
    found = [rule(row, schema) for row in table.rows]
    return rows + list(_catch_all(schema, found)) + list(_unreachable(schema, found))


def table_warnings(table: Table) -> list[Fault]:
    """What may be meant but is odd: rows of which only their order, or nothing, says which one counts.

    `first`: two rows on the same inputs that can both match and answer differently. `collect`: two rows that match the
    same cases with the same finding and different words about it; a programme with two caps. A table with faults has
    no warnings.
    """
    schema = SCHEMAS.get(table.key)
    if schema is None or any(_is_unreadable(row, schema) for row in table.rows):
        return []
    found = [rule(row, schema) for row in table.rows]
    odd = _contradicts_first if schema.hit == "first" else _contradicts_collect
    return [
        Fault(table.key, f"at odds with {earlier.hit.rule_id!r}: {says}", later.hit.rule_id)
        for earlier, later in combinations(found, 2)
        for says in [odd(schema, earlier, later)]
        if says
    ]


def _is_unreadable(row: Row, schema: Schema) -> bool:
    try:
        rule(row, schema)
    except Refusal:
        return True
    return False


def _row(row: Row, schema: Schema, known: Known) -> Iterator[Fault]:
    if not row.rule_id or len(row.rule_id) > _RULE_ID_MOST or not row.rule_id.isprintable():
        yield Fault(schema.key, f"no rule_id of 1 to {_RULE_ID_MOST} characters", row.rule_id)
    for name in row.when:
        yield from (Fault(schema.key, says, row.rule_id, name) for says in _cell(row, name, schema, known))
    for name in row.then:
        yield from (Fault(schema.key, says, row.rule_id, name) for says in _said(row, name, schema))


def _cell(row: Row, name: str, schema: Schema, known: Known) -> Iterator[str]:
    field = schema.input(name)
    if field is None:
        yield "no such input"
        return
    try:
        found = test(row, name, schema)
    except Refusal as refusal:
        yield refusal.detail.split(f"{name}: ", 1)[-1]
        return
    if isinstance(found, Anything):
        return
    yield from _compiled(unary(found, field.kind))
    codes = known.of(name, field.values)
    if codes is not None and isinstance(found, OneOf) and field.kind != "number":
        yield from (f"unknown {name.replace('_', ' ')} {value!r}" for value in found.values if value not in codes)


def _compiled(expression: str) -> Iterator[str]:
    """The engine's own word that it can read the expression. It raises bare RuntimeErrors."""
    try:
        zen.compile_unary_expression(expression)
    except RuntimeError as error:
        yield f"the engine can't read {expression}: {str(error).splitlines()[0]}"


def _said(row: Row, name: str, schema: Schema) -> Iterator[str]:
    try:
        value = answer(row, name, schema)
    except Refusal as refusal:
        yield refusal.detail.split(f"{name}: ", 1)[-1]
        return
    most = _most(name)
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int) and not isinstance(number, bool) and not 0 <= number <= most:
            yield f"{number} is outside 0 … {most}"


def _most(name: str) -> int:
    if name.endswith("_ppm"):
        return 1_000_000 if name == "down_payment_ppm" else _PPM_MOST
    return _HOURS_MOST if name.endswith("_hours") else MAX_AMOUNT_MINOR


def _catch_all(schema: Schema, found: list[Rule]) -> Iterator[Fault]:
    """`first` ends with a row for everything else; `collect` has one row, silent, that matches everything."""
    if schema.hit == "first":
        if not found or found[-1].tests:
            yield Fault(schema.key, "the last row must match everything: nothing may stay undecided")
        return
    silent = [each for each in found if each.is_silent]
    if len([each for each in silent if not each.tests]) != 1:
        yield Fault(schema.key, "exactly one row must match everything and say that nothing was found")
    for each in silent:
        if each.tests:
            yield Fault(schema.key, "a row that tests something must find something", each.hit.rule_id)


def _unreachable(schema: Schema, found: list[Rule]) -> Iterator[Fault]:
    """Rows of a `first` table that one earlier row covers wholly."""
    if schema.hit != "first":
        return
    for n, later in enumerate(found):
        for earlier in found[:n]:
            if all(covers(each, later.tests.get(name, ANYTHING)) for name, each in earlier.tests.items()):
                says = f"never reached: {earlier.hit.rule_id!r} takes every case of it"
                yield Fault(schema.key, says, later.hit.rule_id)
                break


def covers(wide: Test, narrow: Test) -> bool:
    """Whether whatever passes `narrow` passes `wide`; for sure if True, not shown if False."""
    match wide, narrow:
        case (Anything(), _):
            return True
        case (Is(wanted), Is(value)):
            return wanted is value
        case (Between(), Between()):
            return _at_most(wide.low, narrow.low) and _at_least(wide.high, narrow.high)
        case (Between(low, high), OneOf(values, False)):
            return all((low is None or int(v) >= low) and (high is None or int(v) <= high) for v in values)
        case (OneOf(many, False), OneOf(few, False)):
            return set(few) <= set(many)
        case (OneOf(few, True), OneOf(many, True)):
            return set(few) <= set(many)
    return False


def _at_most(wide: int | None, narrow: int | None) -> bool:
    return wide is None or (narrow is not None and wide <= narrow)


def _at_least(wide: int | None, narrow: int | None) -> bool:
    return wide is None or (narrow is not None and wide >= narrow)


def _contradicts_first(schema: Schema, earlier: Rule, later: Rule) -> str:
    """Rows on the same inputs that overlap, where the later isn't plainly the wider one: their order decides."""
    if set(earlier.tests) != set(later.tests) or earlier.hit.then == later.hit.then:
        return ""
    if all(covers(each, earlier.tests[name]) for name, each in later.tests.items()):
        return ""
    overlap = all(_overlap(each, later.tests[name], _kind(schema, name)) for name, each in earlier.tests.items())
    return "both can match, and their order decides" if overlap and earlier.tests else ""


def _contradicts_collect(schema: Schema, earlier: Rule, later: Rule) -> str:
    same = _same_subject(earlier.hit.then, later.hit.then)
    if not same or earlier.is_silent or later.is_silent or earlier.hit.then == later.hit.then:
        return ""
    if schema.key == "exposure":
        return "one programme with two caps"
    return "the same cases, told in two ways" if earlier.tests == later.tests else ""


def _same_subject(one: dict[str, Answer], other: dict[str, Answer]) -> bool:
    return next(iter(one.values())) == next(iter(other.values())) or one.get("code") == other.get("code", object())


def _kind(schema: Schema, name: str) -> Kind:
    field = schema.input(name)
    assert field is not None, "rules are read by their schema"
    return field.kind


def _overlap(one: Test, other: Test, kind: Kind) -> bool:
    """Whether some value is likely to pass both: for codes only shared ones count, a person may have any two."""
    match one, other:
        case (Between(), Between()):
            return not (_below(one.high, other.low) or _below(other.high, one.low))
        case (OneOf(few, False), OneOf(many, False)):
            return bool(set(few) & set(many))
        case (OneOf(few, False), OneOf(many, True)) | (OneOf(many, True), OneOf(few, False)):
            return kind == "codes" or not set(few) <= set(many)
        case (Between(low, high), OneOf(values, False)) | (OneOf(values, False), Between(low, high)):
            return any((low is None or int(v) >= low) and (high is None or int(v) <= high) for v in values)
    return one == other or not isinstance(one, Is)


def _below(high: int | None, low: int | None) -> bool:
    return high is not None and low is not None and high < low
