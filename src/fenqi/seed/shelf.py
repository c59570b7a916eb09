"""What the demo's mall sells, as templates: per category the price model, invented brands and lines, variants, sellers.

Medians and spreads of the log-normal prices come from magnitudes.md; brands, lines and goods are invented.
"""

from __future__ import annotations

from typing import NamedTuple

_MALL = ("mall", "instalment_mall")
_ONLY_MALL = ("mall",)

Words = tuple[str, str]
"""Chinese and English."""


class Shelf(NamedTuple):
    """How goods of one category are made."""

    category: str
    noun: Words
    median_yuan: float
    sigma: float
    lines: tuple[Words, ...]
    variants: tuple[Words, ...]
    sellers: tuple[str, ...]
    """Codes of shops; the first sells everything, the others every second goods."""
    scenes: tuple[str, ...] = _MALL
    goods: int = 5
    flags: tuple[str, ...] = ()
    """Of cross_border, subscription, virtual, trade_in."""
    step: float = 0.0
    """Each further variant costs this share more."""


BRANDS: tuple[Words, ...] = (
    ("澄屿", "Chengyu"), ("朗阔山", "Langkuo"), ("星棱", "Starridge"), ("鹿吟", "Luyin"), ("木禾间", "Muhejian"),
    ("拾雾", "Shiwu"), ("北汀", "Beiting"), ("云篦", "Yunbi"), ("青柘", "Qingzhe"), ("南桷", "Nanjue"),
    ("半盏", "Half Cup"), ("松醪", "Songlao"), ("岚起", "Lanqi"), ("禾渚", "Hezhu"), ("远岫", "Yuanxiu"),
)  # fmt: skip

_STORAGE = "8GB+256GB/8 GB + 256 GB, 12GB+256GB/12 GB + 256 GB, 12GB+512GB/12 GB + 512 GB"
_MEMORY = "16GB+512GB/16 GB + 512 GB, 16GB+1TB/16 GB + 1 TB, 32GB+1TB/32 GB + 1 TB"
_TABLET = "128GB/128 GB, 256GB/256 GB"
_TWO_COLOURS = "雾白/mist white, 岩黑/rock black"
_SIZES = "S/S, M/M, L/L, XL/XL"
_SHOE_SIZES = "38 码/size 38, 40 码/size 40, 42 码/size 42"
_ONE = ""


def _shelf(
    category: str, noun: str, median_yuan: float, sigma: float, lines: str, variants: str, sellers: str,
    *, scenes: tuple[str, ...] = _MALL, goods: int = 5, flags: str = "", step: float = 0.0,
) -> Shelf:  # fmt: skip
    """A row of the table below: words are "Chinese/English, …", codes are separated by spaces."""
    return Shelf(
        category, _words(noun)[0], median_yuan, sigma, _words(lines), _words(variants), tuple(sellers.split()),
        scenes, goods, tuple(flags.split()), step,
    )  # fmt: skip


def _words(text: str) -> tuple[Words, ...]:
    pairs = (pair.partition("/") for pair in text.split(", "))
    return tuple((zh, en) for zh, _, en in pairs)


