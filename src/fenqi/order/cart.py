"""The cart: one per consumer and scene; prices are looked at when it is shown, agreed when the order is placed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.refusal import Refusal
from fenqi.order.model import LINES_MAX, QUANTITY_MAX, SCENES, CartLine
from fenqi.order.store import basket


async def put_in_cart(
    tx: Tx, consumer_id: UUID, scene: str, sku_id: UUID, merchant_id: UUID, quantity: int, at: datetime
) -> None:
    """Let the cart hold `quantity` pieces (the whole number, so a repeat changes nothing); 0 takes them out.

    Refuses SCENE_INVALID, QUANTITY_INVALID, and CART_FULL beyond 50 lines.
    """
    if scene not in SCENES:
        raise Refusal("SCENE_INVALID", f"one of {', '.join(SCENES)}")
    if not 0 <= quantity <= QUANTITY_MAX:
        raise Refusal("QUANTITY_INVALID", f"between 0 and {QUANTITY_MAX} pieces")
    if quantity == 0:
        await basket.delete_cart_lines(tx, consumer_id, scene, [(sku_id, merchant_id)])
        return
    there = await basket.cart(tx, consumer_id, scene)
    is_new = (sku_id, merchant_id) not in {(line.sku_id, line.merchant_id) for line in there}
    if is_new and len(there) >= LINES_MAX:
        raise Refusal("CART_FULL", f"a cart holds at most {LINES_MAX} lines")
    await basket.put_cart_line(tx, consumer_id, scene, CartLine(sku_id, merchant_id, quantity, at))


async def take_out_of_cart(tx: Tx, consumer_id: UUID, scene: str, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Take goods, by (sku id, merchant id), out of the cart: after an order was placed with them."""
    await basket.delete_cart_lines(tx, consumer_id, scene, pairs)


async def cart(tx: Tx, consumer_id: UUID, scene: str) -> list[CartLine]:
    """What the cart holds, in the order in which it was filled."""
    return await basket.cart(tx, consumer_id, scene)
