"""Race 9: a credential is rotated, or the channel bans the account.

ruoyi-vue-pro #523: a channel has one configuration, and whoever changes it endangers the notices of earlier orders;
#1016: when a channel is banned all of a sudden, somebody has to fill in another one by hand.
"""

from __future__ import annotations

import pytest
from tests.charging.mall import BY

from fenqi import attempt, passage

WAYS = [("alipay", "web"), ("wechat_pay", "web"), ("bank_card", "wap")]


async def rotated(mall, code):
    """New keys on both sides: the gateway signs with them from now on, and so does the house."""
    renewed = mall.control.rotate(code.replace("-", "_"), mall.account(code))
    [known] = [each for each in mall.ctx.reference.newest.passages if each.code == code]
    async with mall.ctx.database.transaction() as tx:
        await passage.rotate(tx, mall.ctx.keys, known.passage_id, BY, renewed.credentials)


@pytest.mark.parametrize(("method", "client"), WAYS)
def test_a_notice_under_the_old_keys_comes_after_the_rotation(mall, buyer, run, method, client):
    """ruoyi-vue-pro #523 keeps one set of keys; here the old ones verify for a while."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.press(buyer, placed, method, client=client)
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        if begun.is_open:
            mall.fault(method, "late_notice", "notice.payment", seconds="60")
            await mall.goes_and_pays(begun)
            await rotated(mall, begun.passage)
            mall.control.steer(at=mall.clock.now() + mall.later_by(61))
        await mall.listen(begun.attempt_no)
        assert await mall.state_of(buyer, placed.order.order_id) == "paid"
        next_one = await mall.bought(buyer)
        await mall.paid_at(buyer, next_one, method, client=client)

    run(race())


@pytest.mark.parametrize(
    ("method", "client", "code", "reason"),
    [
        ("wechat_pay", "web", "NO_AUTH", "CHANNEL_NOT_CONTRACTED"),
        ("bank_card", "app", "31", "SELLER_STATUS_ABNORMAL"),
    ],
)
def test_a_spare_takes_over_from_a_banned_account_within_the_press(mall, buyer, run, method, client, code, reason):
    """ruoyi-vue-pro #1016 waits for somebody to edit the configuration; here no buyer notices."""
    main = method.replace("_", "-")

    async def race():
        account_id = mall.account(main)
        mall.control.change_account(method, account_id, state="banned")
        placed = await mall.bought(buyer)
        pressed = await mall.press(buyer, placed, method, client=client)
        mall.control.change_account(method, account_id, state="active")
        banned, taken_over = await mall.attempts(buyer, placed.order.order_id)
        assert (banned.passage, banned.state, banned.reason) == (main, "declined", reason)
        assert (taken_over.passage, taken_over.payment_id) == (f"{main}-spare", banned.payment_id)
        async with mall.ctx.database.snapshot() as tx:
            moves = await attempt.moves(tx, buyer, banned.attempt_id)
        assert (moves[-1].detail["fault"], moves[-1].detail["code"]) == ("passage", code)
        assert pressed.attempt_id == taken_over.attempt_id
        if pressed.outcome == "pending":
            await mall.goes_and_pays(taken_over)
            await mall.listen(taken_over.attempt_no)
        assert await mall.standing(pressed) == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_where_no_account_is_left_the_reason_names_the_ban(mall, buyer, run):
    """ruoyi-vue-pro #1016 has no word for it; here buyer and operator are told which account may not."""

    async def race():
        accounts = [mall.account(code) for code in ("wechat-pay", "wechat-pay-spare")]
        for account_id in accounts:
            mall.control.change_account("wechat_pay", account_id, state="banned")
        placed = await mall.bought(buyer)
        pressed = await mall.press(buyer, placed, "wechat_pay")
        for account_id in accounts:
            mall.control.change_account("wechat_pay", account_id, state="active")
        assert (pressed.outcome, [each.code for each in pressed.reasons]) == ("refused", ["CHANNEL_NOT_CONTRACTED"])
        order = await mall.order_of(placed)
        assert (order.state, order.attempts_open) == ("awaiting_payment", 0)
        assert await mall.reserved(buyer) == 0

    run(race())


def test_money_taken_before_the_ban_still_pays_and_goes_back(mall, buyer, run):
    """A banned account takes no payments; what it holds is still asked about, and its notices are heard."""

    async def race():
        placed = await mall.bought(buyer)
        await mall.press(buyer, placed, "wechat_pay")
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        account_id = mall.account(begun.passage)
        await mall.goes_and_pays(begun)
        mall.control.change_account("wechat_pay", account_id, state="banned")
        await mall.listen(begun.attempt_no)
        assert await mall.state_of(buyer, placed.order.order_id) == "paid"
        back = await mall.gives_back(placed, None)
        await mall.passes(60)
        assert await mall.owed_back(buyer) == placed.order.payable_minor
        mall.control.change_account("wechat_pay", account_id, state="active")
        async with mall.ctx.database.snapshot() as tx:
            back = await attempt.get_refund(tx, buyer, back.refund_id)
        assert back.state in ("created", "unknown", "failed"), "owed, and to be seen"

    run(race())
