"""Requests of the demo's cast: somebody with a case in every state, from just sent to decided, late, and withdrawn.

They are made through the flows that the pages use, by the people whose refusal they are about and the demo's clerks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from fenqi import cashier, customer, order, staff
from fenqi.aftersales import Case, Stage, Verdict
from fenqi.flows import case_buyer, case_desk, quote
from fenqi.flows.case_buyer import File, Request
from fenqi.flows.context import Context
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import NotFound
from fenqi.seed.casting import consumer_id_of
from fenqi.seed.ident import seed_id
from fenqi.seed.moment import TaskClock
from fenqi.staff import Member

_PAPER = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000600000004008020000006a56e559000000694944415478daedd0310d000008"
    "03b0f95708075e70c0cdd1a40a9a9ae610058204091224489020410812244890204182042148902041820409128420418204"
    "091224489020040912244890204182102448902041820409429020418204091224481082040912f4cf02ff855394cfca7f70"
    "0000000049454e44ae426082"
)
"""A small grey picture, standing in for a scanned paper."""


class Room(NamedTuple):
    """What a request's life needs."""

    ctx: Context
    clock: TaskClock
    now: datetime
    first: Member
    second: Member
    support: Member

    def ago(self, hours: float) -> None:
        """Go to so many hours before now."""
        self.clock.go_to(self.now - timedelta(hours=hours))


Life = Callable[[Room, UUID], Awaitable[None]]


async def _ask(room: Room, consumer_id: UUID, text: str, **more: object) -> Case:
    request = Request(text=text, **more)  # type: ignore[arg-type]
    key = seed_id("request", f"{consumer_id}/{request.route}")
    return (await case_buyer.ask(room.ctx, consumer_id, key, request)).case


async def _latest(room: Room, consumer_id: UUID) -> order.Order:
    async with room.ctx.database.snapshot() as tx:
        return (await order.of_consumer(tx, consumer_id, limit=1))[0]


async def just_sent(room: Room, consumer_id: UUID) -> None:
    """A higher limit, asked for this hour; nobody has it yet."""
    room.ago(0.5)
    await _ask(room, consumer_id, "想买一台大一点的冰箱，额度差一些。", route="raise_limit", wanted_minor=6_000_000)


async def proposed(room: Room, consumer_id: UUID) -> None:
    """An appeal against a refused application, with a paper: one clerk would uphold it, a second has to agree."""
    room.ago(30)
    papers = (File("工资流水.png", _PAPER),)
    case = await _ask(room, consumer_id, "我换了工作，收入比申请时高，附上流水。", route="human_review", files=papers)
    room.ago(3)
    await case_desk.claim(room.ctx, room.first, case.number, "轮到我处理")
    wanted = Verdict(
        outcome="upheld", inputs={"limit_minor": 500_000}, told="核实了您的新收入，批准开通，额度5,000元。"
    )
    await case_desk.decide(room.ctx, room.first, case.number, wanted, "流水真实，负债可控")


async def asked_back(room: Room, consumer_id: UUID) -> None:
    """An appeal against a withdrawn line: the buyer is asked for more, and the clock stands still."""
    room.ago(50)
    case = await _ask(room, consumer_id, "我的负债已经还清，请恢复。", route="human_review")
    room.ago(26)
    await case_desk.claim(room.ctx, room.first, case.number, "轮到我处理")
    await case_desk.tell(room.ctx, room.first, case.number, "征信上还有两笔未结清，等结清证明。", internal=True)
    await case_desk.ask(room.ctx, room.first, case.number, "请上传两笔贷款的结清证明。", "缺结清证明")


async def dismissed(room: Room, consumer_id: UUID) -> None:
    """An appeal against a cut limit, decided: the result stands, with reasons."""
    room.ago(80)
    case = await _ask(room, consumer_id, "为什么降了我的额度？", route="human_review")
    room.ago(54)
    await case_desk.claim(room.ctx, room.first, case.number, "轮到我处理")
    wanted = Verdict(
        outcome="dismissed", reasons=("CR_DEBT_BURDEN",), told="近期负债占收入的比例较高，暂时维持现在的额度。"
    )
    await case_desk.decide(room.ctx, room.first, case.number, wanted, "负债占比没有变化")


