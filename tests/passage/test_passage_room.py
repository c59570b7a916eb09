"""The room on a database: registering, rotating, resting, and breakers that several processes share."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from fenqi import passage
from fenqi.customer import Keys
from fenqi.database import reference_epoch
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.passage import Outcome, OutcomeKind, PassageState, Terms

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
BY = By("staff:test", "a test", AT)
KEYS = Keys(b"a secret of the tests")
TERMS = Terms("https://gateway.example/alipay", cost_ppm=6_000, max_minor=5_000_000, scenes=("mall",))
MINUTE = timedelta(minutes=1)


async def registered(database, code: str, terms: Terms = TERMS) -> UUID:
    passage_id = new_id()
    async with database.transaction() as tx:
        await passage.register(tx, passage_id, code, "alipay", terms, BY)
        await passage.rotate(tx, KEYS, passage_id, BY, {"app_id": "2021", "private_key": f"key one of {code}"})
    return passage_id


async def read(database, verb, *args):
    async with database.snapshot() as tx:
        return await verb(tx, *args)


async def write(database, verb, *args):
    async with database.transaction() as tx:
        return await verb(tx, *args)


def test_a_passage_is_kept_with_its_terms_and_history(database, run) -> None:
    passage_id = run(registered(database, "ali_main"))
    before = run(read(database, reference_epoch.read_epoch))
    found = run(read(database, passage.by_code, "ali_main"))
    assert (found.passage_id, found.state, found.terms, found.merchant_id) == (
        passage_id, PassageState.ACTIVE, TERMS, None,
    )  # fmt: skip
    cheaper = Terms("https://gateway.example/alipay", cost_ppm=3_800)
    run(write(database, passage.change_terms, passage_id, cheaper, BY))
    run(write(database, passage.change_state, passage_id, PassageState.BANNED, BY))
    assert run(read(database, passage.get, passage_id)).terms == cheaper
    assert run(read(database, reference_epoch.read_epoch)) == before + 2
    kept = run(read(database, passage.get_history, passage_id))
    assert [(row.verb, row.from_state, row.to_state) for row in kept] == [
        ("register", None, "active"),
        ("rotate_credential", None, None),
        ("change_terms", None, None),
        ("change_state", "active", "banned"),
    ]
    assert all((row.actor, row.why) == ("staff:test", "a test") for row in kept)


def test_a_repeat_changes_nothing_and_another_passage_under_the_code_is_refused(database, run) -> None:
    passage_id = run(registered(database, "ali_again"))
    before = run(read(database, reference_epoch.read_epoch))
    again = run(write(database, passage.register, passage_id, "ali_again", "alipay", TERMS, BY))
    assert again.passage_id == passage_id
    with pytest.raises(Conflict, match="PASSAGE_EXISTS"):
        run(write(database, passage.register, new_id(), "ali_again", "alipay", TERMS, BY))
    for terms in (Terms("ftp://x"), Terms("https://x/"), Terms("https://x", min_minor=5, max_minor=4)):
        with pytest.raises(Refusal, match="PASSAGE_INVALID"):
            run(write(database, passage.register, new_id(), "ali_bad", "alipay", terms, BY))
    with pytest.raises(NotFound, match="PASSAGE_UNKNOWN"):
        run(read(database, passage.by_code, "ali_bad"))
    assert run(read(database, reference_epoch.read_epoch)) == before


def test_a_retired_passage_stays_retired(database, run) -> None:
    passage_id = run(registered(database, "ali_gone"))
    run(write(database, passage.change_state, passage_id, PassageState.RETIRED, BY))
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        run(write(database, passage.change_state, passage_id, PassageState.ACTIVE, BY))


def test_rotating_signs_with_the_new_and_still_hears_the_old(database, run) -> None:
    passage_id = run(registered(database, "ali_keys"))
    second = {"app_id": "2021", "private_key": "key two"}
    assert run(write(database, passage.prepare, KEYS, passage_id, second, BY)) == 2
    waiting = passage.keyring(KEYS, run(read(database, passage.get, passage_id)), AT)
    assert waiting is not None and waiting.current.version == 1
    assert [each.version for each in waiting.accepted] == [2, 1], "notices by the new key come before we sign with it"

    assert run(write(database, passage.rotate, KEYS, passage_id, BY)) == 2
    found = run(read(database, passage.get, passage_id))
    ring = passage.keyring(KEYS, found, AT)
    assert ring is not None and ring.current == (2, second) == ring.accepted[0]
    assert ring.accepted[1] == (1, {"app_id": "2021", "private_key": "key one of ali_keys"})
    late = passage.keyring(KEYS, found, AT + passage.LATE_NOTICES)
    assert late is not None and [each.version for each in late.accepted] == [2]

    third = {"app_id": "2021", "private_key": "key three"}
    assert run(write(database, passage.rotate, KEYS, passage_id, BY, third, timedelta(hours=1))) == 3
    found = run(read(database, passage.get, passage_id))
    for minutes, versions in ((59, [3, 2, 1]), (60, [3, 1])):
        ring = passage.keyring(KEYS, found, AT + minutes * MINUTE)
        assert ring is not None and [each.version for each in ring.accepted] == versions
    with pytest.raises(Conflict, match="NOTHING_PREPARED"):
        run(write(database, passage.rotate, KEYS, passage_id, BY))
    assert run(read(database, passage.get, passage_id)) == found, "a refused rotation changes nothing"


def test_values_are_sealed_and_belong_to_their_passage(database, run) -> None:
    one, other = run(registered(database, "ali_seal_1")), run(registered(database, "ali_seal_2"))
    found = {each.passage_id: each for each in run(read(database, passage.get_all))}
    assert b"key one" not in found[one].credentials[0].sealed
    with pytest.raises(InvalidTag):
        KEYS.unseal(found[other].credentials[0].sealed, one)
    with pytest.raises(InvalidTag):
        passage.keyring(Keys(b"quite another secret"), found[one], AT)


def test_a_passage_without_credentials_has_no_keyring(database, run) -> None:
    passage_id = new_id()
    run(write(database, passage.register, passage_id, "ali_bare", "alipay", TERMS, BY))
    found = run(read(database, passage.get, passage_id))
    assert passage.keyring(KEYS, found, AT) is None
    assert passage.hindrance(found, passage.Health(), AT) == ("no_credential", None)


def test_maintenance_is_planned_ended_and_called_off(database, run) -> None:
    passage_id = run(registered(database, "ali_rest"))
    on, later = new_id(), new_id()
    run(write(database, passage.plan_maintenance, passage_id, on, AT - MINUTE, AT + 9 * MINUTE, BY))
    run(write(database, passage.plan_maintenance, passage_id, on, AT - MINUTE, AT + 9 * MINUTE, BY))
    run(write(database, passage.plan_maintenance, passage_id, later, AT + 60 * MINUTE, AT + 90 * MINUTE, BY))
    found = run(read(database, passage.get, passage_id))
    assert passage.hindrance(found, passage.Health(), AT) == ("maintenance", AT + 9 * MINUTE)
    for window in (on, later):
        run(write(database, passage.end_maintenance, passage_id, window, BY))
    found = run(read(database, passage.get, passage_id))
    assert [(each.maintenance_id, each.until_at) for each in found.windows] == [(on, AT)]
    assert passage.hindrance(found, passage.Health(), AT) == ("", None)
    with pytest.raises(NotFound, match="WINDOW_UNKNOWN"):
        run(write(database, passage.end_maintenance, passage_id, on, BY))
    with pytest.raises(Refusal, match="WINDOW_INVALID"):
        run(write(database, passage.plan_maintenance, passage_id, new_id(), AT, AT, BY))


def outcomes(passage_id: UUID, kind: OutcomeKind, count: int, at: datetime = AT) -> list[Outcome]:
    return [Outcome(passage_id, kind, 100 + place, at) for place in range(count)]


def test_outcomes_are_counted_by_the_minute_and_open_the_breaker(database, run) -> None:
    passage_id = run(registered(database, "ali_sick"))
    before = run(read(database, reference_epoch.read_epoch))
    ok = outcomes(passage_id, OutcomeKind.OK, 3, AT - MINUTE)
    assert run(write(database, passage.record, [*ok, *outcomes(passage_id, OutcomeKind.TIMEOUT, 4)], AT)) == {}
    assert run(read(database, reference_epoch.read_epoch)) == before, "counting makes no copy stale"
    moved = run(write(database, passage.record, outcomes(passage_id, OutcomeKind.ERROR, 1), AT))
    health = moved[passage_id]
    assert (health.is_open, health.until_at) == (True, AT + timedelta(seconds=30))
    assert run(read(database, passage.healths))[passage_id] == health
    assert run(read(database, reference_epoch.read_epoch)) == before + 1
    counted = run(read(database, passage.minutes, [passage_id], AT - MINUTE))[passage_id]
    assert counted == [
        (AT - MINUTE, 3, 0, 0, 0, 0, 303, 102),
        (AT, 0, 4, 1, 0, 0, 100 + 101 + 102 + 103 + 100, 103),
    ]

    early, due = AT + timedelta(seconds=29), AT + timedelta(seconds=30)
    assert run(write(database, passage.claim_probes, early)) == []
    assert run(write(database, passage.claim_probes, due)) == [passage_id]
    assert run(write(database, passage.claim_probes, due)) == [], "one probe at a time"
    assert not run(write(database, passage.claim_probe, passage_id, due + timedelta(seconds=29)))
    assert run(write(database, passage.claim_probe, passage_id, due + timedelta(seconds=30)))
    run(write(database, passage.record, outcomes(passage_id, OutcomeKind.OK, 1, due + MINUTE), due + MINUTE))
    assert not run(read(database, passage.healths))[passage_id].is_open
    told = run(read(database, passage.changes, passage_id))
    assert [(each.from_state, each.to_state) for each in told] == [("half_open", "closed"), ("closed", "open")]
    assert told[1].why == "5 failures in a row: error"


def test_processes_share_one_breaker(database, run) -> None:
    """Five processes see one failure each."""
    passage_id = run(registered(database, "ali_shared"))

    async def all_at_once():
        batches = [write(database, passage.record, outcomes(passage_id, OutcomeKind.TIMEOUT, 1), AT) for _ in range(5)]
        return await asyncio.gather(*batches)

    moved = run(all_at_once())
    assert sum(passage_id in each for each in moved) == 1
    assert run(read(database, passage.healths))[passage_id].opens == 1
    assert run(read(database, passage.minutes, [passage_id], AT))[passage_id][0].timeout_count == 5


def test_a_pause_that_the_channel_asks_for(database, run) -> None:
    passage_id = run(registered(database, "ali_busy"))
    run(write(database, passage.record, outcomes(passage_id, OutcomeKind.LIMITED, 3), AT))
    found = run(read(database, passage.get, passage_id))
    health = run(read(database, passage.healths))[passage_id]
    assert passage.hindrance(found, health, AT) == ("rate_limited", AT + timedelta(seconds=30))
    assert passage.standing(health, AT + timedelta(seconds=30)) == "up"


def test_unknown_passages_are_not_counted(database, run) -> None:
    assert run(write(database, passage.record, outcomes(new_id(), OutcomeKind.OK, 1), AT)) == {}
    assert run(write(database, passage.record, [], AT)) == {}


def test_old_counters_are_forgotten(database, run) -> None:
    passage_id = run(registered(database, "ali_old"))
    old = AT - timedelta(days=8)
    run(write(database, passage.record, outcomes(passage_id, OutcomeKind.OK, 2, old), AT))
    assert run(write(database, passage.forget, AT)) == 1
    assert run(read(database, passage.minutes, [passage_id], old)) == {}


def test_histories_can_not_be_rewritten(database, run) -> None:
    passage_id = run(registered(database, "ali_truth"))

    async def forge(table: str):
        async with database.transaction() as tx:
            await tx.execute(f"DELETE FROM {table} WHERE passage_id = %s", [passage_id])

    for table in ("passage_history", "passage_health_change"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            run(forge(table))
