"""Limits with their history, and holds that are committed or released exactly once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.ledger.cases import AT, DAY, GENERAL, bought, item, open_limits

from fenqi.database.pool import Database, Tx
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound
from fenqi.ledger import balances, holds, limits
from fenqi.ledger.batch import MalformedJournal
from fenqi.ledger.door import post
from fenqi.ledger.legs import Judged
from fenqi.ledger.model import Bound, Leg, Outcome, Verdict

GRANT = limits.Change("risk officer 7", AT, "approved by policy 3")
HELD = Verdict(Outcome.HELD)


@pytest.fixture
def do(database: Database, run: Any) -> Callable[..., Any]:
    """Runs one verb in a transaction of its own: `do(verb, arguments after tx)`."""

    def call(verb: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async def go() -> Any:
            async with database.transaction() as tx:
                return await verb(tx, *arguments)

        return run(go())

    return call


def hold_of(consumer: UUID, amount_minor: int, hold_id: UUID | None = None, **judged: Any) -> holds.Hold:
    return holds.Hold(hold_id or new_id(), consumer, (Leg(GENERAL, amount_minor, **judged),), DAY, AT)


def standing(do: Callable[..., Any], consumer: UUID) -> tuple[int, int, int, int]:
    """Balance, reserved, and what counts on the day and in the month."""
    account = do(limits.accounts_of, consumer)[GENERAL]
    day, month = account.used_on_minor(DAY), account.used_in_month_minor(DAY)
    return account.balance_minor, account.reserved_minor, day, month


def test_every_change_of_a_limit_is_a_row(do: Callable[..., Any]) -> None:
    consumer = new_id()
    opened = do(limits.open_account, consumer, GENERAL, 500_000, GRANT)
    assert (opened.balance_minor, opened.room_minor, opened.version) == (0, 500_000, 1)
    raised = limits.Change("risk officer 7", AT + timedelta(days=1), "income proved")
    assert do(limits.set_ceiling, consumer, GENERAL, 800_000, raised) == 2
    frozen = limits.Change("the consumer", AT + timedelta(days=2), "locked")
    assert do(limits.set_ceiling, consumer, GENERAL, 800_000, frozen) == 3
    assert do(limits.changes_of, consumer) == [
        limits.LimitChange(GENERAL, 1, None, 500_000, AT, "risk officer 7", "approved by policy 3"),
        limits.LimitChange(GENERAL, 2, 500_000, 800_000, raised.at, "risk officer 7", "income proved"),
        limits.LimitChange(GENERAL, 3, 800_000, 800_000, frozen.at, "the consumer", "locked"),
    ]
    judged_before = item(consumer, bought(100), judged={GENERAL: Judged(version=2)})
    assert do(post, judged_before) == Verdict(Outcome.STALE_VERSION, path=GENERAL)
    with pytest.raises(Conflict, match="LIMIT_EXISTS"):
        do(limits.open_account, consumer, GENERAL, 1, GRANT)
    with pytest.raises(NotFound, match="LIMIT_NOT_FOUND"):
        do(limits.set_ceiling, new_id(), GENERAL, 1, GRANT)


def test_a_hold_is_committed_once(do: Callable[..., Any], urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    hold = hold_of(consumer, 600)
    assert do(holds.reserve, hold) == HELD
    assert do(holds.reserve, hold) == Verdict(Outcome.HELD, repeated=True)
    assert do(holds.reserve, hold_of(consumer, 601, hold.hold_id)) == Verdict(Outcome.KEY_CONFLICT, repeated=True)
    assert standing(do, consumer) == (0, 600, 600, 600)
    no_room = Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.CEILING, room_minor=400)
    assert do(holds.reserve, hold_of(consumer, 401)) == no_room
    assert do(post, item(consumer, bought(401))) == no_room
    do(limits.set_ceiling, consumer, GENERAL, 100, GRANT)
    purchase = item(consumer, bought(600), legs=())
    assert do(holds.commit, hold.hold_id, purchase) == Verdict(Outcome.POSTED)
    assert do(holds.commit, hold.hold_id, purchase) == Verdict(Outcome.POSTED, repeated=True)
    assert standing(do, consumer) == (600, 0, 600, 600)
    with pytest.raises(Conflict, match="HOLD_COMMITTED"):
        do(holds.release, consumer, hold.hold_id, AT)
    with pytest.raises(Conflict, match="HOLD_COMMITTED"):
        do(holds.commit, hold.hold_id, item(consumer, bought(600), legs=()))
    assert standing(do, consumer) == (600, 0, 600, 600)


def test_a_hold_is_released_once(do: Callable[..., Any], urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    first, second = hold_of(consumer, 300), hold_of(consumer, 500)
    assert (do(holds.reserve, first), do(holds.reserve, second)) == (HELD, HELD)
    assert do(holds.release, consumer, first.hold_id, AT) is True
    assert do(holds.release, consumer, first.hold_id, AT) is False
    assert standing(do, consumer) == (0, 500, 500, 500)
    with pytest.raises(Conflict, match="HOLD_RELEASED"):
        do(holds.commit, first.hold_id, item(consumer, bought(300), legs=()))
    with pytest.raises(NotFound, match="HOLD_NOT_FOUND"):
        do(holds.release, consumer, new_id(), AT)
    assert standing(do, consumer) == (0, 500, 500, 500)


def test_a_hold_counts_on_its_day(do: Callable[..., Any], urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    hold = hold_of(consumer, 300, day_ceiling_minor=400)
    assert do(holds.reserve, hold) == HELD
    over = Verdict(Outcome.LIMIT, path=GENERAL, bound=Bound.DAY, room_minor=100)
    assert do(holds.reserve, hold_of(consumer, 101, day_ceiling_minor=400)) == over
    do(post, item(consumer, bought(50), business_on=date(2026, 2, 1)))
    assert do(holds.release, consumer, hold.hold_id, AT) is True
    account = do(limits.accounts_of, consumer)[GENERAL]
    assert (account.day_minor, account.month_minor, account.reserved_minor) == (50, 50, 0)


def test_a_commit_must_use_what_was_held(do: Callable[..., Any], urls: Any) -> None:
    (consumer,) = open_limits(urls.owner, {GENERAL: 1_000})
    hold = hold_of(consumer, 300)
    do(holds.reserve, hold)
    for wrong in (item(consumer, bought(299), legs=()), item(consumer, bought(300))):
        with pytest.raises(MalformedJournal):
            do(holds.commit, hold.hold_id, wrong)
    assert standing(do, consumer) == (0, 300, 300, 300)


def test_the_books_are_right_after_all_of_it(database: Database, run: Any) -> None:
    async def go(tx: Tx) -> list[str]:
        return await balances.faults(tx)

    async def read() -> list[str]:
        async with database.snapshot() as tx:
            return await go(tx)

    assert run(read()) == []
