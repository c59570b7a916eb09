"""Invented people with numbers that hold but belong to nobody: id cards, phones and bank cards, the same every time.

Id numbers use order codes 996–999, which GB 11643 kept for centenarians, for people who are younger; phones begin
with 12, which no operator has; cards belong to the invented banks of `customer.check`.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

import stdnum.cn.ric
import stdnum.luhn

from fenqi import customer
from fenqi.customer import Consumer, Keys, NewConsumer
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.seed.ident import seed_id

SEED = 20_260_102
_FAMILY = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹苏潘范彭鲁韦马方任袁柳唐罗薛贺"
_GIVEN_F = "芷若清岚映雪念慈听荷晚晴书瑶语桐沐妍可心知夏采薇思齐以宁静姝"
_GIVEN_M = "知远承泽景行望舒砚秋子墨云起一鸣长风明哲思源怀瑾仲谋立言致和"
_REGIONS = (
    "110101",
    "110105",
    "310101",
    "310115",
    "320106",
    "330106",
    "420106",
    "440106",
    "440305",
    "500103",
    "510104",
)
_BINS = ("91560101", "91560201", "91560301", "91560401", "91560102", "91560302")


class SeedPerson(NamedTuple):
    """One invented person."""

    consumer_id: UUID
    sign_in_name: str
    phone: str
    name: str
    id_number: str
    birth_on: date
    document_until_on: date
    card_number: str
    is_student: bool


def people(count: int, today_on: date, seed: int = SEED) -> list[SeedPerson]:
    """`count` people from 18 to 70 on `today_on`, every eighteenth a student; the first ones stay the same for any
    count."""
    return [_person(number, today_on, random.Random(f"{seed}/{number}")) for number in range(count)]


def _person(number: int, today_on: date, rng: random.Random) -> SeedPerson:
    student = number % 18 == 17
    years = rng.randint(18, 22) if student else min(70, max(19, round(rng.gauss(33, 9))))
    birth_on = today_on - timedelta(days=int(years * 365.2425) + 3 + rng.randrange(350))
    female = rng.random() < 0.5
    return SeedPerson(
        seed_id("consumer", str(number)),
        f"demo{number + 1:03d}",
        f"12{rng.randrange(10)}{number:08d}",
        name_of(rng, female),
        id_number(birth_on, female, rng),
        birth_on,
        today_on + timedelta(days=rng.randrange(200, 3_500)),
        card_number(rng.choice(_BINS), rng),
        student,
    )


def name_of(rng: random.Random, female: bool) -> str:
    """A name that nobody was asked for: a family name and one or two characters."""
    given = _GIVEN_F if female else _GIVEN_M
    return rng.choice(_FAMILY) + "".join(rng.sample(given, rng.choice((1, 2, 2, 2))))


def id_number(birth_on: date, female: bool, rng: random.Random) -> str:
    """A valid id number that nobody has: even order codes are women's, odd ones men's."""
    order = rng.choice((996, 998) if female else (997, 999))
    while True:
        body = f"{rng.choice(_REGIONS)}{birth_on:%Y%m%d}{order}"
        number = body + stdnum.cn.ric.calc_check_digit(body + "0")
        if stdnum.cn.ric.is_valid(number):  # the region had this code in the year of birth
            return number


def card_number(issuer: str, rng: random.Random) -> str:
    """A card number of an invented bank with a right check digit (Luhn)."""
    digits = 19 if issuer.endswith("01") else 16
    body = issuer + "".join(str(rng.randrange(10)) for _ in range(digits - len(issuer) - 1))
    return body + stdnum.luhn.calc_check_digit(body)


async def enrol(
    tx: Tx,
    keys: Keys,
    person: SeedPerson,
    password_hash: str,
    by: By,
    *,
    pay_password_hash: str | None = None,
    real_name: bool = True,
    card: bool = True,
    wallet: bool = True,
) -> Consumer:
    """Sign a person up as the demo needs them: name proved, card bound, money account open, unless told otherwise.

    A repeat returns the consumer as they are.
    """
    there = await customer.get_many(tx, [person.consumer_id])
    if person.consumer_id in there:
        return there[person.consumer_id]
    new = NewConsumer(person.consumer_id, person.sign_in_name, person.phone, phone_reachable=True)
    await customer.add_consumer(tx, keys, new, password_hash, by, pay_password_hash)
    if real_name:
        await customer.verify_real_name(
            tx, keys, person.consumer_id, person.name, person.id_number, person.document_until_on, by
        )
    if real_name and wallet:
        await customer.open_money_account(tx, person.consumer_id, by)
    if real_name and card:
        await customer.add_bound_card(tx, keys, person.consumer_id, person.card_number, by)
    if person.is_student:
        await customer.mark(tx, person.consumer_id, customer.Marks(is_student=True), by)
    return await customer.get(tx, person.consumer_id)
