"""`fenqi plan` and `fenqi apr`: schedules and rates on the command line, one at a time or as JSON Lines.

Beside cli.py on the top floor; the engine stays pure, so the clock, the files and the printing are here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from fenqi.credit.apr_document import compute
from fenqi.credit.schedule.document import preview
from fenqi.kernel.clock import SystemClock, business_date

DEFAULT_CAP = "0.24"
_COLUMNS = ("n", "due_on", "days", "principal", "interest", "fee", "penalty", "due", "balance")

Text = str | None


def register(app: typer.Typer) -> None:
    """Put `plan` and `apr` on the command line. Options may be written as the fields are, with underscores."""
    spelling = {"token_normalize_func": lambda name: name.replace("_", "-")}
    app.command("plan", context_settings=spelling)(plan)
    app.command("apr", context_settings=spelling)(apr)


def plan(
    principal: Annotated[Text, typer.Option(help="Amount lent, a decimal number.")] = None,
    currency: Annotated[Text, typer.Option(help="ISO 4217 code; decides the decimals. Default CNY.")] = None,
    rate_annual: Annotated[Text, typer.Option(help="Nominal rate a year as a fraction: 0.12 is 12 %.")] = None,
    rate_monthly: Annotated[Text, typer.Option(help="Rate a month as a fraction.")] = None,
    rate_whole_term: Annotated[Text, typer.Option(help="Rate for the whole term as a fraction.")] = None,
    instalments: Annotated[Text, typer.Option(help="How many instalments.")] = None,
    every: Annotated[Text, typer.Option(help="Every so many units. Default 1.")] = None,
    unit: Annotated[Text, typer.Option(help="day, week or month (default).")] = None,
    disbursed_on: Annotated[Text, typer.Option(help="Date of disbursement, default today.")] = None,
    first_due_on: Annotated[Text, typer.Option(help="First due date, default one period later.")] = None,
    day_count: Annotated[
        Text, typer.Option(help="30/360 (default), actual/360, actual/365, actual/actual, periodic.")
    ] = None,
    year_split: Annotated[Text, typer.Option(help="actual/actual over New Year: dec31 (default) or jan1.")] = None,
    feb29_rule: Annotated[
        bool, typer.Option("--feb29-rule", help="366 days only for the period that holds 29 February.")
    ] = False,
    interest_period: Annotated[Text, typer.Option(help="daily (default) or same_as_period.")] = None,
    method: Annotated[Text, typer.Option(help="equal_instalment (default), equal_principal or flat.")] = None,
    rounding: Annotated[Text, typer.Option(help="half_even (default) or half_up.")] = None,
    multiple: Annotated[Text, typer.Option(help="Round instalments to multiples of so many currency units.")] = None,
    down_payment_rate: Annotated[Text, typer.Option(help="Fraction due at disbursement.")] = None,
    grace_principal: Annotated[Text, typer.Option(help="First instalments without principal.")] = None,
    grace_interest: Annotated[Text, typer.Option(help="First instalments whose interest is deferred.")] = None,
    interest_free: Annotated[Text, typer.Option(help="First instalments without interest.")] = None,
    cap: Annotated[str, typer.Option(help="Annual cost above which a plan is marked above_cap.")] = DEFAULT_CAP,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
    batch: Annotated[Text, typer.Option(help="JSON Lines of terms in, plans out; - reads standard input.")] = None,
) -> None:
    """Show the schedule of an instalment plan and its annualised cost."""
    limit, today = _cap(cap), business_date(SystemClock().now())
    if batch is not None:
        _run_batch(batch, lambda document: preview(document, limit, today))
        return
    named = {
        "principal": principal,
        "currency": currency,
        "rate_annual": rate_annual,
        "rate_monthly": rate_monthly,
        "rate_whole_term": rate_whole_term,
        "instalments": instalments,
        "every": every,
        "unit": unit,
        "disbursed_on": disbursed_on,
        "first_due_on": first_due_on,
        "day_count": day_count,
        "year_split": year_split,
        "feb29_rule": feb29_rule,
        "interest_period": interest_period,
        "method": method,
        "rounding": rounding,
        "multiple": multiple,
        "down_payment_rate": down_payment_rate,
        "grace_principal": grace_principal,
        "grace_interest": grace_interest,
        "interest_free": interest_free,
    }
    run_plan({name: value for name, value in named.items() if value is not None}, limit, today, as_json)


def run_plan(document: dict[str, Any], cap: Decimal, today: date, as_json: bool) -> None:
    """Print one plan, as a table or as JSON; a refusal goes to standard error and ends with status 2."""
    result = preview(document, cap, today)
    if as_json:
        sys.stdout.write(_line(result))
    elif "error" not in result:
        sys.stdout.write(table(result))
    if "error" in result:
        if not as_json:
            sys.stderr.write(f"{result['error']['code']}: {result['error']['detail']}\n")
        raise typer.Exit(2)


def apr(
    batch: Annotated[str, typer.Option(help="JSON Lines of cases in, rates out; - reads standard input.")] = "-",
) -> None:
    """Compute annual percentage rates: reg_z, eu, xirr or irr, one JSON object a line."""
    _run_batch(batch, compute)


def table(result: dict[str, Any]) -> str:
    """A plan document as a table for people, right-aligned, totals last."""
    lines = [list(_COLUMNS)]
    lines += [[str(row[column]) for column in _COLUMNS] for row in result["rows"]]
    totals = result["totals"]
    lines.append(["", "total", "", *(totals[name] for name in ("principal", "interest", "fee", "penalty", "due")), ""])
    widths = [max(len(line[k]) for line in lines) for k in range(len(_COLUMNS))]
    body = "\n".join("  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    percent = Decimal(result["annual_cost"]) * 100
    mark = "  above the cap" if result["above_cap"] else ""
    return f"{body}\nannual cost {percent:.4f} %{mark}\n"


def _cap(text: str) -> Decimal:
    try:
        cap = Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not a fraction such as 0.24", param_hint="--cap") from None
    if not cap.is_finite():
        raise typer.BadParameter(f"{text!r} is not a fraction such as 0.24", param_hint="--cap")
    return cap


def _run_batch(source: str, answer: Callable[[Any], dict[str, Any]]) -> None:
    """One answer a line, in the order of the questions; a line that is not JSON is answered with an error too."""
    if source == "-":
        _answer_lines(sys.stdin, answer)
        return
    path = Path(source)
    if not path.is_file():
        raise typer.BadParameter(f"no such file: {source}", param_hint="--batch")
    with path.open(encoding="utf-8") as lines:
        _answer_lines(lines, answer)


def _answer_lines(lines: TextIO, answer: Callable[[Any], dict[str, Any]]) -> None:
    for result in _answers(lines, answer):
        sys.stdout.write(_line(result))


def _answers(lines: TextIO, answer: Callable[[Any], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for line in lines:
        if not line.strip():
            continue
        try:
            document = json.loads(line, parse_float=Decimal)
        except ValueError as problem:
            yield {"id": None, "error": {"code": "NOT_JSON", "detail": str(problem)[:200]}}
            continue
        yield answer(document)


def _line(result: dict[str, Any]) -> str:
    return json.dumps(result, ensure_ascii=False, default=str) + "\n"
