"""The desk of the simulation: refused people appeal now and then, and clerks decide, mostly within their time.

How often and with what end is invented, like the rest of the market; the words are what such letters say.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from fenqi import aftersales, credit, staff
from fenqi.aftersales import Case, CaseState, Kind, Stage, Topic, Verdict, norm
from fenqi.cashier import Offer
from fenqi.credit.model import GENERAL_PATH
from fenqi.demo import assumptions as a
from fenqi.flows import case_buyer, case_desk
from fenqi.flows.case_buyer import Request
from fenqi.flows.context import Context
from fenqi.flows.quote import Quote
from fenqi.flows.shop import Placed
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.kernel.working_hours import HOUR, add_working_minutes
from fenqi.seed.ident import seed_id
from fenqi.seed.moment import TaskClock
from fenqi.staff import Member

if TYPE_CHECKING:
    from fenqi.demo.shopper import Shopper

ASKS_PEOPLE = 0.12
"""Share of refusals with a way to people after which somebody takes it (A)."""
COMPLAINS, WONDERS = 0.004, 0.004
"""Shares of orders after which somebody complains, or asks (A)."""
UPHELD, GRANTED, CLEARED = 0.4, 0.5, 0.8
"""Shares of appeals, higher limits and payment reviews that end well for the buyer (A)."""
ASKED_FIRST = 0.2
"""Share of cases in which the buyer is asked for more first (A)."""
_LETTERS = {
    "appeal": "这是我本人的订单，请重新核实。It was really me: please look again.",
    "human_review": "我的情况和当时不同了，请人工看一下。Things have changed for me, please have a person look.",
    "raise_limit": "想给家里换家电，希望额度高一些。We are refitting our home and need a higher limit.",
    "complaint": "商品和描述不一样，商家不处理。The goods aren't as described, and the seller won't help.",
    "contact_support": "退款多久能到账？How long does a refund take?",
}
_QUESTION = "请补充最近三个月的收入证明。Please send proof of income for the last three months."
_ANSWER = "已经上传了。Here it is."
_GOOD = "我们重新核实后，支持您的请求。We have looked again and decided in your favour."
_BAD = "我们重新核实后，维持原来的结果。We have looked again, and the result stands."


class Desk(NamedTuple):
    """Who sits there: two for risk, one for support."""

    first: Member
    second: Member
    support: Member


async def desk_of(ctx: Context) -> Desk:
    """The demo's clerks."""
    async with ctx.database.snapshot() as tx:
        found = [await staff.get(tx, seed_id("staff", name)) for name in ("risk", "risk2", "support")]
    return Desk(*found)


async def ask_people(one: Shopper, shown: Quote, wanted: Offer) -> None:
    """After a refusal: take a way to people, if there is one and the person is like that."""
    kinds = [route.kind for route in wanted.routes if route.kind in _LETTERS]
    dice = _dice("people", shown.order.order_id)
    if not kinds or dice.random() >= ASKS_PEOPLE:
        return
    request = Request(
        route=kinds[0], text=_LETTERS[kinds[0]], decision_id=shown.decision_id, method=wanted.method,
        plan=wanted.plan or "", wanted_minor=await _wanted(one, dice) if kinds[0] == "raise_limit" else None,
    )  # fmt: skip
    await _ask(one, request)


def _dice(what: str, order_id: UUID) -> random.Random:
    """Random numbers of their own, so that whoever writes buys what they would have bought."""
    return random.Random(f"{a.SEED}/{what}/{order_id}")


async def _wanted(one: Shopper, dice: random.Random) -> int | None:
    async with one.ctx.database.snapshot() as tx:
        limit = (await credit.limit.limits_of(tx, one.consumer_id)).get(GENERAL_PATH)
    return None if limit is None else limit.granted_minor + dice.choice((200_000, 500_000, 1_000_000))


async def write_in(one: Shopper, placed: Placed) -> None:
    """Complain about an order, or ask something, rarely."""
    drawn = _dice("letters", placed.order.order_id).random()
    if drawn < COMPLAINS + WONDERS:
        route = "complaint" if drawn < COMPLAINS else "contact_support"
        await _ask(one, Request(route=route, text=_LETTERS[route], order_id=placed.order.order_id))


async def _ask(one: Shopper, request: Request) -> None:
    one.clock.pass_by(timedelta(minutes=4))
    try:
        await case_buyer.ask(one.ctx, one.consumer_id, new_id(epoch_ms(one.ctx.now())), request)
        one.tally.add(f"asked people: {request.route}")
    except Refusal as no:
        one.tally.add(f"request refused: {no.code}")


