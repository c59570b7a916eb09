"""`fenqi backtest`: what another version of the policy, or one without a rule, would have decided in the past days.

It writes the days that are missing under the data directory first, and works with two processes.
"""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as Bars
from rich.table import Table

from fenqi import policy, texts
from fenqi.demo import at_hand
from fenqi.flows import backtest, facts_export
from fenqi.flows.backtest import Progress, Report
from fenqi.flows.backtest_figures import Change
from fenqi.flows.backtest_words import sentence
from fenqi.jobs import backtester
from fenqi.kernel.refusal import Refusal
from fenqi.main import opened
from fenqi.settings import Settings
from fenqi.texts import Locale


def register(app: typer.Typer) -> None:
    """Put `backtest` on the command line."""
    app.command("backtest")(run)


def run(
    number: Annotated[str, typer.Argument(help="The number of a version, a draft included.")] = "",
    loosen: Annotated[str, typer.Option(help="A rule of the version in force that lets everything through.")] = "",
    days: Annotated[int, typer.Option(min=1, max=backtest.MOST_DAYS, help="How far to look back.")] = 30,
    locale: Annotated[Locale, typer.Option(help="zh-CN or en.")] = Locale.EN,
    export_only: Annotated[bool, typer.Option("--export", help="Write the missing days, and test nothing.")] = False,
) -> None:
    """Say what another policy would have decided: orders, sales, lending, expected losses, reasons."""
    if not export_only and bool(number) == bool(loosen):
        raise typer.BadParameter("a version, or --loosen RULE")
    console = Console(highlight=False)
    try:
        with at_hand.database() as settings, Bars(console=console, transient=True) as bars:
            found = asyncio.run(_run(settings, number, loosen, days, None if export_only else bars))
    except (Refusal, *at_hand.CAN_NOT_START) as no:
        typer.echo(f"fenqi: {no}", err=True)
        raise typer.Exit(1) from None
    if isinstance(found, Report):
        show(console, found, locale)
    else:
        console.print(f"{found} days written")


async def _run(settings: Settings, number: str, loosen: str, days: int, bars: Bars | None) -> Report | int:
    async with opened(settings) as ctx, backtester.workers() as on:
        if bars is None:
            return await facts_export.catch_up(ctx, on)
        task = bars.add_task("decisions", total=100)

        async def say(far: Progress) -> None:
            bars.update(task, completed=far.percent, description=f"{far.rows:,} rows, {far.rows_a_second:,}/s")

        if loosen:
            return await backtest.loosen(ctx, loosen, days, run=on, say=say)
        async with ctx.database.snapshot() as tx:
            version = await policy.by_number(tx, number)
        return await backtest.backtest(ctx, version, days, run=on, say=say)


def show(console: Console, report: Report, locale: Locale) -> None:
    """The sentence, approvals by method, reasons, and how it was found."""
    found = report.figures
    console.print(f"[bold]{sentence(report, locale)}[/]\n")
    grid = Table(
        *(texts.t(f"backtest.{name}", locale) for name in ("method", "judged", "before", "after", "difference"))
    )
    for method, both in found.methods.items():
        name = texts.term("method", method, locale) or method
        grid.add_row(name, str(found.judged[method]), str(both.before), str(both.after), _signed(both))
    console.print(grid)
    for key, reasons in (("new_reasons", found.new_reasons), ("gone_reasons", found.gone_reasons)):
        told = ", ".join(f"{code} {count}" for code, count in sorted(reasons.items(), key=lambda item: -item[1]))
        console.print(f"{texts.t(f'backtest.{key}', locale)}: {told or texts.t('backtest.no_reasons', locale)}")
    console.print(
        texts.t(
            "backtest.proof_tables", locale, rows_count=found.rows, decisions_count=found.decisions,
            speed_count=report.rows_a_second,
        )
    )  # fmt: skip
    if found.disagreed:
        counts = {"other_count": found.disagreed, "same_count": found.agreed + found.disagreed}
        console.print(f"[red]{texts.t('backtest.proof_disagree', locale, **counts)}[/]")
    elif found.agreed:
        console.print(texts.t("backtest.proof_agree", locale, same_count=found.agreed))


def _signed(both: Change) -> str:
    return f"{both.after - both.before:+d}"
