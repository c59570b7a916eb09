"""Facts about the channels: the passage that would take a payment, and what channels have said of the buyer. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import msgspec

from fenqi import cashier, passage
from fenqi.attempt import Attempt, AttemptState, Said
from fenqi.cashier import ChannelFacts, ToldFacts
from fenqi.channels import shelf
from fenqi.channels.contract import Capabilities
from fenqi.flows.reference import Reference
from fenqi.kernel.clock import epoch_ms
from fenqi.order import Order
from fenqi.passage import Passage, PassageState, PassedOver, Routed

_STATES = {
    "banned": "down",
    "suspended": "maintenance",
    "maintenance": "maintenance",
    "down": "down",
    "not_a_spare": "down",
    "rate_limited": "rate_limited",
}
"""Why a passage can't serve → the state of the channel in the facts."""


def channel_of(
    ref: Reference, order: Order, method: str, now: datetime, open_attempt: Attempt | None = None
) -> ChannelFacts | None:
    """The passage that would execute a method for this order, as the gates see it; None for the house's own methods.

    A method without any passage is not contracted. `open_attempt`: one of the order that has to be waited for; where
    its channel gave no answer, that channel is not trusted with the order again before it has.
    """
    if method not in shelf.EXTERNAL:
        return None
    there = ref.passages_of.get(method, ())
    if not there:
        return ChannelFacts(method, contracted=False)
    merchants = {line.merchant_id for line in order.lines}
    only = next(iter(merchants)) if len(merchants) == 1 else None
    routed = passage.route(there, ref.healths, now, order.scene, order.payable_minor, only)
    facts = _Executed(ref, there, shelf.channel(method).capabilities, now).facts(routed)
    silent = open_attempt is not None and open_attempt.state is AttemptState.UNKNOWN and open_attempt.method == method
    return msgspec.structs.replace(facts, state="timeout") if silent and facts.state == "up" else facts


class _Executed(msgspec.Struct, frozen=True):
    """What is known of one channel's passages now."""

    ref: Reference
    there: Sequence[Passage]
    capabilities: Capabilities
    now: datetime

    def facts(self, routed: Routed) -> ChannelFacts:
        """The passage chosen; where none is, the one that is nearest to serving, with why it can't."""
        if routed.chosen is not None:
            return self._by(routed.chosen, routed.passed_over)
        if not routed.passed_over:
            return self._elsewhere()
        told = _nearest(routed.passed_over)
        facts = self._by(told.passage, [each for each in routed.passed_over if each is not told])
        if told.why in ("below_min", "above_max"):
            return facts
        if told.why == "no_credential":
            return msgspec.structs.replace(facts, contracted=False)
        until_ms = None if told.until_at is None else epoch_ms(told.until_at)
        return msgspec.structs.replace(facts, state=_STATES[told.why], until_ms=until_ms, banned=told.why == "banned")

    def _by(self, chosen: Passage, over: Iterable[PassedOver]) -> ChannelFacts:
        """The passage with its bounds: those of its terms and of its channel."""
        terms, can = chosen.terms, self.capabilities
        return ChannelFacts(
            name=chosen.code,
            clients=tuple(sorted(can.ways)),
            passed_over=tuple(f"{each.code}:{each.why}" for each in over),
            min_minor=max(terms.min_minor, can.min_minor),
            max_minor=can.max_minor if terms.max_minor is None else min(terms.max_minor, can.max_minor),
            scenes=terms.scenes,
            sellers=self._sellers(chosen),
        )

    def _sellers(self, chosen: Passage) -> tuple[str, ...]:
        """For whom there is a way: for everyone where a passage of the mall's own serves, too."""
        ours = (each for each in self.there if each.merchant_id is None and self._is_sound(each))
        if chosen.merchant_id is None or any(ours):
            return ()
        return (str(chosen.merchant_id),)

    def _is_sound(self, one: Passage) -> bool:
        health = self.ref.healths.get(one.passage_id, passage.Health())
        return passage.hindrance(one, health, self.now)[0] in ("", "half_open")

    def _elsewhere(self) -> ChannelFacts:
        """No passage serves this scene and these sellers; perhaps one serves others."""
        for each in self.there:
            if each.state is not PassageState.RETIRED and self._is_sound(each):
                return self._by(each, ())
        return ChannelFacts(self.there[0].channel, contracted=False)


def _nearest(over: Sequence[PassedOver]) -> PassedOver:
    """What to tell of: a passage that would take another amount, else the first that is back by itself, else the
    best."""
    amounts = [each for each in over if each.why in ("below_min", "above_max")]
    if amounts:
        widest = [(each.passage.terms.max_minor or 0, each) for each in amounts if each.why == "above_max"]
        return max(widest, key=lambda each: each[0])[1] if widest else amounts[0]
    dated = [(each.until_at, each) for each in over if each.until_at is not None]
    return min(dated, key=lambda each: each[0])[1] if dated else over[0]


def told_of(said: Iterable[Said], method: str, bound: Collection[str]) -> tuple[ToldFacts, ...]:
    """What channels said of the buyer's way to pay by a method, the newest first; of cards only those still bound."""
    found = (
        cashier.told_of(each.code, epoch_ms(each.at), each.amount_minor, each.instrument)
        for each in said
        if each.method == method and (not each.instrument or each.instrument in bound)
    )
    return tuple(dict.fromkeys(each for each in found if each is not None))
