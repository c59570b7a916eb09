"""What has changed between a decision's facts and the facts of now, in the words of each audience. Pure.

Each watch names what it reads, who may hear of it, and how it is said (`changes.*` of the texts). A buyer hears of
their own doing, prices and sellers, and of nothing that a hidden reason could be told from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from fenqi import texts
from fenqi.cashier import Facts, GoodsRule
from fenqi.kernel.reason import Value
from fenqi.texts import Audience, Locale, Said

_B, _M, _S, _R = Audience.BUYER, Audience.MERCHANT, Audience.SUPPORT, Audience.RISK
_ALL = frozenset(Audience)
_NOT_MERCHANTS = frozenset({_B, _S, _R})
_STAFF = frozenset({_S, _R})
_RISK = frozenset({_R})
OWN_STATES = frozenset(
    {
        "not_opened",
        "not_activated",
        "active",
        "self_locked",
        "dormant_locked",
        "pin_locked",
        "closed_by_user",
        "pending",
    }
)
"""States of a line that its owner put it into, or sees as they are; the others are told after a step-up only."""


class Change(msgspec.Struct, frozen=True):
    """One fact that differs: `then` and `now` as facts have them, `about` a method, seller, plan or rule."""

    what: str
    then: Value
    now: Value
    about: str = ""


Read = Callable[[Facts, str], Mapping[str, Value]]


class Watch(NamedTuple):
    """What is compared: by `about`, for the method in question. `unit` is a suffix of values or a vocabulary's name."""

    what: str
    unit: str
    read: Read
    audiences: frozenset[Audience]


def _one(read: Callable[[Facts], Value]) -> Read:
    return lambda facts, method: {"": read(facts)}


def _free_minor(facts: Facts) -> Value:
    general = [one for one in facts.credit.limits if not one.categories and not one.scenes]
    if not general:
        return None
    return max(0, sum(x.ceiling_minor - x.used_minor - x.held_minor - x.frozen_minor for x in general))


def _ceiling_minor(facts: Facts) -> Value:
    return sum(one.ceiling_minor for one in facts.credit.limits) if facts.credit.limits else None


def _channels(facts: Facts, method: str) -> dict[str, Value]:
    return {
        one.method: one.channel.state == "up"
        for one in facts.methods
        if one.channel is not None and method in ("", one.method)
    }


def _suspended(facts: Facts, method: str) -> dict[str, Value]:
    return {one.method: one.suspended for one in facts.methods if method in ("", one.method)}


def _told(facts: Facts, method: str) -> dict[str, Value]:
    return {one.method: bool(one.told) for one in facts.methods if method in ("", one.method)}


def _sellers(facts: Facts) -> set[str]:
    return {line.merchant_id for line in facts.lines}


def _seller_states(facts: Facts, method: str) -> dict[str, Value]:
    lines = _sellers(facts)
    return {one.merchant_id: one.status for one in facts.sellers if one.merchant_id in lines}


def _enabled(facts: Facts, method: str) -> dict[str, Value]:
    lines = _sellers(facts)
    return {one.merchant_id: method in one.methods for one in facts.sellers if method and one.merchant_id in lines}


def _rules(facts: Facts, method: str) -> dict[str, Value]:
    """The row of policy for each kind of the order's goods."""
    kinds = {one.merchant_id: one.kind for one in facts.sellers}
    wanted = {(line.category, kinds.get(line.merchant_id, "")) for line in facts.lines}
    return {
        one.rule_id or one.category: _row(one)
        for one in facts.rules
        if (one.category, one.seller_kind) in wanted and one.scene == facts.order.scene and method in ("", one.method)
    }


def _row(rule: GoodsRule) -> str:
    """A row in one line, the same in each language."""
    most = "∞" if rule.max_minor is None else f"{rule.max_minor / 100:.2f}"
    terms = "*" if rule.terms is None else "/".join(map(str, rule.terms)) or "–"
    bounds = f"{rule.verdict if rule.matched else 'none'} ¥{rule.min_minor / 100:.2f}–¥{most} n={terms}"
    return f"{bounds} -{','.join(rule.excluded)}" if rule.excluded else bounds


def _plans(facts: Facts, method: str) -> dict[str, Value]:
    return {one.plan: one.annual_cost_ppm for one in facts.plans if method and one.method == method}


def _caps(facts: Facts, method: str) -> dict[str, Value]:
    return {
        f"{one.method}/{cap.window}": cap.cap_minor - cap.used_minor
        for one in facts.methods
        for cap in one.caps
        if cap.window != "single" and method and method == one.method and cap.scene in (None, facts.order.scene)
    }


def _exposure(facts: Facts, method: str) -> dict[str, Value]:
    return {
        cap.programme: cap.room_minor for one in facts.methods for cap in one.exposure if method in ("", one.method)
    }


def _risk(facts: Facts) -> Value:
    return ",".join(dict.fromkeys([*facts.risk.codes, *(one.code for one in facts.risk.findings)])) or None


