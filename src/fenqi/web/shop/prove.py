"""Proving and setting: name, document, phone, pay password, card, a step-up, a lock; each typed step by step.

One page for all of them over `flows.prove`: nothing is sent before the first press, what is asked for next comes back.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple
from uuid import UUID

from starlette.responses import Response

from fenqi.flows import prove
from fenqi.flows.context import Context
from fenqi.flows.prove import Needed
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.web.csrf import FIELD
from fenqi.web.locale import local_path
from fenqi.web.page import Visit, Who, get, post

Verb = Callable[[Context, UUID, Mapping[str, str]], Awaitable[Needed | None]]


class Proof(NamedTuple):
    """What is proved, by which verb, what it asks for at first, and what is said when it is done."""

    verb: Verb
    first: tuple[str, ...] = ()
    notice: str = "saved"
    words: str = ""


def _unlock(lock: str) -> Verb:
    async def verb(ctx: Context, consumer_id: UUID, given: Mapping[str, str]) -> Needed | None:
        return await prove.unlock(ctx, consumer_id, lock, given)

    return verb


PROOFS: dict[str, Proof] = {
    "real-name": Proof(prove.real_name, ("name", "id_number", "document_until_on")),
    "id-document": Proof(prove.id_document, ("document_until_on",)),
    "phone": Proof(prove.phone),
    "pay-password": Proof(prove.pay_password),
    "card": Proof(prove.card, ("card_number",), "card_bound"),
    "step-up": Proof(prove.step_up),
    "person": Proof(prove.person, ("name", "id_number")),
    "unlock-self": Proof(_unlock("self_locked"), (), "unlocked", "unlock"),
    "unlock-dormant": Proof(_unlock("dormant_locked"), ("name", "id_number"), "unlocked", "unlock"),
    "unlock-pin": Proof(_unlock("pin_locked"), (), "unlocked", "unlock"),
}


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /prove/{what}?next=&ask=a,b&known_x=."""
    what, proof = _proof(visit)
    source: Mapping[str, str] = visit.request.query_params if no is None else visit.form.rest(FIELD)
    asks = [name for name in source.get("ask", "").split(",") if name] or list(proof.first)
    known = {key: value for key, value in source.items() if key == "card_id"}
    return visit.render(
        "shop/prove.html",
        200 if no is None else no.status,
        what=what,
        words=proof.words or what.replace("-", "_"),
        asks=asks,
        known=known,
        next=local_path(source.get("next", ""), "/security"),
        error=visit.error(no),
    )


def _proof(visit: Visit) -> tuple[str, Proof]:
    what = visit.request.path_params["what"]
    if what not in PROOFS:
        raise NotFound("NOT_FOUND", "nothing of that name to prove")
    return what, PROOFS[what]


async def go_on(visit: Visit) -> Response:
    """POST /prove/{what}: one step of it."""
    what, proof = _proof(visit)
    given = visit.form.rest(FIELD, "next", "ask")
    target = local_path(visit.form.text("next"), "/security")
    try:
        needed = await proof.verb(visit.context, visit.consumer_id, given)
    except Refusal as no:
        return await page(visit, no)
    if needed is None:
        return visit.redirect(target, notice=proof.notice)
    return visit.redirect(f"/prove/{what}", ask=",".join(needed.names), next=target, **needed.known)


async def step_up(visit: Visit) -> Response:
    """GET /step-up?next=: the route's address, kept short."""
    return visit.redirect("/prove/step-up", next=local_path(visit.query("next", 300), "/security"))


ROUTES = [
    get("/prove/{what}", page, Who.CONSUMER),
    post("/prove/{what}", go_on),
    get("/step-up", step_up, Who.CONSUMER),
]
