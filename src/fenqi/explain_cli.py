"""`fenqi explain`: 怎么回事, for an order, payment, application, limit, hold or refund, as a tree in the terminal.

It reads the database that is there: your own, or the embedded one of a running demo, else it starts that for a moment.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from fenqi import texts
from fenqi.demo import at_hand
from fenqi.flows import diagnose
from fenqi.flows.diagnose import Diagnosis, ToldDecision, ToldEvent, ToldOffer, ToldReason
from fenqi.kernel.clock import ZONE
from fenqi.kernel.refusal import Refusal
from fenqi.main import opened
from fenqi.settings import Settings
from fenqi.texts import Audience, Locale


def register(app: typer.Typer) -> None:
    """Put `explain` on the command line."""
    app.command("explain")(explain)


def explain(
    what: Annotated[str, typer.Argument(help="A number of an order, payment, application or refund; or kind/number.")],
    audience: Annotated[Audience, typer.Option(help="Who is to read it.")] = Audience.SUPPORT,
    locale: Annotated[Locale, typer.Option(help="zh-CN or en.")] = Locale.EN,
    every: Annotated[bool, typer.Option("--all", help="Every decision; else the newest of each kind.")] = False,
) -> None:
    """Print what happened to anything, why, what has changed since and what would work now, with every replay."""
    console = Console(highlight=False)
    try:
        with at_hand.database() as settings:
            found = asyncio.run(_diagnosis(settings, what, audience, locale))
    except (Refusal, *at_hand.CAN_NOT_START) as no:
        typer.echo(f"fenqi: {no}", err=True)
        raise typer.Exit(1) from None
    console.print(tree(found, locale, every=every))


async def _diagnosis(settings: Settings, what: str, audience: Audience, locale: Locale) -> Diagnosis:
    async with opened(settings) as ctx:
        return await diagnose.diagnose(ctx, what, audience, locale)


def tree(found: Diagnosis, locale: Locale, *, every: bool) -> Tree:
    """The diagnosis as a tree: the narrative, what has changed, what happened when, and the decisions with proof."""
    root = Tree(f"[bold]{found.subject.kind}[/] {found.number or found.subject.id or found.subject.consumer_id}")
    for sentence in found.sentences:
        root.add(escape(sentence))
    for reason in () if found.decisions else found.reasons:
        _add_reason(root, reason)
    if found.changes:
        changed = root.add(f"[bold]{texts.t('why.changes', locale)}[/]")
        for change in found.changes:
            changed.add(escape(change))
    if found.timeline:
        past = root.add(f"[bold]{texts.t('why.timeline', locale)}[/]")
        for event in found.timeline:
            past.add(_event(event))
    for decision in found.decisions if every else _newest(found.decisions):
        _add_decision(root, decision, locale)
    if found.now and (every or not found.decisions):
        now = root.add(f"[bold]{texts.t('why.now', locale)}[/]")
        for offer in found.now:
            _add_offer(now, offer, locale)
    return root


def _event(event: ToldEvent) -> str:
    by = " · ".join(filter(None, (event.who, event.why)))
    text = f"[red]{escape(event.text)}[/]" if event.is_bad else escape(event.text)
    return f"[dim]{_at(event.at)}[/]  {text}  [dim]{escape(by)}[/]"


def _newest(decisions: tuple[ToldDecision, ...]) -> list[ToldDecision]:
    """The newest decision of each kind, in the order in which they were taken."""
    last = {decision.kind: decision for decision in decisions}
    return sorted(last.values(), key=lambda one: one.decided_at)


def _add_decision(root: Tree, decision: ToldDecision, locale: Locale) -> None:
    verdict = "[green]identical[/]" if decision.identical else "[red bold]DIFFERS[/]"
    branch = root.add(
        f"[bold]{decision.kind}[/] decided {_at(decision.decided_at)}, policy {decision.policy_version},"
        f" evaluator {decision.evaluator_version}, replayed: {verdict}"
    )
    for offer in decision.offers:
        _add_offer(branch, offer, locale)


def _add_offer(branch: Tree, offer: ToldOffer, locale: Locale) -> None:
    method = texts.term("method", offer.method, locale) or offer.method
    plan = texts.term("plan", offer.plan, locale) if offer.plan else None
    name = f"{method} · {plan or offer.plan or '-'}"
    if offer.available:
        branch.add(f"[green]✔[/] {escape(name)}")
        return
    node = branch.add(f"[red]✘[/] {escape(name)}")
    for layer, reasons in offer.layers():
        at = node.add(f"[dim]{layer}[/]")
        for reason in reasons:
            _add_reason(at, reason)
    for remedy in offer.remedies:
        node.add(f"[cyan]→ {escape(' → '.join(remedy.labels))}[/]")
    for route in offer.routes:
        node.add(f"[dim]… {escape(route)}[/]")


def _add_reason(at: Tree, reason: ToldReason) -> None:
    node = at.add(f"[yellow]{reason.code}[/] {escape(reason.sentence)}")
    observed = ", ".join(f"{name}={value}" for name, value in reason.observed.items())
    required = ", ".join(f"{name}={value}" for name, value in reason.required.items())
    for word, values in (("observed", observed), ("required", required)):
        if values:
            node.add(f"[dim]{word}: {escape(values)}[/]")


def _at(at: datetime) -> str:
    """An instant in the mall's zone, to the second."""
    return f"{at.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
