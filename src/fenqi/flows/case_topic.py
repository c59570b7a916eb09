"""What an appeal is against: read off the reasons of the decision that refused, or off the line as it stands. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.aftersales import About, Subject, Topic
from fenqi.cashier import Offer, StoredDecision
from fenqi.cashier.remedy_routes import route_kinds
from fenqi.credit import CreditView
from fenqi.flows.basis import TenderVerdict
from fenqi.kernel.reason import Layer, Reason
from fenqi.kernel.refusal import Conflict
from fenqi.order import Order
from fenqi.texts import Audience

BUYER = Audience.BUYER
_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])
_BY_TIME = frozenset({"RISK_VELOCITY", "RISK_MANUAL_REVIEW"})


class Against(NamedTuple):
    """What an appeal is against; the topic NONE is the review of the payment itself, which is joined.

    All that is about the line is one subject, whatever it is, so that the answer tells nothing of a hidden reason.
    """

    topic: Topic
    subject: Subject
    about: About
    amount_minor: int | None


def _is_risk(reason: Reason) -> bool:
    return reason.meta.layer is Layer.RISK and reason.code not in _BY_TIME


def _is_refused_credit(reason: Reason) -> bool:
    return reason.code in ("CREDIT_APPLICATION_REJECTED", "CREDIT_COOLING_OFF") or reason.meta.group == "G"


def _is_frozen_line(reason: Reason) -> bool:
    return reason.code == "LIMIT_FROZEN" and "credit_state" in reason.observed


_TOPICS: tuple[tuple[Callable[[Reason], bool], Topic], ...] = (
    (_is_risk, Topic.RISK_REFUSAL),
    (lambda one: one.code == "CREDIT_CLOSED_BY_LENDER", Topic.LINE_WITHDRAWN),
    (_is_refused_credit, Topic.CREDIT_REFUSAL),
    (_is_frozen_line, Topic.LINE_FROZEN),
    (lambda one: one.code == "LIMIT_FROZEN", Topic.LIMIT_FROZEN),
    (lambda one: one.code in ("LIMIT_REDUCED", "LIMIT_OVERDRAWN"), Topic.LIMIT_CUT),
    (lambda one: one.code == "OVERDUE_RECENT_HISTORY", Topic.OBSERVATION),
    (lambda one: one.code == "GOODS_VIRTUAL_SCENE_SUSPENDED", Topic.VIRTUAL_SUSPENDED),
    (lambda one: one.code == "RISK_MANUAL_REVIEW", Topic.NONE),
)
"""In this order: what stands in the way most."""


def reasons_of(stored: StoredDecision, method: str, plan: str) -> tuple[Reason, ...]:
    """The reasons of a stored decision for a method and plan ("" for one that names none: of the first refused)."""
    offers: list[Any]
    if stored.kind == "offers":
        offers = list(_OFFERS.decode(stored.verdict))
    else:
        offers = [one.verdict for one in _TENDERS.decode(stored.verdict)]
    of_method = [one for one in offers if one.method == method and one.reasons]
    exact = [one for one in of_method if not plan or (one.plan or "full") == plan]
    return next((tuple(one.reasons) for one in [*exact, *of_method]), ())


def of_reasons(
    consumer_id: UUID, route: str, reasons: tuple[Reason, ...], application_id: UUID | None, bought: Order,
    stored: StoredDecision, asked: Any,
) -> Against:  # fmt: skip
    """What it is against, where one of the reasons, as its buyer was told them, leads here by this route; refuses
    NOTHING_TO_APPEAL. Which hidden reason stands behind a told one makes no difference to the answer."""
    told = cashier.for_audience(reasons, BUYER, was_stepped_up(stored))
    if not any(route in route_kinds(one.code) for one in told):
        raise Conflict("NOTHING_TO_APPEAL", "nothing here can be appealed against", route=route)
    topic = next((topic for holds, topic in _TOPICS if any(holds(one) for one in reasons)), Topic.OTHER)
    about = About(
        order_id=bought.order_id, order_number=bought.number, intent_id=stored.intent_id,
        decision_id=stored.decision_id, method=asked.method, plan=asked.plan,
        codes=tuple(dict.fromkeys(one.code for one in reasons)), application_id=application_id,
    )  # fmt: skip
    if topic in (Topic.RISK_REFUSAL, Topic.NONE):
        return Against(topic, Subject("order", str(bought.order_id)), about, bought.payable_minor)
    return Against(topic, Subject("line", str(consumer_id)), about, None)


def was_stepped_up(stored: StoredDecision) -> bool:
    """Whether the buyer had confirmed who they are when the decision was taken."""
    facts = cashier.decode_facts(stored.facts)
    return facts.consumer.stepped_up_until_ms > facts.now_ms


def of_line(consumer_id: UUID, view: CreditView, application_id: UUID | None) -> Against:
    """What of the line can be appealed against: its refusal, withdrawal, freeze, cut or observation, the gravest
    first; refuses NOTHING_TO_APPEAL."""
    frozen = any(one.frozen_minor for one in view.limits)
    found = (
        (view.state == "rejected" and application_id is not None, Topic.CREDIT_REFUSAL, "CREDIT_APPLICATION_REJECTED"),
        (view.state == "closed_by_lender", Topic.LINE_WITHDRAWN, "CREDIT_CLOSED_BY_LENDER"),
        (view.state == "frozen", Topic.LINE_FROZEN, "LIMIT_FROZEN"),
        (frozen, Topic.LIMIT_FROZEN, "LIMIT_FROZEN"),
        (view.reduced_from_minor is not None, Topic.LIMIT_CUT, "LIMIT_REDUCED"),
        (view.observed_until_on is not None, Topic.OBSERVATION, "OVERDUE_RECENT_HISTORY"),
    )
    for holds, topic, code in found:
        if holds:
            about = About(codes=(code, *view.principal_reasons), application_id=application_id)
            return Against(topic, Subject("line", str(consumer_id)), about, None)
    raise Conflict("NOTHING_TO_APPEAL", "nothing of the line can be appealed against")
