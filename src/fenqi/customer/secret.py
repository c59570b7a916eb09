"""Keys and passwords: everything personal is sealed or hashed with keys derived from the operator's one secret.

Sealing is AES-256-GCM bound to the consumer; look-ups and fingerprints are HMAC-SHA-256; passwords are argon2id with
OWASP's parameters (19 MiB, 2 passes, 1 lane).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NONCE_BYTES = 12


class Keys:
    """Derived keys, one per use, so that no value of one use says anything about another."""

    def __init__(self, secret: bytes) -> None:
        """`secret` has at least 16 bytes and must stay the same as long as the data lives."""
        if len(secret) < 16:
            raise ValueError("the secret must have at least 16 bytes")
        self._seal = AESGCM(_derive(secret, b"seal"))
        self._look_up = _derive(secret, b"look-up")
        self._token = _derive(secret, b"token")

    def seal(self, text: str, consumer_id: UUID) -> bytes:
        """`text` sealed for this consumer: 12 bytes of nonce, then the ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._seal.encrypt(nonce, text.encode(), consumer_id.bytes)

    def unseal(self, sealed: bytes, consumer_id: UUID) -> str:
        """The text; raises cryptography's InvalidTag when it was sealed for somebody else or by other keys."""
        return self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], consumer_id.bytes).decode()

    def look_up(self, kind: str, value: str) -> bytes:
        """The keyed hash under which a value is found, 32 bytes."""
        return hmac.digest(self._look_up, f"{kind}\0{value}".encode(), hashlib.sha256)

    def person(self, id_number: str) -> bytes:
        """The keyed hash of an id number: the same for one person everywhere (related parties, one credit line)."""
        return self.look_up("person", id_number.upper())

    def sign(self, message: bytes) -> bytes:
        """The signature of an access token, 32 bytes."""
        return hmac.digest(self._token, message, hashlib.sha256)


def _derive(secret: bytes, use: bytes) -> bytes:
    return HKDF(hashes.SHA256(), length=32, salt=None, info=b"fenqi customer " + use).derive(secret)


async def hash_password(password: str) -> str:
    """The argon2id hash, made beside the event loop (about 20 ms)."""
    return await asyncio.to_thread(_HASHER.hash, password)


async def password_fits(password_hash: str, password: str) -> bool:
    """Whether the password is the hashed one, checked beside the event loop."""
    return await asyncio.to_thread(_fits, password_hash, password)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def token_hash(token: str) -> bytes:
    """Plain SHA-256: session tokens are 256 random bits."""
    return hashlib.sha256(token.encode()).digest()
