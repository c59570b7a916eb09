"""The risk database on the console: lists with who, why and until when, and the whole profile of any subject."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from starlette.responses import Response

from fenqi import customer, risk
from fenqi.customer import check
from fenqi.database.pool import Tx
from fenqi.flows import transaction_risk
from fenqi.flows.device import Device, address_id, card_id, device_id
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import parse_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.risk import LISTS, SUBJECTS, Profile, Subject
from fenqi.risk.model import ListName, SubjectKind
from fenqi.staff import Action
from fenqi.web.console.act import check_may, instant, keep, link
from fenqi.web.console.find import turned_to_ask
from fenqi.web.console.web_drawing import draw
from fenqi.web.page import Visit, Who, get, post

_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_WINDOWS = (("hour", _HOUR_MS), ("day", _DAY_MS), ("month", 30 * _DAY_MS), ("quarter", 90 * _DAY_MS))


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/lists?list=: the newest entries, the programmes' ledgers, and the way to any subject."""
    check_may(visit, Action.SEE_HIDDEN_REASONS)
    name = visit.query("list", 10)
    async with visit.context.database.snapshot() as tx:
        ref = await visit.context.reference.current(tx, visit.context.now())
        entries = await risk.lists.entries(tx, name if name in LISTS else "")
        used = await risk.exposures.ledgers(tx)
    caps = transaction_risk.caps(ref.policy)
    programmes = [(each, used.get(each, 0), caps.get(each)) for each in sorted(used.keys() | caps.keys())]
    return visit.render(
        "console/risk_lists.html",
        200 if no is None else no.status,
        entries=entries,
        lists=LISTS,
        chosen=name,
        kinds=SUBJECTS,
        programmes=programmes,
        sellers=ref.sellers,
        typed=visit.form.text("what", 200) if no is not None else "",
        error=visit.error(no),
    )


async def find(visit: Visit) -> Response:
    """POST /console/lists/find: from what somebody gives in to the subject's profile; the value itself is not kept."""
    try:
        check_may(visit, Action.SEE_HIDDEN_REASONS)
        kind, what = visit.form.required("kind", 10), visit.form.required("what", 200)
        async with visit.context.database.snapshot() as tx:
            subject = await _subject(visit, tx, kind, what)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/lists/{subject.kind}/{subject.subject_id}")


async def _subject(visit: Visit, tx: Tx, kind: str, what: str) -> Subject:
    keys = visit.context.keys
    given = parse_id(what)
    if kind in SUBJECTS and given is not None:
        return Subject(kind, given)
    found: UUID | None = None
    if kind == "consumer":
        found = await customer.find_by_sign_in_name(tx, keys, what)
    elif kind == "device":
        found = device_id(keys, UUID(int=0), Device(what))
    elif kind == "card":
        found = card_id(keys.look_up("card", check.card_number(what)[0]))
    elif kind == "address":
        found = address_id(keys, what)
    elif kind == "merchant":
        ref = await visit.context.reference.current(tx, visit.context.now())
        found = next((one for one, seller in ref.sellers.items() if seller.merchant.number == what), None)
    if found is None:
        raise NotFound("SUBJECT_UNKNOWN", "nothing of this kind is known by that")
    return Subject(kind, found)  # type: ignore[arg-type]


async def profile(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/lists/{kind}/{subject_id}?hops=: all that is known, with its links drawn."""
    check_may(visit, Action.SEE_HIDDEN_REASONS)
    subject, now = _of_path(visit), visit.context.now()
    hops = 3 if visit.query("hops", 1) == "3" else 2
    async with visit.context.database.snapshot() as tx:
        if subject.kind == "consumer":
            name = f"consumer:{subject.subject_id}"
            if (away := await turned_to_ask(visit, tx, name, str(subject.subject_id))) is not None:
                return away
        ref = await visit.context.reference.current(tx, now)
        found = await risk.profiles.profile(tx, subject)
        web = await risk.links.walk(tx, subject, hops)
    return visit.render(
        "console/risk_profile.html",
        200 if no is None else no.status,
        subject=subject,
        profile=found,
        counters=_counters(found, now),
        drawing=draw(web),
        cut=bool(web.cut),
        hops=hops,
        windows=[name for name, _ in _WINDOWS],
        free=[name for name in LISTS if all(one.list != name for one in found.lists)],
        seller=ref.sellers.get(subject.subject_id),
        error=visit.error(no),
    )


def _of_path(visit: Visit) -> Subject:
    kind = visit.request.path_params["kind"]
    if kind not in SUBJECTS:
        raise NotFound("NOT_FOUND", "no such kind of subject")
    known: SubjectKind = kind
    return Subject(known, visit.id("subject_id"))


def _counters(found: Profile, now: datetime) -> list[tuple[str, list[int], int]]:
    """(what is counted, how many in each window, the amount of the longest one)."""
    to_ms = epoch_ms(now)
    return [
        (kind, [pulse.before(None, to_ms - span, to_ms) for _, span in _WINDOWS], pulse.sum_minor(0, to_ms))
        for kind, pulse in found.pulses.items()
    ]


async def add(visit: Visit) -> Response:
    """POST /console/lists/{kind}/{subject_id}/add: put on a list, perhaps until an instant."""
    return await _change(visit, "add")


async def remove(visit: Visit) -> Response:
    """POST /console/lists/{kind}/{subject_id}/remove: take off a list."""
    return await _change(visit, "remove")


async def _change(visit: Visit, verb: str) -> Response:
    subject = _of_path(visit)
    try:
        name = visit.form.required("list", 10)
        if name not in LISTS:
            raise Refusal("LIST_UNKNOWN", "no such list")
        chosen: ListName = name
        until_at = instant(visit, "until_at") if verb == "add" and visit.form.text("until_at") else None
        async with visit.context.database.transaction() as tx:
            about = f"{subject.kind}:{subject.subject_id}"
            by = await keep(visit, tx, Action.CHANGE_LISTS, about, list=name, verb=verb)
            if verb == "add":
                await risk.lists.add(tx, subject, chosen, by, until_at)
            else:
                await risk.lists.remove(tx, subject, chosen, by)
    except Refusal as no:
        return await profile(visit, no)
    return visit.redirect(link(f"/console/lists/{subject.kind}/{subject.subject_id}"))


_AT = "/console/lists/{kind}/{subject_id}"
ROUTES = [
    get("/console/lists", page, Who.STAFF),
    post("/console/lists/find", find, Who.STAFF),
    get(_AT, profile, Who.STAFF),
    post(f"{_AT}/add", add, Who.STAFF),
    post(f"{_AT}/remove", remove, Who.STAFF),
]
