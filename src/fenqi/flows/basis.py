"""The basis of a decision: facts about a checkout, how fresh they are, and the decision that they belong to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import Facts, StoredDecision, Tender, Verdict
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of

_JSON = msgspec.json.Encoder(order="deterministic")
_FRESH_MS = 10 * 60 * 1000
"""How long a quote's facts may carry a payment while their versions hold."""


class TenderVerdict(msgspec.Struct, frozen=True):
    """The verdict on one tender, which pays what the others leave of the amount."""

    covered_minor: int
    verdict: Verdict


@dataclasses.dataclass(frozen=True)
class Basis:
    """Facts about a checkout with the decision they belong to. `is_kept`: the decision is stored already."""

    consumer_id: UUID
    intent_id: UUID
    order_id: UUID
    decision_id: UUID
    facts: Facts
    fresh: bool
    is_kept: bool
    missing_caps: tuple[str, ...] = ()

    def at(self, now: datetime) -> Facts:
        """The facts as they are now: the instant moves, what they rest on is compared by versions."""
        return msgspec.structs.replace(self.facts, now_ms=epoch_ms(now))

    def holds(self, now: datetime) -> bool:
        """Whether the facts are young enough, and of today."""
        age_ms = epoch_ms(now) - self.facts.now_ms
        return 0 <= age_ms <= _FRESH_MS and self.facts.today_on == business_date(now)

    def decision(self, facts: Facts, tenders: tuple[Tender, ...], now: datetime) -> StoredDecision:
        """The decision on a payment, as it is kept."""
        payable_minor = facts.order.payable_minor
        asked = [(payable_minor - tender.amount_minor, tender.method, tender.plan) for tender in tenders]
        return self.stored("payment", facts, encode_verdicts(facts, asked), now)

    def stored(self, kind: str, facts: Facts, verdict: bytes, now: datetime) -> StoredDecision:
        """A decision on these facts as it is kept."""
        return StoredDecision(
            bucket_of(self.consumer_id), self.consumer_id, self.decision_id, self.intent_id, kind, now,
            facts.evaluator_version, facts.policy_version, cashier.encode_facts(facts), verdict,
        )  # fmt: skip


def covered(facts: Facts, by_others_minor: int) -> Facts:
    """The facts seen by a tender when others pay this much."""
    if by_others_minor == 0:
        return facts
    order = msgspec.structs.replace(facts.order, covered_minor=by_others_minor)
    return msgspec.structs.replace(facts, order=order)


def encode_verdicts(facts: Facts, asked: Iterable[tuple[int, str, str | None]]) -> bytes:
    """The verdicts on tenders, (what others pay, method, plan) each, in the form that is stored."""
    found = [TenderVerdict(by_others, cashier.verdict(covered(facts, by_others), method, plan))
             for by_others, method, plan in asked]  # fmt: skip
    return _JSON.encode(found)
