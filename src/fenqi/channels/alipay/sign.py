"""Alipay's signatures: RSA2 over sorted parameters, and the lines that the V3 REST interface signs.

Pure: texts and keys in, texts and verdicts out. RSA2 is SHA256withRSA with PKCS#1 v1.5 padding, in base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

V3_SCHEME = "ALIPAY-SHA256withRSA"


class KeyUnusable(ValueError):
    """A key's text is not an RSA key; the message never holds the key."""


def request_text(params: Mapping[str, str]) -> str:
    """What a request signs: every parameter that is not empty but `sign`, sorted by name, `k=v` joined by `&`, raw."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "sign" and params[name] != "")


def notice_text(params: Mapping[str, str], dropped: Iterable[str] = ("sign", "sign_type")) -> str:
    """What a notice (or a signed way back) signs: the parameters as decoded, less `dropped`, empty ones included."""
    left = set(params).difference(dropped)
    return "&".join(f"{name}={params[name]}" for name in sorted(left))


def v3_request_text(auth: str, method: str, path: str, body: str, app_auth_token: str = "") -> str:
    """What a V3 request signs; `auth` is the Authorization's part between the scheme and `,sign=`, `path` has its
    query."""
    text = f"{auth}\n{method}\n{path}\n{body}\n"
    return f"{text}{app_auth_token}\n" if app_auth_token else text


def v3_answer_text(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What a V3 answer signs: two of its headers and the body as it was sent."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def sign(text: str | bytes, private_key: str) -> str:
    """RSA2 of `text` in base64. `private_key`: PKCS#1 or PKCS#8, as PEM or its bare base64. Raises KeyUnusable."""
    return sign_with(text, load_private(private_key))


def sign_with(text: str | bytes, key: RSAPrivateKey) -> str:
    """RSA2 of `text` by a key that is already loaded."""
    raw = text.encode() if isinstance(text, str) else text
    return base64.b64encode(key.sign(raw, PKCS1v15(), SHA256())).decode("ascii")


def verify(text: str | bytes, signature: str, public_key: str) -> bool:
    """Whether `signature` (base64) is RSA2 of `text` by the owner of `public_key`. Raises KeyUnusable."""
    raw = text.encode() if isinstance(text, str) else text
    key = load_public(public_key)
    try:
        key.verify(base64.b64decode(signature, validate=True), raw, PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


@lru_cache(maxsize=256)
def load_private(text: str) -> RSAPrivateKey:
    """The key that `text` holds, in any form in which Alipay's tools write one. Raises KeyUnusable."""
    try:
        key = load_der_private_key(_der(text), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise KeyUnusable("the private key is no RSA key in PKCS#1 or PKCS#8")
    return key


@lru_cache(maxsize=256)
def load_public(text: str) -> RSAPublicKey:
    """The public key in `text`, as PEM or bare base64. Raises KeyUnusable."""
    try:
        key = load_der_public_key(_der(text))
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPublicKey):
        raise KeyUnusable("the public key is no RSA key")
    return key


def _der(text: str) -> bytes:
    """The bytes inside a PEM, or of bare base64 that may be broken over lines."""
    lines = [line.strip() for line in text.strip().splitlines()]
    joined = "".join(line for line in lines if line and not line.startswith("-----"))
    try:
        return base64.b64decode(joined, validate=True)
    except (binascii.Error, ValueError):
        raise KeyUnusable("the key is not in base64") from None
