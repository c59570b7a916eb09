"""The credit line through the flows: applied for, activated, bought with, repaid and refunded, each by its key once."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from tests import world

from fenqi import credit, customer, ledger
from fenqi.credit import BureauFile, ConsentKind, Grant, LimitKind, LineState, PayAmount, activation
from fenqi.credit.model import GENERAL_PATH
from fenqi.database.idempotency import KeyReused
from fenqi.flows import activate_credit, apply_credit, expire, manage_line, pay, refund, repay
from fenqi.flows.apply_credit import Declared
from fenqi.flows.request import PayRequest
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal

GOOD_FILE = BureauFile(2, 60, 0, 1, 100_000)
DECLARED = Declared(2_000_000, ("income", "employment", "residence"))
CONSENTS = activation.required_consents(credit.PRODUCT)


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def crowd(ctx, run) -> list[UUID]:
    return run(world.people(ctx, 8))


def staff(ctx, why="the goods came back") -> By:
    return By("staff:lin", why, ctx.now())


async def buy(ctx, consumer_id, plan="instalment_12", method="credit", part_by=None):
    """A paid phone: the placed order."""
    await world.step_up(ctx, consumer_id)
    phone = world.wish(ctx.reference.newest, "phone", most_minor=600_000)
    placed = await world.buy(ctx, consumer_id, [phone])
    request = PayRequest(consumer_id, new_id(), placed.intent_id, method, plan, b"body", None, part_by)
    paid = await pay.pay(ctx, request)
    assert paid.outcome == "succeeded", paid.reasons
    return placed.order


async def accounts(ctx, consumer_id):
    async with ctx.database.snapshot() as tx:
        return {path: one.balance_minor for path, one in (await ledger.limits.accounts_of(tx, consumer_id)).items()}


def refused(run, verb, code):
    with pytest.raises(Refusal) as caught:
        run(verb)
    assert caught.value.code == code


def test_from_the_application_to_the_last_instalment(ctx, crowd, run):
    who = crowd[0]

    async def story():
        asked, line = await apply_credit.apply(ctx, who, new_id(), DECLARED, CONSENTS, GOOD_FILE)
        assert (asked.outcome, line.state) == ("approved", LineState.NOT_ACTIVATED)
        await activate_credit.activate(ctx, who)
        assert (await activate_credit.activate(ctx, who)).state is LineState.ACTIVE
        bought = await buy(ctx, who, "instalment_3")
        (loan,) = (await manage_line.my_credit(ctx, who)).open_loans
        assert loan.outstanding_minor == bought.payable_minor
        paid = [await repay.pay_instalment(ctx, who, new_id(), loan.loan_id) for _ in range(3)]
        assert [one.loans[0].state for one in paid] == ["active", "active", "settled"]
        mine = await manage_line.my_credit(ctx, who)
        assert mine.open_loans == ()
        assert [one.loan_id for one in mine.past_loans] == [loan.loan_id]
        assert (await accounts(ctx, who))[GENERAL_PATH] == 0
        assert await world.settle(ctx) == []

    run(story())


def test_the_same_application_gets_the_same_decision(ctx, crowd, run):
    who, application_id = crowd[1], new_id()

    async def ask():
        return await apply_credit.apply(ctx, who, application_id, DECLARED, CONSENTS, GOOD_FILE)

    first, second = run(ask()), run(ask())
    assert first == second
    refused(run, apply_credit.apply(ctx, who, new_id(), DECLARED, CONSENTS, GOOD_FILE), "STATE_CONFLICT")


def test_a_person_with_two_accounts_has_one_line(ctx, crowd, run):
    """The second account's owner is the same person: refused, and the cashier knows why from then on."""
    who, other = crowd[2], crowd[3]

    async def same_person():
        await apply_credit.apply(ctx, who, new_id(), DECLARED, CONSENTS, GOOD_FILE)
        async with ctx.database.transaction() as tx:
            cursor = await tx.execute(
                "UPDATE consumer AS b SET person_hash = a.person_hash FROM consumer AS a"
                " WHERE a.consumer_id = %s AND b.consumer_id = %s",
                (who, other),
            )
            assert cursor.rowcount == 1

    run(same_person())
    for _ in range(2):
        refused(run, apply_credit.apply(ctx, other, new_id(), DECLARED, CONSENTS, GOOD_FILE), "CREDIT_ON_OTHER_ACCOUNT")
    view = run(manage_line.my_credit(ctx, other)).view
    assert (view.state, view.opened_on_other_account) == ("not_opened", True)


