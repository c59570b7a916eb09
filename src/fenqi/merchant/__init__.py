"""The room of merchants: registration, states with history, contracts per payment method, related persons, API keys.

Reference data: every change raises the epoch of kind `merchant`.
"""

from fenqi.merchant.api_key import check_api_key, create_api_key, revoke_api_key
from fenqi.merchant.change_state import change_state
from fenqi.merchant.contract import end_contract, relate, sign_contract
from fenqi.merchant.model import (
    ApiKey,
    Contract,
    HistoryRow,
    Merchant,
    MerchantKind,
    MerchantState,
    Relation,
    Scope,
    Seller,
)
from fenqi.merchant.register import get, get_all, get_history, register
from fenqi.merchant.seller import ask, asked_counts, sellers

__all__ = [
    "ApiKey",
    "Contract",
    "HistoryRow",
    "Merchant",
    "MerchantKind",
    "MerchantState",
    "Relation",
    "Scope",
    "Seller",
    "ask",
    "asked_counts",
    "change_state",
    "check_api_key",
    "create_api_key",
    "end_contract",
    "get",
    "get_all",
    "get_history",
    "register",
    "relate",
    "revoke_api_key",
    "sellers",
    "sign_contract",
]
