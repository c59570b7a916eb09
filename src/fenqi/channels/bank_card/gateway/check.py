"""What the local UnionPay demands of a request before it does anything: the merchant, the signature, the form."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from fenqi.channels.bank_card import sign
from fenqi.channels.bank_card.gateway import issuer
from fenqi.channels.bank_card.message import DIRECT, VERSION, read_braced, read_time
from fenqi.channels.gateway.fault import Fault
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account

CHANNEL = "bank_card"
_ORDER = re.compile(r"[0-9A-Za-z]{8,40}\Z")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}\Z")

NEEDED: dict[str, tuple[str, ...]] = {
    "00": ("orderId", "txnTime"),
    "01": ("orderId", "txnTime", "txnAmt", "currencyCode", "backUrl", "channelType"),
    "04": ("orderId", "txnTime", "txnAmt", "origQryId", "backUrl", "channelType"),
    "31": ("orderId", "txnTime", "txnAmt", "origQryId", "backUrl", "channelType"),
    "12": ("orderId", "txnTime", "txnAmt", "currencyCode", "channelType"),
    "76": ("txnTime", "settleDate", "fileType"),
    "79": ("orderId", "txnTime", "accNo", "tokenPayData"),
}
WORDS = {
    "00": "成功",
    "02": "系统未开放或暂时关闭，请稍后再试",
    "03": "交易通讯超时，请发起查询交易",
    "04": "交易状态未明，请查询对账结果",
    "05": "交易已受理，请稍后查询交易结果",
    "10": "报文格式错误",
    "11": "验证签名失败",
    "12": "重复交易",
    "13": "报文交易要素缺失",
    "31": "商户状态不正确",
    "32": "商户无此交易权限",
    "33": "交易金额超限",
    "34": "查无此交易",
    "35": "原交易不存在或状态不正确",
    "36": "与原交易信息不符",
    "39": "交易不在受理时间范围内",
    "40": "绑定关系检查失败",
    "45": "已被成功退货或已被成功撤销",
    "64": "卡上的余额不足",
    "69": "您的输入超时，交易失败",
    "98": "文件不存在",
    "99": "通用错误",
}


class Refused(Exception):
    """UnionPay says no. `code`: its own two digits; `message` with the issuer's code in it, where there is one."""

    def __init__(self, code: str, why: str = "", message: str = "") -> None:
        super().__init__(f"{code} {why}")
        self.code = code
        self.message = message or words(code, why)


def words(code: str, why: str = "") -> str:
    """A respMsg: words, and seven digits. Those of UnionPay's own refusals are an assumption, all zeros are not."""
    text = WORDS.get(code, "交易失败。详情请咨询95516") + (f"({why})" if why else "")
    return f"{text}[{'0000000' if code == '00' else f'90000{code}'}]"


def account_of(house: House, fields: dict[str, str]) -> Account:
    """The merchant, once its signature holds: by the certificate of any of its versions. Refused 31, 11."""
    mer_id = fields.get("merId", "")
    account = house.book.account(CHANNEL, mer_id)
    if account is None:
        raise Refused("31", "no such merchant")
    for version in house.book.versions(CHANNEL, mer_id):
        if version.values["cert_id"] == fields.get("certId"):
            key = sign.load_certificate(version.values["mer_cert"]).public_key()
            assert isinstance(key, RSAPublicKey)
            if sign.holds(fields, key):
                return account
    raise Refused("11")


def form_of(fields: dict[str, str]) -> None:
    """The fields that every request has, and those of its kind. Refused 13, 10."""
    if fields.get("version") != VERSION or fields.get("signMethod") != sign.RSA or fields.get("accessType") != DIRECT:
        raise Refused("10", "version, signMethod or accessType")
    if fields.get("encoding", "").upper() != "UTF-8":
        raise Refused("10", "encoding")
    needed = NEEDED.get(fields.get("txnType", ""))
    if needed is None:
        raise Refused("32", "txnType")
    for name in (*needed, "txnSubType", "bizType"):
        if not fields.get(name):
            raise Refused("13", name)
    if "orderId" in needed and not _ORDER.match(fields["orderId"]):
        raise Refused("10", "orderId")
    if "txnAmt" in needed and not _AMOUNT.match(fields["txnAmt"]):
        raise Refused("10", "txnAmt")
    if fields.get("currencyCode", "156") != "156":
        raise Refused("10", "currencyCode")
    _times_and_addresses(fields)


def _times_and_addresses(fields: dict[str, str]) -> None:
    for name in ("txnTime", "payTimeout"):
        if name in fields:
            try:
                read_time(fields[name])
            except ValueError as error:
                raise Refused("10", name) from error
    for name in ("frontUrl", "backUrl"):
        if "?" in fields.get(name, ""):
            raise Refused("10", f"{name} has a query string")


def told_by(fault: Fault) -> Refused:
    """The refusal that a fault `error` asks for: code, and an issuer's ISO code as its sub_code."""
    code, iso = fault.text("code", "99"), fault.text("sub_code")
    return Refused(code, message=issuer.answer_of(iso)[1] if iso else fault.text("message"))


def card_of(house: House, account: Account, fields: dict[str, str]) -> str:
    """The card's number that a request means: encrypted for us, or by a token of ours. Refused 10, 40."""
    if "accNo" in fields:
        for version in house.book.versions(CHANNEL, account.account_id):
            if version.values["read_cert_id"] == fields.get("encryptCertId"):
                try:
                    return sign.decrypt(fields["accNo"], version.values["read_key"])
                except ValueError as wrong:
                    raise Refused("10", "accNo") from wrong
        raise Refused("10", "encryptCertId")
    said = read_braced(fields.get("tokenPayData", ""))
    if said.get("trId") != account.credentials["tr_id"]:
        raise Refused("40", "trId")
    number = issuer.number_of(house, said.get("token", ""))
    if not number:
        raise Refused("40", "token")
    return number
