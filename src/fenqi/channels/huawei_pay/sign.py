"""Huawei Pay's signatures: ours with RSA-PSS over sorted fields, theirs with SM2 over the same kind of text.

The text: every field but `sign` whose value is not null, sorted by name, `k=v` joined by `&`; the objects of a list are
written the same way and joined by commas. Of a GET the path with its query is signed instead.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from fenqi.channels.huawei_pay import sm2

_PADDING = PSS(mgf=MGF1(SHA256()), salt_length=PSS.DIGEST_LENGTH)


def text_of(fields: Mapping[str, Any], without: str = "sign") -> str:
    """The text that is signed. How a single object within a field is written is not documented: as one of a list."""
    left = sorted(name for name, value in fields.items() if name != without and value is not None)
    return "&".join(f"{name}={_value(fields[name])}" for name in left)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return text_of(value)
    if isinstance(value, list | tuple):
        return ",".join(_value(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def sign(text: str, private_key: str) -> str:
    """SHA256withRSA/PSS with a salt as long as the digest, in base64. `private_key`: PEM, or its bare base64."""
    return base64.b64encode(load_private(private_key).sign(text.encode(), _PADDING, SHA256())).decode("ascii")


def holds(text: str, signature: str, public_key: str) -> bool:
    """Whether a merchant signed this text."""
    try:
        load_public(public_key).verify(base64.b64decode(signature, validate=True), text.encode(), _PADDING, SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def is_huaweis(fields: Mapping[str, Any], public_key: str) -> bool:
    """Whether Huawei Pay signed these fields (SM2)."""
    signature = fields.get("sign")
    return isinstance(signature, str) and sm2.verify(text_of(fields), signature, _sm2(public_key))


@lru_cache(maxsize=64)
def _sm2(public_key: str) -> sm2.Point:
    return sm2.read_public(public_key)


@lru_cache(maxsize=64)
def load_private(text: str) -> RSAPrivateKey:
    """An RSA key in PKCS#8. ValueError: it is none."""
    key = load_pem_private_key(_pem(text, "PRIVATE KEY"), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


@lru_cache(maxsize=64)
def load_public(text: str) -> RSAPublicKey:
    """An RSA public key. ValueError: it is none."""
    key = load_pem_public_key(_pem(text, "PUBLIC KEY"))
    if not isinstance(key, RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


def _pem(text: str, kind: str) -> bytes:
    if "-----BEGIN" in text:
        return text.encode()
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n".encode()
