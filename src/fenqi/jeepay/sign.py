"""Jeepay's signature: the MD5 of every value that is not empty, sorted by name, with the app's secret at the end.

Pure. MD5 is the protocol's choice; what it protects is kept from others by TLS and by the secret's 256 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping

Value = str | int | bool | None


def new_secret() -> str:
    """A new `appSecret`: 64 hexadecimal digits."""
    return secrets.token_hex(32)


def sign(fields: Mapping[str, Value], secret: str) -> str:
    """The signature of fields: upper-case MD5 of `name=value&…&key=secret`, without `sign` and what is empty."""
    return _digest({name: value for name, value in fields.items() if value not in (None, "")}, secret)


def is_signed(fields: Mapping[str, Value], secret: str) -> bool:
    """Whether `sign` among the fields is their signature, in either case.

    The npm client counts empty values in where the protocol leaves them out; both sign all that was sent, so both do.
    """
    given = str(fields.get("sign", "")).upper().encode()
    whole = {name: "" if value is None else value for name, value in fields.items()}
    return any(hmac.compare_digest(given, one.encode()) for one in (sign(fields, secret), _digest(whole, secret)))


def _digest(fields: Mapping[str, Value], secret: str) -> str:
    pairs = [f"{name}={_text(value)}&" for name, value in fields.items() if name != "sign"]
    text = "".join(sorted(pairs, key=lambda pair: (pair.lower(), pair))) + f"key={secret}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest().upper()


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
