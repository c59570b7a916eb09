"""Money and time as Alipay writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi.channels.alipay.text import beijing, fen, instant, yuan_text


@pytest.mark.parametrize(
    ("text", "amount_minor"),
    [
        ("0.01", 1), ("0.1", 10), ("1", 100), ("88.88", 8_888), ("100000000.00", 10_000_000_000), ("-15.01", -1_501),
        ("+0.5", 50), (" 7.00\t", 700), ("0.00", 0), ("-0.01", -1),
    ],
)  # fmt: skip
def test_yuan_is_fen(text: str, amount_minor: int) -> None:
    assert fen(text) == amount_minor


@pytest.mark.parametrize("text", ["", ".5", "1.", "1.005", "1e2", "1,000.00", "NaN", "１.00", "0x1", "--1", "1 2"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no amount"):
        fen(text)


@given(st.integers(-(10**13), 10**13))
def test_amounts_go_there_and_back(amount_minor: int) -> None:
    assert fen(yuan_text(amount_minor)) == amount_minor


def test_time_is_beijings_and_cut_to_the_second() -> None:
    at = datetime(2026, 2, 28, 16, 0, 0, 999_999, UTC)
    assert beijing(at) == "2026-03-01 00:00:00"
    assert beijing(at.astimezone(timezone(timedelta(hours=-5)))) == "2026-03-01 00:00:00"
    assert instant("2026-03-01 00:00:00.123") == datetime(2026, 2, 28, 16, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2026-03-01", "2026-13-01 00:00:00", "2026-03-01T00:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        instant(text)
