"""The keys of the local UnionPay: an issuer of certificates, the merchant's, one to sign with, one to read with.

Each version of an account has all four anew, so that a rotation is felt: old credentials no longer verify what is new.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from fenqi.channels.bank_card.sign import SIGNER

SINCE, UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)


def fresh(mer_id: str) -> tuple[dict[str, str], dict[str, str]]:
    """(what the gateway keeps, what the merchant is given) of a new version."""
    root_key, root = _root()
    mer_key, mer_cert = _certified(root_key, root, f"041@7310000000000000@{mer_id}@00000001")
    sign_key, sign_cert = _certified(root_key, root, f"041@8310000000083040@{SIGNER}@00016495")
    read_key, read_cert = _certified(root_key, root, f"041@8310000000083040@{SIGNER}@00016496")
    cert_id = str(mer_cert.serial_number)
    kept = {
        "cert_id": cert_id, "mer_cert": _pem(mer_cert), "sign_key": _key(sign_key), "sign_cert": _pem(sign_cert),
        "read_key": _key(read_key), "read_cert_id": str(read_cert.serial_number),
    }  # fmt: skip
    given = {
        "mer_id": mer_id, "cert_id": cert_id, "private_key": _key(mer_key), "issuer_cert": _pem(root),
        "signer": SIGNER, "encrypt_cert": _pem(read_cert), "tr_id": f"6200{mer_id[-8:]}",
    }  # fmt: skip
    return kept, given


def _root() -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = _name("fenqi local gateway issuer")
    built = _builder(name, name, key.public_key())
    built = built.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return key, built.sign(key, hashes.SHA256())


def _certified(
    root_key: rsa.RSAPrivateKey, root: x509.Certificate, owner: str
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:  # fmt: skip
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    return key, _builder(_name(owner), root.subject, key.public_key()).sign(root_key, hashes.SHA256())


def _builder(subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey) -> x509.CertificateBuilder:
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return built.serial_number(x509.random_serial_number()).not_valid_before(SINCE).not_valid_after(UNTIL)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode("ascii")


def _key(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
