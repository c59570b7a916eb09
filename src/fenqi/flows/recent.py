"""The process's latest quotes, so that the paying that follows need not gather its facts again.

They are kept packed: thousands of facts as objects lie all over the memory, and fetching one from there takes longer
than unpacking its bytes; nor does the collector have to look at them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

import msgspec

from fenqi.cashier import Facts
from fenqi.flows.basis import Basis
from fenqi.flows.device import Device, Seen

_KEPT = 10_000
_PACK = msgspec.msgpack.Encoder()
_UNPACK = msgspec.msgpack.Decoder(Facts)


@dataclass(frozen=True, slots=True)
class _Packed:
    consumer_id: UUID
    intent_id: UUID
    order_id: UUID
    facts: bytes
    missing_caps: tuple[str, ...]
    device: Device
    seen: Seen | None


class RecentQuotes:
    """The bases of this process's latest quotes, their decisions stored, with the facts that paying looks at."""

    def __init__(self) -> None:
        self._by_id: OrderedDict[UUID, _Packed] = OrderedDict()

    def put(self, basis: Basis) -> None:
        """Remember a quote's basis; the oldest goes when there are too many."""
        packed = _PACK.encode(_for_paying(basis.facts))
        self._by_id[basis.decision_id] = _Packed(
            basis.consumer_id, basis.intent_id, basis.order_id, packed, basis.missing_caps, basis.device, basis.seen
        )
        if len(self._by_id) > _KEPT:
            self._by_id.popitem(last=False)

    def get(self, consumer_id: UUID, intent_id: UUID, decision_id: UUID | None) -> Basis | None:
        """The basis of this decision, for its owner and checkout only."""
        found = None if decision_id is None else self._by_id.get(decision_id)
        if found is None or decision_id is None or (found.consumer_id, found.intent_id) != (consumer_id, intent_id):
            return None
        facts = _UNPACK.decode(found.facts)
        return Basis(
            consumer_id, intent_id, found.order_id, decision_id, facts, fresh=False, is_kept=True,
            missing_caps=found.missing_caps, device=found.device, seen=found.seen,
        )  # fmt: skip


def _for_paying(facts: Facts) -> Facts:
    """What the gates look at: not the rules of other scenes or other sellers' offers, which only remedies need."""
    rules = tuple(rule for rule in facts.rules if rule.scene == facts.order.scene)
    lines = tuple(msgspec.structs.replace(line, alternatives=()) for line in facts.lines)
    return msgspec.structs.replace(facts, rules=rules, lines=lines)
