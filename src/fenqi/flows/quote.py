"""Quoting: facts gathered in one round of queries, every method and plan evaluated, the decision kept for replays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import msgspec

from fenqi import attempt, cashier, catalog, credit, customer, ledger, merchant, order, risk
from fenqi.attempt import Attempt, AttemptState, Said
from fenqi.cashier import Facts, Offer, PlanCost, PlanFacts
from fenqi.channels import shelf
from fenqi.credit import CreditProduct, CreditView, LoanPlan
from fenqi.customer import Consumer
from fenqi.database.pool import Tx
from fenqi.database.together import together
from fenqi.flows import case_open, risk_signals, transaction_risk
from fenqi.flows.basis import Basis
from fenqi.flows.context import Context
from fenqi.flows.device import USUAL, Device, seen
from fenqi.flows.facts import Gathered, cap_path, facts_of
from fenqi.flows.reference import Reference
from fenqi.flows.transaction_risk import programmes
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import NotFound
from fenqi.order import Order
from fenqi.risk.scorecard import behaviour_pd

_JSON = msgspec.json.Encoder(order="deterministic")
_REMEMBERED = timedelta(days=31)
"""How far back what channels said is looked at: the longest that anything of it stands by the calendar."""


class Quote(msgspec.Struct, frozen=True):
    """What the cashier shows: the order, and an offer for every method and plan."""

    decision_id: UUID
    intent_id: UUID
    order: Order
    facts: Facts
    offers: tuple[Offer, ...]


async def quote(ctx: Context, consumer_id: UUID, intent_id: UUID, client: str = "web", device: Device = USUAL) -> Quote:
    """Evaluate every method for a checkout, keep the decision, and answer with all offers.

    Refuses unknown checkouts and those of others (CHECKOUT_UNKNOWN).
    """
    found, paid = await _gather(ctx, consumer_id, intent_id, client, device)
    offers = cashier.offers(found.facts, price=pricing(ctx.reference.product, found.facts))
    now = ctx.now()
    async with ctx.database.transaction() as tx:
        await cashier.insert_decisions(tx, [found.stored("offers", found.facts, _JSON.encode(offers), now)])
    ctx.recent.put(found)
    offers = await case_open.of_offers(ctx, found, offers)
    return Quote(found.decision_id, intent_id, paid, found.facts, offers)


def replay_offers(facts: Facts, product: CreditProduct) -> bytes:
    """The stored form of a quote's offers, computed again from its facts."""
    return _JSON.encode(cashier.offers(facts, price=pricing(product, facts)))


async def basis(
    ctx: Context, consumer_id: UUID, intent_id: UUID, decision_id: UUID | None, client: str = "web",
    device: Device = USUAL, press_id: UUID | None = None,
) -> Basis:  # fmt: skip
    """The facts that a payment starts from: those of the quote it names while they are young, of the same client and
    device and of the policy that still decides for the buyer, else gathered now."""
    found = ctx.recent.get(consumer_id, intent_id, decision_id)
    same = found is not None and found.holds(ctx.now()) and found.facts.client == client and found.device == device
    if found is not None and same and ctx.reference.decides(found.facts.policy_version, consumer_id, ctx.now()):
        return found
    return await gather(ctx, consumer_id, intent_id, client, device, press_id)


async def gather(
    ctx: Context, consumer_id: UUID, intent_id: UUID, client: str = "web", device: Device = USUAL,
    press_id: UUID | None = None,
) -> Basis:  # fmt: skip
    """Fresh facts about a checkout, for a press (`press_id`, which doesn't count against itself) or a look.

    Refuses unknown checkouts and those of others (CHECKOUT_UNKNOWN).
    """
    return (await _gather(ctx, consumer_id, intent_id, client, device, press_id))[0]


