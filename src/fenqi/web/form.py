"""Forms as pages get them: urlencoded fields, small, text only, read by name with a refusal for what is missing."""

from __future__ import annotations

from urllib.parse import parse_qsl
from uuid import UUID

from starlette.requests import Request

from fenqi.kernel.ids import parse_id
from fenqi.kernel.money import parse_minor
from fenqi.kernel.refusal import Refusal

MAX_FORM_BYTES = 64 * 1024
_MAX_FIELDS = 300


class Form:
    """The fields of one form; several values of a name are kept in order."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def text(self, name: str, most: int = 500) -> str:
        """The first value of `name`, trimmed, or ""; refuses one beyond `most` characters."""
        value = next((value for key, value in self._pairs if key == name), "").strip()
        if len(value) > most:
            raise Refusal("FORM_INVALID", f"{name} is longer than {most} characters", field=name)
        return value

    def required(self, name: str, most: int = 500) -> str:
        """The value of `name`; refuses an empty one."""
        value = self.text(name, most)
        if not value:
            raise Refusal("FIELD_MISSING", f"{name} is missing", field=name)
        return value

    def many(self, name: str) -> list[str]:
        """All values of `name`."""
        return [value.strip() for key, value in self._pairs if key == name]

    def id(self, name: str) -> UUID:
        """The id in `name`; refuses what is none."""
        found = parse_id(self.text(name))
        if found is None:
            raise Refusal("FORM_INVALID", f"{name} is not an id", field=name)
        return found

    def count(self, name: str, most: int = 999) -> int:
        """The whole number in `name`, 0 to `most`."""
        value = self.text(name, 12)
        if not value.isascii() or not value.isdigit() or int(value) > most:
            raise Refusal("FORM_INVALID", f"{name} is not a number from 0 to {most}", field=name)
        return int(value)

    def amount_minor(self, name: str) -> int:
        """The yuan amount in `name` ("1,234.50", "¥20") in fen; refuses fractions of a fen, zero and absurd sizes."""
        return parse_minor(self.required(name, 30).replace(",", "").replace("，", "").removeprefix("¥"))

    def rest(self, *without: str) -> dict[str, str]:
        """The other fields by name, for a flow that takes inputs by name."""
        return {key: value.strip() for key, value in self._pairs if key not in without}


async def read_form(request: Request) -> Form:
    """The form in the body; refuses other content types, bodies beyond 64 KiB and fields with NUL."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("application/x-www-form-urlencoded", ""):
        raise Refusal("FORM_INVALID", "forms are sent as application/x-www-form-urlencoded")
    raw, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_FORM_BYTES:
            raise Refusal("BODY_TOO_LARGE", f"at most {MAX_FORM_BYTES} bytes")
        raw.append(chunk)
    try:
        pairs = parse_qsl(b"".join(raw).decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except (UnicodeDecodeError, ValueError):
        raise Refusal("FORM_INVALID", "the form can't be read") from None
    if any("\0" in key or "\0" in value for key, value in pairs):
        raise Refusal("FORM_INVALID", "text must not contain NUL")
    return Form(pairs)
