"""The shop's door: every page a buyer sees. `register` adds their routes, the static files and pages for errors."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from fenqi.web import locale
from fenqi.web.errors import install
from fenqi.web.shop import (
    account,
    activate,
    appeal,
    apply,
    cart,
    cashier,
    category,
    checkout,
    credit,
    help,
    home,
    loan,
    manage,
    me,
    money,
    orders,
    product,
    prove,
    reasons,
    remedy,
    repay,
    result,
    sign_in,
    why,
)
from fenqi.web.template import STATIC

PAGES = (
    home, category, product, cart, checkout, cashier, orders, result, remedy, prove, credit, apply, activate, loan,
    repay, manage, money, account, me, appeal, help, sign_in, why, reasons,
)  # fmt: skip


def register(app: FastAPI) -> None:
    """Add the shop to the application; after the API, whose errors stay problems."""
    for page in PAGES:
        app.router.routes.extend(page.ROUTES)
    app.router.routes.append(Route("/locale/{language}", locale.switch, methods=["GET"], include_in_schema=False))
    app.mount("/static", CachedFiles(directory=STATIC), name="static")
    install(app)


class CachedFiles(StaticFiles):
    """Static files of ours; their addresses change with their content, so they may be kept."""

    def file_response(self, *args, **kwargs):  # type: ignore[no-untyped-def]
        """The file, cacheable for a year."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
