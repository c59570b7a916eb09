"""What may be typed in: phones, names, id numbers, card numbers, passwords. Pure; everything else is refused."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

import stdnum.cn.ric
import stdnum.luhn
from stdnum.exceptions import ValidationError

from fenqi.kernel.refusal import Refusal

_SIGN_IN_NAME = re.compile(r"[a-z][a-z0-9_.-]{2,29}\Z")
_PHONE = re.compile(r"1[2-9][0-9]{9}\Z")
_PERSON_NAME = re.compile(r"[^\W\d_]{1,30}(?:[ ·'-][^\W\d_]{1,30}){0,5}\Z")
_PAY_PASSWORD = re.compile(r"[0-9]{6}\Z")
_WEAK_RUNS = ("01234567890", "09876543210")
_COMMON = frozenset({"password", "12345678", "123456789", "1234567890", "qwertyui", "11111111", "88888888", "00000000"})


class Bin(NamedTuple):
    """An issuer's range of card numbers."""

    bank_zh: str
    bank_en: str
    kind: str
    digits: int


BINS: dict[str, Bin] = {
    "91560101": Bin("晨星银行", "Morning Star Bank", "debit", 19),
    "91560102": Bin("晨星银行", "Morning Star Bank", "credit", 16),
    "91560201": Bin("青禾银行", "Qinghe Bank", "debit", 19),
    "91560301": Bin("远帆银行", "Far Sail Bank", "debit", 19),
    "91560302": Bin("远帆银行", "Far Sail Bank", "credit", 16),
    "91560401": Bin("南屏农商银行", "Nanping Rural Bank", "debit", 19),
}
"""Invented issuers. Numbers that begin with 9 and a country code (156, China) are for national use by ISO/IEC 7812,
and no card scheme issues them, so no real card can be typed in by mistake."""


class IdNumber(NamedTuple):
    """What a resident's id number says."""

    number: str
    birth_on: date
    sex: str


def sign_in_name(text: str) -> str:
    """Lower-cased; refuses anything but 3 to 30 of a–z, 0–9, _ . - with a letter first (SIGN_IN_NAME_INVALID)."""
    name = text.strip().lower()
    if not _SIGN_IN_NAME.match(name):
        raise Refusal("SIGN_IN_NAME_INVALID", "3 to 30 letters, digits, _ . -, a letter first")
    return name


def phone(text: str) -> str:
    """Eleven digits without spaces or country code; refuses other numbers (PHONE_INVALID).

    Beside the assigned mobile ranges (13 to 19) it takes 12, which no operator has: demo people live there.
    """
    number = re.sub(r"[\s-]", "", text).removeprefix("+86")
    if not _PHONE.match(number):
        raise Refusal("PHONE_INVALID", "a mobile number has 11 digits")
    return number


def person_name(text: str) -> str:
    """A person's name, trimmed; refuses digits, symbols and absurd lengths (NAME_INVALID)."""
    name = " ".join(text.split())
    if len(name) < 2 or not _PERSON_NAME.match(name):
        raise Refusal("NAME_INVALID", "write the name as on the identity card")
    return name


def id_number(text: str, today_on: date) -> IdNumber:
    """The resident's id number with what it says (GB 11643: region, birth date, order code, check digit).

    Refuses one that is wrong in form, region, date or check digit, or born after today (ID_NUMBER_INVALID).
    """
    try:
        number = stdnum.cn.ric.validate(text)
        birth_on = stdnum.cn.ric.get_birth_date(number)
    except ValidationError:
        raise Refusal("ID_NUMBER_INVALID", "the id number's region, date or check digit is wrong") from None
    if not date(1900, 1, 1) <= birth_on <= today_on:
        raise Refusal("ID_NUMBER_INVALID", "nobody alive was born on that date")
    return IdNumber(number, birth_on, "male" if int(number[16]) % 2 else "female")


def card_number(text: str) -> tuple[str, Bin]:
    """A bank card's digits with its issuer; refuses a wrong check digit or length (CARD_INVALID) and issuers that
    aren't known (CARD_BANK_UNKNOWN)."""
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{12,19}", digits, re.ASCII) or not stdnum.luhn.is_valid(digits):
        raise Refusal("CARD_INVALID", "the card number's length or check digit is wrong")
    issuer = BINS.get(digits[:8])
    if issuer is None:
        raise Refusal("CARD_BANK_UNKNOWN", "cards of this bank can't be bound")
    if len(digits) != issuer.digits:
        raise Refusal("CARD_INVALID", f"a card of this bank has {issuer.digits} digits")
    return digits, issuer


def password(text: str, name: str) -> str:
    """The sign-in password itself; refuses short, long, common ones and the name itself (PASSWORD_WEAK)."""
    if not 8 <= len(text) <= 128 or text.lower() in _COMMON or text.lower() == name:
        raise Refusal("PASSWORD_WEAK", "8 to 128 characters, not a common one, not the sign-in name")
    return text


def pay_password(text: str, birth_on: date | None) -> str:
    """The pay password itself; refuses anything but 6 digits (PAY_PASSWORD_INVALID), and repeats, runs and the
    birth date (PAY_PASSWORD_WEAK)."""
    if not _PAY_PASSWORD.match(text):
        raise Refusal("PAY_PASSWORD_INVALID", "six digits")
    birthday = birth_on is not None and text in (birth_on.strftime("%y%m%d"), birth_on.strftime("%Y%m"))
    if len(set(text)) < 3 or any(text in run for run in _WEAK_RUNS) or birthday:
        raise Refusal("PAY_PASSWORD_WEAK", "no repeats, no runs, not the birth date")
    return text
