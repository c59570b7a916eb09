"""How members of the cast came to risk's notice: what they did, and what others found out about them.

What a relay would write a moment later about other subjects is written here at once, in the same words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from fenqi import credit, customer, risk
from fenqi.flows import pay, prove, refund
from fenqi.flows.device import USUAL, Device, address_id, card_id, device_id
from fenqi.flows.request import PayRequest
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.risk import Beat, Subject
from fenqi.risk.links import Met
from fenqi.seed.lives import with_line
from fenqi.seed.stage import GENERAL, Basket, Pick, Stage

Life = Callable[[Stage], Awaitable[None]]
WAREHOUSE = "外环北路 18 号仓库 3 门"
_HOME = "槐树里 7 号 2 单元 401"
_KETTLE = Basket((Pick("kitchen_appliance", 300, "fenqi_home"),))
_TEA = Basket((Pick("tea", 32, "jiejiao", 2),), "scan_to_pay", "pick_up")


async def _used(stage: Stage, *subjects: Subject) -> None:
    """Be linked with what one used."""
    async with stage.transaction() as tx:
        await risk.links.meet(tx, [Met(stage.consumer_id, one, stage.ctx.now()) for one in subjects])


def _device(stage: Stage, device: Device) -> Subject:
    return Subject("device", device_id(stage.ctx.keys, stage.consumer_id, device))


async def new_device(stage: Stage) -> None:
    """Has always bought by an old phone, and comes by another device today."""
    await with_line(yuan=6_000)(stage)
    stage.days_ago(40)
    await _used(stage, _device(stage, Device(f"the old phone of {stage.person.sign_in_name}")))


async def takeover(stage: Stage) -> None:
    """From a device that is new here somebody has tried three wrong pay passwords."""
    await new_device(stage)
    stage.days_ago(0, 1)
    for _ in range(3):
        with suppress(Refusal):
            await prove.step_up(stage.ctx, stage.consumer_id, {"pay_password": "908172"})


async def new_address(stage: Stage) -> None:
    """Has things delivered home, and now to a warehouse."""
    await with_line()(stage)
    stage.days_ago(20)
    home = address_id(stage.ctx.keys, _HOME)
    assert home is not None
    await _used(stage, Subject("address", home))


async def shared_card(stage: Stage) -> None:
    """The bound card is bound by three other accounts, too, and they share a device with one another."""
    await with_line()(stage)
    stage.days_ago(6)
    async with stage.transaction() as tx:
        card = (await customer.cards(tx, stage.consumer_id))[0]
        shared = Subject("card", card_id(card.fingerprint))
        phone = _device(stage, Device("one phone in many hands"))
        strangers = [new_id(epoch_ms(stage.ctx.now())) for _ in range(3)]
        met = [Met(one, shared, stage.ctx.now()) for one in (stage.consumer_id, *strangers)]
        await risk.links.meet(tx, [*met, *(Met(one, phone, stage.ctx.now()) for one in strangers)])
    await _used(stage, _device(stage, USUAL))


async def cash_out(stage: Stage) -> None:
    """Five purchases at one shop within the month, and the limit nearly used up by the sixth."""
    await with_line(yuan=500)(stage)
    for days in (24, 19, 12, 8, 3):
        stage.days_ago(days)
        await stage.buy(_KETTLE, "credit", "pay_later")
    async with stage.transaction() as tx:
        view = await credit.credit_facts_of(tx, stage.consumer_id, stage.ctx.now(), stage.ctx.reference.product)
        used_minor = next(limit.used_minor for limit in view.limits if limit.path == GENERAL)
    await stage.cut_to((used_minor + 24_000) // 100)


async def churned(stage: Stage) -> None:
    """The phone was changed this morning, and proved since."""
    await with_line()(stage)
    stage.days_ago(0, 5)
    by = stage.ctx.by_consumer(stage.consumer_id, "changed the phone")
    async with stage.transaction() as tx:
        await customer.change_phone(tx, stage.ctx.keys, stage.consumer_id, f"127{stage.person.phone[3:]}", by)
    await stage.marks(phone_reachable=True)


async def sends_back(stage: Stage) -> None:
    """Of nine purchases eight went back."""
    await with_line(yuan=2_000)(stage)
    for days in range(45, 9, -4):
        stage.days_ago(days)
        payment = await stage.buy(_TEA, "money_account")
        if days == 45:
            continue
        stage.days_ago(days - 2)
        refund_id = new_id(epoch_ms(stage.ctx.now()))
        row = await refund.refund(
            stage.ctx, stage.consumer_id, refund_id, payment.order_id, None, stage.by_demo
        )  # fmt: skip
        async with stage.transaction() as tx:
            at_ms = epoch_ms(stage.ctx.now())
            await risk.count(tx, [Beat(stage.consumer_id, "returned", refund_id, at_ms, row.amount_minor)])


async def refused_often(stage: Stage) -> None:
    """Ten presses in vain within half an hour."""
    await with_line()(stage)
    stage.days_ago(0)
    stage.wait(-25 * 60)
    placed = await stage.place(_KETTLE)
    for _ in range(10):
        stage.wait(90)
        digest = hashlib.sha256(placed.intent_id.bytes).digest()
        payment_id = new_id(epoch_ms(stage.ctx.now()))
        asked = PayRequest(stage.consumer_id, payment_id, placed.intent_id, "money_account", "full", digest)
        assert (await pay.pay(stage.ctx, asked)).outcome == "refused"


async def in_review(stage: Stage) -> None:
    """A person is looking at this account."""
    await with_line()(stage)
    stage.days_ago(0, 3)
    async with stage.transaction() as tx:
        await risk.record_review(tx, stage.consumer_id, stage.consumer_id, "open", None, stage.by_demo)


async def blocked(stage: Stage) -> None:
    """On the list: what was found out about this account is not told."""
    await with_line()(stage)
    stage.days_ago(2)
    until_at = stage.now + timedelta(days=180)
    by = stage.by_demo._replace(why="a court order against the holder")
    async with stage.transaction() as tx:
        await risk.lists.add(tx, Subject("consumer", stage.consumer_id), "block", by, until_at)


async def near_a_fraud(stage: Stage) -> None:
    """Shares a device with somebody who turned out to be a fraud."""
    await with_line()(stage)
    stage.days_ago(15)
    here = _device(stage, USUAL)
    thief = new_id(epoch_ms(stage.ctx.now()))
    await _used(stage, here)
    async with stage.transaction() as tx:
        await risk.links.meet(tx, [Met(thief, here, stage.ctx.now())])
        by = stage.by_demo._replace(why="confessed to the police")
        await risk.record_outcome(tx, Subject("consumer", thief), "fraud", by, "case of the demo")
        await risk.links.carry_fraud(tx, thief, stage.ctx.now())
