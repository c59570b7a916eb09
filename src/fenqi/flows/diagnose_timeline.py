"""What happened, in time: moves of the order, looks at the cashier, presses, tries at channels, remedies, refunds.

Gathered from the rooms' own histories. Each event says who may hear of it; what a lender did to a line is told to its
owner only after a step-up, because it would name a hidden reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi import aftersales, attempt, credit, customer, insight, order, texts
from fenqi.attempt import Attempt
from fenqi.cashier import Payment, StoredDecision
from fenqi.database.pool import Tx
from fenqi.flows import diagnose_told as told
from fenqi.flows.diagnose_told import Reader, ToldReason
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.reason import CODES, Reason, Scope, ScopeKind
from fenqi.ledger import limits
from fenqi.order import Order
from fenqi.texts import Audience, Said

_ALL = frozenset(Audience)
_BUYER = frozenset({Audience.BUYER, Audience.SUPPORT, Audience.RISK})
_STAFF = frozenset({Audience.SUPPORT, Audience.RISK})
_QUIET = frozenset({"attempt", "attempt_ended"})
_AFTER = timedelta(days=7)
"""How long after an order's last move something that its buyer did is still told with it."""
_MOST = 60


class Event(msgspec.Struct, frozen=True):
    """One thing that happened: `name` is the key of its text, `link` what it is a page of (`payment/<number>`)."""

    at: datetime
    name: str
    values: dict[str, Said] = {}
    actor: str = ""
    why: str = ""
    audiences: frozenset[Audience] = _ALL
    is_bad: bool = False
    link: str = ""
    reasons: tuple[Reason, ...] = ()
    by_others: bool = False
    """Done to the buyer's line by others: told to the buyer after a step-up only."""
    plain: str = ""
    """The name under which a buyer hears of it before a step-up, where its own would say too much."""
    path: str = ""
    """Of a change of a limit: which one."""


class ToldEvent(msgspec.Struct, frozen=True):
    """An event as its audience reads it; who and why are for staff."""

    at: datetime
    name: str
    text: str
    who: str
    why: str
    is_bad: bool
    link: str
    reasons: tuple[ToldReason, ...]


async def of_order(
    tx: Tx, bought: Order, payments: Sequence[Payment], decisions: Sequence[StoredDecision], tries: Sequence[Attempt]
) -> list[Event]:
    """Everything that happened to an order, and what its buyer did meanwhile, oldest first."""
    consumer_id = bought.consumer_id
    events = [
        _order_move(move) for move in await order.moves(tx, consumer_id, bought.order_id) if move.verb not in _QUIET
    ]
    last_at = max([event.at for event in events] + [one.decided_at for one in decisions])
    events += _looks(decisions)
    events += [_press(payment) for payment in payments]
    events += await of_tries(tx, tries)
    events += await of_refunds(tx, bought, tries)
    events += await of_steps(tx, consumer_id, {one.intent_id for one in decisions})
    events += await of_cases(tx, bought)
    events += await of_consumer(tx, consumer_id, bought.placed_at, last_at + _AFTER)
    return in_time(events)


def in_time(events: Iterable[Event]) -> list[Event]:
    """Oldest first; within an instant in the order in which such things follow from one another."""
    return sorted(events, key=lambda event: (event.at, _rank(event.name)))


def _rank(name: str) -> int:
    """An order is placed, looked at, something is done about it, it is pressed, tried at a channel, paid, refunded."""
    if name == "order_place":
        return 0
    return next((rank for head, rank in _RANKS if name.startswith(head)), 2)


_RANKS = (
    ("looked", 1),
    ("remedy_done", 3),
    ("pressed_", 4),
    ("attempt_", 5),
    ("order_", 6),
    ("refund", 7),
    ("back_", 8),
)


def _order_move(move: order.OrderMove) -> Event:
    return Event(move.at, f"order_{move.verb}", {}, move.actor, move.why, is_bad=move.verb in ("expire", "close"))


def _looks(decisions: Sequence[StoredDecision]) -> list[Event]:
    """Looks at the cashier; several in a row that saw the same are one."""
    events: list[Event] = []
    seen = b""
    for one in (each for each in decisions if each.kind == "offers"):
        offers = told.offers_of(one)
        usable = {each.method for each in offers if each.available}
        refused = {each.method for each in offers} - usable
        values: dict[str, Said] = {"usable_count": len(usable), "refused_count": len(refused), "times_count": 1}
        if events and seen == one.verdict:
            values["times_count"] = int(str(events[-1].values["times_count"])) + 1
            events.pop()
        events.append(Event(one.decided_at, "looked", values, link=f"decision/{one.decision_id}", audiences=_BUYER))
        seen = one.verdict
    return events


