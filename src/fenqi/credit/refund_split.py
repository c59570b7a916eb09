"""How a refund is split: which tender gets back how much, by the product's rules, and which merchant of its subsidy.

Pure. Parts are taken of what each tender paid and has not got back, so they add up, and none gets more than it paid.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from fenqi.credit.product import RefundRules
from fenqi.kernel.money import share_minor


class Tender(msgspec.Struct, frozen=True):
    """What one tender paid of a purchase, and what it has got back."""

    paid_minor: int
    back_minor: int = 0

    @property
    def left_minor(self) -> int:
        return self.paid_minor - self.back_minor


class TenderParts(msgspec.Struct, frozen=True):
    """A refund by tender; `channels_minor` in the order of the channels."""

    credit_minor: int
    channels_minor: tuple[int, ...]
    money_minor: int


def split_refund(
    amount_minor: int, credit: Tender, channels: Sequence[Tender], money: Tender, rules: RefundRules
) -> TenderParts:
    """The tenders' parts of a refund, which is no larger than what is left of them all."""
    if rules.order == "channel_first":
        *taken, drawn, cash = _in_order(amount_minor, [*channels, credit, money])
    elif rules.order == "credit_first":
        drawn, *taken, cash = _in_order(amount_minor, [credit, *channels, money])
    else:
        drawn, *taken, cash = _in_proportion(amount_minor, [credit, *channels, money])
    return TenderParts(drawn, tuple(taken), cash)


def share_within(amount_minor: int, weights: Sequence[int], rooms: Sequence[int]) -> list[int]:
    """The amount in proportion to the weights, but no part above its room; what has no room there goes to the others.

    The amount is no larger than all rooms together.
    """
    wanted = share_minor(amount_minor, list(weights)) if any(weights) else [0] * len(rooms)
    parts = [min(part, room) for part, room in zip(wanted, rooms, strict=True)]
    left = [room - part for part, room in zip(parts, rooms, strict=True)]
    rest = amount_minor - sum(parts)
    more = share_minor(rest, left) if rest else [0] * len(rooms)
    return [part + extra for part, extra in zip(parts, more, strict=True)]


def _in_order(amount_minor: int, tenders: Sequence[Tender]) -> list[int]:
    """Each tender whole before the next gets anything."""
    parts = []
    for tender in tenders:
        parts.append(min(amount_minor, tender.left_minor))
        amount_minor -= parts[-1]
    return parts


def _in_proportion(amount_minor: int, tenders: Sequence[Tender]) -> list[int]:
    """Each tender against all behind it, by what they paid.

    Shares are taken of the sum that has gone back so far, this refund included, and rounded down; so however often a
    part comes back, what has come back is in proportion to the fen.
    """
    parts = []
    for place, tender in enumerate(tenders):
        rest = tenders[place:]
        paid = sum(one.paid_minor for one in rest)
        back = sum(one.back_minor for one in rest) + amount_minor
        left_behind = sum(one.left_minor for one in rest) - tender.left_minor
        share = tender.paid_minor * back // paid - tender.back_minor if paid else 0
        part = min(max(share, amount_minor - left_behind, 0), tender.left_minor, amount_minor)
        parts.append(part)
        amount_minor -= part
    return parts
