"""Race 8: the same key again, with the same words or with others, before and after the first was answered.

No project is named for it: none of those we read keeps a press's answer under its key while a channel decides.
"""

from __future__ import annotations

import asyncio

import pytest

from fenqi.database.idempotency import KeyReused
from fenqi.flows import manage_line
from fenqi.kernel.ids import new_id


@pytest.mark.parametrize(("method", "client", "outcome"), [("wechat_pay", "web", "pending"),
                                                           ("bank_card", "app", "succeeded")])  # fmt: skip
def test_twenty_callers_make_one_attempt_while_the_first_is_running(mall, buyer, run, method, client, outcome):
    async def race():
        placed = await mall.bought(buyer)
        mall.fault(method, "slow", "pay", seconds="1")
        key = new_id()
        answers = await asyncio.gather(*(mall.press(buyer, placed, method, key=key, client=client) for _ in range(20)))
        assert {each.outcome for each in answers} == {outcome}
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        assert {each.attempt_id for each in answers} == {begun.attempt_id}
        assert begun.payment_id == key
        late = await mall.press(buyer, placed, method, key=key, client=client)
        assert (late.outcome, late.attempt_id) == (outcome, begun.attempt_id)
        assert len(mall.control.trades(channel=method, out_no=begun.attempt_no)) == 1

    run(race())


def test_other_words_under_the_same_key_are_their_own_error(mall, buyer, run):
    async def race():
        placed, key = await mall.bought(buyer), new_id()
        first = await mall.press(buyer, placed, "wechat_pay", key=key)
        with pytest.raises(KeyReused):
            await mall.press(buyer, placed, "bank_card", key=key, body=b"another")
        with pytest.raises(KeyReused):
            await mall.press(buyer, placed, "credit", "pay_later", key=key, body=b"another")
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        assert (begun.state, begun.attempt_id) == ("pending", first.attempt_id)

    run(race())


def test_a_key_of_one_order_is_no_key_of_another(mall, buyer, run):
    """Else the second would take the place of the answer that the first still waits for, and its money would hang."""

    async def race():
        placed, key = await mall.bought(buyer), new_id()
        await mall.press(buyer, placed, "wechat_pay", key=key)
        other = await mall.bought(buyer)
        for method, plan in (("credit", "pay_later"), ("money_account", "full"), ("alipay", "full")):
            with pytest.raises(KeyReused):
                await mall.press(buyer, other, method, plan, key=key, body=b"another order")
        await manage_line.lock(mall.ctx, buyer)
        with pytest.raises(KeyReused):
            await mall.press(buyer, other, "credit", "pay_later", key=key, body=b"another order")
        assert await mall.journals(buyer, other.order.order_id) == []
        [begun] = await mall.attempts(buyer, placed.order.order_id)
        await mall.goes_and_pays(begun)
        await mall.listen(begun.attempt_no)
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_other_words_while_the_first_is_running(mall, buyer, run):
    async def race():
        placed, key = await mall.bought(buyer), new_id()
        mall.fault("bank_card", "slow", "pay", seconds="1")
        first = asyncio.create_task(mall.press(buyer, placed, "bank_card", key=key, client="app"))
        await mall.begun(placed)
        with pytest.raises(KeyReused):
            await mall.press(buyer, placed, "bank_card", key=key, client="app", body=b"another")
        assert (await first).outcome == "succeeded"
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_two_keys_at_once_pay_once(mall, buyer, run):
    """Two tabs, two presses: one attempt holds the order, the other press closes it first or is told to wait."""

    async def race():
        placed = await mall.bought(buyer)
        answers = await asyncio.gather(
            *(mall.press(buyer, placed, "bank_card", client="app") for _ in range(4)), return_exceptions=True
        )
        paid = [each for each in answers if getattr(each, "outcome", "") == "succeeded"]
        assert len(paid) == 1, answers
        await mall.passes(3_600)
        tries = await mall.attempts(buyer, placed.order.order_id)
        money = [each for each in tries if mall.trade(each).trade.state == "paid"]
        assert [each.disposition for each in money] == ["applied"]
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())


def test_over_http_the_answers_are_the_same_bytes(mall, buyer, run):
    async def race():
        placed = await mall.bought(buyer)
        mall.fault("bank_card", "slow", "pay", seconds="1")
        body = {"checkout_id": str(placed.intent_id), "method": "bank_card", "plan": "full"}
        answers = await asyncio.gather(*(mall.api("POST", "/v1/payments", buyer, body, "twenty") for _ in range(20)))
        assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}
        other = await mall.api("POST", "/v1/payments", buyer, {**body, "method": "wechat_pay"}, "twenty")
        assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert len(await mall.attempts(buyer, placed.order.order_id)) == 1

    run(race())


def test_twenty_callers_wait_for_the_spare_that_takes_over(mall, buyer, run):
    async def race():
        account_id = mall.account("bank-card")
        mall.control.change_account("bank_card", account_id, state="banned")
        placed, key = await mall.bought(buyer), new_id()
        answers = await asyncio.gather(
            *(mall.press(buyer, placed, "bank_card", key=key, client="app") for _ in range(20))
        )
        mall.control.change_account("bank_card", account_id, state="active")
        assert {each.outcome for each in answers} == {"succeeded"}
        tries = await mall.attempts(buyer, placed.order.order_id)
        assert [(each.passage, each.state) for each in tries] == [
            ("bank-card", "declined"), ("bank-card-spare", "succeeded"),
        ]  # fmt: skip
        assert await mall.journals(buyer, placed.order.order_id) == ["purchase"]

    run(race())
