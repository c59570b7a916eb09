"""The story that fenqi is for: a phone on credit, refused with every reason, cured, paid in twelve, and repaid.

Told through the flows with a steered clock; each fen is followed into the books.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from fenqi import cashier, credit, customer, ledger, seed
from fenqi.cashier import Offer, action
from fenqi.credit import BureauFile
from fenqi.customer import Keys
from fenqi.database import outbox
from fenqi.database.pool import Database
from fenqi.flows import (
    activate_credit,
    apply_credit,
    events,
    manage_line,
    money,
    pay,
    quote,
    refund,
    remedy,
    repay,
    shop,
)
from fenqi.flows import replay as replays
from fenqi.flows.apply_credit import Declared
from fenqi.flows.context import Context
from fenqi.flows.shop import Placed, Wish
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import balances, walk
from fenqi.seed import BY_CODE
from fenqi.settings import Settings

Run = Callable[[Coroutine[Any, Any, Any]], Any]
BEGIN = datetime(2026, 8, 24, 4, 0, tzinfo=UTC)
PAY_PASSWORD = "246802"
GENERAL = "asset:loan_principal:general"


@pytest.fixture
def ctx(fresh_database: Database, run: Run) -> Iterator[Context]:
    """A mall with its reference data, at noon of 24 August in Shanghai."""
    context = Context(fresh_database, SteeredClock(BEGIN), Settings(), Keys(b"the story's own secret"))

    async def set_up() -> None:
        context.pay_queue = pay.open_queue(context)
        async with fresh_database.transaction() as tx:
            await seed.reference(tx, BEGIN)

    run(set_up())
    yield context
    assert context.pay_queue is not None
    run(context.pay_queue.close())


def test_buys_a_phone_after_all(ctx: Context, run: Run) -> None:
    run(_story(ctx))


async def _story(ctx: Context) -> None:
    buyer = await _signs_up(ctx)
    phone = await _orders(ctx, buyer, "phone", 4_000)
    assert await _codes(ctx, buyer, phone, "instalment_12") == {"CREDIT_NOT_OPENED", "LIMIT_INSUFFICIENT"}
    await _opens_the_line(ctx, buyer)
    laptop = await _orders(ctx, buyer, "laptop", 7_500)
    await _pays_with_step_up(ctx, buyer, laptop)
    ctx.clock.advance(timedelta(minutes=20))  # type: ignore[attr-defined]

    shown = await quote.quote(ctx, buyer, phone.intent_id)
    offer = _credit_offer(shown, "instalment_12")
    shortfall = phone.order.payable_minor - (1_000_000 - laptop.order.payable_minor)
    assert [one.code for one in offer.reasons] == ["LIMIT_INSUFFICIENT"]
    assert offer.reasons[0].required["shortfall_minor"] == shortfall
    assert [one.code for one in await _refused(ctx, buyer, phone)] == ["LIMIT_INSUFFICIENT"]

    place = next(n for n, one in enumerate(offer.remedies) if any(isinstance(x, action.Repay) for x in one.actions))
    cured = await remedy.apply(ctx, buyer, remedy.remedy_id(shown.decision_id, offer, place), {})
    assert cured.done
    again = await remedy.apply(ctx, buyer, remedy.remedy_id(shown.decision_id, offer, place), {})
    assert again.done
    paid = await _press(ctx, buyer, cured.intent_id, cured.plan or "instalment_12", shown.decision_id)
    assert paid.outcome == "succeeded"
    assert paid.loan_id is not None

    await _repays_the_first_instalment(ctx, buyer, paid.loan_id, phone.order.payable_minor)
    await _books_are_right(ctx, buyer, phone)
    await _every_decision_replays(ctx, buyer, (phone.intent_id, laptop.intent_id))
    await _sends_it_back(ctx, buyer, phone)


async def _signs_up(ctx: Context) -> UUID:
    """Registers, proves the name, binds a card by the code on the phone, opens the money account."""
    person = seed.people(1, BEGIN.date())[0]
    by = ctx.by_consumer(person.consumer_id, "registered")
    async with ctx.database.transaction() as tx:
        new = customer.NewConsumer(person.consumer_id, "lin.wan", person.phone, phone_reachable=True)
        await customer.sign_up(tx, ctx.keys, new, "a long pass phrase", by)
        await customer.verify_real_name(
            tx, ctx.keys, person.consumer_id, person.name, person.id_number, date(2041, 1, 1), by
        )
        asked = await customer.ask_to_bind(tx, ctx.keys, person.consumer_id, person.card_number, by)
    async with ctx.database.transaction() as tx:
        found = re.search(r"\d{6}", (await customer.messages(tx, person.consumer_id))[0].text_zh)
        assert found is not None
        bound = await customer.bind(tx, ctx.keys, person.consumer_id, asked.card_id, found[0], by)
        assert not isinstance(bound, Refusal)
        await customer.set_pay_password(tx, person.consumer_id, PAY_PASSWORD, by)
    await money.open_account(ctx, person.consumer_id)
    return person.consumer_id


async def _opens_the_line(ctx: Context, buyer: UUID) -> None:
    """Applies, is given ¥10,000, signs and activates."""
    consents = credit.activation.required_consents(credit.PRODUCT)
    declared = Declared(300_000, ("income", "employment", "residence"))
    application, _ = await apply_credit.apply(ctx, buyer, new_id(), declared, consents, BureauFile(1, 60, 0, 1, 50_000))
    assert (application.outcome, application.limit_minor) == ("approved", 1_000_000)
    line = await activate_credit.activate(ctx, buyer)
    assert line.agreement_signed == credit.PRODUCT.agreement_version


async def _orders(ctx: Context, buyer: UUID, category: str, about_yuan: int) -> Placed:
    async with ctx.database.snapshot() as tx:
        ref = await ctx.reference.current(tx, ctx.now())
    seller = BY_CODE["fenqi"].merchant_id
    offers = [
        o for o in ref.offers.values()
        if (o.merchant_id, ref.items[o.sku_id].category) == (seller, category) and not o.is_gift and not o.deposit_minor
    ]  # fmt: skip
    best = min(offers, key=lambda o: (abs(o.price_minor - about_yuan * 100), o.sku_id))
    return await shop.place_order(ctx, buyer, new_id(), "instalment_mall", [Wish(best.sku_id, seller)])


async def _codes(ctx: Context, buyer: UUID, placed: Placed, plan: str) -> set[str]:
    shown = await quote.quote(ctx, buyer, placed.intent_id)
    return {reason.code for reason in _credit_offer(shown, plan).reasons}


def _credit_offer(shown: quote.Quote, plan: str) -> Offer:
    return next(one for one in shown.offers if (one.method, one.plan) == ("credit", plan))


async def _press(ctx: Context, buyer: UUID, intent_id: UUID, plan: str, decision_id: UUID | None = None) -> Any:
    digest = hashlib.sha256(f"{intent_id}{plan}".encode()).digest()
    return await pay.pay(ctx, pay.PayRequest(buyer, new_id(), intent_id, "credit", plan, digest, decision_id))


async def _pays_with_step_up(ctx: Context, buyer: UUID, laptop: Placed) -> None:
    """¥5,000 and more ask for the pay password."""
    shown = await quote.quote(ctx, buyer, laptop.intent_id)
    offer = _credit_offer(shown, "instalment_12")
    assert [one.code for one in offer.reasons] == ["STEP_UP_REQUIRED"]
    key = remedy.remedy_id(shown.decision_id, offer, 0)
    asked = await remedy.apply(ctx, buyer, key, {})
    assert asked.needed is not None
    assert asked.needed.names == ("pay_password",)
    assert (await remedy.apply(ctx, buyer, key, {"pay_password": PAY_PASSWORD})).done
    assert (await _press(ctx, buyer, laptop.intent_id, "instalment_12")).outcome == "succeeded"


async def _refused(ctx: Context, buyer: UUID, phone: Placed) -> tuple[Any, ...]:
    """Pressing all the same is refused with the same reasons, and moves nothing."""
    before = await _limits(ctx, buyer)
    refused = await _press(ctx, buyer, phone.intent_id, "instalment_12")
    assert refused.outcome == "refused"
    assert await _limits(ctx, buyer) == before
    return tuple(refused.reasons)


async def _limits(ctx: Context, buyer: UUID) -> dict[str, int]:
    async with ctx.database.snapshot() as tx:
        return {path: one.balance_minor for path, one in (await ledger.limits.accounts_of(tx, buyer)).items()}


async def _repays_the_first_instalment(ctx: Context, buyer: UUID, loan_id: UUID, price_minor: int) -> None:
    """A month later: a twelfth of the price and the month's fee of half a per cent, and a twelfth comes back."""
    ctx.clock.set(datetime(2026, 9, 23, 2, 0, tzinfo=UTC))  # type: ignore[attr-defined]
    loan = await manage_line.my_loan(ctx, buyer, loan_id)
    first = loan.unpaid[0]
    assert (len(loan.unpaid), first.due_on) == (12, date(2026, 9, 24))
    assert abs(first.outstanding.principal_minor * 12 - price_minor) < 24
    assert abs(first.outstanding.fee_minor - price_minor * 5 // 1_000) <= 1
    used = (await _limits(ctx, buyer))[GENERAL]
    await money.top_up(ctx, buyer, new_id(), first.outstanding.total_minor)
    done = await repay.pay_instalment(ctx, buyer, new_id(), loan_id)
    assert done.total_minor == first.outstanding.total_minor
    assert done.freed == {GENERAL: first.outstanding.principal_minor}
    assert (await _limits(ctx, buyer))[GENERAL] == used - first.outstanding.principal_minor


async def _books_are_right(ctx: Context, buyer: UUID, phone: Placed) -> None:
    """Everything is handed on; the standing checks are empty; the phone's journals balance, mirrors included."""
    await outbox.drain(ctx.database, events.handlers(ctx), ctx.now())
    async with ctx.database.snapshot() as tx:
        assert await balances.faults(tx) == []
        steps = await walk.walk_order(tx, buyer, phone.order.order_id)
    kinds = [(step.side, step.kind) for step in steps]
    assert kinds[0] == ("consumer", "purchase")
    assert ("consumer", "repayment") in kinds
    seller = BY_CODE["fenqi"].merchant_id
    payable = [e for s in steps if s.owner_id == seller for e in s.entries if e.path == "liability:merchant_payable"]
    assert sum(entry.amount_minor for entry in payable) == -phone.order.payable_minor


async def _every_decision_replays(ctx: Context, buyer: UUID, intents: tuple[UUID, ...]) -> None:
    async with ctx.database.snapshot() as tx:
        found = [
            one for intent in intents for one in await cashier.select_decisions(tx, bucket_of(buyer), buyer, intent)
        ]
    assert len(found) >= 4
    assert all(replays.is_identical(one, ctx.reference.product) for one in found)


async def _sends_it_back(ctx: Context, buyer: UUID, phone: Placed) -> None:
    """The whole phone is refunded: what is still owed is let off, what was repaid comes to the money account."""
    before = await _limits(ctx, buyer)
    by = By("system:story", "sent back within seven days", ctx.now())
    row = await refund.refund(ctx, buyer, new_id(), phone.order.order_id, None, by)
    assert row.amount_minor == phone.order.payable_minor
    assert row.to_limit_minor + row.to_money_account_minor == phone.order.payable_minor
    after = await _limits(ctx, buyer)
    assert before[GENERAL] - after[GENERAL] == row.to_limit_minor
    await _books_balance(ctx)


async def _books_balance(ctx: Context) -> None:
    await outbox.drain(ctx.database, events.handlers(ctx), ctx.now())
    async with ctx.database.snapshot() as tx:
        assert await balances.faults(tx) == []
        assert (await outbox.backlog(tx)) == (0, 0)
