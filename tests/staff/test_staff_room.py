"""Staff against PostgreSQL: hired, signed in, allowed by role, and every action logged with its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fenqi import staff
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal
from fenqi.staff import Action, Role

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
BY = By("system:set-up", "first account", AT)
PASSWORD = "a long enough one"
_numbers = iter(range(1000))


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


@pytest.fixture
def do(database, run):
    """Runs `verb(tx)` in a transaction of its own."""
    return lambda verb: run(_in(database, verb))


@pytest.fixture
def ann(do):
    """Somebody of support."""
    name = f"ann{next(_numbers):03d}"
    return do(lambda tx: staff.hire(tx, new_id(), name, "Ann", PASSWORD, [Role.SUPPORT], BY))


def test_a_role_allows_its_actions_only(do, ann):
    assert (ann.may(Action.SEE_DIAGNOSIS), ann.may(Action.SEE_HIDDEN_REASONS)) == (True, False)
    assert (ann.may(Action.SEE_PERSON), ann.may(Action.PUBLISH_POLICY)) == (True, False)
    do(lambda tx: staff.audit(tx, ann, Action.SEE_PERSON, "consumer:7", " asked on the phone ", AT, {"field": "phone"}))
    with pytest.raises(Forbidden, match="NOT_ALLOWED"):
        do(lambda tx: staff.audit(tx, ann, Action.STEER_CLOCK, "consumer:7", "why not", AT))
    with pytest.raises(Refusal, match="WHY_REQUIRED"):
        do(lambda tx: staff.audit(tx, ann, Action.SEE_PERSON, "consumer:7", "", AT))
    (entry,) = do(lambda tx: staff.audits(tx, "consumer:7"))
    assert (entry.staff_id, entry.action, entry.why, entry.detail) == (
        ann.staff_id,
        "see_person",
        "asked on the phone",
        {"field": "phone"},
    )


def test_hiring_is_checked_and_logged(do, ann):
    for name, password, roles, code in (
        ("A B", PASSWORD, [Role.RISK], "STAFF_NAME_INVALID"),
        ("bea", "short", [Role.RISK], "PASSWORD_WEAK"),
        ("bea", PASSWORD, [], "ROLE_REQUIRED"),
        ("bea", PASSWORD, [Role.RISK, Role.RISK], "ROLE_REQUIRED"),
        (ann.sign_in_name, PASSWORD, [Role.RISK], "SIGN_IN_NAME_TAKEN"),
    ):
        with pytest.raises(Refusal, match=code):
            do(lambda tx, n=name, p=password, r=roles: staff.hire(tx, new_id(), n, "Bea", p, r, BY))
    assert [m.sign_in_name for m in do(staff.get_all)].count("bea") == 0
    (entry,) = do(lambda tx: staff.audits(tx, f"staff:{ann.staff_id}"))
    assert (entry.action, entry.why, entry.detail) == ("hire", "first account", {"roles": ["support"]})


def test_a_session_ends_by_itself_by_sign_out_and_with_the_account(do, ann):
    def sign_in(password=PASSWORD, at=AT):
        return do(lambda tx: staff.sign_in(tx, ann.sign_in_name, password, at))

    def check(token, at=AT):
        return do(lambda tx: staff.check_session(tx, token, at))

    first, second = sign_in(), sign_in()
    assert check(first.token).staff_id == ann.staff_id
    assert check(first.token, AT + timedelta(hours=8)) is None
    assert check("junk") is None
    do(lambda tx: staff.sign_out(tx, first.token, AT))
    assert check(first.token) is None
    who = By(ann.actor, "left the house", AT)
    do(lambda tx: staff.change_account(tx, ann.staff_id, [Role.SUPPORT], False, who))
    assert check(second.token) is None
    assert sign_in().code == "SIGN_IN_FAILED"
    with pytest.raises(NotFound, match="STAFF_UNKNOWN"):
        do(lambda tx: staff.change_account(tx, new_id(), [Role.RISK], True, who))
    assert do(lambda tx: staff.audits(tx, f"staff:{ann.staff_id}"))[0].staff_id == ann.staff_id


def test_five_wrong_passwords_block_for_a_quarter_of_an_hour(do, ann):
    def sign_in(name, password, at=AT):
        return do(lambda tx: staff.sign_in(tx, name, password, at))

    wrong, nobody = sign_in(ann.sign_in_name, "wrong"), sign_in("nobody", "wrong")
    assert (wrong.code, wrong.detail) == (nobody.code, nobody.detail) == ("SIGN_IN_FAILED", wrong.detail)
    for _ in range(4):
        sign_in(ann.sign_in_name, "wrong")
    blocked = sign_in(ann.sign_in_name, PASSWORD)
    assert (blocked.code, blocked.extra) == (
        "SIGN_IN_BLOCKED",
        {"until_at": (AT + timedelta(minutes=15)).isoformat()},
    )
    assert sign_in(ann.sign_in_name, PASSWORD, AT + timedelta(minutes=15)).member == ann


def test_a_name_is_one_account(do, ann):
    with pytest.raises(Conflict, match="SIGN_IN_NAME_TAKEN"):
        do(lambda tx: staff.hire(tx, ann.staff_id, "another.name", "Ann", PASSWORD, [Role.RISK], BY))
