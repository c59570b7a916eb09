"""Clean months: whole months without a day overdue since the first loan, wherever that was lent."""

from __future__ import annotations

from datetime import date

import pytest
from tests.credit.conftest import THREE, Story

from fenqi.credit import line
from fenqi.credit.facts import clean_months
from fenqi.credit.repayment_plan import PayOverdue


@pytest.mark.parametrize(
    ("first_on", "late_on", "today_on", "months"),
    [
        (None, None, date(2026, 8, 24), 0),
        (date(2026, 8, 24), None, date(2026, 8, 24), 0),
        (date(2024, 8, 24), None, date(2026, 8, 24), 24),
        (date(2024, 8, 25), None, date(2026, 8, 24), 23),
        (date(2024, 1, 31), None, date(2024, 2, 29), 0),
        (date(2024, 8, 24), date(2026, 7, 24), date(2026, 8, 24), 1),
        (date(2026, 1, 1), date(2025, 1, 1), date(2026, 8, 1), 7),
    ],
)
def test_whole_months_since_the_first_loan_or_the_last_day_overdue(first_on, late_on, today_on, months):
    assert clean_months(first_on, late_on, today_on) == months


def test_a_debt_that_was_overdue_begins_the_count_again(story: Story) -> None:
    """Three instalments of ¥100 from 10 March: the first is due on 10 April and paid on the 20th, ten days late."""
    who = story.open_line(money_minor=50_000)
    story.on(date(2026, 3, 10))
    assert story.facts(who).clean_months == 0
    story.buy(who, 30_000, THREE)
    story.on(date(2026, 4, 10))
    assert story.facts(who).clean_months == 1
    story.on(date(2026, 4, 11))
    assert (story.facts(who).overdue_days, story.facts(who).clean_months) == (1, 0)
    story.on(date(2026, 4, 20))
    story.repay(who, PayOverdue())
    assert (story.facts(who).overdue_days, story.facts(who).clean_months) == (0, 0)
    story.on(date(2026, 5, 9))
    assert story.facts(who).clean_months == 0
    story.on(date(2026, 5, 10))
    assert story.facts(who).clean_months == 0
    story.on(date(2026, 5, 11))
    assert story.facts(who).overdue_days == 1


def test_a_line_taken_over_counts_from_its_first_loan_there(story: Story) -> None:
    who = story.open_line()
    story.on(date(2026, 3, 10))
    story.tx(lambda tx: line.set_flags(tx, who, story.by(), first_loan_on=date(2024, 2, 10)))
    assert story.facts(who).clean_months == 25
    story.buy(who, 30_000, THREE)
    assert story.facts(who).clean_months == 25
