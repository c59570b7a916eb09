"""New credentials for a passage: pasted, or taken from the local gateway; tried with a harmless call before use."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from fenqi import passage
from fenqi.channels import contract, shelf
from fenqi.kernel.refusal import Refusal
from fenqi.passage import Passage
from fenqi.staff import Action
from fenqi.web.console import gateway
from fenqi.web.console.act import check_may, keep
from fenqi.web.console.passage_page import page, passage_of, said_why
from fenqi.web.page import Visit, Who, post

_MOST = 16_000
"""Characters of one value; certificates in chains are long."""


async def rotate(visit: Visit) -> Response:
    """POST /console/channels/{code}/rotate: values left empty stay as they are."""
    try:
        check_may(visit, Action.RUN_CHANNELS)
        said_why(visit)
        async with visit.context.database.snapshot() as tx:
            found = await passage_of(visit, tx)
        values = await _values(visit, found)
        if visit.form.text("untested", 1) != "1":
            await _try(visit, found, values)
        version = await _take_up(visit, found.passage_id, values)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(f"/console/channels/{found.code}", notice="rotated", version=str(version))


async def _values(visit: Visit, found: Passage) -> dict[str, str]:
    """The new values: `source` says whether they are on the form or at the gateway (new | present)."""
    source = visit.form.text("source", 10)
    if source in ("new", "present"):
        return await gateway.credentials(visit.context, found.channel, found.code, rotated=source == "new")
    ring = passage.keyring(visit.context.keys, found, visit.context.now())
    values = {} if ring is None else dict(ring.current.values)
    typed = {field.name: _typed(visit, field.name) for field in shelf.channel(found.channel).fields}
    if not any(typed.values()):
        raise Refusal("FIELD_MISSING", "no new value was given")
    return values | {name: text for name, text in typed.items() if text}


def _typed(visit: Visit, name: str) -> str:
    """A pasted value with the line ends that keys are written with."""
    return visit.form.text(f"value_{name}", _MOST).replace("\r\n", "\n")


async def _try(visit: Visit, found: Passage, values: dict[str, str]) -> None:
    """Refuse (CREDENTIAL_REFUSED) values with which the channel does not know us."""
    newest = contract.Credential(max((each.version for each in found.credentials), default=0) + 1, values)
    tried = contract.Passage(
        found.passage_id, found.code, found.channel, found.terms.endpoint, newest, (newest,)
    )  # fmt: skip
    try:
        is_known = await shelf.channel(found.channel).probe(visit.context.http, tried)
    except (ValueError, TypeError, KeyError):  # a key that can't be read, a name that is missing
        is_known = False
    if not is_known:
        raise Refusal("CREDENTIAL_REFUSED", "the channel does not know us by these values")


async def _take_up(visit: Visit, passage_id: UUID, values: dict[str, str]) -> int:
    async with visit.context.database.transaction() as tx:
        by = await keep(visit, tx, Action.RUN_CHANNELS, f"passage:{passage_id}", rotates="credentials")
        return await passage.rotate(tx, visit.context.keys, passage_id, by, values)


ROUTES = [post("/console/channels/{code}/rotate", rotate, Who.STAFF)]
