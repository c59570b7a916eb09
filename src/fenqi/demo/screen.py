"""What the demo shows in the terminal: progress while it is prepared, then where to go and whom to sign in as."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from fenqi.demo.note import Note
from fenqi.demo.share import PASSWORD, PAY_PASSWORD, Say
from fenqi.seed import cast, staff
from fenqi.settings import Settings

_console = Console(highlight=False)
_TITLES = {"consumers": "consumers", "people": "people in every state", "days": "days of trade", "orders": "orders"}


def say(sentence: str) -> None:
    """One line."""
    _console.print(sentence)


def stopped(was_ready: bool = True) -> None:
    """The last line."""
    _console.print(f"stopped; the same line {'goes on where it was' if was_ready else 'begins anew'}")


@contextmanager
def progress(days: int) -> Iterator[Say]:
    """A bar for each thing under way; on something that is no terminal a line when it is done."""
    columns = (TextColumn("{task.description:<22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console, transient=False) as bars:
        tasks: dict[str, int] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(_TITLES[what], total=total)
            bars.update(tasks[what], completed=done)  # type: ignore[arg-type]

        yield show


def serving(settings: Settings) -> None:
    """Where it is served."""
    _console.print(f"fenqi serves on {_address(settings)}")


def where_to_go(settings: Settings, note: Note | None) -> None:
    """Addresses, and everybody one can sign in as."""
    address = _address(settings)
    table = Table(pad_edge=False, box=None)
    for column in ("sign in as", "who", "what the cashier says"):
        table.add_column(column, no_wrap=True)
    for group, (_, heading) in cast.GROUPS.items():
        table.add_row(f"[dim]{heading}[/]")
        for one in cast.MEMBERS:
            if one.group == group:
                table.add_row(f"  [bold]{one.name}[/]", one.label_en, one.code or "everything can be paid")
    Console(highlight=False, width=max(_console.width, 96)).print(table)
    if note is not None and note.orders:
        say(f"\n{note.orders:,} orders of {note.consumers} consumers have been simulated, {note.days} days of trade.")
    names = ", ".join(f"[bold]{one.name}[/]" for one in staff.STAFF)
    for line in (
        "",
        f"[bold]{address}/[/]         the mall; [bold]/sign-in[/] has everybody above, one tap each",
        f"{address}/phone    the phone on which SMS codes arrive",
        f"{settings.gateway_url}/         the payment channels' own side: wallets, and a board of faults",
        f"{address}/console  the console, for staff: {names}",
        f"password [bold]{PASSWORD}[/], pay password [bold]{PAY_PASSWORD}[/]; Ctrl-C stops everything",
    ):
        _console.print(line, soft_wrap=True)


def _address(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
