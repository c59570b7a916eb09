"""Counting what was at stake at the cashier: decisions, steps and ends of checkouts turned into rows of insight.

Runs beside the paying, from a mark on; counting a checkout again gives the same rows. The experiment's arms and the
buyers' steps are kept here, too.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from fenqi import cashier, insight, order
from fenqi.cashier import StoredDecision
from fenqi.database.pool import Tx
from fenqi.flows.context import Context
from fenqi.insight import Arm, Checkout, Judged, Look, Step
from fenqi.kernel.ids import bucket_of
from fenqi.order import Order, OrderState

_LOG = logging.getLogger(__name__)
JOB = "at_stake"
_AT_ONCE = 200
"""Checkouts in one transaction."""
_SETTLES = timedelta(seconds=2)
"""Decisions are counted this long after they were taken, so that slower transactions are not passed by."""
_EVER = datetime(2000, 1, 1, tzinfo=UTC)


class _Reason(msgspec.Struct):
    code: str
    observed: dict[str, int | str | bool | None] = {}


class _Action(msgspec.Struct):
    kind: str


class _Remedy(msgspec.Struct):
    actions: tuple[_Action, ...]


class _Offer(msgspec.Struct):
    method: str
    plan: str | None
    available: bool
    reasons: tuple[_Reason, ...] = ()
    remedies: tuple[_Remedy, ...] = ()
    instalments: int = 1


class _Verdict(msgspec.Struct):
    method: str
    plan: str | None
    available: bool
    reasons: tuple[_Reason, ...] = ()


class _Tender(msgspec.Struct):
    verdict: _Verdict


class _Line(msgspec.Struct):
    category: str
    merchant_id: UUID
    amount_minor: int


class _Plan(msgspec.Struct):
    plan: str
    method: str
    instalments: int


class _Order(msgspec.Struct):
    scene: str
    payable_minor: int


class _Facts(msgspec.Struct):
    """What counting looks at, of all the facts."""

    order: _Order
    lines: tuple[_Line, ...]
    plans: tuple[_Plan, ...]


_OFFERS = msgspec.json.Decoder(tuple[_Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[_Tender, ...])
_FACTS = msgspec.json.Decoder(_Facts)


async def count(ctx: Context) -> int:
    """Count what has been decided since the mark, and what has ended since; how many checkouts. Any number of
    processes may count: one does."""
    until_at = ctx.now() - _SETTLES
    counted = await _ends(ctx)
    while True:
        async with ctx.database.transaction() as tx:
            mark_at = await insight.claim_mark(tx, JOB, _EVER)
            if mark_at is None or mark_at >= until_at:
                return counted
            found = await cashier.decided_between(tx, mark_at, until_at, _AT_ONCE)
            await _count(ctx, tx, [key for key, _ in found])
            is_all = len(found) < _AT_ONCE
            await insight.move_mark(tx, JOB, until_at if is_all else found[-1][1])
            counted += len(found)
        if is_all:
            return counted


async def _ends(ctx: Context) -> int:
    """Count again the checkouts that were open and can't be paid any more, or are paid."""
    async with ctx.database.snapshot() as tx:
        keys = await insight.open_checkouts(tx)
        orders = await cashier.orders_of_checkouts(tx, keys)
        found = await order.get_many(tx, [(key[1], orders[key[2]]) for key in keys if key[2] in orders])
    states = {each.order_id: each.state for each in found.values()}
    ended = [key for key in keys if states.get(orders.get(key[2], key[2])) is not OrderState.AWAITING_PAYMENT]
    for first in range(0, len(ended), _AT_ONCE):
        async with ctx.database.transaction() as tx:
            if await insight.claim_mark(tx, JOB, _EVER) is None:
                return first
            await _count(ctx, tx, ended[first : first + _AT_ONCE])
    return len(ended)


async def _count(ctx: Context, tx: Tx, keys: Sequence[tuple[int, UUID, UUID]]) -> None:
    if not keys:
        return
    running = await insight.experiments(tx)
    rows = []
    for each in await _checkouts(tx, keys):
        rows += insight.weigh(each, _arm(running, each.consumer_id, each.looks[0].at))
    await insight.replace_at_stake(tx, keys, rows)


def _arm(experiments: Sequence[insight.Experiment], consumer_id: UUID, at: datetime) -> Arm:
    found = (insight.arm_of(each, consumer_id, at) for each in experiments)
    return next((arm for arm in found if arm != "none"), "none")


