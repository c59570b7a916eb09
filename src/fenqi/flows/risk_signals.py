"""What the transaction table is asked beside the facts themselves: gathered with the other facts, and put together.

Two round trips whatever the press: what is kept with the consumer, then what is kept with everything involved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from fenqi import customer, order, risk
from fenqi.cashier import Facts, RiskFacts
from fenqi.customer import Consumer, HistoryRow
from fenqi.database.pool import Tx
from fenqi.database.together import together
from fenqi.flows.device import Seen
from fenqi.kernel.clock import epoch_ms
from fenqi.merchant import Seller
from fenqi.order import Bought, Order
from fenqi.policy.cell import Value
from fenqi.risk.model import Listed, Pulse
from fenqi.risk.profiles import Around, Own

Signals = tuple[tuple[str, int | str | bool | tuple[str, ...] | None], ...]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_HOUR_MS = 3_600_000
_PPM = 1_000_000
_NEVER_HOURS = 1_000_000
_FOR_GOOD_MS = (1 << 53) - 1
_SETTLED = timedelta(days=7)
"""A device that a consumer has used as long as this is known, whether they proved themselves there or not."""
PROFILE_VERBS = frozenset({"change_phone", "change_password"})
"""Changes that let somebody else in. What a remedy asks for (binding a card, a new pay password by a code) is none."""
_NOTHING = Pulse()


class Trail(NamedTuple):
    """What the risk database and the buyer's own history say about a press."""

    seen: Seen
    own: Own
    around: Around
    bought: Sequence[Bought]
    history: Sequence[HistoryRow]
    press_id: UUID | None = None
    """The press that is judged: it doesn't count against itself."""


async def gather(
    tx: Tx, seen: Seen, bought: Order, sellers: Iterable[UUID], now: datetime, press_id: UUID | None = None
) -> Trail:
    """Everything that signals are made of, in the caller's snapshot."""
    consumer_id = bought.consumer_id
    own, history, paid = await together(
        tx, risk.profiles.own(tx, consumer_id), customer.get_history(tx, consumer_id),
        order.bought(tx, consumer_id, now - 90 * DAY, now - 30 * DAY),
    )  # fmt: skip
    shared = [seen.device_id, *_cards(own), *([seen.address_id] if seen.address_id else [])]
    subjects = list(dict.fromkeys([consumer_id, *shared, *sellers]))
    around = await risk.profiles.around(tx, subjects, shared)
    return Trail(seen, own, around, paid, history, press_id)


def _cards(own: Own) -> list[UUID]:
    return [link.other_id for link in own.links if link.other_kind == "card"]


def flagged(trail: Trail, now: datetime) -> frozenset[UUID]:
    """Merchants that are blocked or watched: nobody is sent to them instead of another seller."""
    return frozenset(
        one.subject_id for one in _listed(trail, now) if one.subject_kind == "merchant" and one.list != "allow"
    )


def seen_by(
    facts: Facts, trail: Trail, bought: Order, buyer: Consumer, sellers: Mapping[UUID, Seller], now: datetime
) -> Facts:
    """The facts with the signals of a press, and without offers of sellers whom risk watches."""
    mine = [sellers[line.merchant_id] for line in bought.lines]
    found = RiskFacts(signals=signals(trail, bought, buyer, mine, now))
    bad = {str(merchant_id) for merchant_id in flagged(trail, now)}
    if not bad:
        return replace(facts, risk=found)
    lines = tuple(
        replace(line, alternatives=tuple(each for each in line.alternatives if each.merchant_id not in bad))
        for line in facts.lines
    )
    return replace(facts, risk=found, lines=lines)


def signals(trail: Trail, bought: Order, consumer: Consumer, sellers: Sequence[Seller], now: datetime) -> Signals:
    """The signals by the names of the table's inputs, and the instants that waits are counted from (`…_ms`)."""
    found: dict[str, Value] = {}
    found |= _velocity(trail, bought.consumer_id, now)
    found |= _trade(trail, bought, now)
    found |= _device(trail, now)
    found |= _shared(trail, bought.consumer_id, sellers)
    found |= _address(trail, now)
    found |= _profile(trail, consumer, now)
    found |= _said(trail, bought, now)
    return tuple(found.items())


def _velocity(trail: Trail, consumer_id: UUID, now: datetime) -> dict[str, Value]:
    to_ms = epoch_ms(now)
    device_id = trail.seen.device_id

    def pulse(subject_id: UUID, kind: str) -> Pulse:
        return trail.around.pulses.get((subject_id, kind), _NOTHING)

    presses, refused = pulse(consumer_id, "press"), pulse(consumer_id, "refused")
    wrong, on_device = pulse(consumer_id, "wrong_password"), pulse(device_id, "press")
    hour, but = to_ms - _HOUR_MS, trail.press_id
    return {
        "presses_1h_count": presses.before(but, hour, to_ms),
        "refused_1h_count": refused.before(but, hour, to_ms),
        "wrong_passwords_24h_count": wrong.before(None, to_ms - 24 * _HOUR_MS, to_ms),
        "device_presses_1h_count": on_device.before(but, hour, to_ms),
        "last_press_ms": presses.last_ms(to_ms),
        "last_refused_ms": refused.last_ms(to_ms),
        "last_wrong_password_ms": wrong.last_ms(to_ms),
        "last_device_press_ms": on_device.last_ms(to_ms),
    }


