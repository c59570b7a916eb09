"""What is asked of a payment, and the answer that it has to be judged again."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi.flows.device import USUAL, Device


class PayRequest(msgspec.Struct, frozen=True, gc=False):
    """One press of the button. `payment_id` stands for the idempotency key, `input_hash` for what was asked with it."""

    consumer_id: UUID
    payment_id: UUID
    intent_id: UUID
    method: str
    plan: str
    input_hash: bytes
    decision_id: UUID | None = None
    """The quote that the buyer looked at; its facts are used again while nothing they rest on has changed."""
    part_by: tuple[str, int] | None = None
    """(method, fen): pay this much by another method and the rest by `method`."""
    card_id: UUID | None = None
    """The bound card to pay with; None: the one bound first, but for those whose bank has just refused as much."""
    client: str = "web"
    """web | wap | app | wechat: where the buyer is."""
    way: str = ""
    """How the channel leads the buyer there, where that is not the client's matter: page | wap | qr | app | jsapi."""
    payer: str = ""
    """Who pays, in the channel's words, where a way must know beforehand (an openid)."""
    return_url: str = ""
    """Where the channel sends the buyer back; empty: to the page of the payment."""
    device: Device = USUAL
    """Where the press comes from, as it is declared."""


class Stale(msgspec.Struct, frozen=True, gc=False):
    """The answer to a payment whose facts no longer hold, or whose limit no longer carries it."""

    why: str
