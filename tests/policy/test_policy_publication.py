"""A policy's way into force against PostgreSQL: two people, dates, withdrawal, and past versions that stay readable."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fenqi import policy
from fenqi.database.reference_epoch import read_epoch
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal
from fenqi.policy import GoodsRow, PolicyState
from fenqi.seed import categories

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
CODES = {category.code for category in categories()}
MAKER, CHECKER = By("staff:ann", "caps for the season", AT), By("staff:bea", "checked", AT)
DOCUMENT = policy.default_document(AT, new_id())


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


@pytest.fixture
def do(fresh_database, run):
    """Runs `verb(tx)` in a transaction of its own, in a database of the test's own."""
    return lambda verb: run(_in(fresh_database, verb))


def _draft(do, number, document=DOCUMENT, policy_id=None, by=MAKER):
    return do(lambda tx: policy.draft(tx, policy_id or new_id(), number, document, CODES, by))


def _publish(do, version, at=AT, by=CHECKER):
    return do(lambda tx: policy.publish(tx, version.policy_id, at, CODES, by))


def test_versions_take_over_at_their_instant_and_stay_readable(do):
    with pytest.raises(NotFound, match="POLICY_NONE_IN_FORCE"):
        do(lambda tx: policy.in_force(tx, AT))
    before = do(read_epoch)
    later = AT + timedelta(days=1)
    one = _publish(do, _draft(do, "v1"))
    row = GoodsRow("no-phones", "credit", "phone", verdict="category_excluded")
    two = _publish(do, _draft(do, "v2", msgspec.structs.replace(DOCUMENT, goods=(*DOCUMENT.goods, row))), later)
    assert do(read_epoch) == before + 2
    in_force = lambda at: do(lambda tx: policy.in_force(tx, at)).number  # noqa: E731
    assert (in_force(AT), in_force(later - timedelta(seconds=1)), in_force(later)) == ("v1", "v1", "v2")
    assert do(lambda tx: policy.next_effective_at(tx, AT)) == later
    assert do(lambda tx: policy.next_effective_at(tx, later)) is None
    assert do(lambda tx: policy.by_number(tx, "v1")) == one
    do(lambda tx: policy.withdraw(tx, two.policy_id, By("staff:ann", "too strict", AT)))
    assert in_force(later) == "v1"
    assert do(lambda tx: policy.by_number(tx, "v2")).state is PolicyState.WITHDRAWN
    assert do(read_epoch) == before + 3
    history = do(lambda tx: policy.get_history(tx, two.policy_id))
    assert [(h.verb, h.actor) for h in history] == [
        ("draft", "staff:ann"), ("publish", "staff:bea"), ("withdraw", "staff:ann"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        do(lambda tx: policy.withdraw(tx, two.policy_id, MAKER))


def test_nobody_publishes_their_own(do):
    version = _draft(do, "v1")
    with pytest.raises(Forbidden, match="SAME_PERSON"):
        _publish(do, version, by=MAKER)
    assert [v.state for v in do(policy.versions)] == [PolicyState.DRAFT]


def test_a_draft_is_kept_once_and_linted(do):
    policy_id = new_id()
    first = _draft(do, "v1", policy_id=policy_id)
    assert _draft(do, "v1", policy_id=policy_id) == first
    with pytest.raises(Conflict, match="POLICY_EXISTS"):
        _draft(do, "v1")
    with pytest.raises(Conflict, match="POLICY_EXISTS"):
        _draft(do, "v1", policy.default_document(AT), policy_id=policy_id)
    with pytest.raises(Refusal, match="POLICY_NUMBER_INVALID"):
        _draft(do, "v 1")
    bad = msgspec.structs.replace(DOCUMENT, goods=(GoodsRow("x", "credit", "spaceship"),))
    with pytest.raises(Refusal, match="POLICY_INVALID") as refused:
        _draft(do, "v2", bad)
    assert refused.value.extra["faults"] == ["goods x: unknown category 'spaceship'"]
    assert len(do(policy.versions)) == 1


def test_publication_is_now_or_later_and_alone_at_its_instant(do):
    one, two = _draft(do, "v1"), _draft(do, "v2")
    with pytest.raises(Refusal, match="EFFECTIVE_INVALID"):
        _publish(do, one, AT - timedelta(seconds=1))
    _publish(do, one)
    with pytest.raises(Refusal, match="EFFECTIVE_INVALID"):
        _publish(do, two)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        _publish(do, one, AT + timedelta(days=1))
    with pytest.raises(NotFound, match="POLICY_UNKNOWN"):
        do(lambda tx: policy.publish(tx, new_id(), AT, CODES, CHECKER))
    with pytest.raises(Refusal, match="POLICY_INVALID"):
        do(lambda tx: policy.publish(tx, two.policy_id, AT + timedelta(days=1), CODES - {"gold"}, CHECKER))


def test_a_document_changed_behind_the_rooms_back_is_noticed(do):
    _publish(do, _draft(do, "v1"))
    do(lambda tx: tx.execute("UPDATE policy_version SET document = jsonb_set(document, '{goods,0,max_minor}', '7')"))
    with pytest.raises(AssertionError, match="changed in the database"):
        do(lambda tx: policy.in_force(tx, AT))
