"""Changing the sign-in password: with the old one, and every session but the new ends."""

from __future__ import annotations

from uuid import UUID

from fenqi.customer import check
from fenqi.customer.read import locked, person
from fenqi.customer.secret import Keys, hash_password, password_fits
from fenqi.customer.store import belongings, record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Refusal


async def change_password(tx: Tx, keys: Keys, consumer_id: UUID, old: str, new: str, by: By) -> None:
    """Another password; all sessions end. Refuses PASSWORD_WEAK, and PASSWORD_WRONG for a wrong old one."""
    check.password(new, (await person(tx, keys, consumer_id)).sign_in_name)
    _, credentials = await locked(tx, consumer_id)
    if not await password_fits(credentials.password_hash, old[:128]):
        raise Refusal("PASSWORD_WRONG", "the old password is wrong")
    await record.update(tx, consumer_id, {"password_hash": await hash_password(new)})
    await belongings.revoke_sessions(tx, consumer_id, None, by.at)
    await record.insert_history(tx, consumer_id, "change_password", by)
