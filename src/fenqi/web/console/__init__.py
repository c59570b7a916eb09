"""The console's door: what staff see. Everything about somebody asks why first, and keeps who looked."""

from __future__ import annotations

from fastapi import FastAPI

from fenqi.web.console import (
    ask,
    backtest,
    books,
    cases,
    channels,
    diagnosis,
    experiment,
    faults,
    find,
    inbox,
    lost_money,
    matters,
    monitor,
    passage_page,
    payment,
    person,
    policies,
    policy_table,
    policy_trial,
    riskdb,
    rotate,
    sign_in,
    webhooks,
    why,
)

PAGES = (
    sign_in, find, ask, why, diagnosis, person, books, payment, matters, channels, passage_page, rotate, inbox, faults,
    webhooks, lost_money, experiment, policy_trial, policies, policy_table, backtest, monitor, cases, riskdb,
)  # fmt: skip


def register(app: FastAPI) -> None:
    """Add the console to the application."""
    for page in PAGES:
        app.router.routes.extend(page.ROUTES)
