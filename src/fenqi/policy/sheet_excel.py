"""Decision tables as an Excel workbook: a sheet for each table, with a frozen header and lists to choose from.

What comes back may have passed through anybody's spreadsheet: whatever is no plain value is told, not guessed at.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from openpyxl import Workbook, load_workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.datavalidation import DataValidation

from fenqi.policy.schema import SCHEMAS
from fenqi.policy.sheet import (
    MOST_BYTES,
    MOST_FAULTS,
    MOST_ROWS,
    Given,
    Imported,
    Misread,
    Special,
    header,
    letter,
    line,
    read,
    refused,
    sheet_names,
    taken,
)
from fenqi.policy.table import Field, Output, Schema, Table

_LISTS = "_lists"
"""The hidden sheet with the codes to choose from; what it says on the way back is not looked at."""
_MOST_UNPACKED = 64 * 1024 * 1024
_MOST_COLUMNS = 200
_MOST_SHEETS = 20
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_DAMAGED = (
    zipfile.BadZipFile, zlib.error, InvalidFileException, ParseError, KeyError, ValueError, TypeError, AttributeError,
    IndexError, EOFError, OSError, NotImplementedError, RuntimeError, AssertionError, OverflowError,
)  # fmt: skip
"""What the reader of foreign files raises over damaged ones."""


def write_workbook(tables: Iterable[Table]) -> bytes:
    """The tables as an xlsx file."""
    book = Workbook()
    book.remove(book.active)
    lists = _Lists()
    for table in tables:
        _fill(book.create_sheet(table.key), table, lists)
    lists.put(book.create_sheet(_LISTS))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class _Lists:
    """The closed sets of codes, each in a column of the hidden sheet."""

    def __init__(self) -> None:
        self._sets: list[tuple[str, ...]] = []

    def formula(self, values: tuple[str, ...]) -> str:
        """Where a set of codes stands, as a list to choose from wants it."""
        if values not in self._sets:
            self._sets.append(values)
        column = letter(self._sets.index(values) + 1)
        return f"={_LISTS}!${column}$1:${column}${len(values)}"

    def put(self, sheet: Any) -> None:
        """Write all sets down."""
        sheet.sheet_state = "hidden"
        for column, values in enumerate(self._sets, start=1):
            for row, value in enumerate(values, start=1):
                _put(sheet.cell(row, column), value)


def _fill(sheet: Any, table: Table, lists: _Lists) -> None:
    schema = SCHEMAS[table.key]
    for column, title in enumerate(header(schema), start=1):
        cell = sheet.cell(1, column)
        _put(cell, title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E8EEF7")
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[letter(column)].width = max(14, min(30, len(title) + 2))
    for row, each in enumerate(table.rows, start=2):
        for column, value in enumerate(line(each, schema), start=1):
            _put(sheet.cell(row, column), value)
    sheet.freeze_panes = "B2"
    _offer_choices(sheet, schema, lists)


def _put(cell: Any, value: str | int | None) -> None:
    """A value, never a formula: text stays text, whatever it begins with."""
    if isinstance(value, str):
        cell.value = _UNPRINTABLE.sub("\ufffd", value)
        cell.data_type, cell.number_format = "s", "@"
    elif value is not None:
        cell.value, cell.number_format = value, "0"


def _offer_choices(sheet: Any, schema: Schema, lists: _Lists) -> None:
    """Lists where codes are a closed set; what several codes or a comparison are written by stays allowed."""
    columns: list[Field | Output] = [*schema.inputs, *schema.outputs]
    for column, each in enumerate(columns, start=2):
        values = ("true", "false") if each.kind == "flag" else each.values
        sheet.cell(1, column).comment = Comment(_help(each, values), "fenqi", height=160, width=320)
        if not values:
            continue
        choice = DataValidation(type="list", formula1=lists.formula(values), allow_blank=True)
        choice.showErrorMessage = isinstance(each, Output) and each.kind in ("text", "flag")
        sheet.add_data_validation(choice)
        choice.add(f"{letter(column)}2:{letter(column)}{MOST_ROWS + 1}")


def _help(each: Field | Output, values: tuple[str, ...]) -> str:
    if isinstance(each, Output):
        says = f"{each.kind}; empty: {each.default!r}"
    else:
        says = {
            "number": "5 | 1, 2 | > 5 | [1..5] | empty: any",
            "flag": "true | false | empty: any",
            "text": 'a | a, b | not in ["a", "b"] | empty: any',
            "codes": 'a | a, b | not in ["a", "b"] | empty: any',
        }[each.kind]
    return f"{says}\n{', '.join(values)}" if values else says


def read_workbook(raw: bytes) -> Imported:
    """The tables of an xlsx file, or every fault: a table is a sheet under its key, and any subset may be there."""
    if len(raw) > MOST_BYTES:
        return refused("", f"at most {MOST_BYTES} bytes")
    try:
        if _unpacked(raw) > _MOST_UNPACKED:
            return refused("", "a workbook that is no larger unpacked than 64 MB")
        book = load_workbook(io.BytesIO(raw), keep_links=False)
        sheets = {sheet.title: _lines(sheet) for sheet in book.worksheets if sheet.title != _LISTS}
        others = [sheet.title for sheet in book.chartsheets]
    except _DAMAGED as error:
        return refused("", f"an Excel workbook (.xlsx) that is whole: {type(error).__name__}")
    wrong = sheet_names([*sheets, *others])
    if len(sheets) > _MOST_SHEETS:
        return refused("", f"at most {_MOST_SHEETS} sheets")
    return taken((read(key, cells) for key, (cells, _) in sheets.items() if key in SCHEMAS), [
        *wrong, *(fault for _, faults in sheets.values() for fault in faults),
    ])  # fmt: skip


def _unpacked(raw: bytes) -> int:
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        return sum(each.file_size for each in archive.infolist())


def _lines(sheet: Any) -> tuple[dict[int, dict[int, Given]], list[Misread]]:
    """The cells that hold anything, and what no cell says: merged blocks, and what lies too far out."""
    found: dict[int, dict[int, Given]] = {}
    faults = [
        Misread(sheet.title, each.min_row, letter(each.min_col), str(each), "no merged cells")
        for each in sheet.merged_cells.ranges
    ]
    for row, column, value in _held(sheet):
        if row <= 2 * MOST_ROWS and column <= _MOST_COLUMNS:
            found.setdefault(row, {})[column] = value
        elif len(faults) < MOST_FAULTS:
            says = f"nothing beyond row {2 * MOST_ROWS} or column {letter(_MOST_COLUMNS)}"
            faults.append(Misread(sheet.title, row, letter(column), str(value)[:80], says))
    return found, faults


def _held(sheet: Any) -> Iterator[tuple[int, int, Given]]:
    """Every cell with a value, in no order; going through the rows would make cells where there are none."""
    for (row, column), cell in list(sheet._cells.items()):
        if cell.value is not None:
            yield row, column, _given(cell)


def _given(cell: Any) -> Given:
    value = cell.value
    if cell.data_type == "f" or not isinstance(value, (str, int, float, date, time, timedelta)):
        return Special("formula", str(getattr(value, "text", value)))
    if cell.data_type == "e":
        return Special("error of a formula", str(value))
    return value
