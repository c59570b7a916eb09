"""WeChat Pay's own side on this machine: API v3 as its merchants see it, over the gateways' common house.

Times of signatures are the machine's (whatever the house's clock plays), times of trade are the house's.
"""

from __future__ import annotations

from fenqi.channels.wechat_pay.gateway.side import WechatPaySide

__all__ = ["SIDE"]

SIDE = WechatPaySide()
