"""Policies: every version with its tables, what differs, its way into force, canary and shadow, and files in and out.

For staff. Whoever makes a version doesn't approve it; each step says why, and which save was looked at.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi import policy as policies
from fenqi import staff
from fenqi.flows import policy_publish, policy_read, policy_shadow, policy_sheets
from fenqi.flows.policy_read import Linted, ToldChange
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.policy import (
    HistoryRow,
    PolicyDocument,
    PolicyVersion,
    Saved,
    Shadow,
    ShadowResult,
    Share,
)
from fenqi.policy.table import Row, Table
from fenqi.staff import Action
from fenqi.web.api.resource import Call, Download, Nothing, resource

_Why = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Instant = Annotated[datetime, msgspec.Meta(tz=True)]
_Revision = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Number = Annotated[str, msgspec.Meta(pattern="^[0-9A-Za-z][0-9A-Za-z._-]{0,39}$")]
_STAFF = ("staff",)
_DOCUMENT_BYTES = 1024 * 1024
_FILE_BYTES = 6 * 1024 * 1024


class Because(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why it is done."""

    why: _Why


class Of(Because, frozen=True, forbid_unknown_fields=True):
    """The save that was looked at; another one since is refused with POLICY_CHANGED."""

    revision: _Revision


class NewPolicy(Because, frozen=True, forbid_unknown_fields=True):
    """A draft: a copy of the version `based_on` (of the one in force where nothing is said), or `document`."""

    number: _Number
    based_on: str = ""
    document: PolicyDocument | None = None


class Save(Of, frozen=True, forbid_unknown_fields=True):
    """Another document."""

    document: PolicyDocument


class SaveTable(Of, frozen=True, forbid_unknown_fields=True):
    """Other rows of one table."""

    rows: tuple[Row, ...]


