"""Deadlines in working time, by the calendar of 2026: National Day 1 to 7 October, with 20 September worked for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fenqi.kernel.clock import ZONE
from fenqi.kernel.working_hours import DAY, HOUR, add_working_minutes, opening, working_minutes_between


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("08-24T10:00", 4 * HOUR, "08-24T14:00"),  # a Monday morning
        ("08-24T16:00", 4 * HOUR, "08-25T11:00"),  # over night
        ("08-24T09:00", DAY, "08-24T18:00"),  # a whole day ends at its close
        ("08-24T18:00", DAY, "08-25T18:00"),  # at the close the next day begins to count
        ("08-24T23:30", 1, "08-25T09:01"),
        ("08-28T17:00", 2 * HOUR, "08-31T10:00"),  # Friday to Monday
        ("08-29T12:00", HOUR, "08-31T10:00"),  # opened on a Saturday
        ("09-19T12:00", HOUR, "09-20T10:00"),  # the Sunday is worked in exchange for a holiday
        ("09-30T17:30", HOUR, "10-08T09:30"),  # over National Day
        ("08-24T05:00", 0, "08-24T09:00"),
    ],
)
def test_a_deadline_counts_working_time_only(start, minutes, end):
    assert add_working_minutes(at(start), minutes) == at(end)


def test_the_same_instant_in_another_zone_has_the_same_deadline():
    due_at = add_working_minutes(at("08-24T16:00").astimezone(UTC), 4 * HOUR)
    assert due_at == at("08-25T11:00") and due_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        ("08-24T10:00", "08-24T10:30", 30),
        ("08-24T17:00", "08-25T10:00", 2 * HOUR),
        ("09-30T17:00", "10-08T10:00", 2 * HOUR),
        ("08-24T19:00", "08-25T08:00", 0),
        ("08-25T10:00", "08-24T10:00", 0),
    ],
)
def test_minutes_between_are_those_worked(start, end, minutes):
    assert working_minutes_between(at(start), at(end)) == minutes


def test_what_is_left_of_a_deadline_gives_that_deadline_again():
    for hours in range(0, 24 * 9, 5):
        start = at("09-25T00:00") + timedelta(hours=hours)
        due_at = add_working_minutes(start, 3 * DAY)
        assert working_minutes_between(start, due_at) == 3 * DAY
        assert add_working_minutes(start, working_minutes_between(start, due_at)) == due_at


def test_the_operator_s_calendar_wins():
    assert opening(at("08-24T10:00"), {date(2026, 8, 24): False}) == at("08-25T09:00")
