"""Staff signing in and out; their session is seen under /console only."""

from __future__ import annotations

from starlette.responses import Response

from fenqi import staff
from fenqi.kernel.refusal import Refusal
from fenqi.web import session
from fenqi.web.locale import local_path
from fenqi.web.page import Visit, Who, get, post


async def page(visit: Visit, no: Refusal | None = None) -> Response:
    """GET /console/sign-in?next=."""
    target = visit.query("next", 300) if no is None else visit.form.text("next")
    typed = "" if no is None else visit.form.text("sign_in_name", 40)
    status = 200 if no is None else no.status
    return visit.render(
        "console/sign_in.html", status, next=local_path(target, "/console"), typed=typed, error=visit.error(no)
    )


async def sign_in(visit: Visit) -> Response:
    """POST /console/sign-in."""
    name, password = visit.form.text("sign_in_name", 40), visit.form.text("password", 256)
    async with visit.context.database.transaction() as tx:
        found = await staff.sign_in(tx, name, password, visit.context.now())
    if isinstance(found, Refusal):
        return await page(visit, found)
    visit.cookies.append(session.staff_cookie(found.token))
    return visit.redirect(local_path(visit.form.text("next"), "/console"))


async def sign_out(visit: Visit) -> Response:
    """POST /console/sign-out."""
    async with visit.context.database.transaction() as tx:
        await staff.sign_out(tx, visit.session_token, visit.context.now())
    visit.cookies.append(session.staff_cookie(""))
    return visit.redirect("/console/sign-in")


ROUTES = [
    get("/console/sign-in", page),
    post("/console/sign-in", sign_in, Who.ANYONE),
    post("/console/sign-out", sign_out, Who.STAFF),
]
