"""The local Huawei Pay, as a side of the gateways' common house.

A phone's checkout is played by the common wallet: `/huawei_pay/q/<prepay_id>` opens it.
"""

from __future__ import annotations

from fenqi.channels.huawei_pay.gateway.side import PaymentKit

__all__ = ["SIDE", "PaymentKit"]

SIDE = PaymentKit()
