"""A request by Jeepay's protocol, read: JSON, form or query; every value one text, number or flag, as it was signed.

Pure. What a call needs is taken out by name and type; what it doesn't know is left alone, but signed like the rest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from fenqi.jeepay import Value
from fenqi.kernel.refusal import Refusal

FIELDS_MOST = 100
_OF_THE_CALL = frozenset({"sign", "signType", "reqTime", "version"})
_JSON = msgspec.json.Encoder(order="deterministic")


class Asked:
    """The fields of one request; refuses PARAMETER_INVALID with the field's name."""

    def __init__(self, fields: Mapping[str, Value]) -> None:
        self.fields = fields

    def text(self, name: str, most: int, *, required: bool = False) -> str:
        """A value as text, or ""; at most so many characters."""
        value = self.fields.get(name)
        if isinstance(value, bool):
            raise invalid(name, "is no text")
        text = "" if value is None else str(value)
        if required and not text.strip():
            raise invalid(name, "is missing")
        if len(text) > most:
            raise invalid(name, f"has at most {most} characters")
        return text

    def whole(self, name: str, *, required: bool = False) -> int | None:
        """A value as a whole number, also one that was sent as text."""
        value = self.fields.get(name)
        if value is None or value == "":
            if required:
                raise invalid(name, "is missing")
            return None
        text = str(value)
        if isinstance(value, bool) or not text.isascii() or not text.isdigit() or len(text) > 15:
            raise invalid(name, "is a whole number")
        return int(text)

    def extra(self) -> dict[str, Any]:
        """What `channelExtra` holds: the text of a JSON object."""
        text = self.text("channelExtra", 2_000)
        if not text.strip():
            return {}
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise invalid("channelExtra", "is the text of a JSON object")
        return found

    @property
    def digest(self) -> bytes:
        """Of everything that was asked: the same for a repeat, whenever and however it was sent."""
        asked = {k: str(v) for k, v in self.fields.items() if k not in _OF_THE_CALL and v not in (None, "")}
        return hashlib.sha256(_JSON.encode(asked)).digest()


def read(content_type: str, query: bytes, body: bytes) -> Asked:
    """The fields of a body, or of the query where there is no body. Refuses REQUEST_MALFORMED."""
    try:
        if not body:
            fields = dict(parse_qsl(query.decode(), keep_blank_values=True, max_num_fields=FIELDS_MOST))
        elif content_type.partition(";")[0].strip().lower() == "application/x-www-form-urlencoded":
            fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MOST))
        else:
            fields = json.loads(body, parse_float=str, parse_constant=str)
        str(fields).encode()  # not half a character
    except (ValueError, RecursionError):
        raise Refusal("REQUEST_MALFORMED", "neither JSON nor a form") from None
    if not isinstance(fields, dict) or len(fields) > FIELDS_MOST:
        raise Refusal("REQUEST_MALFORMED", "a request is an object of fields")
    for name, value in fields.items():
        if not isinstance(value, str | int | None) or "\0" in f"{name}{value}":
            raise invalid(name[:40], "is a text, a number or a flag")
    return Asked(fields)


def invalid(name: str, what: str) -> Refusal:
    """The refusal of a field (PARAMETER_INVALID)."""
    return Refusal("PARAMETER_INVALID", f"{name} {what}", name=name)
