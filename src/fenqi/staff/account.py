"""Staff accounts: hired with roles, roles changed, disabled; each time said by whom and why in the audit log."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from uuid import UUID

from argon2 import PasswordHasher

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.staff import store
from fenqi.staff.model import Audit, Member, Role

HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_NAME = re.compile(r"[a-z][a-z0-9._-]{2,39}\Z")
_SYSTEM = UUID(int=0)


async def hire(
    tx: Tx, staff_id: UUID, sign_in_name: str, name: str, password: str, roles: Sequence[Role], by: By
) -> Member:
    """A new member of staff. Refuses STAFF_NAME_INVALID, PASSWORD_WEAK (under 10 characters), ROLE_REQUIRED, and
    SIGN_IN_NAME_TAKEN."""
    if not _NAME.match(sign_in_name) or not 1 <= len(name.strip()) <= 60:
        raise Refusal("STAFF_NAME_INVALID", "a sign-in name of 3 to 40 small letters and digits, and a name")
    if not 10 <= len(password) <= 128:
        raise Refusal("PASSWORD_WEAK", "10 to 128 characters")
    _check_roles(roles)
    new = Member(staff_id, sign_in_name, name.strip(), tuple(roles), "active", by.at)
    if not await store.insert_member(tx, new, await asyncio.to_thread(HASHER.hash, password)):
        raise Conflict("SIGN_IN_NAME_TAKEN", "somebody else has this name")
    await _audit(tx, "hire", staff_id, by, {"roles": list(roles)})
    return new


async def change_account(tx: Tx, staff_id: UUID, roles: Sequence[Role], active: bool, by: By) -> None:
    """Other roles, or disabled (sessions end at once). Refuses STAFF_UNKNOWN, ROLE_REQUIRED, WHY_REQUIRED."""
    _check_roles(roles)
    state = "active" if active else "disabled"
    if not await store.set_member(tx, staff_id, roles, state):
        raise NotFound("STAFF_UNKNOWN", "no such member of staff")
    await _audit(tx, "change_account", staff_id, by, {"roles": list(roles), "state": state})


def _check_roles(roles: Sequence[Role]) -> None:
    if not roles or len(set(roles)) != len(roles):
        raise Refusal("ROLE_REQUIRED", "at least one role, each once")


async def get(tx: Tx, staff_id: UUID) -> Member:
    """The member; NotFound (STAFF_UNKNOWN) otherwise."""
    found = await store.member(tx, staff_id)
    if found is None:
        raise NotFound("STAFF_UNKNOWN", "no such member of staff")
    return found


async def get_all(tx: Tx) -> list[Member]:
    """All members by name."""
    return await store.members(tx)


async def _audit(tx: Tx, action: str, staff_id: UUID, by: By, detail: dict[str, object]) -> None:
    actor = by.actor.removeprefix("staff:")
    who = UUID(actor) if by.actor.startswith("staff:") else _SYSTEM
    await store.insert_audit(tx, Audit(who, action, f"staff:{staff_id}", check_why(by.why), detail, by.at))
