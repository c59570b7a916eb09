"""The formatters: one function a kind of value, per language. Pages and texts use these and no others.

Amounts are fen, rates millionths, instants aware datetimes or Unix milliseconds shown in the mall's zone
(Asia/Shanghai).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from babel.units import format_unit

from fenqi.kernel.clock import ZONE
from fenqi.kernel.money import Rounding, plain_yuan, round_minor, yuan
from fenqi.texts.model import Locale

_DATE = {Locale.ZH_CN: "y年M月d日", Locale.EN: "d MMM y"}
_DATETIME = {Locale.ZH_CN: "y年M月d日 HH:mm", Locale.EN: "d MMM y, HH:mm"}
_UNDER_A_MINUTE = {Locale.ZH_CN: "不到1分钟", Locale.EN: "less than a minute"}
_BETWEEN_UNITS = {Locale.ZH_CN: "", Locale.EN: " "}
_UNIT_LENGTH: dict[Locale, Literal["long", "short"]] = {Locale.ZH_CN: "short", Locale.EN: "long"}
_UNITS = (("duration-day", 86_400), ("duration-hour", 3_600), ("duration-minute", 60))


def money(amount_minor: int, locale: Locale, currency: str = "CNY") -> str:
    """123456 → "¥1,234.56" in both languages."""
    return yuan(amount_minor, currency)


def amount(amount_minor: int, locale: Locale, currency: str = "CNY") -> str:
    """123456 → "1,234.56", for columns whose head names the currency."""
    return plain_yuan(amount_minor, currency)


@lru_cache(maxsize=4096)
def day(on: date | str, locale: Locale) -> str:
    """A business date (or its ISO form): "2026年11月22日", "22 Nov 2026"."""
    value = date.fromisoformat(on) if isinstance(on, str) else on
    return format_date(value, _DATE[locale], locale=locale.cldr)


@lru_cache(maxsize=4096)
def moment(at: datetime | int, locale: Locale) -> str:
    """An instant, in the mall's zone: "2026年11月22日 14:05", "22 Nov 2026, 14:05"."""
    value = datetime.fromtimestamp(at // 1000, UTC) if isinstance(at, int) else at
    return format_datetime(value, _DATETIME[locale], tzinfo=ZONE, locale=locale.cldr)


def second(at: datetime, locale: Locale) -> str:
    """The time of day of an instant to the second, in the mall's zone: "14:05:07"."""
    return at.astimezone(ZONE).strftime("%H:%M:%S")


def percent(rate_ppm: int, locale: Locale) -> str:
    """A rate in millionths with two decimals, half up: 159049 → "15.90%"."""
    return f"{plain_yuan(round_minor(Decimal(rate_ppm) / 100, Rounding.HALF_UP))}%"


def number(value: int, locale: Locale) -> str:
    """1234 → "1,234"."""
    return format_decimal(value, locale=locale.cldr)


@lru_cache(maxsize=4096)
def duration(length: timedelta | int, locale: Locale) -> str:
    """A length of time (milliseconds when an int) in at most two units, rounded up: from a day on to the hour, below
    to the minute. "1天4小时", "1 day 4 hours"; under a minute "不到1分钟", "less than a minute".
    """
    value = timedelta(milliseconds=length) if isinstance(length, int) else length
    seconds = value.days * 86_400 + value.seconds
    if seconds < 60:
        return _UNDER_A_MINUTE[locale]
    words = []
    step = 3_600 if seconds > 86_400 else 60
    left = -(-seconds // step) * step
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(format_unit(count, unit, length=_UNIT_LENGTH[locale], locale=locale.cldr))
    return _BETWEEN_UNITS[locale].join(words[:2])
