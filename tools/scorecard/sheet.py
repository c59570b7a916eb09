"""The data sheet of the scorecards as a page: tables out of the artefacts, in what `page.md` says around them."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

from tools.scorecard.data import PPM

KINDS = ("age", "sex")
FOUR_FIFTHS = 0.8
PAGE = Template((Path(__file__).parent / "page.md").read_text(encoding="utf-8"))


def write(served: dict[str, Any], benchmark: dict[str, Any]) -> str:
    """The whole page."""
    fairness = benchmark["sheet"]["fairness"]
    below = [row["group"] for kind in KINDS for row in fairness[kind] if row["adverse_impact_ratio"] < FOUR_FIFTHS]
    return PAGE.substitute(
        served=_card("The application card", served),
        benchmark=_card("The benchmark card", benchmark),
        cut_offs=_cut_offs(served),
        fairness=_fairness(fairness),
        cut=_percent(fairness["pd_at_most_ppm"] / PPM),
        verdict=f"Below four fifths: {', '.join(below)}." if below else "No group is below four fifths.",
        features=len(served["features"]),
        **_quality("served", served),
        **_quality("german", benchmark),
    )


def _card(title: str, card: dict[str, Any]) -> str:
    sheet = card["sheet"]
    lines = [
        f"## {title}: `{card['version']}`\n",
        f"Trained on {sheet['cases']:,} cases of `{sheet['data']}.csv`, {sheet['bad']:,} of them bad"
        f" ({_percent(sheet['bad'] / sheet['cases'])}). Validation: {sheet['validation']}.\n",
        "| | |\n|---|---|",
        f"| AUC | {_spread(sheet['auc'])} |",
        f"| KS | {_spread(sheet['ks'])} |",
        f"| Brier score | {sheet['brier']:.5f} (of the mere rate: {sheet['brier_of_the_rate']:.5f}) |",
        f"| expected calibration error, tenths | {_percent(sheet['calibration_error'])} |",
        f"| calibration line, log-odds | {sheet['calibration_line'][0]} + {sheet['calibration_line'][1]} x |",
        f"| scores in the data, 10 % / median / 90 % |"
        f" {sheet['scores']['p10']} / {sheet['scores']['p50']} / {sheet['scores']['p90']} |\n",
        _points(card),
        _calibration(sheet),
        "Not in the card:\n",
        *_outside(card),
        "",
    ]
    return "\n".join(lines)


def _points(card: dict[str, Any]) -> str:
    lines = ["| feature | bin | good | bad | bad rate | WOE | points |", "|---|---|--:|--:|--:|--:|--:|"]
    for feature in card["features"]:
        low = None
        for one in feature["bins"]:
            rate = one["bad"] / (one["good"] + one["bad"])
            lines.append(
                f"| {feature['name']} | {_range(one, low)} | {one['good']:,} | {one['bad']:,} | {_percent(rate)} |"
                f" {one['woe']:.3f} | {one['points']} |"
            )
            low = one.get("upto")
        reason = f", reason `{feature['code']}`" if feature["code"] else ""
        lines.append(f"| | *{feature['source']}; average {feature['average']} points{reason}* | | | | | |")
    return "\n".join(lines) + "\n"


def _range(one: dict[str, Any], low: int | None) -> str:
    if "values" in one:
        return ", ".join(one["values"])
    if one["upto"] is None:
        return f"over {low:,}"
    return f"up to {one['upto']:,}" if low is None else f"over {low:,} up to {one['upto']:,}"


def _calibration(sheet: dict[str, Any]) -> str:
    lines = ["| tenth by predicted probability | cases | predicted | found |", "|--:|--:|--:|--:|"]
    for number, row in enumerate(sheet["calibration"], 1):
        lines.append(f"| {number} | {row['cases']} | {_percent(row['predicted'])} | {_percent(row['found'])} |")
    return "\n".join(lines) + "\n"


def _outside(card: dict[str, Any]) -> list[str]:
    used = {feature["name"] for feature in card["features"]}
    weak = [
        f"* `{name}`: information value {value:.3f}; too weak, or nothing left beside the others"
        for name, value in card["sheet"]["information_values"].items()
        if name not in used
    ]
    return [*weak, *(f"* `{name}`: {why}" for name, why in card["sheet"]["left_out"].items())]


def _cut_offs(card: dict[str, Any]) -> str:
    lines = [
        "### What a cut-off does\n",
        "Out of fold, on the training data. The cut-off itself is policy: rows of the tables `opening` and `limit`.\n",
        "| probability at most | approved | bad of the approved | bad of the refused |",
        "|--:|--:|--:|--:|",
    ]
    for row in card["sheet"]["cut_offs"]:
        lines.append(
            f"| {_percent(row['pd_at_most_ppm'] / PPM)} | {_percent(row['approved'])} |"
            f" {_percent(row['bad_of_approved'])} | {_percent(row['bad_of_refused'])} |"
        )
    return "\n".join(lines) + "\n"


def _quality(name: str, card: dict[str, Any]) -> dict[str, str]:
    sheet = card["sheet"]
    return {
        f"{name}_validation": sheet["validation"].split(",")[0] + " cross-validation",
        f"{name}_auc": f"{sheet['auc']['mean']:.3f}",
        f"{name}_ks": f"{sheet['ks']['mean']:.3f}",
    }


def _fairness(fairness: dict[str, Any]) -> str:
    lines = [
        "| group | cases | approved | adverse-impact ratio | approved of the good | AUC | predicted | found |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for kind in KINDS:
        for row in fairness[kind]:
            lines.append(
                f"| {kind} {row['group']} | {row['cases']} | {_percent(row['approved'])} |"
                f" {row['adverse_impact_ratio']:.2f} | {_percent(row['good_approved'])} | {row['auc']:.3f} |"
                f" {_percent(row['predicted'])} | {_percent(row['found'])} |"
            )
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _spread(of: dict[str, float]) -> str:
    return f"{of['mean']:.3f} ± {of['sd']:.3f} (mean and standard deviation over the folds)"
