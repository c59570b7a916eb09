"""The category tree of the demo's mall, in Chinese and English."""

from __future__ import annotations

from fenqi.catalog import Category

_ROOTS: dict[str, tuple[str, str, dict[str, tuple[str, str]]]] = {
    "digital": (
        "数码",
        "Electronics",
        {
            "phone": ("手机", "Phones"),
            "laptop": ("笔记本电脑", "Laptops"),
            "tablet": ("平板电脑", "Tablets"),
            "wearable": ("智能穿戴", "Wearables"),
            "audio": ("耳机音箱", "Audio"),
            "camera": ("相机", "Cameras"),
        },
    ),
    "appliance": (
        "家用电器",
        "Home appliances",
        {
            "television": ("电视", "Televisions"),
            "fridge": ("冰箱", "Fridges"),
            "washer": ("洗衣机", "Washing machines"),
            "air_conditioner": ("空调", "Air conditioners"),
        },
    ),
    "small_appliance": (
        "小家电",
        "Small appliances",
        {
            "kitchen_appliance": ("厨房小电", "Kitchen"),
            "personal_care": ("个护电器", "Personal care"),
            "cleaning": ("清洁电器", "Cleaning"),
        },
    ),
    "furniture": (
        "家具",
        "Furniture",
        {"sofa": ("沙发", "Sofas"), "bed": ("床与床垫", "Beds"), "desk": ("桌椅", "Desks and chairs")},
    ),
    "home_improvement": (
        "家装建材",
        "Home improvement",
        {"bathroom": ("厨卫", "Bathroom"), "lighting": ("灯具", "Lighting"), "paint": ("涂料", "Paint")},
    ),
    "apparel": (
        "服饰鞋包",
        "Apparel",
        {"coat": ("外套", "Coats"), "shoes": ("鞋靴", "Shoes"), "bag": ("箱包", "Bags")},
    ),
    "beauty": (
        "美妆护肤",
        "Beauty",
        {"skincare": ("护肤", "Skincare"), "makeup": ("彩妆", "Make-up"), "perfume": ("香水", "Perfume")},
    ),
    "baby": (
        "母婴玩具",
        "Baby and toys",
        {"nappy": ("纸尿裤", "Nappies"), "stroller": ("童车", "Strollers"), "toy": ("玩具", "Toys")},
    ),
    "sport": (
        "运动户外",
        "Sport and outdoors",
        {"fitness": ("健身", "Fitness"), "cycling": ("骑行", "Cycling"), "camping": ("露营", "Camping")},
    ),
    "grocery": (
        "食品生鲜",
        "Groceries",
        {"snack": ("零食", "Snacks"), "tea": ("茶与咖啡", "Tea and coffee"), "grain": ("粮油", "Grain and oil")},
    ),
    "gold": (
        "黄金珠宝",
        "Gold and jewellery",
        {"gold_bar": ("投资金条", "Gold bars"), "jewellery": ("黄金首饰", "Gold jewellery")},
    ),
    "gift_card": ("礼品卡", "Gift cards", {}),
    "topup": (
        "充值",
        "Top-ups",
        {"phone_topup": ("话费流量", "Phone credit"), "game_topup": ("游戏点卡", "Game credit")},
    ),
    "medicine": ("医药", "Medicine", {}),
    "ticket": ("票务", "Tickets", {}),
    "overseas": ("海外购", "From overseas", {}),
    "membership": ("会员订阅", "Memberships", {}),
}


def categories() -> list[Category]:
    """All nodes, parents before children."""
    nodes: list[Category] = []
    for place, (root, (zh, en, leaves)) in enumerate(_ROOTS.items()):
        nodes.append(Category(root, None, zh, en, (place + 1) * 100))
        for order, (code, (leaf_zh, leaf_en)) in enumerate(leaves.items(), start=1):
            nodes.append(Category(code, root, leaf_zh, leaf_en, (place + 1) * 100 + order))
    return nodes
