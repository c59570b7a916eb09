"""The process's latest quotes, so that the paying that follows need not gather its facts again."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from fenqi.flows.basis import Basis

_KEPT = 10_000


class RecentQuotes:
    """The bases of this process's latest quotes, so that the paying that follows need not gather again."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[UUID, Basis] = OrderedDict()

    def put(self, basis: Basis) -> None:
        """Remember a basis; the oldest goes when there are too many."""
        self._by_id[basis.decision_id] = basis
        if len(self._by_id) > _KEPT:
            self._by_id.popitem(last=False)

    def get(self, consumer_id: UUID, intent_id: UUID, decision_id: UUID | None) -> Basis | None:
        """The basis of this decision, for its owner and checkout only."""
        basis = None if decision_id is None else self._by_id.get(decision_id)
        matches = basis is not None and (basis.consumer_id, basis.intent_id) == (consumer_id, intent_id)
        return basis if matches else None
