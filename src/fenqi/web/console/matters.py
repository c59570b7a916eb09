"""Open matters: what waits for a decision or for a channel's answer, the oldest first, each with its age."""

from __future__ import annotations

from starlette.responses import Response

from fenqi import attempt, merchant, passage
from fenqi.attempt import Attempt, AttemptState, ChannelRefund, RefundState
from fenqi.database.pool import Tx
from fenqi.flows.reference import Reference
from fenqi.merchant import Endpoint, EndpointState
from fenqi.passage import Passage, PassageState
from fenqi.staff import Action
from fenqi.web.console.act import check_may
from fenqi.web.page import Visit, Who, get

_SHOWN = 200
Back = tuple[ChannelRefund, Attempt]


async def page(visit: Visit) -> Response:
    """GET /console/matters."""
    check_may(visit, Action.SEE_CHANNELS)
    now = visit.context.now()
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, now)
        stuck = await _with_attempts(tx, await attempt.stuck_refunds(tx, _SHOWN))
        waiting = await attempt.waiting(tx, _SHOWN)
        going = await _with_attempts(tx, await attempt.refunds_waiting(tx, _SHOWN))
        parked = await attempt.latest_notices(tx, _SHOWN, state="parked")
        disabled = await _disabled(tx, ref)
    return visit.render(
        "console/matters.html",
        stuck=stuck,
        unknown=[each for each in waiting if each.state is not AttemptState.PENDING],
        pending=[each for each in waiting if each.state is AttemptState.PENDING],
        refunds=[(back, source) for back, source in going if back.state is not RefundState.FAILED],
        parked=parked,
        shut=_shut(visit, ref),
        disabled=disabled,
        sellers=ref.sellers,
    )


async def _with_attempts(tx: Tx, refunds: list[ChannelRefund]) -> list[Back]:
    return [(back, await attempt.get(tx, back.consumer_id, back.attempt_id)) for back in refunds]


def _shut(visit: Visit, ref: Reference) -> list[tuple[Passage, str]]:
    """The passages that take no payments now, with why; retired ones are not missed."""
    found = []
    for each in ref.passages:
        health = ref.healths.get(each.passage_id, passage.Health())
        why, _ = passage.hindrance(each, health, visit.context.now())
        if why and each.state is not PassageState.RETIRED:
            found.append((each, why))
    return found


async def _disabled(tx: Tx, ref: Reference) -> list[Endpoint]:
    """The webhooks that were given up or switched off."""
    endpoints = await merchant.endpoints_of(tx, list(ref.sellers))
    return [each for each in endpoints if each.state is EndpointState.DISABLED]


ROUTES = [get("/console/matters", page, Who.STAFF)]
