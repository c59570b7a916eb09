"""A shop at the local Alipay, over both protocols, and a pair of keys for tests that need no gateway."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from tests.channels.alipay.shop import Shop
from tests.channels.running import Running

from fenqi.channels.contract import Credential, Passage


@dataclass(frozen=True)
class Pair:
    """A key with its texts."""

    key: RSAPrivateKey

    @property
    def private(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def public(self) -> str:
        return self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture(scope="session")
def ours() -> Pair:
    return Pair(generate_private_key(65_537, 2_048))


@pytest.fixture(scope="session")
def alipays() -> Pair:
    return Pair(generate_private_key(65_537, 2_048))


@pytest.fixture
def passage(ours: Pair, alipays: Pair) -> Passage:
    """A passage at nowhere, for what is pure."""
    values = {
        "app_id": "2021000000000001", "seller_id": "2088000000000001", "app_private_key": ours.private,
        "alipay_public_key": alipays.public, "protocol": "v2",
    }  # fmt: skip
    credential = Credential(1, values)
    return Passage(UUID(int=1), "ali", "alipay", "http://127.0.0.1:9/alipay", credential, (credential,))


@pytest.fixture(scope="module", params=["v2", "v3"])
def shop(gateway: Running, request: pytest.FixtureRequest) -> Shop:
    """A shop whose servers speak v2, then V3."""
    return Shop(gateway, request.param)


@pytest.fixture(autouse=True)
def no_faults_left(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "gateway" in request.fixturenames:
        gateway: Running = request.getfixturevalue("gateway")
        gateway.control.clear_faults()
        gateway.control.steer(offset_s=0)
