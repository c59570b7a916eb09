"""The catalogue against PostgreSQL: lists, search, prices, and stock that is never sold twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fenqi import catalog, merchant
from fenqi.catalog import Category, Goods, Offer, OfferState, Sku, Wanted
from fenqi.database.reference_epoch import read_epoch
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.merchant import MerchantKind

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
LATER = AT + timedelta(minutes=35)
BY = By("staff:bea", "spring range", AT)


@pytest.fixture(scope="module")
def shelf(database, run):
    """Two shops selling one phone in two variants; the second shop is dearer."""
    shops = [new_id(), new_id()]
    goods = Goods(new_id(), "phone", "澄屿 澜 1 手机", "Chengyu Lan 1 phone", "", "", False, AT)
    skus = [Sku(new_id(), goods.goods_id, f"SKU{n}", zh, zh, "#336699", n) for n, zh in enumerate(("256GB", "512GB"))]
    offers = [
        Offer(sku.sku_id, shop, OfferState.ON_SALE, 300_000 + 10_000 * n, ("mall", "instalment_mall"))
        for n, shop in enumerate(shops)
        for sku in skus
    ]

    async def fill(tx):
        for shop in shops:
            await merchant.register(tx, shop, MerchantKind.THIRD_PARTY, "店", "Shop", BY)
        await catalog.add_categories(
            tx,
            [Category("digital", None, "数码", "Electronics", 1), Category("phone", "digital", "手机", "Phones", 2)],
            BY,
        )
        await catalog.add_goods(tx, [goods], skus, BY)
        await catalog.put_offers(tx, offers, BY)

    run(_in(database, fill))
    return shops, goods, skus


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


def _stocked(database, run, shop, sku, pieces):
    run(_in(database, lambda tx: catalog.receive(tx, shop, {sku: pieces}, BY)))


def _free(database, run, shop, sku):
    return run(_in(database, lambda tx: catalog.free(tx, [(sku, shop)])))[sku, shop]


def _new_sku(database, run, shelf, pieces):
    """A variant of its own for a test of stock, with this many pieces at the first shop."""
    shops, goods, _ = shelf
    sku = Sku(new_id(), goods.goods_id, f"SKU-{new_id().hex[-12:]}", "", "", "#336699", 9)
    run(_in(database, lambda tx: catalog.add_goods(tx, [], [sku], BY)))
    _stocked(database, run, shops[0], sku.sku_id, pieces)
    return shops[0], sku.sku_id


def test_lists_show_the_cheapest_offer_and_find_by_name(database, run, shelf):
    shops, goods, _ = shelf

    async def verb(tx):
        tree = await catalog.tree(tx)
        return [
            await catalog.listing(tx, "mall", tree.below("digital"), word)
            for word in (None, "lan 1", "澜", "100%", "_")
        ]

    every, english, chinese, *nothing = run(_in(database, verb))
    assert every == english == chinese
    assert [(x.item.goods_id, x.merchant_id, x.price_minor) for x in every] == [(goods.goods_id, shops[0], 300_000)]
    assert every[0].variants >= 2
    assert nothing == [[], []]
    assert run(_in(database, lambda tx: catalog.listing(tx, "scan_to_pay"))) == []
    with pytest.raises(Refusal, match="PAGE_INVALID"):
        run(_in(database, lambda tx: catalog.listing(tx, "mall", limit=101)))


def test_a_product_has_its_variants_offers_and_free_pieces(database, run, shelf):
    shops, goods, skus = shelf
    _stocked(database, run, shops[1], skus[0].sku_id, 7)
    found = run(_in(database, lambda tx: catalog.product(tx, goods.goods_id, "mall")))
    assert {(o.sku_id, o.merchant_id) for o in found.offers} == {(s.sku_id, m) for s in skus for m in shops}
    assert found.free[skus[0].sku_id, shops[1]] == 7
    with pytest.raises(NotFound, match="GOODS_UNKNOWN"):
        run(_in(database, lambda tx: catalog.product(tx, new_id(), "mall")))


def test_a_price_change_is_kept_and_raises_the_epoch(database, run, shelf):
    shops, _, skus = shelf

    async def verb(tx):
        before = await read_epoch(tx)
        await catalog.change_price(tx, skus[1].sku_id, shops[1], 299_900, BY)
        await catalog.change_price(tx, skus[1].sku_id, shops[1], 299_900, BY)
        after = await read_epoch(tx)
        await catalog.set_on_sale(tx, skus[1].sku_id, shops[1], False, BY)
        rows = await (
            await tx.execute(
                "SELECT verb, detail, actor, why FROM catalogue_history WHERE verb IN"
                " ('change_price', 'set_on_sale') ORDER BY at, history_id"
            )
        ).fetchall()
        return before, after, (await catalog.offers(tx, [skus[1].sku_id]))[skus[1].sku_id, shops[1]], rows

    before, after, offer, rows = run(_in(database, verb))
    assert after == before + 1
    assert (offer.price_minor, offer.state, offer.version) == (299_900, OfferState.OFF_SALE, 3)
    assert rows[0] == (
        "change_price",
        {"from": [310_000, "on_sale"], "to": [299_900, "on_sale"]},
        "staff:bea",
        "spring range",
    )
    for price, code in ((0, "AMOUNT_INVALID"), (-1, "AMOUNT_INVALID"), (10**12, "AMOUNT_INVALID")):
        with pytest.raises(Refusal, match=code):
            run(_in(database, lambda tx, p=price: catalog.change_price(tx, skus[1].sku_id, shops[1], p, BY)))
    with pytest.raises(NotFound, match="OFFER_UNKNOWN"):
        run(_in(database, lambda tx: catalog.change_price(tx, new_id(), shops[1], 100, BY)))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price_minor": 0}, "AMOUNT_INVALID"),
        ({"scenes": ()}, "OFFER_INVALID"),
        ({"scenes": ("moon",)}, "OFFER_INVALID"),
        ({"deliveries": ("drone",)}, "OFFER_INVALID"),
        ({"deposit_minor": 100}, "OFFER_INVALID"),
        ({"deposit_minor": 100, "tail_from_at": AT}, "OFFER_INVALID"),
    ],
)
def test_offers_that_make_no_sense_are_refused(database, run, shelf, changes, code):
    shops, _, skus = shelf
    fields = {"price_minor": 100, "scenes": ("mall",)} | changes
    offer = Offer(skus[0].sku_id, shops[0], OfferState.ON_SALE, **fields)
    with pytest.raises(Refusal, match=code):
        run(_in(database, lambda tx: catalog.put_offers(tx, [offer], BY)))
    assert (
        run(_in(database, lambda tx: catalog.offers(tx, [skus[0].sku_id])))[skus[0].sku_id, shops[0]].price_minor
        == 300_000
    )


def test_stock_is_reserved_consumed_and_released_once(database, run, shelf):
    shop, sku = _new_sku(database, run, shelf, 10)
    kept, dropped = new_id(), new_id()

    async def verb(tx):
        wanted = [Wanted(kept, sku, 4), Wanted(dropped, sku, 3)]
        await catalog.reserve(tx, shop, wanted, LATER, BY)
        await catalog.reserve(tx, shop, wanted, LATER, BY)
        await catalog.release(tx, shop, [dropped, new_id()], BY)
        await catalog.release(tx, shop, [dropped], BY)
        short = [await catalog.consume(tx, shop, [kept], BY) for _ in range(2)]
        await catalog.release(tx, shop, [kept], BY)
        moves = await (
            await tx.execute(
                "SELECT verb, on_hand_change, reserved_change FROM stock_move WHERE bucket = %s AND sku_id = %s"
                " ORDER BY at, move_id",
                [bucket_of(shop), sku],
            )
        ).fetchall()
        return short, moves

    short, moves = run(_in(database, verb))
    assert short == [[], []]
    assert moves == [("receive", 10, 0), ("reserve", 0, 4), ("reserve", 0, 3), ("release", 0, -3), ("consume", -4, -4)]
    assert _free(database, run, shop, sku) == 6


def test_what_is_not_there_is_refused_whole(database, run, shelf):
    shop, sku = _new_sku(database, run, shelf, 5)
    wanted = [Wanted(new_id(), sku, 3), Wanted(new_id(), sku, 3)]
    with pytest.raises(Conflict, match="OUT_OF_STOCK") as refused:
        run(_in(database, lambda tx: catalog.reserve(tx, shop, wanted, LATER, BY)))
    assert refused.value.extra == {"short": {str(sku): 5}}
    assert _free(database, run, shop, sku) == 5
    with pytest.raises(Refusal, match="QUANTITY_INVALID"):
        run(_in(database, lambda tx: catalog.reserve(tx, shop, [Wanted(new_id(), sku, 0)], LATER, BY)))
    with pytest.raises(Refusal, match="QUANTITY_INVALID"):
        run(_in(database, lambda tx: catalog.receive(tx, shop, {sku: 0}, BY)))


def test_a_lapsed_reservation_is_served_from_what_is_free(database, run, shelf):
    shop, sku = _new_sku(database, run, shelf, 5)
    first, second = new_id(), new_id()
    janitor = By("system:janitor", "expired", LATER)

    async def verb(tx):
        await catalog.reserve(tx, shop, [Wanted(first, sku, 2), Wanted(second, sku, 3)], LATER, BY)
        early = await catalog.release_expired(tx, bucket_of(shop), janitor._replace(at=LATER - timedelta(seconds=1)))
        released = [await catalog.release_expired(tx, bucket_of(shop), janitor) for _ in range(2)]
        served = await catalog.consume(tx, shop, [first], BY)
        await catalog.reserve(tx, shop, [Wanted(new_id(), sku, 2)], LATER, BY)
        return early, released, served, await catalog.consume(tx, shop, [second, first], BY)

    early, released, served, short = run(_in(database, verb))
    assert (early, released, served, short) == (0, [2, 0], [], [second])


def test_the_last_pieces_go_to_as_many_buyers_as_there_are_pieces(database, run, shelf):
    shop, sku = _new_sku(database, run, shelf, 5)

    async def buy():
        try:
            await _in(database, lambda tx: catalog.reserve(tx, shop, [Wanted(new_id(), sku, 1)], LATER, BY))
        except Conflict as refused:
            return refused.code
        return "held"

    async def race():
        return await asyncio.gather(*(buy() for _ in range(12)))

    outcomes = run(race())
    assert (outcomes.count("held"), outcomes.count("OUT_OF_STOCK")) == (5, 7)
    assert _free(database, run, shop, sku) == 0
