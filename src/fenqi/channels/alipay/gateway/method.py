"""The shelf of methods that both protocols reach, with the faults and bans that stand before each of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fenqi.channels.alipay.gateway import bill, trade
from fenqi.channels.alipay.gateway.trade import CHANNEL, PRODUCTS, Common, Method, Values
from fenqi.channels.alipay.gateway.words import Refused
from fenqi.channels.alipay.sign import verify
from fenqi.channels.gateway.fault import Fault
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account

METHODS: Mapping[str, tuple[str, Method]] = {
    "alipay.trade.precreate": ("pay", trade.precreate),
    "alipay.trade.query": ("query", trade.query),
    "alipay.trade.close": ("close", trade.close),
    "alipay.trade.refund": ("refund", trade.refund),
    "alipay.trade.fastpay.refund.query": ("query_refund", trade.query_refund),
    "alipay.data.dataservice.bill.downloadurl.query": ("bill", bill.address),
}
"""Method → the house's word for the operation, and what it does."""


def operation_of(method: str) -> str | None:
    """The house's word for a method; None: no such method."""
    if method in METHODS:
        return METHODS[method][0]
    return "pay" if method in PRODUCTS else None


def verified(house: House, account: Account, text: str, signature: str) -> bool:
    """Whether the merchant signed, with the newest of its keys or an older one."""
    known = house.book.versions(account.channel, account.account_id)
    return any(verify(text, signature, one.values["app_public_key"]) for one in known)


def perform(
    house: House, account: Account, method: str, values: Values, common: Common, how: Method | None = None
) -> dict[str, Any]:  # fmt: skip
    """Carry out a method, or what `how` says, with the faults that fit. Raises Refused."""
    operation = operation_of(method) or ""
    _not_banned(house, account, operation)
    fault = house.fault(CHANNEL, operation, "error", account_id=account.account_id)
    if fault is not None and fault.text("when", "before") != "after":
        raise _told(fault)
    answer = (how or METHODS[method][1])(house, account, values, common)
    if fault is not None:
        raise _told(fault)
    return answer


def _not_banned(house: House, account: Account, operation: str) -> None:
    """A banned merchant takes no new money; what it has taken it can still ask about, close and give back, unless the
    fault names that operation."""
    if operation == "pay":
        if house.is_banned(account, operation):
            raise Refused("ACQ.SELLER_BEEN_BLOCKED")
    elif house.fault(CHANNEL, operation, "merchant_banned", account_id=account.account_id):
        raise Refused("isv.insufficient-isv-permissions")


def _told(fault: Fault) -> Refused:
    """The error that a fault asks for: `sub_code` under `code`, or `code` alone when it is no number."""
    code, sub_code = fault.text("code"), fault.text("sub_code")
    if not code.isdigit():
        code, sub_code = "", sub_code or code
    if not sub_code:
        sub_code = {"": "ACQ.SYSTEM_ERROR", "20000": "isp.unknow-error"}.get(code, f"isv.{code}")
    return Refused(sub_code, fault.text("message"), code=code, status=fault.number("status", 0))
