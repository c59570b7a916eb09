"""The channels there are, by name."""

from __future__ import annotations

from functools import cache
from importlib import import_module

from fenqi.channels.contract import External

EXTERNAL = ("bank_card", "alipay", "wechat_pay", "huawei_pay")
"""The payment methods that a channel outside executes, by the name of both."""


@cache
def channel(name: str) -> External:
    """The adapter of a channel; a name that isn't on the shelf is a bug."""
    assert name in EXTERNAL, name
    found: External = import_module(f"fenqi.channels.{name}").CHANNEL
    return found
