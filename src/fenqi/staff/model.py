"""Staff: who operates the mall, in which roles, and what each role may do."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class Role(StrEnum):
    """What somebody is employed for."""

    SUPPORT = "support"
    RISK = "risk"
    ACCOUNTANT = "accountant"
    OPERATOR = "operator"


class Action(StrEnum):
    """What can be done in the console."""

    SEE_DIAGNOSIS = "see_diagnosis"
    SEE_HIDDEN_REASONS = "see_hidden_reasons"
    SEE_PERSON = "see_person"
    SEE_LEDGER = "see_ledger"
    REPLAY_DECISION = "replay_decision"
    MAKE_POLICY = "make_policy"
    PUBLISH_POLICY = "publish_policy"
    CHANGE_CREDIT = "change_credit"
    CHANGE_CONSUMER = "change_consumer"
    CHANGE_MERCHANT = "change_merchant"
    CHANGE_CATALOGUE = "change_catalogue"
    STEER_CLOCK = "steer_clock"
    SEE_CHANNELS = "see_channels"
    ASK_CHANNEL = "ask_channel"
    RUN_CHANNELS = "run_channels"
    DECIDE_REFUND = "decide_refund"
    SEE_CASES = "see_cases"
    ANSWER_CASE = "answer_case"
    DECIDE_CASE = "decide_case"
    SEE_INSIGHT = "see_insight"
    RUN_MONITOR = "run_monitor"
    SEE_POLICY = "see_policy"
    CHANGE_LISTS = "change_lists"


_A = Action
GRANTS: dict[Role, frozenset[Action]] = {
    Role.SUPPORT: frozenset(
        {
            _A.SEE_DIAGNOSIS,
            _A.SEE_PERSON,
            _A.REPLAY_DECISION,
            _A.CHANGE_CONSUMER,
            _A.SEE_CHANNELS,
            _A.SEE_CASES,
            _A.ANSWER_CASE,
        }
    ),
    Role.RISK: frozenset(
        {
            _A.SEE_DIAGNOSIS,
            _A.SEE_HIDDEN_REASONS,
            _A.REPLAY_DECISION,
            _A.MAKE_POLICY,
            _A.PUBLISH_POLICY,
            _A.CHANGE_CREDIT,
            _A.CHANGE_LISTS,
            _A.SEE_CHANNELS,
            _A.SEE_CASES,
            _A.ANSWER_CASE,
            _A.DECIDE_CASE,
            _A.SEE_INSIGHT,
            _A.RUN_MONITOR,
            _A.SEE_POLICY,
        }
    ),
    Role.ACCOUNTANT: frozenset({_A.SEE_DIAGNOSIS, _A.SEE_LEDGER, _A.SEE_CHANNELS, _A.ASK_CHANNEL, _A.DECIDE_REFUND}),
    Role.OPERATOR: frozenset(
        {
            _A.SEE_DIAGNOSIS,
            _A.CHANGE_MERCHANT,
            _A.CHANGE_CATALOGUE,
            _A.CHANGE_CONSUMER,
            _A.STEER_CLOCK,
            _A.SEE_CHANNELS,
            _A.SEE_CASES,
            _A.ASK_CHANNEL,
            _A.RUN_CHANNELS,
            _A.SEE_INSIGHT,
            _A.RUN_MONITOR,
            _A.SEE_POLICY,
        }
    ),
}
"""What each role may do; somebody with several roles may do all of theirs."""


class Member(msgspec.Struct, frozen=True):
    """A member of staff."""

    staff_id: UUID
    sign_in_name: str
    name: str
    roles: tuple[Role, ...]
    state: str
    """active | disabled"""
    created_at: datetime

    def may(self, action: Action) -> bool:
        """Whether one of the member's roles allows it."""
        return any(action in GRANTS[role] for role in self.roles)

    @property
    def actor(self) -> str:
        """How histories name this member."""
        return f"staff:{self.staff_id}"


class Audit(msgspec.Struct, frozen=True):
    """One action in the console: who, on what, why."""

    staff_id: UUID
    action: str
    subject: str
    why: str
    detail: dict[str, object]
    at: datetime


class SignedIn(msgspec.Struct, frozen=True):
    """A new session; `token` goes into the cookie and is kept only as a hash."""

    member: Member
    token: str
    expires_at: datetime
