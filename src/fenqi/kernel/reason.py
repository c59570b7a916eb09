"""Reasons: why a payment method can't be used, as typed values from one closed dictionary.

Each code says in which layer it arises, who can fix it and how openly it may be told. A bare "no" cannot be built:
`Reason` needs a code of the dictionary.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fenqi.kernel.reason_codes import CODES, CodeMeta, Disclosure, Fixer, Layer

__all__ = ["CODES", "CodeMeta", "Disclosure", "Fixer", "Layer", "Reason", "Scope", "ScopeKind", "Value"]

Value = int | str | bool | None
"""What was observed or required. The name's suffix is its unit: `_minor`, `_on` (ISO date), `_at_ms`, `_count`."""


class ScopeKind(StrEnum):
    """What a reason is about."""

    METHOD = "method"
    ORDER = "order"
    LINE = "line"
    SELLER = "seller"
    ACCOUNT = "account"
    CHANNEL = "channel"
    PLAN = "plan"


class Scope(msgspec.Struct, frozen=True, order=True):
    """What a reason is about: a kind and the ids of the things (line ids, a merchant id, a plan code …)."""

    kind: ScopeKind
    ids: tuple[str, ...] = ()


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason why `method` (with `plan`, when it is about a plan) can't be used here."""

    code: str
    method: str
    scope: Scope
    observed: dict[str, Value] = {}
    required: dict[str, Value] = {}
    plan: str | None = None
    until_ms: int | None = None
    """When it ends by itself (Unix milliseconds), if it does."""
    depends_on: str | None = None
    """The code of a reason that hides this one's facts: the limit of a line that is not open yet."""
    policy_version: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is not in the dictionary of reasons")

    @property
    def meta(self) -> CodeMeta:
        """The dictionary's entry of this code."""
        return CODES[self.code]

    @property
    def public_code(self) -> str:
        """The code that a buyer may see: the public twin of a generic one, the code itself otherwise."""
        return self.meta.twin or self.code
