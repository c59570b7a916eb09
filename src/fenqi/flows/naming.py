"""Names for what reasons and remedies carry as codes and ids: categories, sellers and goods, in the reader's words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fenqi.flows.reference import Reference
from fenqi.kernel.ids import parse_id
from fenqi.kernel.reason import Reason, ScopeKind
from fenqi.order import Order
from fenqi.texts import Locale, Said


def own(thing: Any, field: str, locale: Locale) -> str:
    """The field in the reader's language of a thing that keeps it as `field_zh` and `field_en`."""
    text: str = getattr(thing, f"{field}_{'zh' if locale is Locale.ZH_CN else 'en'}")
    return text


def joined(words: Iterable[str], locale: Locale) -> str:
    """Names in a row."""
    return ("、" if locale is Locale.ZH_CN else ", ").join(words)


def seller_names(ref: Reference, locale: Locale, ids: Iterable[str]) -> dict[str, str]:
    """The names of sellers by id; unknown ones are left out."""
    known = ((one, parse_id(one)) for one in ids)
    return {
        one: own(ref.sellers[seller_id].merchant, "name", locale)
        for one, seller_id in known
        if seller_id is not None and seller_id in ref.sellers
    }


def reason_names(reason: Reason, ref: Reference, locale: Locale) -> dict[str, Said]:
    """Names for the codes that a reason carries: its category's, its sellers'."""
    names: dict[str, Said] = {}
    for place in ("observed", "required"):
        code = getattr(reason, place).get("category")
        if isinstance(code, str) and code in ref.tree:
            names["category_name"] = own(ref.tree.get(code), "name", locale)
    if reason.scope.kind is ScopeKind.SELLER:
        names["seller_name"] = joined(seller_names(ref, locale, reason.scope.ids).values(), locale)
    return {name: value for name, value in names.items() if value}


def action_names(order: Order, ref: Reference, locale: Locale) -> Callable[[Any], dict[str, Said]]:
    """Names for what an action is about: the new seller, the goods taken out."""
    titles = {str(line.line_id): own(line, "title", locale) for line in order.lines}

    def names(action: Any) -> dict[str, Said]:
        found: dict[str, Said] = {}
        seller = getattr(action, "merchant_id", None)
        if seller is not None:
            found["seller_name"] = joined(seller_names(ref, locale, [seller]).values(), locale) or None
        lines = getattr(action, "line_ids", None)
        if lines:
            found["goods_name"] = joined([titles[one] for one in lines if one in titles], locale)
        return {name: value for name, value in found.items() if value is not None}

    return names
