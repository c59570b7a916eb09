"""WeChat Pay, API v3: JSAPI, H5, native QR and app payments, refunds, sealed notices, trade and fund-flow bills.

`CHANNEL` is the adapter behind the common contract; `gateway` plays the other side on this machine.
"""

from __future__ import annotations

from fenqi.channels.wechat_pay.adapter import WechatPay

__all__ = ["CHANNEL", "WechatPay"]

CHANNEL = WechatPay()
