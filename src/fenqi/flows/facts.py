"""Facts assembled from what the rooms say: pure mappings from their rows to the evaluator's typed values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.attempt import Attempt, Said
from fenqi.cashier import (
    AlternativeOffer,
    ConsumerFacts,
    CouponFacts,
    CreditFacts,
    ExposureFacts,
    Facts,
    GoodsRule,
    LineFacts,
    MethodFacts,
    MoneyAccountFacts,
    OrderFacts,
    PlanFacts,
    SellerFacts,
    Versions,
)
from fenqi.credit import CreditView
from fenqi.customer import Consumer
from fenqi.flows.channel_facts import channel_of, told_of
from fenqi.flows.policy_facts import cap_facts, method_facts, plan_facts, twin, twin_code
from fenqi.flows.policy_inputs import category_path, exposure_inputs, who
from fenqi.flows.reference import Reference
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.ledger import LimitAccount
from fenqi.order import Line, Order
from fenqi.order.model import DELIVERIES, SCENES
from fenqi.policy import CapRow, MethodRow, PolicyBook, Who

MONEY_PATH = "liability:money_account"


@dataclass(frozen=True)
class Gathered:
    """One round of queries about a checkout."""

    order: Order
    consumer: Consumer
    credit: CreditView
    accounts: Mapping[str, LimitAccount]
    free: Mapping[tuple[UUID, UUID], int]
    asked: Mapping[UUID, int]
    subsidised_uses: Mapping[str, int]
    subsidies_spent: Mapping[str, int]
    open_attempt: Attempt | None = None
    """An attempt for the order that a new press can't simply take the place of: its channel is being asked."""
    said: Sequence[Said] = ()
    """What channels refused the buyer lately, newest first."""
    bound: frozenset[str] = frozenset()
    """The ids of the cards bound now, where something was said of one."""
    exposure_used: Mapping[str, int] = field(default_factory=dict)
    """What is lent under each programme of the exposure table, in fen; a programme left out lends nothing yet."""
    pd_ppm: int | None = None
    """The buyer's calibrated probability of going bad, if somebody has scored it."""


def facts_of(ref: Reference, got: Gathered, now: datetime, client: str = "web") -> Facts:
    """Everything an evaluation of this checkout looks at, at this instant."""
    lines = tuple(_line(ref, got, line) for line in got.order.lines)
    sellers = _sellers(ref, got, lines, now)
    scenes = _other_scenes(ref, got.order)
    order = _order(ref, got, lines, scenes)
    consumer, credit = _consumer(got, now), _credit(ref, got.credit)
    facts = Facts(
        now_ms=epoch_ms(now),
        today_on=business_date(now),
        policy_version=ref.policy.number,
        apr_cap_ppm=ref.policy.numbers.apr_cap_ppm,
        order=order,
        lines=lines,
        sellers=sellers,
        consumer=consumer,
        methods=(),
        plans=tuple(_plans(ref, got, now)),
        rules=tuple(rules(ref.policy, lines, sellers, (got.order.scene, *scenes), who(consumer, credit))),
        credit=credit,
        money=_money(got),
        coupons=tuple(_coupons(got.order)),
        client=client,
        versions=Versions(got.consumer.version, got.credit.line_version, got.order.version, ref.epoch),
    )
    methods = tuple(_method(ref, got, row, facts, now) for row in ref.policy.methods)
    return msgspec.structs.replace(facts, methods=methods)


def _order(ref: Reference, got: Gathered, lines: tuple[LineFacts, ...], scenes: tuple[str, ...]) -> OrderFacts:
    order = got.order
    quoted = sum(line.amount_minor if line.quoted_minor is None else line.quoted_minor for line in lines)
    return OrderFacts(
        order_id=str(order.order_id),
        scene=order.scene,
        state=str(order.state),
        currency=order.currency,
        payable_minor=order.payable_minor,
        pay_by_ms=epoch_ms(order.pay_by_at),
        quoted_minor=quoted,
        buyer_kind=order.buyer_kind,
        delivery=order.delivery,
        presale_stage=order.presale_stage,
        tail_from_ms=None if order.tail_from_at is None else epoch_ms(order.tail_from_at),
        tail_minor=_tail_minor(ref, order),
        also_deliveries=_other_deliveries(ref, order),
        needs=("split",) if len({line.merchant_id for line in lines}) > 1 else (),
        also_in_scenes=scenes,
        open_attempt=None if got.open_attempt is None else got.open_attempt.method,
        open_attempt_until_ms=None if got.open_attempt is None else _ms(got.open_attempt.ask_at),
    )


def _tail_minor(ref: Reference, order: Order) -> int:
    if order.presale_stage != "deposit":
        return 0
    offers = ((line, ref.offers.get((line.sku_id, line.merchant_id))) for line in order.lines)
    return sum((offer.price_minor - line.unit_price_minor) * line.quantity for line, offer in offers if offer)


