"""The room of cases on a real database: opening, taking, asking, deciding alone and by two, ending, and the clock."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest

from fenqi import aftersales
from fenqi.aftersales import CaseState, Kind, NewCase, Stage, Subject, Topic, Verdict, norm, verdict
from fenqi.kernel.by import By
from fenqi.kernel.clock import ZONE
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, Forbidden, NotFound, Refusal

AT = datetime(2026, 8, 24, 10, 0, tzinfo=ZONE)  # a Monday
ANNA, BO = new_id(), new_id()
FACTS = b'{"seen":1}'
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def staff(who, why="looked into it", at=AT):
    return By(f"staff:{who}", why, at)


def buyer(consumer_id, at=AT):
    return By(f"consumer:{consumer_id}", "asked", at)


@pytest.fixture
def do(database, run):
    """Runs a verb of the room in a transaction of its own."""

    def perform(verb, *args, **more):
        async def once():
            async with database.transaction() as tx:
                return await verb(tx, *args, **more)

        return run(once())

    return perform


def appeal(amount_minor=300_000, topic=Topic.RISK_REFUSAL, order_id=None):
    return NewCase(
        case_id=new_id(), kind=Kind.APPEAL, subject=Subject("order", str(order_id or new_id())),
        policy_version="p-1", topic=topic, amount_minor=amount_minor,
    )  # fmt: skip


def opened(do, new=None, consumer_id=None, at=AT):
    consumer_id = consumer_id or new_id()
    return do(aftersales.open_case, consumer_id, new or appeal(), buyer(consumer_id, at)).case


def in_hand(do, new=None, at=AT):
    case = opened(do, new, at=at)
    return do(aftersales.claim, case.party_id, case.case_id, ANNA, staff(ANNA, at=at))


def decide(do, case, outcome, who=ANNA, at=AT, told="We have looked at it.", **more):
    wanted = Verdict(outcome=outcome, told=told, **more)
    return do(aftersales.decide, case.party_id, case.case_id, who, wanted, FACTS, "p-1", staff(who, at=at))


def test_a_case_has_a_number_that_leads_to_it_and_a_deadline_in_working_time(do):
    case = opened(do)
    assert case.due_at == datetime(2026, 8, 27, 10, 0, tzinfo=ZONE)  # 8, 9, 9 and 1 hours of work
    assert aftersales.bucket_in(case.number) == bucket_of(case.party_id)
    assert do(aftersales.find, f" {case.number.lower()} ") == case
    assert do(aftersales.find_own, case.party_id, case.number) == case
    with pytest.raises(NotFound):
        do(aftersales.find_own, new_id(), case.number)
    for nonsense in ("", "C", "CZZZZZZZZZZ", case.number[:-1] + ("2" if case.number[-1] != "2" else "3")):
        with pytest.raises(NotFound):
            do(aftersales.find, nonsense)


def test_an_open_case_about_the_same_thing_is_joined(do):
    consumer_id, order_id = new_id(), new_id()
    first = do(aftersales.open_case, consumer_id, appeal(order_id=order_id), buyer(consumer_id))
    again = do(aftersales.open_case, consumer_id, appeal(order_id=order_id), buyer(consumer_id))
    assert (first.is_new, again.is_new) == (True, False) and again.case == first.case
    do(aftersales.withdraw, consumer_id, first.case.case_id, buyer(consumer_id))
    assert do(aftersales.open_case, consumer_id, appeal(order_id=order_id), buyer(consumer_id)).is_new


def test_a_case_that_ends_while_it_is_joined_is_asked_for_again(do, monkeypatch):
    """Between the insert, which it was in the way of, and the look at it."""

    async def in_the_way(tx, new):
        return False

    monkeypatch.setattr("fenqi.aftersales.store.cases.insert_case", in_the_way)
    with pytest.raises(Conflict, match="STATE_CONFLICT"):
        opened(do)


def test_one_person_proposes_and_another_decides(do):
    case = in_hand(do)
    proposed, said, fresh = decide(do, case, "upheld", inputs={"days": 2})
    assert (proposed.state, said.stage, fresh) == (CaseState.PROPOSED, Stage.PROPOSED, True)
    assert decide(do, case, "upheld", inputs={"days": 2})[2] is False, "a second click proposes nothing new"
    key = (case.party_id, case.case_id)
    with pytest.raises(Forbidden, match="SAME_PERSON"):
        do(aftersales.agree, *key, FACTS, "p-1", staff(ANNA))
    decided, final, fresh = do(aftersales.agree, *key, FACTS, "p-1", staff(BO))
    assert (decided.state, decided.outcome, fresh) == (CaseState.DECIDED, "upheld", True)
    assert (final.proposer, final.inputs) == (f"staff:{ANNA}", {"days": 2})
    assert do(aftersales.agree, *key, FACTS, "p-1", staff(BO))[2] is False
    whole = do(aftersales.whole, decided)
    assert [one.stage for one in whole.decisions] == [Stage.PROPOSED, Stage.DECIDED]
    assert [one.body for one in whole.for_buyer] == ["We have looked at it."]
    assert [one.verb for one in whole.moves] == ["open", "claim", "propose", "decide"]
    assert verdict.faults(decided, whole.decisions) == []


def test_the_second_person_may_give_it_back(do):
    case = in_hand(do)
    decide(do, case, "upheld")
    key = (case.party_id, case.case_id)
    with pytest.raises(Forbidden, match="SAME_PERSON"):
        do(aftersales.give_back, *key, FACTS, "p-1", staff(ANNA))
    back = do(aftersales.give_back, *key, FACTS, "p-1", staff(BO, "the receipt is of another shop"))
    assert (back.state, back.owner_id, back.proposed_by) == (CaseState.IN_HAND, ANNA, None)
    decided, _, _ = decide(do, case, "dismissed", reasons=("RISK_TXN_BLOCKED",))
    assert decided.state is CaseState.DECIDED, "a dismissal is decided by one"
    whole = do(aftersales.whole, decided)
    assert [one.stage for one in whole.decisions] == [Stage.PROPOSED, Stage.RETURNED, Stage.DECIDED]
    assert verdict.faults(decided, whole.decisions) == []


@pytest.mark.parametrize(
    ("kind", "outcome", "amount_minor", "second"),
    [
        (Kind.PAYMENT_REVIEW, "cleared", 499_999, False),
        (Kind.PAYMENT_REVIEW, "cleared", 500_000, True),
        (Kind.PAYMENT_REVIEW, "confirmed", 1, True),
        (Kind.APPLICATION_REVIEW, "approved", None, True),
        (Kind.APPLICATION_REVIEW, "rejected", None, False),
        (Kind.APPEAL, "upheld", 1, True),
        (Kind.RAISE_LIMIT, "approved", 1, True),
        (Kind.COMPLAINT, "upheld", 99_999, False),
        (Kind.COMPLAINT, "upheld", 100_000, True),
        (Kind.QUESTION, "answered", None, False),
    ],
)
def test_who_needs_a_second_person(kind, outcome, amount_minor, second):
    assert norm.needs_second(kind, outcome, amount_minor) is second


def test_asking_the_buyer_stops_the_clock(do):
    case = in_hand(do)
    noon = AT + timedelta(hours=2)
    key = (case.party_id, case.case_id)
    waiting = do(aftersales.ask, *key, ANNA, "Please send the invoice.", FACTS, "p-1", staff(ANNA, at=noon))
    assert (waiting.state, waiting.left_minutes) == (CaseState.WAITING, 3 * 540 - 120)
    assert waiting.due_at == datetime(2026, 8, 31, 12, 0, tzinfo=ZONE)  # five working days to answer
    back_at = AT + timedelta(days=3)  # Thursday, 10 o'clock
    going = do(aftersales.reply, *key, new_id(), "Here it is.", buyer(case.party_id, back_at))
    assert (going.state, going.left_minutes) == (CaseState.IN_HAND, None)
    assert going.due_at == datetime(2026, 8, 31, 17, 0, tzinfo=ZONE)  # 8, 9 and 8 of 25 hours
    asked = do(aftersales.whole, going).decisions
    assert [(one.stage, one.outcome) for one in asked] == [(Stage.ASKED, "more_information")]


def test_a_file_alone_is_an_answer_too(do):
    case = in_hand(do)
    key = (case.party_id, case.case_id)
    do(aftersales.ask, *key, ANNA, "Please send the invoice.", FACTS, "p-1", staff(ANNA))
    do(aftersales.hand_in, *key, new_id(), "ours.png", PNG, staff(BO), internal=True)
    assert do(aftersales.get, *key).state is CaseState.WAITING, "a colleague's file is none"
    do(aftersales.hand_in, *key, new_id(), "invoice.png", PNG, buyer(case.party_id))
    going = do(aftersales.get, *key)
    assert (going.state, going.left_minutes, going.due_at) == (CaseState.IN_HAND, None, case.due_at)


def test_a_missed_deadline_is_noted_once_and_an_unanswered_question_lapses(do):
    late, silent = in_hand(do, at=AT - timedelta(days=40)), in_hand(do, at=AT - timedelta(days=40))
    then = staff(ANNA, at=AT - timedelta(days=40))
    do(aftersales.ask, silent.party_id, silent.case_id, ANNA, "The invoice?", FACTS, "p-1", then)
    by = By("system:clockwork", "the deadline has passed", AT)
    found = {one.case_id for one in do(aftersales.overdue, by)}
    assert {late.case_id, silent.case_id} <= found
    noted = do(aftersales.note_overdue, late.party_id, late.case_id, by)
    assert (noted.breached_at, noted.priority, noted.state) == (late.due_at, 1, CaseState.IN_HAND)
    assert do(aftersales.note_overdue, late.party_id, late.case_id, by) == noted
    assert do(aftersales.note_overdue, silent.party_id, silent.case_id, by).state is CaseState.LAPSED
    assert {late.case_id, silent.case_id} & {one.case_id for one in do(aftersales.overdue, by)} == set()


def test_an_application_is_decided_on_what_there_is_when_its_buyer_keeps_silent(do):
    long_ago = AT - timedelta(days=40)
    subject = Subject("application", str(new_id()))
    new = NewCase(case_id=new_id(), kind=Kind.APPLICATION_REVIEW, subject=subject, policy_version="p-1")
    case = in_hand(do, new, at=long_ago)
    do(aftersales.ask, case.party_id, case.case_id, ANNA, "A payslip?", FACTS, "p-1", staff(ANNA, at=long_ago))
    by = By("system:clockwork", "the deadline has passed", AT)
    back = do(aftersales.note_overdue, case.party_id, case.case_id, by)
    assert (back.state, back.left_minutes, back.priority) == (CaseState.IN_HAND, None, 1)
    assert back.due_at > AT


def test_deciding_late_keeps_the_missed_deadline(do):
    case = in_hand(do)
    decided, _, _ = decide(do, case, "dismissed", at=AT + timedelta(days=30), reasons=("RISK_TXN_BLOCKED",))
    assert decided.breached_at == case.due_at


def test_what_is_refused_changes_nothing(do):
    case = in_hand(do)
    key = (case.party_id, case.case_id)
    for code, attempt in {
        "OUTCOME_UNKNOWN": lambda: decide(do, case, "cleared"),
        "REASONS_REQUIRED": lambda: decide(do, case, "dismissed"),
        "NOT_YOURS": lambda: decide(do, case, "upheld", who=BO),
        "TEXT_INVALID": lambda: decide(do, case, "upheld", told=" "),
        "WHY_REQUIRED": lambda: do(aftersales.release, *key, ANNA, staff(ANNA, " ")),
        "FILE_TYPE_UNKNOWN": lambda: do(aftersales.hand_in, *key, new_id(), "a.png", b"<html>", buyer(key[0])),
        "FILE_TOO_LARGE": lambda: do(aftersales.hand_in, *key, new_id(), "a", PNG + bytes(1 << 20), buyer(key[0])),
        "FILE_EMPTY": lambda: do(aftersales.hand_in, *key, new_id(), "a.png", b"", buyer(key[0])),
    }.items():
        with pytest.raises(Refusal) as no:
            attempt()
        assert no.value.code == code
    whole = do(aftersales.whole, do(aftersales.get, *key))
    assert (whole.case, whole.messages, whole.evidence, whole.decisions) == (case, [], [], [])
    with pytest.raises(Forbidden, match="NOT_YOURS"):
        do(aftersales.withdraw, *key, staff(ANNA))


def test_files_are_kept_as_what_they_are(do):
    case = opened(do)
    key, file_id = (case.party_id, case.case_id), new_id()
    kept = do(aftersales.hand_in, *key, file_id, "../../in<v>oice\r\n.exe", PNG, buyer(key[0]))
    assert (kept.media_type, kept.size_bytes, kept.name) == ("image/png", 48, "in_v_oice_.exe")
    assert do(aftersales.hand_in, *key, file_id, "again.png", PNG, buyer(key[0])) == kept
    assert do(aftersales.file_of, case, file_id) == (kept, PNG)
    for _ in range(aftersales.FILES_MOST - 1):
        do(aftersales.hand_in, *key, new_id(), "more.png", PNG, buyer(key[0]))
    with pytest.raises(Conflict, match="FILES_TOO_MANY"):
        do(aftersales.hand_in, *key, new_id(), "one.png", PNG, buyer(key[0]))


def test_two_clerks_and_the_buyer_at_once_come_to_one_end(database, run, do):
    """Of a decision, another decision and a withdrawal at the same moment exactly one happens."""
    for _ in range(8):
        case = in_hand(do)
        decide(do, case, "upheld")
        key, others = (case.party_id, case.case_id), [new_id() for _ in range(3)]

        async def one(verb, *args):
            async with database.transaction() as tx:
                return await verb(tx, *args)

        async def all_at_once(key=key, others=others, one=one):
            return await asyncio.gather(
                *(one(aftersales.agree, *key, FACTS, "p-1", staff(who)) for who in others),
                one(aftersales.withdraw, *key, buyer(key[0])),
                return_exceptions=True,
            )

        answers = run(all_at_once())
        lost = [each for each in answers if isinstance(each, Conflict)]
        assert (len(lost), {each.code for each in lost}) == (3, {"STATE_CONFLICT"})
        now = do(aftersales.get, *key)
        whole = do(aftersales.whole, now)
        assert now.state in (CaseState.DECIDED, CaseState.WITHDRAWN)
        assert len(whole.decisions) == (2 if now.state is CaseState.DECIDED else 1)
        assert verdict.faults(now, whole.decisions) == []


def test_what_is_kept_can_t_be_changed_and_a_broken_seal_shows(database, run, do):
    case = in_hand(do)
    decided, final, _ = decide(do, case, "dismissed", reasons=("RISK_TXN_BLOCKED",))
    for table in ("move", "message", "evidence", "decision"):
        for what in ("DELETE FROM", "UPDATE"):
            sql = f"{what} service_case_{table}" + (" SET actor = 'x'" if what == "UPDATE" else "")

            async def tamper(sql=sql):
                async with database.transaction() as tx:
                    await tx.execute(sql)

            with pytest.raises(Exception, match="permission denied"):
                run(tamper())
    forged = msgspec.structs.replace(final, outcome="upheld")
    assert verdict.faults(decided, [forged]) == [
        "1: the seal is broken",
        "1: a second person was needed",
        "the case says dismissed, its decisions say upheld",
    ]
    other = msgspec.structs.replace(final, facts=b"{}")
    assert verdict.faults(decided, [other]) == ["1: the seal is broken"]


def test_the_queue_shows_what_is_most_urgent_first(do):
    new = [
        NewCase(case_id=new_id(), kind=Kind.QUESTION, subject=Subject("none", "q"), policy_version="p-1"),
        NewCase(
            case_id=new_id(), kind=Kind.PAYMENT_REVIEW, subject=Subject("order", "o"), policy_version="p-1",
            amount_minor=100,
        ),
        appeal(2_000_000),
    ]  # fmt: skip
    ids = [opened(do, one).case_id for one in new]
    places = {one.case_id: place for place, one in enumerate(do(aftersales.queue, limit=500))}
    assert places[ids[1]] < places[ids[2]] < places[ids[0]]
    assert do(aftersales.counts, AT)[Kind.QUESTION] == (1, 0)
    assert do(aftersales.counts, AT + timedelta(days=9))[Kind.QUESTION] == (1, 1)
