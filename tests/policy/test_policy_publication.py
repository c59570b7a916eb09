"""A policy's way into force against PostgreSQL: two people, review, dates, roll back, a past that stays readable."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fenqi import policy
from fenqi.database.reference_epoch import read_epoch
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal, Stale
from fenqi.policy import Numbers, PolicyState
from fenqi.policy.model import MOVES
from fenqi.seed import categories

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
CODES = policy.Known({category.code for category in categories()})
ANN, BEA, CEM = "staff:ann", "staff:bea", "staff:cem"
MAKER, CHECKER = By(ANN, "caps for the season", AT), By(BEA, "checked", AT)
DOCUMENT = policy.default_document(AT, new_id())


def with_cap(apr_cap_ppm):
    """Another document: the cost cap is another one."""
    return msgspec.structs.replace(DOCUMENT, numbers=Numbers(apr_cap_ppm=apr_cap_ppm))


BROKEN = with_cap(500_000)


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


@pytest.fixture
def do(fresh_database, run):
    """Runs `verb(tx)` in a transaction of its own, in a database of the test's own."""
    return lambda verb: run(_in(fresh_database, verb))


def _draft(do, number, document=DOCUMENT, policy_id=None, by=MAKER):
    return do(lambda tx: policy.draft(tx, policy_id or new_id(), number, document, by))


def _submitted(do, number, document=DOCUMENT, by=MAKER):
    made = _draft(do, number, document, by=by)
    return do(lambda tx: policy.submit(tx, made.policy_id, 1, CODES, by))


def _publish(do, version, at=AT, by=CHECKER):
    return do(lambda tx: policy.publish(tx, version.policy_id, version.revision, at, CODES, by))


def _verbs(do, version):
    return [(h.verb, h.actor, h.why) for h in do(lambda tx: policy.get_history(tx, version.policy_id))]


def _in_force(do, at):
    return do(lambda tx: policy.in_force(tx, at)).number


def test_versions_take_over_at_their_instant_and_stay_readable(do):
    with pytest.raises(NotFound, match="POLICY_NONE_IN_FORCE"):
        do(lambda tx: policy.in_force(tx, AT))
    before = do(read_epoch)
    later, last = AT + timedelta(days=1), AT + timedelta(days=2)
    one = _publish(do, _submitted(do, "v1"))
    two = _publish(do, _submitted(do, "v2", with_cap(200_000)), later)
    three = _publish(do, _submitted(do, "v3", with_cap(180_000)), last)
    assert do(read_epoch) == before + 3
    moments = (AT, later - timedelta(seconds=1), later, last)
    assert [_in_force(do, at) for at in moments] == ["v1", "v1", "v2", "v3"]
    assert [do(lambda tx, at=at: policy.next_change_at(tx, at)) for at in (AT, later, last)] == [later, last, None]
    assert do(lambda tx: policy.by_number(tx, "v1")) == one == do(lambda tx: policy.get(tx, one.policy_id))
    by = By(CEM, "too strict", AT)
    do(lambda tx: policy.withdraw(tx, two.policy_id, by))
    assert [_in_force(do, at) for at in moments] == ["v1", "v1", "v1", "v3"]
    found = do(lambda tx: policy.by_number(tx, "v2"))
    assert (found.state, found.ended_at, found.document) == (PolicyState.WITHDRAWN, AT, with_cap(200_000))
    assert do(read_epoch) == before + 4
    assert _verbs(do, two) == [
        ("draft", ANN, "caps for the season"), ("submit", ANN, "caps for the season"), ("publish", BEA, "checked"),
        ("withdraw", CEM, "too strict"),
    ]  # fmt: skip
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        do(lambda tx: policy.withdraw(tx, two.policy_id, MAKER))
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        do(lambda tx: policy.withdraw(tx, one.policy_id, CHECKER))
    assert three.state is PolicyState.PUBLISHED