def _other_deliveries(ref: Reference, order: Order) -> tuple[str, ...]:
    """Other ways of delivery that every line's offer allows."""
    offers = [ref.offers.get((line.sku_id, line.merchant_id)) for line in order.lines]
    common = set(DELIVERIES) - {order.delivery}
    for offer in offers:
        common &= set(offer.deliveries) if offer is not None else set()
    return tuple(sorted(common))


def _other_scenes(ref: Reference, order: Order) -> tuple[str, ...]:
    """Other scenes in which every line is sold; an offer has one price for all its scenes."""
    common = set(SCENES) - {order.scene}
    for line in order.lines:
        offer = ref.offers.get((line.sku_id, line.merchant_id))
        common &= set(offer.scenes) if offer is not None else set()
    return tuple(scene for scene in SCENES if scene in common)


def _line(ref: Reference, got: Gathered, line: Line) -> LineFacts:
    offer = ref.offers.get((line.sku_id, line.merchant_id))
    path = ref.tree.path(line.category)
    quoted = None
    if offer is not None:
        unit = line.unit_price_minor if offer.deposit_minor else offer.price_minor
        quoted = unit * line.quantity - line.discount_minor
    return LineFacts(
        line_id=str(line.line_id),
        sku_id=str(line.sku_id),
        category=line.category,
        merchant_id=str(line.merchant_id),
        amount_minor=line.amount_minor,
        quantity=line.quantity,
        is_gift=line.is_gift,
        is_virtual=line.is_virtual,
        is_cross_border=line.is_cross_border,
        is_subscription=line.is_subscription,
        is_trade_in_subsidised=line.is_trade_in_subsidised,
        forbidden_word=ref.policy.has_forbidden_word(line.title_zh) or ref.policy.has_forbidden_word(line.title_en),
        quoted_minor=None if quoted == line.amount_minor else quoted,
        in_stock=got.free.get((line.sku_id, line.merchant_id), 0) >= line.quantity,
        ancestors=path[1:],
        alternatives=tuple(_alternatives(ref, got, line)),
    )


def _alternatives(ref: Reference, got: Gathered, line: Line) -> Iterable[AlternativeOffer]:
    """The same SKU from other sellers, on sale in this scene and in stock."""
    for offer in ref.offers_of_sku.get(line.sku_id, ()):
        on_sale = offer.state == "on_sale" and got.order.scene in offer.scenes and offer.deposit_minor is None
        enough = got.free.get((offer.sku_id, offer.merchant_id), 0) >= line.quantity
        if on_sale and enough and offer.merchant_id != line.merchant_id and not offer.is_gift:
            yield AlternativeOffer(
                str(offer.sku_id),
                str(offer.merchant_id),
                offer.price_minor * line.quantity,
                offer.is_cross_border,
                offer.is_subscription,
                offer.is_trade_in_subsidised,
            )


def _sellers(ref: Reference, got: Gathered, lines: tuple[LineFacts, ...], now: datetime) -> tuple[SellerFacts, ...]:
    ids = {line.merchant_id for line in lines} | {alt.merchant_id for line in lines for alt in line.alternatives}
    return tuple(_seller(ref, got, UUID(merchant_id), now) for merchant_id in sorted(ids))


def _seller(ref: Reference, got: Gathered, merchant_id: UUID, now: datetime) -> SellerFacts:
    """A state that has an end is over from that instant on."""
    seller = ref.sellers[merchant_id]
    until = seller.merchant.state_until_at
    over = until is not None and until <= now
    return SellerFacts(
        merchant_id=str(merchant_id),
        kind=str(seller.merchant.kind),
        status="active" if over else str(seller.merchant.state),
        status_until_ms=None if until is None or over else epoch_ms(until),
        methods=seller.methods(business_date(now)),
        related_to_buyer=got.consumer.person_hash is not None and got.consumer.person_hash in seller.related,
        asked_count=got.asked.get(merchant_id, 0),
        code=seller.merchant.number,
    )


def _consumer(got: Gathered, now: datetime) -> ConsumerFacts:
    consumer = got.consumer
    return ConsumerFacts(
        age=consumer.age(business_date(now)),
        region=str(consumer.region),
        real_name=str(consumer.real_name),
        id_document_until_on=consumer.id_document_until_on,
        phone_reachable=consumer.phone_reachable,
        is_student=consumer.is_student,
        pay_password=str(consumer.pay_password_at(now)),
        pay_password_locked_until_ms=_ms(consumer.pay_password_locked_until_at),
        stepped_up_until_ms=_ms(consumer.stepped_up_until_at) or 0,
        sms_blocked_until_ms=_ms(consumer.sms_blocked_until_at),
        is_payer_owner=not consumer.child_mode,
        cards=consumer.cards,
        segments=consumer.segments,
        account_age_days=max(0, (now - consumer.created_at).days),
        pd_ppm=got.pd_ppm,
    )


def _ms(at: datetime | None) -> int | None:
    return None if at is None else epoch_ms(at)


def cap_path(method: str, scene: str | None) -> str:
    """The limit account that counts a method's spending, in one scene or in all."""
    return f"cap:{method}:{scene}" if scene else f"cap:{method}"


