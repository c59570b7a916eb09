"""Groups that a consumer has shown to belong to: granted by staff on evidence, and withdrawn the same way.

Which groups exist is policy's word; here a group is a code beside a person, with who noted it, when and why.
"""

from __future__ import annotations

import re
from uuid import UUID

from fenqi.customer.model import Consumer
from fenqi.customer.read import get, locked
from fenqi.customer.store import record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Refusal

_CODE = re.compile(r"[a-z][a-z_]{1,38}[a-z]")


async def grant_segment(tx: Tx, consumer_id: UUID, segment: str, by: By) -> Consumer:
    """The consumer belongs to the group from now on; a repeat changes nothing. Refuses WHY_REQUIRED, SEGMENT_INVALID,
    and CONSUMER_UNKNOWN."""
    if _CODE.fullmatch(segment) is None:
        raise Refusal("SEGMENT_INVALID", "a group's code is small letters and underscores")
    return await _change(tx, consumer_id, "grant_segment", segment, by, belongs=True)


async def withdraw_segment(tx: Tx, consumer_id: UUID, segment: str, by: By) -> Consumer:
    """The consumer belongs to the group no longer; a repeat changes nothing. Refuses WHY_REQUIRED and
    CONSUMER_UNKNOWN."""
    return await _change(tx, consumer_id, "withdraw_segment", segment, by, belongs=False)


async def _change(tx: Tx, consumer_id: UUID, verb: str, segment: str, by: By, *, belongs: bool) -> Consumer:
    check_why(by.why)
    consumer, _ = await locked(tx, consumer_id)
    if (segment in consumer.segments) is belongs:
        return consumer
    others = {each for each in consumer.segments if each != segment}
    await record.update(tx, consumer_id, {"segments": sorted(others | {segment} if belongs else others)})
    await record.insert_history(tx, consumer_id, verb, by, {"segment": segment})
    return await get(tx, consumer_id)
