"""The door for those who come from Jeepay: its protocol's calls, and the pages that its pay orders lead to."""

from __future__ import annotations

from fastapi import FastAPI

from fenqi.web.jeepay import door, pages


def register(app: FastAPI) -> None:
    """Add the calls and pages to the application; before the shop, whose errors are pages."""
    app.router.routes.extend([*door.routes(), *pages.ROUTES])
