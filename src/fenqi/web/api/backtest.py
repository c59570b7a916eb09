"""Back-tests: what a version, or a loosened rule, would have decided in the past days; ordered here, run by a job.

For staff: whoever makes policy orders them, whoever sees it reads them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from fenqi import staff
from fenqi.flows import backtests
from fenqi.flows.backtest import MOST_DAYS, Report
from fenqi.flows.backtest_words import sentence
from fenqi.kernel.by import By
from fenqi.policy import trial
from fenqi.policy.trial import Trial
from fenqi.staff import Action, Member
from fenqi.texts import Locale
from fenqi.web.api.resource import Call, resource

_STAFF = ("staff",)


class NewBacktest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a version by its number, or of the version in force with one rule loosened; and why."""

    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)]
    why: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    policy: Annotated[str, msgspec.Meta(max_length=60)] = ""
    loosen: Annotated[str, msgspec.Meta(max_length=60)] = ""


class BacktestView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a back-test stands, and once it is done what came out, with the sentence that sums it up."""

    backtest_id: UUID
    policy: str
    loosen: str
    days: int
    asked_by: str
    why: str
    asked_at: datetime
    state: str
    """asked | running | done | failed"""
    percent: int
    rows_a_second: int
    ended_at: datetime | None = None
    refusal: str = ""
    """Why it failed."""
    sentence: str = ""
    report: Report | None = None


class Backtests(msgspec.Struct, frozen=True):
    """The latest ones, newest first, without their reports."""

    backtests: tuple[BacktestView, ...]


@resource("POST", "/v1/backtests", body=NewBacktest, answer=BacktestView, who=_STAFF, keyed=True, problems=(404,))
async def order(call: Call) -> BacktestView:
    """Order a back-test; a job runs it, and its address tells how far it is."""
    member = await _member(call, Action.MAKE_POLICY)
    asked, by = call.body, By(member.actor, call.body.why, call.context.now())
    backtest_id = call.id_of_key("backtest")
    async with call.context.database.transaction() as tx:
        subject = f"policy:{asked.policy or asked.loosen}"
        await staff.audit(tx, member, Action.MAKE_POLICY, subject, by.why, by.at, {"verb": "backtest"})
    found = await backtests.ask(
        call.context, backtest_id, by, days=asked.days, policy_number=asked.policy, rule_id=asked.loosen
    )
    return _view(found, call.locale)


@resource("GET", "/v1/backtests", answer=Backtests, who=_STAFF)
async def latest(call: Call) -> Backtests:
    """The latest back-tests."""
    await _member(call, Action.SEE_POLICY)
    async with call.context.database.snapshot() as tx:
        return Backtests(tuple(_view(each, call.locale) for each in await trial.trials(tx)))


@resource("GET", "/v1/backtests/{backtest_id}", answer=BacktestView, who=_STAFF)
async def read(call: Call) -> BacktestView:
    """One back-test: how far it is, or what came out."""
    await _member(call, Action.SEE_POLICY)
    async with call.context.database.snapshot() as tx:
        return _view(await trial.get_trial(tx, call.id("backtest_id")), call.locale)


async def _member(call: Call, action: Action) -> Member:
    async with call.context.database.snapshot() as tx:
        member = await staff.get(tx, call.actor.staff_id)
    staff.check_may(member, action)
    return member


def _view(found: Trial, locale: Locale) -> BacktestView:
    report = backtests.report_of(found)
    return BacktestView(
        found.backtest_id, found.policy_number, found.rule_id, found.days, found.asked_by, found.why, found.asked_at,
        str(found.state), found.percent, found.rows_a_second, found.ended_at, found.refusal,
        "" if report is None else sentence(report, locale), report,
    )  # fmt: skip
