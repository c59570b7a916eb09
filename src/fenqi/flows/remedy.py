"""Carrying out a remedy: its actions in order, through the same doors that the buyer's own clicks would use.

Every step is repeatable: its key comes from the remedy and its place. A step that the facts no longer call for is
skipped; one that needs something typed says so and is gone on with at the next call.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from uuid import UUID

import msgspec

from fenqi import cashier, credit
from fenqi.cashier import Action, Facts, Offer, Remedy, action
from fenqi.flows import amend, at_stake, charge, money, presale, prove, quote, repay
from fenqi.flows.basis import Basis
from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, Device
from fenqi.flows.prove import Needed
from fenqi.kernel.ids import bucket_of, parse_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal

_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_SOON_MS = 60_000


class Outcome(msgspec.Struct, frozen=True):
    """Where carrying out a remedy has got to.

    `needed`: what the buyer has to type before the next step. `wait_until_ms`: it works from then on. Otherwise it is
    done, and this checkout can be paid by this method and plan (with `part_by`: partly by another method).
    """

    done: bool
    intent_id: UUID
    method: str
    plan: str | None
    steps_done: int
    needed: Needed | None = None
    wait_until_ms: int | None = None
    part_by: tuple[str, int] | None = None


class Chosen(msgspec.Struct, frozen=True):
    """A remedy found by its id, with the offer that it cures."""

    remedy_id: str
    intent_id: UUID
    method: str
    plan: str | None
    remedy: Remedy


def remedy_id(decision_id: UUID, offer: Offer, place: int) -> str:
    """The id of an offer's n-th remedy: it names the decision that found it."""
    return f"{decision_id.hex}.{offer.method}.{offer.plan or '-'}.{place}"


async def find(ctx: Context, consumer_id: UUID, remedy: str) -> Chosen:
    """The remedy of this id in the consumer's decision; NotFound (REMEDY_UNKNOWN) otherwise."""
    head, _, rest = remedy.partition(".")
    decision_id, parts = parse_id(head), rest.split(".")
    if decision_id is None or len(parts) != 3 or not parts[2].isdigit():
        raise _unknown()
    async with ctx.database.snapshot() as tx:
        stored = await cashier.select_decision(tx, bucket_of(consumer_id), consumer_id, decision_id)
    if stored is None or stored.kind != "offers":
        raise _unknown()
    plan = None if parts[1] == "-" else parts[1]
    for offer in _OFFERS.decode(stored.verdict):
        if (offer.method, offer.plan) == (parts[0], plan) and int(parts[2]) < len(offer.remedies):
            return Chosen(remedy, stored.intent_id, parts[0], plan, offer.remedies[int(parts[2])])
    raise _unknown()


def _unknown() -> Refusal:
    return NotFound("REMEDY_UNKNOWN", "no such remedy")


async def apply(
    ctx: Context, consumer_id: UUID, remedy: str, given: Mapping[str, str], device: Device = USUAL
) -> Outcome:
    """Carry out what is left of a remedy's actions, as far as `given` allows.

    Refuses REMEDY_UNKNOWN, what the steps themselves refuse, and REMEDY_OVERTAKEN when the method is still refused
    at the end because others changed something meanwhile (the answer to that is a new quote).
    """
    chosen = await find(ctx, consumer_id, remedy)
    await _note(ctx, "remedy_taken", consumer_id, chosen)
    basis = await quote.gather(ctx, consumer_id, chosen.intent_id, device=device)
    for place, step in enumerate(chosen.remedy.actions):
        moved = await _step(ctx, basis, chosen, place, step, given)
        if isinstance(moved, Outcome):
            return moved
        if moved is not None:
            basis = await quote.gather(ctx, consumer_id, moved, device=device)
        if isinstance(step, _TYPED) and moved is not None:
            given = {name: typed for name, typed in given.items() if name != "sms_code"}  # a code serves one step
    done = await _finish(ctx, basis, chosen)
    await _note(ctx, "remedy_done", consumer_id, chosen, done.intent_id)
    return done