def test_one_step_back_puts_the_version_before_in_force_at_once(do):
    later, soon = AT + timedelta(days=1), AT + timedelta(days=1, hours=2)
    one = _publish(do, _submitted(do, "v1"))
    two = _publish(do, _submitted(do, "v2", with_cap(200_000)), later)
    _publish(do, _submitted(do, "v3", with_cap(180_000)), AT + timedelta(days=9))
    epoch = do(read_epoch)
    with pytest.raises(Stale, match="POLICY_CHANGED"):
        do(lambda tx: policy.roll_back(tx, "v1", By(CEM, "refuses furniture", soon)))
    with pytest.raises(Refusal, match="WHY_REQUIRED"):
        do(lambda tx: policy.roll_back(tx, "v2", By(CEM, " ", soon)))
    assert do(read_epoch) == epoch
    back = do(lambda tx: policy.roll_back(tx, "v2", By(CEM, "refuses furniture", soon)))
    assert (back, do(read_epoch)) == (one, epoch + 1)
    moments = (later, soon - timedelta(seconds=1), soon, AT + timedelta(days=9))
    assert [_in_force(do, at) for at in moments] == ["v2", "v2", "v1", "v3"]
    assert do(lambda tx: policy.next_change_at(tx, soon - timedelta(seconds=1))) == soon
    assert do(lambda tx: policy.by_number(tx, "v2")).state is PolicyState.ROLLED_BACK
    assert _verbs(do, two)[-1] == ("roll_back", CEM, "refuses furniture")
    assert _verbs(do, one)[-1] == ("restore", CEM, "refuses furniture")
    with pytest.raises(Conflict, match="POLICY_NONE_BEFORE"):
        do(lambda tx: policy.roll_back(tx, "v1", By(CEM, "that one too", soon)))
    assert _in_force(do, soon) == "v1"


def test_nobody_approves_or_refuses_their_own(do):
    version = _submitted(do, "v1")
    with pytest.raises(Forbidden, match="SAME_PERSON"):
        _publish(do, version, by=MAKER)
    with pytest.raises(Forbidden, match="SAME_PERSON"):
        do(lambda tx: policy.reject(tx, version.policy_id, 1, MAKER))
    assert [v.state for v in do(policy.versions)] == [PolicyState.SUBMITTED]


def test_a_draft_is_kept_once_whatever_is_in_it(do):
    policy_id = new_id()
    first = _draft(do, "v1", policy_id=policy_id)
    assert _draft(do, "v1", policy_id=policy_id) == first
    with pytest.raises(Conflict, match="POLICY_EXISTS"):
        _draft(do, "v1")
    with pytest.raises(Conflict, match="POLICY_EXISTS"):
        _draft(do, "v1", BROKEN, policy_id=policy_id)
    with pytest.raises(Conflict, match="POLICY_EXISTS"):
        _draft(do, "v1", policy_id=policy_id, by=CHECKER)
    for number in ("v 1", "", ".v", "版本", "v" * 41):
        with pytest.raises(Refusal, match="POLICY_NUMBER_INVALID"):
            _draft(do, number)
    broken = _draft(do, "v2", BROKEN)
    with pytest.raises(Refusal, match="POLICY_INVALID") as refused:
        do(lambda tx: policy.submit(tx, broken.policy_id, 1, CODES, MAKER))
    assert refused.value.extra["faults"] == ["numbers: a cost cap of 500000 ppm"]
    assert [(v.number, v.state) for v in do(policy.versions)] == [("v2", "draft"), ("v1", "draft")]


def test_every_save_stays_and_only_the_last_one_seen_may_be_changed(do):
    made = _draft(do, "v1")
    save = lambda revision, document, by=MAKER: do(  # noqa: E731
        lambda tx: policy.save(tx, made.policy_id, revision, document, by)
    )
    two = save(1, with_cap(200_000), By(ANN, "lower", AT + timedelta(minutes=1)))
    assert (two.revision, two.document) == (2, with_cap(200_000))
    assert save(1, with_cap(200_000)) == two, "a repeat changes nothing"
    assert save(2, with_cap(200_000)) == two
    with pytest.raises(Stale, match="POLICY_CHANGED") as refused:
        save(1, with_cap(190_000))
    assert refused.value.extra == {"revision": 2}
    with pytest.raises(Forbidden, match="NOT_THE_MAKER"):
        save(2, with_cap(190_000), CHECKER)
    assert save(2, BROKEN).revision == 3
    saves = do(lambda tx: policy.saves(tx, made.policy_id))
    assert [(s.revision, s.actor, s.why) for s in saves] == [
        (1, ANN, "caps for the season"), (2, ANN, "lower"), (3, ANN, "caps for the season"),
    ]  # fmt: skip
    documents = [do(lambda tx, n=n: policy.saved(tx, made.policy_id, n)) for n in (1, 2, 3)]
    assert documents == [DOCUMENT, with_cap(200_000), BROKEN]
    with pytest.raises(NotFound, match="POLICY_UNKNOWN"):
        do(lambda tx: policy.saved(tx, made.policy_id, 4))


