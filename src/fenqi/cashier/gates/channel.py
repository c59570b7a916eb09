"""Channel gates: can the passage that executes the method take the payment now, from this client, of this amount; and
what the channel said when the buyer last tried."""

from __future__ import annotations

from collections.abc import Iterator

from fenqi.cashier import told as said
from fenqi.cashier.case import Case
from fenqi.cashier.facts import ChannelFacts, ToldFacts
from fenqi.kernel.reason import Reason, ScopeKind, Value

_STATES = {
    "maintenance": "CHANNEL_MAINTENANCE",
    "down": "CHANNEL_DOWN",
    "timeout": "CHANNEL_TIMEOUT",
    "rate_limited": "CHANNEL_RATE_LIMITED",
}


def channel(case: Case) -> list[Reason]:
    """CHANNEL_MAINTENANCE, CHANNEL_DOWN, CHANNEL_TIMEOUT, CHANNEL_RATE_LIMITED, CHANNEL_NOT_CONTRACTED,
    CLIENT_UNSUPPORTED, and the passage's own AMOUNT_BELOW_MIN and AMOUNT_ABOVE_MAX."""
    passage = case.terms.channel
    if passage is None:
        return []
    found: list[Reason] = []
    ids = (passage.name,)
    if not is_contracted(case, passage):
        found.append(case.reason("CHANNEL_NOT_CONTRACTED", ScopeKind.CHANNEL, ids, {"channel": passage.name}))
    if passage.state != "up":
        observed = _observed(passage)
        found.append(case.reason(_STATES[passage.state], ScopeKind.CHANNEL, ids, observed, until_ms=passage.until_ms))
    if passage.clients and case.facts.client not in passage.clients:
        found.append(
            case.reason(
                "CLIENT_UNSUPPORTED",
                ScopeKind.CHANNEL,
                ids,
                {"client": case.facts.client},
                {"clients": ",".join(passage.clients)},
            )
        )
    return [*found, *_amounts(case, passage)]


def is_contracted(case: Case, passage: ChannelFacts) -> bool:
    """Whether the passage is ours to use in this scene for all of the order's sellers."""
    if not passage.contracted or (passage.scenes and case.facts.order.scene not in passage.scenes):
        return False
    return not passage.sellers or all(line.merchant_id in passage.sellers for line in case.facts.lines)


def _observed(passage: ChannelFacts) -> dict[str, Value]:
    observed: dict[str, Value] = {"channel": passage.name}
    if passage.banned:
        observed["passage_state"] = "banned"
    if passage.passed_over:
        observed["passed_over"] = ",".join(passage.passed_over)
    return observed


def _amounts(case: Case, passage: ChannelFacts) -> Iterator[Reason]:
    amount_minor = case.amount_minor
    observed: dict[str, Value] = {"payable_minor": amount_minor}
    if amount_minor < passage.min_minor:
        short: dict[str, Value] = {
            "min_minor": passage.min_minor,
            "shortfall_minor": passage.min_minor - amount_minor,
        }
        yield case.reason("AMOUNT_BELOW_MIN", ScopeKind.CHANNEL, (passage.name,), observed, short)
    if passage.max_minor is not None and amount_minor > passage.max_minor:
        more: dict[str, Value] = {"max_minor": passage.max_minor, "excess_minor": amount_minor - passage.max_minor}
        yield case.reason("AMOUNT_ABOVE_MAX", ScopeKind.CHANNEL, (passage.name,), observed, more)


def told(case: Case) -> list[Reason]:
    """What the channel said last and still stands, once a code: CARD_*, ISSUER_*, TXN_NOT_PERMITTED (when no bound
    card is free of it), a wallet's BALANCE_INSUFFICIENT, PAY_SWITCH_OFF, NO_INSTRUMENT, the channel's own caps."""
    found = said.against(case)
    if not found:
        return []
    codes: dict[tuple[str, bool], list[ToldFacts]] = {}
    for each in found:
        codes.setdefault((each.code, bool(each.instrument)), []).append(each)
    less_minor = said.excess_minor(found, case.amount_minor)
    return [_told(case, code, some, less_minor if of_cards else None) for (code, of_cards), some in codes.items()]


def _told(case: Case, code: str, some: list[ToldFacts], less_minor: int | None) -> Reason:
    """One reason for all that was said under a code; `less_minor`: by how much less one of the cards would do."""
    refused = [each.amount_minor for each in some if each.amount_minor is not None]
    ends = [each.until_ms for each in some]
    cards = tuple(sorted(each.instrument for each in some if each.instrument))
    observed: dict[str, Value] = {"told_by": case.method}
    required: dict[str, Value] = {}
    if refused:
        observed["refused_minor"] = min(refused)
        if not cards:
            less_minor = case.amount_minor - min(refused) // 2
    if less_minor is not None:
        required["excess_minor"] = less_minor
    until_ms = None if None in ends else max(each for each in ends if each is not None)
    kind = ScopeKind.ACCOUNT if cards else ScopeKind.CHANNEL
    return case.reason(code, kind, cards, observed, required, until_ms)
