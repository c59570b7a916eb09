"""The demo's merchants: invented shops in every kind and state, with the methods that their contracts enable."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from fenqi import merchant
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.merchant import MerchantKind, MerchantState, Relation
from fenqi.seed.ident import seed_id

_CHANNELS = ("bank_card", "alipay", "wechat_pay", "huawei_pay")
_ALL = ("credit", "money_account", *_CHANNELS)
_NO_CREDIT = ("money_account", *_CHANNELS)
_S, _K = MerchantState, MerchantKind


class Shop(NamedTuple):
    """A merchant of the demo."""

    code: str
    name_zh: str
    name_en: str
    kind: MerchantKind = _K.THIRD_PARTY
    methods: tuple[str, ...] = _ALL
    state: MerchantState = _S.ACTIVE
    why: str = ""
    until_days: int | None = None
    lapsed: tuple[str, ...] = ()
    """Methods whose contract ended before today."""

    @property
    def merchant_id(self) -> UUID:
        """Its id in every installation."""
        return seed_id("merchant", self.code)


SHOPS = (
    Shop("fenqi", "分期自营", "Fenqi Direct", _K.SELF_OPERATED),
    Shop("fenqi_home", "分期自营家居", "Fenqi Home", _K.SELF_OPERATED),
    Shop("xingye", "星垂野数码旗舰店", "Starfall Electronics"),
    Shop("yunshan", "云杉数码专营店", "Spruce Electronics", methods=_NO_CREDIT),
    Shop("nuanwu", "暖屋电器", "Warm House Appliances", methods=_NO_CREDIT, lapsed=("credit",)),
    Shop("muzuo", "木作里家居", "Muzuoli Furniture"),
    Shop("qingci", "青瓷里美妆", "Celadon Beauty"),
    Shop("xiaolu", "小鹿乌乌母婴", "Little Fawn Baby"),
    Shop("shanye", "山野有路户外", "Trailhead Outdoors", state=_S.FROZEN, why="goods under inspection", until_days=20),
    Shop(
        "gucang", "谷仓门食品", "Barn Door Foods", state=_S.COLLECTION_CAP, why="month's collection cap", until_days=9
    ),
    Shop("jiushi", "旧时衣橱", "Old Days Wardrobe", state=_S.CONTRACT_EXPIRED, why="contract not renewed"),
    Shop("guanmen", "末班车百货", "Last Train Store", state=_S.CLOSED, why="closed by its owner"),
    Shop("jinman", "满堂记珠宝", "Mantang Jewellers"),
    Shop("huanqiu", "海角海外优选", "Cape Overseas Select"),
    Shop("shuyu", "数余充值站", "Shuyu Top-ups"),
    Shop("piaowu", "一席票务", "One Seat Tickets"),
    Shop("yaofang", "杏庐大药房", "Apricot Hall Pharmacy"),
    Shop("linji", "林记电器行", "Lin's Appliances"),
    Shop("jiejiao", "街角那家咖啡", "The Corner Coffee", _K.EXTERNAL),
    Shop("bianli", "灯还亮便利店", "Lights On Store", _K.EXTERNAL, _NO_CREDIT),
    Shop("yuanshan", "远山行装", "Far Hills Luggage", _K.EXTERNAL),
    Shop("tingche", "停半日停车场", "Half Day Parking", _K.EXTERNAL, state=_S.FROZEN, why="licence under review"),
)

BY_CODE = {shop.code: shop for shop in SHOPS}
SELF_DEALING = "linji"
"""The shop whose owner is one of the demo's consumers."""
SPONSOR = "muzuo"
"""The shop that pays the fee of three instalments."""


async def seed_shops(tx: Tx, by: By, owner_hashes: tuple[bytes, ...] = ()) -> None:
    """Register all shops with contracts, all of them active; `owner_hashes` own the self-dealing shop.

    A repeat adds nothing.
    """
    there = {one.merchant_id for one in await merchant.get_all(tx)}
    for shop in SHOPS:
        if shop.merchant_id not in there:
            await _seed_shop(tx, shop, by)
    for person_hash in owner_hashes:
        await merchant.relate(tx, BY_CODE[SELF_DEALING].merchant_id, person_hash, Relation.OWNER, by)


async def _seed_shop(tx: Tx, shop: Shop, by: By) -> None:
    await merchant.register(tx, shop.merchant_id, shop.kind, shop.name_zh, shop.name_en, by)
    began_on = _year_before(business_date(by.at))
    for method in shop.methods:
        await merchant.sign_contract(tx, shop.merchant_id, method, began_on, by)
    for method in shop.lapsed:
        ended_on = business_date(by.at) - timedelta(days=1)
        await merchant.sign_contract(tx, shop.merchant_id, method, began_on, by, ends_on=ended_on)


async def let_shops_be(tx: Tx, by: By) -> None:
    """Put the shops that aren't active into their states, counted from now. A repeat changes nothing."""
    active = {one.merchant_id for one in await merchant.get_all(tx) if one.state is _S.ACTIVE}
    for shop in SHOPS:
        if shop.state is not _S.ACTIVE and shop.merchant_id in active:
            reason = By(by.actor, shop.why, by.at)
            await merchant.change_state(tx, shop.merchant_id, shop.state, reason, _until(by.at, shop.until_days))


def _year_before(on: date) -> date:
    return on - timedelta(days=365)


def _until(at: datetime, days: int | None) -> datetime | None:
    return None if days is None else at + timedelta(days=days)
