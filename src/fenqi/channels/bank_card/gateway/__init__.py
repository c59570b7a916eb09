"""The local UnionPay and the card issuers behind it, as a side of the gateways' common house.

Beside the protocol it keeps cards: `issuer.test_card("51")` is the number of a card that never has enough.
"""

from __future__ import annotations

from fenqi.channels.bank_card.gateway.side import UnionPay

__all__ = ["SIDE", "UnionPay"]

SIDE = UnionPay()
