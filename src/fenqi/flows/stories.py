"""Which story a dossier tells: the refusal in question, why, how it stands now; as structs for the narrative. Pure."""

from __future__ import annotations

from typing import NamedTuple

from fenqi import cashier, texts
from fenqi.cashier import Facts, Offer, Payment
from fenqi.flows import diagnose_timeline, stories_beside
from fenqi.flows import diagnose_told as told
from fenqi.flows import dossier as dossiers
from fenqi.flows.diagnose_find import Kind
from fenqi.flows.diagnose_told import Reader, ToldReason
from fenqi.flows.dossier import Dossier, Replayed
from fenqi.flows.narrative import Because, OrderStory, Outlook, Proof, Story, Tried
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.reason import CODES, Reason, Scope, ScopeKind
from fenqi.order import OrderState
from fenqi.texts import Audience, Locale

_CREDIT = "credit"
_ENDS = ("。", ".", "！", "？")
_USUAL = ("instalment_12", "full")
_NOT_HERE = frozenset({"METHOD_NOT_IN_SCENE", "METHOD_NOT_INTEGRATED"})
"""Of these methods nobody expected anything."""
_STATES = {
    "rejected": "CREDIT_APPLICATION_REJECTED",
    "closed_by_lender": "CREDIT_CLOSED_BY_LENDER",
    "frozen": "LIMIT_FROZEN",
    "pending": "CREDIT_APPLICATION_PENDING",
    "not_activated": "CREDIT_NOT_ACTIVATED",
    "self_locked": "CREDIT_SELF_LOCKED",
    "dormant_locked": "CREDIT_DORMANT_LOCKED",
    "pin_locked": "CREDIT_ACCOUNT_LOCKED_PIN",
    "closed_by_user": "CREDIT_CLOSED_BY_USER",
}
"""What a state of the line is called as a reason."""


class Focus(NamedTuple):
    """The refusal in question: what was wanted, when, whether it was pressed, and why not."""

    method: str
    plan: str
    at_ms: int
    pressed: bool
    reasons: tuple[Reason, ...]
    decision: Replayed | None
    facts: Facts | None


def is_over(found: Dossier) -> bool:
    """Whether the order is paid: nothing is left to be done."""
    return found.bought is not None and found.bought.state is OrderState.PAID


def focus_of(found: Dossier) -> Focus | None:
    """The press that is asked about, else the last refused one, else what the last look at the cashier refused."""
    if found.bought is None:
        return None
    presses = dossiers.refused(found.payments)
    if found.subject.kind is Kind.PAYMENT and found.payment is not None:
        presses = dossiers.refused([found.payment])
    if presses:
        press = presses[-1]
        decision = next((one for one in found.decisions if one.stored.decision_id == press.decision_id), None)
        facts = None if decision is None else cashier.decode_facts(decision.stored.facts)
        return Focus(press.method, press.plan, epoch_ms(press.paid_at), True, press.reasons, decision, facts)
    if found.subject.kind is Kind.PAYMENT:
        return None
    return _looked(found)


def _looked(found: Dossier) -> Focus | None:
    """What the newest look that refused something refused; without any look, what the cashier would say now."""
    for one in reversed(found.decisions):
        refused = _main_refusal(told.offers_of(one.stored)) if one.stored.kind == "offers" else None
        if refused is not None:
            facts = cashier.decode_facts(one.stored.facts)
            at_ms = epoch_ms(one.stored.decided_at)
            return Focus(refused.method, refused.plan or "full", at_ms, False, refused.reasons, one, facts)
    if found.decisions or found.standing is None or is_over(found):
        return None
    refused = _main_refusal(found.standing.offers)
    if refused is None:
        return None
    return Focus(refused.method, refused.plan or "full", epoch_ms(found.now), False, refused.reasons, None, None)


def _main_refusal(offers: tuple[Offer, ...]) -> Offer | None:
    """The first method of which no plan is usable (credit before others), by its usual plan; else the first refused
    plan of credit."""
    usable = {one.method for one in offers if one.available}
    refused = [one for one in offers if not one.available]
    whole = [one for one in refused if one.method not in usable] or [one for one in refused if one.method == _CREDIT]
    if not whole:
        return None
    method = _CREDIT if any(one.method == _CREDIT for one in whole) else whole[0].method
    plans = [one for one in whole if one.method == method]
    return next((one for usual in _USUAL for one in plans if one.plan == usual), plans[0])


