"""A back-test in a few sentences that a manager understands, in Chinese and English. Pure."""

from __future__ import annotations

from fenqi import texts
from fenqi.flows.backtest import Report
from fenqi.flows.backtest_figures import Change
from fenqi.texts import Locale


def sentence(report: Report, locale: Locale) -> str:
    """What the candidate would have done: orders, sales, lending, losses, and whom it would have touched."""
    found = report.figures
    parts = [
        texts.t(
            f"backtest.sentence.{_which(report)}", locale, orders_count=found.orders, from_on=report.from_on,
            until_on=report.until_on, opened_count=found.opened, closed_count=found.closed,
        )
    ]  # fmt: skip
    if report.loosened:
        parts.insert(0, texts.t("backtest.sentence.loosened", locale, rule_id=report.loosened))
    if found.opened or found.closed:
        parts.append(
            texts.t(
                "backtest.sentence.money", locale, sales=change(found.gmv, locale),
                lending=change(found.credit, locale), losses=change(found.loss, locale),
            )
        )  # fmt: skip
        touched = {"merchants_count": report.merchants_count, "buyers_count": report.buyers_count}
        parts.append(texts.t("backtest.sentence.touched", locale, **touched))
    return ("" if locale is Locale.ZH_CN else " ").join(parts)


def _which(report: Report) -> str:
    opened, closed = bool(report.figures.opened), bool(report.figures.closed)
    return {(True, True): "both", (True, False): "opened", (False, True): "closed"}.get((opened, closed), "nothing")


def change(amounts: Change, locale: Locale) -> str:
    """An amount as the difference it makes: so much more, so much less, or the same."""
    difference = amounts.after - amounts.before
    key = "more" if difference > 0 else "less" if difference < 0 else "same"
    return texts.t(f"backtest.sentence.{key}", locale, change_minor=abs(difference))
