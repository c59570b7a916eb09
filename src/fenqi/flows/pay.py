"""Paying: the chosen method and plan is evaluated, then queued; one batch is one transaction.

In the batch the orders are locked, versions compared, limits and balances decided by the ledger's own function, and
loans, payments and events written. A stale item is evaluated again on fresh facts, a refused one gets its reasons.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from fenqi import attempt, cashier, credit, customer, ledger, order, risk
from fenqi.cashier import Payment
from fenqi.credit import Admission
from fenqi.database import outbox, reference_epoch
from fenqi.database.coalesce import Coalescer
from fenqi.database.idempotency import KeyReused
from fenqi.database.pool import WRITERS, Tx
from fenqi.database.together import together
from fenqi.flows import case_open, charge, quote, risk_events
from fenqi.flows.basis import Basis
from fenqi.flows.bounds import Count
from fenqi.flows.context import Context
from fenqi.flows.draft import Draft, Press, draft, press, tenders_of
from fenqi.flows.request import PayRequest, Stale
from fenqi.flows.terms import INTERNAL
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.reason import Reason
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.ledger.limits import Change
from fenqi.policy import PolicyBook

NO_CEILING = (1 << 62) - 1
_ATTEMPTS = 4


PayQueue = Coalescer[Draft, Payment | Stale]


def open_queue(ctx: Context) -> PayQueue:
    """The queue in front of the database; one per process."""

    async def handle(drafts: list[Draft]) -> Sequence[Payment | Stale]:
        return await _write(ctx, drafts)

    return Coalescer(handle, writers=WRITERS, further_from=48, max_batch=512)


async def pay(ctx: Context, request: PayRequest) -> Payment:
    """Pay a checkout by one method and plan, or answer with every reason why not; the same key, the same answer.

    With a part at a channel outside the answer may be `pending` or `unknown` (and, later, what came of it): ask
    `charge.standing`. Attempts that an earlier press has left open are closed at their channels first.

    Refuses unknown checkouts (CHECKOUT_UNKNOWN), keys used with another request (IDEMPOTENCY_KEY_REUSED), and gives
    up with PAYMENT_CONTENDED after four evaluations that others' changes overtook.
    """
    outside = _methods(request) - INTERNAL
    if outside and (answered := await charge.earlier(ctx, request)) is not None:
        return answered
    basis = await quote.basis(
        ctx, request.consumer_id, request.intent_id, request.decision_id, request.client, request.device,
        request.payment_id,
    )  # fmt: skip
    _check(request, basis)
    await open_caps(ctx, basis)
    avoid: set[UUID] = set()
    for turn in range(_ATTEMPTS):
        now, why = ctx.now(), "facts"
        pressed = press(request, basis, now, _book(ctx, basis))
        if isinstance(pressed, Press):
            if outside:
                outcome = await charge.charge(ctx, request, basis, pressed, avoid)
            else:
                journal_id = request.payment_id if turn == 0 else new_id(epoch_ms(now))
                outcome = await _submit(ctx, draft(ctx, request, basis, pressed, now, journal_id))
            if isinstance(outcome, Payment):
                return _same_request(request, outcome)
            why = outcome.why
        elif basis.fresh:
            return await _refuse(ctx, request, basis, pressed, now)
        ours = outside and why != "passage"  # where a spare takes over, this very call has the press in hand
        if (ours or why == "key") and (answered := await charge.earlier(ctx, request)) is not None:
            return answered
        by = ctx.by_consumer(request.consumer_id, "chose another way to pay")
        await charge.withdraw(ctx, request.consumer_id, basis.order_id, by)
        basis = await quote.gather(
            ctx, request.consumer_id, request.intent_id, request.client, request.device, request.payment_id
        )
    raise Conflict("PAYMENT_CONTENDED", "others changed this order or account meanwhile; try again", retry_after_s=1)


def _book(ctx: Context, basis: Basis) -> PolicyBook:
    """The policy that the facts were gathered under: they are dropped where another one decides by now."""
    assert ctx.reference.newest is not None, "facts have been gathered"
    return ctx.reference.newest.seen_by(basis.consumer_id).policy


async def _submit(ctx: Context, drafted: Draft) -> Payment | Stale:
    assert ctx.pay_queue is not None, "the context's queue is open"
    return await ctx.pay_queue.submit(drafted)


def _methods(request: PayRequest) -> set[str]:
    return {request.method} if request.part_by is None else {request.method, request.part_by[0]}


def _check(request: PayRequest, basis: Basis) -> None:
    """Refuse METHOD_UNKNOWN, and AMOUNT_INVALID for a part by another method that is no part of the amount."""
    known = {method.method for method in basis.facts.methods}
    methods = _methods(request)
    if not methods <= known:
        raise Refusal("METHOD_UNKNOWN", f"no payment method {', '.join(sorted(methods - known))}")
    if request.part_by is None:
        return
    if request.part_by[0] == request.method:
        raise Refusal("METHOD_TWICE", "the two parts are paid by two methods")
    if not 0 < request.part_by[1] < basis.facts.order.payable_minor:
        raise Refusal("AMOUNT_INVALID", "a part is more than nothing and less than the whole")


async def open_caps(ctx: Context, basis: Basis) -> None:
    """Open the accounts that count this consumer's spending, before the first payment that they bound."""
    change = Change("system:pay", ctx.now(), "counts spending under the policy")
    for path in basis.missing_caps:
        with suppress(Conflict):  # another request has just opened it
            async with ctx.database.transaction() as tx:
                await ledger.limits.open_account(tx, basis.consumer_id, path, NO_CEILING, change)


