"""WECHATPAY2-SHA256-RSA2048: the texts that are signed, the signature itself, and the header that carries it.

Rules: domain notes, "WeChat Pay v3"; the signature is SHA256 with RSA, PKCS#1 v1.5, in base64.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

SCHEME = "WECHATPAY2-SHA256-RSA2048"
_PAIR = re.compile(r'\s*([a-z_]+)="([^"]*)"\s*')
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def request_text(method: str, target: str, timestamp: str, nonce: str, body: bytes) -> bytes:
    """What a request signs. `target`: path with query, as it is sent; `timestamp`: Unix seconds."""
    return f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode() + body + b"\n"


def answer_text(timestamp: str, nonce: str, body: bytes) -> bytes:
    """What an answer or a notice signs; the body as it was sent, byte by byte."""
    return f"{timestamp}\n{nonce}\n".encode() + body + b"\n"


def jsapi_text(app_id: str, timestamp: str, nonce: str, package: str) -> bytes:
    """What `paySign` of JSAPI signs; `package` is prepay_id=…."""
    return f"{app_id}\n{timestamp}\n{nonce}\n{package}\n".encode()


def app_text(app_id: str, timestamp: str, nonce: str, prepay_id: str) -> bytes:
    """What `sign` of an app's payment signs."""
    return f"{app_id}\n{timestamp}\n{nonce}\n{prepay_id}\n".encode()


def sign(private_key: str, text: bytes) -> str:
    """The signature of `text`, in base64. `private_key`: PEM (PKCS#8 or PKCS#1)."""
    made = load_private_key(private_key).sign(text, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(made).decode()


def verify(key: rsa.RSAPublicKey, text: bytes, signature: str) -> bool:
    """Whether `signature` (base64) is the owner of `key`'s under `text`."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text, padding.PKCS1v15(), hashes.SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def authorization(values: Mapping[str, str], text_of: tuple[str, str, bytes], timestamp: str, nonce: str) -> str:
    """The Authorization header of a request; `text_of` is its method, target and body."""
    method, target, body = text_of
    signature = sign(values["private_key"], request_text(method, target, timestamp, nonce, body))
    pairs = {
        "mchid": values["mchid"], "nonce_str": nonce, "signature": signature,
        "timestamp": timestamp, "serial_no": values["serial_no"],
    }  # fmt: skip
    return f"{SCHEME} " + ",".join(f'{name}="{value}"' for name, value in pairs.items())


def read_authorization(header: str) -> dict[str, str] | None:
    """The pairs of an Authorization header; None where it is not of this scheme, or anything in it is not a pair."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme != SCHEME:
        return None
    found = [_PAIR.fullmatch(part) for part in rest.split(",")]
    pairs = {pair[1]: pair[2] for pair in found if pair is not None}
    return pairs if len(pairs) == len(found) else None


@lru_cache(maxsize=256)
def load_private_key(pem: str) -> rsa.RSAPrivateKey:
    """The private key in a PEM. ValueError: it is no RSA key."""
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


@lru_cache(maxsize=256)
def load_public_key(pem: str) -> rsa.RSAPublicKey:
    """The public key in a PEM, of a bare key or of a certificate. ValueError: it is no RSA key."""
    if "BEGIN CERTIFICATE" in pem:
        key = x509.load_pem_x509_certificate(pem.encode()).public_key()
    else:
        key = serialization.load_pem_public_key(pem.encode())  # type: ignore[assignment]
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("not an RSA key")
    return key


@lru_cache(maxsize=256)
def certificates(pem: str) -> Mapping[str, str]:
    """The certificates of a PEM that holds any number of them, by serial number (hex, capitals)."""
    found = _CERTIFICATE.findall(pem)
    return {serial_of(x509.load_pem_x509_certificate(one.encode())): one for one in found}


def serial_of(certificate: x509.Certificate) -> str:
    """A certificate's serial number as WeChat Pay writes it."""
    return f"{certificate.serial_number:X}"


def plain_serial(serial: str) -> str:
    """A serial number as it is compared: capitals, no zeros in front."""
    return serial.upper().lstrip("0")
