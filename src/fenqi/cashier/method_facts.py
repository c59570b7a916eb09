"""Facts about a payment method: where it is connected, its caps, the passage that executes it, what that said last.

The base of all facts stands here, too: frozen values, encoded without their defaults, so that a stored decision can be
replayed for ever.
"""

from __future__ import annotations

import msgspec


class Fact(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """All facts: immutable, hashable where their fields are, encoded without their defaults."""


class CapFacts(Fact, frozen=True):
    """A spending cap of a method over a window, in one scene or in all."""

    window: str
    """single | day | month; a cap per single payment has no `used_minor`"""
    cap_minor: int
    used_minor: int
    resets_ms: int
    scene: str | None = None


class ExposureFacts(Fact, frozen=True):
    """A cap of the whole book (segment, category, scene or merchant programme) that bears on this order."""

    programme: str
    room_minor: int
    reopens_ms: int | None = None
    used_minor: int = 0
    """What is lent under it, by which another version of its cap leaves another room."""


class ChannelFacts(Fact, frozen=True):
    """The passage that would execute the method."""

    name: str
    state: str = "up"
    """up | maintenance | down | timeout | rate_limited"""
    until_ms: int | None = None
    contracted: bool = True
    clients: tuple[str, ...] = ()
    """Clients that can run it; empty: any."""
    banned: bool = False
    """Of one that is down: the channel has shut our account there."""
    passed_over: tuple[str, ...] = ()
    """Better passages that can't serve now, as `code:why`."""
    min_minor: int = 0
    max_minor: int | None = None
    """Amounts that it takes in one payment."""
    scenes: tuple[str, ...] = ()
    """Scenes that it is contracted for; empty: every one."""
    sellers: tuple[str, ...] = ()
    """Merchants that it is contracted for; empty: every one."""


class ToldFacts(Fact, frozen=True):
    """What a channel said when the buyer last tried: it stands against the method for a while."""

    code: str
    until_ms: int | None = None
    """The first instant at which it stands no more; None: for good, as long as that card is what there is."""
    amount_minor: int | None = None
    """What was refused: as much or more is still refused; None: any amount is."""
    instrument: str = ""
    """The bound card that it is about; empty: whatever the buyer paid with there."""


class MethodFacts(Fact, frozen=True):
    """A payment method as it stands in this scene."""

    method: str
    offered_in: tuple[str, ...]
    integrated_in: tuple[str, ...]
    capabilities: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ("CNY",)
    suspended: bool = False
    suspended_until_ms: int | None = None
    exposure: tuple[ExposureFacts, ...] = ()
    channel: ChannelFacts | None = None
    caps: tuple[CapFacts, ...] = ()
    single_cap_minor: int | None = None
    step_up_from_minor: int | None = None
    """From this amount on a fresh step-up is needed."""
    deliveries_excluded: tuple[str, ...] = ()
    told: tuple[ToldFacts, ...] = ()
    down_payment_ppm: int = 0
    """The share of the order that has to be paid by another method, in millionths: a counter-offer instead of a no."""
    most_instalments: int | None = None
    """The longest plan that is offered for this order; None: all of the method's."""
