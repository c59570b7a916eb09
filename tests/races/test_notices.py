"""Race 3: notices that come early, twice, fifty times at once, out of order, forged, or of another sum or account.

ruoyi-vue-pro #350 handles two at once, and the slower takes the state back; medusa #13301 captures twice, and the loser
gives the money of good orders back; polar answers an early one with 409; macrozheng/mall does not compare the amount.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from fenqi import attempt
from fenqi.channels import shelf
from fenqi.channels.contract import Charge, Declined, Incoming, Paid
from fenqi.flows import conclude, hear, passages
from fenqi.kernel.ids import new_id

WAYS = [("wechat_pay", "web"), ("alipay", "web"), ("bank_card", "app")]


async def pressed(mall, buyer, method="wechat_pay", client="web"):
    placed = await mall.bought(buyer)
    await mall.press(buyer, placed, method, client=client)
    return placed, (await mall.attempts(buyer, placed.order.order_id))[-1]


async def copies(mall, begun):
    """The attempt's notices as anybody who had listened could send them again."""
    return [
        Incoming("POST", f"/hooks/{row.passage}", row.headers, row.body) for row in await mall.told(begun)
        if row.kind == "payment"
    ]  # fmt: skip


def test_it_comes_while_the_channel_is_still_being_called(mall, buyer, run):
    """polar does not know the payment yet and says 409: here its row is there before the channel hears of it."""

    async def race():
        placed = await mall.bought(buyer)
        mall.fault("bank_card", "timeout_after", "pay", seconds="60")
        async with mall.impatient(3.0):
            press = asyncio.create_task(mall.press(buyer, placed, "bank_card", client="app"))
            begun = await mall.begun(placed)
            await mall.listen(begun.attempt_no)
            assert not press.done(), "the channel has not answered yet"
            assert await mall.state_of(buyer, placed.order.order_id) == "paid"
            assert (await press).outcome == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_it_speaks_of_what_nobody_knows(mall, buyer, run):
    """polar bounces it with a 409: here it is kept, answered, and to be seen."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        [passage] = [each for each in mall.ctx.reference.newest.passages if each.code == begun.passage]
        keyed = passages._keyed(mall.ctx, passage)
        strange_no = new_id().hex
        await open_at(mall, keyed, strange_no, 4_200)
        seen = mall.control.find("wechat_pay", strange_no)
        mall.control.pay(seen.trade.trade_no)
        await mall.listen(strange_no)
        async with mall.ctx.database.snapshot() as tx:
            [row] = await attempt.notices_of(tx, [strange_no])
        assert (row.state, row.code) == ("parked", "NUMBER_UNKNOWN")
        assert await mall.state_of(buyer, placed.order.order_id) == "awaiting_payment"

    run(race())


async def open_at(mall, keyed, number, amount_minor):
    """Open a trade with a passage's keys, past this house."""
    now = mall.clock.now()
    charge = Charge(
        number, amount_minor, "not ours", "qr", now, now + timedelta(minutes=15),
        passages.notify_url(mall.ctx, keyed.code), f"{mall.base_url}/",
    )  # fmt: skip
    await shelf.channel(keyed.channel).pay(mall.ctx.http, keyed, charge)


@pytest.mark.parametrize(("method", "client"), WAYS)
def test_it_comes_again_and_fifty_times_at_once(mall, buyer, run, method, client):
    """medusa #13301 captures twice: here fifty copies are one row, one journal, one payment."""

    async def race():
        placed, begun = await pressed(mall, buyer, method, client)
        if begun.is_open:
            await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        [copy] = await copies(mall, begun)
        statuses = await asyncio.gather(*(mall.posted(copy) for _ in range(50)))
        await asyncio.gather(*(hear.drain(mall.ctx) for _ in range(5)))
        assert set(statuses) <= {200, 204}
        [row] = await mall.told(begun)
        assert (row.times, row.state) == (51, "done")
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]
        await mall.settle()

    run(race())


def test_fifty_copies_come_before_anybody_has_acted_on_the_first(mall, buyer, run):
    """medusa #13301 runs two workflows for one payment: here eight listeners conclude it once."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        mall.fault("wechat_pay", "duplicate_notice", "notice.payment", copies="50")
        await mall.goes_and_pays(begun)
        await mall.kept(begun.attempt_no, 50)
        assert [row.state for row in await mall.told(begun)] == ["received"]
        await asyncio.gather(*(hear.drain(mall.ctx) for _ in range(8)))
        assert await mall.state_of(buyer, placed.order.order_id) == "paid"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]
        await mall.settle()

    run(race())


def test_closed_comes_after_paid(mall, buyer, run):
    """ruoyi-vue-pro #350 lets the later word take the state back: here states only move forward."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        paid = await mall.get(begun)
        by = mall.ctx.by_system("test", "out of order")
        for kind in ("closed", "absent", "refused"):
            said = Declined("TRADE_CLOSED", "CHANNEL_DECLINED", kind=kind)
            await conclude.conclude(mall.ctx, buyer, begun.attempt_id, said, by, after_close=True)
        assert await mall.get(begun) == paid
        assert await mall.state_of(buyer, placed.order.order_id) == "paid"

    run(race())