class Approval(Of, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """From when on it decides; left out: at once."""

    effective_at: _Instant | None = None


class Trial(Of, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For which share of the consumers, in millionths, and from when (left out: at once) until before when."""

    share_ppm: Annotated[int, msgspec.Meta(ge=1, le=999_999)]
    until_at: _Instant
    from_at: _Instant | None = None


class NewShadow(Of, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Until before when decisions are looked at, and from when on: now, or up to 31 days back."""

    until_at: _Instant
    since_at: _Instant | None = None


class Import(Of, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file in Base64; a CSV file is one `table`."""

    form: policy_sheets.Form
    file: bytes
    table: str = ""


class VersionView(msgspec.Struct, frozen=True):
    """A version without its document."""

    policy_id: UUID
    number: str
    state: str
    """draft | submitted | rejected | canary | published | rolled_back | withdrawn"""
    revision: int
    based_on: str
    maker: str
    made_at: datetime
    checker: str | None
    published_at: datetime | None
    effective_at: datetime | None
    share: Share | None
    ended_at: datetime | None


class OverviewView(msgspec.Struct, frozen=True):
    """All versions, newest first; `canary` decides for a share of the consumers just now."""

    in_force: str
    canary: str | None
    next_change_at: datetime | None
    versions: tuple[VersionView, ...]


class StoryView(msgspec.Struct, frozen=True):
    """One version: its document, what the lint says of it, and its way so far."""

    version: VersionView
    document: PolicyDocument
    lint: Linted
    history: tuple[HistoryRow, ...]
    saves: tuple[Saved, ...]
    shadows: tuple[Shadow, ...]


def _view(one: PolicyVersion) -> VersionView:
    return VersionView(
        one.policy_id, one.number, str(one.state), one.revision, one.based_on, one.maker, one.made_at, one.checker,
        one.published_at, one.effective_at, one.share, one.ended_at,
    )  # fmt: skip


async def _version(call: Call) -> PolicyVersion:
    """The version that the path names, for whoever may see policies."""
    async with call.context.database.snapshot() as tx:
        staff.check_may(await staff.get(tx, call.actor.staff_id), Action.SEE_POLICY)
        return await policies.by_number(tx, call.path["number"])


async def _check_may_see(call: Call) -> None:
    async with call.context.database.snapshot() as tx:
        staff.check_may(await staff.get(tx, call.actor.staff_id), Action.SEE_POLICY)


@resource("GET", "/v1/policies", answer=OverviewView, who=_STAFF)
async def listing(call: Call) -> OverviewView:
    """Every version and where it stands, and which decide now."""
    await _check_may_see(call)
    found = await policy_read.overview(call.context)
    return OverviewView(found.in_force, found.canary, found.next_change_at, tuple(map(_view, found.versions)))


@resource(
    "POST", "/v1/policies", body=NewPolicy, answer=VersionView, who=_STAFF, keyed=True, problems=(404,),
    max_body_bytes=_DOCUMENT_BYTES,
)  # fmt: skip
async def draft(call: Call) -> VersionView:
    """Begin a draft; faults are kept, they only can't be handed in."""
    new, policy_id = call.body, call.id_of_key("policy")
    made = await policy_publish.draft(
        call.context, call.actor.staff_id, policy_id, new.number, new.why, document=new.document, based_on=new.based_on
    )
    return _view(made)


@resource("POST", "/v1/policies:lint", body=PolicyDocument, answer=Linted, who=_STAFF, max_body_bytes=_DOCUMENT_BYTES)
async def lint(call: Call) -> Linted:
    """What the lint says of a document, which is kept nowhere."""
    await _check_may_see(call)
    return await policy_read.linted(call.context, call.body)


@resource("GET", "/v1/policies/{number}", answer=StoryView, who=_STAFF)
async def read(call: Call) -> StoryView:
    """One version with its document, its lint, its history, its saves and its shadows."""
    await _check_may_see(call)
    found = await policy_read.story(call.context, call.path["number"])
    return StoryView(
        _view(found.version), found.version.document, found.lint, found.history, found.saves, found.shadows
    )


@resource(
    "PUT", "/v1/policies/{number}", body=Save, answer=VersionView, who=_STAFF, problems=(409,),
    max_body_bytes=_DOCUMENT_BYTES,
)  # fmt: skip
async def save(call: Call) -> VersionView:
    """Save another document of a draft, by its maker; the same again changes nothing."""
    found, body = await _version(call), call.body
    saved = await policy_publish.save(
        call.context, call.actor.staff_id, found.policy_id, body.revision, body.document, body.why
    )
    return _view(saved)


@resource("GET", "/v1/policies/{number}/saves/{revision}", answer=PolicyDocument, who=_STAFF)
async def read_save(call: Call) -> PolicyDocument:
    """The document as one save left it."""
    found, text = await _version(call), call.path["revision"]
    if not text.isascii() or not text.isdecimal() or len(text) > 7:
        raise NotFound("POLICY_UNKNOWN", f"no save {text[:20]!r}")
    return await policy_read.save_of(call.context, found.policy_id, int(text))


@resource("GET", "/v1/policies/{number}/tables/{table}", answer=Table, who=_STAFF)
async def read_table(call: Call) -> Table:
    """One table of a version."""
    found = await _version(call)
    table = next((each for each in found.document.tables if each.key == call.path["table"]), None)
    if table is None:
        raise NotFound("TABLE_UNKNOWN", "the version has no such table")
    return table


@resource(
    "PUT", "/v1/policies/{number}/tables/{table}", body=SaveTable, answer=VersionView, who=_STAFF, problems=(409,),
    max_body_bytes=_DOCUMENT_BYTES,
)  # fmt: skip
async def save_table(call: Call) -> VersionView:
    """Save other rows of one table of a draft, by its maker."""
    found, body = await _version(call), call.body
    table = Table(call.path["table"], body.rows)
    if table.key not in policy_sheets.TABLES:
        raise NotFound("TABLE_UNKNOWN", f"one of {', '.join(policy_sheets.TABLES)}")
    saved = await policy_publish.save_tables(
        call.context, call.actor.staff_id, found.policy_id, body.revision, [table], body.why
    )
    return _view(saved)


@resource(
    "GET", "/v1/policies/{number}/difference", answer=tuple[ToldChange, ...], who=_STAFF, query=("beside",)
)  # fmt: skip
async def difference(call: Call) -> tuple[ToldChange, ...]:
    """What makes this version of another (`beside`, else the one it was copied from), a sentence for each change."""
    await _check_may_see(call)
    return await policy_read.compared(call.context, call.path["number"], call.query.get("beside", ""), call.locale)


@resource("POST", "/v1/policies/{number}:submit", body=Of, answer=VersionView, who=_STAFF, keyed=True)
async def submit(call: Call) -> VersionView:
    """Hand a draft in for review; refused with POLICY_INVALID and every `faults`."""
    found, body = await _version(call), call.body
    done = await policy_publish.submit(call.context, call.actor.staff_id, found.policy_id, body.revision, body.why)
    return _view(done)


@resource("POST", "/v1/policies/{number}:recall", body=Because, answer=VersionView, who=_STAFF, keyed=True)
async def recall(call: Call) -> VersionView:
    """Take a version out of review, to go on editing."""
    found = await _version(call)
    return _view(await policy_publish.recall(call.context, call.actor.staff_id, found.policy_id, call.body.why))


@resource("POST", "/v1/policies/{number}:note", body=Because, answer=Nothing, who=_STAFF, keyed=True)
async def note(call: Call) -> Nothing:
    """Keep a remark: `why` is what it says."""
    found = await _version(call)
    await policy_publish.note(call.context, call.actor.staff_id, found.policy_id, call.body.why)
    return Nothing()


@resource("POST", "/v1/policies/{number}:approve", body=Approval, answer=VersionView, who=_STAFF, keyed=True)
async def approve(call: Call) -> VersionView:
    """Approve a version from an instant on, or at once; by somebody else than its maker."""
    found, body = await _version(call), call.body
    done = await policy_publish.approve(
        call.context, call.actor.staff_id, found.policy_id, body.revision, body.effective_at, body.why
    )
    return _view(done)


@resource("POST", "/v1/policies/{number}:reject", body=Of, answer=VersionView, who=_STAFF, keyed=True)
async def reject(call: Call) -> VersionView:
    """Send a version back to its maker, with the reason."""
    found, body = await _version(call), call.body
    done = await policy_publish.reject(call.context, call.actor.staff_id, found.policy_id, body.revision, body.why)
    return _view(done)


@resource("POST", "/v1/policies/{number}:withdraw", body=Because, answer=VersionView, who=_STAFF, keyed=True)
async def withdraw(call: Call) -> VersionView:
    """Give up a version that isn't in force."""
    found = await _version(call)
    return _view(await policy_publish.withdraw(call.context, call.actor.staff_id, found.policy_id, call.body.why))


@resource("POST", "/v1/policies/{number}:roll-back", body=Because, answer=VersionView, who=_STAFF, keyed=True)
async def roll_back(call: Call) -> VersionView:
    """Take the version in force out of force at once; the answer is the one that decides again."""
    number = call.path["number"]
    return _view(await policy_publish.roll_back(call.context, call.actor.staff_id, number, call.body.why))


@resource("POST", "/v1/policies/{number}:canary", body=Trial, answer=VersionView, who=_STAFF, keyed=True)
async def begin_canary(call: Call) -> VersionView:
    """Approve a version for a share of the consumers; one version at a time."""
    found, body = await _version(call), call.body
    share = Share(body.share_ppm, body.from_at or call.context.now(), body.until_at)
    done = await policy_publish.begin_canary(
        call.context, call.actor.staff_id, found.policy_id, body.revision, share, body.why
    )
    return _view(done)


@resource("POST", "/v1/policies/{number}:promote", body=Approval, answer=VersionView, who=_STAFF, keyed=True)
async def promote(call: Call) -> VersionView:
    """Let a canary decide for everybody, from an instant on or at once."""
    found, body = await _version(call), call.body
    done = await policy_publish.promote(
        call.context, call.actor.staff_id, found.policy_id, body.revision, body.effective_at, body.why
    )
    return _view(done)


@resource("POST", "/v1/policies/{number}:end-canary", body=Because, answer=VersionView, who=_STAFF, keyed=True)
async def end_canary(call: Call) -> VersionView:
    """End a canary: the version in force decides for everybody again."""
    found = await _version(call)
    return _view(await policy_publish.end_canary(call.context, call.actor.staff_id, found.policy_id, call.body.why))


@resource("POST", "/v1/policies/{number}/shadows", body=NewShadow, answer=Shadow, who=_STAFF, keyed=True)
async def begin_shadow(call: Call) -> Shadow:
    """Ask one save of a version about every decision, without any effect, and count what differs."""
    found, body = await _version(call), call.body
    return await policy_shadow.begin(
        call.context, call.actor.staff_id, call.id_of_key("shadow"), found.policy_id, body.revision, body.until_at,
        body.why, since_at=body.since_at,
    )  # fmt: skip


@resource("GET", "/v1/policies/{number}/shadows/{shadow}", answer=ShadowResult, who=_STAFF)
async def read_shadow(call: Call) -> ShadowResult:
    """What a shadow has counted: by day, method and scene, by reason, and a sample of decisions that differ."""
    found = await _version(call)
    async with call.context.database.snapshot() as tx:
        staff.check_may(await staff.get(tx, call.actor.staff_id), Action.SEE_HIDDEN_REASONS)
    result = await policy_shadow.result(call.context, call.id("shadow"))
    if result.shadow.policy_id != found.policy_id:
        raise NotFound("SHADOW_UNKNOWN", "no such shadow of this version")
    return result


@resource("POST", "/v1/policies/{number}/shadows/{shadow}:end", body=Because, answer=Nothing, who=_STAFF, keyed=True)
async def end_shadow(call: Call) -> Nothing:
    """End a shadow; what it has counted stays."""
    await _version(call)
    await policy_shadow.end(call.context, call.actor.staff_id, call.id("shadow"), call.body.why)
    return Nothing()


@resource("GET", "/v1/policies/{number}/file", answer=Download, who=_STAFF, query=("form", "table"))
async def export(call: Call) -> Download:
    """A version as a file: `xlsx` (all tables, or one), `csv` (one table), `jdm` (a graph), `json` (the document)."""
    found = await _version(call)
    table = call.query.get("table", "")
    if table and table not in policy_sheets.TABLES:
        raise Refusal("TABLE_UNKNOWN", f"one of {', '.join(policy_sheets.TABLES)}")
    file = await policy_sheets.export(call.context, found.number, call.query.get("form", ""), table)
    return Download(file.name, file.body)


@resource(
    "POST", "/v1/policies/{number}:import", body=Import, answer=VersionView, who=_STAFF, keyed=True,
    max_body_bytes=_FILE_BYTES,
)  # fmt: skip
async def take(call: Call) -> VersionView:
    """Put the tables of a file into a draft and save it, all or none; refused with SHEET_INVALID and every `faults`."""
    found, body = await _version(call), call.body
    taken = await policy_sheets.take(
        call.context, call.actor.staff_id, found.policy_id, body.revision, body.form, body.file, body.why, body.table
    )
    return _view(taken)
