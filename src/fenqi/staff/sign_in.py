"""Signing in as staff: sessions of eight hours, blocked for a quarter of an hour after five wrong passwords."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from datetime import datetime, timedelta

from argon2.exceptions import InvalidHashError, VerificationError

from fenqi.database.pool import Tx
from fenqi.kernel.refusal import Refusal
from fenqi.staff import store
from fenqi.staff.account import HASHER
from fenqi.staff.model import Member, SignedIn

SESSION_TTL = timedelta(hours=8)
_TRIES = 5
_BLOCK = timedelta(minutes=15)
_FAILED = "the name or the password is wrong"
_dummy: list[str] = []


async def sign_in(tx: Tx, name: str, password: str, at: datetime) -> SignedIn | Refusal:
    """A new session for the right name and password; otherwise the refusal as a value: commit, then raise it.

    SIGN_IN_FAILED (also for a disabled account), SIGN_IN_BLOCKED (with `until_at`) after five wrong passwords.
    """
    found = await store.lock_by_name(tx, name.strip().lower()[:40])
    if found is None:
        await asyncio.to_thread(_fits, _nobody(), password[:128])
        return Refusal("SIGN_IN_FAILED", _FAILED)
    member, password_hash, failures, blocked_until_at = found
    if blocked_until_at is not None and blocked_until_at > at:
        return Refusal("SIGN_IN_BLOCKED", "too many tries: wait", until_at=blocked_until_at.isoformat())
    if not await asyncio.to_thread(_fits, password_hash, password[:128]):
        over = failures + 1 >= _TRIES
        await store.set_failures(tx, member.staff_id, 0 if over else failures + 1, at + _BLOCK if over else None)
        return Refusal("SIGN_IN_FAILED", _FAILED)
    if member.state != "active":
        return Refusal("SIGN_IN_FAILED", _FAILED)
    await store.set_failures(tx, member.staff_id, 0, None)
    token = secrets.token_urlsafe(32)
    await store.insert_session(tx, _hash(token), member.staff_id, at, at + SESSION_TTL)
    return SignedIn(member, token, at + SESSION_TTL)


async def check_session(tx: Tx, token: str, at: datetime) -> Member | None:
    """The active member whose session it is; None when it is unknown, ended, past its end or the member disabled."""
    staff_id = await store.session(tx, _hash(token), at)
    member = await store.member(tx, staff_id) if staff_id else None
    return member if member is not None and member.state == "active" else None


async def sign_out(tx: Tx, token: str, at: datetime) -> None:
    """End the session; an unknown token changes nothing."""
    await store.end_session(tx, _hash(token), at)


def _fits(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _nobody() -> str:
    if not _dummy:
        _dummy.append(HASHER.hash(secrets.token_urlsafe(24)))
    return _dummy[0]


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