def _press(payment: Payment) -> Event:
    values: dict[str, Said] = {"method": payment.method, "plan": payment.plan, "amount_minor": payment.amount_minor}
    if len(payment.tenders) > 1:
        values["methods"] = ",".join(tender.method for tender in payment.tenders)
    return Event(
        payment.paid_at, f"pressed_{payment.outcome}", values, f"consumer:{payment.consumer_id}",
        is_bad=payment.outcome == "refused", link=f"decision/{payment.decision_id}", reasons=payment.reasons,
    )  # fmt: skip


def _try(tried: Attempt, move: attempt.Move) -> Event:
    """A move of an attempt: what the channel said is a reason where the dictionary has it."""
    values: dict[str, Said] = {"channel": tried.channel, "amount_minor": tried.amount_minor}
    said = tried.reason if move.to_state == tried.state == "declined" and tried.reason in CODES else ""
    reasons = (Reason(said, tried.method, Scope(ScopeKind.CHANNEL)),) if said else ()
    if move.to_state == tried.state and tried.message:
        values["message"] = tried.message
    seen = _STAFF if move.to_state in ("created", "unknown") else _BUYER
    return Event(
        move.at, f"attempt_{move.to_state}", values, move.actor, move.why, seen,
        move.to_state in ("declined", "unknown"), f"payment/{tried.attempt_no}", reasons,
    )  # fmt: skip


async def of_tries(tx: Tx, tries: Sequence[Attempt]) -> list[Event]:
    """Every move of these tries at channels."""
    return [
        _try(tried, move) for tried in tries for move in await attempt.moves(tx, tried.consumer_id, tried.attempt_id)
    ]


async def of_steps(tx: Tx, consumer_id: UUID, intents: Iterable[UUID]) -> list[Event]:
    """Remedies that were taken at the cashier, and whether they were carried through."""
    bucket = bucket_of(consumer_id)
    found = await insight.steps_of(tx, [(bucket, consumer_id, intent_id) for intent_id in sorted(intents)])
    return [
        Event(
            step.at, step.kind, {"method": step.method, "actions": ",".join(step.actions)}, f"consumer:{consumer_id}",
            audiences=_BUYER,
        )
        for steps in found.values()
        for step in steps
        if step.kind != "wanted"
    ]  # fmt: skip


async def of_cases(tx: Tx, bought: Order) -> list[Event]:
    """Cases about the order: that people look at it is for staff to know here; the buyer has pages of their own."""
    events = []
    for case in await aftersales.of_consumer(tx, bought.consumer_id):
        if case.about.order_id != bought.order_id:
            continue
        values: dict[str, Said] = {"kind": str(case.kind), "number": case.number}
        link = f"case/{case.number}"
        events.append(Event(case.opened_at, "case_opened", values, case.opened_by, "", _STAFF, link=link))
        if case.ended_at is not None:
            ended = values | {"outcome": case.outcome or ""}
            events.append(Event(case.ended_at, "case_ended", ended, audiences=_STAFF, link=link))
    return events


async def of_refunds(tx: Tx, bought: Order, tries: Sequence[Attempt]) -> list[Event]:
    """An order's refunds, and how far what goes through channels has come."""
    consumer_id, events = bought.consumer_id, []
    for row in await credit.refunds_of(tx, consumer_id, bought.order_id):
        values: dict[str, Said] = {"amount_minor": row.amount_minor}
        events.append(
            Event(row.refunded_at, "refund", values, row.refunded_by, row.why, link=f"refund/{row.refund_id}")
        )
    source = {one.attempt_id: one for one in tries}
    for back in await attempt.refunds_of(tx, consumer_id, list(source)) if source else []:
        channel = source[back.attempt_id].channel
        for move in await attempt.refund_moves(tx, consumer_id, back.refund_id):
            values = {"channel": channel, "amount_minor": back.amount_minor}
            if move.to_state == back.state and back.message:
                values["message"] = back.message
            seen = _STAFF if move.to_state in ("created", "unknown") else _BUYER
            events.append(
                Event(
                    move.at, f"back_{move.to_state}", values, move.actor, move.why, seen, move.to_state == "failed",
                    f"payment/{source[back.attempt_id].attempt_no}",
                )
            )  # fmt: skip
    return events


async def of_consumer(tx: Tx, consumer_id: UUID, since: datetime, until: datetime) -> list[Event]:
    """What became of the buyer's line, limits, debts and proofs between two instants; the latest only."""
    events = [
        Event(row.at, f"did_{row.verb}", {}, row.actor, row.why, _BUYER)
        for row in await customer.get_history(tx, consumer_id)
        if texts.has(f"timeline.did_{row.verb}", texts.Locale.EN)
    ]
    events += [
        Event(one.at, f"loan_{one.kind}", {"amount_minor": one.amount_minor}, one.actor, "", _BUYER)
        for one in await credit.history.loan_moves(tx, consumer_id, since, until)
        if one.kind != "refund"
    ]
    events += [
        Event(one.made_at, one.purpose, {"amount_minor": one.amount_minor}, f"consumer:{consumer_id}", "", _BUYER)
        for one in await attempt.of_consumer(tx, consumer_id, 40)
        if one.purpose in ("top_up", "withdrawal") and one.state == "succeeded"
    ]
    events += await of_line(tx, consumer_id)
    return in_time(event for event in events if since <= event.at <= until)[-_MOST:]


