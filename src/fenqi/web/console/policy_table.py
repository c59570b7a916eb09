"""A policy's tables in the console: rows as people read them, and for a draft's maker a form for each row.

Each save is one of the whole document; what a row would do wrong is said beside it at once, and kept from publication.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from starlette.responses import HTMLResponse, Response

from fenqi import policy
from fenqi.database.pool import Tx
from fenqi.flows import policy_publish
from fenqi.flows.reference import Reference
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import PolicyState, PolicyVersion, sheet_csv, table_faults
from fenqi.policy.lint_table import Fault
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Row, Schema, Table
from fenqi.staff import Action
from fenqi.web.console import policy_words as words
from fenqi.web.console.act import check_may
from fenqi.web.console.find import member_of
from fenqi.web.console.policies import known_of
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.template import environment, own

_NAMED = 40
_MOVES = {"up": -1, "down": 1}


class Shown(NamedTuple):
    """A row as it is read; `change` is how it differs from the base version: "" | added | changed."""

    place: int
    row: Row
    asked: list[words.Said]
    answered: list[words.Said]
    faults: list[Fault]
    change: str


def names_of(ref: Reference, visit: Visit) -> words.Names:
    """The names of categories and merchants in the reader's language."""
    categories = {code: own(ref.tree.get(code), "name", visit.locale) for code in ref.tree.codes}
    merchants = {one.merchant.number: own(one.merchant, "name", visit.locale) for one in ref.sellers.values()}
    return {"category": categories, "merchant": merchants}


def _table(document: policy.PolicyDocument, key: str) -> Table:
    return next((table for table in document.tables if table.key == key), Table(key))


async def _found(visit: Visit, tx: Tx) -> tuple[PolicyVersion, Schema]:
    found = await policy.by_number(tx, visit.request.path_params["number"][:_NAMED])
    schema = SCHEMAS.get(visit.request.path_params["key"])
    if schema is None:
        raise NotFound("NOT_FOUND", "no such table")
    return found, schema


def _may_edit(visit: Visit, found: PolicyVersion) -> bool:
    member = member_of(visit)
    is_open = found.state in (PolicyState.DRAFT, PolicyState.REJECTED)
    return is_open and found.maker == member.actor and member.may(Action.MAKE_POLICY)


async def page(visit: Visit) -> Response:
    """GET /console/policies/{number}/tables/{key}."""
    check_may(visit, Action.SEE_POLICY)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        found, schema = await _found(visit, tx)
        base = await policy.by_number(tx, found.based_on) if found.based_on else found
    table, names = _table(found.document, schema.key), names_of(ref, visit)
    faults = table_faults(table, known_of(ref))
    old = {row.rule_id: row for row in _table(base.document, schema.key).rows}
    rows = [
        Shown(
            place, row, words.asked(row, schema, visit.locale, names), words.answered(row, schema, visit.locale, names),
            [fault for fault in faults if fault.rule_id == row.rule_id],
            "" if old.get(row.rule_id) == row else "changed" if row.rule_id in old else "added",
        )
        for place, row in enumerate(table.rows)
    ]  # fmt: skip
    gone = [row for row in old.values() if row.rule_id not in {each.rule_id for each in table.rows}]
    return visit.render(
        "console/policy_table.html",
        version=found, schema=schema, schemas=SCHEMAS, rows=rows, may_edit=_may_edit(visit, found),
        others=[fault for fault in faults if not fault.rule_id],
        gone=[(row, words.asked(row, schema, visit.locale, names), words.answered(row, schema, visit.locale, names))
              for row in gone],
    )  # fmt: skip


async def row_page(visit: Visit) -> Response:
    """GET /console/policies/{number}/tables/{key}/rows/{place}: `new` asks for one above the place in ?above=."""
    check_may(visit, Action.MAKE_POLICY)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        found, schema = await _found(visit, tx)
    table, place = _table(found.document, schema.key), visit.request.path_params["place"]
    copied = visit.query("copy", 5)
    if place == "new":
        source = _row(table, copied) if copied else Row("")
        row = msgspec.structs.replace(source, rule_id="")
        above = int(visit.query("above", 5)) if visit.query("above", 5).isdigit() else 0
    else:
        row, above = _row(table, place), 0
    return _row_form(visit, ref, found, schema, row, place, above)


def _row(table: Table, place: str) -> Row:
    if not place.isdigit() or int(place) >= len(table.rows):
        raise NotFound("NOT_FOUND", "no such row")
    return table.rows[int(place)]


def _row_form(
    visit: Visit, ref: Reference, found: PolicyVersion, schema: Schema, row: Row, place: str, above: int,
    error: Refusal | None = None,
) -> Response:  # fmt: skip
    names = names_of(ref, visit)
    return visit.render(
        "console/policy_row.html",
        400 if error else 200,
        version=found, schema=schema, row=row, place=place, above=above, error=visit.error(error),
        inputs=words.input_fields(row, schema, visit.locale, names),
        outputs=words.output_fields(row, schema, visit.locale, names),
        names=names, detail=error.detail if error else "",
        **_judged(visit, ref, found, schema, row, place, above),
    )  # fmt: skip