async def _note(ctx: Context, kind: str, consumer_id: UUID, chosen: Chosen, to_intent_id: UUID | None = None) -> None:
    steps = [str(step.__struct_config__.tag) for step in chosen.remedy.actions]
    await at_stake.note(ctx, kind, consumer_id, chosen.intent_id, chosen.method, chosen.plan, steps, to_intent_id)


async def _step(
    ctx: Context, basis: Basis, chosen: Chosen, place: int, step: Action, given: Mapping[str, str]
) -> Outcome | UUID | None:
    """One action: an outcome when it can't go on now, the checkout to look at again when something changed."""
    if isinstance(step, action.Wait):
        if basis.facts.now_ms < step.until_ms:
            return _outcome(chosen, basis, place, wait_until_ms=step.until_ms)
        if basis.facts.order.presale_stage == "deposit":
            return (await presale.place_tail(ctx, basis.consumer_id, basis.order_id)).intent_id
        return basis.intent_id
    if isinstance(step, action.PayPartBy) and presale.is_deposit(basis.facts, step.amount_minor):
        await presale.pay_deposit(ctx, basis, _key(chosen, place), step.method)
        return basis.intent_id
    if isinstance(step, _CHOICES) or not _is_called_for(step, basis.facts):
        return None
    if isinstance(step, _TYPED):
        needed = await _typed(ctx, basis.consumer_id, step, given)
        return basis.intent_id if needed is None else _outcome(chosen, basis, place, needed=needed)
    if isinstance(step, _ORDERS):
        by = ctx.by_consumer(basis.consumer_id, "changed the order")
        await charge.withdraw(ctx, basis.consumer_id, basis.order_id, by)
        return await _change_order(ctx, basis, chosen, place, step)
    await _move(ctx, basis, _key(chosen, place), step)
    return basis.intent_id


_CHOICES = (action.ChoosePlan, action.PayPartBy, action.UseClient)
_TYPED = (action.VerifyIdentity, action.SetPayPassword, action.StepUp, action.BindCard, action.Unlock)
_ORDERS = (
    action.TakeOutLines,
    action.ChangeSeller,
    action.ChangeScene,
    action.ChangeDelivery,
    action.RemoveCoupon,
    action.AcceptPrice,
    action.Reorder,
)


def _is_called_for(step: Action, facts: Facts) -> bool:
    """Whether the step still has something to do. Money moves by keys of its own, so a repeat of it moves nothing."""
    if isinstance(step, action.StepUp):
        return facts.consumer.stepped_up_until_ms <= facts.now_ms + _SOON_MS
    if isinstance(step, action.BindCard):
        return cashier.wants_another_card(facts)
    if isinstance(step, action.TopUp | action.Repay | action.PayOverdue | action.SettleLoan):
        return True
    return cashier.apply(step, facts) is not None


async def _typed(ctx: Context, consumer_id: UUID, step: Action, given: Mapping[str, str]) -> Needed | None:
    if isinstance(step, action.VerifyIdentity):
        verbs = {"real_name": prove.real_name, "id_document": prove.id_document, "phone": prove.phone}
        return await verbs[step.what](ctx, consumer_id, given)
    if isinstance(step, action.SetPayPassword):
        return await prove.pay_password(ctx, consumer_id, given)
    if isinstance(step, action.StepUp):
        return await prove.step_up(ctx, consumer_id, given)
    if isinstance(step, action.BindCard):
        return await prove.card(ctx, consumer_id, given)
    assert isinstance(step, action.Unlock)
    return await prove.unlock(ctx, consumer_id, step.lock, given)