async def of_line(tx: Tx, consumer_id: UUID) -> list[Event]:
    """Every change of the line's state and of its limits, and every application."""
    events = [
        Event(
            move.moved_at, "line", {"state": str(move.to_state)}, move.moved_by, move.why, _BUYER,
            str(move.to_state) not in ("active", "not_activated"), by_others=_by_others(move.moved_by),
        )
        for move in await credit.line.history(tx, consumer_id)
        if move.from_state is not move.to_state
    ]  # fmt: skip
    for one in await limits.changes_of(tx, consumer_id):
        if not one.path.startswith("cap:") and (one.from_minor or 0) != one.to_minor:
            events.append(_limit_change(one))
    for applied in await credit.application.applications(tx, consumer_id):
        values: dict[str, Said] = {"limit_minor": applied.limit_minor}
        name, actor = f"applied_{applied.outcome}", f"consumer:{consumer_id}"
        link = f"application/{applied.application_id}"
        plain = "" if applied.outcome == "approved" else "applied"
        events.append(Event(applied.applied_at, name, values, actor, audiences=_BUYER, link=link, plain=plain))
    for review in await credit.history.reviews_of(tx, consumer_id):
        values = {"limit_minor": review.limit_minor}
        events.append(
            Event(review.at, f"reviewed_{review.outcome}", values, review.actor, review.why, _BUYER, by_others=True)
        )
    return in_time(events)


def _limit_change(one: limits.LimitChange) -> Event:
    values: dict[str, Said] = {"from_minor": one.from_minor or 0, "to_minor": one.to_minor}
    name = "limit_opened" if one.from_minor is None else "limit_changed"
    is_cut = one.from_minor is not None and one.to_minor < one.from_minor
    return Event(
        one.changed_at, name, values, one.changed_by, one.why, _BUYER, is_cut, by_others=_by_others(one.changed_by),
        path=one.path,
    )  # fmt: skip


def _by_others(actor: str) -> bool:
    return not actor.startswith("consumer:")


def tell(events: Iterable[Event], reader: Reader) -> tuple[ToldEvent, ...]:
    """The events that this reader may hear of, in words."""
    return tuple(_told(event, reader) for event in events if _may_hear(event, reader))


def _may_hear(event: Event, reader: Reader) -> bool:
    if reader.audience not in event.audiences:
        return False
    return reader.audience is not Audience.BUYER or reader.stepped_up or not event.by_others


def _told(event: Event, reader: Reader) -> ToldEvent:
    locale, values = reader.locale, dict(event.values)
    for name, vocabulary in (("kind", "case_kind"), ("outcome", "case_outcome")):
        if name in values:
            values[name] = texts.term(vocabulary, str(values[name]), locale) or str(values[name])
    if "actions" in values:
        values["actions"] = _remedy(str(values["actions"]).split(","), locale)
    if "methods" in values:
        values["method_name"] = both(str(values["methods"]).split(","), locale)
    if "state" in values:
        values["state"] = texts.term("credit_state", str(values["state"]), locale)
    if not reader.is_staff:
        values.pop("message", None)
    if reader.audience is Audience.MERCHANT:
        values.pop("amount_minor", None)
    name = event.plain if event.plain and reader.audience is Audience.BUYER and not reader.stepped_up else event.name
    key = f"timeline.{name}"
    text = texts.t(key if texts.has(key, locale) else "timeline.other", locale, **values)
    shown = told.reasons(event.reasons, reader) if event.reasons else ()
    return ToldEvent(
        event.at, name, text, _who(event.actor, reader), event.why if reader.is_staff else "", event.is_bad,
        event.link if reader.is_staff else "", shown,
    )  # fmt: skip


def _remedy(kinds: Iterable[str], locale: texts.Locale) -> str:
    """A remedy by the kinds of its actions."""
    known = [f"why.remedy.{kind}" for kind in kinds if texts.has(f"why.remedy.{kind}", locale)]
    return " → ".join(texts.t(key, locale) for key in known)


def both(methods: Iterable[str], locale: texts.Locale) -> str:
    """The methods of a payment in two parts."""
    return " + ".join(texts.word("method", one, locale) for one in methods)


def _who(actor: str, reader: Reader) -> str:
    """Whose doing it was, by kind: no names."""
    kind = actor.partition(":")[0]
    if not kind:
        return ""
    voice = "_you" if kind == "consumer" and reader.audience is Audience.BUYER else ""
    key = f"timeline.by_{kind}{voice}"
    return texts.t(key if texts.has(key, reader.locale) else "timeline.by_system", reader.locale)
