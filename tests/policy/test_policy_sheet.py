"""Tables through spreadsheets: what is written comes back the same; what can't be read for certain is told by its cell.

The files are made and broken with openpyxl and by bytes, as people's spreadsheets make and break them.
"""

from __future__ import annotations

import codecs
import csv
import io
import random
from datetime import UTC, date, datetime, time

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fenqi import policy
from fenqi.catalog import CategoryTree
from fenqi.policy.cell import ANYTHING, parse
from fenqi.policy.difference import difference
from fenqi.policy.lint_table import Known, table_faults
from fenqi.policy.rule import normal
from fenqi.policy.schema import GOODS, SCHEMAS
from fenqi.policy.sheet import header, letter, line, read
from fenqi.policy.sheet_csv import read_csv, write_csv
from fenqi.policy.sheet_excel import read_workbook, write_workbook
from fenqi.policy.table import Row, Table
from fenqi.seed import categories

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
CODES = CategoryTree(categories()).codes
TABLES = policy.default_document(AT).tables
GOODS_TABLE = next(table for table in TABLES if table.key == "goods")
RICH = Table(
    "goods",
    (
        Row(
            "parents",
            {
                "method": '"credit"',
                "scene": 'not in ["mall"]',
                "category": '"furniture", "sofa"',
                "segments": '"student_parent"',
                "clean_months": ">= 24",
                "account_age_days": "[30..365]",
                "pd_ppm": "1, 2",
                "merchant": '"001", "S 2"',
            },
            {"max_minor": 2_000_000, "terms": (3, 6, 12), "excluded": ()},
            "=1+1 两年无逾期",
        ),
        Row("one", {"clean_months": "5", "pd_ppm": "not in [7]"}, {"terms": (), "excluded": ("gift", "trade_in")}),
        Row("rest", {}, {"verdict": "not_covered"}),
    ),
)


def place(name):
    """Where a column of goods stands: its letter."""
    return letter(header(GOODS).index(name) + 1)


def broken(cell, value, change=None):
    """What is read of the goods sheet after one cell is another one."""
    book = openpyxl.load_workbook(io.BytesIO(write_workbook([RICH])))
    sheet = book["goods"]
    if cell is not None:
        sheet[cell] = value
    if change is not None:
        change(book, sheet)
    out = io.BytesIO()
    book.save(out)
    return read_workbook(out.getvalue())


def only(found):
    """The one fault, as (row, column, wanted); and nothing is taken."""
    assert found.tables == () and len(found.faults) == 1, found
    return found.faults[0].row, found.faults[0].column, found.faults[0].wanted


@pytest.mark.parametrize("tables", [TABLES, (RICH,)], ids=["default", "rich"])
def test_what_goes_out_comes_back(tables):
    found = read_workbook(write_workbook(tables))
    assert found.faults == ()
    assert found.tables == tuple(map(normal, tables))
    for table in tables:
        assert read_csv(table.key, write_csv(table)) == ((normal(table),), ())


