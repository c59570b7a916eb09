"""A merchant's webhook endpoints: registered, changed, disabled, removed, their secret rotated, each with who and why.

The room keeps secrets as they were sealed by its callers, and takes their word that an address may be called.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.kernel.state import move
from fenqi.merchant import store
from fenqi.merchant.register import get
from fenqi.merchant.webhook_model import (
    ENDPOINT_MOVES,
    TOPICS,
    Change,
    Endpoint,
    EndpointState,
    Notice,
    Secret,
)

ENDPOINTS_MOST = 20
OVERLAP_MOST = timedelta(days=7)


async def register_endpoint(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, url: str, topics: Sequence[str], sealed: bytes, by: By
) -> Endpoint:
    """A new active endpoint. Refuses WEBHOOK_TOPIC_UNKNOWN, and WEBHOOK_TOO_MANY beyond twenty."""
    check_why(by.why)
    await get(tx, merchant_id)
    if len(await store.endpoint.of_merchants(tx, [merchant_id])) >= ENDPOINTS_MOST:
        raise Conflict("WEBHOOK_TOO_MANY", f"at most {ENDPOINTS_MOST} endpoints")
    new = Endpoint(merchant_id, endpoint_id, url, _topics(topics), EndpointState.ACTIVE, None, 1, by.at)
    await store.endpoint.insert(tx, new)
    await store.endpoint.insert_secret(tx, merchant_id, endpoint_id, Secret(new_id(), sealed, by.at, None))
    await _keep(tx, new, "register", by, {"url": url, "topics": list(new.topics)}, None)
    return new


async def change_endpoint(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, url: str, topics: Sequence[str], by: By
) -> Endpoint:
    """Another address or other topics, for what is sent from now on. Refuses WEBHOOK_UNKNOWN, WEBHOOK_TOPIC_UNKNOWN."""
    check_why(by.why)
    before = await _locked(tx, merchant_id, endpoint_id)
    after = msgspec.structs.replace(before, url=url, topics=_topics(topics), version=before.version + 1)
    if (before.url, before.topics) == (after.url, after.topics):
        return before
    await store.endpoint.change(tx, after, before.version)
    detail = {"url": [before.url, after.url], "topics": [list(before.topics), list(after.topics)]}
    await _keep(tx, after, "change", by, detail, before.state)
    return after


async def enable_endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID, by: By) -> Endpoint:
    """Send there again what happens from now on; what was missed is replayed on request."""
    return await _move(tx, merchant_id, endpoint_id, EndpointState.ACTIVE, "enable", by)


async def disable_endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID, by: By) -> Endpoint:
    """Send nothing there any more; what waits for it fails."""
    return await _move(tx, merchant_id, endpoint_id, EndpointState.DISABLED, "disable", by)


async def remove_endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID, by: By) -> None:
    """Take the endpoint away for good; its history stays."""
    await _move(tx, merchant_id, endpoint_id, EndpointState.REMOVED, "remove", by)


async def rotate_secret(
    tx: Tx, merchant_id: UUID, endpoint_id: UUID, sealed: bytes, overlap: timedelta, by: By
) -> None:
    """Sign with a new secret; for `overlap` (0 to 7 days) with those before as well. Refuses OVERLAP_INVALID."""
    check_why(by.why)
    if not timedelta() <= overlap <= OVERLAP_MOST:
        raise Refusal("OVERLAP_INVALID", f"an overlap lasts 0 to {OVERLAP_MOST.days} days")
    endpoint = await _locked(tx, merchant_id, endpoint_id)
    await store.endpoint.end_secrets(tx, merchant_id, endpoint_id, by.at + overlap)
    await store.endpoint.insert_secret(tx, merchant_id, endpoint_id, Secret(new_id(), sealed, by.at, None))
    detail: dict[str, object] = {"overlap_s": int(overlap.total_seconds())}
    await _keep(tx, endpoint, "rotate_secret", by, detail, endpoint.state)


async def endpoint_of(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> Endpoint:
    """One of the merchant's endpoints; NotFound (WEBHOOK_UNKNOWN) for others' and removed ones."""
    found = await store.endpoint.endpoint(tx, merchant_id, endpoint_id)
    return _there(found)


async def endpoints_of(tx: Tx, merchant_ids: Sequence[UUID]) -> list[Endpoint]:
    """Every endpoint of these merchants that was not removed, oldest first."""
    return await store.endpoint.of_merchants(tx, merchant_ids)


async def changes_of(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> list[Change]:
    """Every change of an endpoint with who, when and why, oldest first; also of a removed one."""
    return await store.endpoint.changes(tx, merchant_id, endpoint_id)


async def notices_of(tx: Tx, merchant_id: UUID, limit: int = 20) -> list[Notice]:
    """What the merchant must know, newest first."""
    return await store.endpoint.notices(tx, merchant_id, limit)


async def give_up_endpoint(tx: Tx, merchant_id: UUID, endpoint_id: UUID, by: By) -> bool:
    """Disable an endpoint that does not work, and tell the merchant; False when it was not active any more."""
    found = await store.endpoint.endpoint(tx, merchant_id, endpoint_id, lock=True)
    if found is None or found.state is not EndpointState.ACTIVE:
        return False
    await _move(tx, merchant_id, endpoint_id, EndpointState.DISABLED, "disable", by)
    detail = {"endpoint_id": str(endpoint_id), "url": found.url, "why": by.why}
    await store.endpoint.insert_notice(tx, merchant_id, Notice(new_id(), "webhook_disabled", detail, by.at))
    return True


async def _move(tx: Tx, merchant_id: UUID, endpoint_id: UUID, to_state: EndpointState, verb: str, by: By) -> Endpoint:
    check_why(by.why)
    before = await _locked(tx, merchant_id, endpoint_id)
    if before.state is to_state:
        return before
    move(ENDPOINT_MOVES, before.state, to_state)
    after = msgspec.structs.replace(before, state=to_state, failing_since_at=None, version=before.version + 1)
    await store.endpoint.change(tx, after, before.version)
    failed = 0
    if to_state is not EndpointState.ACTIVE:
        failed = await store.delivery.fail_pending(tx, merchant_id, endpoint_id, by.at)
    detail: dict[str, object] = {"failed": failed} if failed else {}
    await _keep(tx, after, verb, by, detail, before.state)
    return after


async def _keep(
    tx: Tx, endpoint: Endpoint, verb: str, by: By, detail: dict[str, object], from_state: str | None
) -> None:
    await store.endpoint.insert_change(
        tx, endpoint.merchant_id, endpoint.endpoint_id, verb, by, from_state=from_state, to_state=endpoint.state,
        detail=detail,
    )  # fmt: skip


async def _locked(tx: Tx, merchant_id: UUID, endpoint_id: UUID) -> Endpoint:
    return _there(await store.endpoint.endpoint(tx, merchant_id, endpoint_id, lock=True))


def _there(found: Endpoint | None) -> Endpoint:
    if found is None or found.state is EndpointState.REMOVED:
        raise NotFound("WEBHOOK_UNKNOWN", "no such webhook")
    return found


def _topics(topics: Sequence[str]) -> tuple[str, ...]:
    """In the dictionary's order, each once."""
    unknown = sorted(set(topics) - set(TOPICS))
    if unknown:
        raise Refusal("WEBHOOK_TOPIC_UNKNOWN", f"no topic {unknown[0][:80]!r}", topics=[str(one) for one in TOPICS])
    return tuple(str(one) for one in TOPICS if one in topics)
