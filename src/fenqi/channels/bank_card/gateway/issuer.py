"""The issuers behind the local UnionPay: cards with a balance, and test cards whose number decides the answer.

Any number that satisfies Luhn's check is a card of somebody's with enough on it, unless it carries the mark `8583` and
two digits before its check digit: those are the ISO 8583 code that its issuer answers with (`test_card`).
"""

from __future__ import annotations

import msgspec

from fenqi.channels.gateway.house import House

FIRST_BALANCE_MINOR = 100_000_000
MARK = "8583"
APPROVED = "00"
PENDING = "09"
"""The issuer has not decided: the trade waits until the control API (or the wallet's page) pays or declines it."""
NOT_FOUND = "14"
SHORT = "51"

ANSWERS: dict[str, tuple[str, str]] = {
    "01": ("60", "交易失败，详情请咨询您的发卡行"),
    "04": ("63", "卡状态不正确"),
    "05": ("60", "交易失败，详情请咨询您的发卡行"),
    "12": ("30", "交易未通过，请尝试使用其他银联卡支付或联系95516"),
    "13": ("33", "交易金额超限"),
    "14": ("61", "输入的卡号无效，请确认后输入"),
    "15": ("61", "输入的卡号无效，请确认后输入"),
    "33": ("73", "支付卡已超过有效期"),
    "34": ("38", "银联风险受限"),
    "36": ("63", "卡状态不正确"),
    "38": ("67", "密码输入次数超限"),
    "40": ("68", "您的银行卡暂不支持该业务，请向您的银行或95516咨询"),
    "41": ("63", "卡状态不正确"),
    "43": ("63", "卡状态不正确"),
    "51": ("64", "卡上的余额不足"),
    "54": ("73", "支付卡已超过有效期"),
    "55": ("65", "输入的密码、有效期或CVN2有误，交易失败"),
    "57": ("68", "您的银行卡暂不支持该业务，请向您的银行或95516咨询"),
    "58": ("62", "交易失败，发卡银行不支持该商户，请更换其他银行卡"),
    "59": ("38", "银联风险受限"),
    "61": ("33", "交易金额超限"),
    "62": ("78", "发卡行交易权限受限，详情请咨询您的发卡行"),
    "63": ("66", "持卡人身份信息或手机号输入不正确，验证失败"),
    "65": ("33", "交易金额超限"),
    "68": ("01", "交易失败。详情请咨询95516"),
    "75": ("67", "密码输入次数超限"),
    "90": ("01", "交易失败。详情请咨询95516"),
    "91": ("01", "交易失败。详情请咨询95516"),
    "92": ("01", "交易失败。详情请咨询95516"),
    "96": ("01", "交易失败。详情请咨询95516"),
    "98": ("01", "交易失败。详情请咨询95516"),
}
"""The issuer's code → UnionPay's own code and its words. Which of its own UnionPay gives for each is an assumption."""


class Card(msgspec.Struct, frozen=True):
    """A card at its issuer."""

    number: str
    balance_minor: int = FIRST_BALANCE_MINOR
    state: str = "active"
    """active, or the ISO code that every charge is answered with."""


def is_number(text: str) -> bool:
    """Whether a text is a card's number here: 13 to 19 digits that satisfy Luhn's check."""
    return text.isascii() and text.isdigit() and 13 <= len(text) <= 19 and luhn(text) == 0


def luhn(number: str) -> int:
    """Luhn's sum modulo 10 (ISO/IEC 7812-1, annex B); 0: the check digit is right."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10


def test_card(iso: str, prefix: str = "91560101", digits: int = 19) -> str:
    """The number whose issuer answers with this ISO code: prefix, zeros, 8583, the code, the check digit."""
    body = prefix + "0" * (digits - len(prefix) - len(MARK) - 3) + MARK + iso
    return body + str(-luhn(body + "0") % 10)


def card(house: House, number: str) -> Card:
    """The card with this number, as it stands."""
    kept = house.book.setting(f"bank_card:card:{number}")
    return msgspec.json.decode(kept, type=Card) if kept else Card(number)


def keep(house: House, there: Card) -> None:
    """Change a card: its balance, its state."""
    house.book.put_setting(f"bank_card:card:{there.number}", msgspec.json.encode(there).decode())


def decide(house: House, number: str, amount_minor: int) -> str:
    """The issuer's answer to a charge of this amount, ISO 8583; nothing is charged yet."""
    if not is_number(number):
        return NOT_FOUND
    if number[-7:-3] == MARK:
        return number[-3:-1]
    there = card(house, number)
    if there.state != "active":
        return there.state
    return APPROVED if amount_minor <= there.balance_minor else SHORT


def move(house: House, number: str, by_minor: int) -> None:
    """Put money on a card, or take it (negative)."""
    there = card(house, number)
    keep(house, msgspec.structs.replace(there, balance_minor=there.balance_minor + by_minor))


def answer_of(iso: str) -> tuple[str, str]:
    """UnionPay's respCode and respMsg for an issuer's code."""
    code, words = ANSWERS.get(iso, ("01", "交易失败。详情请咨询95516"))
    return code, f"{words}[10000{iso}]"


def token_of(house: House, number: str) -> str:
    """The token of a card at this UnionPay, 19 digits that are no card's number; the same at each asking."""
    key = f"bank_card:token_of:{number}"
    token = house.book.setting(key)
    if not token:
        token = _new_token(house)
        house.book.put_setting(key, token)
        house.book.put_setting(f"bank_card:token:{token}", number)
    return token


def _new_token(house: House) -> str:
    count = int(house.book.setting("bank_card:tokens", "0")) + 1
    house.book.put_setting("bank_card:tokens", str(count))
    body = f"6235240{count:011d}"
    return body + str((1 - luhn(body + "0")) % 10)


def number_of(house: House, token: str) -> str:
    """The number behind a token, or ""."""
    return house.book.setting(f"bank_card:token:{token}")
