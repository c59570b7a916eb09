"""Decision tables: what a kind of table is asked and answers (`Schema`), and the rows that a version of it holds.

Pure data. `first`: the first row that matches answers, and the last row matches everything. `collect`: every row that
matches answers, and one row that matches everything stands for "nothing found", so that silence is always an error.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from fenqi.policy.cell import Kind

Scalar = str | int | bool | None
Answer = Scalar | tuple[str | int, ...]
"""What an output cell says."""


class Field(msgspec.Struct, frozen=True):
    """An input of a table. The suffix of its name is its unit: `_minor`, `_ppm`, `_count`, `_days`, `_hours` …"""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    """The codes that exist, where they are a closed set; categories are linted against the tree."""


class Output(msgspec.Struct, frozen=True):
    """An output of a table, with what it says where a row leaves it out."""

    name: str
    kind: Literal["text", "number", "flag", "texts", "numbers"]
    default: Answer = None
    values: tuple[str, ...] = ()


class Schema(msgspec.Struct, frozen=True):
    """A kind of table: its inputs, its outputs, and how many rows answer."""

    key: str
    hit: Literal["first", "collect"]
    inputs: tuple[Field, ...]
    outputs: tuple[Output, ...]
    silent: dict[str, Answer]
    """The outputs that say "nothing found": those of a `collect` table's row that matches everything."""

    def input(self, name: str) -> Field | None:
        """The input of this name."""
        return next((field for field in self.inputs if field.name == name), None)


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A rule: the cells that it tests by input (an input left out: whatever it is), and what it answers by output."""

    rule_id: str
    when: dict[str, str] = {}
    then: dict[str, Answer] = {}
    note: str = ""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The rows of one table, in the order in which they are looked at."""

    key: str
    rows: tuple[Row, ...] = ()


class Hit(msgspec.Struct, frozen=True):
    """A row that answered, with every output."""

    rule_id: str
    then: dict[str, Answer]


class Answered(msgspec.Struct, frozen=True):
    """What a table says of one case. `missing`: inputs that a row tests and nobody knew; then nothing was decided, and
    the case goes to a person."""

    hits: tuple[Hit, ...]
    missing: tuple[str, ...] = ()

    @property
    def hit(self) -> Hit | None:
        """The row that decided, of a `first` table."""
        return self.hits[0] if self.hits else None
