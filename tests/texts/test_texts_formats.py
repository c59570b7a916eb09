"""One formatter a kind of value, in both languages."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fenqi.texts import formats, negotiate
from fenqi.texts.model import Locale

ZH, EN = Locale.ZH_CN, Locale.EN


def test_money_in_fen() -> None:
    assert [formats.money(123456, locale) for locale in (ZH, EN)] == ["¥1,234.56", "¥1,234.56"]
    assert formats.money(-5, EN) == "-¥0.05"
    assert formats.money(0, ZH) == "¥0.00"
    assert formats.amount(100000000, EN) == "1,000,000.00"


def test_a_business_date() -> None:
    assert formats.day(date(2026, 11, 2), ZH) == "2026年11月2日"
    assert formats.day("2026-11-02", EN) == "2 Nov 2026"
    assert formats.day(date(2026, 9, 1), EN) == "1 Sep 2026"


def test_an_instant_is_shown_in_shanghai() -> None:
    at = datetime(2026, 11, 21, 16, 5, tzinfo=UTC)
    assert formats.moment(at, ZH) == "2026年11月22日 00:05"
    assert formats.moment(int(at.timestamp() * 1000), EN) == "22 Nov 2026, 00:05"


@pytest.mark.parametrize(
    ("rate_ppm", "said"), [(159049, "15.90%"), (240000, "24.00%"), (50, "0.01%"), (49, "0.00%"), (1_200_000, "120.00%")]
)
def test_a_rate_in_millionths(rate_ppm: int, said: str) -> None:
    assert formats.percent(rate_ppm, EN) == said
    assert formats.percent(rate_ppm, ZH) == said


@pytest.mark.parametrize(
    ("length", "zh", "en"),
    [
        (timedelta(seconds=59), "不到1分钟", "less than a minute"),
        (timedelta(minutes=1), "1分钟", "1 minute"),
        (timedelta(minutes=10), "10分钟", "10 minutes"),
        (timedelta(minutes=90), "1小时30分钟", "1 hour 30 minutes"),
        (timedelta(seconds=3599), "1小时", "1 hour"),
        (timedelta(days=1), "1天", "1 day"),
        (timedelta(days=1, hours=3, minutes=1), "1天4小时", "1 day 4 hours"),
        (timedelta(days=20), "20天", "20 days"),
    ],
)
def test_a_length_of_time_is_rounded_up_and_never_understates_a_wait(length: timedelta, zh: str, en: str) -> None:
    assert formats.duration(length, ZH) == zh
    assert formats.duration(length, EN) == en
    assert formats.duration(int(length.total_seconds() * 1000), EN) == en


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", ZH),
        ("fr-FR,fr;q=0.9", ZH),
        ("en-GB,en;q=0.9,zh;q=0.5", EN),
        ("zh-TW,en;q=0.8", ZH),
        ("fr, en;q=0.3, zh-CN;q=0.7", ZH),
        ("en;q=0", ZH),
        ("en;q=nonsense", ZH),
    ],
)
def test_the_language_of_a_header(header: str, locale: Locale) -> None:
    assert negotiate(header) is locale
