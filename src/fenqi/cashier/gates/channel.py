"""Channel gates: can the passage that executes the method take the payment now, and from this client."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.kernel.reason import Reason, ScopeKind

_STATES = {
    "maintenance": "CHANNEL_MAINTENANCE",
    "down": "CHANNEL_DOWN",
    "timeout": "CHANNEL_TIMEOUT",
    "rate_limited": "CHANNEL_RATE_LIMITED",
}


def channel(case: Case) -> list[Reason]:
    """CHANNEL_MAINTENANCE, CHANNEL_DOWN, CHANNEL_TIMEOUT, CHANNEL_RATE_LIMITED, CHANNEL_NOT_CONTRACTED,
    CLIENT_UNSUPPORTED."""
    passage = case.terms.channel
    if passage is None:
        return []
    found: list[Reason] = []
    ids = (passage.name,)
    if not passage.contracted:
        found.append(case.reason("CHANNEL_NOT_CONTRACTED", ScopeKind.CHANNEL, ids, {"channel": passage.name}))
    if passage.state != "up":
        observed = {"channel": passage.name}
        found.append(
            case.reason(_STATES[passage.state], ScopeKind.CHANNEL, ids, {**observed}, until_ms=passage.until_ms)
        )
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
    return found
