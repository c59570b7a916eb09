"""Consumers as decisions see them (derived values only), and apart from that who they are, their cards and sessions."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class PayPassword(StrEnum):
    """Whether the pay password can be used."""

    NONE = "none"
    SET = "set"
    LOCKED = "locked"


class RealName(StrEnum):
    """Whether the consumer has proved who they are."""

    NONE = "none"
    VERIFIED = "verified"
    MISMATCH = "mismatch"


class Region(StrEnum):
    """Where the identity document was issued."""

    CN = "CN"
    HK = "HK"
    MO = "MO"
    TW = "TW"
    OTHER = "other"


class MoneyAccount(StrEnum):
    """The state of the money account (小金库); its balance lies in the ledger."""

    NONE = "none"
    ACTIVE = "active"
    FROZEN = "frozen"


class Purpose(StrEnum):
    """What an SMS code is for; a code for one purpose opens nothing else."""

    PHONE = "phone"
    STEP_UP = "step_up"
    BIND_CARD = "bind_card"
    PAY_PASSWORD = "pay_password"
    UNLOCK = "unlock"
    SIGN_IN = "sign_in"


class CardState(StrEnum):
    """Where a card stands."""

    AWAITING_CODE = "awaiting_code"
    BOUND = "bound"
    UNBOUND = "unbound"
    LAPSED = "lapsed"


class Consumer(msgspec.Struct, frozen=True):
    """A consumer without anything personal beyond what rules ask for."""

    consumer_id: UUID
    state: str
    pay_password: PayPassword
    pay_password_locked_until_at: datetime | None
    real_name: RealName
    person_hash: bytes | None
    """Keyed hash of the id number: the same person, whichever account."""
    birth_on: date | None
    sex: str | None
    id_document_until_on: date | None
    region: Region
    is_student: bool
    child_mode: bool
    phone_reachable: bool
    sms_blocked_until_at: datetime | None
    stepped_up_until_at: datetime | None
    money_account: MoneyAccount
    pay_switch_on: bool
    version: int
    created_at: datetime
    cards: int = 0
    """Bound bank cards."""
    segments: tuple[str, ...] = ()
    """Groups that the consumer has shown to belong to, as policy names them; in the order of their names."""
    kind: str = "account"
    """account | walk_in: a buyer at a partner's who has no account here, known by one order only."""
    id_checked_until_at: datetime | None = None
    """Until when the last proof of one's name and id number anew counts."""

    def age(self, on: date) -> int:
        """Completed years on business date `on`; 0 while the birth date is unknown."""
        if self.birth_on is None:
            return 0
        return on.year - self.birth_on.year - ((on.month, on.day) < (self.birth_on.month, self.birth_on.day))

    def pay_password_at(self, at: datetime) -> PayPassword:
        """The pay password's state at an instant: a lock ends by itself."""
        until = self.pay_password_locked_until_at
        over = self.pay_password is PayPassword.LOCKED and until is not None and until <= at
        return PayPassword.SET if over else self.pay_password


class Credentials(msgspec.Struct, frozen=True):
    """What proves a consumer, and the counters that slow down guessing. Never leaves the room."""

    password_hash: str
    pay_password_hash: str | None
    pay_password_failures: int
    sms_window_from_at: datetime | None
    sms_window_count: int
    sms_last_at: datetime | None


class NewConsumer(msgspec.Struct, frozen=True):
    """Somebody who signs up. `consumer_id` is the caller's."""

    consumer_id: UUID
    sign_in_name: str
    phone: str
    region: Region = Region.CN
    phone_reachable: bool = False
    """True only where the phone has been proved otherwise; an SMS code proves it later."""


class Person(msgspec.Struct, frozen=True):
    """Who a consumer is. For pages of the consumer's own and staff with a reason; never in facts or logs."""

    sign_in_name: str
    phone: str
    name: str | None
    id_number: str | None

    @property
    def masked_phone(self) -> str:
        """138****5678"""
        return f"{self.phone[:3]}****{self.phone[-4:]}"

    @property
    def masked_name(self) -> str | None:
        """All but the first character hidden: 李**"""
        return None if self.name is None else self.name[0] + "*" * (len(self.name) - 1)

    @property
    def masked_id_number(self) -> str | None:
        """3**************X"""
        return None if self.id_number is None else f"{self.id_number[0]}{'*' * 16}{self.id_number[-1]}"


class Marks(msgspec.Struct, frozen=True, omit_defaults=True):
    """What operators may set about a consumer; None leaves it as it is."""

    region: Region | None = None
    is_student: bool | None = None
    child_mode: bool | None = None
    phone_reachable: bool | None = None
    real_name: RealName | None = None
    """Only verified ↔ mismatch: a name is first proved by the consumer."""


class Card(msgspec.Struct, frozen=True):
    """A bank card: never its number, only what a person recognises it by."""

    card_id: UUID
    state: CardState
    fingerprint: bytes
    bank: str
    kind: str
    """debit | credit"""
    masked: str
    """"**** 1234" """
    code_id: UUID | None
    """The SMS code that binds it; None where its owner was proved elsewhere."""
    asked_at: datetime
    bound_at: datetime | None


class Code(msgspec.Struct, frozen=True):
    """An SMS code as stored: a hash."""

    code_id: UUID
    code_hash: bytes
    failures: int
    expires_at: datetime


class PhoneMessage(msgspec.Struct, frozen=True):
    """A message on the consumer's phone."""

    message_id: UUID
    consumer_id: UUID
    text_zh: str
    text_en: str
    sent_at: datetime


class HistoryRow(msgspec.Struct, frozen=True):
    """One change of a consumer: who, when, why."""

    verb: str
    detail: dict[str, object]
    actor: str
    why: str
    at: datetime


class SignedIn(msgspec.Struct, frozen=True):
    """A new session; `token` goes into the cookie and is kept only as a hash."""

    consumer_id: UUID
    token: str
    expires_at: datetime
