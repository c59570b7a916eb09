"""`apply`: the facts after an action, as the real system will have them, or None where it can't be carried out now.

Whether the method is usable afterwards is not decided here: the solver runs every gate again on what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from msgspec.structs import replace

from fenqi.cashier import remedy_debt, remedy_order, remedy_part
from fenqi.cashier.action import (
    AcceptPrice,
    Action,
    Activate,
    BindCard,
    ChangeDelivery,
    ChangeScene,
    ChangeSeller,
    ChoosePlan,
    GiveConsent,
    OpenMoneyAccount,
    PayOverdue,
    PayPartBy,
    RemoveCoupon,
    Reopen,
    Reorder,
    Repay,
    SetPayPassword,
    SettleLoan,
    SignAgreement,
    StepUp,
    SwitchOnPay,
    TakeOutLines,
    TopUp,
    Unlock,
    UseClient,
    VerifyIdentity,
    Wait,
)
from fenqi.cashier.case import View
from fenqi.cashier.facts import Facts
from fenqi.cashier.remedy_wait import wait
from fenqi.kernel.reason import CODES, Disclosure


def apply(action: Action, facts: Facts) -> Facts | None:
    """The facts after `action`; None when it can't be carried out on these facts."""
    after = step(View(facts), action)
    return after.facts if after is not None else None


def step(view: View, action: Action) -> View | None:
    """`apply` on a view; the outcome is remembered there."""
    if action in view.after:
        return view.after[action]
    if isinstance(action, PayPartBy):
        facts = remedy_part.pay_part_by(action, view)
    else:
        facts = _EFFECTS[type(action)](action, view.facts)
    after = None if facts is None else view if facts is view.facts else View(facts, view)
    view.after[action] = after
    return after


def walk(view: View, actions: Iterable[Action]) -> View | None:
    """The view after these actions in order; None as soon as one of them can't be carried out."""
    here: View | None = view
    for action in actions:
        if here is None:
            return None
        here = step(here, action)
    return here


def sms_works(facts: Facts) -> bool:
    """Whether an SMS code would reach the consumer now."""
    consumer = facts.consumer
    blocked = consumer.sms_blocked_until_ms is not None and facts.now_ms < consumer.sms_blocked_until_ms
    return consumer.phone_reachable and not blocked


def _consumer(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, consumer=replace(facts.consumer, **changes))


def _credit(facts: Facts, **changes: Any) -> Facts:
    return replace(facts, credit=replace(facts.credit, **changes))


def _bind_card(_: BindCard, facts: Facts) -> Facts | None:
    return _consumer(facts, cards=facts.consumer.cards + 1) if sms_works(facts) else None


def _open_money_account(_: OpenMoneyAccount, facts: Facts) -> Facts | None:
    if facts.money.is_open or facts.consumer.real_name != "verified":
        return None
    return replace(facts, money=replace(facts.money, is_open=True, state="active"))


def _activate(_: Activate, facts: Facts) -> Facts | None:
    credit = facts.credit
    if credit.state != "not_activated":
        return None
    return _credit(facts, state="active", agreement_signed=credit.agreement_required or None)


def _sign(action: SignAgreement, facts: Facts) -> Facts | None:
    credit = facts.credit
    if action.version != credit.agreement_required or credit.agreement_signed == action.version:
        return None
    return _credit(facts, agreement_signed=action.version)


def _consent(_: GiveConsent, facts: Facts) -> Facts | None:
    return None if facts.credit.consent_given else _credit(facts, consent_given=True)


def _reopen(_: Reopen, facts: Facts) -> Facts | None:
    credit = facts.credit
    early = credit.reapply_from_on is not None and facts.today_on < credit.reapply_from_on
    if credit.state != "closed_by_user" or early:
        return None
    return _credit(facts, state="active", agreement_signed=credit.agreement_required or None)


def _unlock(action: Unlock, facts: Facts) -> Facts | None:
    consumer = facts.consumer
    if facts.credit.state != action.lock:
        return None
    if action.lock == "dormant_locked":
        papers = consumer.id_document_until_on is None or consumer.id_document_until_on >= facts.today_on
        return _credit(facts, state="active") if consumer.real_name == "verified" and papers else None
    return _credit(facts, state="active", locked_until_ms=None) if sms_works(facts) else None


def _verify(action: VerifyIdentity, facts: Facts) -> Facts | None:
    consumer = facts.consumer
    if action.what == "real_name" and consumer.real_name != "verified":
        return _consumer(facts, real_name="verified")
    if action.what == "id_document":
        expired = consumer.id_document_until_on is not None and consumer.id_document_until_on < facts.today_on
        return _consumer(facts, id_document_until_on=None) if expired else None
    if action.what == "phone" and not consumer.phone_reachable:
        return _consumer(facts, phone_reachable=True)
    return None


def _set_pay_password(_: SetPayPassword, facts: Facts) -> Facts | None:
    state = facts.consumer.pay_password
    if state == "set" or (state == "locked" and not sms_works(facts)):
        return None
    return _consumer(facts, pay_password="set", pay_password_locked_until_ms=None)


def _step_up(_: StepUp, facts: Facts) -> Facts | None:
    consumer = facts.consumer
    if consumer.pay_password != "set" and not sms_works(facts):
        return None
    until_ms = facts.now_ms + consumer.step_up_ms
    facts = _consumer(facts, stepped_up_until_ms=until_ms)
    return facts if not facts.risk.findings else _lifted(facts, "step_up", until_ms)


def _lifted(facts: Facts, cure: str, until_ms: int) -> Facts:
    """The findings that this lifts are lifted, those told by name only: of the others nothing may show."""
    findings = tuple(
        replace(each, lifted_until_ms=max(each.lifted_until_ms, until_ms))
        if each.cure == cure and CODES[each.code].disclosure is Disclosure.EXACT
        else each
        for each in facts.risk.findings
    )
    return replace(facts, risk=replace(facts.risk, findings=findings))


def _switch_on(_: SwitchOnPay, facts: Facts) -> Facts | None:
    money = facts.money
    if money.pay_switch_on or not money.is_open:
        return None
    return replace(facts, money=replace(money, pay_switch_on=True))


def _use_client(action: UseClient, facts: Facts) -> Facts | None:
    return None if action.client == facts.client else replace(facts, client=action.client)


def _reorder(_: Reorder, facts: Facts) -> Facts | None:
    return remedy_order.reorder(facts)


def _choose_plan(_: ChoosePlan, facts: Facts) -> Facts | None:
    return facts


_EFFECTS: dict[type, Callable[[Any, Facts], Facts | None]] = {
    Repay: remedy_debt.repay,
    PayOverdue: remedy_debt.pay_overdue,
    SettleLoan: remedy_debt.settle_loan,
    TopUp: remedy_debt.top_up,
    BindCard: _bind_card,
    OpenMoneyAccount: _open_money_account,
    Activate: _activate,
    SignAgreement: _sign,
    GiveConsent: _consent,
    Reopen: _reopen,
    Unlock: _unlock,
    VerifyIdentity: _verify,
    SetPayPassword: _set_pay_password,
    StepUp: _step_up,
    SwitchOnPay: _switch_on,
    TakeOutLines: remedy_order.take_out_lines,
    ChangeSeller: remedy_order.change_seller,
    ChangeScene: remedy_order.change_scene,
    UseClient: _use_client,
    ChangeDelivery: remedy_order.change_delivery,
    ChoosePlan: _choose_plan,
    RemoveCoupon: remedy_order.remove_coupon,
    AcceptPrice: remedy_order.accept_price,
    Reorder: _reorder,
    Wait: wait,
}
