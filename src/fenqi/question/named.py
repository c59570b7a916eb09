"""Which payment method a question names, where it names one."""

from __future__ import annotations

from fenqi.question.normalise import normalise

_NAMES: dict[str, tuple[str, ...]] = {
    "wechat_pay": ("微信", "wechat", "weixin"),
    "alipay": ("支付宝", "alipay"),
    "huawei_pay": ("华为支付", "华为钱包", "huawei pay"),
    "money_account": ("小金库", "余额支付", "money account", "wallet balance"),
    "bank_card": ("银行卡", "信用卡", "储蓄卡", "bank card", "credit card", "debit card", "my card"),
}


def method_named(text: str) -> str | None:
    """The code of the method named, if one is, and the credit line is not beside it."""
    said = normalise(text)
    if "§" in said:
        return None
    return next((method for method, names in _NAMES.items() if any(name in said for name in names)), None)
