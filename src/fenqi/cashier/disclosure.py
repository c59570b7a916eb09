"""Who may know what: reasons and offers as a buyer, a merchant, support or the risk desk may see them.

A code that is not the buyer's to know reaches them as its public twin, without values and with the twin's own fixed
routes, so that facts which differ in the hidden code alone give the very same answer.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from fenqi.cashier.action import Route
from fenqi.cashier.offer import Offer
from fenqi.cashier.remedy_routes import fixed_routes, route_kinds
from fenqi.kernel.reason import CODES, Disclosure, Layer, Reason, Scope, ScopeKind
from fenqi.kernel.reason_codes import PRECEDENCE
from fenqi.texts.model import Audience

PRINCIPAL_REASONS = 4
"""How many principal reasons of a credit refusal are told."""


_MERCHANT_LAYERS = frozenset({Layer.PLATFORM, Layer.MERCHANT, Layer.GOODS, Layer.PLAN, Layer.CHANNEL, Layer.STATE})
_UNAVAILABLE = "METHOD_UNAVAILABLE_NOW"


def public_code(code: str, audience: Audience, stepped_up: bool = False) -> str:
    """The code under which this audience hears of `code`.

    A buyer: the twin of what is generic, a staff matter, or exact only after a step-up. A merchant: what concerns their
    contract, their goods and the platform; the buyer's account, limit and risk are all one to them.
    """
    meta = CODES[code]
    if audience is Audience.BUYER:
        exact = meta.disclosure is Disclosure.EXACT or (meta.disclosure is Disclosure.STEP_UP and stepped_up)
        return code if exact or meta.twin is None else meta.twin
    if audience is Audience.MERCHANT:
        known = meta.layer in _MERCHANT_LAYERS and meta.disclosure in (Disclosure.EXACT, Disclosure.STAFF)
        return code if known else _UNAVAILABLE
    return code


def is_hidden(code: str, audience: Audience, stepped_up: bool = False) -> bool:
    """Whether this audience hears of `code` only by another name."""
    return public_code(code, audience, stepped_up) != code


def for_audience(reasons: Iterable[Reason], audience: Audience, stepped_up: bool = False) -> tuple[Reason, ...]:
    """The reasons as this audience may see them, twins merged, in order of precedence.

    `stepped_up`: the buyer has confirmed just now who they are. What a risk code saw is for the risk desk only.
    """
    told: list[Reason] = []
    twins: dict[tuple[str, str], Reason] = {}
    principal = 0
    for reason in reasons:
        code = public_code(reason.code, audience, stepped_up)
        if code != reason.code:
            twins.setdefault((code, reason.method), _twin(code, reason.method))
            continue
        if reason.meta.group == "G" and audience in (Audience.BUYER, Audience.SUPPORT):
            principal += 1
            if principal > PRINCIPAL_REASONS:
                continue
        told.append(_seen(reason, audience, stepped_up))
    told += [twin for twin in twins.values() if twin not in told]
    told.sort(key=lambda each: (PRECEDENCE[each.code], each.scope.ids))
    return tuple(told)


def _twin(code: str, method: str) -> Reason:
    """A public twin: the same for whatever it stands for."""
    return Reason(code, method, Scope(ScopeKind.METHOD))


def _seen(reason: Reason, audience: Audience, stepped_up: bool) -> Reason:
    """An exact reason, less what would name a hidden one."""
    if reason.code in _STRIPPED and audience is Audience.BUYER:
        return _twin(reason.code, reason.method)
    if audience in (Audience.SUPPORT, Audience.BUYER) and reason.meta.layer is Layer.RISK:
        return replace(reason, observed={}, required={})
    if reason.depends_on is not None and is_hidden(reason.depends_on, audience, stepped_up):
        return replace(reason, depends_on=public_code(reason.depends_on, audience, stepped_up))
    return reason


_STRIPPED = frozenset(
    meta.twin for meta in CODES.values() if meta.twin is not None and meta.disclosure is Disclosure.GENERIC
)
"""Codes that stand for something generic: told without values even when they are meant as they are."""


def offer_for(offer: Offer, audience: Audience, stepped_up: bool = False) -> Offer:
    """An offer as this audience may see it.

    To a buyer, where anything stays hidden, its remedies do too (what would cure a hidden reason would name it), and
    the twins' fixed routes stand in for them. Merchants see reasons only.
    """
    if not offer.reasons:
        return offer
    told = for_audience(offer.reasons, audience, stepped_up)
    if audience is Audience.MERCHANT:
        return replace(offer, reasons=told, remedies=(), routes=(), incurable=(), cost=None)
    if audience is not Audience.BUYER:
        return replace(offer, reasons=told)
    hidden = [reason for reason in offer.reasons if is_hidden(reason.code, audience, stepped_up)]
    remedies = offer.remedies if all(map(_explains, hidden)) else ()
    exact = {reason.code for reason in told}
    incurable = tuple(code for code in offer.incurable if code in exact)
    return replace(offer, reasons=told, remedies=remedies, routes=_routes_told(offer, told), incurable=incurable)


def _explains(reason: Reason) -> bool:
    """A hidden reason that only explains another one, told exactly, whose remedies cure both; or one whose remedies
    are those of its twin."""
    if reason.code == "CARD_LOST_STOLEN":
        return True
    return reason.code in ("LIMIT_REDUCED", "LIMIT_FROZEN") and "credit_state" not in reason.observed


def _routes_told(offer: Offer, told: tuple[Reason, ...]) -> tuple[Route, ...]:
    """The routes of what is told, in its order; a twin has its own, whatever it stands for."""
    said = {route.kind: route for route in offer.routes}
    found: dict[str, Route] = {}
    for reason in told:
        if reason.code in _TWINS:
            found = {route.kind: route for route in fixed_routes(reason.code)} | found
        else:
            found |= {kind: said[kind] for kind in route_kinds(reason.code) if kind in said and kind not in found}
    return tuple(found.values())


_TWINS = frozenset(meta.twin for meta in CODES.values() if meta.twin is not None)
