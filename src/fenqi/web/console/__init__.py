"""The console's door: what staff see. Everything about somebody asks why first, and keeps who looked."""

from __future__ import annotations

from fastapi import FastAPI

from fenqi.web.console import books, diagnosis, find, person, sign_in

PAGES = (sign_in, find, diagnosis, person, books)


def register(app: FastAPI) -> None:
    """Add the console to the application."""
    for page in PAGES:
        app.router.routes.extend(page.ROUTES)