async def _change_order(ctx: Context, basis: Basis, chosen: Chosen, place: int, step: Action) -> UUID:
    """An action on the order: the checkout at which it is paid afterwards."""
    consumer_id, order_id = basis.consumer_id, basis.order_id
    if isinstance(step, action.TakeOutLines):
        lines = [UUID(line) for line in step.line_ids]
        await amend.take_out(ctx, consumer_id, order_id, lines, _key(chosen, place))
    elif isinstance(step, action.ChangeSeller):
        await amend.change_seller(ctx, consumer_id, order_id, UUID(step.line_id), UUID(step.merchant_id))
    elif isinstance(step, action.ChangeScene):
        await amend.change_scene(ctx, consumer_id, order_id, step.scene)
    elif isinstance(step, action.ChangeDelivery):
        await amend.change_delivery(ctx, consumer_id, order_id, step.delivery)
    elif isinstance(step, action.RemoveCoupon):
        await amend.remove_coupon(ctx, consumer_id, order_id, UUID(step.coupon_id))
    elif isinstance(step, action.AcceptPrice):
        await amend.accept_price(ctx, consumer_id, order_id)
    else:
        placed = await amend.reorder(ctx, consumer_id, order_id, _key(chosen, place))
        return placed.intent_id
    return basis.intent_id


async def _move(ctx: Context, basis: Basis, key: UUID, step: Action) -> None:
    """An action on money, the line or the money account."""
    product, consumer_id = ctx.reference.product, basis.consumer_id
    if isinstance(step, action.TopUp):
        card_id = await charge.good_card(ctx, consumer_id, basis.facts, step.amount_minor)
        moved = await money.top_up(ctx, consumer_id, key, step.amount_minor, card_id)
        if moved.state != "succeeded":
            raise Conflict("PAYMENT_IN_PROGRESS", "the card's bank has not answered yet", retry_after_s=3)
    elif isinstance(step, action.Repay):
        await repay.free_limit(ctx, consumer_id, key, step.limit_path, step.amount_minor, step.pay_minor or None)
    elif isinstance(step, action.PayOverdue):
        await repay.pay_overdue(ctx, consumer_id, key, step.amount_minor)
    elif isinstance(step, action.SettleLoan):
        await repay.settle(ctx, consumer_id, key, UUID(step.loan_id), step.amount_minor)
    elif isinstance(step, action.OpenMoneyAccount):
        await money.open_account(ctx, consumer_id)
    else:
        by = ctx.by_consumer(consumer_id, step.__class__.__name__)
        async with ctx.database.transaction() as tx:
            if isinstance(step, action.Activate):
                await credit.activation.activate(tx, consumer_id, product, by)
            elif isinstance(step, action.SignAgreement):
                await credit.activation.sign_agreement(tx, consumer_id, step.version, product, by)
            elif isinstance(step, action.GiveConsent):
                await credit.activation.give_consents(tx, consumer_id, product, by)
            elif isinstance(step, action.Reopen):
                await credit.activation.reopen(tx, consumer_id, product, by)
            else:
                assert isinstance(step, action.SwitchOnPay), step
                await money.switch_within(tx, consumer_id, True, by)


async def _finish(ctx: Context, basis: Basis, chosen: Chosen) -> Outcome:
    """Look whether it worked: the very evaluation that paying makes."""
    plan = next((s.plan for s in chosen.remedy.actions if isinstance(s, action.ChoosePlan)), None)
    part = next((s for s in chosen.remedy.actions if isinstance(s, action.PayPartBy)), None)
    facts = basis.facts
    if facts.order.presale_stage is not None:
        part = None  # the deposit has been paid, its tail is paid as a whole
    if part is not None:
        after = cashier.apply(part, facts)
        facts = facts if after is None else after
    chosen_plan = plan or chosen.remedy.plan or chosen.plan
    if cashier.evaluate(facts, chosen.method, chosen_plan):
        raise Conflict("REMEDY_OVERTAKEN", "something else has changed meanwhile: ask for a new quote")
    done = _outcome(chosen, basis, len(chosen.remedy.actions))
    part_by = None if part is None else (part.method, part.amount_minor)
    return msgspec.structs.replace(done, done=True, plan=chosen_plan, part_by=part_by)


def _outcome(
    chosen: Chosen, basis: Basis, place: int, needed: Needed | None = None, wait_until_ms: int | None = None
) -> Outcome:
    return Outcome(False, basis.intent_id, chosen.method, chosen.plan, place, needed, wait_until_ms)


def _key(chosen: Chosen, place: int) -> UUID:
    """The key of one step of one remedy."""
    digest = hashlib.sha256(f"{chosen.remedy_id}#{place}".encode()).digest()
    return UUID(bytes=digest[:16], version=4)
