"""`fenqi policy`: the versions of the policy, one of them in words, what two differ in, the lint, and files in and out.

Approving is not for the command line: two people do that, each signed in. A file that is brought in becomes a draft.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid
from rich.tree import Tree

from fenqi import policy as policies
from fenqi import staff, texts
from fenqi.demo import at_hand
from fenqi.flows import policy_publish, policy_read, policy_sheets
from fenqi.flows.context import Context
from fenqi.flows.policy_read import Linted
from fenqi.flows.policy_told import part_words
from fenqi.flows.policy_words import Names, answered, asked
from fenqi.kernel.clock import ZONE
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.main import opened
from fenqi.policy import PolicyDocument, PolicyVersion
from fenqi.policy.schema import SCHEMAS
from fenqi.policy.table import Table
from fenqi.texts import Locale

T = TypeVar("T")
_COLOUR = {"published": "green", "canary": "cyan", "submitted": "yellow", "rejected": "red", "rolled_back": "red"}

Version = Annotated[str, typer.Argument(help="The number of a version.")]
In = Annotated[Locale, typer.Option("--locale", help="zh-CN or en.")]
OneTable = Annotated[str, typer.Option("--table", help="One table by its key, such as goods.")]


def register(app: typer.Typer) -> None:
    """Put `policy` on the command line."""
    group = typer.Typer(no_args_is_help=True, help="Versions of the policy: list, show, lint, diff, export, import.")
    for name, command in (
        ("list", listing), ("show", show), ("lint", lint), ("diff", diff), ("export", export), ("import", take),
    ):  # fmt: skip
        group.command(name)(command)
    app.add_typer(group, name="policy")


def listing() -> None:
    """List every version: where it stands, who made and who approved it, and from when on it decides."""
    found = _asked(policy_read.overview)
    grid = Grid("number", "state", "save", "maker", "checker", "effective", "share")
    for one in found.versions:
        mark = " *" if one.number == found.in_force else " ~" if one.number == found.canary else ""
        colour = _COLOUR.get(one.state, "dim")
        share = "" if one.share is None else texts.filters(Locale.EN)["percent"](one.share.share_ppm)
        grid.add_row(
            f"{one.number}{mark}", f"[{colour}]{one.state}[/]", str(one.revision), one.maker, one.checker or "",
            _at(one.effective_at), share,
        )  # fmt: skip
    Console(highlight=False).print(grid)
    typer.echo("* decides now" + ("" if found.canary is None else "; ~ decides for its share of the consumers"))


def show(number: Version, table: OneTable = "", locale: In = Locale.EN) -> None:
    """Print a version's tables in words, with its history."""
    story, names = _asked(lambda ctx: _story(ctx, number, locale))
    one = story.version
    root = Tree(f"[bold]{one.number}[/]  {one.state}  save {one.revision}  {one.maker}  {_at(one.effective_at)}")
    for each in one.document.tables:
        if table in ("", each.key):
            _add_table(root, each, locale, names)
    past = root.add("history")
    for step in story.history:
        past.add(f"{_at(step.at)}  {step.verb}  {escape(step.actor)}  [dim]{escape(step.why)}[/]")
    Console(highlight=False).print(root)


async def _story(ctx: Context, number: str, locale: Locale) -> tuple[policy_read.Story, Names]:
    return await policy_read.story(ctx, number), await _names(ctx, locale)


async def _names(ctx: Context, locale: Locale) -> Names:
    async with ctx.database.snapshot() as tx:
        return policy_read.names_of(await ctx.reference.current(tx, ctx.now()), locale)


def _add_table(root: Tree, table: Table, locale: Locale, names: Names) -> None:
    branch = root.add(f"[bold]{part_words(table.key, locale)}[/] [dim]{table.key}[/]")
    schema = SCHEMAS[table.key]
    for row in table.rows:
        asks = ", ".join(f"{one.label} {one.words}" for one in asked(row, schema, locale, names))
        says = ", ".join(f"{one.label} {one.words}" for one in answered(row, schema, locale, names))
        asks = asks or texts.t("policies.everything_else", locale)
        branch.add(f"[cyan]{escape(row.rule_id)}[/]  {escape(asks)} → {escape(says)}")


def lint(what: Annotated[str, typer.Argument(help="The number of a version, or a JSON file of one.")]) -> None:
    """Say what is wrong with a version, or with a document in a file; ends with status 2 when anything is."""
    path = Path(what)
    raw = path.read_bytes() if path.suffix == ".json" and path.is_file() else None
    found = _asked(lambda ctx: _linted(ctx, what, raw))
    for fault in found.faults:
        typer.echo(f"fault: {fault}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}")
    for method, scene, kind in found.gaps:
        typer.echo(f"gap: {method} in {scene} from {kind} sellers is covered by no row")
    typer.echo(f"{len(found.faults)} faults, {len(found.warnings)} warnings, {len(found.gaps)} gaps")
    if found.faults:
        raise typer.Exit(2)


