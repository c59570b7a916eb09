"""Signing in and staying signed in: throttled by name and by address, sessions by random token, tokens for the API.

A wrong name and a wrong password look the same and take the same time. A failed try is counted, so `sign_in` answers
with the refusal instead of raising it: the caller commits, then raises.
"""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi.customer.model import Consumer, SignedIn
from fenqi.customer.secret import Keys, hash_password, password_fits, token_hash
from fenqi.customer.store import belongings, record
from fenqi.database.pool import Tx
from fenqi.kernel.refusal import Refusal

SESSION_TTL = timedelta(days=14)
ACCESS_TTL = timedelta(minutes=15)
_WINDOW = timedelta(minutes=15)
_TRIES_PER_NAME = 10
_TRIES_PER_ADDRESS = 60
_ACCESS_PREFIX = "fqa."


class AccessToken(msgspec.Struct, frozen=True):
    """A stateless token for the API: who, until when (Unix seconds)."""

    consumer_id: UUID
    expires_s: int


async def sign_in(
    tx: Tx, keys: Keys, name: str, password: str, address: str, device: str, at: datetime
) -> SignedIn | Refusal:
    """A new session for the right name and password; otherwise the refusal as a value: commit, then raise it.

    SIGN_IN_FAILED for a wrong name or password; SIGN_IN_BLOCKED (with `until_at`) after ten wrong tries under a
    name or sixty from an address within a quarter of an hour.
    """
    tries = [
        (keys.look_up("sign_in_name", name.strip().lower()[:128]), _TRIES_PER_NAME),
        (keys.look_up("address", address), _TRIES_PER_ADDRESS),
    ]
    for value, allowed in sorted(tries):
        if blocked := await _throttle(tx, value, allowed, at):
            return blocked
    consumer_id = await record.owner_of(tx, tries[0][0])
    found = await record.lock(tx, consumer_id) if consumer_id else None
    expected = found[1].password_hash if found else await _nobody()
    fits = await password_fits(expected, password[:128])
    if found is None or not fits or found[0].state != "active":
        return Refusal("SIGN_IN_FAILED", "the name or the password is wrong")
    await record.forget_sign_ins(tx, tries[0][0])
    await record.forget_one_sign_in(tx, tries[1][0])
    return await open_session(tx, found[0], device, at)


async def _throttle(tx: Tx, value: bytes, allowed: int, at: datetime) -> Refusal | None:
    count, blocked_until_at = await record.count_sign_in(tx, value, at, at - _WINDOW)
    if blocked_until_at is not None and blocked_until_at > at:
        until_at = blocked_until_at
    elif count > allowed:
        until_at = at + _WINDOW
        await record.block_sign_in(tx, value, until_at)
    else:
        return None
    return Refusal("SIGN_IN_BLOCKED", "too many tries: wait", until_at=until_at.isoformat())


_dummy: list[str] = []


async def _nobody() -> str:
    """A hash that fits no password, so that an unknown name takes as long as a wrong password."""
    if not _dummy:
        _dummy.append(await hash_password(secrets.token_urlsafe(24)))
    return _dummy[0]


async def open_session(tx: Tx, consumer: Consumer, device: str, at: datetime) -> SignedIn:
    """A session for a consumer who has proved themselves, for 14 days."""
    token = f"{consumer.consumer_id.hex}.{secrets.token_urlsafe(32)}"
    new = SignedIn(consumer.consumer_id, token, at + SESSION_TTL)
    await belongings.insert_session(tx, new.consumer_id, token_hash(token), device[:200], at, new.expires_at)
    return new


async def check_session(tx: Tx, token: str, at: datetime) -> UUID | None:
    """Whose session the token is; None when it is unknown, ended or past its end."""
    consumer_id = _consumer_of(token)
    if consumer_id is None or not await belongings.session_holds(tx, consumer_id, token_hash(token), at):
        return None
    return consumer_id


async def sign_out(tx: Tx, token: str, at: datetime) -> None:
    """End the token's session; an unknown token changes nothing."""
    consumer_id = _consumer_of(token)
    if consumer_id is not None:
        await belongings.revoke_sessions(tx, consumer_id, token_hash(token), at)


async def sign_out_everywhere(tx: Tx, consumer_id: UUID, at: datetime) -> int:
    """End all of the consumer's sessions; how many there were."""
    return await belongings.revoke_sessions(tx, consumer_id, None, at)


def _consumer_of(token: str) -> UUID | None:
    head, dot, tail = token.partition(".")
    if not dot or len(head) != 32 or len(tail) != 43:
        return None
    try:
        return UUID(hex=head)
    except ValueError:
        return None


def issue_access_token(keys: Keys, consumer_id: UUID, at: datetime) -> str:
    """A token for the API that holds for 15 minutes and needs no look-up: `fqa.<claims>.<signature>`."""
    claims = AccessToken(consumer_id, int((at + ACCESS_TTL).timestamp()))
    body = _encode(msgspec.json.encode(claims))
    return f"{_ACCESS_PREFIX}{body}.{_encode(keys.sign(body.encode()))}"


def read_access_token(keys: Keys, token: str, at: datetime) -> UUID | None:
    """Whose token it is; None when it was changed, is not ours, or is past its end."""
    body, dot, signature = token.removeprefix(_ACCESS_PREFIX).partition(".")
    if not token.startswith(_ACCESS_PREFIX) or not dot or not body.isascii():
        return None
    if not secrets.compare_digest(_encode(keys.sign(body.encode())).encode(), signature.encode()):
        return None
    claims = msgspec.json.decode(_decode(body), type=AccessToken)
    return claims.consumer_id if claims.expires_s > at.timestamp() else None


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
