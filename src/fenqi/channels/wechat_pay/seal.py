"""AEAD_AES_256_GCM: how WeChat Pay seals what it sends (notices, certificates) with the merchant's API v3 key.

The key is 32 bytes of ASCII, the nonce 12, and the tag of 16 bytes stands at the end of the ciphertext.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALGORITHM = "AEAD_AES_256_GCM"
KEY_BYTES = 32


class Sealed(msgspec.Struct, frozen=True):
    """A sealed part of a message."""

    algorithm: str
    ciphertext: str
    nonce: str
    associated_data: str = ""
    original_type: str = ""


def unseal(api_v3_key: str, sealed: Sealed) -> bytes | None:
    """The plain bytes; None where this key (or another algorithm) does not open it."""
    key = api_v3_key.encode()
    if sealed.algorithm != ALGORITHM or len(key) != KEY_BYTES:
        return None
    try:
        data = base64.b64decode(sealed.ciphertext, validate=True)
        return AESGCM(key).decrypt(sealed.nonce.encode(), data, sealed.associated_data.encode())
    except (InvalidTag, ValueError):
        return None


def seal(api_v3_key: str, plain: bytes, nonce: str, associated_data: str) -> dict[str, Any]:
    """`plain` sealed, as the fields of a message."""
    made = AESGCM(api_v3_key.encode()).encrypt(nonce.encode(), plain, associated_data.encode())
    return {
        "algorithm": ALGORITHM,
        "ciphertext": base64.b64encode(made).decode(),
        "nonce": nonce,
        "associated_data": associated_data,
    }