def test_the_refunds_notice_comes_before_the_payments(mall, buyer, run):
    """Out of order, as ruoyi-vue-pro #350 has it: the books don't care who is heard of first."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        mall.fault("wechat_pay", "out_of_order_notice", "notice.payment", seconds="86400")
        await mall.goes_and_pays(begun)
        await mall.asked(begun)
        back = await mall.gives_back(placed, 1_000)
        assert await mall.ends(back) == "succeeded"
        await mall.listen(back.refund_no)
        await mall.listen(begun.attempt_no)
        told = mall.control.notices(trade_no=mall.trade(begun).trade.trade_no)
        first_tries = {each.notice.kind: each.tries[0].at for each in told}
        assert first_tries["refund"] < first_tries["payment"]
        assert await mall.journals(buyer, placed.order.order_id) == ["channel_refund", "purchase", "refund"]
        assert await mall.state_of(buyer, placed.order.order_id) == "paid"

    run(race())


@pytest.mark.parametrize(("method", "client"), WAYS[:2])
def test_a_forged_one_is_kept_and_not_believed(mall, buyer, run, method, client):
    """Whoever knows the address can post to it: what a notice is worth, its signature says."""

    async def race():
        placed, begun = await pressed(mall, buyer, method, client)
        if begun.way == "page":
            await mall.open_page(begun)
        mall.control.tell(mall.trade(begun).trade.trade_no, is_forged=True, as_paid=True)
        forged = await mall.refused(begun.passage)
        assert (forged.state, forged.code, forged.number) == ("refused", "FORGED", "")
        assert await mall.state_of(buyer, placed.order.order_id) == "awaiting_payment"
        assert await mall.journals(buyer, placed.order.order_id) == []
        mall.fault(method, "forged_notice", "notice.payment")
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


@pytest.mark.parametrize("told_minor", [1, 300_000, 900_000_000])
def test_another_amount_than_was_asked_is_owed_back(mall, buyer, run, told_minor):
    """macrozheng/mall does not compare: one fen would pay a phone."""

    async def race():
        placed, begun = await pressed(mall, buyer, "alipay")
        mall.fault("alipay", "wrong_amount_notice", "notice.payment", amount_minor=str(told_minor))
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        begun = await mall.get(begun)
        assert (begun.state, begun.disposition, begun.paid_minor) == ("succeeded", "returned", told_minor)
        back = await mall.refund_of(begun)
        assert (back.cause, back.amount_minor) == ("mismatch", told_minor)
        assert await mall.owed_back(buyer) == told_minor
        order = await mall.order_of(placed)
        assert (order.state, order.attempts_open) == ("awaiting_payment", 0)
        assert await mall.journals(buyer, placed.order.order_id) == ["receipt"]
        assert await mall.faults() == []

    run(race())


def test_another_currency_is_owed_back(mall, buyer, run):
    """macrozheng/mall compares neither sum nor currency."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        told = Paid("4200", begun.amount_minor, mall.clock.now(), currency="HKD")
        by = mall.ctx.by_system("test", "another currency")
        begun = await conclude.conclude(mall.ctx, buyer, begun.attempt_id, told, by)
        assert (begun.disposition, begun.paid_currency) == ("returned", "HKD")
        assert await mall.state_of(buyer, placed.order.order_id) == "awaiting_payment"
        assert (await mall.refund_of(begun)).cause == "mismatch"

    run(race())


def test_one_of_another_account_pays_nothing(mall, buyer, run):
    """Whoever holds another account here could open the same number there, and pay it to themselves."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        other = await passages.by_code(mall.ctx, "wechat-pay-spare")
        assert begun.passage == "wechat-pay"
        await open_at(mall, other, begun.attempt_no, begun.amount_minor)
        [there] = mall.control.trades(channel="wechat_pay", account_id=mall.account("wechat-pay-spare"),
                                      out_no=begun.attempt_no)  # fmt: skip
        mall.control.pay(there.trade.trade_no)
        await mall.listen(begun.attempt_no)
        [row] = await mall.told(begun)
        assert (row.passage, row.state, row.code) == ("wechat-pay-spare", "parked", "FOREIGN")
        assert (await mall.get(begun)).state == "pending"
        assert await mall.journals(buyer, placed.order.order_id) == []

    run(race())


def test_one_that_is_carried_to_another_accounts_door_is_refused(mall, buyer, run):
    """A true notice, at the address of an account that did not send it."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        [copy] = await copies(mall, begun)
        astray = Incoming("POST", "/hooks/wechat-pay-spare", copy.headers, copy.body)
        assert await mall.posted(astray) >= 400
        assert (await mall.refused("wechat-pay-spare")).state == "refused"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_one_that_nobody_can_act_on_holds_up_nobody(mall, buyer, run):
    """A row whose words this version does not know comes first in the line, and stays to be seen."""

    async def race():
        placed, begun = await pressed(mall, buyer)
        sql = (
            "INSERT INTO channel_notice (number, notice_id, passage, channel, kind, state, code, headers, body, result,"
            " received_at, times) VALUES (%s, %s, 'wechat-pay', 'wechat_pay', 'payment', 'received', '', '{}', '',"
            """ '{"type": "settled"}', %s, 1)"""
        )
        async with mall.ctx.database.transaction() as tx:
            await tx.execute(sql, [begun.attempt_no, new_id(), mall.clock.now()])
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no, 2)
        assert [row.state for row in await mall.told(begun)] == ["received", "done"]
        assert await mall.state_of(buyer, placed.order.order_id) == "paid"
        async with mall.ctx.database.transaction() as tx:
            await tx.execute("UPDATE channel_notice SET state = 'parked' WHERE state = 'received'")

    run(race())
