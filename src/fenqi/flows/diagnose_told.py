"""Decisions as an audience reads them: reasons, remedies and routes in words, and the proof that a replay agrees. Pure.

A merchant hears of its own goods and shop only; whatever is about other sellers reads like the buyer's own matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import replace

from fenqi import cashier, texts
from fenqi.cashier import Facts, Offer, StoredDecision
from fenqi.flows import naming
from fenqi.flows.basis import TenderVerdict
from fenqi.flows.reference import Reference
from fenqi.kernel.reason import Layer, Reason, Scope, ScopeKind, Value
from fenqi.order import Order
from fenqi.texts import Audience, Locale

_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])
_PRIVATE = "METHOD_UNAVAILABLE_NOW"


class ToldReason(msgspec.Struct, frozen=True):
    """A reason as its audience reads it."""

    code: str
    layer: Layer
    title: str
    sentence: str
    fixer: str
    observed: dict[str, Value]
    required: dict[str, Value]
    until_ms: int | None


class ToldRemedy(msgspec.Struct, frozen=True):
    """A remedy in words: its steps, each with its label and sentence, and what it costs."""

    labels: tuple[str, ...]
    sentences: tuple[str, ...]
    money_minor: int
    wait_ms: int
    outlay_minor: int
    plan: str | None


class ToldOffer(msgspec.Struct, frozen=True):
    """A method with a plan: usable, or its reasons, and what would have helped, in words."""

    method: str
    plan: str | None
    amount_minor: int
    available: bool
    reasons: tuple[ToldReason, ...]
    remedies: tuple[ToldRemedy, ...]
    routes: tuple[str, ...]

    def layers(self) -> list[tuple[Layer, list[ToldReason]]]:
        """The layers in which something was found, outermost first."""
        found = [(layer, [one for one in self.reasons if one.layer is layer]) for layer in Layer]
        return [(layer, reasons) for layer, reasons in found if reasons]


class ToldDecision(msgspec.Struct, frozen=True):
    """A stored decision, with whether evaluating it again gives the identical verdict."""

    decision_id: UUID
    kind: str
    """offers | payment"""
    decided_at: datetime
    policy_version: str
    evaluator_version: int
    identical: bool
    offers: tuple[ToldOffer, ...]
    facts_sha256: str = ""
    """Of the facts as they are kept; for staff only: it would tell two facts apart that differ in a hidden code."""


class Reader(NamedTuple):
    """Who reads, and with which names: the language, whether the buyer has confirmed who they are, which merchant."""

    audience: Audience
    locale: Locale
    stepped_up: bool = False
    merchant_id: UUID | None = None
    order: Order | None = None
    ref: Reference | None = None

    @property
    def is_staff(self) -> bool:
        """Whether it is support or the risk desk."""
        return self.audience in (Audience.SUPPORT, Audience.RISK)

    def may_know(self, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
        """Reasons as this reader may see them."""
        if self.audience is Audience.MERCHANT:
            reasons = tuple(map(self._about_own, reasons))
        return cashier.for_audience(reasons, self.audience, self.stepped_up)

    def _about_own(self, reason: Reason) -> Reason:
        """The reason if it is about this merchant's shop or goods, or about none; else that there is one."""
        if reason.scope.kind not in (ScopeKind.LINE, ScopeKind.SELLER) or self.merchant_id is None:
            return reason
        own = {str(self.merchant_id)}
        if self.order is not None:
            own |= {str(line.line_id) for line in self.order.lines if line.merchant_id == self.merchant_id}
        ids = tuple(one for one in reason.scope.ids if one in own)
        if ids == reason.scope.ids:
            return reason
        return Reason(_PRIVATE, reason.method, Scope(ScopeKind.METHOD))


def offers_of(decision: StoredDecision) -> tuple[Offer, ...]:
    """What a decision said, as offers; a payment's verdicts carry no remedies."""
    if decision.kind == "offers":
        return _OFFERS.decode(decision.verdict)
    facts = cashier.decode_facts(decision.facts)
    return tuple(
        Offer(
            one.verdict.method, one.verdict.plan, facts.order.payable_minor - one.covered_minor,
            one.verdict.available, one.verdict.reasons,
        )
        for one in _TENDERS.decode(decision.verdict)
    )  # fmt: skip


def decision(stored: StoredDecision, identical: bool, reader: Reader) -> ToldDecision:
    """A decision in words; `identical`: its replay agrees."""
    return ToldDecision(
        stored.decision_id, stored.kind, stored.decided_at, stored.policy_version, stored.evaluator_version,
        identical,
        tuple(offer(one, reader) for one in offers_of(stored)),
        hashlib.sha256(stored.facts).hexdigest() if reader.is_staff else "",
    )  # fmt: skip


def offer(found: Offer, reader: Reader) -> ToldOffer:
    """An offer in words."""
    seen = cashier.offer_for(replace(found, reasons=_raw(found, reader)), reader.audience, reader.stepped_up)
    return ToldOffer(
        seen.method,
        seen.plan,
        seen.amount_minor,
        seen.available,
        tuple(reason(one, reader) for one in seen.reasons),
        tuple(_remedy(one, reader) for one in seen.remedies),
        tuple(texts.render_route(x.kind, x.usual_ms, x.from_ms, reader.locale).label for x in seen.routes),
    )


def _raw(found: Offer, reader: Reader) -> tuple[Reason, ...]:
    if reader.audience is not Audience.MERCHANT:
        return found.reasons
    return reader.may_know(found.reasons)


def reasons(found: Iterable[Reason], reader: Reader) -> tuple[ToldReason, ...]:
    """Reasons of a press in words, those that read alike once."""
    told = (reason(one, reader) for one in reader.may_know(found))
    return tuple({(one.code, one.sentence): one for one in told}.values())


def reason(known: Reason, reader: Reader) -> ToldReason:
    """A reason that the reader may know, in words."""
    names = {} if reader.ref is None else naming.reason_names(known, reader.ref, reader.locale)
    said = texts.tell(known, reader.audience, reader.locale, stepped_up=reader.stepped_up, names=names)
    return ToldReason(
        said.code, known.meta.layer, said.title, said.sentence, str(known.meta.fixer), known.observed,
        known.required, known.until_ms,
    )  # fmt: skip


def _remedy(remedy: cashier.Remedy, reader: Reader) -> ToldRemedy:
    names: Callable[[Any], dict[str, texts.Said]] = _no_names
    if reader.order is not None and reader.ref is not None:
        names = naming.action_names(reader.order, reader.ref, reader.locale)
    said = [texts.render_action(step, reader.locale, names(step)) for step in remedy.actions]
    cost = remedy.cost
    return ToldRemedy(
        tuple(one.label for one in said), tuple(one.sentence for one in said), cost.money_minor, cost.wait_ms,
        cost.outlay_minor, remedy.plan,
    )  # fmt: skip


def _no_names(_: Any) -> dict[str, texts.Said]:
    return {}


def confirmed(facts: Facts, now_ms: int) -> bool:
    """Whether the buyer has confirmed lately who they are."""
    return facts.consumer.stepped_up_until_ms > now_ms
