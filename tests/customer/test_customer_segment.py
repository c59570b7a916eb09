"""Groups that a consumer has shown to belong to: granted and withdrawn with who, when and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fenqi import customer
from fenqi.customer import Keys, NewConsumer
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
KEYS = Keys(b"a secret of enough bytes")
BY = By("staff:ann", "saw the certificate of enrolment", AT)


@pytest.fixture
def do(database, run):
    """Runs `verb(tx)` in a transaction of its own."""

    async def in_transaction(verb):
        async with database.transaction() as tx:
            return await verb(tx)

    return lambda verb: run(in_transaction(verb))


@pytest.fixture
def alice(do):
    new = NewConsumer(new_id(), f"alice-{new_id().hex[:12]}", f"139{int(new_id().hex[-7:], 16) % 10**8:08d}")
    do(lambda tx: customer.sign_up(tx, KEYS, new, "correct horse battery", BY))
    return new.consumer_id


def test_groups_are_granted_and_withdrawn_with_their_reasons(do, alice):
    version = do(lambda tx: customer.get(tx, alice)).version
    do(lambda tx: customer.grant_segment(tx, alice, "veteran", BY))
    found = do(lambda tx: customer.grant_segment(tx, alice, "student_parent", BY))
    assert (found.segments, found.version) == (("student_parent", "veteran"), version + 2)
    assert do(lambda tx: customer.grant_segment(tx, alice, "veteran", BY)) == found
    left = do(lambda tx: customer.withdraw_segment(tx, alice, "veteran", By("staff:bea", "served elsewhere", AT)))
    assert (left.segments, left.version) == (("student_parent",), version + 3)
    assert do(lambda tx: customer.withdraw_segment(tx, alice, "veteran", BY)) == left
    history = do(lambda tx: customer.get_history(tx, alice))
    assert [(h.verb, h.detail, h.actor, h.why) for h in history if "segment" in h.verb] == [
        ("grant_segment", {"segment": "veteran"}, "staff:ann", BY.why),
        ("grant_segment", {"segment": "student_parent"}, "staff:ann", BY.why),
        ("withdraw_segment", {"segment": "veteran"}, "staff:bea", "served elsewhere"),
    ]


@pytest.mark.parametrize("segment", ["", "King", "a b", "x", "a" * 41, "孝"])
def test_a_group_has_a_code(do, alice, segment):
    with pytest.raises(Refusal, match="SEGMENT_INVALID"):
        do(lambda tx: customer.grant_segment(tx, alice, segment, BY))


def test_without_a_reason_or_a_person_nothing_is_noted(do, alice):
    with pytest.raises(Refusal, match="WHY_REQUIRED"):
        do(lambda tx: customer.grant_segment(tx, alice, "veteran", By("staff:ann", " ", AT)))
    with pytest.raises(NotFound, match="CONSUMER_UNKNOWN"):
        do(lambda tx: customer.grant_segment(tx, new_id(), "veteran", BY))
    assert do(lambda tx: customer.get(tx, alice)).segments == ()
