"""How Alipay writes money and time: yuan with two digits, and Beijing's clock to the second.

Amounts go from text to fen and back by whole numbers only.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from fenqi.kernel.clock import ZONE

_YUAN = re.compile(r"([+-]?)(\d{1,12})(?:\.(\d{1,2}))?", re.ASCII)
_CLOCK = "%Y-%m-%d %H:%M:%S"


def yuan_text(amount_minor: int) -> str:
    """Fen as Alipay writes them: 123456 → "1234.56", -1 → "-0.01"."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02d}"


def fen(text: str) -> int:
    """Fen of a yuan text such as "1234.5" or "-0.01". Raises ValueError for anything else, fractions of a fen too."""
    found = _YUAN.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no amount in yuan")
    sign, whole, digits = found.groups()
    amount_minor = int(whole) * 100 + int((digits or "0").ljust(2, "0"))
    return -amount_minor if sign == "-" else amount_minor


def beijing(at: datetime) -> str:
    """An instant on Beijing's clock; fractions of a second are cut, so a limit is never later than it was."""
    return at.astimezone(ZONE).strftime(_CLOCK)


def instant(text: str) -> datetime:
    """The instant of a Beijing clock text, in UTC; fractions of a second are tolerated. Raises ValueError."""
    return datetime.strptime(text.strip().partition(".")[0], _CLOCK).replace(tzinfo=ZONE).astimezone(UTC)