async def _checkouts(tx: Tx, keys: Sequence[tuple[int, UUID, UUID]]) -> list[Checkout]:
    """Everything that happened at these checkouts, and how they ended, there or where a remedy led to."""
    decisions: dict[UUID, list[StoredDecision]] = {}
    for each in await cashier.decisions_of_checkouts(tx, keys):
        decisions.setdefault(each.intent_id, []).append(each)
    steps = await insight.steps_of(tx, keys)
    led = {key[2]: [s.to_intent_id for s in insight.steps_to(steps.get(key[2], ())) if s.to_intent_id] for key in keys}
    everywhere = [*keys, *((key[0], key[1], other) for key in keys for other in led[key[2]])]
    paid = await cashier.paid_tenders(tx, everywhere)
    orders = await cashier.orders_of_checkouts(tx, everywhere)
    bought = await order.get_many(tx, [(key[1], orders[key[2]]) for key in everywhere if key[2] in orders])
    by_order = {each.order_id: each for each in bought.values()}
    told = (
        _readable(key, decisions[key[2]], steps.get(key[2], []), (key[2], *led[key[2]]), paid, orders, by_order)
        for key in keys
        if key[2] in decisions and key[2] in orders
    )
    return [each for each in told if each is not None]


def _readable(key: tuple[int, UUID, UUID], decisions: list[StoredDecision], *rest: Any) -> Checkout | None:
    """The checkout; None for one whose decisions can't be read: the others must not wait for it for ever."""
    try:
        return _checkout(key, decisions, *rest)
    except (msgspec.DecodeError, ValueError):
        _LOG.exception("the checkout %s can't be read, and is not counted", key[2])
        return None


def _checkout(
    key: tuple[int, UUID, UUID],
    decisions: list[StoredDecision],
    steps: list[Step],
    places: tuple[UUID, ...],
    paid: dict[UUID, list[cashier.Tender]],
    orders: dict[UUID, UUID],
    bought: dict[UUID, Order],
) -> Checkout:
    facts = _FACTS.decode(decisions[-1].facts)
    counts = {(plan.method, plan.plan): plan.instalments for plan in facts.plans}
    most = max(facts.lines, key=lambda line: line.amount_minor)
    tenders = [tender for place in places for tender in paid.get(place, ())]
    states = [bought[orders[place]].state for place in places if orders.get(place) in bought]
    return Checkout(
        *key, orders[key[2]], facts.order.payable_minor, facts.order.scene, most.category, most.merchant_id,
        tuple(_look(each, counts) for each in decisions), tuple(steps),
        frozenset((t.method, insight.way_of(counts.get((t.method, t.plan), 1))) for t in tenders),
        all(state is not OrderState.AWAITING_PAYMENT for state in states),
    )  # fmt: skip


def _look(stored: StoredDecision, counts: dict[tuple[str, str], int]) -> Look:
    if stored.kind == "offers":
        judged = (
            _judged(each.method, each.instalments, each.reasons, each.remedies)
            for each in _OFFERS.decode(stored.verdict)
        )
        return Look(stored.decided_at, insight.nearest(judged))
    verdicts = [each.verdict for each in _TENDERS.decode(stored.verdict)]
    pressed = (_judged(v.method, counts.get((v.method, v.plan or ""), 1), v.reasons, ()) for v in verdicts)
    return Look(stored.decided_at, insight.nearest(pressed), is_press=True)


def _judged(method: str, instalments: int, reasons: Iterable[_Reason], remedies: Iterable[_Remedy]) -> Judged:
    found = tuple(reasons)
    rules = (str(reason.observed["rule_id"]) for reason in found if reason.observed.get("rule_id"))
    return Judged(
        method,
        insight.way_of(instalments),
        tuple(dict.fromkeys(reason.code for reason in found)),
        tuple(dict.fromkeys(rules)),
        tuple("+".join(action.kind for action in remedy.actions) for remedy in remedies),
    )


async def note(
    ctx: Context,
    kind: str,
    consumer_id: UUID,
    intent_id: UUID,
    method: str,
    plan: str | None,
    actions: Sequence[str] = (),
    to_intent_id: UUID | None = None,
) -> None:
    """Keep a step of a buyer: `wanted` (asked why a method can't be used), `remedy_taken` or `remedy_done`.

    The same step at the same checkout is kept once.
    """
    told = f"{kind}/{intent_id}/{method}/{plan}/{'+'.join(actions)}/{to_intent_id}"
    step_id = UUID(bytes=hashlib.sha256(told.encode()).digest()[:16], version=4)
    step = Step(
        bucket_of(consumer_id), consumer_id, step_id, intent_id, kind, method, plan, "one_sum", tuple(actions),
        to_intent_id, ctx.now(),
    )  # fmt: skip
    async with ctx.database.transaction() as tx:
        await insight.insert_step(tx, step)


async def arm(ctx: Context, consumer_id: UUID) -> Arm:
    """The arm that a buyer is in now."""
    async with ctx.database.snapshot() as tx:
        return _arm(await insight.experiments(tx), consumer_id, ctx.now())