def test_a_repayment_is_made_once_for_its_key(ctx, crowd, run):
    who, key = crowd[4], new_id()

    async def story():
        await world.give_line(ctx, who)
        await buy(ctx, who)
        first = await repay.pay_amount(ctx, who, key, 50_000)
        assert await repay.pay_amount(ctx, who, key, 50_000) == first
        with pytest.raises(KeyReused):
            await repay.pay_amount(ctx, who, key, 60_000)
        after = await accounts(ctx, who)
        shown = await repay.preview(ctx, who, PayAmount(1_000))
        assert await accounts(ctx, who) == after
        assert shown.total_minor == 1_000
        many = await asyncio.gather(*(repay.pay_amount(ctx, who, key, 50_000) for _ in range(10)))
        assert all(one == first for one in many)
        assert await accounts(ctx, who) == after
        assert after["liability:money_account"] == -1_950_000

    run(story())


def test_a_remedys_steps_free_what_they_promise(ctx, crowd, run):
    who = crowd[5]

    async def story():
        await world.give_line(ctx, who)
        await buy(ctx, who)
        before = (await accounts(ctx, who))[GENERAL_PATH]
        freed = await repay.free_limit(ctx, who, new_id(), GENERAL_PATH, 12_345)
        assert freed.freed == {GENERAL_PATH: 12_345}
        assert (await accounts(ctx, who))[GENERAL_PATH] == before - 12_345
        with pytest.raises(Refusal, match="NOTHING_OWED"):
            await repay.pay_overdue(ctx, who, new_id())
        ctx.clock.advance(timedelta(days=32))
        late = (await manage_line.my_credit(ctx, who)).view
        assert late.overdue_days > 0
        cleared = await repay.pay_overdue(ctx, who, new_id())
        assert cleared.total_minor == late.overdue_minor
        (loan,) = (await manage_line.my_credit(ctx, who)).open_loans
        await repay.settle(ctx, who, new_id(), loan.loan_id)
        ctx.clock.advance(-timedelta(days=32))
        assert (await accounts(ctx, who))[GENERAL_PATH] == 0

    run(story())


def test_a_frozen_money_account_pays_nothing(ctx, crowd, run):
    who = crowd[5]

    async def freeze(frozen):
        async with ctx.database.transaction() as tx:
            await customer.freeze_money_account(tx, who, frozen, staff(ctx, "a letter from the police"))

    run(freeze(True))
    refused(run, repay.pay_amount(ctx, who, new_id(), 100), "MONEY_ACCOUNT_FROZEN")
    run(freeze(False))


def test_refunds_whole_and_in_part_and_by_key(ctx, crowd, run):
    who, key = crowd[6], new_id()

    async def story():
        await world.give_line(ctx, who)
        before = await accounts(ctx, who)
        bought = await buy(ctx, who)
        part = await refund.refund(ctx, who, key, bought.order_id, 10_000, staff(ctx))
        assert await refund.refund(ctx, who, key, bought.order_id, 10_000, staff(ctx)) == part
        assert (part.to_limit_minor, part.to_money_account_minor) == (10_000, 0)
        await repay.pay_amount(ctx, who, new_id(), 20_000)
        shown = await refund.preview(ctx, who, bought.order_id, None, staff(ctx))
        rest = await refund.refund(ctx, who, new_id(), bought.order_id, None, staff(ctx))
        assert (shown.amount_minor, shown.to_money_account_minor) == (rest.amount_minor, rest.to_money_account_minor)
        assert part.amount_minor + rest.amount_minor == bought.payable_minor
        assert [row.kind for row in await refund.refunds_of(ctx, who, bought.order_id)] == ["refund", "refund"]
        after = await accounts(ctx, who)
        assert after[GENERAL_PATH] == 0
        view = (await manage_line.my_credit(ctx, who)).past_loans[0].state
        fees = sum(row.paid.fee_minor for row in view.rows)
        assert after["liability:money_account"] == before["liability:money_account"] + fees
        with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
            await refund.refund(ctx, who, new_id(), bought.order_id, 1, staff(ctx))
        assert await world.settle(ctx) == []

    run(story())


