"""Orders against PostgreSQL: placed, changed, split, closed, expired, placed again; every change kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fenqi import order
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.order import Coupon, NewLine, NewOrder, OrderState

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
PAY_BY = AT + timedelta(minutes=30)


def by(consumer_id, at=AT):
    return By(f"consumer:{consumer_id}", "bought it", at)


def line(price=300_000, quantity=1, **changes):
    fields = {
        "line_id": new_id(), "sku_id": new_id(), "merchant_id": new_id(), "category": "phone", "title_zh": "手机",
        "title_en": "Phone", "quantity": quantity, "unit_price_minor": price,
    }  # fmt: skip
    return NewLine(**(fields | changes))


def new_order(*lines, **changes):
    fields = {"consumer_id": new_id(), "order_id": new_id(), "scene": "instalment_mall", "lines": lines or (line(),),
              "pay_by_at": PAY_BY}  # fmt: skip
    return NewOrder(**(fields | changes))


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


@pytest.fixture
def do(database, run):
    """Runs `verb(tx)` in a transaction of its own."""
    return lambda verb: run(_in(database, verb))


@pytest.fixture
def placed(do):
    """An order of ¥3,000 and 2 × ¥99.50 with a coupon of ¥100.01."""
    coupon = Coupon(new_id(), 10_001, ("money_account",), combines_with_credit=False)
    new = new_order(line(), line(9_950, 2, category="tea"), coupons=(coupon,))
    return do(lambda tx: order.place(tx, new, by(new.consumer_id)))


def _rows(do, table, consumer_id):
    sql = f"SELECT count(*) FROM {table} WHERE bucket = %s AND consumer_id = %s"

    async def count(tx):
        return (await (await tx.execute(sql, [bucket_of(consumer_id), consumer_id])).fetchone())[0]

    return do(count)


def test_a_coupon_is_shared_to_the_fen(do, placed):
    # 10001 of 319900: 300000/319900 → 9378.86…, 19900/319900 → 622.13…; the remainder goes to the larger fraction
    assert [(x.discount_minor, x.amount_minor) for x in placed.lines] == [(9_379, 290_621), (622, 19_278)]
    assert placed.payable_minor == 309_899
    assert do(lambda tx: order.get(tx, placed.consumer_id, placed.order_id)) == placed


def test_placing_twice_is_placing_once(do, placed):
    lines = tuple(NewLine(**{f: getattr(x, f) for f in NewLine.__struct_fields__}) for x in placed.lines)
    again = new_order(*lines, consumer_id=placed.consumer_id, order_id=placed.order_id, coupons=placed.coupons)
    assert do(lambda tx: order.place(tx, again, by(placed.consumer_id))) == placed
    other = msgspec.structs.replace(again, lines=(line(500),), coupons=())
    with pytest.raises(Conflict, match="ORDER_EXISTS"):
        do(lambda tx: order.place(tx, other, by(placed.consumer_id)))
    assert _rows(do, "order_line", placed.consumer_id) == 2
    assert _rows(do, "order_move", placed.consumer_id) == 1


TWICE = new_id()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lines": ()}, "LINES_INVALID"),
        ({"lines": tuple(line() for _ in range(51))}, "LINES_INVALID"),
        ({"lines": (line(line_id=TWICE), line(line_id=TWICE))}, "LINES_INVALID"),
        ({"lines": (line(quantity=0),)}, "QUANTITY_INVALID"),
        ({"lines": (line(quantity=1000),)}, "QUANTITY_INVALID"),
        ({"lines": (line(0),)}, "AMOUNT_INVALID"),
        ({"lines": (line(-5),)}, "AMOUNT_INVALID"),
        ({"lines": (line(10**10), line(1))}, "AMOUNT_INVALID"),
        ({"lines": (line(0, is_gift=True),)}, "AMOUNT_INVALID"),
        ({"scene": "moon"}, "SCENE_INVALID"),
        ({"delivery": "drone"}, "DELIVERY_INVALID"),
        ({"delivery": "virtual"}, "DELIVERY_INVALID"),
        ({"currency": "XXX"}, "CURRENCY_NOT_SUPPORTED"),
        ({"buyer_kind": "robot"}, "BUYER_INVALID"),
        ({"pay_by_at": AT}, "PAY_BY_INVALID"),
        ({"presale_stage": "deposit"}, "PRESALE_INVALID"),
        ({"coupons": (Coupon(new_id(), 300_000),)}, "COUPON_TOO_LARGE"),
        ({"coupons": (Coupon(new_id(), 0),)}, "COUPON_TOO_LARGE"),
        ({"coupons": (Coupon(TWICE, 1), Coupon(TWICE, 1))}, "COUPON_TWICE"),
    ],
)
def test_bad_orders_are_refused_and_write_nothing(do, changes, code):
    new = new_order(**changes)
    with pytest.raises(Refusal, match=code):
        do(lambda tx: order.place(tx, new, by(new.consumer_id)))
    assert _rows(do, "orders", new.consumer_id) == 0


def test_numbers_lead_to_the_order_and_are_claimed_once(do):
    consumer, first, merchant_id = new_id(), new_id(), new_id()
    number = do(lambda tx: order.claim_number(tx, consumer, first, AT))
    assert len(number) == 10
    assert do(lambda tx: order.claim_number(tx, consumer, first, AT)) == number
    assert do(lambda tx: order.find(tx, f" {number.lower()} ")) == (consumer, first)
    other = new_id()
    for order_id in (first, other):
        owner = do(lambda tx, o=order_id: order.claim_partner_number(tx, merchant_id, "A-1", consumer, o, AT))
        assert owner == (consumer, first)
    assert do(lambda tx: order.find_partner_number(tx, merchant_id, "A-1")) == (consumer, first)
    with pytest.raises(NotFound, match="ORDER_UNKNOWN"):
        do(lambda tx: order.find(tx, "NOSUCHNUMB"))
    with pytest.raises(Refusal, match="NUMBER_INVALID"):
        do(lambda tx: order.claim_partner_number(tx, merchant_id, "x" * 65, consumer, first, AT))


def test_numbers_of_orders_never_placed_are_swept(do, placed):
    consumer, never = placed.consumer_id, new_id()
    at = AT - timedelta(days=400)
    kept = do(lambda tx: order.claim_number(tx, consumer, placed.order_id, at))
    lost = do(lambda tx: order.claim_number(tx, consumer, never, at))
    swept = [do(lambda tx: order.sweep_numbers(tx, at, at + timedelta(hours=1))) for _ in range(2)]
    assert swept == [1, 0]
    assert do(lambda tx: order.find(tx, kept)) == (consumer, placed.order_id)
    with pytest.raises(NotFound, match="ORDER_UNKNOWN"):
        do(lambda tx: order.find(tx, lost))


def test_orders_of_others_look_like_none(do, placed):
    with pytest.raises(NotFound, match="ORDER_UNKNOWN"):
        do(lambda tx: order.get(tx, new_id(), placed.order_id))
    with pytest.raises(NotFound, match="ORDER_UNKNOWN"):
        do(lambda tx: order.change_delivery(tx, new_id(), placed.order_id, "pick_up", by(new_id())))


def test_another_seller_shares_the_coupon_anew(do, placed):
    old = placed.lines[0]
    offer = line(280_000, line_id=old.line_id, sku_id=old.sku_id)
    who = by(placed.consumer_id)
    after = do(lambda tx: order.change_seller(tx, placed.consumer_id, placed.order_id, offer, who))
    # 10001 × 280000 / 299900 = 9337.37…, × 19900 / 299900 = 663.62…
    assert [x.discount_minor for x in after.lines] == [9_337, 664]
    assert (after.lines[0].merchant_id, after.payable_minor, after.version) == (offer.merchant_id, 289_899, 2)
    assert do(lambda tx: order.get(tx, placed.consumer_id, placed.order_id)) == after
    with pytest.raises(NotFound, match="LINE_UNKNOWN"):
        do(lambda tx: order.change_seller(tx, placed.consumer_id, placed.order_id, line(), who))
    two = line(280_000, 2, line_id=old.line_id)
    with pytest.raises(Refusal, match="QUANTITY_INVALID"):
        do(lambda tx: order.change_seller(tx, placed.consumer_id, placed.order_id, two, who))


def test_amendments_are_kept_one_by_one(do, placed):
    consumer, who = placed.consumer_id, by(placed.consumer_id)
    tea = placed.lines[1].line_id

    async def verb(tx):
        await order.change_delivery(tx, consumer, placed.order_id, "pick_up", who)
        await order.change_scene(tx, consumer, placed.order_id, "mall", who)
        await order.accept_price(tx, consumer, placed.order_id, {tea: 10_000}, who)
        after = await order.remove_coupon(tx, consumer, placed.order_id, placed.coupons[0].coupon_id, who)
        return after, await order.get(tx, consumer, placed.order_id), await order.moves(tx, consumer, placed.order_id)

    after, stored, moves = do(verb)
    assert after == stored
    assert (after.delivery, after.scene, after.payable_minor, after.coupons) == ("pick_up", "mall", 320_000, ())
    assert [(m.version, m.verb) for m in moves] == [
        (1, "place"), (2, "change_delivery"), (3, "change_scene"), (4, "accept_price"), (5, "remove_coupon"),
    ]  # fmt: skip
    assert moves[3].detail == {"payable_minor": 309_899}
    assert {(m.actor, m.why, m.to_state) for m in moves} == {(who.actor, "bought it", "awaiting_payment")}
    with pytest.raises(NotFound, match="COUPON_UNKNOWN"):
        do(lambda tx: order.remove_coupon(tx, consumer, placed.order_id, new_id(), who))
    with pytest.raises(Refusal, match="AMOUNT_INVALID"):
        do(lambda tx: order.accept_price(tx, consumer, placed.order_id, {tea: 0}, who))


def test_a_split_order_loses_no_fen_and_is_split_once(do, placed):
    consumer, who, new_id_ = placed.consumer_id, by(placed.consumer_id), new_id()
    tea = placed.lines[1].line_id

    def split():
        return do(lambda tx: order.split(tx, consumer, placed.order_id, [tea], new_id_, who))

    stays, goes = split()
    assert (stays.payable_minor, goes.payable_minor) == (290_621, 19_278)
    assert stays.payable_minor + goes.payable_minor == placed.payable_minor
    assert [c.amount_minor for c in (*stays.coupons, *goes.coupons)] == [9_379, 622]
    assert (stays.version, goes.version, goes.made_from_order_id, goes.pay_by_at) == (2, 1, placed.order_id, PAY_BY)
    assert split() == (stays, goes)
    assert do(lambda tx: order.get(tx, consumer, placed.order_id)) == stays
    assert do(lambda tx: order.get(tx, consumer, new_id_)) == goes
    assert [o.order_id for o in do(lambda tx: order.of_consumer(tx, consumer))] == [new_id_, placed.order_id]


@pytest.mark.parametrize("chosen", [[], [0, 1], ["stranger"], [0, "stranger"]])
def test_a_split_takes_some_and_leaves_some(do, placed, chosen):
    ids = [new_id() if c == "stranger" else placed.lines[c].line_id for c in chosen]
    with pytest.raises(Refusal, match="LINES_INVALID"):
        do(lambda tx: order.split(tx, placed.consumer_id, placed.order_id, ids, new_id(), by(placed.consumer_id)))
    assert _rows(do, "orders", placed.consumer_id) == 1


def test_paying_a_batch_moves_every_order_once(do):
    orders = [new_order(line(1_000 + n)) for n in range(20)]
    for new in orders:
        do(lambda tx, n=new: order.place(tx, n, by(n.consumer_id)))
    keys = [(o.consumer_id, o.order_id) for o in orders]

    async def pay(tx):
        locked = await order.lock_for_payment(tx, [*keys, (new_id(), new_id())])
        await order.mark_paid(tx, [order.PaidOrder(*key, new_id(), AT) for key in keys])
        return locked

    locked = do(pay)
    assert set(locked) == set(keys)
    assert {(o.state, o.version, o.pay_by_at) for o in locked.values()} == {(OrderState.AWAITING_PAYMENT, 1, PAY_BY)}
    assert [locked[k].payable_minor for k in keys] == [1_000 + n for n in range(20)]
    found = do(lambda tx: order.get_many(tx, keys))
    assert {(o.state, o.version, o.paid_at) for o in found.values()} == {(OrderState.PAID, 2, AT)}
    moves = do(lambda tx: order.moves(tx, *keys[0]))
    assert (moves[1].verb, moves[1].from_state, moves[1].to_state) == ("pay", "awaiting_payment", "paid")
    assert moves[1].actor == f"consumer:{keys[0][0]}"
    with pytest.raises(AssertionError):
        do(pay)
    for verb in (order.close, lambda tx, c, o, b: order.change_delivery(tx, c, o, "pick_up", b)):
        with pytest.raises(Conflict, match=r"STATE_CONFLICT|ORDER_PAID"):
            do(lambda tx, v=verb: v(tx, *keys[0], by(keys[0][0])))


def test_an_order_is_closed_once_and_can_be_placed_again(do, placed):
    consumer, again_id, who = placed.consumer_id, new_id(), by(placed.consumer_id)
    offers = [NewLine(**{f: getattr(x, f) for f in NewLine.__struct_fields__}) for x in placed.lines]

    def reorder(lines=offers):
        later = PAY_BY + timedelta(hours=1)
        return do(lambda tx: order.reorder(tx, consumer, placed.order_id, again_id, lines, later, who))

    with pytest.raises(Conflict, match="ORDER_OPEN"):
        reorder()
    for _ in range(2):
        closed = do(lambda tx: order.close(tx, consumer, placed.order_id, who))
        assert (closed.state, closed.version) == (OrderState.CLOSED, 2)
    with pytest.raises(Conflict, match="ORDER_CLOSED"):
        do(lambda tx: order.change_scene(tx, consumer, placed.order_id, "mall", who))
    with pytest.raises(Refusal, match="LINES_INVALID"):
        reorder([line()])
    again = reorder()
    assert (again.payable_minor, again.made_from_order_id, again.state) == (
        309_899,
        placed.order_id,
        "awaiting_payment",
    )
    assert reorder() == again
    assert {x.line_id for x in again.lines} & {x.line_id for x in placed.lines} == set()


def test_unpaid_orders_expire_at_their_deadline(do, placed):
    bucket, janitor = bucket_of(placed.consumer_id), By("system:expire", "not paid in time", PAY_BY)

    def expire(at):
        return do(lambda tx: order.expire_due(tx, bucket, janitor._replace(at=at)))

    key = (placed.consumer_id, placed.order_id)
    assert key not in expire(PAY_BY - timedelta(seconds=1))
    with pytest.raises(Conflict, match="ORDER_EXPIRED"):
        do(lambda tx: order.change_scene(tx, *key, "mall", by(key[0], PAY_BY)))
    assert expire(PAY_BY).count(key) == 1
    assert key not in expire(PAY_BY)
    found = do(lambda tx: order.get(tx, *key))
    assert (found.state, found.version) == (OrderState.EXPIRED, 2)
    last = do(lambda tx: order.moves(tx, *key))[-1]
    assert (last.verb, last.actor, last.why, last.at) == ("expire", "system:expire", "not paid in time", PAY_BY)


def test_the_cart_holds_whole_numbers(do):
    consumer, sku, shop = new_id(), new_id(), new_id()

    async def verb(tx):
        for quantity in (2, 3, 3):
            await order.put_in_cart(tx, consumer, "mall", sku, shop, quantity, AT)
        full = await order.cart(tx, consumer, "mall")
        await order.put_in_cart(tx, consumer, "mall", sku, shop, 0, AT)
        return full, await order.cart(tx, consumer, "mall"), await order.cart(tx, consumer, "instalment_mall")

    full, empty, other = do(verb)
    assert [(x.sku_id, x.merchant_id, x.quantity) for x in full] == [(sku, shop, 3)]
    assert empty == other == []
    for scene, quantity, code in (("moon", 1, "SCENE_INVALID"), ("mall", -1, "QUANTITY_INVALID"), ("mall", 1000, "Q")):
        with pytest.raises(Refusal, match=code):
            do(lambda tx, s=scene, q=quantity: order.put_in_cart(tx, consumer, s, sku, shop, q, AT))


def test_a_cart_is_full_at_fifty_lines(do):
    consumer, shop = new_id(), new_id()

    async def fill(tx):
        for _ in range(50):
            await order.put_in_cart(tx, consumer, "mall", new_id(), shop, 1, AT)

    do(fill)
    with pytest.raises(Refusal, match="CART_FULL"):
        do(lambda tx: order.put_in_cart(tx, consumer, "mall", new_id(), shop, 1, AT))
    pairs = [(x.sku_id, x.merchant_id) for x in do(lambda tx: order.cart(tx, consumer, "mall"))][:49]
    do(lambda tx: order.take_out_of_cart(tx, consumer, "mall", pairs))
    assert len(do(lambda tx: order.cart(tx, consumer, "mall"))) == 1
