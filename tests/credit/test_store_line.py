"""The life of a line on a real database: every path through its states, its limits, and the history that is kept."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.credit.conftest import LATER, Story, good_inputs
from tests.opening import APPLICATION_POLICY

from fenqi.credit import (
    PRODUCT,
    ApplicationDecision,
    BureauFile,
    ConsentKind,
    Grant,
    LimitKind,
    LineState,
    Settle,
    activation,
    application,
    limit,
    line,
)
from fenqi.credit.model import GENERAL_PATH, LINE_MOVES, TEMPORARY_PATH
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger import limits as ledger_limits

BAD = good_inputs(bureau=BureauFile(lenders_count=9, months_on_file=60))
UNKNOWN = good_inputs(bureau=None)


def no(story: Story, verb: Any) -> str:
    with pytest.raises(Refusal) as caught:
        story.tx(verb)
    return caught.value.code


def states(story: Story, who: UUID) -> list[tuple[LineState, LineState]]:
    return [(move.from_state, move.to_state) for move in story.tx(lambda tx: line.history(tx, who))]


def test_every_state_can_be_reached_and_left_or_is_an_end_others_decide() -> None:
    reached = {to for targets in LINE_MOVES.values() for to in targets}
    assert reached == set(LineState) - {LineState.NOT_OPENED}
    assert all(LINE_MOVES[state] for state in LineState)


def test_applied_approved_activated(story: Story) -> None:
    who = new_id()
    asked, approved = story.apply(who)
    assert (asked.outcome, asked.limit_minor, approved.state) == ("approved", 4_500_000, LineState.NOT_ACTIVATED)
    shown = story.facts(who)
    assert (shown.state, shown.limits[0].path, shown.limits[0].ceiling_minor) == (
        "not_activated", GENERAL_PATH, 4_500_000,
    )  # fmt: skip
    active = story.tx(lambda tx: activation.activate(tx, who, PRODUCT, story.by()))
    assert (active.state, active.agreement_signed, active.bill_day) == (LineState.ACTIVE, "agreement-2026-1", 10)
    assert story.facts(who).limits[0].ceiling_minor == 4_500_000
    assert states(story, who)[:2] == [
        (LineState.NOT_OPENED, LineState.NOT_ACTIVATED),
        (LineState.NOT_ACTIVATED, LineState.ACTIVE),
    ]
    changes = story.tx(lambda tx: ledger_limits.changes_of(tx, who))
    assert [(change.path, change.from_minor, change.to_minor) for change in changes] == [
        (GENERAL_PATH, None, 4_500_000)
    ]
    assert no(story, lambda tx: activation.activate(tx, who, PRODUCT, story.by())) == "STATE_CONFLICT"
    assert story.tx(lambda tx: application.applications(tx, who)) == [asked]
    assert application.replays(asked, APPLICATION_POLICY)


def test_rejected_cooling_off_then_asked_again(story: Story) -> None:
    who = new_id()
    asked, rejected = story.apply(who, BAD)
    assert (asked.outcome, rejected.state) == ("rejected", LineState.REJECTED)
    assert rejected.principal_reasons == ("CR_MULTI_LENDER",)
    assert story.facts(who).reapply_from_on == date(2026, 4, 9)
    story.on(date(2026, 4, 8))
    with pytest.raises(Refusal, match="CREDIT_COOLING_OFF"):
        story.apply(who)
    assert len(story.tx(lambda tx: application.applications(tx, who))) == 1
    story.on(date(2026, 4, 9))
    assert story.apply(who)[1].state is LineState.NOT_ACTIVATED
    assert story.facts(who).principal_reasons == ()


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        (ApplicationDecision("approved", 0, 800_000), LineState.NOT_ACTIVATED),
        (ApplicationDecision("rejected", 0, 0, ("CR_NO_FILE",)), LineState.REJECTED),
    ],
)
def test_a_person_decides_what_the_policy_leaves_open(
    story: Story, decision: ApplicationDecision, state: LineState
) -> None:
    who = new_id()
    asked, pending = story.apply(who, UNKNOWN)
    assert pending.state is LineState.PENDING
    assert pending.expected_by_at == story.at + timedelta(hours=24)
    with pytest.raises(Refusal, match="STATE_CONFLICT"):
        story.apply(who)
    by = story.by("called the employer", "staff:lin")

    def review(outcome: ApplicationDecision, of: UUID = asked.application_id) -> Any:
        return lambda tx: application.review(tx, who, of, outcome, PRODUCT, by)

    assert no(story, review(ApplicationDecision("approved", 0, 0))) == "REVIEW_INVALID"
    assert no(story, review(ApplicationDecision("rejected", 0))) == "REVIEW_INVALID"
    assert no(story, review(decision, new_id())) == "APPLICATION_UNKNOWN"
    assert story.tx(review(decision)).state is state
    assert no(story, review(decision)) == "STATE_CONFLICT"
    assert story.tx(lambda tx: line.history(tx, who))[-1].moved_by == "staff:lin"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"real_name": "none"}, "REALNAME_REQUIRED"),
        ({"age": 17}, "AGE_INELIGIBLE"),
        ({"region": "HK"}, "REGION_INELIGIBLE"),
        ({"is_student": True}, "STUDENT_RESTRICTED"),
    ],
)
def test_the_ineligible_are_refused_before_any_assessment(story: Story, changes: dict[str, Any], code: str) -> None:
    who = new_id()
    with pytest.raises(Refusal, match=code):
        story.apply(who, good_inputs(**changes))
    assert story.tx(lambda tx: line.read(tx, who)) is None


def test_an_application_needs_every_consent_in_force(story: Story) -> None:
    who, bureau_only = new_id(), activation.required_consents(PRODUCT)[:1]
    verb = lambda tx: application.apply(  # noqa: E731
        tx, who, new_id(), good_inputs(), bureau_only, APPLICATION_POLICY, PRODUCT, story.by()
    )
    assert no(story, verb) == "CONSENT_REQUIRED"


def test_of_two_applications_at_once_one_opens_the_line(story: Story) -> None:
    who = new_id()
    consents = activation.required_consents(PRODUCT)

    async def ask() -> str:
        try:
            async with story.database.transaction() as tx:
                await application.apply(
                    tx, who, new_id(), good_inputs(), consents, APPLICATION_POLICY, PRODUCT, story.by()
                )
        except Refusal as refusal:
            return refusal.code
        return "decided"

    async def race() -> list[str]:
        return await asyncio.gather(*(ask() for _ in range(8)))

    assert sorted(story.run(race())) == ["STATE_CONFLICT"] * 7 + ["decided"]
    assert len(story.tx(lambda tx: application.applications(tx, who))) == 1


@pytest.mark.parametrize("kind", [LineState.SELF_LOCKED, LineState.DORMANT_LOCKED, LineState.PIN_LOCKED])
def test_locks_go_on_and_come_off(story: Story, kind: LineState) -> None:
    who = story.open_line()
    story.tx(lambda tx: line.set_lock(tx, who, kind, story.by()))
    assert story.facts(who).state == kind
    other = LineState.PIN_LOCKED if kind is LineState.SELF_LOCKED else LineState.SELF_LOCKED
    assert no(story, lambda tx: line.unlock(tx, who, other, story.by())) == "STATE_CONFLICT"
    assert story.tx(lambda tx: line.unlock(tx, who, kind, story.by())).state is LineState.ACTIVE
    assert no(story, lambda tx: line.unlock(tx, who, kind, story.by())) == "STATE_CONFLICT"
    assert no(story, lambda tx: line.set_lock(tx, who, LineState.FROZEN, story.by())) == "LOCK_UNKNOWN"


def test_a_lock_with_an_end_is_over_by_itself(story: Story) -> None:
    who = story.open_line()
    until_at = story.at + timedelta(hours=3)
    story.tx(lambda tx: line.set_lock(tx, who, LineState.PIN_LOCKED, story.by(), until_at))
    assert (story.facts(who).state, story.facts(who).locked_until_ms) == (
        "pin_locked",
        int(until_at.timestamp() * 1000),
    )
    story.at = until_at
    assert (story.facts(who).state, story.facts(who).locked_until_ms) == ("active", None)
    story.tx(lambda tx: line.set_lock(tx, who, LineState.SELF_LOCKED, story.by()))
    assert states(story, who)[-2:] == [
        (LineState.PIN_LOCKED, LineState.ACTIVE),
        (LineState.ACTIVE, LineState.SELF_LOCKED),
    ]


def test_the_lender_freezes_withdraws_and_gives_back(story: Story) -> None:
    who = story.open_line()
    by = story.by("a letter from the court", "staff:wang")
    story.tx(lambda tx: line.freeze(tx, who, by))
    assert story.facts(who).state == "frozen"
    assert no(story, lambda tx: line.set_lock(tx, who, LineState.SELF_LOCKED, story.by())) == "STATE_CONFLICT"
    story.tx(lambda tx: line.unfreeze(tx, who, by))
    assert no(story, lambda tx: line.unfreeze(tx, who, by)) == "STATE_CONFLICT"
    story.tx(lambda tx: line.freeze(tx, who, by, story.at + timedelta(days=1)))
    story.later(days=1)
    assert story.facts(who).state == "active"
    story.tx(lambda tx: line.close_by_lender(tx, who, story.by("review", "staff:wang"), ("CR_MULTI_LENDER",)))
    assert (story.facts(who).state, story.facts(who).principal_reasons) == ("closed_by_lender", ("CR_MULTI_LENDER",))
    story.tx(lambda tx: line.reinstate(tx, who, story.by("appeal upheld", "staff:wang")))
    assert (story.facts(who).state, story.facts(who).principal_reasons) == ("active", ())
    assert no(story, lambda tx: line.reinstate(tx, who, by)) == "STATE_CONFLICT"


def test_who_was_withdrawn_may_apply_again(story: Story) -> None:
    who = story.open_line()
    story.tx(lambda tx: line.close_by_lender(tx, who, story.by("review", "staff:wang"), ("CR_MULTI_LENDER",)))
    assert story.apply(who, good_inputs(income_minor=300_000))[1].state is LineState.NOT_ACTIVATED
    story.tx(lambda tx: activation.activate(tx, who, PRODUCT, story.by()))
    view = story.facts(who)
    assert (view.state, view.limits[0].ceiling_minor, view.reduced_from_minor) == ("active", 1_000_000, 4_500_000)


def test_the_owner_closes_an_empty_line_and_opens_it_again(story: Story) -> None:
    who = story.open_line(money_minor=50_000)
    loan = story.buy(who, 10_000, LATER)
    close = lambda tx: line.close_by_user(tx, who, PRODUCT, story.by())  # noqa: E731
    assert no(story, close) == "CREDIT_DEBT_OPEN"
    story.repay(who, Settle(loan.loan_id))
    story.tx(close)
    assert story.facts(who).state == "closed_by_user"
    assert story.tx(lambda tx: activation.reopen(tx, who, PRODUCT, story.by())).state is LineState.ACTIVE
    assert no(story, lambda tx: activation.reopen(tx, who, PRODUCT, story.by())) == "STATE_CONFLICT"


def test_after_closing_a_product_may_ask_for_patience(story: Story) -> None:
    patient = msgspec.structs.replace(PRODUCT, closed_cooling_off_days=7, agreement_version="agreement-2026-2")
    who = story.open_line()
    story.tx(lambda tx: line.close_by_user(tx, who, patient, story.by()))
    assert story.facts(who).reapply_from_on == date(2026, 3, 17)
    assert no(story, lambda tx: activation.reopen(tx, who, patient, story.by())) == "CREDIT_COOLING_OFF"
    story.on(date(2026, 3, 17))
    opened = story.tx(lambda tx: activation.reopen(tx, who, patient, story.by()))
    assert (opened.state, opened.agreement_signed) == (LineState.ACTIVE, "agreement-2026-2")


def test_agreements_and_consents_keep_their_versions(story: Story) -> None:
    who = story.open_line()
    assert no(story, lambda tx: activation.sign_agreement(tx, who, "old", PRODUCT, story.by())) == "AGREEMENT_VERSION"
    story.tx(lambda tx: activation.withdraw_consent(tx, who, ConsentKind.BUREAU, story.by()))
    assert story.facts(who).consent_given is False
    story.tx(lambda tx: activation.give_consents(tx, who, PRODUCT, story.by()))
    assert story.facts(who).consent_given is True
    version = story.facts(who).line_version
    story.tx(lambda tx: activation.give_consents(tx, who, PRODUCT, story.by()))
    story.tx(lambda tx: activation.sign_agreement(tx, who, PRODUCT.agreement_version, PRODUCT, story.by()))
    assert story.facts(who).line_version == version
    kept = [consent for consent, _ in story.tx(lambda tx: activation.consents_of(tx, who))]
    assert sorted((str(one.kind), one.version, one.given) for one in kept) == [
        ("agreement", "agreement-2026-1", True),
        ("bureau", "bureau-2026-1", False),
        ("bureau", "bureau-2026-1", True),
        ("bureau", "bureau-2026-1", True),
        ("personal_information", "personal-information-2026-1", True),
    ]


def test_flags_are_facts_and_history(story: Story) -> None:
    who = story.open_line()
    flags = {
        "observed_until_on": date(2026, 6, 1),
        "overdue_with_others": True,
        "dispute_case": "D-1",
        "in_collections": True,
        "hardship_until_on": date(2026, 9, 1),
        "virtual_suspended": True,
        "instalment_ceiling_minor": 100_000,
        "loans_cap": 2,
    }
    story.tx(lambda tx: line.set_flags(tx, who, story.by(), **flags))
    view = story.facts(who)
    assert {name: getattr(view, name) for name in flags} == flags
    move = story.tx(lambda tx: line.history(tx, who))[-1]
    assert (move.from_state, move.to_state, move.changed["dispute_case"]) == (LineState.ACTIVE, LineState.ACTIVE, "D-1")
    with pytest.raises(ValueError, match="state"):
        story.tx(lambda tx: line.set_flags(tx, who, story.by(), state="active"))


def test_every_change_raises_the_version_that_payments_compare(story: Story) -> None:
    who = story.open_line()
    seen = [story.facts(who).line_version]
    furniture = Grant(kind=LimitKind.DEDICATED, amount_minor=50_000, dedicated_to="furniture", scenes=("mall",))
    for verb in (
        lambda tx: limit.grant(tx, who, furniture, story.by()),
        lambda tx: limit.set_granted(tx, who, GENERAL_PATH, 5_000_000, PRODUCT, story.by()),
        lambda tx: limit.set_frozen(tx, who, GENERAL_PATH, 1_000, story.by()),
        lambda tx: line.set_flags(tx, who, story.by(), loans_cap=1),
        lambda tx: line.set_lock(tx, who, LineState.SELF_LOCKED, story.by()),
    ):
        story.tx(verb)
        seen.append(story.facts(who).line_version)
    assert seen == list(range(seen[0], seen[0] + 6))
    assert [move.version for move in story.tx(lambda tx: line.history(tx, who))] == list(range(1, seen[-1] + 1))


def test_limits_are_raised_cut_and_frozen_in_the_ledger_too(story: Story) -> None:
    who = story.open_line()

    def ceiling() -> int:
        return story.tx(lambda tx: ledger_limits.accounts_of(tx, who))[GENERAL_PATH].ceiling_minor

    story.tx(lambda tx: limit.set_frozen(tx, who, GENERAL_PATH, 500_000, story.by()))
    view = story.facts(who).limits[0]
    assert (ceiling(), view.ceiling_minor, view.frozen_minor, view.version) == (4_000_000, 4_500_000, 500_000, 2)
    story.tx(lambda tx: limit.set_frozen(tx, who, GENERAL_PATH, 0, story.by()))
    story.tx(lambda tx: limit.set_granted(tx, who, GENERAL_PATH, 2_000_000, PRODUCT, story.by()))
    story.tx(lambda tx: limit.set_granted(tx, who, GENERAL_PATH, 1_000_000, PRODUCT, story.by()))
    assert (ceiling(), story.facts(who).reduced_from_minor) == (1_000_000, 4_500_000)
    story.on(date(2026, 4, 9))
    assert story.facts(who).reduced_from_minor == 4_500_000
    story.on(date(2026, 4, 10))
    assert story.facts(who).reduced_from_minor is None
    story.tx(lambda tx: limit.set_granted(tx, who, GENERAL_PATH, 4_500_000, PRODUCT, story.by()))
    assert ceiling() == 4_500_000
    frozen_too_much = lambda tx: limit.set_frozen(tx, who, GENERAL_PATH, 4_500_001, story.by())  # noqa: E731
    assert no(story, frozen_too_much) == "AMOUNT_INVALID"
    assert no(story, lambda tx: limit.set_frozen(tx, who, "asset:loan_principal:x", 1, story.by())) == "LIMIT_NOT_FOUND"


def test_a_temporary_limit_lapses_and_can_be_granted_again(story: Story) -> None:
    who = story.open_line()
    bucket = bucket_of(who)
    summer = Grant(kind=LimitKind.TEMPORARY, amount_minor=300_000, installable=False, expires_on=date(2026, 3, 20))
    story.tx(lambda tx: limit.grant(tx, who, summer, story.by()))
    assert no(story, lambda tx: limit.grant(tx, who, summer, story.by())) == "LIMIT_EXISTS"
    view = next(one for one in story.facts(who).limits if one.path == TEMPORARY_PATH)
    assert (view.ceiling_minor, view.expires_on, view.installable) == (300_000, date(2026, 3, 20), False)
    story.on(date(2026, 3, 20))
    assert story.tx(lambda tx: limit.expire(tx, bucket, bucket, story.by())) == 0
    story.on(date(2026, 3, 21))
    assert no(story, lambda tx: limit.set_granted(tx, who, TEMPORARY_PATH, 1, PRODUCT, story.by())) == (
        "LIMIT_TEMPORARY_EXPIRED"
    )
    assert story.tx(lambda tx: limit.expire(tx, bucket, bucket, story.by())) == 1
    assert story.tx(lambda tx: limit.expire(tx, bucket, bucket, story.by())) == 0
    assert story.tx(lambda tx: ledger_limits.accounts_of(tx, who))[TEMPORARY_PATH].ceiling_minor == 0
    again = Grant(kind=LimitKind.TEMPORARY, amount_minor=200_000, expires_on=date(2026, 6, 20))
    story.tx(lambda tx: limit.grant(tx, who, again, story.by()))
    assert story.tx(lambda tx: ledger_limits.accounts_of(tx, who))[TEMPORARY_PATH].ceiling_minor == 200_000


@pytest.mark.parametrize(
    "grant",
    [
        Grant(kind=LimitKind.TEMPORARY, amount_minor=1_000),
        Grant(kind=LimitKind.TEMPORARY, amount_minor=1_000, expires_on=date(2026, 3, 9)),
        Grant(kind=LimitKind.FIXED, amount_minor=1_000, expires_on=date(2027, 1, 1)),
        Grant(kind=LimitKind.DEDICATED, amount_minor=1_000, scenes=("mall",)),
        Grant(kind=LimitKind.DEDICATED, amount_minor=1_000, dedicated_to="x"),
    ],
)
def test_limits_that_make_no_sense_are_refused(story: Story, grant: Grant) -> None:
    who = story.open_line()
    assert no(story, lambda tx: limit.grant(tx, who, grant, story.by())) == "LIMIT_INVALID"
    assert story.facts(who).line_version == 3


def test_a_line_under_another_account_is_a_fact(story: Story) -> None:
    who = new_id()
    story.tx(lambda tx: application.note_other_account(tx, who, story.by()))
    story.tx(lambda tx: application.note_other_account(tx, who, story.by()))
    view = story.facts(who)
    assert (view.state, view.opened_on_other_account, view.line_version) == ("not_opened", True, 1)
    assert view.consent_given
    story.apply(who)
    assert story.facts(who).opened_on_other_account is False
