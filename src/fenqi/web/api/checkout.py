"""Checkouts: every method and plan for an order, with every reason why not and what would cure it."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import cashier, order
from fenqi.flows import quote
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.web.api.offer_view import OfferView, offer_view
from fenqi.web.api.order import OrderView, view
from fenqi.web.api.resource import Call, resource


class NewCheckout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The order to be paid."""

    order_id: UUID


@resource("POST", "/v1/checkouts", body=NewCheckout, answer=OrderView, problems=(404,))
async def create(call: Call) -> OrderView:
    """Open the checkout of an order, or find the one it has: `checkout_id` of the answer."""
    context, consumer_id = call.context, call.actor.consumer_id
    async with context.database.transaction() as tx:
        found = await order.get(tx, consumer_id, call.body.order_id)
        opened = await cashier.open_checkout(
            tx, bucket_of(consumer_id), consumer_id, new_id(), found.order_id, context.now()
        )
    return view(found, opened)


class OffersAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For which client the offers are."""

    client: str = "web"


class Offers(msgspec.Struct, frozen=True):
    """Name `decision_id` when paying: the payment is then judged on the facts that were shown."""

    decision_id: UUID
    checkout_id: UUID
    order: OrderView
    offers: tuple[OfferView, ...]


@resource("POST", "/v1/checkouts/{checkout}/offers", body=OffersAsked, answer=Offers)
async def offers(call: Call) -> Offers:
    """Every method and plan for this checkout, in the language of `Accept-Language` (zh-CN or en)."""
    found = await quote.quote(
        call.context, call.actor.consumer_id, call.id("checkout"), call.body.client[:40], call.device
    )
    return Offers(
        found.decision_id,
        found.intent_id,
        view(found.order, found.intent_id),
        tuple(offer_view(found.decision_id, offer, found.facts, call.locale) for offer in found.offers),
    )
