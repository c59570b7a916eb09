"""The demo's staff, all with the demo's password: one member a role, and two for risk, where four eyes are needed."""

from __future__ import annotations

from typing import NamedTuple

from fenqi import staff
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.seed.ident import seed_id
from fenqi.staff import Role


class SeedStaff(NamedTuple):
    """A member of the demo's staff."""

    name: str
    person: str
    roles: Role


STAFF = (
    SeedStaff("support", "苏念 Su Nian", Role.SUPPORT),
    SeedStaff("risk", "程砚 Cheng Yan", Role.RISK),
    SeedStaff("risk2", "何晏 He Yan", Role.RISK),
    SeedStaff("accountant", "方雅 Fang Ya", Role.ACCOUNTANT),
    SeedStaff("operator", "罗征 Luo Zheng", Role.OPERATOR),
)


async def hire_all(tx: Tx, password: str, by: By) -> None:
    """Hire everybody who isn't there yet."""
    there = {member.sign_in_name for member in await staff.get_all(tx)}
    for one in STAFF:
        if one.name not in there:
            await staff.hire(tx, seed_id("staff", one.name), one.name, one.person, password, [one.roles], by)
