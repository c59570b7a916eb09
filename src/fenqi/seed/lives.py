"""How the members of the demo's cast got where they are: one short life each, lived through the flows.

What time brings about (overdue, observation, lapsed limits) happens because days pass; what others do to a consumer
is done by the rooms' own doors in the demo's name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from datetime import timedelta

import msgspec

from fenqi import catalog, credit, customer
from fenqi.credit import ConsentKind, LimitKind, LineState
from fenqi.customer import Purpose
from fenqi.flows import manage_line, money, pay, prove, repay, shop
from fenqi.flows.request import PayRequest
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.ledger import Leg, Outcome, holds
from fenqi.seed.stage import GENERAL, MIDDLE, NARROW, NO_FILE, REFUSED, WIDE, Basket, LineAs, Pick, Stage

Life = Callable[[Stage], Awaitable[None]]

LAPTOP = Basket((Pick("laptop", 7_500),), "instalment_mall")
SMALL = Basket((Pick("kitchen_appliance", 300, "fenqi_home"),))
LUNCH = Basket((Pick("tea", 32, "jiejiao", 34),), "scan_to_pay", "pick_up")
_SHORTLY_H = 2
_OLD_AGREEMENT = "agreement-2025-2"


async def newcomer(stage: Stage) -> None:
    """Nothing has happened yet."""
    stage.come_home()


def with_line(applicant: LineAs = WIDE, days: int = 60, yuan: int = 0) -> Life:
    """An active line, opened so many days ago, and so much in the money account."""

    async def life(stage: Stage) -> None:
        stage.days_ago(days)
        await stage.line(applicant)
        if yuan:
            await stage.top_up(yuan)

    return life


def flagged(**flags: object) -> Life:
    """An active line with these flags."""

    async def life(stage: Stage) -> None:
        await with_line()(stage)
        stage.days_ago(4)
        await stage.flags(**flags)

    return life


async def student_parent(stage: Stage) -> None:
    """A line with thirty clean months, taken over from another system, and a child at school."""
    await with_line()(stage)
    stage.days_ago(40)
    await stage.flags(first_loan_on=business_date(stage.now) - timedelta(days=913))
    async with stage.transaction() as tx:
        await customer.grant_segment(tx, stage.consumer_id, "student_parent", stage.by_demo)


def marked(**marks: object) -> Life:
    """An active line, and something that operators noted."""

    async def life(stage: Stage) -> None:
        await with_line(yuan=200)(stage)
        stage.days_ago(2)
        await stage.marks(**marks)

    return life


async def ready(stage: Stage) -> None:
    """Everything in order, money in the account, a loan running."""
    await with_line(yuan=6_000)(stage)
    stage.days_ago(20)
    await stage.buy(SMALL, "credit", "instalment_3")


async def short(stage: Stage) -> None:
    """The story: a limit of ¥10,000, a laptop bought on it, and now a phone."""
    await with_line(MIDDLE, yuan=1_200)(stage)
    stage.days_ago(18)
    await stage.buy(LAPTOP, "credit", "instalment_12")


async def pending(stage: Stage) -> None:
    """Applied this morning; a person decides within a day."""
    stage.days_ago(0, _SHORTLY_H)
    assert await stage.apply(NO_FILE) == "review"


async def rejected(stage: Stage) -> None:
    """Refused with principal reasons, and too early to ask again."""
    stage.days_ago(9)
    assert await stage.apply(REFUSED) == "rejected"


async def not_activated(stage: Stage) -> None:
    """Approved, and left there."""
    stage.days_ago(3)
    assert await stage.apply(WIDE) == "approved"


async def closed_by_user(stage: Stage) -> None:
    """Closed the line without a debt."""
    await with_line()(stage)
    stage.days_ago(3)
    await manage_line.close(stage.ctx, stage.consumer_id)


async def closed_by_lender(stage: Stage) -> None:
    """The lender withdrew the line, with its reasons."""
    await with_line()(stage)
    stage.days_ago(6)
    await manage_line.withdraw_line(
        stage.ctx, stage.consumer_id, ("CR_DEBT_BURDEN", "CR_TOO_MANY_INQUIRIES"), stage.by_demo
    )


def locked(state: LineState, for_days: int | None = None) -> Life:
    """An active line that was locked: by its owner, for long disuse, or after wrong passwords."""

    async def life(stage: Stage) -> None:
        await with_line(days=95)(stage)
        stage.days_ago(0, 1)
        until_at = None if for_days is None else stage.now + timedelta(days=for_days)
        async with stage.transaction() as tx:
            await credit.line.set_lock(tx, stage.consumer_id, state, stage.by_demo, until_at)

    return life


async def self_locked(stage: Stage) -> None:
    """Locked by its owner, for safety."""
    await with_line()(stage)
    stage.days_ago(5)
    await manage_line.lock(stage.ctx, stage.consumer_id)


async def frozen(stage: Stage) -> None:
    """Frozen by the lender for five more days."""
    await with_line()(stage)
    stage.days_ago(2)
    until_at = stage.now + timedelta(days=5)
    await manage_line.freeze(stage.ctx, stage.consumer_id, stage.by_demo, until_at)


async def agreement_expired(stage: Stage) -> None:
    """Signed the agreement that was in force before this one."""
    stage.days_ago(80)
    assert await stage.apply(WIDE) == "approved"
    before = msgspec.structs.replace(stage.ctx.reference.product, agreement_version=_OLD_AGREEMENT)
    async with stage.transaction() as tx:
        await credit.activation.activate(tx, stage.consumer_id, before, stage.by_demo)


async def consent_withdrawn(stage: Stage) -> None:
    """Withdrew the consent to be looked up at the bureau."""
    await with_line()(stage)
    stage.days_ago(8)
    await manage_line.withdraw_consent(stage.ctx, stage.consumer_id, ConsentKind.BUREAU)


async def other_account(stage: Stage) -> None:
    """The same person has a line under another account; asking for one here ended there."""
    stage.days_ago(12)
    async with stage.transaction() as tx:
        await credit.application.note_other_account(tx, stage.consumer_id, stage.by_demo)


async def temporary_lapsed(stage: Stage) -> None:
    """A temporary limit for the last sale, lapsed since."""
    await with_line(NARROW)(stage)
    stage.days_ago(25)
    last_on = business_date(stage.now) - timedelta(days=5)
    await stage.grant(LimitKind.TEMPORARY, 6_000, expires_on=last_on)


async def temporary_in_one_sum(stage: Stage) -> None:
    """A temporary limit that can't be repaid in instalments."""
    await with_line(NARROW)(stage)
    stage.days_ago(4)
    last_on = business_date(stage.now) + timedelta(days=20)
    await stage.grant(LimitKind.TEMPORARY, 6_000, installable=False, expires_on=last_on)


