"""The keys of an account on both sides: the merchant's pair, WeChat Pay's public key and its platform certificate.

A version of an account holds one of each. After a rotation WeChat Pay signs with the newest, and still takes requests
signed by any pair that the merchant was ever given.
"""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from fenqi.channels.gateway.house import House, digits
from fenqi.channels.gateway.side import Account
from fenqi.channels.wechat_pay.sign import serial_of
from fenqi.kernel.clock import SystemClock

CHANNEL = "wechat_pay"
_VALID_FOR = timedelta(days=5 * 365)


def enrol(house: House, code: str) -> Account:
    """A new merchant with its app and API v3 key."""
    alphabet = string.ascii_letters + string.digits
    fixed = {
        "mchid": f"19{digits(8)}",
        "appid": f"wx{secrets.token_hex(8)}",
        "api_v3_key": "".join(secrets.choice(alphabet) for _ in range(32)),
    }
    return _with_keys(house, Account(CHANNEL, fixed["mchid"], code, fixed))


def rotate(house: House, account: Account) -> Account:
    """New keys and certificate on both sides; merchant, app and API v3 key stay."""
    return _with_keys(house, account)


def _with_keys(house: House, account: Account) -> Account:
    merchant, public, certified = (rsa.generate_private_key(65_537, 2_048) for _ in range(3))
    certificate = _certificate(certified, min(house.clock.now(), SystemClock().now()))
    fixed = {name: account.values[name] for name in ("mchid", "appid", "api_v3_key")}
    both = {
        "serial_no": secrets.token_hex(20).upper(),
        "public_key_id": f"PUB_KEY_ID_0{fixed['mchid']}{digits(22)}",
        "public_key": _public_pem(public),
    }
    pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
    return msgspec.structs.replace(
        account,
        values={
            **fixed,
            **both,
            "merchant_public_key": _public_pem(merchant),
            "platform_key": _pem(public),
            "certificate_key": _pem(certified),
            "certificate": pem,
            "certificate_serial": serial_of(certificate),
        },
        credentials={**fixed, **both, "private_key": _pem(merchant), "platform_certificates": pem},
    )


def _certificate(key: rsa.RSAPrivateKey, since: datetime) -> x509.Certificate:
    """A platform certificate in force from the day before `since`; the serial number has 40 hex digits."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "local gateway, not Tenpay.com"),
        ]
    )
    start = since - timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number((1 << 158) | secrets.randbits(158))
        .not_valid_before(start)
        .not_valid_after(start + _VALID_FOR)
        .sign(key, hashes.SHA256())
    )


def _pem(key: rsa.RSAPrivateKey) -> str:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def _public_pem(key: rsa.RSAPrivateKey) -> str:
    encoded = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return encoded.decode()
