"""Bounds that are counted rather than summed in the ledger: open loans, and what is owed in instalments.

The batch counts them under the lock of the consumer's line, its own earlier items included, so that two purchases
never pass a bound together.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec

from fenqi.cashier import CreditFacts, PlanFacts
from fenqi.credit import Admission


class CreditBounds(msgspec.Struct, frozen=True):
    """What a new loan is judged by beside its limits: the line's version and its counted bounds."""

    line_version: int
    loans_cap: int
    """How many loans may be open at once (0: any number)."""
    instalment_minor: int = 0
    """What the loan adds to the debt in instalments."""
    instalment_ceiling_minor: int | None = None


def bounds_of(credit: CreditFacts, line_version: int, plan: PlanFacts, amount_minor: int) -> CreditBounds:
    """The bounds of a loan on this plan."""
    if plan.instalments <= 1 or credit.instalment_ceiling_minor is None:
        return CreditBounds(line_version, credit.loans_cap)
    return CreditBounds(line_version, credit.loans_cap, amount_minor, credit.instalment_ceiling_minor)


class Count:
    """The counting of one batch."""

    def __init__(self, admitted: Mapping[UUID, Admission]) -> None:
        self._admitted = admitted
        self._loans: dict[UUID, int] = {}
        self._instalment_minor: dict[UUID, int] = {}

    def take(self, consumer_id: UUID, bounds: CreditBounds) -> bool:
        """Whether the loan fits, on top of those taken before; if so it counts from now on."""
        line = self._admitted.get(consumer_id)
        if line is None or line.version != bounds.line_version:
            return False
        loans = self._loans.get(consumer_id, 0) + 1
        owed = self._instalment_minor.get(consumer_id, 0) + bounds.instalment_minor
        if bounds.loans_cap and line.open_loans + loans > bounds.loans_cap:
            return False
        ceiling = bounds.instalment_ceiling_minor
        if ceiling is not None and (line.instalment_used_minor or 0) + owed > ceiling:
            return False
        self._loans[consumer_id], self._instalment_minor[consumer_id] = loans, owed
        return True
