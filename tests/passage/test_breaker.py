"""The circuit breaker as a table of what is observed and what follows, by hand from the declared thresholds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from fenqi.passage import Health, Minute, Outcome, OutcomeKind, standing
from fenqi.passage.breaker import after, probe_is_due

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
P = UUID(int=1)
OK, TIMEOUT, ERROR, LIMITED = OutcomeKind.OK, OutcomeKind.TIMEOUT, OutcomeKind.ERROR, OutcomeKind.LIMITED


def s(seconds: int) -> timedelta:
    return timedelta(seconds=seconds)


def heard(health: Health, *kinds: OutcomeKind, at: datetime = AT, minutes: tuple[Minute, ...] = ()) -> Health:
    return after(health, [Outcome(P, kind, 80, at + s(place)) for place, kind in enumerate(kinds)], minutes, at)


def minute(ok: int, failed: int, at: datetime = AT) -> Minute:
    return Minute(at, ok, failed, 0, 0, 0, 0, 0)


def test_four_failures_in_a_row_are_borne_the_fifth_opens() -> None:
    four = heard(Health(), *[TIMEOUT] * 4)
    assert (four.is_open, four.failed_in_row, standing(four, AT)) == (False, 4, "up")
    five = heard(four, ERROR, at=AT + s(10))
    assert (five.is_open, five.until_at, five.opens) == (True, AT + s(40), 1)
    assert standing(five, AT + s(39)) == "down" and standing(five, AT + s(40)) == "half_open"


def test_an_answer_ends_a_run_of_failures_and_so_do_ten_minutes() -> None:
    assert heard(Health(), *[TIMEOUT] * 4, OK, *[TIMEOUT] * 4).failed_in_row == 4
    assert heard(heard(Health(), *[TIMEOUT] * 4), TIMEOUT, at=AT + s(3 + 601)).failed_in_row == 1
    assert heard(heard(Health(), *[TIMEOUT] * 4), TIMEOUT, at=AT + s(3 + 600)).is_open


def test_it_opens_when_half_of_the_last_minutes_calls_failed() -> None:
    assert heard(Health(), TIMEOUT, minutes=(minute(3, 2, AT - s(60)), minute(2, 3))).is_open
    assert not heard(Health(), TIMEOUT, minutes=(minute(3, 2, AT - s(60)), minute(3, 3))).is_open, "5 of 11"
    assert not heard(Health(), TIMEOUT, minutes=(minute(0, 4),)).is_open, "four are too few"
    assert not heard(Health(), TIMEOUT, minutes=(minute(0, 9, AT - s(120)),)).is_open, "too long ago"
    assert not heard(Health(), OK, minutes=(minute(2, 9),)).is_open, "the last call was answered"


def test_a_probe_that_fails_doubles_the_time_up_to_ten_minutes() -> None:
    health, at, waits = heard(Health(), *[ERROR] * 5), AT, []
    for _ in range(6):
        assert health.until_at is not None and health.opened_at is not None
        waits.append((health.until_at - health.opened_at).seconds)
        at = health.until_at
        health = heard(health, ERROR, at=at)
    assert waits == [30, 60, 120, 240, 480, 600]


def test_late_answers_change_nothing_while_it_is_open() -> None:
    opened = heard(Health(), *[ERROR] * 5)
    assert heard(opened, OK, ERROR, at=AT + s(20)) == opened


def test_one_answered_probe_closes_it_and_old_failures_do_not_open_it_again() -> None:
    opened = heard(Health(), *[ERROR] * 5)
    closed = heard(opened, OK, at=AT + s(35), minutes=(minute(1, 5),))
    assert closed == Health(closed_at=AT + s(35))
    assert not heard(closed, ERROR, at=AT + s(50), minutes=(minute(1, 6),)).is_open
    fresh = minute(0, 5, AT + s(60))
    assert heard(closed, ERROR, at=AT + s(70), minutes=(minute(1, 6), fresh)).is_open


def test_one_probe_at_a_time() -> None:
    opened = heard(Health(), *[ERROR] * 5)
    assert opened.until_at is not None
    assert not probe_is_due(opened, opened.until_at - s(1))
    assert probe_is_due(opened, opened.until_at)


def test_a_channel_that_says_too_many_calls_is_left_alone() -> None:
    limited = heard(Health(), LIMITED)
    assert (limited.limited_until_at, limited.failed_in_row) == (AT + s(30), 0)
    assert standing(limited, AT + s(29)) == "rate_limited" and standing(limited, AT + s(30)) == "up"
    assert heard(limited, LIMITED, at=AT + s(20)) == limited, "a pause that lasts is not drawn out"
    told = after(limited, [Outcome(P, LIMITED, 5, AT + s(1), AT + s(90))], (), AT)
    assert told.limited_until_at == AT + s(90)
