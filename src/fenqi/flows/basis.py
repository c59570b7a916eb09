"""The basis of a decision: facts about a checkout, how fresh they are, and the decision that they belong to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import Facts, StoredDecision, Tender, Verdict
from fenqi.flows.device import USUAL, Device, Seen
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import bucket_of

_JSON = msgspec.json.Encoder(order="deterministic")
_FRESH_MS = 10 * 60 * 1000
"""How long a quote's facts may carry a payment while their versions hold."""


class TenderVerdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The verdict on one tender, which pays what the other, `covered_by`, leaves of the amount."""

    covered_minor: int
    verdict: Verdict
    covered_by: str = ""


class Asked(msgspec.Struct, frozen=True):
    """A tender to be judged beside another one that pays `covered_minor`."""

    covered_minor: int
    method: str
    plan: str | None
    covered_by: str = ""


def asked_of(tenders: tuple[Tender, ...], payable_minor: int) -> list[Asked]:
    """Each of a payment's tenders, as it stands beside the other."""
    return [
        Asked(payable_minor - one.amount_minor, one.method, one.plan, next((x.method for x in tenders if x != one), ""))
        for one in tenders
    ]


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
    device: Device = USUAL
    """What the request said of where it comes from."""
    seen: Seen | None = None
    """The subjects of risk that are involved beside the buyer."""

    def at(self, now: datetime) -> Facts:
        """The facts as they are now: the instant moves, what they rest on is compared by versions."""
        return msgspec.structs.replace(self.facts, now_ms=epoch_ms(now))

    def holds(self, now: datetime) -> bool:
        """Whether the facts are young enough, and of today."""
        age_ms = epoch_ms(now) - self.facts.now_ms
        return 0 <= age_ms <= _FRESH_MS and self.facts.today_on == business_date(now)

    def decision(self, facts: Facts, tenders: tuple[Tender, ...], now: datetime) -> StoredDecision:
        """The decision on a payment, as it is kept."""
        asked = asked_of(tenders, facts.order.payable_minor)
        return self.stored("payment", facts, encode_verdicts(facts, asked), now)

    def stored(self, kind: str, facts: Facts, verdict: bytes, now: datetime) -> StoredDecision:
        """A decision on these facts as it is kept."""
        return StoredDecision(
            bucket_of(self.consumer_id), self.consumer_id, self.decision_id, self.intent_id, kind, now,
            facts.evaluator_version, facts.policy_version, cashier.encode_facts(facts), verdict,
        )  # fmt: skip


def covered(facts: Facts, by_others_minor: int, by: str = "") -> Facts:
    """The facts seen by a tender when another, by the method `by`, pays this much."""
    if by_others_minor == 0:
        return facts
    order = msgspec.structs.replace(facts.order, covered_minor=by_others_minor, covered_by=by)
    return msgspec.structs.replace(facts, order=order)


def encode_verdicts(facts: Facts, asked: Iterable[Asked]) -> bytes:
    """The verdicts on tenders in the form that is stored."""
    found = [
        TenderVerdict(
            one.covered_minor,
            cashier.verdict(covered(facts, one.covered_minor, one.covered_by), one.method, one.plan),
            one.covered_by,
        )
        for one in asked
    ]
    return _JSON.encode(found)
