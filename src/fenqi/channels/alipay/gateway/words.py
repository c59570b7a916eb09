"""The texts that Alipay's answers carry beside a code, and the refusal that carries both.

A method raises `Refused`; the protocol's version puts it into its own form.
"""

from __future__ import annotations

MESSAGES: dict[str, str] = {
    "ACQ.SYSTEM_ERROR": "系统错误",
    "ACQ.INVALID_PARAMETER": "参数无效",
    "ACQ.TRADE_NOT_EXIST": "交易不存在",
    "ACQ.TRADE_HAS_SUCCESS": "交易已被支付",
    "ACQ.TRADE_HAS_CLOSE": "交易已经关闭",
    "ACQ.TRADE_HAS_FINISHED": "交易已完结",
    "ACQ.TRADE_STATUS_ERROR": "交易状态不合法",
    "ACQ.CONTEXT_INCONSISTENT": "交易信息被篡改",
    "ACQ.TOTAL_FEE_EXCEED": "订单总金额不在允许范围内",
    "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR": "当前时间已超过允许支付的时间",
    "ACQ.SELLER_BEEN_BLOCKED": "商家账号被冻结",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "卖家余额不足",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": "退款金额超限",
    "ACQ.DISCORDANT_REPEAT_REQUEST": "请求信息不一致",
    "ACQ.CUSTOMER_VALIDATE_ERROR": "账户已注销或者被冻结",
    "ACQ.BUYER_BALANCE_NOT_ENOUGH": "买家余额不足",
    "ACQ.BUYER_BANKCARD_BALANCE_NOT_ENOUGH": "买家银行卡余额不足",
    "ACQ.BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR": "买家付款日限额超限",
    "ACQ.BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR": "买家付款月额度超限",
    "ACQ.ERROR_BALANCE_PAYMENT_DISABLE": "余额支付功能关闭",
    "ACQ.ERROR_BUYER_CERTIFY_LEVEL_LIMIT": "买家未通过人行认证",
    "ACQ.NO_PAYMENT_INSTRUMENTS_AVAILABLE": "没用可用的支付工具",
    "ACQ.PAYMENT_REQUEST_HAS_RISK": "支付有风险",
    "ACQ.BUYER_SELLER_EQUAL": "买卖家不能相同",
    "ACQ.PAYMENT_FAIL": "支付失败",
    "BILL_NOT_EXIST": "账单不存在",
    "isv.missing-app-id": "缺少AppID参数",
    "isv.invalid-app-id": "无效的AppID参数",
    "isv.missing-method": "缺少方法名参数",
    "isv.invalid-method": "不存在的方法名",
    "isv.missing-signature": "缺少签名参数",
    "isv.invalid-signature": "验签出错",
    "isv.missing-signature-type": "缺少签名类型参数",
    "isv.invalid-signature-type": "无效的签名类型",
    "isv.missing-timestamp": "缺少时间戳参数",
    "isv.invalid-timestamp": "非法的时间戳参数",
    "isv.missing-version": "缺少版本参数",
    "isv.invalid-charset": "字符集错误",
    "isv.invalid-format": "无效的数据格式",
    "isv.invalid-parameter": "参数无效",
    "isv.insufficient-isv-permissions": "ISV权限不足",
    "isp.unknow-error": "服务暂不可用",
}

GATEWAY: dict[str, str] = {
    "10000": "Success",
    "20000": "Service Currently Unavailable",
    "20001": "Insufficient Token Permissions",
    "40001": "Missing Required Arguments",
    "40002": "Invalid Arguments",
    "40004": "Business Failed",
    "40006": "Insufficient Permissions",
}
"""The gateway's codes of v2."""


class Refused(Exception):
    """An error in Alipay's words. `code` is v2's, `sub_code` with its prefix; V3 shows the latter without it."""

    def __init__(self, sub_code: str, message: str = "", *, code: str = "", status: int = 0) -> None:
        super().__init__(sub_code)
        self.sub_code = sub_code
        self.code = code or _gateway_code(sub_code)
        self.message = message or MESSAGES.get(sub_code, sub_code)
        self.status = status
        """HTTP's, for V3; 0: as usual."""


def _gateway_code(sub_code: str) -> str:
    if sub_code.startswith("isp."):
        return "20000"
    if sub_code.startswith("isv.missing-"):
        return "40001"
    if "permissions" in sub_code:
        return "40006"
    return "40002" if sub_code.startswith("isv.") else "40004"