def _judged(
    visit: Visit, ref: Reference, found: PolicyVersion, schema: Schema, row: Row, place: str, above: int
) -> dict[str, object]:
    """The row in words, and what is wrong with it where it would stand."""
    names = names_of(ref, visit)
    table = _with(_table(found.document, schema.key), row, place, above)
    faults = table_faults(table, known_of(ref)) if row.rule_id else []
    return {
        "asked": words.asked(row, schema, visit.locale, names),
        "answered": words.answered(row, schema, visit.locale, names),
        "faults": [fault for fault in faults if fault.rule_id in ("", row.rule_id)],
        "is_new": not row.rule_id,
    }


def _with(table: Table, row: Row, place: str, above: int) -> Table:
    rows = list(table.rows)
    if place == "new":
        rows.insert(min(above, len(rows)), row)
    elif place.isdigit() and int(place) < len(rows):
        rows[int(place)] = row
    return Table(table.key, tuple(rows))


async def check(visit: Visit) -> Response:
    """POST /console/policies/{number}/tables/{key}/rows/{place}/check: what is wrong with a row, as it is typed."""
    check_may(visit, Action.MAKE_POLICY)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        found, schema = await _found(visit, tx)
    place = visit.request.path_params["place"]
    values: dict[str, object]
    try:
        row = words.read_row(visit.form, Row(""), schema)
        values = _judged(visit, ref, found, schema, row, place, visit.form.count("above", 10_000)) | {"detail": ""}
    except Refusal as no:
        values = {"asked": [], "answered": [], "faults": [], "is_new": False, "detail": no.detail}
    template = environment(visit.locale).get_template("console/policy_check.html")
    return HTMLResponse(template.render(locale=visit.locale, **values))


async def save_row(visit: Visit) -> Response:
    """POST /console/policies/{number}/tables/{key}/rows/{place}: keep the row; faults and all, it is a draft."""
    check_may(visit, Action.MAKE_POLICY)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        found, schema = await _found(visit, tx)
    place, above = visit.request.path_params["place"], visit.form.count("above", 10_000)
    table = _table(found.document, schema.key)
    try:
        old = Row("") if place == "new" else _row(table, place)
        row = words.read_row(visit.form, old, schema)
        if not row.rule_id:
            raise Refusal("FIELD_MISSING", "a rule has a name", field="rule_id")
    except Refusal as no:
        if no.code not in ("CELL_INVALID", "FIELD_MISSING"):
            raise
        return _row_form(visit, ref, found, schema, Row(""), place, above, no)
    return await _save(visit, found, schema, _with(table, row, place, above), "saved")


async def move_row(visit: Visit) -> Response:
    """POST /console/policies/{number}/tables/{key}/rows/{place}/{verb}: up, down, or remove."""
    check_may(visit, Action.MAKE_POLICY)
    async with visit.context.database.snapshot() as tx:
        found, schema = await _found(visit, tx)
    place, verb = visit.request.path_params["place"], visit.request.path_params["verb"]
    rows = list(_table(found.document, schema.key).rows)
    row = _row(Table(schema.key, tuple(rows)), place)
    rows.pop(int(place))
    if verb in _MOVES:
        rows.insert(max(0, int(place) + _MOVES[verb]), row)
    elif verb != "remove":
        raise Refusal("FORM_INVALID", f"no step {verb!r}")
    return await _save(visit, found, schema, Table(schema.key, tuple(rows)), verb)


async def paste(visit: Visit) -> Response:
    """POST /console/policies/{number}/tables/{key}: the whole table as copied from a spreadsheet, or all its faults."""
    check_may(visit, Action.MAKE_POLICY)
    async with visit.context.database.snapshot() as tx:
        found, schema = await _found(visit, tx)
    read = sheet_csv.read_csv(schema.key, visit.form.text("sheet", 60_000).encode())
    if read.faults:
        return visit.render("console/policy_faults.html", 400, version=found, schema=schema, faults=read.faults)
    return await _save(visit, found, schema, read.tables[0], "pasted")


async def _save(visit: Visit, found: PolicyVersion, schema: Schema, table: Table, notice: str) -> Response:
    revision, why = visit.form.count("revision", 10**6), visit.form.text("why")
    staff_id = member_of(visit).staff_id
    await policy_publish.save_tables(visit.context, staff_id, found.policy_id, revision, [table], why)
    return visit.redirect(f"/console/policies/{found.number}/tables/{schema.key}", notice=notice)


_TABLE = "/console/policies/{number}/tables/{key}"
ROUTES = [
    get(_TABLE, page, Who.STAFF),
    post(_TABLE, paste, Who.STAFF),
    get(_TABLE + "/rows/{place}", row_page, Who.STAFF),
    post(_TABLE + "/rows/{place}/check", check, Who.STAFF),
    post(_TABLE + "/rows/{place}/{verb}", move_row, Who.STAFF),
    post(_TABLE + "/rows/{place}", save_row, Who.STAFF),
]
