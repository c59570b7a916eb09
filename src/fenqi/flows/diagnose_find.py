"""What is asked about: an order, a press, an application, a limit, a hold or a refund, found by any number people have.

A number alone is looked for wherever it could belong; `kind/number` says which it is. The caller checks who asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum
from uuid import UUID

import msgspec

from fenqi import attempt, cashier, credit, customer, order
from fenqi.attempt import Attempt
from fenqi.database import directory
from fenqi.database.pool import Tx
from fenqi.flows import passages
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound


class Kind(StrEnum):
    """What can be asked about."""

    ORDER = "order"
    PAYMENT = "payment"
    APPLICATION = "application"
    LIMIT = "limit"
    HOLD = "hold"
    REFUND = "refund"


class Subject(msgspec.Struct, frozen=True):
    """One thing that is asked about, and whose it is."""

    kind: Kind
    consumer_id: UUID
    order_id: UUID | None = None
    id: UUID | None = None
    """Of the press, the application, the held attempt, or the refund."""
    path: str = ""
    """Of a limit: the account's path; empty: the line with all its limits."""


async def find(tx: Tx, what: str, owner: UUID | None = None) -> Subject:
    """What a number stands for: an order's, a press's, an attempt's or refund's at a channel, an application's, or a
    consumer's id for their line; or `kind/number`, and `limit/<consumer>/<path>` for one limit.

    With `owner` only things of that consumer are found. Refuses SUBJECT_UNKNOWN.
    """
    kind, _, rest = what.strip().partition("/")
    look = _FINDERS.get(kind) if rest else None
    found = await (_anything(tx, what.strip()) if look is None else look(tx, rest.strip()))
    if found is None or (owner is not None and found.consumer_id != owner):
        raise NotFound("SUBJECT_UNKNOWN", "nothing of this number")
    return found


async def _anything(tx: Tx, what: str) -> Subject | None:
    for look in (_order, _attempt_or_refund, _press, _application, _order_refund, _limit):
        found = await look(tx, what)
        if found is not None:
            return found
    return None


async def _order(tx: Tx, what: str) -> Subject | None:
    try:
        consumer_id, order_id = await order.find(tx, what)
    except NotFound:
        return None
    return Subject(Kind.ORDER, consumer_id, order_id)


async def _attempt_or_refund(tx: Tx, what: str) -> Subject | None:
    """A number at a channel: an attempt leads to its press, a refund to itself."""
    own_id = parse_id(what)
    consumer_id = None if own_id is None else await directory.find(tx, passages.DIRECTORY, own_id.hex)
    if own_id is None or consumer_id is None:
        return None
    tried = await _attempt(tx, consumer_id, own_id)
    if tried is not None:
        return Subject(Kind.PAYMENT, consumer_id, tried.order_id, tried.payment_id)
    try:
        back = await attempt.get_refund(tx, consumer_id, own_id)
    except NotFound:
        return None
    source = await attempt.get(tx, consumer_id, back.attempt_id)
    return Subject(Kind.REFUND, consumer_id, source.order_id, own_id)


async def _attempt(tx: Tx, consumer_id: UUID, attempt_id: UUID) -> Attempt | None:
    try:
        return await attempt.get(tx, consumer_id, attempt_id)
    except NotFound:
        return None


async def _press(tx: Tx, what: str) -> Subject | None:
    payment_id = parse_id(what)
    if payment_id is None:
        return None
    paid = await cashier.find_payment(tx, payment_id)
    if paid is not None:
        return Subject(Kind.PAYMENT, paid.consumer_id, paid.order_id, payment_id)
    tried = await attempt.of_press(tx, payment_id)
    return None if tried is None else Subject(Kind.PAYMENT, tried.consumer_id, tried.order_id, payment_id)


async def _application(tx: Tx, what: str) -> Subject | None:
    application_id = parse_id(what)
    if application_id is None:
        return None
    try:
        consumer_id = await credit.history.owner_of_application(tx, application_id)
    except NotFound:
        return None
    return Subject(Kind.APPLICATION, consumer_id, None, application_id)


async def _order_refund(tx: Tx, what: str) -> Subject | None:
    refund_id = parse_id(what)
    if refund_id is None:
        return None
    try:
        consumer_id, order_id = await credit.history.owner_of_refund(tx, refund_id)
    except NotFound:
        return None
    return Subject(Kind.REFUND, consumer_id, order_id, refund_id)


async def _refund(tx: Tx, what: str) -> Subject | None:
    found = await _attempt_or_refund(tx, what)
    return found if found is not None and found.kind is Kind.REFUND else await _order_refund(tx, what)


async def _payment(tx: Tx, what: str) -> Subject | None:
    found = await _attempt_or_refund(tx, what)
    return found if found is not None and found.kind is Kind.PAYMENT else await _press(tx, what)


async def _limit(tx: Tx, what: str) -> Subject | None:
    """A consumer's id, perhaps with the path of one of their limits."""
    name, _, path = what.partition("/")
    consumer_id = parse_id(name)
    if consumer_id is None:
        return None
    try:
        await customer.get(tx, consumer_id)
    except NotFound:
        return None
    return Subject(Kind.LIMIT, consumer_id, path=path)


async def _hold(tx: Tx, what: str) -> Subject | None:
    """What was set aside for an attempt, by its number or its press's id."""
    found = await _payment(tx, what)
    if found is None or found.id is None:
        return None
    tries = await attempt.of_payment(tx, found.consumer_id, found.id)
    held = next((one for one in reversed(tries) if one.is_held), None)
    return None if held is None else Subject(Kind.HOLD, found.consumer_id, held.order_id, held.attempt_id)


_FINDERS: dict[str, Callable[[Tx, str], Awaitable[Subject | None]]] = {
    Kind.ORDER: _order,
    Kind.PAYMENT: _payment,
    Kind.APPLICATION: _application,
    Kind.LIMIT: _limit,
    Kind.HOLD: _hold,
    Kind.REFUND: _refund,
}
