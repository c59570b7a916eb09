"""Merchants: who sells, in which state, under which contracts; and the keys with which they call the API.

Merchants and contracts are reference data, cached by processes; buyers' asks and the merchant's shares of payments and
refunds are the merchant's own rows.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class MerchantKind(StrEnum):
    """How the merchant stands to the mall: its own shop, a shop on it, or a partner outside."""

    SELF_OPERATED = "self_operated"
    THIRD_PARTY = "third_party"
    EXTERNAL = "external"


class MerchantState(StrEnum):
    """Whether the merchant may sell; everything but `active` stops payments to it."""

    ACTIVE = "active"
    FROZEN = "frozen"
    CONTRACT_EXPIRED = "contract_expired"
    COLLECTION_CAP = "collection_cap"
    CLOSED = "closed"


_S = MerchantState
MOVES: dict[MerchantState, frozenset[MerchantState]] = {
    _S.ACTIVE: frozenset({_S.FROZEN, _S.CONTRACT_EXPIRED, _S.COLLECTION_CAP, _S.CLOSED}),
    _S.FROZEN: frozenset({_S.ACTIVE, _S.CONTRACT_EXPIRED, _S.CLOSED}),
    _S.CONTRACT_EXPIRED: frozenset({_S.ACTIVE, _S.FROZEN, _S.CLOSED}),
    _S.COLLECTION_CAP: frozenset({_S.ACTIVE, _S.FROZEN, _S.CONTRACT_EXPIRED, _S.CLOSED}),
    _S.CLOSED: frozenset(),
}


class Relation(StrEnum):
    """How a person belongs to a merchant: buying there on credit would be self-dealing."""

    OWNER = "owner"
    SPOUSE = "spouse"
    LEGAL_PERSON = "legal_person"
    BENEFICIARY = "beneficiary"
    STAFF = "staff"


class Scope(StrEnum):
    """What an API key may do."""

    ORDERS_WRITE = "orders:write"
    ORDERS_READ = "orders:read"
    CHECKOUTS_WRITE = "checkouts:write"
    PAYMENTS_WRITE = "payments:write"
    PAYMENTS_READ = "payments:read"
    REFUNDS_WRITE = "refunds:write"
    WEBHOOKS_MANAGE = "webhooks:manage"
    KEYS_MANAGE = "keys:manage"


class Merchant(msgspec.Struct, frozen=True):
    """A merchant as stored."""

    merchant_id: UUID
    number: str
    kind: MerchantKind
    name_zh: str
    name_en: str
    state: MerchantState
    state_until_at: datetime | None
    version: int
    registered_at: datetime


class Contract(msgspec.Struct, frozen=True):
    """A payment method enabled for a merchant from `effective_on` to `ends_on`, both days included."""

    merchant_id: UUID
    method: str
    effective_on: date
    ends_on: date | None

    def holds(self, on: date) -> bool:
        """Whether it is in force on business date `on`."""
        return self.effective_on <= on and (self.ends_on is None or on <= self.ends_on)


class Seller(msgspec.Struct, frozen=True):
    """A merchant with its contracts and related persons: all that the facts about a seller need."""

    merchant: Merchant
    contracts: tuple[Contract, ...]
    related: frozenset[bytes]
    """`person_hash` of its owners and others who would deal with themselves."""

    def methods(self, on: date) -> tuple[str, ...]:
        """Methods that contracts enable on business date `on`, sorted."""
        return tuple(sorted({contract.method for contract in self.contracts if contract.holds(on)}))


class HistoryRow(msgspec.Struct, frozen=True):
    """One change of a merchant: who, when, why."""

    verb: str
    from_state: str | None
    to_state: str | None
    detail: dict[str, object]
    actor: str
    why: str
    at: datetime


class ApiKey(msgspec.Struct, frozen=True):
    """A merchant's API key, without the key."""

    key_id: UUID
    merchant_id: UUID
    label: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None
    revoked_at: datetime | None
    created_by: str
    created_at: datetime
    last_used_on: date | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the key carries this scope."""
        return scope in self.scopes

    def in_use(self, at: datetime) -> bool:
        """Whether it is good at this instant: neither revoked nor past its end."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class RefundState(StrEnum):
    """Where a refund stands; a failed one may succeed after all, when it is tried again."""

    CREATED = "created"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class PaymentShare(msgspec.Struct, frozen=True):
    """What a payment paid for the merchant's goods, and how much of it is being or has been given back."""

    merchant_id: UUID
    payment_id: UUID
    consumer_id: UUID
    """Whose payment it is; never told to the merchant."""
    order_id: UUID
    order_number: str
    amount_minor: int
    currency: str
    paid_at: datetime
    refunded_minor: int = 0


class RefundShare(msgspec.Struct, frozen=True):
    """The merchant's part of a refund."""

    merchant_id: UUID
    refund_id: UUID
    payment_id: UUID
    order_id: UUID
    amount_minor: int
    state: RefundState
    code: str
    """Why it failed."""
    made_at: datetime
    changed_at: datetime
