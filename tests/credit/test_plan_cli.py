"""`fenqi plan` and `fenqi apr` as a person and as a program call them."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner

from fenqi.plan_cli import register

app = typer.Typer()
register(app)
runner = CliRunner()

TERMS = ["--principal", "1000", "--rate-annual", "0.12", "--instalments", "3", "--disbursed-on", "2026-01-31"]


def test_a_person_sees_a_table() -> None:
    shown = runner.invoke(app, ["plan", *TERMS])
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "n      due_on  days  principal  interest   fee  penalty      due  balance",
        "1  2026-02-28    28     330.02     10.00  0.00     0.00   340.02   669.98",
        "2  2026-03-31    31     333.32      6.70  0.00     0.00   340.02   336.66",
        "3  2026-04-30    30     336.66      3.37  0.00     0.00   340.03     0.00",
        "        total          1000.00     20.07  0.00     0.00  1020.07         ",
        "annual cost 12.0021 %",
    ]


def test_options_may_be_spelt_like_the_fields() -> None:
    spelt = [part.replace("-", "_").replace("__", "--") if part.startswith("--") else part for part in TERMS]
    assert "--rate_annual" in spelt
    assert runner.invoke(app, ["plan", *spelt]).stdout == runner.invoke(app, ["plan", *TERMS]).stdout


def test_above_the_cap_is_said() -> None:
    shown = runner.invoke(app, ["plan", *TERMS, "--cap", "0.1"])
    assert shown.stdout.splitlines()[-1] == "annual cost 12.0021 %  above the cap"


def test_every_option_reaches_the_engine() -> None:
    options = {
        "--currency": "JPY",
        "--every": "2",
        "--unit": "week",
        "--first-due-on": "2026-03-01",
        "--day-count": "actual/actual",
        "--year-split": "jan1",
        "--interest-period": "same_as_period",
        "--method": "equal_principal",
        "--rounding": "half_up",
        "--multiple": "10",
        "--down-payment-rate": "0.1",
        "--grace-principal": "1",
        "--grace-interest": "1",
        "--interest-free": "1",
    }
    flat = [part for pair in options.items() for part in pair]
    shown = runner.invoke(app, ["plan", *TERMS, *flat, "--feb29-rule", "--json"])
    assert shown.exit_code == 0
    made = json.loads(shown.stdout)
    assert [(row["n"], row["due_on"], row["due"]) for row in made["rows"]] == [
        (1, "2026-01-31", "100"),
        (2, "2026-03-01", "0"),
        (3, "2026-03-15", "454"),
        (4, "2026-03-29", "452"),
    ]


def test_a_refusal_ends_with_status_two() -> None:
    shown = runner.invoke(app, ["plan", *TERMS, "--unit", "year"])
    assert shown.exit_code == 2
    assert "CHOICE_UNKNOWN: unit is one of day, week, month" in shown.stderr
    shown = runner.invoke(app, ["plan", *TERMS, "--unit", "year", "--json"])
    assert json.loads(shown.stdout)["error"]["code"] == "CHOICE_UNKNOWN"


def test_a_batch_keeps_its_order_and_answers_every_line(tmp_path: Path) -> None:
    lines = [
        '{"id": "b", "principal": "100.10", "rate_annual": 0.12, "instalments": 2, "disbursed_on": "2026-01-01"}',
        "no json",
        "",
        '{"id": 7, "principal": 5}',
        '{"id": "a", "principal": "100", "rate_monthly": "0", "instalments": 1, "disbursed_on": "2026-01-01"}',
    ]
    file = tmp_path / "terms.jsonl"
    file.write_text("\n".join(lines))
    for shown in (
        runner.invoke(app, ["plan", "--batch", str(file)]),
        runner.invoke(app, ["plan", "--batch", "-"], input="\n".join(lines)),
    ):
        assert shown.exit_code == 0
        made = [json.loads(line) for line in shown.stdout.splitlines()]
        assert [one["id"] for one in made] == ["b", None, 7, "a"]
        assert made[0]["totals"]["due"] == "101.60"
        assert made[1]["error"]["code"] == "NOT_JSON"
        assert made[2]["error"]["code"] == "FIELD_MISSING"
        assert made[3]["rows"][0]["due"] == "100.00"


def test_a_batch_of_hundreds_answers_every_line() -> None:
    line = '{"principal": "10000", "rate_annual": "0.1", "instalments": 12, "day_count": "actual/actual"}\n'
    shown = runner.invoke(app, ["plan", "--batch", "-"], input=line * 500)
    assert len(shown.stdout.splitlines()) == 500


def test_a_batch_file_that_is_not_there_is_an_error() -> None:
    assert runner.invoke(app, ["plan", "--batch", "/nowhere.jsonl"]).exit_code == 2
    assert runner.invoke(app, ["plan", *TERMS, "--cap", "much"]).exit_code == 2


def test_apr_batch() -> None:
    case = {
        "id": "c(1)(ii)",
        "method": "reg_z",
        "unit_periods_per_year": 12,
        "advances": [{"amount": "6000", "unit_periods": 0}],
        "payments": [{"amount": "200", "unit_periods": 1, "fraction": "19/30", "count": 36}],
    }
    shown = runner.invoke(app, ["apr", "--batch", "-"], input=json.dumps(case))
    assert json.loads(shown.stdout) == {"id": "c(1)(ii)", "apr_percent": "11.816508"}
