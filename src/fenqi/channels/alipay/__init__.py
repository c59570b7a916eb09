"""Alipay: page, wap, app and QR payments, 花呗 instalments, refunds, notices and bills, over OpenAPI and V3 REST."""

from __future__ import annotations

from fenqi.channels.alipay.adapter import CHANNEL, Alipay

__all__ = ["CHANNEL", "Alipay"]
