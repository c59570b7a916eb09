"""UnionPay's signatures, 5.1.0 with signMethod 01, and the certificates that they stand on.

Signed is the *hex text* of the SHA-256 digest of all fields but `signature` (sorted by name, `k=v` joined by `&`),
with SHA256withRSA, PKCS#1 v1.5, in base64. That it is the hex text, which is then digested once more, is confirmed by
real answers of UnionPay's test system: tests/channels/bank_card/vectors.py.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fenqi.channels.contract import Credential

RSA = "01"
SIGNER = "中国银联股份有限公司"
"""Who must stand in the name of a signing certificate: `041@8310000000083040@<signer>@00016495`."""


class Untrusted(Exception):
    """A message whose signature or certificate does not hold; the text says why."""


def text_to_sign(fields: Mapping[str, str]) -> str:
    """All fields but `signature`, sorted by name (ASCII), `k=v` joined by `&`, values raw."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if name != "signature")


def digest_text(fields: Mapping[str, str]) -> bytes:
    """What RSA signs: 64 lower-case hex digits."""
    return hashlib.sha256(text_to_sign(fields).encode()).hexdigest().encode("ascii")


def signed(fields: Mapping[str, str], private_key: str, cert_id: str) -> dict[str, str]:
    """The fields that are not empty, with certId and signature. `private_key`: PEM."""
    kept = {name: value for name, value in fields.items() if value != ""}
    kept |= {"certId": cert_id, "signMethod": RSA}
    return kept | {"signature": seal(kept, private_key)}


def seal(fields: Mapping[str, str], private_key: str) -> str:
    """The signature of these fields, in base64."""
    return seal_with(fields, load_private(private_key))


def seal_with(fields: Mapping[str, str], key: RSAPrivateKey) -> str:
    """The signature of these fields by a key that is at hand."""
    return base64.b64encode(key.sign(digest_text(fields), PKCS1v15(), SHA256())).decode("ascii")


def holds(fields: Mapping[str, str], key: RSAPublicKey) -> bool:
    """Whether `signature` is of these fields by the owner of `key`."""
    try:
        signature = base64.b64decode(fields.get("signature", ""), validate=True)
        key.verify(signature, digest_text(fields), PKCS1v15(), SHA256())
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def verify(fields: Mapping[str, str], accepted: tuple[Credential, ...], at: datetime) -> None:
    """A message of UnionPay's: its certificate (signPubKeyCert) by an accepted issuer, owned by the signer, valid at
    `at`, and the signature by that certificate. Raises Untrusted."""
    if fields.get("signMethod") != RSA or fields.get("version") != "5.1.0":
        raise Untrusted("another version or way of signing")
    pem = fields.get("signPubKeyCert", "")
    why = "no credential accepts the certificate"
    for credential in accepted:
        try:
            key = trusted_key(pem, credential.values["issuer_cert"], credential.values.get("signer") or SIGNER, at)
        except Untrusted as error:
            why = str(error)
            continue
        if not holds(fields, key):
            raise Untrusted("the signature is wrong")
        return
    raise Untrusted(why)


def trusted_key(pem: str, issuers: str, signer: str, at: datetime) -> RSAPublicKey:
    """The key of a certificate that one of `issuers` (PEMs) signed for `signer`. Raises Untrusted."""
    key, since, until = _certified(pem, issuers, signer)
    if not since <= at <= until:
        raise Untrusted("the certificate's time is over, or has not come")
    return key


@lru_cache(maxsize=256)
def _certified(pem: str, issuers: str, signer: str) -> tuple[RSAPublicKey, datetime, datetime]:
    certificate = load_certificate(pem)
    if not any(_issued(certificate, issuer) for issuer in _all_certificates(issuers)):
        raise Untrusted("no accepted issuer signed the certificate")
    if owner_of(certificate) != signer:
        raise Untrusted("the certificate is somebody else's")
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Untrusted("the certificate's key is not RSA")
    return key, certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def owner_of(certificate: x509.Certificate) -> str:
    """The third part of the common name, where UnionPay's certificates say whose they are."""
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    parts = str(names[0].value).split("@") if names else []
    return parts[2] if len(parts) > 2 else ""


def load_certificate(pem: str) -> x509.Certificate:
    """The certificate in a PEM. Raises Untrusted."""
    try:
        return x509.load_pem_x509_certificate(pem.encode())
    except ValueError as error:
        raise Untrusted("no certificate") from error


def _all_certificates(pems: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(pems.encode())
    except ValueError as error:
        raise Untrusted("the accepted issuers are no certificates") from error


@lru_cache(maxsize=64)
def load_private(pem: str) -> RSAPrivateKey:
    """The RSA key in a PEM. ValueError: it is none."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")
    return key


@lru_cache(maxsize=64)
def _encryption(pem: str) -> tuple[RSAPublicKey, str]:
    certificate = load_certificate(pem)
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey):
        raise Untrusted("the certificate's key is not RSA")
    return key, str(certificate.serial_number)


def encrypt(value: str, certificate: str) -> tuple[str, str]:
    """A sensitive value (a card's number) for UnionPay's eyes, in base64, and the encryptCertId that says for whose."""
    key, cert_id = _encryption(certificate)
    return base64.b64encode(key.encrypt(value.encode(), PKCS1v15())).decode("ascii"), cert_id


def decrypt(value: str, private_key: str) -> str:
    """A sensitive value that was encrypted for us. ValueError: it was not."""
    try:
        return load_private(private_key).decrypt(base64.b64decode(value, validate=True), PKCS1v15()).decode()
    except binascii.Error as error:
        raise ValueError("not in base64") from error
