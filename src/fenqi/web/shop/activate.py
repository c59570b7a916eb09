"""Activating the approved line: the table of all-in costs, the agreement, each consent, then the signature."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from fenqi import credit
from fenqi.credit import plan_cost
from fenqi.flows import activate_credit
from fenqi.flows.reference import Reference
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.browse import SCENES, reference_of

_EXAMPLE_MINOR = 1_000_000
"""The table shows what ¥10,000 costs."""


async def agreement_of(visit: Visit) -> dict[str, Any]:
    """What is signed: plans with their costs, the version in force, the consents."""
    return _agreement(await reference_of(visit))


def _agreement(ref: Reference) -> dict[str, Any]:
    rows = [row for row in ref.policy.plans("credit", SCENES[0]) if row.instalments > 1]
    return {
        "plans": [(row, plan_cost(_EXAMPLE_MINOR, row.instalments, row.fee_rate_ppm)) for row in rows],
        "version": ref.product.agreement_version,
        "consents": [(str(kind), version) for kind, version in ref.product.consent_versions],
    }


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /credit/activate."""
    async with visit.context.database.snapshot() as tx:
        ref = (await visit.context.reference.current(tx, visit.context.now())).seen_by(visit.consumer_id)
        line = await credit.line.read(tx, visit.consumer_id)
    if line is None or line.state != "not_activated":
        return visit.redirect("/credit")
    return visit.render(
        "shop/activate.html",
        200 if no is None else no.status,
        approved_minor=line.approved_minor,
        error=visit.error(no),
        **_agreement(ref),
    )


async def sign(visit: Visit) -> Response:
    """POST /credit/activate: only with the agreement and every consent ticked, in the versions shown."""
    ref = await reference_of(visit)
    form, context = visit.form, visit.context
    try:
        _check_signed(visit, ref)
        async with context.database.transaction() as tx:
            await credit.activation.give_consents(tx, visit.consumer_id, ref.product, visit.by("gave the consents"))
        await activate_credit.activate(context, visit.consumer_id)
    except Refusal as no:
        return await page(visit, no)
    return visit.redirect(form.text("next") or "/credit", notice="activated")


def _check_signed(visit: Visit, ref: Reference) -> None:
    form = visit.form
    if form.text("version") != ref.product.agreement_version:
        raise Conflict("AGREEMENT_VERSION", "another version is in force now")
    given = {kind: form.text(f"consent_{kind}") for kind, _ in ref.product.consent_versions}
    missing = [str(kind) for kind, version in ref.product.consent_versions if given[kind] != version]
    if form.text("accept_agreement") != "yes" or missing:
        raise Refusal("CONSENT_REQUIRED", "the agreement and every consent must be ticked")


ROUTES = [get("/credit/activate", page, Who.CONSUMER), post("/credit/activate", sign)]
