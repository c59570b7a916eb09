"""The room of the catalogue: categories, goods, offers, pictures (reference data) and the sellers' stock (theirs).

Changes of the catalogue raise the epoch of kind `catalogue`; stock does not.
"""

from fenqi.catalog.browse import items, listing, offers, product, tree
from fenqi.catalog.change_offer import add_categories, add_goods, change_price, put_offers, set_on_sale
from fenqi.catalog.model import Category, Goods, Item, Listed, Offer, OfferState, Product, Sku, Wanted
from fenqi.catalog.picture import picture_svg
from fenqi.catalog.stock import buckets_due, consume, free, receive, release, release_expired, reserve
from fenqi.catalog.tree import CategoryTree

__all__ = [
    "Category",
    "CategoryTree",
    "Goods",
    "Item",
    "Listed",
    "Offer",
    "OfferState",
    "Product",
    "Sku",
    "Wanted",
    "add_categories",
    "add_goods",
    "buckets_due",
    "change_price",
    "consume",
    "free",
    "items",
    "listing",
    "offers",
    "picture_svg",
    "product",
    "put_offers",
    "receive",
    "release",
    "release_expired",
    "reserve",
    "set_on_sale",
    "tree",
]