def facts_after(found: Dossier) -> Facts | None:
    """The facts to compare with: those on which the order was paid, else those of now."""
    if not is_over(found):
        return None if found.standing is None else found.standing.facts
    paid = {one.decision_id for one in found.payments if one.outcome == "succeeded"}
    by = next((one for one in reversed(found.decisions) if one.stored.decision_id in paid), None)
    return None if by is None else cashier.decode_facts(by.stored.facts)


def proof_of(found: Dossier, focus: Focus | None) -> Proof | None:
    """What replaying says of every decision; of an application what its policy says."""
    if found.decided is not None:
        version = found.decided.application.policy_version
        return Proof(1, found.decided.identical, version, 1)
    if not found.decisions:
        return None
    shown = focus.decision if focus is not None and focus.decision is not None else found.decisions[-1]
    return Proof(
        len(found.decisions), all(one.identical for one in found.decisions), shown.stored.policy_version,
        shown.stored.evaluator_version,
    )  # fmt: skip


def reasons_of(found: Dossier, focus: Focus | None, reader: Reader) -> tuple[ToldReason, ...]:
    """Why not, as the reader may know it: of the refusal in question, of an application, or of the line's state."""
    if focus is not None:
        return told.reasons(focus.reasons, reader)
    if found.decided is not None:
        return told.reasons(_of_application(found), reader)
    if found.subject.kind is Kind.LIMIT:
        return told.reasons(_of_line(found), reader)
    return told.reasons(_of_tries(found), reader)


def _reason(code: str) -> Reason:
    return Reason(code, _CREDIT, Scope(ScopeKind.ACCOUNT))


def _of_application(found: Dossier) -> tuple[Reason, ...]:
    assert found.decided is not None
    last = found.decided.review or found.decided.application
    if last.outcome != "rejected":
        return () if last.outcome == "approved" else (_reason("CREDIT_APPLICATION_PENDING"),)
    principal = tuple(_reason(code) for code in last.principal_reasons if code in CODES)
    return (_reason("CREDIT_APPLICATION_REJECTED"), *principal)


def _of_line(found: Dossier) -> tuple[Reason, ...]:
    """What stands in the way of the line itself, whatever is bought."""
    line = found.line
    if line is None:
        return ()
    codes = [_STATES[line.state]] if line.state in _STATES else []
    if line.state in ("rejected", "closed_by_lender"):
        codes += [code for code in line.principal_reasons if code in CODES]
    if line.overdue_minor:
        codes.append("OVERDUE_CURRENT")
    if line.reduced_from_minor is not None:
        codes.append("LIMIT_REDUCED")
    if line.state == "active" and any(one.frozen_minor for one in line.limits):
        codes.append("LIMIT_FROZEN")
    return tuple(_reason(code) for code in dict.fromkeys(codes))


def _of_tries(found: Dossier) -> tuple[Reason, ...]:
    """What a channel said of a press that never became a payment of an order."""
    last = found.tries[-1] if found.tries and found.subject.kind is Kind.PAYMENT else None
    if last is None or last.state != "declined" or last.reason not in CODES:
        return ()
    return (Reason(last.reason, last.method, Scope(ScopeKind.CHANNEL)),)


def story_of(
    found: Dossier, focus: Focus | None, reader: Reader, changes: tuple[str, ...], proof: Proof | None
) -> Story:
    """The story for the narrative."""
    because = _because(reasons_of(found, focus, reader), reader.locale)
    if found.decided is not None:
        return stories_beside.application(found, because, reader, proof)
    if found.subject.kind is Kind.LIMIT:
        return stories_beside.limit(found, because, reader)
    if found.subject.kind is Kind.HOLD:
        return stories_beside.hold(found)
    if found.subject.kind is Kind.REFUND:
        return stories_beside.refund(found, reader)
    if found.bought is None:
        return stories_beside.money(found, because)
    return _order(found, focus, reader, because, changes, proof)


def _plan(plan: str) -> str:
    """A plan as a sentence names it: paying in one sum goes without saying."""
    return "" if plan == "full" else plan


def _because(reasons: tuple[ToldReason, ...], locale: Locale) -> Because | None:
    if not reasons:
        return None
    titles = tuple(dict.fromkeys(one.title for one in reasons[1:] if one.title != reasons[0].title))
    first = reasons[0].sentence
    stop = "。" if locale is Locale.ZH_CN else "."
    return Because(first if first[-1:] in _ENDS else first + stop, titles)