async def dedicated(stage: Stage) -> None:
    """A limit for furniture and home improvement only."""
    await with_line(NARROW)(stage)
    stage.days_ago(10)
    await stage.grant(
        LimitKind.DEDICATED, 20_000, dedicated_to="furniture", categories=("furniture", "home_improvement")
    )


async def reduced(stage: Stage) -> None:
    """The lender has cut the limit."""
    await with_line(MIDDLE)(stage)
    stage.days_ago(5)
    await stage.cut_to(2_000)


async def partly_frozen(stage: Stage) -> None:
    """The lender has frozen most of the limit."""
    await with_line(MIDDLE)(stage)
    stage.days_ago(5)
    await manage_line.freeze_limit(stage.ctx, stage.consumer_id, GENERAL, 800_000, stage.by_demo)


async def overdrawn(stage: Stage) -> None:
    """The limit was cut below what is used."""
    await short(stage)
    stage.days_ago(3)
    await stage.cut_to(5_000)


async def held(stage: Stage) -> None:
    """An authorisation of another order holds most of the limit."""
    await with_line(MIDDLE)(stage)
    stage.days_ago(0, 1)
    other = await stage.place(SMALL, timedelta(minutes=5))
    at = stage.ctx.now()
    hold = holds.Hold(
        new_id(epoch_ms(at)), stage.consumer_id, (Leg(GENERAL, 900_000),), business_date(at), at, other.order.order_id
    )
    async with stage.transaction() as tx:
        assert (await holds.reserve(tx, hold)).outcome is Outcome.HELD


async def sub_limit_full(stage: Stage) -> None:
    """Instalments have a sub-limit of their own, and it is nearly used up."""
    await with_line()(stage)
    stage.days_ago(30)
    await stage.buy(Basket((Pick("washer", 1_800, "fenqi"),)), "credit", "instalment_12")
    stage.days_ago(3)
    await stage.flags(instalment_ceiling_minor=300_000)


async def many_loans(stage: Stage) -> None:
    """As many loans open as the lender allows."""
    await with_line()(stage)
    stage.days_ago(3)
    await stage.flags(loans_cap=2)
    stage.days_ago(2)
    await stage.buy(SMALL, "credit", "instalment_3")
    await stage.buy(Basket((Pick("skincare", 150, "qingci"),)), "credit", "pay_later")


