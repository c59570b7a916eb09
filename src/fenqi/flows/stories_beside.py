"""The stories of what isn't an order: an application, a line with its limits, a hold, a refund, a top-up. Pure."""

from __future__ import annotations

from datetime import timedelta

from fenqi.attempt import ChannelRefund
from fenqi.channels import shelf
from fenqi.flows.diagnose_told import Reader
from fenqi.flows.dossier import Dossier
from fenqi.flows.narrative import (
    ApplicationStory,
    Back,
    Because,
    HoldStory,
    LimitChange,
    LimitStory,
    MoneyStory,
    Proof,
    RefundStory,
)
from fenqi.kernel.business_day import add_working_days
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.texts import Audience


def application(found: Dossier, because: Because | None, reader: Reader, proof: Proof | None) -> ApplicationStory:
    """An application: its outcome, by whom, and what may follow."""
    decided, line = found.decided, found.line
    assert decided is not None
    last = decided.review or decided.application
    outcome = last.outcome
    if outcome == "rejected" and reader.audience is Audience.BUYER and not reader.stepped_up:
        outcome = "answered"
    is_last = line is not None and line.state in ("rejected", "pending")
    reapply_on = line.reapply_from_on if line is not None and is_last else None
    return ApplicationStory(
        outcome,
        epoch_ms(decided.application.applied_at),
        last.limit_minor,
        because if outcome != "review" else None,
        decided.review is not None and outcome != "answered",
        line.expected_by_ms if line is not None and is_last else None,
        reapply_on.isoformat() if reapply_on is not None and outcome == "rejected" else None,
        proof,
    )


def limit(found: Dossier, because: Because | None, reader: Reader) -> LimitStory:
    """A line with its limits, and the last change that the reader may hear of."""
    line = found.line
    assert line is not None
    shown = [one for one in line.limits if found.subject.path in ("", one.path)]
    heard = reader.audience is not Audience.BUYER or reader.stepped_up
    changes = [one for one in found.events if one.path and (heard or not one.by_others)]
    last = changes[-1] if changes else None
    change = None
    if last is not None:
        before = last.values["from_minor"] if last.name == "limit_changed" else None
        why = last.why if reader.is_staff else ""
        change = LimitChange(epoch_ms(last.at), before, last.values["to_minor"], why)  # type: ignore[arg-type]
    return LimitStory(
        line.state,
        sum(one.ceiling_minor for one in shown),
        sum(one.used_minor for one in shown),
        sum(one.held_minor for one in shown),
        sum(max(0, one.ceiling_minor - one.used_minor - one.held_minor - one.frozen_minor) for one in shown),
        change,
        because,
    )


def hold(found: Dossier) -> HoldStory:
    """What is set aside while a channel is asked."""
    tried = next(one for one in found.tries if one.attempt_id == found.subject.id)
    states = {state for _, _, state in found.held}
    state = states.pop() if len(states) == 1 else "held"
    amount_minor = sum(amount for path, amount, _ in found.held if not path.startswith("cap:"))
    number = found.bought.number if found.bought is not None else ""
    return HoldStory(state, amount_minor, tried.method, epoch_ms(tried.made_at), epoch_ms(tried.expires_at), number)


def refund(found: Dossier, reader: Reader) -> RefundStory:
    """A refund, part by part."""
    row, bought = found.refund, found.bought
    assert bought is not None
    at = row.refunded_at if row is not None else found.backs[0].made_at
    amount_minor = row.amount_minor if row is not None else sum(one.amount_minor for one in found.backs)
    backs = () if reader.audience is Audience.MERCHANT else tuple(_back(found, one, reader) for one in found.backs)
    return RefundStory(
        bought.number,
        amount_minor,
        epoch_ms(at),
        row.to_limit_minor if row is not None and reader.audience is not Audience.MERCHANT else 0,
        row.to_money_account_minor if row is not None and reader.audience is not Audience.MERCHANT else 0,
        backs,
    )


def _back(found: Dossier, back: ChannelRefund, reader: Reader) -> Back:
    source = next(one for one in found.tries if one.attempt_id == back.attempt_id)
    days_from, days_to = shelf.channel(source.channel).capabilities.refund_days
    usual_on = add_working_days(business_date(back.made_at), days_to) + timedelta(days=1)
    waits = str(back.state) in ("created", "unknown", "pending")
    return Back(
        str(back.state),
        back.amount_minor,
        source.method,
        epoch_ms(back.finished_at or back.made_at),
        days_from,
        days_to,
        waits and business_date(found.now) >= usual_on,
        back.message if reader.is_staff else "",
    )


def money(found: Dossier, because: Because | None) -> MoneyStory:
    """A top-up or a withdrawal."""
    last = found.tries[-1]
    state = "open" if last.is_open else str(last.state)
    return MoneyStory(last.purpose, state, last.amount_minor, last.method, epoch_ms(last.made_at), because)
