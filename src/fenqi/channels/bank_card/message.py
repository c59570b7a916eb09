"""UnionPay's messages: the fields of a form or of an answer, their order of writing, and the times in them. Pure.

A request is an urlencoded form; an answer is `k=v&k=v` with raw values, of which one in braces may itself hold `&`.
Times are Beijing's, to the second; our numbers carry theirs (UUID version 7), so that a query needs nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fenqi.kernel.clock import ZONE

VERSION = "5.1.0"
DIRECT = "0"
"""accessType of a merchant of its own."""
CNY = "156"
_FORM = "%Y%m%d%H%M%S"
_NUMBER = re.compile(r"[0-9a-f]{32}\Z")
_DETAIL = re.compile(r"\[(\d{7})\]\s*\Z")


def write_form(fields: Mapping[str, str]) -> bytes:
    """The body of a POST."""
    return urlencode(fields).encode("ascii")


def read_form(body: bytes) -> dict[str, str]:
    """The fields of a posted form. Raises ValueError: not a form in UTF-8, or a field stands twice."""
    pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict")
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field stands twice")
    return fields


def write_answer(fields: Mapping[str, str]) -> bytes:
    """An answer's body: raw values, nothing encoded."""
    return "&".join(f"{name}={value}" for name, value in fields.items()).encode()


def read_answer(body: bytes) -> dict[str, str]:
    """The fields of an answer. Raises ValueError: no UTF-8, no `=`, or a field stands twice."""
    fields: dict[str, str] = {}
    for part in _parts(body.decode().strip("\r\n")):
        name, equals, value = part.partition("=")
        if not equals or name in fields:
            raise ValueError("not an answer of fields")
        fields[name] = value
    return fields


def _parts(text: str) -> list[str]:
    """The text cut at each `&` that stands in no braces."""
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        if letter in "{[":
            depth += 1
        elif letter in "}]":
            depth = max(0, depth - 1)
        elif letter == "&" and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]


def braced(fields: Mapping[str, str]) -> str:
    """Fields within a field: `{k=v&k=v}`."""
    return "{" + "&".join(f"{name}={value}" for name, value in fields.items()) + "}"


def read_braced(text: str) -> dict[str, str]:
    """The fields within a field; {} for what is none."""
    if not (text.startswith("{") and text.endswith("}")):
        return {}
    return {name: value for name, _, value in (part.partition("=") for part in text[1:-1].split("&"))}


def moment_of(number: str) -> datetime:
    """The instant within one of our numbers, which is its txnTime. ValueError: the number is no UUID version 7."""
    if not _NUMBER.match(number) or UUID(number).version != 7:
        raise ValueError(f"{number} carries no time")
    return datetime.fromtimestamp(int(number[:12], 16) // 1000, UTC)


def txn_time(number: str) -> str:
    """The txnTime of one of our numbers."""
    return write_time(moment_of(number))


def write_time(at: datetime) -> str:
    """yyyyMMddHHmmss on Beijing's clock."""
    return at.astimezone(ZONE).strftime(_FORM)


def read_time(text: str) -> datetime:
    """The instant of a yyyyMMddHHmmss. Raises ValueError."""
    return datetime.strptime(text, _FORM).replace(tzinfo=ZONE).astimezone(UTC)


def read_short_time(text: str, near: datetime) -> datetime:
    """The instant of a MMddHHmmss (traceTime) in the year that brings it next to `near`. Raises ValueError."""
    if len(text) != 10:
        raise ValueError(f"{text} is no MMddHHmmss")
    year = near.astimezone(ZONE).year
    found = []
    for candidate in (year - 1, year, year + 1):
        try:
            found.append(read_time(f"{candidate}{text}"))
        except ValueError:  # a 29th of February
            continue
    if not found:
        raise ValueError(f"{text} is no time")
    return min(found, key=lambda at: abs(at - near))


def detail(message: str) -> str:
    """The seven digits at the end of a respMsg (`卡上的余额不足[1000051]`), or ""."""
    found = _DETAIL.search(message)
    return found.group(1) if found else ""


SETTLES = timedelta(hours=23)
"""When UnionPay's settlement day ends, after midnight in Beijing: 23:00 (an assumption: see docs)."""


def settles_on(at: datetime) -> str:
    """The settlement day of an instant as yyyyMMdd."""
    return (at.astimezone(ZONE) + (timedelta(days=1) - SETTLES)).strftime("%Y%m%d")