SHELVES: tuple[Shelf, ...] = (
    _shelf(
        "phone",
        "手机/phone",
        3_200,
        0.6,
        "澜/Lan, 序/Xu, 棱镜/Prism, 青芒/Verdant, 折页/Foldleaf",
        _STORAGE,
        "fenqi xingye yunshan",
        goods=9,
        step=0.09,
    ),
    _shelf(
        "laptop",
        "笔记本电脑/laptop",
        5_600,
        0.5,
        "素笺/Sheet, 行舟/Voyage, 重楼/Tower",
        _MEMORY,
        "fenqi xingye yunshan",
        goods=7,
        step=0.15,
    ),
    _shelf("tablet", "平板电脑/tablet", 2_300, 0.5, "画页/Canvas, 小札/Note", _TABLET, "fenqi yunshan", step=0.14),
    _shelf("wearable", "智能手表/smart watch", 900, 0.6, "刻/Moment, 脉/Pulse", _TWO_COLOURS, "fenqi xingye"),
    _shelf(
        "audio",
        "降噪耳机/noise-cancelling headphones",
        600,
        0.7,
        "听澜/Listen, 余响/Echo",
        _TWO_COLOURS,
        "fenqi xingye",
    ),
    _shelf("camera", "微单相机/mirrorless camera", 6_200, 0.4, "取景/Frame, 光阑/Aperture", _ONE, "xingye fenqi"),
    _shelf(
        "television",
        "电视/television",
        2_600,
        0.6,
        "远窗/Window, 长卷/Scroll",
        "55 英寸/55 in, 65 英寸/65 in, 75 英寸/75 in",
        "fenqi nuanwu linji",
        flags="trade_in",
        step=0.35,
    ),
    _shelf(
        "fridge",
        "冰箱/fridge",
        2_400,
        0.6,
        "藏鲜/Keepfresh, 十字门/Four Door",
        _TWO_COLOURS,
        "fenqi nuanwu linji",
        flags="trade_in",
    ),
    _shelf(
        "washer",
        "洗衣机/washing machine",
        1_900,
        0.5,
        "云涡/Whirl, 净川/Clear",
        "8 公斤/8 kg, 10 公斤/10 kg",
        "nuanwu fenqi",
        step=0.18,
    ),
    _shelf(
        "air_conditioner",
        "空调/air conditioner",
        2_500,
        0.4,
        "北风/North Wind, 廊下/Veranda",
        "1 匹/2.6 kW, 1.5 匹/3.5 kW",
        "fenqi nuanwu",
        goods=4,
        flags="trade_in",
        step=0.16,
    ),
    _shelf(
        "kitchen_appliance",
        "电饭煲/rice cooker",
        320,
        0.7,
        "炊烟/Hearth, 三餐/Meals",
        _TWO_COLOURS,
        "fenqi_home nuanwu",
    ),
    _shelf("personal_care", "吹风机/hair dryer", 230, 0.7, "拂面/Breeze", _TWO_COLOURS, "fenqi_home qingci", goods=4),
    _shelf(
        "cleaning", "扫地机器人/robot vacuum", 1_800, 0.5, "拾尘/Dustline", _TWO_COLOURS, "fenqi_home nuanwu", goods=4
    ),
    _shelf(
        "sofa",
        "沙发/sofa",
        2_200,
        0.7,
        "卧云/Cloudrest, 三人坐/Three Seat",
        "燕麦色/oat, 苔绿/moss green",
        "muzuo fenqi_home",
    ),
    _shelf(
        "bed",
        "床垫/mattress",
        1_500,
        0.7,
        "眠野/Meadow, 一夜/One Night",
        "1.5 米/1.5 m, 1.8 米/1.8 m",
        "muzuo fenqi_home",
        step=0.15,
    ),
    _shelf("desk", "书桌/desk", 700, 0.7, "临窗/By the Window, 升降/Rise", _ONE, "muzuo fenqi_home"),
    _shelf("bathroom", "花洒套装/shower set", 900, 0.6, "雨檐/Eaves", _ONE, "fenqi_home muzuo", goods=4),
    _shelf("lighting", "吊灯/pendant lamp", 450, 0.7, "半月/Half Moon", _TWO_COLOURS, "muzuo fenqi_home", goods=4),
    _shelf(
        "paint",
        "乳胶漆/wall paint",
        380,
        0.5,
        "素壁/Plain Wall",
        "5 升/5 l, 15 升/15 l",
        "fenqi_home",
        goods=3,
        step=0.9,
    ),
    _shelf("coat", "羽绒服/down coat", 420, 0.6, "过冬/Winterlong, 轻山/Light Hill", _SIZES, "fenqi jiushi", goods=4),
    _shelf("shoes", "跑鞋/running shoes", 260, 0.6, "十里/Ten Li", _SHOE_SIZES, "fenqi jiushi", goods=4),
    _shelf("bag", "双肩包/rucksack", 190, 0.6, "行囊/Packer", _TWO_COLOURS, "jiushi fenqi", goods=4),
    _shelf(
        "skincare",
        "精华水/essence lotion",
        160,
        0.7,
        "清露/Dew",
        "120 毫升/120 ml, 200 毫升/200 ml",
        "qingci fenqi",
        step=0.45,
    ),
    _shelf("makeup", "口红/lipstick", 110, 0.6, "绛/Crimson", "01 枫叶/01 maple, 02 豆沙/02 bean", "qingci", goods=4),
    _shelf("perfume", "淡香水/eau de toilette", 380, 0.6, "雨后/After Rain", "50 毫升/50 ml", "qingci fenqi", goods=3),
    _shelf("nappy", "纸尿裤/nappies", 120, 0.5, "软云/Softcloud", "M 码/size M, L 码/size L", "xiaolu fenqi", goods=4),
    _shelf("stroller", "婴儿推车/stroller", 780, 0.6, "慢行/Slowly", _TWO_COLOURS, "xiaolu fenqi", goods=4),
    _shelf("toy", "积木/building bricks", 150, 0.7, "方寸/Inch", _ONE, "xiaolu", goods=4),
    _shelf(
        "fitness",
        "哑铃/dumbbells",
        240,
        0.7,
        "举重若轻/Featherlift",
        "10 公斤/10 kg, 20 公斤/20 kg",
        "fenqi shanye",
        goods=4,
        step=0.5,
    ),
    _shelf("cycling", "公路自行车/road bicycle", 2_600, 0.6, "逐风/Windchase", _TWO_COLOURS, "shanye fenqi", goods=4),
    _shelf(
        "camping",
        "帐篷/tent",
        520,
        0.6,
        "星下/Under Stars",
        "双人/for two, 四人/for four",
        "shanye fenqi",
        goods=4,
        step=0.4,
    ),
    _shelf("snack", "坚果礼盒/nut box", 70, 0.5, "一把/Handful", _ONE, "gucang fenqi", goods=4),
    _shelf(
        "tea",
        "白茶/white tea",
        90,
        0.6,
        "春尖/Spring Tip",
        "100 克/100 g, 250 克/250 g",
        "fenqi gucang",
        goods=4,
        step=1.2,
    ),
    _shelf("grain", "大米/rice", 60, 0.4, "秋收/Harvest", "5 公斤/5 kg", "gucang fenqi", goods=3),
    _shelf(
        "gold_bar",
        "投资金条/gold bar",
        5_200,
        0.5,
        "足金/Fine Gold",
        "10 克/10 g, 20 克/20 g",
        "jinman",
        goods=3,
        step=1.0,
    ),
    _shelf("jewellery", "黄金戒指/gold ring", 2_800, 0.6, "环佩/Tinkle", _ONE, "jinman fenqi", goods=4),
    _shelf(
        "gift_card",
        "礼品卡/gift card",
        200,
        0.8,
        "心意/Regards",
        _ONE,
        "fenqi",
        scenes=_ONLY_MALL,
        goods=4,
        flags="virtual",
    ),
    _shelf(
        "phone_topup",
        "话费充值/phone credit",
        50,
        0.5,
        "话费/Airtime",
        _ONE,
        "shuyu",
        scenes=_ONLY_MALL,
        goods=4,
        flags="virtual",
    ),
    _shelf(
        "game_topup",
        "游戏点卡/game credit",
        60,
        0.6,
        "点卡/Points",
        _ONE,
        "shuyu",
        scenes=_ONLY_MALL,
        goods=3,
        flags="virtual",
    ),
    _shelf("medicine", "感冒颗粒/cold remedy", 35, 0.4, "杏林/Apricot", _ONE, "yaofang", scenes=_ONLY_MALL, goods=4),
    _shelf("ticket", "话剧门票/theatre ticket", 280, 0.5, "夜场/Evening", _ONE, "piaowu", goods=3, flags="virtual"),
    _shelf(
        "overseas",
        "进口维生素/imported vitamins",
        190,
        0.6,
        "洋流/Current",
        "60 粒/60 tablets, 120 粒/120 tablets",
        "huanqiu",
        goods=4,
        flags="cross_border",
        step=0.7,
    ),
    _shelf(
        "membership",
        "影音会员/film membership",
        25,
        0.4,
        "连续包月/Monthly",
        _ONE,
        "shuyu",
        goods=2,
        flags="virtual subscription",
    ),
    _shelf(
        "bag",
        "登机箱/cabin case",
        680,
        0.5,
        "远行/Faraway",
        _TWO_COLOURS,
        "yuanshan",
        scenes=("partner_store",),
        goods=4,
    ),
    _shelf("tea", "手冲咖啡/filter coffee", 32, 0.3, "拐角/Corner", _ONE, "jiejiao", scenes=("scan_to_pay",), goods=4),
    _shelf("snack", "便当/lunch box", 24, 0.3, "灯下/Lamplight", _ONE, "bianli", scenes=("scan_to_pay",), goods=3),
)