async def day_cap(stage: Stage) -> None:
    """Has spent nearly ¥30,000 on credit today."""
    await with_line()(stage)
    stage.earlier_today()
    for _ in range(2):
        await stage.buy(Basket((Pick("laptop", 7_000, "fenqi", 2),), "instalment_mall"), "credit", "instalment_12")


async def month_cap(stage: Stage) -> None:
    """Has spent nearly ¥3,000 on credit at counters this month."""
    await with_line()(stage)
    stage.earlier_today()
    for _ in range(3):
        await stage.buy(LUNCH, "credit", "pay_later")


async def overdue(stage: Stage) -> None:
    """A purchase of fifty days ago was due twenty days ago, and nobody paid."""
    await with_line()(stage)
    stage.days_ago(50)
    await stage.buy(Basket((Pick("shoes", 300),)), "credit", "pay_later")


async def overdue_cleared(stage: Stage) -> None:
    """Forty days late, then paid: the line is under observation for a while."""
    await with_line(days=95)(stage)
    stage.days_ago(85)
    await stage.buy(Basket((Pick("shoes", 300),)), "credit", "pay_later")
    stage.days_ago(10)
    await stage.top_up(800)
    await repay.pay_overdue(stage.ctx, stage.consumer_id, new_id(epoch_ms(stage.ctx.now())))


async def collections(stage: Stage) -> None:
    """Long overdue, and with the debt collectors."""
    await with_line(days=98)(stage)
    stage.days_ago(97)
    await stage.buy(Basket((Pick("shoes", 300),)), "credit", "pay_later")
    stage.days_ago(4)
    await stage.flags(in_collections=True)


async def hardship(stage: Stage) -> None:
    """A hardship plan runs, and while it runs nothing new is lent."""
    await with_line()(stage)
    stage.days_ago(4)
    await stage.flags(hardship_until_on=business_date(stage.now) + timedelta(days=60))


async def pay_password_locked(stage: Stage) -> None:
    """Five wrong pay passwords, a few minutes ago."""
    await with_line(yuan=200)(stage)
    stage.days_ago(0)
    await _wrong_passwords(stage)


async def _wrong_passwords(stage: Stage) -> None:
    for _ in range(5):
        async with stage.transaction() as tx:
            await customer.check_pay_password(tx, stage.consumer_id, "975310", stage.by_demo)


async def sms_limit(stage: Stage) -> None:
    """The pay password is locked, and the phone has had its five codes of this hour."""
    await with_line()(stage)
    stage.days_ago(0)
    stage.wait(-8 * 60)
    await _wrong_passwords(stage)
    for _ in range(5):
        await prove.send_code(stage.ctx, stage.consumer_id, Purpose.STEP_UP)
        stage.wait(65)


async def switch_off(stage: Stage) -> None:
    """Paying by balance is switched off."""
    stage.days_ago(30)
    await stage.top_up(8_000)
    stage.days_ago(1)
    async with stage.transaction() as tx:
        await money.switch_within(tx, stage.consumer_id, False, stage.by_demo)


async def wallet_frozen(stage: Stage) -> None:
    """The money account is frozen."""
    stage.days_ago(30)
    await stage.top_up(8_000)
    stage.days_ago(1)
    async with stage.transaction() as tx:
        await customer.freeze_money_account(tx, stage.consumer_id, True, stage.by_demo)


async def balance_short(stage: Stage) -> None:
    """¥86 in the account."""
    stage.days_ago(7)
    await stage.top_up(86)


async def free_uses_spent(stage: Stage) -> None:
    """Has used the platform's interest-free instalments twice."""
    await with_line()(stage)
    stage.days_ago(30)
    for _ in range(2):
        await stage.buy(Basket((Pick("washer", 1_500, "fenqi"),)), "credit", "instalment_6_free")


async def close_order(stage: Stage) -> None:
    """After the order is placed: close it."""
    placed = stage.orders[-1]
    await shop.close_order(stage.ctx, stage.consumer_id, placed.order.order_id)


async def pay_order(stage: Stage) -> None:
    """After the order is placed: pay it."""
    placed = stage.orders[-1]
    digest = hashlib.sha256(placed.intent_id.bytes).digest()
    request = PayRequest(
        stage.consumer_id, new_id(epoch_ms(stage.ctx.now())), placed.intent_id, "credit", "pay_later", digest
    )
    assert (await pay.pay(stage.ctx, request)).outcome == "succeeded"


async def raise_price(stage: Stage) -> None:
    """After the order is placed: its goods become dearer."""
    line = stage.orders[-1].order.lines[0]
    async with stage.transaction() as tx:
        await catalog.change_price(tx, line.sku_id, line.merchant_id, line.unit_price_minor + 2_000, stage.by_demo)
