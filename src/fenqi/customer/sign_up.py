"""Signing up: a free name and phone are claimed in the directory, then the consumer is written."""

from __future__ import annotations

from uuid import UUID

from fenqi.customer import check
from fenqi.customer.model import Consumer, NewConsumer
from fenqi.customer.read import get
from fenqi.customer.secret import Keys, hash_password
from fenqi.customer.store import record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.refusal import Conflict


async def sign_up(tx: Tx, keys: Keys, new: NewConsumer, password: str, by: By) -> Consumer:
    """A new consumer. Refuses SIGN_IN_NAME_INVALID, PHONE_INVALID, PASSWORD_WEAK, SIGN_IN_NAME_TAKEN, PHONE_TAKEN,
    CONSUMER_EXISTS."""
    check.password(password, check.sign_in_name(new.sign_in_name))
    return await add_consumer(tx, keys, new, await hash_password(password), by)


async def add_consumer(
    tx: Tx, keys: Keys, new: NewConsumer, password_hash: str, by: By, pay_password_hash: str | None = None
) -> Consumer:
    """As `sign_up`, with passwords hashed before (people by the hundred share one in the demo)."""
    name, phone = check.sign_in_name(new.sign_in_name), check.phone(new.phone)
    await _claim(tx, keys, "sign_in_name", name, new.consumer_id, by)
    await _claim(tx, keys, "phone", phone, new.consumer_id, by)
    if not await record.insert_consumer(tx, new, password_hash, pay_password_hash, by.at):
        raise Conflict("CONSUMER_EXISTS", "this consumer has signed up already")
    sealed = keys.seal(name, new.consumer_id), keys.seal(phone, new.consumer_id)
    await record.insert_person(tx, new.consumer_id, *sealed)
    await record.insert_history(tx, new.consumer_id, "sign_up", by)
    return await get(tx, new.consumer_id)


async def _claim(tx: Tx, keys: Keys, kind: str, value: str, consumer_id: UUID, by: By) -> None:
    if await record.claim(tx, kind, keys.look_up(kind, value), consumer_id, by.at) != consumer_id:
        raise Conflict(f"{kind.upper()}_TAKEN", "somebody else has it")


async def find_by_phone(tx: Tx, keys: Keys, phone: str) -> UUID | None:
    """Whose phone it is, for support staff."""
    return await record.owner_of(tx, keys.look_up("phone", check.phone(phone)))


async def find_by_sign_in_name(tx: Tx, keys: Keys, name: str) -> UUID | None:
    """Whose sign-in name it is."""
    return await record.owner_of(tx, keys.look_up("sign_in_name", check.sign_in_name(name)))


async def claim_credit_line(tx: Tx, keys: Keys, consumer: Consumer, by: By) -> UUID | None:
    """Claim for this account that the person's one credit line is here; the account that has it (None: no real name).

    Another account's id means CREDIT_ON_OTHER_ACCOUNT.
    """
    if consumer.person_hash is None:
        return None
    value = keys.look_up("credit_line", consumer.person_hash.hex())
    return await record.claim(tx, "credit_line", value, consumer.consumer_id, by.at)


async def credit_line_account(tx: Tx, keys: Keys, consumer: Consumer) -> UUID | None:
    """The account on which the person's credit line is, None when nobody claimed it."""
    if consumer.person_hash is None:
        return None
    return await record.owner_of(tx, keys.look_up("credit_line", consumer.person_hash.hex()))
