"""The tables asked for millions of cases at once: a frame's rows instead of one case's inputs. Pure.

Compiled to Polars expressions from the very cells that the engine of one case reads, and held to the same answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import polars as pl

from fenqi.policy.cell import Anything, Between, Is, OneOf, Test, Value, holds, parse
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Answer, Schema, Table

JOINED = "\x1f"
"""Between the codes of a set that is held as one text, which is how frames hold sets."""
_NUMBER, _FLAG = pl.Int64(), pl.Boolean()


class _Rule(NamedTuple):
    rule_id: str
    tests: tuple[tuple[str, Test], ...]
    """By input; whatever passes is left out."""


class BatchTable:
    """One table, read once, to be asked with frames.

    A frame has a column for every input: texts as String, numbers as Int64, flags as Boolean, sets of codes as List of
    String or as one String joined by `JOINED`. A column that is not there, or null, is an input that nobody knows.
    """

    def __init__(self, table: Table, schema: Schema | None = None) -> None:
        self.schema = schema or SCHEMAS[table.key]
        self.table = table
        self._kinds = {field.name: field.kind for field in self.schema.inputs}
        self._rules = tuple(
            _Rule(row.rule_id, tuple((name, test) for name, test in self._tests(row.when) if test != Anything()))
            for row in table.rows
        )
        named = {name for rule in self._rules for name, _ in rule.tests}
        self.tested: tuple[str, ...] = tuple(field.name for field in self.schema.inputs if field.name in named)
        """The inputs that some row tests, in the schema's order: where one is not known, nothing is decided."""

    def _tests(self, when: dict[str, str]) -> Iterable[tuple[str, Test]]:
        for name, text in when.items():
            yield name, parse(text, self._kinds[name])

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """The rows by their place."""
        return tuple(rule.rule_id for rule in self._rules)

    def outputs(self, name: str) -> tuple[Answer, ...]:
        """What each row answers in one output."""
        default = next(output.default for output in self.schema.outputs if output.name == name)
        return tuple(row.then.get(name, default) for row in self.table.rows)

    def first(self, frame: pl.DataFrame) -> pl.Series:
        """The place of the row that answers each case of a `first` table (UInt32); null: some input is missing, or no
        row matches."""
        asked, expressions = self._prepared(frame)
        chain = pl.lit(None, pl.UInt32())
        for place in range(len(expressions) - 1, -1, -1):
            chain = pl.when(expressions[place]).then(pl.lit(place, pl.UInt32())).otherwise(chain)
        known = pl.all_horizontal([pl.col(name).is_not_null() for name in self.tested] or [pl.lit(True)])
        chosen = pl.when(known).then(chain).otherwise(pl.lit(None, pl.UInt32()))
        return asked.with_columns(_row=chosen)["_row"]

    def every(self, frame: pl.DataFrame) -> pl.DataFrame:
        """For each row of a `collect` table a Boolean column, by its place as text, whether it answers a case; null:
        some input is missing."""
        asked, expressions = self._prepared(frame)
        known = pl.all_horizontal([pl.col(name).is_not_null() for name in self.tested] or [pl.lit(True)])
        whole = asked.with_columns(_known=known).with_columns(
            pl.when(pl.col("_known")).then(test).otherwise(pl.lit(None, _FLAG)).alias(str(place))
            for place, test in enumerate(expressions)
        )
        return whole.select(str(place) for place in range(len(expressions)))

    def ask(self, frame: pl.DataFrame) -> pl.DataFrame:
        """For each case `rules`, the ids of the rows that answer in their order, and `missing`, the inputs that are
        not known: both as List of String."""
        if self.schema.hit == "first":
            place = self.first(frame)
            answering = [place == n for n in range(len(self._rules))]
        else:
            answering = self.every(frame).get_columns()
        asked, _ = self._prepared(frame)
        return pl.DataFrame(
            {
                "rules": _listed(frame.height, zip(self.rule_ids, answering, strict=True)),
                "missing": _listed(frame.height, [(name, asked[name].is_null()) for name in self.tested]),
            }
        )

    def _prepared(self, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.Expr]]:
        """The tested inputs as columns that compare fast, and each rule as an expression over them."""
        columns: dict[str, pl.Series] = {}
        tests: dict[str, Callable[[Test], pl.Expr]] = {}
        for name in self.tested:
            series = _column(frame, name, self._kinds[name])
            if self._kinds[name] in ("text", "codes"):
                series, values = _numbered(series, self._kinds[name] == "codes")
                tests[name] = _among(name, values)
            else:
                tests[name] = _compared(name)
            columns[name] = series
        asked = pl.DataFrame(columns) if columns else pl.DataFrame({"_": pl.repeat(0, frame.height, eager=True)})
        whole = [_all([tests[name](test) for name, test in rule.tests]) for rule in self._rules]
        return asked, whole