async def decide_application(one: Shopper, application_id: UUID, approved: bool, reasons: tuple[str, ...]) -> None:
    """The desk decides an application that the opening table left to people: in working hours, or by the late shift."""
    async with one.ctx.database.snapshot() as tx:
        case = await aftersales.get(tx, one.consumer_id, application_id)
    wanted = Verdict(outcome="rejected", reasons=reasons, told=_BAD)
    if approved:
        wanted = Verdict(outcome="approved", inputs={"limit_minor": 300_000}, told=_GOOD)
    minutes = one.rng.randint(20, 6 * HOUR)
    at = add_working_minutes(case.opened_at, minutes)
    if business_date(at) != business_date(case.opened_at):
        at = case.opened_at + timedelta(minutes=minutes // 2)
    await _settle(one.ctx, one.clock, await desk_of(one.ctx), case, wanted, at)


async def work(ctx: Context, clock: TaskClock, until: datetime, rng: random.Random) -> int:
    """Decide what has been in the queue long enough by `until`; how many cases."""
    desk, done = await desk_of(ctx), 0
    async with ctx.database.snapshot() as tx:
        waiting = [one for one in await aftersales.queue(tx, limit=500) if one.state is CaseState.OPEN]
    for case in sorted(waiting, key=lambda one: (one.opened_at, one.case_id)):
        minutes = norm.norm_of(case.kind).working_minutes
        at = add_working_minutes(case.opened_at, round(minutes * rng.triangular(0.1, 1.15, 0.5)))
        wanted = _verdict(case, rng)
        if at < until:
            done += await _settle(ctx, clock, desk, case, wanted, at, rng.random() < ASKED_FIRST)
    clock.go_to(until)
    return done


def _verdict(case: Case, rng: random.Random) -> Verdict:
    """How it ends, drawn for its kind."""
    good = rng.random()
    if case.kind is Kind.APPEAL:
        return _on_appeal(case, good < UPHELD, rng)
    if case.kind is Kind.PAYMENT_REVIEW:
        if good < CLEARED:
            return Verdict(outcome="cleared", told=_GOOD)
        return Verdict(outcome="confirmed", reasons=("RISK_TXN_BLOCKED",), told=_BAD)
    if case.kind is Kind.RAISE_LIMIT and good < GRANTED:
        return Verdict(outcome="approved", inputs={"limit_minor": case.about.wanted_minor}, told=_GOOD)
    if case.kind in (Kind.RAISE_LIMIT, Kind.APPLICATION_REVIEW):
        return Verdict(outcome="rejected", reasons=("CR_DEBT_BURDEN",), told=_BAD)
    if case.kind is Kind.COMPLAINT:
        return Verdict(outcome=rng.choice(("upheld", "dismissed", "passed_on")), told=_GOOD)
    return Verdict(outcome="answered" if case.kind is Kind.QUESTION else "policy_amended", told=_GOOD)


def _on_appeal(case: Case, upheld: bool, rng: random.Random) -> Verdict:
    if not upheld or case.topic is Topic.OTHER:
        codes = [code for code in case.about.codes if code.startswith(("RISK_", "CR_", "LIMIT_", "CREDIT_"))]
        return Verdict(outcome="dismissed", reasons=tuple(codes[:4]) or ("CREDIT_UNDER_ASSESSMENT",), told=_BAD)
    inputs = {}
    if case.topic is Topic.RISK_REFUSAL:
        inputs = {"days": rng.choice((1, 2, 7))}
    elif case.topic in (Topic.CREDIT_REFUSAL, Topic.LIMIT_CUT):
        inputs = {"limit_minor": 300_000}
    return Verdict(outcome="upheld", inputs=inputs, told=_GOOD)


async def _settle(
    ctx: Context, clock: TaskClock, desk: Desk, case: Case, wanted: Verdict, at: datetime, asks: bool = False
) -> int:
    """Take it, perhaps ask, decide, and have a colleague agree where that is needed; what can't be done is closed."""
    clerk = desk.support if case.kind in (Kind.COMPLAINT, Kind.QUESTION) else desk.first
    number = case.number
    clock.go_to(max(case.opened_at + timedelta(minutes=1), at - timedelta(minutes=20)))
    await case_desk.claim(ctx, clerk, number, "next in the queue")
    if asks and case.consumer_id is not None and case.opened_by == f"consumer:{case.consumer_id}":
        await case_desk.ask(ctx, clerk, number, _QUESTION, "the papers are old")
        clock.pass_by(timedelta(minutes=95))
        await case_buyer.write(ctx, case.consumer_id, number, seed_id("answer", number), _ANSWER)
    clock.pass_by(timedelta(minutes=18))
    try:
        _, decision = await case_desk.decide(ctx, clerk, number, wanted, "seen all there is")
        if decision.stage is Stage.PROPOSED:
            clock.pass_by(timedelta(minutes=12))
            await case_desk.agree(ctx, desk.second, number, "seen it, too")
    except Refusal as no:
        await case_desk.lapse(ctx, clerk, number, f"nothing left to decide: {no.code}")
    return 1