async def given_back(room: Room, consumer_id: UUID) -> None:
    """An appeal that is late: proposed, sent back by the second person, in hand again."""
    room.ago(24 * 9)
    case = await _ask(room, consumer_id, "请尽快解除冻结，我没有异常交易。", route="human_review")
    room.ago(20)
    await case_desk.claim(room.ctx, room.second, case.number, "积压的先处理")
    wanted = Verdict(outcome="upheld", told="已经为您解除冻结。")
    _, decision = await case_desk.decide(room.ctx, room.second, case.number, wanted, "没有看到异常")
    assert decision.stage is Stage.PROPOSED, "an appeal is upheld by two"
    room.ago(18)
    await case_desk.give_back(room.ctx, room.first, case.number, "请先核对冻结当天的三笔交易")


async def withdrawn(room: Room, consumer_id: UUID) -> None:
    """Asked for a review, and took it back."""
    room.ago(70)
    case = await _ask(room, consumer_id, "观察期能不能提前结束？", route="human_review")
    room.ago(60)
    await case_buyer.withdraw(room.ctx, consumer_id, case.number)


async def answered(room: Room, consumer_id: UUID) -> None:
    """A question, answered by support."""
    room.ago(28)
    found = await _latest(room, consumer_id)
    case = await _ask(room, consumer_id, "提前还一期能恢复多少额度？", route="contact_support", order_id=found.order_id)
    room.ago(25)
    await case_desk.claim(room.ctx, room.support, case.number, "轮到我处理")
    told = Verdict(outcome="answered", told="还多少本金就恢复多少额度，收银台的办法里有确切金额。")
    await case_desk.decide(room.ctx, room.support, case.number, told, "常见问题")


async def complaint(room: Room, consumer_id: UUID) -> None:
    """A complaint about a paid order, in the hands of support."""
    room.ago(5)
    found = await _latest(room, consumer_id)
    case = await _ask(room, consumer_id, "付款两天了商家还没有发货。", route="complaint", order_id=found.order_id)
    room.ago(4)
    await case_desk.claim(room.ctx, room.support, case.number, "轮到我处理")


async def looked_at(room: Room, consumer_id: UUID) -> None:
    """Opens the cashier: what risk leaves to people becomes a case by itself."""
    room.ago(1)
    found = await _latest(room, consumer_id)
    async with room.ctx.database.snapshot() as tx:
        intents = await cashier.checkouts_of(tx, bucket_of(consumer_id), consumer_id, [found.order_id])
    await quote.quote(room.ctx, consumer_id, intents[found.order_id])


LIVES: dict[str, Life] = {
    "ready": just_sent,
    "rejected": proposed,
    "closed-by-lender": asked_back,
    "reduced": dismissed,
    "frozen": given_back,
    "overdue-cleared": withdrawn,
    "short": answered,
    "order-paid": complaint,
    "in-review": looked_at,
    "cash-out": looked_at,
}
"""Members of the cast by name, and what they put to people."""


async def live(ctx: Context, clock: TaskClock, now: datetime, names: Collection[str]) -> int:
    """Let these members of the cast live what they put to people; how many did."""
    async with ctx.database.snapshot() as tx:
        clerks = [await staff.get(tx, seed_id("staff", name)) for name in ("risk", "risk2", "support")]
    room = Room(ctx, clock, now, *clerks)
    lived = 0
    for name, life in LIVES.items():
        if name in names and await _is_there(ctx, consumer_id_of(name)):
            await life(room, consumer_id_of(name))
            lived += 1
    clock.go_to(now)
    return lived


async def _is_there(ctx: Context, consumer_id: UUID) -> bool:
    async with ctx.database.snapshot() as tx:
        try:
            await customer.get(tx, consumer_id)
        except NotFound:
            return False
    return True
