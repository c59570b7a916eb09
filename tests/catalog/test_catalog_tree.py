"""The category tree, and the pictures of goods: pure."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID
from xml.etree import ElementTree

import pytest

from fenqi.catalog import CategoryTree, Item, picture_svg
from fenqi.catalog.picture_shape import SHAPES
from fenqi.kernel.refusal import NotFound
from fenqi.seed import categories, stocked

TREE = CategoryTree(categories())


def test_paths_lead_up_and_subtrees_down():
    assert TREE.path("phone") == ("phone", "digital")
    assert TREE.path("gift_card") == ("gift_card",)
    assert TREE.below("topup") == ("topup", "phone_topup", "game_topup")
    assert [c.code for c in TREE.children()][:3] == ["digital", "appliance", "small_appliance"]
    assert "phone" in TREE
    with pytest.raises(NotFound, match="CATEGORY_UNKNOWN"):
        TREE.path("spaceship")


def test_every_product_has_a_picture_of_its_kind():
    shelves = stocked(datetime(2026, 8, 24, tzinfo=UTC))
    goods = {g.goods_id: g for g in shelves.goods}
    pictures = set()
    for sku in shelves.skus:
        g = goods[sku.goods_id]
        item = Item(
            sku.sku_id, g.goods_id, sku.number, g.category, g.name_zh, g.name_en, "", "", "", "", sku.colour, False
        )
        assert g.category in SHAPES
        svg = picture_svg(item)
        assert svg == picture_svg(item)
        root = ElementTree.fromstring(svg)
        assert root.attrib["viewBox"] == "0 0 240 240"
        assert "script" not in svg and "href" not in svg
        pictures.add(svg)
    assert len(pictures) == len(shelves.skus)


def test_a_title_can_not_break_out_of_its_picture():
    item = Item(UUID(int=1), UUID(int=2), "X", "none", "<script>&", "", "", "", "", "", "#336699", False)
    assert "<script>" not in picture_svg(item)
    ElementTree.fromstring(picture_svg(item, "digital"))