def test_the_sheet_as_people_see_it():
    book = openpyxl.load_workbook(io.BytesIO(write_workbook([RICH])))
    sheet = book["goods"]
    assert [cell.value for cell in sheet[1]] == [
        "rule_id", "method", "scene", "category", "seller_kind", "merchant", "segments", "clean_months [months]",
        "account_age_days [days]", "pd_ppm [ppm]", "→ verdict", "→ min_minor [fen]", "→ max_minor [fen]", "→ terms",
        "→ excluded", "note",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[2]] == [
        "parents", "credit", 'not in ["mall"]', "furniture, sofa", None, '"001", "S 2"', "student_parent", ">= 24",
        "[30..365]", "1, 2", None, None, 2_000_000, "3, 6, 12", "[]", "=1+1 两年无逾期",
    ]  # fmt: skip
    assert (sheet["P2"].data_type, sheet.freeze_panes) == ("s", "B2")
    offered = {str(each.sqref): each.formula1 for each in sheet.data_validations.dataValidation}
    assert offered["B2:B2001"] == "=_lists!$A$1:$A$6" and book["_lists"].sheet_state == "hidden"
    assert [cell.value for cell in book["_lists"]["A"]][:2] == ["credit", "money_account"]
    assert write_csv(RICH).startswith(codecs.BOM_UTF8 + b"rule_id,method,")
    assert b",'=1+1 " in write_csv(RICH)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("method", "cash", "one of credit, money_account, bank_card, alipay, wechat_pay, huawei_pay"),
        ("method", 5, "text: format the cell as text"),
        ("method", True, "a text, not true or false"),
        ("method", "=B3", "a value, no formula"),
        ("method", "#REF!", "a value, no error of a formula"),
        ("category", 'furniture" or true', 'codes in quotes, like "a" or "a", "b" is wanted here'),
        ("clean_months [months]", 24.5, "a whole number, in the column's unit"),
        ("clean_months [months]", 1e300, "a whole number, in the column's unit"),
        (
            "clean_months [months]",
            "24.0",
            "a number, numbers, a comparison like > 5 or a range like [1..5] is wanted here",
        ),
        ("clean_months [months]", "20,000", "numbers without separators: 20000; several with a space: 1, 2"),
        ("clean_months [months]", "> 24 months", "a number, numbers, a comparison like > 5 or a range like [1..5]"),
        ("clean_months [months]", "\u200b", "a number, numbers, a comparison like > 5 or a range like [1..5]"),
        ("clean_months [months]", date(2026, 8, 24), "a value, no date or time: the spreadsheet has taken it for one"),
        ("clean_months [months]", time(1, 2), "a value, no date or time: the spreadsheet has taken it for one"),
        ("clean_months [months]", False, "a number, not true or false"),
        ("→ max_minor [fen]", "20000.00", "a whole number without separators"),
        ("→ max_minor [fen]", "２０００", "a whole number without separators"),
        ("→ max_minor [fen]", 0.05, "a whole number, in the column's unit"),
        ("→ max_minor [fen]", "¥20,000", "a whole number without separators"),
        ("→ verdict", "yes", "one of allow, category_excluded, seller_type_excluded, not_covered"),
        ("→ verdict", True, "a text, not true or false"),
        ("→ terms", "3; 6", "a whole number without separators"),
        ("→ terms", "3,,6", "a whole number without separators"),
        ("→ excluded", "gifts", "one of gift, cross_border, subscription, enterprise, presale_deposit, trade_in"),
        ("rule_id", None, "the rule's name, one in each row"),
        ("rule_id", 7, "the rule's name, as text"),
        ("note", 7, "a remark, as text"),
    ],
)
def test_a_cell_that_can_not_be_read_is_told_and_nothing_is_taken(name, value, wanted):
    found = broken(f"{place(name)}2", value)
    assert found.tables == ()
    first = found.faults[0]
    assert (first.sheet, first.row, first.column) == ("goods", 2, place(name))
    assert wanted in first.wanted, first


@pytest.mark.parametrize(
    ("value", "text"),
    [(24, "24"), (24.0, "24"), (" >= 24 ", ">= 24"), ("3, 1", "3, 1"), ("-", None), ("  ", None), ("(1..5]", "[2..5]")],
)
def test_cells_that_mean_the_same_are_read_the_same(value, text):
    found = broken(f"{place('clean_months [months]')}2", value)
    assert found.faults == () and found.tables[0].rows[0].when.get("clean_months") == text


def test_headers_are_all_there_once_in_their_units():
    assert only(broken("B1", None)) == (1, "Q", "the column 'method' is missing")
    assert only(broken("Q1", "method")) == (1, "Q", "each column once")
    assert only(broken("Q1", "colour")) == (
        1, "Q", "a column of this table; remove it, or name it as the export does",
    )  # fmt: skip
    assert only(broken("M1", "→ max_minor [yuan]"))[2] == "→ max_minor [fen]: this column is in [fen]"
    assert broken("M1", "->  max_minor").faults == ()
    assert only(broken("R3", "stray")) == (3, "R", "nothing: no column of the table is here")


def test_workbooks_that_are_more_than_tables():
    assert "no merged cells" in only(broken(None, None, lambda _, sheet: sheet.merge_cells("B2:B3")))[2]
    assert "one of opening" in only(broken(None, None, lambda book, _: book.create_sheet("Sheet1")))[2]
    assert "nothing beyond row 4000" in only(broken("A900000", "far"))[2]
    assert broken(None, None, lambda _, sheet: setattr(sheet.row_dimensions[2], "hidden", True)).tables[0].rows[0]
    swapped = broken(None, None, lambda _, sheet: sheet.insert_rows(3))
    assert [row.rule_id for row in swapped.tables[0].rows] == ["parents", "one", "rest"]
    none = openpyxl.Workbook()
    none.active.title = "_lists"
    out = io.BytesIO()
    none.save(out)
    assert "a sheet for a table" in only(read_workbook(out.getvalue()))[2]
    for raw in (b"", b"PK\x03\x04", b"rule_id,method\r\n", write_workbook([RICH])[:-500], bytes(5 * 1024 * 1024)):
        assert len(read_workbook(raw).faults) == 1