def test_a_mixed_payment_is_undone_as_it_was_made(ctx, crowd, run):
    who = crowd[7]

    async def story():
        await world.give_line(ctx, who)
        before = await accounts(ctx, who)
        bought = await buy(ctx, who, part_by=("money_account", 100_000))
        row = await refund.refund(ctx, who, new_id(), bought.order_id, None, staff(ctx))
        assert (row.kind, row.to_money_account_minor) == ("cancellation", 100_000)
        after = await accounts(ctx, who)
        assert {path: after[path] for path in before} == before
        assert await world.settle(ctx) == []

    run(story())


def test_racing_refunds_give_back_no_more_than_was_paid(ctx, crowd, run):
    who = crowd[7]

    async def story():
        before = await accounts(ctx, who)
        bought = await buy(ctx, who, "full", "money_account")
        third = bought.payable_minor // 3 + 1

        async def click():
            try:
                return (await refund.refund(ctx, who, new_id(), bought.order_id, third, staff(ctx))).amount_minor
            except Refusal as no:
                return no.code

        answers = await asyncio.gather(*(click() for _ in range(8)))
        assert sorted(answers, key=str) == [third, third, *["REFUND_TOO_LARGE"] * 6]
        await refund.refund(ctx, who, new_id(), bought.order_id, None, staff(ctx))
        assert (await accounts(ctx, who))["liability:money_account"] == before["liability:money_account"]

    run(story())


def test_only_paid_orders_of_ones_own_are_refunded(ctx, crowd, run):
    who, stranger = crowd[7], crowd[6]

    async def story():
        phone = world.wish(ctx.reference.newest, "phone", most_minor=600_000)
        placed = await world.buy(ctx, who, [phone])
        return placed.order.order_id

    order_id = run(story())
    refused(run, refund.refund(ctx, who, new_id(), order_id, None, staff(ctx)), "ORDER_NOT_PAID")
    refused(run, refund.refund(ctx, stranger, new_id(), order_id, None, staff(ctx)), "ORDER_UNKNOWN")
    refused(run, refund.preview(ctx, stranger, order_id, None, staff(ctx)), "ORDER_UNKNOWN")


def test_the_owner_and_the_lender_manage_the_line(ctx, crowd, run):
    who = crowd[6]

    async def story():
        await manage_line.withdraw_consent(ctx, who, ConsentKind.BUREAU)
        assert (await manage_line.my_credit(ctx, who)).view.consent_given is False
        await manage_line.close(ctx, who)
        assert (await manage_line.reopen(ctx, who)).state is LineState.ACTIVE
        by = staff(ctx, "asked by the regulator")
        await manage_line.set_limit(ctx, who, GENERAL_PATH, 100_000, by)
        await manage_line.freeze_limit(ctx, who, GENERAL_PATH, 40_000, by)
        limit = (await manage_line.my_credit(ctx, who)).view.limits[0]
        assert (limit.ceiling_minor, limit.frozen_minor) == (100_000, 40_000)
        await manage_line.freeze(ctx, who, by)
        await manage_line.unfreeze(ctx, who, by)
        await manage_line.withdraw_line(ctx, who, ("CR_OWN_DELINQUENT",), by)
        assert (await manage_line.reinstate(ctx, who, by)).state is LineState.ACTIVE
        assert (await manage_line.lock(ctx, who)).state is LineState.SELF_LOCKED
        with pytest.raises(Refusal, match="WHY_REQUIRED"):
            await manage_line.freeze(ctx, who, By("staff:lin", " ", ctx.now()))

    run(story())


def test_the_clockwork_brings_the_ledger_to_lapsed_limits(ctx, crowd, run):
    who = crowd[4]
    path = "asset:loan_principal:temporary"

    async def story():
        by = staff(ctx, "the summer sale")
        last_on = business_date(ctx.now()) + timedelta(days=3)
        await manage_line.grant_limit(
            ctx, who, Grant(kind=LimitKind.TEMPORARY, amount_minor=9_900, expires_on=last_on), by
        )
        ctx.clock.advance(timedelta(days=4))
        assert await expire.tick(ctx) >= 1
        ctx.clock.advance(-timedelta(days=4))
        async with ctx.database.snapshot() as tx:
            return (await ledger.limits.accounts_of(tx, who))[path].ceiling_minor

    assert run(story()) == 0
