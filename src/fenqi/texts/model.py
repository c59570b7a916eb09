"""Who is spoken to and in which language: the two enums that every text is chosen by.

`negotiate` picks the language from an Accept-Language header.
"""

from __future__ import annotations

from enum import StrEnum


class Audience(StrEnum):
    """The four readers of a reason, each with a text of its own."""

    BUYER = "buyer"
    MERCHANT = "merchant"
    SUPPORT = "support"
    RISK = "risk"


class Locale(StrEnum):
    """The languages of the catalogue."""

    ZH_CN = "zh-CN"
    EN = "en"

    @property
    def other(self) -> Locale:
        """The language that helps out where a text is missing."""
        return Locale.EN if self is Locale.ZH_CN else Locale.ZH_CN

    @property
    def cldr(self) -> str:
        """The same language as CLDR and Babel name it."""
        return "zh_CN" if self is Locale.ZH_CN else "en"


def negotiate(accept_language: str) -> Locale:
    """The language that a header such as "en-GB,en;q=0.9,zh;q=0.5" prefers; Chinese when it names neither."""
    best, best_quality = Locale.ZH_CN, 0.0
    for item in accept_language.split(","):
        tag, _, quality_text = item.strip().partition(";q=")
        locale = {"zh": Locale.ZH_CN, "en": Locale.EN}.get(tag.strip().lower().partition("-")[0])
        quality = _quality(quality_text)
        if locale is not None and quality > best_quality:
            best, best_quality = locale, quality
    return best


def _quality(text: str) -> float:
    if not text:
        return 1.0
    try:
        return float(text)
    except ValueError:
        return 0.0
