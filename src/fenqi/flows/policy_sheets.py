"""Policies as files: out as Excel, CSV, JDM or JSON, and back into a draft, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal
from uuid import UUID

import msgspec

from fenqi import policy as policies
from fenqi.flows.context import Context
from fenqi.flows.policy_publish import save, save_tables
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import PolicyDocument, PolicyVersion
from fenqi.policy.jdm import read_graph, write_graph
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.sheet import Imported
from fenqi.policy.sheet_csv import read_csv, write_csv
from fenqi.policy.table import Table

Form = Literal["xlsx", "csv", "jdm", "json"]
"""xlsx: all tables or one; csv: one table; jdm: all tables as a graph; json: the whole document."""
TABLES: tuple[str, ...] = tuple(SCHEMAS)
"""The keys of the tables that there are."""
FORMS: tuple[Form, ...] = ("xlsx", "csv", "jdm", "json")
MEDIA: dict[Form, str] = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "jdm": "application/json",
    "json": "application/json",
}


class File(msgspec.Struct, frozen=True):
    """A file to hand out."""

    name: str
    media: str
    body: bytes


async def export(ctx: Context, number: str, form: str, table: str = "") -> File:
    """A version as a file. Refuses POLICY_UNKNOWN, FORM_UNKNOWN, TABLE_UNKNOWN."""
    async with ctx.database.snapshot() as tx:
        version = await policies.by_number(tx, number)
    return await asyncio.to_thread(written, version.document, number, form_of(form), table)


def form_of(text: str) -> Form:
    """The form of this name; refuses FORM_UNKNOWN."""
    found = next((form for form in FORMS if form == text), None)
    if found is None:
        raise Refusal("FORM_UNKNOWN", f"one of {', '.join(FORMS)}")
    return found


def written(document: PolicyDocument, number: str, form: Form, table: str = "") -> File:
    """A document as a file; `table` names one table, which CSV has to. Refuses TABLE_UNKNOWN, CELL_INVALID (a draft's
    table that the form can't say)."""
    tables = _chosen(document.tables, table, needed=form == "csv")
    name = f"policy-{number}{'-' + table if table else ''}.{'jdm.json' if form == 'jdm' else form}"
    match form:
        case "xlsx":
            from fenqi.policy.sheet_excel import write_workbook  # a heavy library, of which serving has no need

            body = write_workbook(tables)
        case "csv":
            body = write_csv(tables[0])
        case "jdm":
            body = msgspec.json.format(msgspec.json.encode(write_graph(tables)))
        case "json":
            body = msgspec.json.format(msgspec.json.encode(document))
    return File(name, MEDIA[form], body)


def _chosen(tables: Sequence[Table], key: str, *, needed: bool) -> list[Table]:
    if not key and not needed:
        return list(tables)
    found = [table for table in tables if table.key == key]
    if not found:
        raise NotFound("TABLE_UNKNOWN", f"one of {', '.join(table.key for table in tables)}")
    return found


def read_tables(form: Form, raw: bytes, table: str = "") -> tuple[Table, ...]:
    """The tables that a file holds. Refuses SHEET_INVALID with every `faults`, JDM_INVALID, FORM_UNKNOWN for JSON."""
    match form:
        case "xlsx":
            from fenqi.policy.sheet_excel import read_workbook

            return _taken(read_workbook(raw))
        case "csv":
            return _taken(read_csv(table, raw))
        case "jdm":
            return read_graph(raw)
    raise Refusal("FORM_UNKNOWN", "a whole document is read as one")


def _taken(found: Imported) -> tuple[Table, ...]:
    if found.faults:
        says = f"{len(found.faults)} faults: {found.faults[0]}"
        raise Refusal("SHEET_INVALID", says, faults=[msgspec.to_builtins(fault) for fault in found.faults])
    return found.tables


async def take(
    ctx: Context, staff_id: UUID, policy_id: UUID, revision: int, form: str, raw: bytes, why: str, table: str = ""
) -> PolicyVersion:
    """Put the tables of a file (of JSON the whole document) into a draft and save it; other tables stay.

    Refuses what `read_tables` and `policy_publish.save` refuse; then nothing is taken.
    """
    chosen = form_of(form)
    if chosen == "json":
        document = policies.parse_document(raw)
        return await save(ctx, staff_id, policy_id, revision, document, why)
    tables = await asyncio.to_thread(read_tables, chosen, raw, table)
    return await save_tables(ctx, staff_id, policy_id, revision, tables, why)
