"""Whose signature counts as WeChat Pay's: the public key of a credential, or any of its platform certificates.

WeChat Pay changes its platform certificates by itself and gives the new one out before it signs with it; what was
learned so is kept for the life of the process, per merchant: losing it costs one more call.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from fenqi.channels.contract import Credential, Passage
from fenqi.channels.wechat_pay.seal import Sealed, unseal
from fenqi.channels.wechat_pay.sign import (
    SCHEME,
    answer_text,
    certificates,
    load_public_key,
    plain_serial,
    serial_of,
    verify,
)

PUBLIC_KEY = "PUB_KEY_ID_"
_STAMP = ("timestamp", "nonce", "serial", "signature")
WINDOW_S = 300
"""How far an answer's time may be from ours, either way."""


class Stamp(msgspec.Struct, frozen=True):
    """What the headers of an answer or notice say about its signature."""

    timestamp: str
    nonce: str
    serial: str
    signature: str
    scheme: str


class ListedCertificate(msgspec.Struct, frozen=True):
    """One entry of /v3/certificates."""

    serial_no: str
    effective_time: str
    expire_time: str
    encrypt_certificate: Sealed


def stamp(headers: Mapping[str, str]) -> Stamp | None:
    """The signature's headers (names in lower case); None where one of them is missing."""
    timestamp, nonce, serial, signature = (headers.get(f"wechatpay-{name}", "") for name in _STAMP)
    scheme = headers.get("wechatpay-signature-type", SCHEME)
    return Stamp(timestamp, nonce, serial, signature, scheme) if timestamp and nonce and serial and signature else None


class Trust:
    """The keys that count, by merchant and serial. `learned` is the only thing that the adapter remembers."""

    def __init__(self) -> None:
        self._learned: dict[str, dict[str, str]] = {}

    def key(self, credential: Credential, serial: str) -> rsa.RSAPublicKey | None:
        """The key of that serial (or public key id), if this credential or what was learned has it."""
        values = credential.values
        if serial.startswith(PUBLIC_KEY):
            return load_public_key(values["public_key"]) if values.get("public_key_id") == serial else None
        known = {**certificates(values.get("platform_certificates", "")), **self._learned.get(values["mchid"], {})}
        pem = known.get(plain_serial(serial))
        return None if pem is None else load_public_key(pem)

    def holds(self, credentials: Iterator[Credential], stamp: Stamp, body: bytes) -> bool | None:
        """Whether one of the credentials proves the signature; None: none of them knows that serial."""
        if stamp.scheme != SCHEME:
            return False
        keys = [key for one in credentials if (key := self.key(one, stamp.serial)) is not None]
        if not keys:
            return None
        text = answer_text(stamp.timestamp, stamp.nonce, body)
        return any(verify(key, text, stamp.signature) for key in keys)

    def learn(self, mchid: str, found: Mapping[str, str]) -> None:
        """Keep platform certificates (PEM by serial) of a merchant."""
        self._learned.setdefault(mchid, {}).update(found)


def credentials(passage: Passage) -> Iterator[Credential]:
    """The version that signs, then every other whose notices still count."""
    yield passage.credential
    yield from (one for one in passage.accepted if one.version != passage.credential.version)


def in_window(timestamp: str, now: datetime) -> bool:
    """Whether a time in Unix seconds is near enough to ours."""
    return timestamp.isdecimal() and abs(int(timestamp) - int(now.timestamp())) <= WINDOW_S


def opened(api_v3_key: str, listed: list[ListedCertificate], now: datetime) -> dict[str, str]:
    """The certificates (PEM by serial) of a list that the API v3 key opens and that are in force."""
    found = {}
    for one in listed:
        plain = unseal(api_v3_key, one.encrypt_certificate)
        if plain is None:
            continue
        certificate = x509.load_pem_x509_certificate(plain)
        in_force = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
        if in_force and serial_of(certificate) == plain_serial(one.serial_no):
            found[serial_of(certificate)] = plain.decode()
    return found
