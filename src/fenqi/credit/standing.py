"""How an instalment stands: what it came to, what was paid and what was let off, part by part.

The fold's working material. Parts are kept in one fixed order; a policy's allocation order only chooses among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

import msgspec

from fenqi.credit.loan_event import PartName
from fenqi.credit.schedule.terms import Row

PARTS: tuple[PartName, ...] = ("penalty", "fee", "interest", "principal")


class Parts(msgspec.Struct, frozen=True):
    """An amount by what it is for, in minor units."""

    penalty_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0
    principal_minor: int = 0

    @property
    def total_minor(self) -> int:
        """All parts together."""
        return self.penalty_minor + self.fee_minor + self.interest_minor + self.principal_minor


def parts_of(amounts: dict[PartName, int]) -> Parts:
    """The amounts by part as a value."""
    return Parts(amounts["penalty"], amounts["fee"], amounts["interest"], amounts["principal"])


def nothing() -> dict[PartName, int]:
    """Every part, at zero."""
    return dict.fromkeys(PARTS, 0)


@dataclass(slots=True)
class Standing:
    """One instalment in the middle of a fold. `begun_on` is when its period starts, `due_on` when it is due."""

    n: int
    begun_on: date
    due_on: date
    owed: dict[PartName, int]
    paid: dict[PartName, int] = field(default_factory=nothing)
    let_off: dict[PartName, int] = field(default_factory=nothing)

    def left(self, part: PartName) -> int:
        """What is still to be paid of a part."""
        return self.owed[part] - self.paid[part] - self.let_off[part]

    @property
    def outstanding_minor(self) -> int:
        """What is still to be paid of the instalment."""
        return sum(self.left(part) for part in PARTS)

    def pay(self, amount_minor: int, order: Sequence[PartName], effect: dict[PartName, int]) -> int:
        """Pay as much as is left, part by part in `order`; gives back what was not needed."""
        for part in order:
            amount_minor -= self.pay_part(part, amount_minor, effect)
        return amount_minor

    def pay_part(self, part: PartName, amount_minor: int, effect: dict[PartName, int]) -> int:
        """Pay at most what is left of a part; gives how much it was."""
        taken = min(amount_minor, self.left(part))
        self.paid[part] += taken
        effect[part] += taken
        return taken

    def forgive(self, part: PartName, amount_minor: int, effect: dict[PartName, int]) -> int:
        """Let off at most what is left of a part; gives how much it was."""
        taken = min(amount_minor, self.left(part))
        self.let_off[part] += taken
        effect[part] += taken
        return taken


def standings(rows: Iterable[Row], disbursed_on: date) -> list[Standing]:
    """A schedule before anything happened to it."""
    found: list[Standing] = []
    begun_on = disbursed_on
    for row in rows:
        owed: dict[PartName, int] = {
            "penalty": row.penalty_minor,
            "fee": row.fee_minor,
            "interest": row.interest_minor,
            "principal": row.principal_minor,
        }
        found.append(Standing(row.n, begun_on, row.due_on, owed))
        begun_on = row.due_on
    return found
