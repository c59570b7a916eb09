"""Lateness as vintages need it: for each instalment its due date and the day on which nothing of it was left."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.credit.conftest import THREE, Story

from fenqi.credit import lateness
from fenqi.credit.repayment_plan import PayAmount


def paid(story: Story, on: date) -> list[Any]:
    found = story.tx(lambda tx: lateness.paid(tx, date(2026, 1, 1), on))
    return [one for one in found if one.principal_minor == 300_000]


def test_an_instalment_paid_late_in_two_parts_is_cleared_by_the_second(story: Story) -> None:
    """Made on 10 March, due on the 10th of each month: the first is half paid on time and cleared on 20 May, ten days
    after the second, which stays open; before anything is late, all count as punctual."""
    who = story.open_line(1_000_000)
    loan = story.buy(who, 300_000, THREE)
    first, second, third = date(2026, 4, 10), date(2026, 5, 10), date(2026, 6, 10)
    assert loan.first_due_on == first
    (punctual,) = paid(story, first)
    assert punctual.dues == ((first, first), (second, second), (third, third))
    story.on(first)
    story.repay(who, PayAmount(50_000))
    story.on(date(2026, 5, 20))
    story.repay(who, PayAmount(60_000))
    (late,) = paid(story, date(2026, 5, 20))
    assert late.disbursed_on == date(2026, 3, 10)
    assert late.dues == ((first, date(2026, 5, 20)), (second, None), (third, None))
