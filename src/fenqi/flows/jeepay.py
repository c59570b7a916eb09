"""A partner's pay orders: claimed by number, placed as orders of one line, paid through a channel or at our cashier.

Every step is repeatable under ids that the first request chose, so a partner may send a request as often as it likes,
and a process that was killed between two steps is made up for by the next repeat.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec

from fenqi import cashier, customer, jeepay, merchant, order
from fenqi.channels import webhook
from fenqi.database.pool import Tx
from fenqi.flows import charge, pay, shop
from fenqi.flows.context import Context
from fenqi.flows.jeepay_standing import Standing, standing
from fenqi.flows.jeepay_way import CASHIER, WAYS, Way
from fenqi.flows.request import PayRequest
from fenqi.jeepay import App, PayOrder
from fenqi.kernel.by import By
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import bucket_of, id_for, new_id
from fenqi.kernel.money import check_amount_minor
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.merchant import Merchant, MerchantKind
from fenqi.order import NewLine, NewOrder

SCENE = "partner_store"
WINDOW = timedelta(hours=2)
"""How long a pay order waits at the cashier unless its partner says otherwise; a walk-in's, no longer than its try at
the channel, so that it is over when it is said to be."""
WINDOW_MOST = timedelta(days=7)
_TITLE_MOST = 200


class Asked(msgspec.Struct, frozen=True):
    """A unified order as it was asked for. Empty texts were not given."""

    mch_order_no: str
    way_code: str
    amount_minor: int
    currency: str
    subject: str
    body: str
    asked_hash: bytes
    client_ip: str = ""
    notify_url: str = ""
    return_url: str = ""
    ext_param: str = ""
    payer: str = ""
    expires_s: int | None = None


async def open_app(ctx: Context, merchant_id: UUID, label: str, category: str, by: By) -> tuple[App, str]:
    """A new app of a partner's, and its secret in clear, this once.

    Refuses MERCHANT_UNKNOWN, APP_INVALID: no label, not a partner's shop outside, or goods of no known category.
    """
    app_id, secret = new_id(epoch_ms(by.at)), jeepay.new_secret()
    async with ctx.database.transaction() as tx:
        ref = await ctx.reference.current(tx, by.at)
        if (await merchant.get(tx, merchant_id)).kind is not MerchantKind.EXTERNAL:
            raise Refusal("APP_INVALID", "only shops outside the mall have apps")
        if category not in ref.tree:
            raise Refusal("APP_INVALID", f"no category {category[:40]!r}")
        sealed = ctx.keys.seal(secret, app_id)
        return await jeepay.add_app(tx, app_id, merchant_id, label, category, sealed, by), secret


async def known_app(ctx: Context, mch_no: str, app_no: str) -> tuple[App, Merchant, str]:
    """The app that a request names, its merchant and its secret. Refuses APP_UNKNOWN, also for another's app."""
    app_id = _app_id(app_no)
    async with ctx.database.snapshot() as tx:
        found = None if app_id is None else await jeepay.find_app(tx, app_id)
        shop_of = None if found is None else await merchant.get(tx, found.merchant_id)
    if found is None or shop_of is None or shop_of.number != mch_no:
        raise NotFound("APP_UNKNOWN", "no such merchant with such an app")
    return found, shop_of, ctx.keys.unseal(found.sealed, found.app_id)


def _app_id(text: str) -> UUID | None:
    is_one = len(text) == 32 and set(text) <= set("0123456789abcdef")
    return UUID(hex=text) if is_one else None


async def unified_order(ctx: Context, app: App, asked: Asked) -> Standing:
    """Claim the number, place the order and have it paid; a repeat of the same changes nothing.

    A payment that is refused is no refusal here: the pay order stands as failed, with the reasons. Refuses
    WAY_UNSUPPORTED, PARAMETER_INVALID, WEBHOOK_URL_INVALID, MCH_ORDER_NO_TAKEN, PAYMENT_CONTENDED.
    """
    way = None if asked.way_code in CASHIER else WAYS.get(asked.way_code)
    if way is None and asked.way_code not in CASHIER:
        raise Refusal("WAY_UNSUPPORTED", f"no way {asked.way_code[:20]!r} here")
    _check(ctx, asked, way)
    async with ctx.database.transaction() as tx:
        found = await jeepay.claim_order(tx, _new(ctx, app, asked, walks_in=way is not None))
    if way is not None:
        await _pay(ctx, app, found, way, asked.payer)
    async with ctx.database.snapshot() as tx:
        return await standing(tx, found, ctx.now())


def _check(ctx: Context, asked: Asked, way: Way | None) -> None:
    check_amount_minor(asked.amount_minor)
    if asked.notify_url:
        webhook.check_url(asked.notify_url, allow_local=ctx.settings.demo)
    if asked.return_url and not asked.return_url.startswith(("https://", "http://")):
        raise Refusal("PARAMETER_INVALID", "returnUrl begins with http:// or https://", name="returnUrl")
    if asked.expires_s is not None and not 0 < asked.expires_s <= WINDOW_MOST.total_seconds():
        raise Refusal("PARAMETER_INVALID", "expiredTime is 1 second to 7 days", name="expiredTime")
    if way is not None and way.needs_payer and not asked.payer:
        raise Refusal("PARAMETER_INVALID", "channelExtra names the buyer's openid", name="channelExtra")


