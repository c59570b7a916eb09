"""SM2 signatures (GB/T 32918.2 over the curve of GB/T 32918.5, with SM3), which Huawei Pay signs what it says with.

Our libraries have SM3 but no SM2. Verifying uses public values only. Signing is for the local gateway: it takes a time
that depends on the key, so nothing outside this machine may be signed by it.
"""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SM3, Hash

P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
A = P - 3
B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
N = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
G = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)
USER = b"1234567812345678"
"""The signer's name where none is agreed on (GM/T 0009)."""

Point = tuple[int, int]
_Jacobian = tuple[int, int, int]
_NOWHERE: _Jacobian = (1, 1, 0)


def public_of(private: int) -> Point:
    """The public key of a private one, which is in 1 … N - 2."""
    point = _plain(_times(private, (*G, 1)))
    assert point is not None
    return point


def read_public(text: str) -> Point:
    """A public key: 04 and two coordinates in hex, or SubjectPublicKeyInfo as PEM or bare base64. Raises ValueError."""
    body = "".join(line for line in text.split() if "-----" not in line and line not in ("PUBLIC", "KEY-----"))
    try:
        raw = bytes.fromhex(body) if len(body) == 130 else base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ValueError("no SM2 key") from error
    if len(raw) < 65 or raw[-65] != 4:
        raise ValueError("no SM2 key")
    x, y = int.from_bytes(raw[-64:-32]), int.from_bytes(raw[-32:])
    if x >= P or y >= P or (y * y - (x * x * x + A * x + B)) % P != 0:
        raise ValueError("the key is no point of the curve")
    return x, y


def write_public(point: Point) -> str:
    """A public key in hex: 04 and two coordinates."""
    return f"04{point[0]:064x}{point[1]:064x}"


def verify(text: str, signature: str, public: Point, user: bytes = USER) -> bool:
    """Whether `signature` (DER in base64) is of `text` by the owner of `public`."""
    try:
        r, s = decode_dss_signature(base64.b64decode(signature, validate=True))
    except (ValueError, binascii.Error):
        return False
    t = (r + s) % N
    if not (0 < r < N and 0 < s < N and t):
        return False
    found = _plain(_sum(_times(s, (*G, 1)), _times(t, (*public, 1))))
    return found is not None and (_digest(text, public, user) + found[0]) % N == r


def sign(text: str, private: int, k: int, user: bytes = USER) -> str:
    """The signature of `text` (DER in base64). `k`: a fresh secret number in 1 … N - 1. Raises ValueError: take
    another k (it happens to one in 2^256)."""
    found = _plain(_times(k, (*G, 1)))
    assert found is not None
    r = (_digest(text, public_of(private), user) + found[0]) % N
    s = pow(1 + private, -1, N) * (k - r * private) % N
    if r == 0 or s == 0 or r + k == N:
        raise ValueError("another k, please")
    return base64.b64encode(encode_dss_signature(r, s)).decode("ascii")


def _digest(text: str, public: Point, user: bytes) -> int:
    """The digest of who signs, and of what: SM3(Z ‖ text)."""
    named = (len(user) * 8).to_bytes(2) + user
    curve = b"".join(value.to_bytes(32) for value in (A, B, *G, *public))
    return int.from_bytes(_sm3(_sm3(named + curve) + text.encode()))


def _sm3(data: bytes) -> bytes:
    running = Hash(SM3())
    running.update(data)
    return running.finalize()


def _times(count: int, point: _Jacobian) -> _Jacobian:
    total = _NOWHERE
    for bit in bin(count)[2:]:
        total = _double(total)
        if bit == "1":
            total = _sum(total, point)
    return total


def _double(p: _Jacobian) -> _Jacobian:
    """Twice a point (Jacobian coordinates, a = -3)."""
    x, y, z = p
    if z == 0 or y == 0:
        return _NOWHERE
    delta, gamma = z * z % P, y * y % P
    beta, alpha = x * gamma % P, 3 * (x - delta) * (x + delta) % P
    x3 = (alpha * alpha - 8 * beta) % P
    z3 = ((y + z) * (y + z) - gamma - delta) % P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % P, z3


def _sum(p: _Jacobian, q: _Jacobian) -> _Jacobian:
    """The sum of two points (Jacobian coordinates)."""
    if p[2] == 0 or q[2] == 0:
        return q if p[2] == 0 else p
    z1, z2 = p[2] * p[2] % P, q[2] * q[2] % P
    u1, u2 = p[0] * z2 % P, q[0] * z1 % P
    s1, s2 = p[1] * z2 * q[2] % P, q[1] * z1 * p[2] % P
    if u1 == u2:
        return _double(p) if s1 == s2 else _NOWHERE
    h, r = u2 - u1, s2 - s1
    h2 = h * h % P
    h3, v = h * h2 % P, u1 * h2 % P
    x3 = (r * r - h3 - 2 * v) % P
    return x3, (r * (v - x3) - s1 * h3) % P, h * p[2] * q[2] % P


def _plain(p: _Jacobian) -> Point | None:
    if p[2] == 0:
        return None
    inverse = pow(p[2], -1, P)
    square = inverse * inverse % P
    return p[0] * square % P, p[1] * square * inverse % P
