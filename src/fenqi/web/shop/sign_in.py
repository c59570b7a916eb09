"""Signing in and out, registering; in the demo also signing in as one of its people with one tap."""

from __future__ import annotations

from uuid import UUID

from starlette.responses import Response

from fenqi import customer
from fenqi.customer import NewConsumer, SignedIn
from fenqi.flows import risk_events
from fenqi.flows.device import device_id
from fenqi.kernel.by import By
from fenqi.kernel.ids import id_for
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.risk import Subject
from fenqi.web import session
from fenqi.web.locale import local_path
from fenqi.web.page import Visit, Who, get, post
from fenqi.web.shop.demo_people import groups

_NOBODY = UUID(int=0)
"""Who asks before there is an account: the owner of the form's key."""


async def sign_in_page(visit: Visit) -> Response:
    """GET /sign-in?next=."""
    return _page(visit, local_path(visit.query("next", 300)), "")


def _page(visit: Visit, target: str, typed: str, no: Refusal | None = None) -> Response:
    people = groups(visit) if visit.context.settings.demo else []
    status = 200 if no is None else no.status
    return visit.render("shop/sign_in.html", status, people=people, next=target, typed=typed, error=visit.error(no))


async def sign_in(visit: Visit) -> Response:
    """POST /sign-in with name and password."""
    target = local_path(visit.form.text("next"))
    name, password = visit.form.text("sign_in_name", 128), visit.form.text("password", 256)
    context = visit.context
    async with context.database.transaction() as tx:
        found = await customer.sign_in(tx, context.keys, name, password, visit.address, visit.device, context.now())
    if isinstance(found, Refusal):
        return _page(visit, target, name, found)
    return _signed_in(visit, found, target)


async def sign_in_as(visit: Visit) -> Response:
    """POST /sign-in/as: the demo's one tap; there is no such page outside the demo."""
    context = visit.context
    if not context.settings.demo:
        raise NotFound("NOT_FOUND", "only in the demo")
    async with context.database.transaction() as tx:
        consumer_id = await customer.find_by_sign_in_name(tx, context.keys, visit.form.required("sign_in_name", 40))
        if consumer_id is None:
            raise NotFound("CONSUMER_UNKNOWN", "no such person in the demo")
        found = await customer.open_session(tx, await customer.get(tx, consumer_id), visit.device, context.now())
    target = local_path(visit.form.text("next"))
    return _signed_in(visit, found, "/orders" if target == "/" else target)


def _signed_in(visit: Visit, found: SignedIn, target: str) -> Response:
    visit.cookies.append(session.consumer_cookie(found.token))
    return visit.redirect(target)


async def sign_out(visit: Visit) -> Response:
    """POST /sign-out."""
    async with visit.context.database.transaction() as tx:
        await customer.sign_out(tx, visit.session_token, visit.context.now())
    visit.cookies.append(session.consumer_cookie(""))
    return visit.redirect("/", notice="signed_out")


async def register_page(visit: Visit) -> Response:
    """GET /register."""
    return visit.render("shop/register.html", typed={"sign_in_name": "", "phone": ""}, error=None)


async def register(visit: Visit) -> Response:
    """POST /register: a new consumer, signed in at once."""
    form, context = visit.form, visit.context
    name, phone, password = form.text("sign_in_name", 40), form.text("phone", 20), form.text("password", 256)
    new = NewConsumer(id_for(_NOBODY, "register", str(form.id("consumer_id"))), name, phone)
    by = By(f"consumer:{new.consumer_id}", "registered", context.now())
    try:
        async with context.database.transaction() as tx:
            made = await customer.sign_up(tx, context.keys, new, password, by)
            found = await customer.open_session(tx, made, visit.device, by.at)
            here = device_id(context.keys, new.consumer_id, visit.declared)
            await risk_events.met(tx, new.consumer_id, Subject("device", here), by.at)
    except Refusal as no:
        typed = {"sign_in_name": name, "phone": phone}
        return visit.render("shop/register.html", no.status, typed=typed, error=visit.error(no))
    return _signed_in(visit, found, "/me")


ROUTES = [
    get("/sign-in", sign_in_page),
    post("/sign-in", sign_in, Who.ANYONE),
    post("/sign-in/as", sign_in_as, Who.ANYONE),
    post("/sign-out", sign_out),
    get("/register", register_page),
    post("/register", register, Who.ANYONE),
]
