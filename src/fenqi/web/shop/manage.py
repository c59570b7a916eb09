"""The line in its owner's hands: locked, closed, opened again; and a paid order's refund."""

from __future__ import annotations

from starlette.responses import Response

from fenqi.flows import manage_line, refund
from fenqi.web.page import Visit, post


async def lock(visit: Visit) -> Response:
    """POST /credit/lock; unlocking is a proof (`/prove/unlock-self`)."""
    await manage_line.lock(visit.context, visit.consumer_id)
    return visit.redirect("/credit", notice="locked")


async def close(visit: Visit) -> Response:
    """POST /credit/close."""
    await manage_line.close(visit.context, visit.consumer_id)
    return visit.redirect("/credit", notice="closed")


async def reopen(visit: Visit) -> Response:
    """POST /credit/reopen."""
    await manage_line.reopen(visit.context, visit.consumer_id)
    return visit.redirect("/credit", notice="reopened")


async def refund_order(visit: Visit) -> Response:
    """POST /orders/{order_id}/refund: this much of the order comes back, under the form's key."""
    form, order_id = visit.form, visit.id("order_id")
    amount_minor = form.amount_minor("amount")
    by = visit.by("asked for a refund")
    await refund.refund(visit.context, visit.consumer_id, visit.key("key", "refund"), order_id, amount_minor, by)
    return visit.redirect(f"/orders/{order_id}", notice="refunded")


ROUTES = [
    post("/credit/lock", lock),
    post("/credit/close", close),
    post("/credit/reopen", reopen),
    post("/orders/{order_id}/refund", refund_order),
]