def _order(
    found: Dossier,
    focus: Focus | None,
    reader: Reader,
    because: Because | None,
    changes: tuple[str, ...],
    proof: Proof | None,
) -> OrderStory:
    bought = found.bought
    assert bought is not None
    state, at_ms = _state(found)
    lines = [one for one in bought.lines if reader.merchant_id in (None, one.merchant_id)]
    own_minor = sum(one.amount_minor for one in lines)
    paid = next((one for one in found.payments if one.outcome == "succeeded"), None)
    asked = found.payment if found.subject.kind is Kind.PAYMENT else paid
    return OrderStory(
        bought.number,
        state,
        bought.payable_minor if reader.audience is not Audience.MERCHANT else own_minor,
        at_ms,
        _paid_by(found, asked, state, reader),
        len(dossiers.refused(found.payments)),
        None if focus is None else Tried(focus.method, _plan(focus.plan), focus.at_ms, focus.pressed),
        because if focus is not None else None,
        _too(found, focus, reader),
        changes,
        _outlook(found, focus, reader),
        proof,
    )


def _paid_by(found: Dossier, payment: Payment | None, state: str, reader: Reader) -> str | None:
    """The methods of the payment; of a press that waits, the channel that it waits for."""
    if payment is None:
        return None
    tried = [one.channel for one in found.tries if one.payment_id == payment.payment_id]
    if state.startswith("press_") and tried:
        return texts.word("method", tried[-1], reader.locale)
    return diagnose_timeline.both([one.method for one in payment.tenders] or [payment.method], reader.locale)


def _too(found: Dossier, focus: Focus | None, reader: Reader) -> tuple[str, ...]:
    """The other methods that the same look at the cashier refused with all their plans, each with its first reason."""
    if focus is None or focus.pressed or focus.decision is None:
        return ()
    offers = told.offers_of(focus.decision.stored)
    usable = {one.method for one in offers if one.available} | {focus.method}
    said = {}
    for one in reversed([each for each in offers if each.method not in usable]):
        why = told.reasons(one.reasons, reader)
        method = texts.word("method", one.method, reader.locale)
        if why and reader.audience is not Audience.MERCHANT and why[0].code not in _NOT_HERE:
            said[one.method] = texts.t("narrative.method_why", reader.locale, named=method, why=why[0].title)
    return tuple(reversed(said.values()))


def _state(found: Dossier) -> tuple[str, int]:
    """The order's state, or that of a press that nobody has decided; and since when, or until when."""
    bought, press = found.bought, found.payment
    assert bought is not None
    if press is not None and press.outcome not in ("succeeded", "refused"):
        return f"press_{press.outcome}", epoch_ms(press.paid_at)
    if bought.state is OrderState.PAID:
        return "paid", epoch_ms(bought.paid_at or found.now)
    if bought.state is OrderState.AWAITING_PAYMENT:
        late = bought.pay_by_at <= found.now
        return ("expired" if late else "awaiting_payment"), epoch_ms(bought.pay_by_at)
    ended = [event.at for event in found.events if event.name in ("order_close", "order_expire")]
    return str(bought.state), epoch_ms(ended[-1] if ended else bought.pay_by_at)


def _outlook(found: Dossier, focus: Focus | None, reader: Reader) -> Outlook | None:
    """How it stands now for what was wanted; nothing to a merchant, and nothing once paid."""
    if focus is None or found.standing is None or is_over(found) or reader.audience is Audience.MERCHANT:
        return None
    offers = found.standing.offers
    usable = tuple(dict.fromkeys(one.method for one in offers if one.available and one.method != focus.method))
    same = next((one for one in offers if (one.method, one.plan or "full") == (focus.method, focus.plan)), None)
    if same is None:
        return Outlook(focus.method, _plan(focus.plan), others=usable)
    now = told.offer(same, reader)
    first = now.remedies[0] if now.remedies else None
    until = [one.until_ms for one in now.reasons if one.until_ms is not None]
    return Outlook(
        focus.method,
        _plan(focus.plan),
        now.available,
        tuple(_steps(one.labels, reader) for one in now.remedies),
        first.money_minor if first is not None else 0,
        max(until) if until and len(until) == len(now.reasons) else None,
        now.routes,
        usable,
    )


def _steps(labels: tuple[str, ...], reader: Reader) -> str:
    said = labels[0]
    for label in labels[1:]:
        after = label[:1].lower() + label[1:] if label[1:2].islower() else label
        said = texts.t("narrative.then", reader.locale, first=said, next=after)
    return said