def test_what_is_under_review_is_not_edited_and_comes_back_when_refused(do):
    made = _draft(do, "v1")
    step = lambda verb, by=MAKER: do(lambda tx: verb(tx, made.policy_id, by))  # noqa: E731
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        _publish(do, made)
    with pytest.raises(Stale, match="POLICY_CHANGED"):
        do(lambda tx: policy.submit(tx, made.policy_id, 2, CODES, MAKER))
    with pytest.raises(Forbidden, match="NOT_THE_MAKER"):
        do(lambda tx: policy.submit(tx, made.policy_id, 1, CODES, CHECKER))
    do(lambda tx: policy.submit(tx, made.policy_id, 1, CODES, MAKER))
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        do(lambda tx: policy.save(tx, made.policy_id, 1, with_cap(200_000), MAKER))
    step(policy.note, By(BEA, "why so low?", AT))
    with pytest.raises(Forbidden, match="NOT_THE_MAKER"):
        step(policy.recall, CHECKER)
    assert step(policy.recall).state is PolicyState.DRAFT
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        step(policy.recall)
    do(lambda tx: policy.submit(tx, made.policy_id, 1, CODES, MAKER))
    do(lambda tx: policy.reject(tx, made.policy_id, 1, By(BEA, "say for whom", AT)))
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        _publish(do, made)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        do(lambda tx: policy.submit(tx, made.policy_id, 1, CODES, MAKER))
    again = do(lambda tx: policy.save(tx, made.policy_id, 1, DOCUMENT, MAKER))
    assert (again.state, again.revision) == (PolicyState.DRAFT, 2)
    with pytest.raises(Forbidden, match="NOT_THE_MAKER"):
        step(policy.withdraw, CHECKER)
    assert step(policy.withdraw).state is PolicyState.WITHDRAWN
    assert [verb for verb, _, _ in _verbs(do, made)] == [
        "draft", "submit", "note", "recall", "submit", "reject", "save", "withdraw",
    ]  # fmt: skip


def test_publication_is_now_or_later_and_alone_at_its_instant(do):
    one, two = _submitted(do, "v1"), _submitted(do, "v2")
    with pytest.raises(Refusal, match="EFFECTIVE_INVALID"):
        _publish(do, one, AT - timedelta(seconds=1))
    _publish(do, one)
    with pytest.raises(Refusal, match="EFFECTIVE_INVALID"):
        _publish(do, two)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        _publish(do, one, AT + timedelta(days=1))
    with pytest.raises(NotFound, match="POLICY_UNKNOWN"):
        do(lambda tx: policy.publish(tx, new_id(), 1, AT, CODES, CHECKER))
    with pytest.raises(Refusal, match="POLICY_INVALID"):
        do(
            lambda tx: policy.publish(
                tx, two.policy_id, 1, AT + timedelta(days=1), policy.Known(CODES.categories - {"gold"}), CHECKER
            )
        )
    with pytest.raises(Stale, match="POLICY_CHANGED"):
        do(lambda tx: policy.publish(tx, two.policy_id, 2, AT + timedelta(days=1), CODES, CHECKER))


def test_a_document_changed_behind_the_rooms_back_is_noticed(do):
    _publish(do, _submitted(do, "v1"))
    do(
        lambda tx: tx.execute(
            "UPDATE policy_version SET document = jsonb_set(document, '{forbidden_words,0}', '\"x\"')"
        )
    )
    with pytest.raises(AssertionError, match="changed in the database"):
        do(lambda tx: policy.in_force(tx, AT))