async def _gather(
    ctx: Context, consumer_id: UUID, intent_id: UUID, client: str, device: Device, press_id: UUID | None = None
) -> tuple[Basis, Order]:
    bucket = bucket_of(consumer_id)
    async with ctx.database.snapshot() as tx:
        now = ctx.now()
        ref = (await ctx.reference.current(tx, now)).seen_by(consumer_id)
        opened = await cashier.checkout(tx, bucket, consumer_id, intent_id)
        if opened is None:
            raise NotFound("CHECKOUT_UNKNOWN", "no such checkout")
        bought = await order.get(tx, consumer_id, opened.order_id)
        skus = {line.sku_id for line in bought.lines}
        pairs = [(o.sku_id, o.merchant_id) for sku in skus for o in ref.offers_of_sku.get(sku, ())]
        mine = sorted({line.merchant_id for line in bought.lines})
        buyer, line, accounts, free, asked, uses, spent = await together(
            tx, customer.get(tx, consumer_id), credit.credit_facts_of(tx, consumer_id, now, ref.product),
            ledger.limits.accounts_of(tx, consumer_id), catalog.free(tx, pairs),
            merchant.asked_counts(tx, mine, "credit"), credit.subsidised_uses(tx, consumer_id),
            credit.subsidies_spent(tx),
        )  # fmt: skip
        involved = seen(ctx.keys, consumer_id, device, bought.address_id)
        trail = await risk_signals.gather(tx, involved, bought, [*mine, *(m for _, m in pairs)], now, press_id)
        got = Gathered(
            bought, buyer, line, accounts, free, asked, uses, spent,
            await _open_attempt(tx, bought),
            *(await _said(tx, ref, consumer_id, now)),
            exposure_used=await risk.exposures.used(tx, programmes(ref.policy)),
            pd_ppm=_pd_ppm(buyer, line, now),
        )  # fmt: skip
    facts = transaction_risk.judged(
        risk_signals.seen_by(facts_of(ref, got, now, client), trail, bought, buyer, ref.sellers, now), ref.policy
    )
    wanted = {cap_path(row.method, cap.scene) for row in ref.policy.methods for cap in row.caps
              if cap.window != "single" and cap.scene in (None, bought.scene)}  # fmt: skip
    missing = tuple(sorted(wanted - got.accounts.keys()))
    decision_id = new_id(epoch_ms(now))
    kept = Basis(
        consumer_id, intent_id, opened.order_id, decision_id, facts, True, False, missing, device, involved
    )  # fmt: skip
    return kept, bought


def _pd_ppm(buyer: Consumer, line: CreditView, now: datetime) -> int:
    """How probably the buyer goes bad within a year, by their own history here."""
    ceiling_minor = sum(limit.ceiling_minor for limit in line.limits)
    used_minor = sum(limit.used_minor for limit in line.limits)
    return behaviour_pd(
        months_on_book=max(0, (now - buyer.created_at).days) // 30,
        clean_months=line.clean_months,
        overdue_days=line.overdue_days,
        limit_used_ppm=used_minor * 1_000_000 // ceiling_minor if ceiling_minor else 0,
    )


async def _open_attempt(tx: Tx, bought: Order) -> Attempt | None:
    """An attempt that has to be waited for: nobody knows what became of it, or its channel can't close it."""
    if not bought.attempts_open:
        return None
    tries = await attempt.of_order(tx, bought.consumer_id, bought.order_id)
    return next((each for each in tries if _holds_up(each)), None)


def _holds_up(each: Attempt) -> bool:
    if each.state is AttemptState.PENDING:
        return not shelf.channel(each.channel).capabilities.closes
    return each.is_open


async def _said(tx: Tx, ref: Reference, consumer_id: UUID, now: datetime) -> tuple[Sequence[Said], frozenset[str]]:
    """What channels refused the buyer lately, and the cards bound now; nothing where no channel is connected."""
    if not ref.passages:
        return (), frozenset()
    said = await attempt.said(tx, consumer_id, now - _REMEMBERED)
    cards = await customer.cards(tx, consumer_id) if any(each.instrument for each in said) else []
    return said, frozenset(str(card.card_id) for card in cards)


def pricing(product: CreditProduct, facts: Facts) -> cashier.Price:
    """What a plan costs for an amount: by the credit engine, from today on."""
    return partial(_price, product, facts)


def _price(product: CreditProduct, facts: Facts, plan: PlanFacts, amount_minor: int) -> PlanCost | None:
    if plan.fee_total_ppm and amount_minor >= 1:
        return _at_the_channel(plan, amount_minor)
    if plan.method != "credit" or amount_minor < 1:
        return None
    subsidised = plan.interest_free_by is not None
    cost = credit.plan_cost(amount_minor, plan.instalments, plan.fee_rate_ppm, subsidised)
    loan_plan = LoanPlan(plan.plan, plan.instalments, plan.fee_rate_ppm, subsidised)
    _, first_due_on = credit.agreed(loan_plan, facts.today_on)
    return PlanCost(
        cost.total_fee_minor,
        cost.total_minor,
        cost.per_instalment_minor,
        first_due_on.isoformat(),
        cost.annual_cost_ppm,
    )


def _at_the_channel(plan: PlanFacts, amount_minor: int) -> PlanCost:
    """The channel's own instalments: its fee on top, rounded up; all parts alike, the odd fen on the first."""
    fee_minor = -(-amount_minor * plan.fee_total_ppm // 1_000_000)
    total_minor = amount_minor + fee_minor
    first_minor = total_minor - total_minor // plan.instalments * (plan.instalments - 1)
    return PlanCost(fee_minor, total_minor, first_minor, annual_cost_ppm=plan.annual_cost_ppm)