def _method(ref: Reference, got: Gathered, row: MethodRow, facts: Facts, now: datetime) -> MethodFacts:
    today_on = business_date(now)
    return method_facts(
        row,
        exposure(ref.policy, facts, row.method, got.exposure_used),
        [cap_facts(cap, _used_minor(got.accounts, row.method, cap, today_on), today_on) for cap in row.caps],
        channel_of(ref, got.order, row.method, now, got.open_attempt),
        told_of(got.said, row.method, got.bound) if got.said else (),
    )


def _used_minor(accounts: Mapping[str, LimitAccount], method: str, cap: CapRow, today_on: date) -> int:
    """What is used of a cap, by the account that counts it; not opened yet: nothing."""
    account = accounts.get(cap_path(method, cap.scene))
    if account is None:
        return 0
    return account.used_on_minor(today_on) if cap.window == "day" else account.used_in_month_minor(today_on)


def _plans(ref: Reference, got: Gathered, now: datetime) -> Iterable[PlanFacts]:
    """Every plan offered here, and beside one that a campaign pays the fee of its interest-free twin."""
    goods = [(line.merchant_id, ref.tree.path(line.category)) for line in got.order.lines]
    for method in ref.policy.methods:
        for row in ref.policy.plans(method.method, got.order.scene):
            campaign = ref.policy.interest_free(row.plan, now, goods) if row.fee_rate_ppm else None
            if campaign is not None:
                code = twin_code(row.plan)
                yield twin(row, campaign, got.subsidies_spent.get(code, 0), got.subsidised_uses.get(code, 0))
            yield plan_facts(row)


def exposure(book: PolicyBook, facts: Facts, method: str, used: Mapping[str, int]) -> tuple[ExposureFacts, ...]:
    """The room under each cap of the whole book that bears on the order, by what is `used` of it.

    A cap that can't be told, since something that the table asks isn't known, leaves no room.
    """
    said = book.ask("exposure", exposure_inputs(facts, method))
    if said.missing:
        return tuple(ExposureFacts(f"?{name}", 0) for name in said.missing)
    caps = [(str(hit.then["programme"]), hit.then["cap_minor"]) for hit in said.hits]
    return tuple(
        ExposureFacts(name, max(0, cap - used.get(name, 0)), used_minor=used.get(name, 0))
        for name, cap in caps
        if isinstance(cap, int)
    )


def rules(
    book: PolicyBook,
    lines: tuple[LineFacts, ...],
    sellers: tuple[SellerFacts, ...],
    scenes: tuple[str, ...],
    buyer: Who,
) -> Iterable[GoodsRule]:
    """What policy says of each kind of goods from each kind of seller here, for this buyer; beside it what it says of
    one seller where that differs from what it says of sellers of that kind."""
    known = {seller.merchant_id: seller for seller in sellers}
    cases = sorted(
        {
            (category_path(line), known[merchant_id].kind, merchant_id)
            for line in lines
            for merchant_id in (line.merchant_id, *(alt.merchant_id for alt in line.alternatives))
        }
    )
    for path, kind in dict.fromkeys((path, kind) for path, kind, _ in cases):
        codes = [(one, known[one].code) for other, its, one in cases if (other, its) == (path, kind)]
        for scene in scenes:
            for method in book.methods:
                of_all = book.goods(scene, path, kind, method.method, who=buyer)
                yield GoodsRule(**msgspec.structs.asdict(of_all))
                for merchant_id, code in codes:
                    own = book.goods(scene, path, kind, method.method, code, buyer)
                    if own != of_all:
                        yield GoodsRule(**msgspec.structs.asdict(own), merchant_id=merchant_id)


def _credit(ref: Reference, view: CreditView) -> CreditFacts:
    fields = msgspec.structs.asdict(view)
    fields.pop("line_version")
    numbers = ref.policy.numbers
    return CreditFacts(
        **{
            **fields,
            "limits": tuple(cashier.LimitFacts(**msgspec.structs.asdict(x)) for x in view.limits),
            "holds": tuple(cashier.HoldFacts(**msgspec.structs.asdict(x)) for x in view.holds),
            "loans": tuple(cashier.OpenLoan(**msgspec.structs.asdict(x)) for x in view.loans),
            "age_min": numbers.age_min,
            "age_max": numbers.age_max,
        }
    )


def _money(got: Gathered) -> MoneyAccountFacts:
    account = got.accounts.get(MONEY_PATH)
    return MoneyAccountFacts(
        is_open=got.consumer.money_account != "none" and account is not None,
        balance_minor=0 if account is None else -account.balance_minor,
        held_minor=0 if account is None else account.reserved_minor,
        pay_switch_on=got.consumer.pay_switch_on,
        state="frozen" if got.consumer.money_account == "frozen" else "active",
        version=0 if account is None else account.version,
    )


def _coupons(order: Order) -> Iterable[CouponFacts]:
    for coupon in order.coupons:
        yield CouponFacts(
            coupon_id=str(coupon.coupon_id),
            amount_minor=coupon.amount_minor,
            methods=coupon.methods,
            combines_with_credit=coupon.combines_with_credit,
            combines_with_interest_free=coupon.combines_with_interest_free,
        )
