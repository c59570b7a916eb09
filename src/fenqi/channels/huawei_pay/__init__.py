"""Huawei Pay (Payment Kit's server interface): app orders, queries, closing, refunds, callbacks; no bills.

`CHANNEL` is the adapter behind the common contract; `gateway` plays the other side on this machine.
"""

from __future__ import annotations

from fenqi.channels.huawei_pay.adapter import HuaweiPay

__all__ = ["CHANNEL", "HuaweiPay"]

CHANNEL = HuaweiPay()
