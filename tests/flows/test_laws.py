"""The laws of the design through PostgreSQL: random people in random states, with random carts, pay by random methods.

FENQI_LAW_CASES sets how many cases (500 if not given), FENQI_LAW_SEED the seed; a failing case names its number.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from tests import world

from fenqi import cashier, credit, customer, ledger
from fenqi.cashier import decode_facts
from fenqi.credit import limit as limits
from fenqi.credit.limit import Grant
from fenqi.credit.model import ConsentKind, LimitKind, LineState
from fenqi.customer import Marks, RealName, Region
from fenqi.flows import pay, quote, repay, replay
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.reason_codes import CODES
from fenqi.kernel.refusal import Refusal

CASES = int(os.environ.get("FENQI_LAW_CASES", "500"))
SEED = int(os.environ.get("FENQI_LAW_SEED", "20260824"))
PEOPLE = 60
GENERAL = "asset:loan_principal:general"


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def crowd(ctx, run):
    found = run(world.people(ctx, PEOPLE))
    for number, consumer_id in enumerate(found):
        if number % 10:
            run(world.give_line(ctx, consumer_id))
    return found


async def trouble(ctx, consumer_id, rng):
    """Something happens to this person, through the rooms' own doors; what the state forbids does not happen."""
    by = world.BY._replace(at=ctx.now())
    line = credit.line
    soon = ctx.now() + timedelta(hours=rng.choice([1, 30, 700]))
    choices = [
        lambda tx: line.set_lock(tx, consumer_id, LineState.SELF_LOCKED, by),
        lambda tx: line.set_lock(tx, consumer_id, LineState.PIN_LOCKED, by, soon),
        lambda tx: line.freeze(tx, consumer_id, by, soon),
        lambda tx: line.unfreeze(tx, consumer_id, by),
        lambda tx: line.unlock(tx, consumer_id, "self_locked", by),
        lambda tx: line.set_flags(tx, consumer_id, by, loans_cap=rng.choice([1, 3, 30])),
        lambda tx: line.set_flags(tx, consumer_id, by, overdue_with_others=rng.random() < 0.3),
        lambda tx: line.set_flags(tx, consumer_id, by, instalment_ceiling_minor=rng.choice([None, 100_000, 2_000_000])),
        lambda tx: credit.activation.withdraw_consent(tx, consumer_id, ConsentKind.BUREAU, by),
        lambda tx: credit.activation.give_consents(tx, consumer_id, credit.PRODUCT, by),
        lambda tx: limits.set_granted(tx, consumer_id, GENERAL, rng.randrange(1, 6_000_000), credit.PRODUCT, by),
        lambda tx: limits.grant(
            tx,
            consumer_id,
            Grant(kind=LimitKind.TEMPORARY, amount_minor=500_000, installable=False, expires_on=soon.date()),
            by,
        ),
        lambda tx: limits.grant(
            tx,
            consumer_id,
            Grant(kind=LimitKind.DEDICATED, amount_minor=900_000, dedicated_to="furniture", categories=("furniture",)),
            by,
        ),
        lambda tx: customer.mark(tx, consumer_id, Marks(is_student=rng.random() < 0.3), by),
        lambda tx: customer.mark(tx, consumer_id, Marks(child_mode=rng.random() < 0.3), by),
        lambda tx: customer.mark(tx, consumer_id, Marks(phone_reachable=rng.random() < 0.7), by),
        lambda tx: customer.mark(tx, consumer_id, Marks(region=rng.choice([Region.CN, Region.CN, Region.HK])), by),
        lambda tx: customer.mark(
            tx, consumer_id, Marks(real_name=rng.choice([RealName.VERIFIED, RealName.MISMATCH])), by
        ),
        lambda tx: customer.switch_pay(tx, consumer_id, rng.random() < 0.6, by),
        lambda tx: customer.freeze_money_account(tx, consumer_id, rng.random() < 0.3, by),
    ]
    try:
        async with ctx.database.transaction() as tx:
            await rng.choice(choices)(tx)
    except Refusal:
        return


