"""The platform certificates, sealed with the merchant's API v3 key: the newest first, then those that went before."""

from __future__ import annotations

import secrets

from cryptography import x509

from fenqi.channels.gateway.house import House
from fenqi.channels.wechat_pay.gateway.door import CHANNEL, Answer, Asked
from fenqi.channels.wechat_pay.gateway.orders import rfc3339
from fenqi.channels.wechat_pay.seal import seal


def listed(house: House, asked: Asked) -> Answer:
    """Every certificate that this merchant may meet."""
    found = []
    for version in house.book.versions(CHANNEL, asked.account.account_id):
        pem = version.values["certificate"]
        certificate = x509.load_pem_x509_certificate(pem.encode())
        key, nonce = asked.account.values["api_v3_key"], secrets.token_hex(6)
        found.append(
            {
                "serial_no": version.values["certificate_serial"],
                "effective_time": rfc3339(certificate.not_valid_before_utc),
                "expire_time": rfc3339(certificate.not_valid_after_utc),
                "encrypt_certificate": seal(key, pem.encode(), nonce, "certificate"),
            }
        )
    return 200, {"data": found}
