"""What may be typed in: official examples accepted, everything near them refused; secrets that stay secret. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidTag

from fenqi.customer import Keys, check, issue_access_token, read_access_token
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.seed import people

TODAY = date(2026, 8, 24)
AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
KEYS = Keys(b"a secret of enough bytes")


def test_an_id_number_says_birth_date_and_sex():
    # The worked example of python-stdnum's own documentation (GB 11643 check digit, ISO 7064 MOD 11-2).
    assert check.id_number("360426199101010071", TODAY) == ("360426199101010071", date(1991, 1, 1), "male")
    assert check.id_number(" 11010519491231002x ", TODAY) == ("11010519491231002X", date(1949, 12, 31), "female")


@pytest.mark.parametrize(
    "text",
    ["", "360426199101010072", "36042619910101007", "360426199113010071", "abc", "999999199101010070", "３" * 18],
)
def test_wrong_id_numbers_are_refused(text):
    with pytest.raises(Refusal, match="ID_NUMBER_INVALID"):
        check.id_number(text, TODAY)


def test_nobody_is_born_tomorrow():
    with pytest.raises(Refusal, match="ID_NUMBER_INVALID"):
        check.id_number("360426199101010071", date(1990, 12, 31))


def test_phones_and_names_are_tidied():
    assert check.phone("+86 138-0013-8000") == "13800138000"
    assert check.sign_in_name(" Demo.001 ") == "demo.001"
    assert check.person_name("  欧阳   知远 ") == "欧阳 知远"
    assert check.person_name("迪丽·努尔") == "迪丽·努尔"


@pytest.mark.parametrize(
    ("rule", "text", "code"),
    [
        (check.phone, "10800138000", "PHONE_INVALID"),
        (check.phone, "1380013800", "PHONE_INVALID"),
        (check.phone, "138001380001", "PHONE_INVALID"),
        (check.phone, "１３８００１３８０００", "PHONE_INVALID"),
        (check.sign_in_name, "ab", "SIGN_IN_NAME_INVALID"),
        (check.sign_in_name, "1abc", "SIGN_IN_NAME_INVALID"),
        (check.sign_in_name, "a" * 31, "SIGN_IN_NAME_INVALID"),
        (check.sign_in_name, "abc\n", None),
        (check.sign_in_name, "a b c", "SIGN_IN_NAME_INVALID"),
        (check.person_name, "李", "NAME_INVALID"),
        (check.person_name, "<b>李</b>", "NAME_INVALID"),
        (check.person_name, "R2D2", "NAME_INVALID"),
        (check.person_name, "李" * 60, "NAME_INVALID"),
    ],
)
def test_what_is_typed_wrong_is_refused(rule, text, code):
    if code is None:
        assert rule(text) == text.strip()
        return
    with pytest.raises(Refusal, match=code):
        rule(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12345", "PAY_PASSWORD_INVALID"),
        ("1234567", "PAY_PASSWORD_INVALID"),
        ("12345a", "PAY_PASSWORD_INVALID"),
        ("１２３４５６", "PAY_PASSWORD_INVALID"),
        ("123456", "PAY_PASSWORD_WEAK"),
        ("987654", "PAY_PASSWORD_WEAK"),
        ("888888", "PAY_PASSWORD_WEAK"),
        ("121212", "PAY_PASSWORD_WEAK"),
        ("910305", "PAY_PASSWORD_WEAK"),
        ("199103", "PAY_PASSWORD_WEAK"),
    ],
)
def test_weak_pay_passwords_are_refused(text, code):
    with pytest.raises(Refusal, match=code):
        check.pay_password(text, date(1991, 3, 5))


@pytest.mark.parametrize("text", ["short12", "password", "a" * 129, "demo.alice"])
def test_weak_passwords_are_refused(text):
    with pytest.raises(Refusal, match="PASSWORD_WEAK"):
        check.password(text, "demo.alice")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("4111 1111 1111 1111", "CARD_BANK_UNKNOWN"),
        ("4111 1111 1111 1112", "CARD_INVALID"),
        ("9156010100000008", "CARD_INVALID"),
        ("12", "CARD_INVALID"),
        ("9" * 20, "CARD_INVALID"),
    ],
)
def test_cards_need_luhn_and_a_known_bank(text, code):
    with pytest.raises(Refusal, match=code):
        check.card_number(text)


def test_the_demos_people_hold_but_belong_to_nobody():
    everyone = people(400, TODAY)
    for person in everyone:
        parsed = check.id_number(person.id_number, TODAY)
        assert parsed.birth_on == person.birth_on
        assert person.id_number[14:17] in {"996", "997", "998", "999"}, "order codes that were kept for centenarians"
        assert 18 <= TODAY.year - person.birth_on.year <= 72
        assert check.phone(person.phone).startswith("12"), "a range that no operator has"
        assert check.card_number(person.card_number)[0].startswith("9156"), "a range that no card scheme has"
        assert check.person_name(person.name) == person.name
    for field in ("consumer_id", "sign_in_name", "phone", "id_number", "card_number"):
        assert len({getattr(person, field) for person in everyone}) == 400
    assert people(10, TODAY) == everyone[:10]


def test_what_is_sealed_opens_for_its_owner_only():
    alice, bob = new_id(), new_id()
    sealed = KEYS.seal("李若", alice)
    assert "李若".encode() not in sealed
    assert sealed != KEYS.seal("李若", alice)
    assert KEYS.unseal(sealed, alice) == "李若"
    for keys, owner in ((KEYS, bob), (Keys(b"another secret of enough"), alice)):
        with pytest.raises(InvalidTag):
            keys.unseal(sealed, owner)
    with pytest.raises(ValueError, match="16 bytes"):
        Keys(b"short")


def test_look_ups_depend_on_kind_and_key():
    assert KEYS.look_up("phone", "1") == KEYS.look_up("phone", "1")
    assert len({KEYS.look_up("phone", "1"), KEYS.look_up("card", "1"), Keys(b"x" * 16).look_up("phone", "1")}) == 3
    assert KEYS.person("11010519491231002x") == KEYS.person("11010519491231002X")


def test_access_tokens_hold_a_quarter_of_an_hour_and_can_not_be_forged():
    consumer = new_id()
    token = issue_access_token(KEYS, consumer, AT)
    assert read_access_token(KEYS, token, AT) == consumer
    assert read_access_token(KEYS, token, AT + timedelta(minutes=15)) is None
    assert read_access_token(Keys(b"another secret of enough"), token, AT) is None
    head, body, signature = token.split(".")
    for forged in (
        "",
        "fqa.",
        "fqa..",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}.{body[:-2]}.{signature}",
        "fqa.é.x",
    ):
        assert read_access_token(KEYS, forged, AT) is None
