"""The channels at a glance: where a payment would go now, what is passed over and why, and each passage's last hour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi import passage
from fenqi.channels import shelf
from fenqi.channels.contract import Capabilities
from fenqi.flows.reference import Reference
from fenqi.kernel.money import parse_minor
from fenqi.kernel.refusal import Refusal
from fenqi.passage import Health, Minute, Passage
from fenqi.staff import Action
from fenqi.texts.catalogue import catalogue
from fenqi.web.console.act import check_may
from fenqi.web.console.chart import MINUTES, Chart, chart
from fenqi.web.page import Visit, Who, get
from fenqi.web.template import own

SAMPLE_MINOR = 100_000
_SOUND = Health()


class Ranked(NamedTuple):
    """A passage in the order in which a payment would try it. `place` 0: it would not be tried, for `why`."""

    passage: Passage
    place: int
    why: str
    until_at: datetime | None
    standing: str
    """Of its breaker: up | half_open | down | rate_limited."""
    chart: Chart
    owner: str
    """The merchant's name, of a merchant's own; empty: the mall's."""


class Shelved(NamedTuple):
    """A channel with its passages."""

    channel: str
    capabilities: Capabilities
    ways: tuple[Ranked, ...]

    @property
    def taken(self) -> Ranked | None:
        """The passage that a payment would go through."""
        return next((way for way in self.ways if way.place == 1), None)


async def page(visit: Visit) -> Response:
    """GET /console/channels?amount=&scene=: as a payment of that amount in that scene would be routed now."""
    check_may(visit, Action.SEE_CHANNELS)
    now = visit.context.now()
    amount_minor, scene = _sample(visit)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, now)
        ids = [each.passage_id for each in ref.passages]
        minutes = await passage.minutes(tx, ids, now - timedelta(minutes=MINUTES))
        healths = await passage.healths(tx)
    there = [_shelved(visit, ref, healths, name, minutes, (amount_minor, scene)) for name in shelf.EXTERNAL]
    return visit.render(
        "console/channels.html",
        shelves=there,
        amount_minor=amount_minor,
        scene=scene,
        scenes=list(catalogue(visit.locale).terms["scene"]),
        is_sample=bool(visit.query("amount") or scene),
    )


def _sample(visit: Visit) -> tuple[int, str | None]:
    """The payment that is routed for show; what is not one counts as the usual."""
    known = catalogue(visit.locale).terms["scene"]
    scene = visit.query("scene", 30)
    try:
        amount_minor = parse_minor(visit.query("amount", 30).replace(",", "").removeprefix("¥") or "0")
    except Refusal:
        amount_minor = SAMPLE_MINOR
    return amount_minor or SAMPLE_MINOR, scene if scene in known else None


def _shelved(
    visit: Visit, ref: Reference, healths: Mapping[UUID, Health], name: str, minutes: Mapping[UUID, Sequence[Minute]],
    sample: tuple[int, str | None],
) -> Shelved:  # fmt: skip
    now = visit.context.now()
    there = ref.passages_of.get(name, ())
    ranked = ranking(there, healths, now, *sample)
    ways = []
    for each, place, why, until_at in ranked:
        seller = ref.sellers.get(each.merchant_id) if each.merchant_id is not None else None
        ways.append(
            Ranked(
                each, place, why, until_at, passage.standing(healths.get(each.passage_id, _SOUND), now),
                chart(minutes.get(each.passage_id, ()), now),
                "" if seller is None else own(seller.merchant, "name", visit.locale),
            )
        )  # fmt: skip
    return Shelved(name, shelf.channel(name).capabilities, tuple(ways))


def ranking(
    there: Iterable[Passage], healths: Mapping[UUID, Health], now: datetime, amount_minor: int, scene: str | None
) -> list[tuple[Passage, int, str, datetime | None]]:
    """(passage, place, why, until when) of a channel's passages: those that would be tried in order, then the others,
    the nearest to serving first, each with what stands against it."""
    there = list(there)
    routed = passage.route(there, healths, now, scene, amount_minor)
    tried = [] if routed.chosen is None else [routed.chosen, *routed.spares]
    known = {each.passage.passage_id: (each.why, each.until_at) for each in routed.passed_over}
    found: list[tuple[Passage, int, str, datetime | None]] = [
        (each, place, "", None) for place, each in enumerate(tried, 1)
    ]
    left = [each for each in there if each not in tried]
    for each in sorted(left, key=lambda one: (one.state == "retired", one.code)):
        why, until_at = known.get(each.passage_id) or _against(each, healths, now, amount_minor, scene)
        found.append((each, 0, why, until_at))
    return found


def _against(
    one: Passage, healths: Mapping[UUID, Health], now: datetime, amount_minor: int, scene: str | None
) -> tuple[str, datetime | None]:
    """What keeps a passage out that the routing did not even name."""
    why, until_at = passage.hindrance(one, healths.get(one.passage_id, _SOUND), now)
    if why not in ("", "half_open"):
        return why, until_at
    if one.merchant_id is not None:
        return "own_merchant", None
    if not passage.serves(one, scene, None):
        return "other_scene", None
    if amount_minor < one.terms.min_minor:
        return "below_min", None
    if one.terms.max_minor is not None and amount_minor > one.terms.max_minor:
        return "above_max", None
    return ("half_open", None) if why else ("not_a_spare", None)


ROUTES = [get("/console/channels", page, Who.STAFF)]