def _same_request(request: PayRequest, payment: Payment) -> Payment:
    if payment.input_hash != request.input_hash:
        raise KeyReused
    return payment


async def _refuse(
    ctx: Context, request: PayRequest, basis: Basis, reasons: tuple[Reason, ...], now: datetime
) -> Payment:
    """Keep the refusal with its decision; a key that has its answer already gets that one."""
    bucket = bucket_of(request.consumer_id)
    amount_minor = basis.facts.order.payable_minor
    reasons = await case_open.by_itself(ctx, basis, reasons)
    async with ctx.database.transaction() as tx:
        await order.lock_for_payment(tx, [(request.consumer_id, basis.order_id)])
        earlier = await cashier.select_payment(tx, bucket, request.consumer_id, request.payment_id)
        if earlier is not None:
            return _same_request(request, earlier)
        tries = await attempt.of_payment(tx, request.consumer_id, request.payment_id)
        if any(each.input_hash != request.input_hash for each in tries):
            raise KeyReused
        decision = basis.decision(basis.facts, tenders_of(request, basis.facts), now)
        await cashier.insert_decisions(tx, [decision])
        payment = Payment(
            bucket, request.consumer_id, request.payment_id, request.intent_id, basis.order_id, request.input_hash,
            amount_minor, request.method, request.plan, "refused", decision.decision_id, basis.facts.now_ms, now,
            reasons=reasons,
        )  # fmt: skip
        await cashier.insert_payments(tx, [payment])
        await risk_events.refused(tx, basis, request.payment_id, now)
    return payment


async def _write(ctx: Context, drafts: list[Draft]) -> list[Payment | Stale]:
    """One batch, one transaction."""
    answers: list[Payment | Stale | None] = [None] * len(drafts)
    async with ctx.database.batch() as tx:
        ready = await _admit(ctx, tx, drafts, answers)
        verdicts = await ledger.post_batch(tx, [drafts[i].item for i in ready])
        posted = []
        for i, verdict in zip(ready, verdicts, strict=True):
            if verdict.posted:
                posted.append(i)
                answers[i] = drafts[i].payment
            else:
                answers[i] = Stale(verdict.outcome)
        await _record(tx, [drafts[i] for i in posted])
    done = [answer for answer in answers if answer is not None]
    assert len(done) == len(drafts), "every draft has its answer"
    return done


async def _admit(ctx: Context, tx: Tx, drafts: list[Draft], answers: list[Payment | Stale | None]) -> list[int]:
    """Lock the orders and compare what the drafts rest on; the places of those that may be posted.

    Repeats get the stored answer, drafts whose facts have changed a `Stale`; of two drafts for one order the first
    goes on.
    """
    orders, pulses, known, tried, versions, lines, epoch = await together(
        tx,
        order.lock_for_payment(tx, [(d.consumer_id, d.order_id) for d in drafts]),
        risk.count(tx, [d.beat for d in drafts]),
        cashier.select_answers(tx, [(d.payment.bucket, d.consumer_id, d.payment.payment_id) for d in drafts]),
        attempt.pressed(tx, [(d.consumer_id, d.payment.payment_id) for d in drafts]),
        customer.versions(tx, [d.consumer_id for d in drafts]),
        _lock_lines(ctx, tx, drafts),
        reference_epoch.read_epoch(tx),
    )
    count = Count(lines)
    ready: list[int] = []
    taken: set[UUID] = set()
    for i, d in enumerate(drafts):
        earlier = known.get((d.consumer_id, d.payment.payment_id))
        locked = orders.get((d.consumer_id, d.order_id))
        if earlier is not None:
            answers[i] = earlier
        elif (d.consumer_id, d.payment.payment_id) in tried:
            answers[i] = Stale("key")
        elif locked is None or d.order_id in taken or not d.rests_on(locked, versions, epoch):
            answers[i] = Stale("facts")
        elif not d.is_in_time(pulses):
            answers[i] = Stale("velocity")
        elif d.bounds is not None and not count.take(d.consumer_id, d.bounds):
            answers[i] = Stale("line")
        else:
            ready.append(i)
            taken.add(d.order_id)
    return ready


async def _lock_lines(ctx: Context, tx: Tx, drafts: list[Draft]) -> dict[UUID, Admission]:
    """Lock the lines that new loans are drawn on."""
    bounded = [d for d in drafts if d.bounds is not None]
    if not bounded:
        return {}
    consumers = list({d.consumer_id for d in bounded})
    in_instalments = list({d.consumer_id for d in bounded if d.bounds and d.bounds.instalment_minor})
    return await credit.lock_for_payment(tx, consumers, in_instalments, ctx.now(), ctx.reference.product)


async def _record(tx: Tx, drafts: list[Draft]) -> None:
    """Everything a posted payment leaves behind, a few statements for the whole batch."""
    if not drafts:
        return
    await together(
        tx,
        order.mark_paid(tx, [d.paid_order for d in drafts]),
        credit.insert_loans(tx, [d.loan for d in drafts if d.loan is not None]),
        cashier.insert_decisions(tx, [d.decision for d in drafts if d.decision is not None]),
        cashier.insert_payments(tx, [d.payment for d in drafts]),
        outbox.append(tx, [d.event for d in drafts]),
    )
