"""A limit account as it stands, and the rule by which a leg fits: the same rule as the door's, in Python.

Facts are gathered with it, holds are judged by it, and the property tests hold the SQL against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from fenqi.ledger.model import Bound, Leg, Outcome, Verdict


class LimitAccount(msgspec.Struct, frozen=True):
    """One limit of one consumer, amounts in minor units. The balance is a debit when positive, as in the ledger.

    `balance + reserved + what comes ≤ ceiling` is the rule; a money account has ceiling 0 and a negative balance.
    The counters hold what was used on `day_on` and in the month that begins on `month_on`.
    """

    path: str
    balance_minor: int
    reserved_minor: int
    ceiling_minor: int
    day_on: date
    day_minor: int
    month_on: date
    month_minor: int
    version: int

    @property
    def room_minor(self) -> int:
        """What the ceiling leaves; below zero where the ceiling was lowered under what is used."""
        return self.ceiling_minor - self.balance_minor - self.reserved_minor

    def used_on_minor(self, business_on: date) -> int:
        """What counts against a ceiling of the day; a posting that comes after midnight for yesterday counts today."""
        return self.day_minor if self.day_on >= business_on else 0

    def used_in_month_minor(self, business_on: date) -> int:
        """What counts against a ceiling of the month."""
        return self.month_minor if self.month_on >= business_on.replace(day=1) else 0

    def after(self, amount_minor: int, business_on: date) -> LimitAccount:
        """The account once a leg of this amount is posted; only amounts above zero count as use."""
        used = max(amount_minor, 0)
        return msgspec.structs.replace(
            self,
            balance_minor=self.balance_minor + amount_minor,
            day_on=max(self.day_on, business_on),
            day_minor=self.used_on_minor(business_on) + used,
            month_on=max(self.month_on, business_on.replace(day=1)),
            month_minor=self.used_in_month_minor(business_on) + used,
        )


def judge(legs: Sequence[Leg], accounts: Mapping[str, LimitAccount], business_on: date) -> Verdict | None:
    """Why the legs do not all fit, or None when they do; refusals in the order of `Outcome`, then of the legs."""
    for leg in legs:
        if leg.path not in accounts:
            return Verdict(Outcome.NO_ACCOUNT, path=leg.path)
    for leg in legs:
        if leg.version is not None and leg.version != accounts[leg.path].version:
            return Verdict(Outcome.STALE_VERSION, path=leg.path)
    for leg in legs:
        for bound, room_minor in _rooms(leg, accounts[leg.path], business_on):
            if leg.amount_minor > max(room_minor, 0):
                return Verdict(Outcome.LIMIT, path=leg.path, bound=bound, room_minor=room_minor)
    return None


def _rooms(leg: Leg, account: LimitAccount, business_on: date) -> list[tuple[Bound, int]]:
    """What each bound of the leg leaves, in the order they are tried."""
    rooms = [(Bound.CEILING, account.room_minor)]
    if leg.day_ceiling_minor is not None:
        rooms.append((Bound.DAY, leg.day_ceiling_minor - account.used_on_minor(business_on)))
    if leg.month_ceiling_minor is not None:
        rooms.append((Bound.MONTH, leg.month_ceiling_minor - account.used_in_month_minor(business_on)))
    return rooms
