"""The pure parts of the console's channel pages: the hour of a passage, and the line of an attempt's story."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from fenqi.attempt import Move, NoticeRow
from fenqi.passage import Minute
from fenqi.web.console.chart import BAD, DOWN, STEP, UP, chart
from fenqi.web.console.story import actor_of, merged, raw_of

NOW = datetime(2026, 8, 24, 1, 0, 30, tzinfo=UTC)


def minute(ago: int, ok: int = 0, *bad: int, total_ms: int = 0, most_ms: int = 0) -> Minute:
    counts = [*bad, 0, 0, 0, 0][:4]
    at = NOW.replace(second=0) - timedelta(minutes=ago)
    return Minute(at, ok, *counts, total_ms, most_ms)


def test_an_hour_without_calls_is_empty_and_counts_as_answered() -> None:
    empty = chart([], NOW)
    assert (empty.bars, empty.latency, empty.calls, empty.answered_ppm) == ((), "", 0, 1_000_000)
    assert (empty.until_at, empty.since_at) == (
        datetime(2026, 8, 24, 1, 1, tzinfo=UTC), datetime(2026, 8, 24, 0, 1, tzinfo=UTC),
    )  # fmt: skip


def test_answers_stand_above_the_line_and_the_rest_hangs_below_it() -> None:
    drawn = chart([minute(0, 6, 1, 2, 0, 1, total_ms=1_000, most_ms=400)], NOW)
    ok, timeout, error, limited = drawn.bars
    assert (ok.kind, ok.x, ok.y, ok.height) == ("ok", 59 * STEP, UP - 33, 33)
    assert [(bar.kind, bar.y, bar.height) for bar in (timeout, error, limited)] == [
        ("timeout", UP + 1, 4), ("error", UP + 5, 7), ("limited", UP + 12, 4),
    ]  # fmt: skip
    assert drawn.counts == {"ok": 6, "timeout": 1, "error": 2, "declined": 0, "limited": 1}
    assert (drawn.peak, drawn.calls, drawn.answered_ppm, drawn.mean_ms, drawn.most_ms) == (10, 10, 600_000, 100, 400)


def test_only_the_hour_counts() -> None:
    drawn = chart([minute(60, 5), minute(59, 1), minute(0, 1)], NOW)
    assert [bar.x for bar in drawn.bars] == [0, 59 * STEP]


@pytest.mark.parametrize("kind", range(4))
def test_every_bar_stays_within_the_picture(kind: int) -> None:
    bad = [0, 0, 0, 0]
    bad[kind] = 1_000_000
    drawn = chart([minute(3, 0, *bad), minute(2, 1)], NOW)
    assert all(bar.y >= 0 and bar.height >= 4 and bar.y + bar.height <= UP + 1 + DOWN for bar in drawn.bars)
    assert drawn.bars[0].kind == BAD[kind]


def test_latency_joins_neighbours_only() -> None:
    drawn = chart([minute(5, 1, total_ms=100), minute(4, 1, total_ms=50), minute(1, 2, total_ms=0)], NOW)
    assert drawn.latency == "M540 2h8L550 18h8M580 34h8"


def move(version: int, to_state: str, actor: str, seconds: int, from_state: str | None = "created") -> Move:
    at = NOW + timedelta(seconds=seconds)
    return Move(version, to_state, from_state if version > 1 else None, to_state, {}, actor, "why", at)


def notice(seconds: int, body: bytes = b"", **headers: str) -> NoticeRow:
    at = NOW + timedelta(seconds=seconds)
    return NoticeRow("n", UUID(int=1), "alipay", "alipay", "payment", "done", "", headers, body, None, at)


def test_a_notice_stands_before_what_it_led_to() -> None:
    moves = [move(1, "created", "consumer:1", 0), move(2, "pending", "system:charge", 0)]
    paid = move(3, "succeeded", "channel:alipay", 0)
    assert [event.name for event in merged([paid, *moves], [notice(0)])] == [
        "begin", "pending", "payment", "succeeded",
    ]  # fmt: skip
    assert [event.name for event in merged(moves, [notice(0)])] == ["begin", "pending", "payment"]
    assert [event.name for event in merged(moves, [notice(-1)])] == ["payment", "begin", "pending"]


def test_a_refund_that_is_asked_for_again_says_so() -> None:
    again = move(3, "created", "staff:1", 2, from_state="failed")
    events = merged([move(1, "created", "consumer:1", 0), move(2, "failed", "system:refunds", 1), again], [])
    assert [event.name for event in events] == ["begin", "failed", "again"]


def test_raw_text_is_read_whatever_its_bytes() -> None:
    form = raw_of(notice(0, b"a=1&b=%E4%BB%98&c", **{"content-type": "application/x-www-form-urlencoded; charset=x"}))
    assert form.fields == (("a", "1"), ("b", "付"), ("c", ""))
    assert raw_of(notice(0, b"\xff\xfe", **{"content-type": "application/json"})).fields == ()
    assert raw_of(notice(0, b"\xff")).text == "�"
    many = raw_of(notice(0, b"&".join([b"a=1"] * 500), **{"content-type": "application/x-www-form-urlencoded"}))
    assert many.fields == () and many.text.startswith("a=1&")


def test_who_did_it() -> None:
    ann = UUID(int=7)
    assert actor_of(f"staff:{ann}", {ann: "Ann"}) == ("staff", "Ann")
    assert actor_of("staff:nobody", {}) == ("staff", "nobody")
    assert actor_of("system:janitor", {}) == ("system", "janitor")