async def _linted(ctx: Context, what: str, raw: bytes | None) -> Linted:
    if raw is not None:
        return await policy_read.linted(ctx, policies.parse_document(raw))
    return (await policy_read.story(ctx, what)).lint


def diff(
    number: Version,
    beside: Annotated[str, typer.Argument(help="Another version; else the one that it was copied from.")] = "",
    locale: In = Locale.EN,
) -> None:
    """Say what makes a version of another one, a sentence for each change."""
    for one in _asked(lambda ctx: policy_read.compared(ctx, number, beside, locale)):
        typer.echo(one.sentence)


def export(
    number: Version,
    to: Annotated[Path, typer.Argument(help="File to write: .xlsx, .csv (one table), .jdm.json or .json.")],
    table: OneTable = "",
) -> None:
    """Write a version to a file."""
    file = _asked(lambda ctx: policy_sheets.export(ctx, number, _form(to), table))
    to.write_bytes(file.body)
    typer.echo(f"{to}: {len(file.body)} bytes")


def take(
    number: Annotated[str, typer.Argument(help="The number of the new draft, or of one of yours to go on with.")],
    file: Annotated[Path, typer.Argument(help="File to read: .xlsx, .csv (one table), .jdm.json or .json.")],
    name: Annotated[str, typer.Option("--as", help="Your sign-in name as a member of staff.")],
    why: Annotated[str, typer.Option(help="Why; it is kept.")],
    table: OneTable = "",
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, envvar="FENQI_STAFF_PASSWORD", help="Your password.")
    ] = "",
) -> None:
    """Bring a file in as a draft, whole or not at all; a new one begins as a copy of the version in force."""
    if not file.is_file():
        raise typer.BadParameter(f"no such file: {file}", param_hint="FILE")
    raw = file.read_bytes()
    done = _asked(lambda ctx: _take(ctx, number, _form(file), raw, (name, password), why, table))
    typer.echo(f"{done.number}: save {done.revision}, {done.state}; look at it with `fenqi policy lint {done.number}`")


async def _take(
    ctx: Context, number: str, form: str, raw: bytes, person: tuple[str, str], why: str, table: str
) -> PolicyVersion:
    staff_id = await _signed_in(ctx, *person)
    try:
        async with ctx.database.snapshot() as tx:
            version = await policies.by_number(tx, number)
    except NotFound:
        if form != "json":
            policy_sheets.read_tables(policy_sheets.form_of(form), raw, table)  # before anything is written
        document: PolicyDocument | None = policies.parse_document(raw) if form == "json" else None
        version = await policy_publish.draft(ctx, staff_id, new_id(), number, why, document=document)
    return await policy_sheets.take(ctx, staff_id, version.policy_id, version.revision, form, raw, why, table)


async def _signed_in(ctx: Context, name: str, password: str) -> Any:
    async with ctx.database.transaction() as tx:
        found = await staff.sign_in(tx, name, password, ctx.now())
    if isinstance(found, Refusal):
        raise found
    async with ctx.database.transaction() as tx:
        await staff.sign_out(tx, found.token, ctx.now())
    return found.member.staff_id


def _form(path: Path) -> str:
    """What a file is, by its name."""
    return "jdm" if path.name.endswith(".jdm.json") else path.suffix.removeprefix(".").lower()


def _asked(question: Callable[[Context], Coroutine[Any, Any, T]]) -> T:
    """The answer over the database that is there; a refusal goes to standard error with its faults, with status 1."""
    try:
        with at_hand.database() as settings:
            return asyncio.run(_with_context(settings, question))
    except (Refusal, *at_hand.CAN_NOT_START) as no:
        typer.echo(f"fenqi: {no}", err=True)
        for fault in getattr(no, "extra", {}).get("faults", ())[:100]:
            typer.echo(f"  {_fault(fault)}", err=True)
        raise typer.Exit(1) from None


async def _with_context(settings: Any, question: Callable[[Context], Coroutine[Any, Any, T]]) -> T:
    async with opened(settings) as ctx:
        return await question(ctx)


def _fault(fault: object) -> str:
    if not isinstance(fault, dict):
        return str(fault)
    return f"{fault['sheet']}!{fault['column']}{fault['row'] or ''}: {fault['found']!r}: {fault['wanted']}"


def _at(at: datetime | None) -> str:
    """An instant in the mall's zone, to the second."""
    return "" if at is None else f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