def _trade(trail: Trail, bought: Order, now: datetime) -> dict[str, Value]:
    """The seller of the order that the buyer bought most from; what of all purchases went back; complaints upheld
    against the order's sellers."""
    mine = {line.merchant_id for line in bought.lines}
    same = [each for each in trail.bought if each.merchant_id in mine]
    to_ms = epoch_ms(now)
    from_ms = to_ms - 90 * 24 * _HOUR_MS
    returned = trail.around.pulses.get((bought.consumer_id, "returned"), _NOTHING)
    paid_minor = sum(each.amount_minor for each in trail.bought)
    returned_minor = min(paid_minor, returned.sum_minor(from_ms, to_ms))
    complaints = [trail.around.pulses.get((seller, "complaint_upheld"), _NOTHING) for seller in mine]
    return {
        "same_seller_30d_count": max((each.recent_orders for each in same), default=0),
        "same_seller_30d_minor": max((each.recent_minor for each in same), default=0),
        "returns_90d_count": returned.before(None, from_ms, to_ms),
        "returned_90d_ppm": returned_minor * _PPM // paid_minor if paid_minor else 0,
        "complaints_upheld_90d_count": max((each.before(None, from_ms, to_ms) for each in complaints), default=0),
    }


def _device(trail: Trail, now: datetime) -> dict[str, Value]:
    """A consumer's first device is known: nothing tells it from the one that the account was made on."""
    seen = trail.seen
    devices = [link for link in trail.own.links if link.other_kind == "device"]
    here = next((link for link in devices if link.other_id == seen.device_id), None)
    proved = here is not None and here.proved_at is not None
    settled = here is not None and here.first_at <= now - _SETTLED
    return {
        "device_known": not devices or proved or settled,
        "device_rooted": seen.rooted,
        "network": seen.network,
        "device_consumers_count": _consumers(trail, seen.device_id),
        "device_first_ms": epoch_ms(now if here is None else here.first_at),
    }


def _shared(trail: Trail, consumer_id: UUID, sellers: Sequence[Seller]) -> dict[str, Value]:
    """Who else uses the same things: how many, whether one is a confirmed fraud, whether one is the seller's own."""
    others = [link for link in trail.around.links if link.other_kind == "consumer" and link.other_id != consumer_id]
    themselves = risk.links.is_fraud(trail.around.pulses, consumer_id)
    related = frozenset().union(*(seller.related for seller in sellers))
    return {
        "card_consumers_count": max((_consumers(trail, each) for each in _cards(trail.own)), default=0),
        "linked_fraud_count": len({link.other_id for link in others if link.is_fraud}) + themselves,
        "seller_linked": any(link.person_hash in related for link in others if link.person_hash is not None),
    }


def _consumers(trail: Trail, subject_id: UUID) -> int:
    """How many consumers use it, the buyer among them."""
    known = trail.around.known.get(subject_id)
    mine = any(link.other_id == subject_id for link in trail.own.links)
    return (known.consumers_count if known is not None else 0) + (0 if mine else 1)


def _address(trail: Trail, now: datetime) -> dict[str, Value]:
    """An order that goes nowhere has no address to be wary of; a consumer's first address is not new to them."""
    address_id = trail.seen.address_id
    addresses = [link for link in trail.own.links if link.other_kind == "address"]
    here = next((link for link in addresses if link.other_id == address_id), None)
    if address_id is None:
        return {"address_is_new": False, "address_consumers_count": 0, "address_first_ms": None}
    return {
        "address_is_new": bool(addresses) and here is None,
        "address_consumers_count": _consumers(trail, address_id),
        "address_first_ms": epoch_ms(now if here is None else here.first_at),
    }


def _profile(trail: Trail, consumer: Consumer, now: datetime) -> dict[str, Value]:
    changed = [row.at for row in trail.history if row.verb in PROFILE_VERBS and row.at <= now]
    checked = consumer.id_checked_until_at
    return {
        "profile_changed_hours": (now - max(changed)) // HOUR if changed else _NEVER_HOURS,
        "profile_changed_ms": epoch_ms(max(changed)) if changed else None,
        "id_checked_until_ms": None if checked is None else epoch_ms(checked),
    }


def _said(trail: Trail, bought: Order, now: datetime) -> dict[str, Value]:
    """What people have said: lists, and the review of this order, else of the consumer."""
    about = (str(bought.order_id), str(bought.consumer_id))
    newest = next((one for one in trail.own.reviews if one.bears_on(about, bought.payable_minor, now)), None)
    cleared = newest is not None and newest.state == "cleared"
    until_ms = None
    if newest is not None and cleared:
        until_ms = _FOR_GOOD_MS if newest.until_at is None else epoch_ms(newest.until_at)
    return {
        "listed": tuple(sorted({f"{one.list}:{one.subject_kind}" for one in _listed(trail, now)})),
        "review": "none" if newest is None else newest.state,
        "review_cleared_until_ms": until_ms,
    }


def _listed(trail: Trail, now: datetime) -> list[Listed]:
    return [one for one in trail.around.listed if one.holds(now)]