WATCHES: tuple[Watch, ...] = (
    Watch("order_state", "order_state", _one(lambda f: f.order.state), _ALL),
    Watch("payable", "minor", _one(lambda f: f.order.payable_minor), _ALL),
    Watch("quoted", "minor", _one(lambda f: f.order.quoted_minor), _ALL),
    Watch("line_state", "credit_state", _one(lambda f: f.credit.state), _NOT_MERCHANTS),
    Watch("overdue", "minor", _one(lambda f: f.credit.overdue_minor), _NOT_MERCHANTS),
    Watch("free_limit", "minor", _one(_free_minor), _NOT_MERCHANTS),
    Watch("ceiling", "minor", _one(_ceiling_minor), _STAFF),
    Watch("balance", "minor", _one(lambda f: f.money.balance_minor if f.money.is_open else None), _NOT_MERCHANTS),
    Watch("real_name", "real_name", _one(lambda f: f.consumer.real_name), _STAFF),
    Watch("pay_password", "pay_password_state", _one(lambda f: f.consumer.pay_password), _NOT_MERCHANTS),
    Watch("cards", "count", _one(lambda f: f.consumer.cards), _NOT_MERCHANTS),
    Watch("confirmed", "bool", _one(lambda f: f.consumer.stepped_up_until_ms > f.now_ms), _NOT_MERCHANTS),
    Watch("agreement", "", _one(lambda f: f.credit.agreement_signed), _NOT_MERCHANTS),
    Watch("in_stock", "bool", _one(lambda f: all(line.in_stock for line in f.lines)), _ALL),
    Watch("suspended", "bool", _suspended, _ALL),
    Watch("channel", "bool", _channels, _NOT_MERCHANTS),
    Watch("told", "bool", _told, _NOT_MERCHANTS),
    Watch("seller", "seller_status", _seller_states, _ALL),
    Watch("enabled", "bool", _enabled, _ALL),
    Watch("cap", "minor", _caps, _NOT_MERCHANTS),
    Watch("plan", "ppm", _plans, _NOT_MERCHANTS),
    Watch("risk", "", _one(_risk), _STAFF),
    Watch("exposure", "minor", _exposure, _RISK),
    Watch("rule", "", _rules, _STAFF),
    Watch("policy", "", _one(lambda f: f.policy_version), _STAFF),
    Watch("evaluator", "", _one(lambda f: f.evaluator_version), _STAFF),
)
_BY_NAME = {watch.what: watch for watch in WATCHES}


def between(then: Facts, now: Facts, method: str = "") -> tuple[Change, ...]:
    """What differs, most telling first; of methods only what bears on `method`, where one is in question."""
    found = []
    for watch in WATCHES:
        before, after = watch.read(then, method), watch.read(now, method)
        for about in dict.fromkeys([*before, *after]):
            was, now_is = before.get(about), after.get(about)
            if was != now_is:
                found.append(Change(watch.what, was, now_is, about))
    return tuple(found)


def open_to(changes: tuple[Change, ...], audience: Audience, stepped_up: bool = False) -> tuple[Change, ...]:
    """Those that this audience may hear of."""
    return tuple(
        one
        for one in changes
        if audience in _BY_NAME[one.what].audiences
        and (
            audience is not Audience.BUYER
            or stepped_up
            or one.what != "line_state"
            or {one.then, one.now} <= OWN_STATES
        )
    )


def say(change: Change, locale: Locale, names: Mapping[str, str] | None = None) -> str:
    """A change in words; `names` are those of sellers by id."""
    watch = _BY_NAME[change.what]
    values: dict[str, Said] = {"about": _about(change, locale, names or {})}
    key = f"changes.{change.what}" + (f"_{change.about.partition('/')[2]}" if change.what == "cap" else "")
    if watch.unit == "bool":
        return texts.t(f"{key}_{'on' if change.now else 'off'}", locale, **values)
    for place, value in (("then", change.then), ("now", change.now)):
        values |= _said(place, value, watch.unit, locale)
    if change.then is None or change.now is None:
        return texts.t(f"{key}_{'new' if change.then is None else 'gone'}", locale, **values)
    return texts.t(key, locale, **values)


def _said(place: str, value: Value, unit: str, locale: Locale) -> dict[str, Said]:
    if value is None:
        return {}
    if unit in ("minor", "ppm", "count"):
        return {f"{place}_{unit}": value}
    if unit:
        return {place: texts.term(unit, str(value), locale) or str(value)}
    return {place: str(value)}


def _about(change: Change, locale: Locale, names: Mapping[str, str]) -> str:
    if change.what in ("suspended", "channel", "told"):
        return texts.term("method_in_text", change.about, locale) or texts.term("method", change.about, locale) or ""
    if change.what == "plan":
        return texts.term("plan", change.about, locale) or change.about
    if change.what == "cap":
        method = change.about.partition("/")[0]
        return texts.term("method_in_text", method, locale) or texts.term("method", method, locale) or method
    return names.get(change.about, change.about)