async def one_case(ctx, ref, crowd, number, seen: Counter[str]):
    rng = random.Random(f"{SEED}/{number}")
    consumer_id = rng.choice(crowd)
    for _ in range(rng.choice([0, 1, 1, 2])):
        await trouble(ctx, consumer_id, rng)
    if rng.random() < 0.6:
        async with ctx.database.transaction() as tx:
            by = world.BY._replace(at=ctx.now())
            await customer.step_up_by_pay_password(tx, consumer_id, world.PAY_PASSWORD, by)
    scene, wishes = world.any_wishes(ref, rng)
    try:
        placed = await world.buy(ctx, consumer_id, wishes, scene)
    except Refusal as refusal:
        assert refusal.code in ("OUT_OF_STOCK", "AMOUNT_INVALID", "PRESALE_ALONE", "DELIVERY_INVALID"), refusal
        return
    found = await quote.quote(ctx, consumer_id, placed.intent_id)
    await laws_of_a_quote(ctx, found, seen)
    offer = rng.choice([o for o in found.offers if o.plan is not None])
    await laws_of_a_press(ctx, consumer_id, found, offer)
    if rng.random() < 0.2:
        await repay_something(ctx, consumer_id, rng)


async def laws_of_a_quote(ctx, found, seen):
    """Laws 1 and 5: typed reasons on every refusal, none of them UNKNOWN; the stored decision replays to the byte."""
    for offer in found.offers:
        assert offer.available == (not offer.reasons)
        for reason in offer.reasons:
            assert reason.code in CODES
            assert reason.code != "UNKNOWN"
            seen[reason.code] += 1
    stored = await replay.decision(ctx, found.order.consumer_id, found.decision_id)
    assert decode_facts(stored.facts) == found.facts
    assert replay.is_identical(stored, ctx.reference.product)


async def laws_of_a_press(ctx, consumer_id, found, offer):
    """Laws 4 and 8: what is listed is what paying says, and the same key says it again."""
    use_quote = found.decision_id if bucket_of(found.decision_id) % 2 else None
    asked = PayRequest(consumer_id, new_id(), found.intent_id, offer.method, offer.plan, b"body", use_quote)
    answer = await pay.pay(ctx, asked)
    assert (answer.outcome == "succeeded") == offer.available, (offer, answer)
    assert [r.code for r in answer.reasons] == [r.code for r in offer.reasons]
    assert await pay.pay(ctx, asked) == answer
    kept = await replay.decision(ctx, consumer_id, answer.decision_id)
    assert replay.is_identical(kept, ctx.reference.product)


async def repay_something(ctx, consumer_id, rng):
    """Laws 6 and 7 need money to come back, too."""
    try:
        await repay.pay_amount(ctx, consumer_id, new_id(), rng.randrange(1, 300_000))
    except Refusal:
        return


async def accounts(ctx, crowd):
    async with ctx.database.snapshot() as tx:
        return {consumer_id: await ledger.limits.accounts_of(tx, consumer_id) for consumer_id in crowd}


@pytest.mark.timeout(900)
def test_laws_hold_over_random_people_carts_and_histories(ctx, crowd, run):
    seen: Counter[str] = Counter()

    async def cases():
        ref = ctx.reference.newest
        for number in range(CASES):
            try:
                await one_case(ctx, ref, crowd, number, seen)
            except AssertionError as failed:
                raise AssertionError(f"case {number} of seed {SEED}") from failed
        assert await world.settle(ctx) == []
        return await accounts(ctx, crowd)

    found = run(cases())
    for of_one in found.values():
        for path, account in of_one.items():
            if path.startswith("liability:"):
                assert account.balance_minor <= 0, "a money account is never below zero"
            if account.reserved_minor == 0 and path.startswith("asset:loan_principal"):
                assert account.balance_minor >= 0
    assert len(seen) >= min(20, CASES // 10), seen


def test_the_limits_of_the_credit_room_and_the_ledger_agree(ctx, crowd, run):
    async def both():
        async with ctx.database.snapshot() as tx:
            return await credit.credit_facts(tx, crowd, ctx.now(), ctx.reference.product)

    views, found = run(both()), run(accounts(ctx, crowd))
    for consumer_id, view in views.items():
        for limit in view.limits:
            if limit.path in found[consumer_id]:
                assert limit.used_minor == found[consumer_id][limit.path].balance_minor
        drawn = sum(a.balance_minor for p, a in found[consumer_id].items() if p.startswith("asset:loan_principal"))
        assert drawn == sum(loan.outstanding_minor for loan in view.loans)


def test_offers_are_the_evaluators_own(ctx, crowd, run):
    """One evaluator for list and submit: every offer's reasons are what `evaluate` says of its facts."""

    async def quoted():
        placed = await world.buy(ctx, crowd[1], [world.wish(ctx.reference.newest, "phone")])
        return await quote.quote(ctx, crowd[1], placed.intent_id)

    found = run(quoted())
    for offer in found.offers:
        assert offer.reasons == cashier.evaluate(found.facts, offer.method, offer.plan)
