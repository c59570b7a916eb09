"""Consumers against PostgreSQL: signing up and in, identity, passwords, codes, cards; tries counted, changes kept."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, date, datetime, timedelta

import pytest

from fenqi import customer
from fenqi.customer import Keys, Marks, MoneyAccount, NewConsumer, PayPassword, Purpose, RealName, Region
from fenqi.kernel.by import By
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.seed import enrol, people
from fenqi.seed.people import card_number

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
KEYS = Keys(b"a secret of enough bytes")
PASSWORD = "correct horse battery"
PAY = "280417"
CARD = "9156010100000000019"
UNTIL = date(2030, 1, 1)
_numbers = iter(range(10**6))


def by(consumer_id, at=AT):
    return By(f"consumer:{consumer_id}", "asked for it", at)


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


@pytest.fixture
def do(database, run):
    """Runs `verb(tx)` in a transaction of its own."""
    return lambda verb: run(_in(database, verb))


@pytest.fixture
def alice(do):
    """A consumer who has just signed up."""
    n = next(_numbers)
    new = NewConsumer(new_id(), f"alice{n}", f"12100{n:06d}")
    do(lambda tx: customer.sign_up(tx, KEYS, new, PASSWORD, by(new.consumer_id)))
    return new


@pytest.fixture
def proved(do, alice):
    """Alice with her name proved; a person of her own every time."""
    person = people(1, date(2026, 8, 24), seed=next(_numbers))[0]
    do(
        lambda tx: customer.verify_real_name(
            tx, KEYS, alice.consumer_id, person.name, person.id_number, UNTIL, by(alice.consumer_id)
        )
    )
    return alice, person


def _get(do, consumer_id):
    return do(lambda tx: customer.get(tx, consumer_id))


def _code(do, consumer_id, purpose, at=AT):
    do(lambda tx: customer.send_code(tx, KEYS, consumer_id, purpose, by(consumer_id, at)))
    return _last_code(do, consumer_id)


def _last_code(do, consumer_id):
    text = do(lambda tx: customer.messages(tx, consumer_id))[0].text_zh
    return text.split("验证码 ")[1][:6]


def _wrong(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_signing_up_claims_name_and_phone(do, alice):
    found = _get(do, alice.consumer_id)
    assert (found.state, found.real_name, found.pay_password, found.phone_reachable, found.version) == (
        "active", RealName.NONE, PayPassword.NONE, False, 1,
    )  # fmt: skip
    assert do(lambda tx: customer.find_by_sign_in_name(tx, KEYS, alice.sign_in_name)) == alice.consumer_id
    assert do(lambda tx: customer.find_by_phone(tx, KEYS, alice.phone)) == alice.consumer_id
    for other, code in (
        (NewConsumer(new_id(), alice.sign_in_name, "12199999999"), "SIGN_IN_NAME_TAKEN"),
        (NewConsumer(new_id(), "somebody.else", alice.phone), "PHONE_TAKEN"),
        (NewConsumer(alice.consumer_id, alice.sign_in_name, alice.phone), "CONSUMER_EXISTS"),
    ):
        with pytest.raises(Conflict, match=code):
            do(lambda tx, o=other: customer.sign_up(tx, KEYS, o, PASSWORD, by(o.consumer_id)))
        if other.consumer_id != alice.consumer_id:
            with pytest.raises(NotFound, match="CONSUMER_UNKNOWN"):
                _get(do, other.consumer_id)
    assert do(lambda tx: customer.find_by_phone(tx, KEYS, "12199999999")) is None


def test_nothing_personal_stands_in_clear(do, proved):
    alice, person = proved

    async def dump(tx):
        found = []
        for table in ("consumer", "consumer_person", "consumer_history", "consumer_directory", "bound_card"):
            found += await (await tx.execute(f"SELECT t::text FROM {table} t")).fetchall()
        return "\n".join(row[0] for row in found)

    text = do(dump)
    for secret in (alice.sign_in_name, alice.phone, person.name, person.id_number, PASSWORD):
        assert secret not in text
    back = do(lambda tx: customer.person(tx, KEYS, alice.consumer_id))
    assert (back.sign_in_name, back.phone, back.name, back.id_number) == (
        alice.sign_in_name, alice.phone, person.name, person.id_number,
    )  # fmt: skip
    assert back.masked_phone == f"{alice.phone[:3]}****{alice.phone[-4:]}"
    assert back.masked_id_number == person.id_number[0] + "*" * 16 + person.id_number[-1]


def _sign_in(do, name, password, at=AT, address="198.51.100.7"):
    return do(lambda tx: customer.sign_in(tx, KEYS, name, password, address, "phone", at))


def test_a_session_holds_until_it_ends(do, alice):
    signed_in = _sign_in(do, alice.sign_in_name.upper(), PASSWORD, address="a1")
    check = lambda at=AT, token=signed_in.token: do(lambda tx: customer.check_session(tx, token, at))  # noqa: E731
    assert check() == alice.consumer_id
    assert check(AT + timedelta(days=14)) is None
    assert check(token=signed_in.token[:-1] + ("A" if signed_in.token[-1] != "A" else "B")) is None
    for junk in ("", ".", "x.y", "é" * 32 + "." + "x" * 43, new_id().hex + signed_in.token[32:]):
        assert check(token=junk) is None
    do(lambda tx: customer.sign_out(tx, signed_in.token, AT))
    assert check() is None
    two = [_sign_in(do, alice.sign_in_name, PASSWORD, address="a1") for _ in range(2)]
    assert do(lambda tx: customer.sign_out_everywhere(tx, alice.consumer_id, AT)) == 2
    assert [check(token=s.token) for s in two] == [None, None]


def test_a_wrong_name_looks_like_a_wrong_password(do, alice):
    wrong = _sign_in(do, alice.sign_in_name, "wrong password", address="a2")
    nobody = _sign_in(do, "nobody.at.all", "wrong password", address="a2")
    assert (wrong.code, wrong.detail, wrong.extra) == (nobody.code, nobody.detail, nobody.extra)
    assert wrong.code == "SIGN_IN_FAILED"


def test_guessing_is_blocked_even_when_it_races(do, run, database, alice):
    async def race():
        tries = [
            _in(database, lambda tx, n=n: customer.sign_in(tx, KEYS, alice.sign_in_name, "guess", f"b{n}", "x", AT))
            for n in range(14)
        ]
        return await asyncio.gather(*tries)

    outcomes = [r.code for r in run(race())]
    assert (outcomes.count("SIGN_IN_FAILED"), outcomes.count("SIGN_IN_BLOCKED")) == (10, 4)
    assert _sign_in(do, alice.sign_in_name, PASSWORD, AT + timedelta(minutes=14), "b").code == "SIGN_IN_BLOCKED"
    later = AT + timedelta(minutes=16)
    assert _sign_in(do, alice.sign_in_name, PASSWORD, later, "b").consumer_id == alice.consumer_id


def test_many_may_sign_in_from_one_address(do, alice):
    outcomes = {_sign_in(do, alice.sign_in_name, PASSWORD, address="192.0.2.1").consumer_id for _ in range(61)}
    assert outcomes == {alice.consumer_id}


def test_an_address_is_throttled_over_many_names(do):
    outcomes = [_sign_in(do, f"name{n}", "x", address="198.51.100.9").code for n in range(61)]
    assert outcomes == ["SIGN_IN_FAILED"] * 60 + ["SIGN_IN_BLOCKED"]


def test_changing_the_password_ends_all_sessions(do, alice):
    signed_in = _sign_in(do, alice.sign_in_name, PASSWORD, address="a3")
    change = lambda old, new: do(  # noqa: E731
        lambda tx: customer.change_password(tx, KEYS, alice.consumer_id, old, new, by(alice.consumer_id))
    )
    with pytest.raises(Refusal, match="PASSWORD_WRONG"):
        change("wrong", "another good one")
    with pytest.raises(Refusal, match="PASSWORD_WEAK"):
        change(PASSWORD, alice.sign_in_name)
    change(PASSWORD, "another good one")
    assert do(lambda tx: customer.check_session(tx, signed_in.token, AT)) is None
    assert _sign_in(do, alice.sign_in_name, PASSWORD, address="a3").code == "SIGN_IN_FAILED"
    assert _sign_in(do, alice.sign_in_name, "another good one", address="a3").consumer_id == alice.consumer_id


def test_a_proved_name_gives_age_and_sex_and_stays_one_person(do, proved):
    alice, person = proved
    found = _get(do, alice.consumer_id)
    assert (found.real_name, found.birth_on, found.id_document_until_on) == (RealName.VERIFIED, person.birth_on, UNTIL)
    assert found.person_hash == KEYS.person(person.id_number)
    assert found.sex == ("male" if int(person.id_number[16]) % 2 else "female")
    birthday = person.birth_on.replace(year=2026)
    assert found.age(birthday) == found.age(birthday - timedelta(days=1)) + 1 == 2026 - person.birth_on.year
    stranger = people(2, date(2026, 8, 24), seed=777)[1]
    args = (alice.consumer_id, stranger.name, stranger.id_number, UNTIL, by(alice.consumer_id))
    with pytest.raises(Conflict, match="REAL_NAME_FIXED"):
        do(lambda tx: customer.verify_real_name(tx, KEYS, *args))
    assert _get(do, alice.consumer_id).version == found.version


@pytest.mark.parametrize(
    ("name", "number", "until_on", "code"),
    [
        ("李", "360426199101010071", UNTIL, "NAME_INVALID"),
        ("李若", "360426199101010072", UNTIL, "ID_NUMBER_INVALID"),
        ("李若", "360426199101010071", date(2026, 8, 23), "ID_DOCUMENT_EXPIRED"),
        ("李若", "360426199101010071", date.max, "ID_DOCUMENT_INVALID"),
    ],
)
def test_bad_proofs_write_nothing(do, alice, name, number, until_on, code):
    with pytest.raises(Refusal, match=code):
        do(
            lambda tx: customer.verify_real_name(
                tx, KEYS, alice.consumer_id, name, number, until_on, by(alice.consumer_id)
            )
        )
    assert _get(do, alice.consumer_id).version == 1
    assert len(do(lambda tx: customer.get_history(tx, alice.consumer_id))) == 1


def test_one_of_many_gets_the_name_and_one_code_binds_one_card(do, run, database, proved):
    news = [NewConsumer(new_id(), "raced.for", f"12900{n:06d}") for n in range(6)]

    async def sign_up(new):
        try:
            await _in(database, lambda tx: customer.add_consumer(tx, KEYS, new, "hash", by(new.consumer_id)))
        except Conflict as refused:
            return refused.code
        return "in"

    async def race(verbs):
        return await asyncio.gather(*verbs)

    assert sorted(run(race([sign_up(new) for new in news]))) == ["SIGN_IN_NAME_TAKEN"] * 5 + ["in"]
    consumer, number = proved[0].consumer_id, card_number("91560201", random.Random(8))
    card = do(lambda tx: customer.ask_to_bind(tx, KEYS, consumer, number, by(consumer)))
    code = _last_code(do, consumer)
    bind = lambda: _in(database, lambda tx: customer.bind(tx, KEYS, consumer, card.card_id, code, by(consumer)))  # noqa: E731
    assert {found.bound_at for found in run(race([bind() for _ in range(6)]))} == {AT}
    assert _get(do, consumer).cards == 1
    assert [h.verb for h in do(lambda tx: customer.get_history(tx, consumer))].count("bind_card") == 1


def test_the_credit_line_of_a_person_is_on_one_account(do, proved):
    alice, person = proved
    n = next(_numbers)
    second = NewConsumer(new_id(), f"second{n}", f"12200{n:06d}")
    do(lambda tx: customer.sign_up(tx, KEYS, second, PASSWORD, by(second.consumer_id)))
    do(
        lambda tx: customer.verify_real_name(
            tx, KEYS, second.consumer_id, person.name, person.id_number, UNTIL, by(second.consumer_id)
        )
    )
    one, two = _get(do, alice.consumer_id), _get(do, second.consumer_id)
    assert do(lambda tx: customer.credit_line_account(tx, KEYS, two)) is None
    for consumer in (one, two):
        claimed = do(lambda tx, c=consumer: customer.claim_credit_line(tx, KEYS, c, by(c.consumer_id)))
        assert claimed == alice.consumer_id
    assert do(lambda tx: customer.credit_line_account(tx, KEYS, two)) == alice.consumer_id


def test_five_wrong_pay_passwords_lock_for_three_hours(do, alice):
    consumer = alice.consumer_id
    check = lambda typed, at=AT: do(  # noqa: E731
        lambda tx: customer.check_pay_password(tx, consumer, typed, by(consumer, at))
    )
    assert check(PAY).code == "PAY_PASSWORD_NOT_SET"
    do(lambda tx: customer.set_pay_password(tx, consumer, PAY, by(consumer)))
    with pytest.raises(Conflict, match="PAY_PASSWORD_EXISTS"):
        do(lambda tx: customer.set_pay_password(tx, consumer, PAY, by(consumer)))
    assert [check("111222").extra["tries_left"] for _ in range(4)] == [4, 3, 2, 1]
    assert check(PAY) is None
    before = _get(do, consumer)
    for _ in range(5):
        last = check("111222")
    until = AT + timedelta(hours=3)
    assert (last.code, last.extra) == ("PAY_PASSWORD_LOCKED", {"until_at": until.isoformat()})
    locked = _get(do, consumer)
    assert (locked.pay_password, locked.pay_password_locked_until_at, locked.version) == (
        PayPassword.LOCKED, until, before.version + 1,
    )  # fmt: skip
    assert check(PAY, until - timedelta(seconds=1)).code == "PAY_PASSWORD_LOCKED"
    assert (locked.pay_password_at(AT), locked.pay_password_at(until)) == (PayPassword.LOCKED, PayPassword.SET)
    assert check("111222", until).extra["tries_left"] == 4
    assert check(PAY, until) is None
    assert _get(do, consumer).pay_password is PayPassword.SET


def test_a_code_resets_a_locked_pay_password(do, alice):
    consumer = alice.consumer_id
    do(lambda tx: customer.set_pay_password(tx, consumer, PAY, by(consumer)))
    for _ in range(5):
        do(lambda tx: customer.check_pay_password(tx, consumer, "111222", by(consumer)))
    code = _code(do, consumer, Purpose.PAY_PASSWORD)
    reset = lambda typed, new: do(  # noqa: E731
        lambda tx: customer.reset_pay_password(tx, KEYS, consumer, typed, new, by(consumer))
    )
    with pytest.raises(Refusal, match="PAY_PASSWORD_WEAK"):
        reset(code, "123456")
    assert reset(_wrong(code), "730519").code == "CODE_WRONG"
    assert reset(code, "730519") is None
    assert do(lambda tx: customer.check_pay_password(tx, consumer, "730519", by(consumer))) is None
    assert reset(code, "730519").code == "CODE_EXPIRED"


def test_a_step_up_holds_fifteen_minutes(do, alice):
    consumer = alice.consumer_id
    do(lambda tx: customer.set_pay_password(tx, consumer, PAY, by(consumer)))
    assert (
        do(lambda tx: customer.step_up_by_pay_password(tx, consumer, "111222", by(consumer))).code
        == "PAY_PASSWORD_WRONG"
    )
    assert _get(do, consumer).stepped_up_until_at is None
    assert do(lambda tx: customer.step_up_by_pay_password(tx, consumer, PAY, by(consumer))) is None
    assert _get(do, consumer).stepped_up_until_at == AT + timedelta(minutes=15)
    later = AT + timedelta(hours=1)
    code = _code(do, consumer, Purpose.STEP_UP, later)
    assert do(lambda tx: customer.step_up_by_code(tx, KEYS, consumer, code, by(consumer, later))) is None
    assert _get(do, consumer).stepped_up_until_at == later + timedelta(minutes=15)


def test_a_code_is_good_once_for_one_purpose_and_five_minutes(do, alice):
    consumer = alice.consumer_id
    check = lambda code, at=AT, purpose=Purpose.PHONE: do(  # noqa: E731
        lambda tx: customer.check_code(tx, KEYS, consumer, purpose, code, by(consumer, at))
    )
    code = _code(do, consumer, Purpose.PHONE)
    assert check(code, purpose=Purpose.SIGN_IN).code == "CODE_EXPIRED"
    assert check(code, AT + timedelta(minutes=5)).code == "CODE_EXPIRED"
    assert check(_wrong(code)).extra == {"tries_left": 4}
    assert check(code) is None
    assert check(code).code == "CODE_EXPIRED"
    second = _code(do, consumer, Purpose.PHONE, AT + timedelta(minutes=1))
    third = _code(do, consumer, Purpose.PHONE, AT + timedelta(minutes=2))
    at = AT + timedelta(minutes=2)
    if second != third:
        assert check(second, at).code == "CODE_WRONG"
    for _ in range(5):
        check(_wrong(third), at)
    assert check(third, at).code == "CODE_EXPIRED"


def test_not_more_codes_than_a_phone_should_get(do, alice):
    consumer = alice.consumer_id
    send = lambda minutes: do(  # noqa: E731
        lambda tx: customer.send_code(tx, KEYS, consumer, Purpose.PHONE, by(consumer, AT + timedelta(minutes=minutes)))
    )
    send(0)
    with pytest.raises(Refusal, match="SMS_LIMIT") as soon:
        send(0.5)
    assert soon.value.extra == {"until_at": (AT + timedelta(minutes=1)).isoformat()}
    for minutes in (1, 2, 3, 4):
        assert _get(do, consumer).sms_blocked_until_at is None
        send(minutes)
    hour = AT + timedelta(hours=1)
    blocked = _get(do, consumer)
    assert (blocked.sms_blocked_until_at, blocked.version) == (hour, 2)
    with pytest.raises(Refusal, match="SMS_LIMIT") as many:
        send(30)
    assert many.value.extra == {"until_at": hour.isoformat()}
    assert len(do(lambda tx: customer.messages(tx, consumer))) == 5
    send(60)


def test_a_phone_is_proved_by_its_code_and_changed(do, alice):
    consumer = alice.consumer_id
    code = _code(do, consumer, Purpose.PHONE)
    assert do(lambda tx: customer.verify_phone(tx, KEYS, consumer, code, by(consumer))) is None
    assert _get(do, consumer).phone_reachable
    new = f"12300{next(_numbers):06d}"
    for _ in range(2):
        do(lambda tx: customer.change_phone(tx, KEYS, consumer, new, by(consumer)))
    assert not _get(do, consumer).phone_reachable
    assert do(lambda tx: customer.find_by_phone(tx, KEYS, new)) == consumer
    assert do(lambda tx: customer.find_by_phone(tx, KEYS, alice.phone)) is None
    assert do(lambda tx: customer.person(tx, KEYS, consumer)).phone == new


def test_a_card_is_bound_with_its_code_and_never_kept(do, proved):
    alice, _ = proved
    consumer, number = alice.consumer_id, card_number("91560101", random.Random(5))
    ask = lambda text, at=AT: do(lambda tx: customer.ask_to_bind(tx, KEYS, consumer, text, by(consumer, at)))  # noqa: E731
    bind = lambda card, code: do(lambda tx: customer.bind(tx, KEYS, consumer, card.card_id, code, by(consumer)))  # noqa: E731
    card = ask(f"{number[:4]} {number[4:]}")
    assert (card.masked, card.bank, card.kind) == (f"**** {number[-4:]}", "Morning Star Bank", "debit")
    code = _last_code(do, consumer)
    version = _get(do, consumer).version
    assert bind(card, _wrong(code)).code == "CODE_WRONG"
    assert _get(do, consumer).cards == 0
    bound = bind(card, code)
    assert (bound.state, bound.bound_at) == ("bound", AT)
    assert bind(card, code) == bound
    found = _get(do, consumer)
    assert (found.cards, found.version) == (1, version + 1)
    with pytest.raises(Conflict, match="CARD_BOUND"):
        ask(number, AT + timedelta(minutes=1))
    for _ in range(2):
        do(lambda tx: customer.unbind(tx, consumer, card.card_id, by(consumer)))
    assert (_get(do, consumer).cards, do(lambda tx: customer.cards(tx, consumer))) == (0, [])
    with pytest.raises(NotFound, match="CARD_UNKNOWN"):
        bind(card, code)
    again = [ask(number, AT + timedelta(minutes=n)) for n in (1, 2)]
    with pytest.raises(NotFound, match="CARD_UNKNOWN"):
        bind(again[0], "000000")


def test_cards_need_a_proved_name_and_an_owner(do, alice, proved):
    n = next(_numbers)
    bob = NewConsumer(new_id(), f"bob{n}", f"12400{n:06d}")
    do(lambda tx: customer.sign_up(tx, KEYS, bob, PASSWORD, by(bob.consumer_id)))
    number = card_number("91560102", random.Random(6))
    with pytest.raises(Conflict, match="REALNAME_REQUIRED"):
        do(lambda tx: customer.ask_to_bind(tx, KEYS, bob.consumer_id, number, by(bob.consumer_id)))
    assert do(lambda tx: customer.messages(tx, bob.consumer_id)) == []
    card = do(lambda tx: customer.ask_to_bind(tx, KEYS, alice.consumer_id, number, by(alice.consumer_id)))
    with pytest.raises(NotFound, match="CARD_UNKNOWN"):
        do(lambda tx: customer.bind(tx, KEYS, bob.consumer_id, card.card_id, "000000", by(bob.consumer_id)))


def test_the_money_accounts_switches(do, alice, proved):
    consumer = alice.consumer_id
    with pytest.raises(Conflict, match="MONEY_ACCOUNT_NOT_OPEN"):
        do(lambda tx: customer.switch_pay(tx, consumer, False, by(consumer)))
    version = _get(do, consumer).version
    for _ in range(2):
        do(lambda tx: customer.open_money_account(tx, consumer, by(consumer)))
        do(lambda tx: customer.switch_pay(tx, consumer, False, by(consumer)))
    do(lambda tx: customer.freeze_money_account(tx, consumer, True, By("staff:ann", "court order", AT)))
    found = _get(do, consumer)
    assert (found.money_account, found.pay_switch_on, found.version) == (MoneyAccount.FROZEN, False, version + 3)
    last = do(lambda tx: customer.get_history(tx, consumer))[-1]
    assert (last.verb, last.actor, last.why, last.detail) == (
        "freeze_money_account", "staff:ann", "court order", {"money_account": "frozen"},
    )  # fmt: skip


def test_operators_marks_are_kept(do, alice):
    who = By("staff:ann", "told by phone", AT)
    marks = Marks(region=Region.HK, is_student=True, child_mode=True, phone_reachable=True)
    found = do(lambda tx: customer.mark(tx, alice.consumer_id, marks, who))
    assert (found.region, found.is_student, found.child_mode, found.phone_reachable, found.version) == (
        Region.HK, True, True, True, 2,
    )  # fmt: skip
    for bad, code in ((who._replace(why=""), "WHY_REQUIRED"), (who, "REALNAME_REQUIRED")):
        with pytest.raises(Refusal, match=code):
            do(lambda tx, b=bad: customer.mark(tx, alice.consumer_id, Marks(real_name=RealName.MISMATCH), b))
    assert do(lambda tx: customer.versions(tx, [alice.consumer_id, new_id()])) == {alice.consumer_id: 2}


def test_a_mismatch_is_cured_by_proving_again(do, proved):
    alice, person = proved
    who = By("staff:ann", "bank says another name", AT)
    found = do(lambda tx: customer.mark(tx, alice.consumer_id, Marks(real_name=RealName.MISMATCH), who))
    assert found.real_name is RealName.MISMATCH
    again = do(
        lambda tx: customer.verify_real_name(
            tx, KEYS, alice.consumer_id, person.name, person.id_number, UNTIL, by(alice.consumer_id)
        )
    )
    assert again.real_name is RealName.VERIFIED
    do(lambda tx: customer.renew_document(tx, alice.consumer_id, date(2036, 1, 1), by(alice.consumer_id)))
    assert _get(do, alice.consumer_id).id_document_until_on == date(2036, 1, 1)


def test_people_of_the_demo_are_enrolled_once(do):
    person = people(3, date(2026, 8, 24))[2]
    who = By("system:seed", "the demo's people", AT)

    async def verb(tx):
        hashes = await customer.hash_password(PASSWORD), await customer.hash_password(PAY)
        first = await enrol(tx, KEYS, person, hashes[0], who, pay_password_hash=hashes[1])
        return first, await enrol(tx, KEYS, person, hashes[0], who, pay_password_hash=hashes[1])

    first, second = do(verb)
    assert first == second
    assert (first.cards, first.real_name, first.money_account, first.pay_password) == (
        1, RealName.VERIFIED, MoneyAccount.ACTIVE, PayPassword.SET,
    )  # fmt: skip
    assert do(lambda tx: customer.check_pay_password(tx, person.consumer_id, PAY, who)) is None
    assert _sign_in(do, person.sign_in_name, PASSWORD, address="a9").consumer_id == person.consumer_id
    assert bucket_of(person.consumer_id) == person.consumer_id.bytes[-1]