def test_csv_in_every_encoding_that_spreadsheets_save():
    text = write_csv(RICH).decode("utf-8-sig")
    same = ((normal(RICH),), ())
    for raw in (
        *(text.encode(encoding) for encoding in ("utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16")),
        codecs.BOM_UTF16_BE + text.encode("utf-16-be"), text.replace("\r\n", "\n").encode(),
    ):  # fmt: skip
        assert read_csv("goods", raw) == same
    rows = list(csv.reader(io.StringIO(text)))
    for delimiter in ";\t":
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter).writerows(rows)
        assert read_csv("goods", out.getvalue().encode()) == same
    assert only(read_csv("goods", b"\xff\xff\xfe"))[2] == "a text file in UTF-8 or GB18030"
    assert "quotes that close" in only(read_csv("goods", text.encode() + b'"open'))[2]
    assert only(read_csv("goods", b""))[2] == "the column 'rule_id' is missing"
    assert only(read_csv("prices", text.encode()))[2].startswith("one of opening")
    assert "at most 2000 rows" in only(read_csv("goods", text.encode() + b"x\r\n" * 2_500))[2]


_TEXTS = [
    "=1", "#N/A", "-", "'", "[]", '""', "1,000", "not in [1]", "true", "5 ", "≥ 5", "a, ", '"a', 'some($, # in ["a"])',
    "[1..", "[5..1]", "> ", "\u3000", "\u200b", "null", "None", "*", "any",
]  # fmt: skip
ODD = st.one_of(
    st.none(), st.integers(-(10**20), 10**20), st.floats(), st.booleans(), st.dates(), st.datetimes(),
    st.text(max_size=12), st.sampled_from(_TEXTS),
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 17), ODD), min_size=1, max_size=4))
def test_whatever_cells_hold_it_is_read_for_what_it_says_or_refused(changes):
    """A cell with anything in it never becomes "whatever it is", and an output is what its cell says."""
    names = header(GOODS)
    cells = {1: dict(enumerate(names, start=1))}
    for n, row in enumerate(RICH.rows, start=2):
        cells[n] = {c: value for c, value in enumerate(line(row, GOODS), start=1) if value is not None}
    for n, column, value in changes:
        cells[n][column] = value
    table, faults = read("goods", cells)
    if faults:
        return
    place = {cells[1].get(c): c for c in range(1, 18)}
    by_line = [n for n in (2, 3, 4) if any(_holds(cell) for cell in cells[n].values())]
    assert len(table.rows) == len(by_line)
    for row, n in zip(table.rows, by_line, strict=True):
        for field in GOODS.inputs:
            column = next(c for name, c in place.items() if isinstance(name, str) and name.split(" [")[0] == field.name)
            held = cells[n].get(column)
            tests = parse(row.when.get(field.name, ""), field.kind)
            assert (tests == ANYTHING) == (not _holds(held) or str(held).strip() == "-"), (field.name, held)
        assert row.rule_id and row.rule_id == str(cells[n][place["rule_id"]]).strip()


def _holds(cell):
    return cell is not None and bool(str(cell).strip())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_table_with_a_broken_cell_is_never_published_looser_than_it_reads(data):
    """One cell of the default goods table is broken through a real CSV file: what passes reader and lint differs from
    the default in that one rule only."""
    rows = list(csv.reader(io.StringIO(write_csv(GOODS_TABLE).decode("utf-8-sig"))))
    n = data.draw(st.integers(1, len(rows) - 1))
    column = data.draw(st.integers(0, len(rows[0]) - 1))
    rows[n][column] = data.draw(st.text(max_size=8) | st.sampled_from(["credit", "0", "-1", "99", 'not in ["x"]']))
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    try:
        raw = out.getvalue().encode()
    except UnicodeEncodeError:
        return
    found = read_csv("goods", raw)
    if found.faults or table_faults(found.tables[0], Known(CODES)):
        return
    before, after = (policy.PolicyDocument((), (), tables=(table,)) for table in (GOODS_TABLE, found.tables[0]))
    touched = {change.row for change in difference(before, after)}
    was, now = GOODS_TABLE.rows[n - 1].rule_id, found.tables[0].rows[n - 1].rule_id
    assert touched <= {was, now}
    assert len(found.tables[0].rows) == len(GOODS_TABLE.rows)


@pytest.mark.parametrize("seed", range(60))
def test_damaged_bytes_are_refused_or_read_whole(seed):
    rng = random.Random(seed)
    readers = ((write_workbook([RICH]), read_workbook), (write_csv(RICH), lambda raw: read_csv("goods", raw)))
    for raw, read_file in readers:
        damaged = bytearray(raw)
        for _ in range(rng.choice([1, 3, 40])):
            damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        if rng.random() < 0.3:
            del damaged[rng.randrange(len(damaged)) :]
        found = read_file(bytes(damaged))
        assert bool(found.tables) != bool(found.faults)
        assert all(table.key in SCHEMAS for table in found.tables)