def test_no_state_that_has_decided_leads_back_to_a_draft():
    after = {PolicyState.CANARY, PolicyState.PUBLISHED, PolicyState.ROLLED_BACK, PolicyState.WITHDRAWN}
    reach = set().union(*(MOVES[state] for state in after))
    assert reach <= after


async def _at_once(database, *verbs):
    """Each verb in a transaction of its own, all begun together; answers or refusals."""
    return await asyncio.gather(*(_in(database, verb) for verb in verbs), return_exceptions=True)


@pytest.mark.parametrize("turn", range(3))
def test_of_two_checkers_at_once_one_approves(fresh_database, do, run, turn):
    version = _submitted(do, f"v{turn}")
    approve = lambda by, at: lambda tx: policy.publish(tx, version.policy_id, 1, at, CODES, by)  # noqa: E731
    people = [By(f"staff:{n}", "checked", AT) for n in range(6)]
    answers = run(_at_once(fresh_database, *(approve(by, AT + timedelta(hours=n)) for n, by in enumerate(people))))
    won = [n for n, answer in enumerate(answers) if not isinstance(answer, Exception)]
    lost = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(won) == 1 and all(isinstance(each, Conflict) and each.code == "STATE_CONFLICT" for each in lost)
    found = do(lambda tx: policy.get(tx, version.policy_id))
    assert (found.checker, found.effective_at) == (f"staff:{won[0]}", AT + timedelta(hours=won[0]))
    assert [verb for verb, _, _ in _verbs(do, version)].count("publish") == 1


@pytest.mark.parametrize("turn", range(4))
def test_approving_against_editing_approves_what_was_seen_or_nothing(fresh_database, do, run, turn):
    version = _submitted(do, f"v{turn}")

    async def edited(database):
        await _in(database, lambda tx: policy.recall(tx, version.policy_id, MAKER))
        await _in(database, lambda tx: policy.save(tx, version.policy_id, 1, with_cap(200_000), MAKER))
        return await _in(database, lambda tx: policy.submit(tx, version.policy_id, 2, CODES, MAKER))

    async def race():
        approve = _in(fresh_database, lambda tx: policy.publish(tx, version.policy_id, 1, AT, CODES, CHECKER))
        return await asyncio.gather(approve, edited(fresh_database), return_exceptions=True)

    approved, changed = run(race())
    found = do(lambda tx: policy.get(tx, version.policy_id))
    if isinstance(approved, Exception):
        assert isinstance(approved, Conflict) and approved.code in ("STATE_CONFLICT", "POLICY_CHANGED")
        assert not isinstance(changed, Exception)
        assert (found.state, found.revision) == (PolicyState.SUBMITTED, 2)
    else:
        assert isinstance(changed, Conflict) and changed.code == "STATE_CONFLICT"
        assert (found.state, found.revision, found.document) == (PolicyState.PUBLISHED, 1, DOCUMENT)


def test_two_roll_backs_of_one_version_go_one_step(fresh_database, do, run):
    for n, number in enumerate(("v1", "v2", "v3")):
        _publish(do, _submitted(do, number, with_cap(200_000 + n)), AT + timedelta(hours=n))
    at = AT + timedelta(hours=5)
    back = lambda actor: lambda tx: policy.roll_back(tx, "v3", By(actor, "bad", at))  # noqa: E731
    answers = run(_at_once(fresh_database, back(ANN), back(BEA), back(CEM)))
    assert sorted(getattr(answer, "code", "done") for answer in answers) == ["POLICY_CHANGED", "POLICY_CHANGED", "done"]
    assert _in_force(do, at) == "v2"


def test_two_drafts_of_one_number_at_once(fresh_database, run):
    make = lambda by: lambda tx: policy.draft(tx, new_id(), "v1", DOCUMENT, by)  # noqa: E731
    answers = run(_at_once(fresh_database, make(MAKER), make(CHECKER)))
    assert sorted(getattr(answer, "code", "made") for answer in answers) == ["POLICY_EXISTS", "made"]
