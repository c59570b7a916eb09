"""The pay password: six digits, locked for three hours after five wrong tries, reset with an SMS code.

A wrong try is counted, so what checks answers with the refusal instead of raising it: the caller commits, then raises.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from fenqi.customer import check
from fenqi.customer.model import Consumer, Credentials, PayPassword, Purpose
from fenqi.customer.read import locked
from fenqi.customer.secret import Keys, hash_password, password_fits
from fenqi.customer.sms import check_code
from fenqi.customer.store import record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict, Refusal

TRIES = 5
LOCK = timedelta(hours=3)
STEP_UP_TTL = timedelta(minutes=15)


async def set_pay_password(tx: Tx, consumer_id: UUID, new: str, by: By) -> None:
    """Set the pay password for the first time. Refuses PAY_PASSWORD_INVALID, PAY_PASSWORD_WEAK, and
    PAY_PASSWORD_EXISTS: change it with a code."""
    consumer, _ = await locked(tx, consumer_id)
    if consumer.pay_password is not PayPassword.NONE:
        raise Conflict("PAY_PASSWORD_EXISTS", "there is a pay password: reset it with a code")
    await _write(tx, consumer, new, "set_pay_password", by)


async def reset_pay_password(tx: Tx, keys: Keys, consumer_id: UUID, code: str, new: str, by: By) -> Refusal | None:
    """Set another pay password with an SMS code (purpose `pay_password`); takes off a lock.

    Raises PAY_PASSWORD_INVALID and PAY_PASSWORD_WEAK before the code is looked at; answers with CODE_WRONG or
    CODE_EXPIRED as a value: commit, then raise it.
    """
    consumer, _ = await locked(tx, consumer_id)
    check.pay_password(new, consumer.birth_on)
    refusal = await check_code(tx, keys, consumer_id, Purpose.PAY_PASSWORD, code, by)
    if refusal is None:
        await _write(tx, consumer, new, "reset_pay_password", by)
    return refusal


async def _write(tx: Tx, consumer: Consumer, new: str, verb: str, by: By) -> None:
    changes = {
        "pay_password": PayPassword.SET,
        "pay_password_hash": await hash_password(check.pay_password(new, consumer.birth_on)),
        "pay_password_failures": 0,
        "pay_password_locked_until_at": None,
    }
    await record.update(tx, consumer.consumer_id, changes)
    await record.insert_history(tx, consumer.consumer_id, verb, by)


async def check_pay_password(tx: Tx, consumer_id: UUID, typed: str, by: By) -> Refusal | None:
    """None when it is right; otherwise the refusal as a value: commit, then raise it.

    PAY_PASSWORD_NOT_SET, PAY_PASSWORD_LOCKED (with `until_at`), PAY_PASSWORD_WRONG (with `tries_left`).
    """
    consumer, credentials = await locked(tx, consumer_id)
    now = consumer.pay_password_at(by.at)
    if now is PayPassword.NONE or credentials.pay_password_hash is None:
        return Refusal("PAY_PASSWORD_NOT_SET", "set a pay password first")
    if now is PayPassword.LOCKED:
        return _locked_refusal(consumer)
    over = consumer.pay_password is PayPassword.LOCKED
    failures = 0 if over else credentials.pay_password_failures
    if await password_fits(credentials.pay_password_hash, typed[:16]):
        await _right(tx, consumer, credentials)
        return None
    return await _wrong(tx, consumer, failures + 1, by)


def _locked_refusal(consumer: Consumer) -> Refusal:
    until_at = consumer.pay_password_locked_until_at
    return Refusal("PAY_PASSWORD_LOCKED", "too many wrong tries", until_at=until_at.isoformat() if until_at else None)


async def _right(tx: Tx, consumer: Consumer, credentials: Credentials) -> None:
    was_locked = consumer.pay_password is PayPassword.LOCKED
    if was_locked or credentials.pay_password_failures:
        changes = {
            "pay_password": PayPassword.SET,
            "pay_password_failures": 0,
            "pay_password_locked_until_at": None,
        }
        await record.update(tx, consumer.consumer_id, changes, facts_change=was_locked)


async def _wrong(tx: Tx, consumer: Consumer, failures: int, by: By) -> Refusal:
    if failures < TRIES:
        changes = {
            "pay_password": PayPassword.SET,
            "pay_password_failures": failures,
            "pay_password_locked_until_at": None,
        }
        await record.update(tx, consumer.consumer_id, changes, facts_change=False)
        return Refusal("PAY_PASSWORD_WRONG", "the pay password is wrong", tries_left=TRIES - failures)
    until_at = by.at + LOCK
    await record.update(
        tx,
        consumer.consumer_id,
        {
            "pay_password": PayPassword.LOCKED,
            "pay_password_failures": failures,
            "pay_password_locked_until_at": until_at,
        },
    )
    await record.insert_history(tx, consumer.consumer_id, "lock_pay_password", by, {"until_at": until_at.isoformat()})
    return Refusal("PAY_PASSWORD_LOCKED", "too many wrong tries", until_at=until_at.isoformat())


async def step_up_by_pay_password(tx: Tx, consumer_id: UUID, typed: str, by: By) -> Refusal | None:
    """Confirm with the pay password; good for 15 minutes. Answers as `check_pay_password` does."""
    refusal = await check_pay_password(tx, consumer_id, typed, by)
    if refusal is None:
        await _step_up(tx, consumer_id, "pay_password", by)
    return refusal


async def step_up_by_code(tx: Tx, keys: Keys, consumer_id: UUID, code: str, by: By) -> Refusal | None:
    """Confirm with an SMS code (purpose `step_up`); good for 15 minutes. Answers as `check_code` does."""
    await locked(tx, consumer_id)
    refusal = await check_code(tx, keys, consumer_id, Purpose.STEP_UP, code, by)
    if refusal is None:
        await _step_up(tx, consumer_id, "sms_code", by)
    return refusal


async def _step_up(tx: Tx, consumer_id: UUID, how: str, by: By) -> None:
    await record.update(tx, consumer_id, {"stepped_up_until_at": by.at + STEP_UP_TTL})
    await record.insert_history(tx, consumer_id, "step_up", by, {"how": how})
