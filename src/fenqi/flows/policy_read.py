"""Policies to look at: every version with where it stands, what the lint says of one, what two of them differ in."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import policy as policies
from fenqi.flows.context import Context
from fenqi.flows.policy_publish import known
from fenqi.flows.policy_told import tell
from fenqi.flows.policy_words import Names
from fenqi.flows.reference import Reference
from fenqi.policy import Fault, HistoryRow, Known, PolicyDocument, PolicyVersion, Saved, Shadow
from fenqi.policy.difference import Change, difference
from fenqi.texts import Locale


class Overview(msgspec.Struct, frozen=True):
    """All versions, newest first, and who decides now."""

    in_force: str
    canary: str | None
    """The version that decides for a share of the consumers just now."""
    next_change_at: datetime | None
    versions: tuple[PolicyVersion, ...]


class Linted(msgspec.Struct, frozen=True):
    """What the lint says of a document; `faults` keep it from being handed in."""

    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    gaps: tuple[tuple[str, str, str], ...]
    """(method, scene, kind of seller) that no row covers."""
    cells: tuple[Fault, ...]
    """Of the faults those of tables, with their rows and columns."""


class Story(msgspec.Struct, frozen=True):
    """One version with its way so far."""

    version: PolicyVersion
    lint: Linted
    history: tuple[HistoryRow, ...]
    saves: tuple[Saved, ...]
    shadows: tuple[Shadow, ...]


class ToldChange(msgspec.Struct, frozen=True):
    """One change between two versions, with its sentence."""

    change: Change
    sentence: str


async def overview(ctx: Context) -> Overview:
    """Every version, and which decide now."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        canary = await policies.canary_at(tx, now)
        return Overview(
            (await policies.in_force(tx, now)).number,
            None if canary is None else canary.number,
            await policies.next_change_at(tx, now),
            tuple(await policies.versions(tx)),
        )


async def story(ctx: Context, number: str) -> Story:
    """One version with its lint, its history, its saves and its shadows. Refuses POLICY_UNKNOWN."""
    async with ctx.database.snapshot() as tx:
        version = await policies.by_number(tx, number)
        return Story(
            version,
            lint(version.document, await known(tx)),
            tuple(await policies.get_history(tx, version.policy_id)),
            tuple(await policies.saves(tx, version.policy_id)),
            tuple(await policies.shadows(tx, version.policy_id)),
        )


def lint(document: PolicyDocument, codes: Known) -> Linted:
    """Everything that the lint says of a document."""
    return Linted(
        tuple(policies.faults(document, codes.categories, codes.merchants)),
        tuple(policies.warnings(document)),
        tuple(policies.gaps(document)),
        tuple(fault for table in document.tables for fault in policies.table_faults(table, codes)),
    )


async def linted(ctx: Context, document: PolicyDocument) -> Linted:
    """What the lint says of a document that need not be kept anywhere."""
    async with ctx.database.snapshot() as tx:
        return lint(document, await known(tx))


async def save_of(ctx: Context, policy_id: UUID, revision: int) -> PolicyDocument:
    """The document as one save left it. Refuses POLICY_UNKNOWN."""
    async with ctx.database.snapshot() as tx:
        return await policies.saved(tx, policy_id, revision)


async def compared(ctx: Context, number: str, beside: str, locale: Locale) -> tuple[ToldChange, ...]:
    """What makes the version `number` of `beside` ("": of the version that it was copied from, else of the one in
    force), a sentence for each change. Refuses POLICY_UNKNOWN."""
    now = ctx.now()
    async with ctx.database.snapshot() as tx:
        new = await policies.by_number(tx, number)
        before = beside or new.based_on
        old = await policies.by_number(tx, before) if before else await policies.in_force(tx, now)
        names = names_of(await ctx.reference.current(tx, now), locale)
    return told(difference(old.document, new.document), locale, names)


def told(changes: tuple[Change, ...], locale: Locale, names: Names) -> tuple[ToldChange, ...]:
    """Changes with their sentences."""
    return tuple(ToldChange(change, tell(change, locale, names)) for change in changes)


def names_of(ref: Reference, locale: Locale) -> Names:
    """The names of categories and merchants in one language."""
    is_zh = locale is Locale.ZH_CN
    categories = [ref.tree.get(code) for code in ref.tree.codes]
    merchants = [seller.merchant for seller in ref.sellers.values()]
    return {
        "category": {each.code: each.name_zh if is_zh else each.name_en for each in categories},
        "merchant": {each.number: each.name_zh if is_zh else each.name_en for each in merchants},
    }