def _new(ctx: Context, app: App, asked: Asked, *, walks_in: bool) -> PayOrder:
    now = ctx.now()
    window = WINDOW if asked.expires_s is None else timedelta(seconds=asked.expires_s)
    if walks_in:
        window = min(window, charge.WINDOW)
    return PayOrder(
        app.merchant_id, jeepay.pay_order_id_of(app.merchant_id, asked.mch_order_no), app.app_id, asked.mch_order_no,
        asked.way_code, asked.amount_minor, asked.currency, asked.subject, asked.body, asked.client_ip,
        asked.notify_url, asked.return_url, asked.ext_param, asked.asked_hash, new_id(epoch_ms(now)),
        new_id(epoch_ms(now)) if walks_in else None, now, now + window,
    )  # fmt: skip


async def _pay(ctx: Context, app: App, found: PayOrder, way: Way, payer: str) -> None:
    """Let the walk-in pay, in the one press that the pay order stands for."""
    assert found.consumer_id is not None, "a walk-in is there from the beginning"
    if found.pay_by_at <= ctx.now():
        return
    intent_id = await _place(ctx, app, found, found.consumer_id)
    payment_id = id_for(found.consumer_id, "jeepay payment", str(found.order_id))
    request = PayRequest(
        found.consumer_id, payment_id, intent_id, way.method, "full", found.asked_hash, client=way.client, way=way.way,
        payer=payer, return_url=address(ctx, found, "return"),
    )  # fmt: skip
    await pay.pay(ctx, request)


async def _place(ctx: Context, app: App, found: PayOrder, consumer_id: UUID) -> UUID:
    """The order of the pay order, placed for who pays it unless it has been; its checkout."""
    by = By(f"merchant:{found.merchant_id}", "asked for by Jeepay's protocol", ctx.now())
    async with ctx.database.transaction() as tx:
        await order.claim_number(tx, consumer_id, found.order_id, by.at)
    async with ctx.database.transaction() as tx:
        if not await order.get_many(tx, [(consumer_id, found.order_id)]):
            if found.way_code not in CASHIER:
                await customer.add_walk_in(tx, consumer_id, by)
            await order.place(tx, _order(app, found, consumer_id), by)
        bucket = bucket_of(consumer_id)
        return await cashier.open_checkout(tx, bucket, consumer_id, new_id(), found.order_id, by.at)


def _order(app: App, found: PayOrder, consumer_id: UUID) -> NewOrder:
    """One line for the whole amount: goods of the app's category that the catalogue doesn't know, and no stock."""
    title = found.subject[:_TITLE_MOST]
    line = NewLine(
        shop.line_id_of(found.order_id, 1), app.app_id, found.merchant_id, app.category, title, title, 1,
        found.amount_minor,
    )  # fmt: skip
    return NewOrder(
        consumer_id, found.order_id, SCENE, (line,), found.pay_by_at, delivery="pick_up", currency="CNY"
    )  # fmt: skip


def address(ctx: Context, found: PayOrder, page: str) -> str:
    """A page of ours about a pay order, by what nobody can guess: unlike its numbers, its order's id is random."""
    return f"{ctx.settings.base_url}/jeepay/{found.merchant_id.hex}/{found.order_id.hex}/{page}"


async def found_by(tx: Tx, merchant_id: UUID, order_id: UUID) -> PayOrder:
    """The pay order of such an address. NotFound (PAY_ORDER_UNKNOWN)."""
    found = (await jeepay.of_orders(tx, [(merchant_id, order_id)])).get((merchant_id, order_id))
    if found is None:
        raise NotFound("PAY_ORDER_UNKNOWN", "no such pay order")
    return found


async def take(ctx: Context, consumer_id: UUID, merchant_id: UUID, order_id: UUID) -> UUID:
    """A signed-in buyer pays a pay order of our cashier's: its order is placed as theirs; its checkout.

    Refuses PAY_ORDER_UNKNOWN, PAY_ORDER_TAKEN, PAY_ORDER_CLOSED.
    """
    async with ctx.database.transaction() as tx:
        found = await found_by(tx, merchant_id, order_id)
        found = await jeepay.take_order(tx, merchant_id, found.pay_order_id, consumer_id, ctx.now())
        app = await jeepay.get_app(tx, found.app_id)
    return await _place(ctx, app, found, consumer_id)


async def close(ctx: Context, found: PayOrder) -> None:
    """Close a pay order, at its channel first; closing a closed one changes nothing.

    Refuses STATE_CONFLICT once it is paid, has failed or lapsed, and PAYMENT_IN_PROGRESS while a channel can't say.
    """
    if found.consumer_id is None:
        async with ctx.database.transaction() as tx:
            found = await jeepay.close_untaken(tx, found.merchant_id, found.pay_order_id, ctx.now())
    if found.consumer_id is not None:
        await shop.close_order(ctx, found.consumer_id, found.order_id, "the seller closed it by Jeepay's protocol")


async def merchant_number(tx: Tx, merchant_id: UUID) -> str:
    """`mchNo`."""
    return (await merchant.get(tx, merchant_id)).number
