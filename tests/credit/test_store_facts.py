"""Facts of a line as the cashier asks for them, from the rows of a real database."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import msgspec
import pytest
from psycopg import errors
from tests.credit.conftest import LATER, THREE, TWELVE, Story

from fenqi.cashier.facts import CreditFacts, LimitFacts, OpenLoan
from fenqi.credit.default_policy import PRODUCT
from fenqi.credit.facts import CreditView, credit_facts, lock_for_payment
from fenqi.credit.model import GENERAL_PATH
from fenqi.kernel.ids import new_id


def as_cashier(view: CreditView) -> CreditFacts:
    return msgspec.convert(view, CreditFacts, from_attributes=True)


def test_views_carry_every_field_of_the_cashiers_facts() -> None:
    assert set(CreditFacts.__struct_fields__) == set(CreditView.__struct_fields__) - {"line_version"}


def test_who_never_applied_is_not_opened(story: Story) -> None:
    nobody = new_id()
    view = story.facts(nobody)
    assert view == CreditView(agreement_required=PRODUCT.agreement_version)
    assert as_cashier(view) == CreditFacts(agreement_required=PRODUCT.agreement_version)


def test_an_active_line_with_its_limit(story: Story) -> None:
    who = story.open_line()
    facts = as_cashier(story.facts(who))
    assert facts.state == "active"
    assert facts.agreement_signed == facts.agreement_required == "agreement-2026-1"
    assert facts.consent_given
    assert facts.loans_cap == 30
    assert facts.limits == (LimitFacts(GENERAL_PATH, "fixed", 4_500_000, version=1),)


def test_loans_by_what_they_cost_to_settle(story: Story) -> None:
    """¥1,200 in 12 at 0.6 %: on the day after, the first period has begun, so ¥7.20 comes on top."""
    who = story.open_line()
    loan = story.buy(who, 120_000, TWELVE)
    story.on(date(2026, 3, 11))
    facts = as_cashier(story.facts(who))
    assert facts.loans == (OpenLoan(str(loan.loan_id), 120_000, 120_720, GENERAL_PATH, 0, 0, True),)
    assert facts.limits[0].used_minor == 120_000
    assert facts.instalment_used_minor == 120_000
    assert (facts.overdue_minor, facts.overdue_days) == (0, 0)


def test_what_is_due_today_is_not_overdue_and_tomorrow_it_is(story: Story) -> None:
    who = story.open_line()
    story.buy(who, 30_000, THREE)
    story.on(date(2026, 4, 10))
    assert story.facts(who).overdue_minor == 0
    story.on(date(2026, 4, 11))
    view = story.facts(who)
    assert (view.overdue_minor, view.overdue_days) == (10_150, 1)
    assert (view.loans[0].overdue_minor, view.loans[0].overdue_principal_minor) == (10_150, 10_000)
    assert view.observed_if_cleared_until_on is None
    story.on(date(2026, 5, 11))
    view = story.facts(who)
    assert (view.overdue_minor, view.overdue_days) == (20_300, 31)
    assert view.observed_if_cleared_until_on == date(2026, 6, 10)


def test_loans_stand_in_the_order_they_fall_due(story: Story) -> None:
    who = story.open_line()
    first = story.buy(who, 30_000, THREE)
    story.on(date(2026, 3, 20))
    second = story.buy(who, 50_000, LATER)
    ids = [one.loan_id for one in story.facts(who).loans]
    assert ids == [str(first.loan_id), str(second.loan_id)]


def test_many_consumers_at_once_and_their_versions(story: Story) -> None:
    one, two, nobody = story.open_line(), story.open_line(), new_id()
    views = story.tx(lambda tx: credit_facts(tx, [two, nobody, one], story.at, PRODUCT))
    assert [views[who].state for who in (one, two, nobody)] == ["active", "active", "not_opened"]
    found = story.tx(lambda tx: lock_for_payment(tx, [one, two, nobody], [two], story.at, PRODUCT))
    assert {who: line.version for who, line in found.items()} == {who: views[who].line_version for who in (one, two)}
    assert [(found[who].open_loans, found[who].instalment_used_minor) for who in (one, two)] == [(0, None), (0, 0)]


def test_loans_can_be_written_for_many_consumers_in_one_statement(story: Story) -> None:
    people = [story.open_line() for _ in range(3)]
    loans = [story.buy(who, 10_000 + n) for n, who in enumerate(people)]
    for who, loan in zip(people, loans, strict=True):
        assert [row.loan_id for row in story.facts(who).loans] == [str(loan.loan_id)]


def test_history_can_not_be_rewritten_by_the_application(story: Story) -> None:
    who = story.open_line()
    for table in ("credit_line_move", "credit_consent", "credit_application", "loan_event", "refund"):
        with pytest.raises(errors.InsufficientPrivilege):
            story.tx(lambda tx, table=table: tx.execute(f"DELETE FROM {table}"))  # type: ignore[misc]
    assert isinstance(who, UUID)