def _listed(height: int, named: Iterable[tuple[str, pl.Series]]) -> pl.Series:
    """For each case the names that hold of it."""
    columns = [pl.when(holding.fill_null(False)).then(pl.lit(name)).alias(name) for name, holding in named]
    if not columns:
        return pl.Series([[]] * height, dtype=pl.List(pl.String()))
    there = pl.DataFrame({"_": pl.repeat(0, height, eager=True)}).with_columns(columns)
    return there.select(pl.concat_list(pl.exclude("_")).list.drop_nulls().alias("_"))["_"]


def _column(frame: pl.DataFrame, name: str, kind: str) -> pl.Series:
    if name not in frame.columns:
        dtype = {"number": _NUMBER, "flag": _FLAG}.get(kind, pl.String())
        return pl.repeat(None, frame.height, dtype=dtype, eager=True).alias(name)
    series = frame[name]
    if isinstance(series.dtype, pl.List):
        return series.list.join(JOINED)
    return series.cast(_NUMBER) if kind == "number" else series


def _numbered(series: pl.Series, are_codes: bool) -> tuple[pl.Series, list[Value]]:
    """Texts as places in the list of those that occur, each as the value that a cell is held against."""
    texts = series.drop_nulls().cast(pl.String()).unique(maintain_order=True)
    places = series.cast(pl.String()).cast(pl.Enum(texts)).to_physical()
    listed = texts.to_list()
    return places, [_codes(text) for text in listed] if are_codes else list(listed)


def _codes(text: str) -> tuple[str, ...]:
    return tuple(text.split(JOINED)) if text else ()


def _among(name: str, values: Sequence[Value]) -> Callable[[Test], pl.Expr]:
    """A test on texts or codes: it is held once for each value that occurs."""

    def compiled(test: Test) -> pl.Expr:
        passing = [place for place, value in enumerate(values) if holds(test, value)]
        if len(passing) in (0, len(values)):
            return pl.lit(bool(passing))
        return _any([pl.col(name) == place for place in passing]) if len(passing) < 4 else pl.col(name).is_in(passing)

    return compiled


def _compared(name: str) -> Callable[[Test], pl.Expr]:
    """A test on numbers or flags."""
    column = pl.col(name)

    def compiled(test: Test) -> pl.Expr:
        match test:
            case Is(value):
                return column if value else ~column
            case Between(low, high):
                bounds = [column >= low] if low is not None else []
                return _all([*bounds, column <= high] if high is not None else bounds)
            case OneOf(values, negated):
                found = column.is_in(list(values))
                return ~found if negated else found
        return pl.lit(True)

    return compiled


def _all(tests: Sequence[pl.Expr]) -> pl.Expr:
    whole = pl.lit(True) if not tests else tests[0]
    for test in tests[1:]:
        whole = whole & test
    return whole


def _any(tests: Sequence[pl.Expr]) -> pl.Expr:
    whole = tests[0]
    for test in tests[1:]:
        whole = whole | test
    return whole
