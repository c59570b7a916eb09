"""A decision table as a CSV file: written for spreadsheets in UTF-8, read as they save it, in any of their encodings.

Texts that a spreadsheet would take for a formula are written with an apostrophe before them, and read without it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re

from fenqi.policy.schema import SCHEMAS
from fenqi.policy.sheet import MOST_BYTES, MOST_ROWS, RULE, Imported, header, line, read, refused, taken
from fenqi.policy.table import Table

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_DANGEROUS = re.compile(r"'*[=+\-@\t]")
_NUMBER = re.compile(r"-?[0-9]+")
_MOST_COLUMNS = 200


def write_csv(table: Table) -> bytes:
    """The table as UTF-8 with a byte order mark, which spreadsheets ask for."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    schema = SCHEMAS[table.key]
    writer.writerow(header(schema))
    for row in table.rows:
        writer.writerow("" if cell is None else _guarded(str(cell)) for cell in line(row, schema))
    return codecs.BOM_UTF8 + out.getvalue().encode()


def read_csv(key: str, raw: bytes) -> Imported:
    """The table `key` from UTF-8, UTF-16 (both with or without a byte order mark) or GB18030, with commas, semicolons
    or tabs; or every fault."""
    if key not in SCHEMAS:
        return refused(key, f"one of {', '.join(SCHEMAS)}", key)
    if len(raw) > MOST_BYTES:
        return refused(key, f"at most {MOST_BYTES} bytes")
    text = _decoded(raw)
    if text is None or "\0" in text:
        return refused(key, "a text file in UTF-8 or GB18030")
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True))
    except csv.Error as error:
        return refused(key, f"a CSV file with quotes that close: {error}")
    if len(found) > 2 * MOST_ROWS or any(len(cells) > _MOST_COLUMNS for cells in found):
        return refused(key, f"at most {MOST_ROWS} rows and {_MOST_COLUMNS} columns")
    lines = {n: {c: _bared(cell) for c, cell in enumerate(cells, start=1)} for n, cells in enumerate(found, start=1)}
    return taken([read(key, lines)])


def _decoded(raw: bytes) -> str | None:
    for bom, encoding in _BOMS:
        if raw.startswith(bom):
            return _try(raw[len(bom) :], encoding)
    guess = _try(raw, "utf-8")
    return guess if guess is not None else _try(raw, "gb18030")


def _try(raw: bytes, encoding: str) -> str | None:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return None


def _delimiter(text: str) -> str:
    """What stands behind the first column's name."""
    found = re.match(rf'\s*"?{RULE}"?\s*([;\t])', text)
    return found[1] if found else ","


def _guarded(text: str) -> str:
    return f"'{text}" if _DANGEROUS.match(text) and not _NUMBER.fullmatch(text) else text


def _bared(text: str) -> str:
    return text[1:] if text.startswith("'") and _DANGEROUS.match(text[1:]) else text
