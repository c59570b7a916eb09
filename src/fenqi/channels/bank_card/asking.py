"""One signed message to UnionPay and its proven answer; the requests of every kind that we send, as plain fields.

An answer that can't be proven, or none, is `Doubt`: whoever called may not conclude anything from it.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime
from typing import Literal

from fenqi.channels.bank_card import sign
from fenqi.channels.bank_card.message import CNY, DIRECT, VERSION, braced, read_answer, txn_time, write_form, write_time
from fenqi.channels.contract import Charge, Credential, Passage, Payout, Repayable
from fenqi.channels.http import Http, NoAnswer
from fenqi.kernel.clock import Clock

FRONT = "/gateway/api/frontTransReq.do"
APP = "/gateway/api/appTransReq.do"
BACK = "/gateway/api/backTransReq.do"
QUERY = "/gateway/api/queryTrans.do"
FILES = "/fileTransfer.do"
"""Paths behind a passage's endpoint. The real file service is on a host of its own; here it shares the endpoint."""

GATEWAY_PAY, CARD_PAY, TOKEN_PAY, PAY_OUT, ANY = "000201", "000301", "000902", "000401", "000000"
"""bizType: paid on UnionPay's page; without a page by number; by token; sent to a card; where it does not matter."""
HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}


class Doubt(Exception):
    """No answer that can be trusted. `sent`: whether the request may have arrived."""

    def __init__(self, why: str, *, sent: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.sent = sent


def accepted(passage: Passage) -> tuple[Credential, ...]:
    """The versions that still verify."""
    return passage.accepted or (passage.credential,)


def sealed(passage: Passage, fields: dict[str, str]) -> dict[str, str]:
    """A request's fields, signed with the passage's current key."""
    values = passage.credential.values
    common = {"version": VERSION, "encoding": "UTF-8", "accessType": DIRECT, "merId": values["mer_id"]}
    return sign.signed(common | fields, values["private_key"], values["cert_id"])


async def ask(
    http: Http, clock: Clock, passage: Passage, path: str, fields: dict[str, str], tries: int = 1
) -> dict[str, str]:  # fmt: skip
    """The proven fields of the answer. Raises Doubt. `clock`: the machine's, for the certificate's validity."""
    body = write_form(sealed(passage, fields))
    try:
        answer = await http.send("POST", passage.endpoint + path, headers=HEADERS, content=body, tries=tries)
    except NoAnswer as error:
        raise Doubt(str(error), sent=error.sent) from error
    if answer.status != 200:
        raise Doubt(f"HTTP {answer.status}")
    try:
        said = read_answer(answer.body)
        sign.verify(said, accepted(passage), clock.now())
    except (ValueError, sign.Untrusted) as error:
        raise Doubt(f"the answer can't be trusted: {error}") from error
    return of_ours(passage, fields, said)


def of_ours(passage: Passage, asked: dict[str, str], said: dict[str, str]) -> dict[str, str]:
    """The answer, once it is one to this request. Raises Doubt: it speaks of another merchant or number."""
    if said.get("merId") != passage.credential.values["mer_id"]:
        raise Doubt("the answer is for another merchant")
    if "orderId" in asked and said.get("orderId", asked["orderId"]) != asked["orderId"]:
        raise Doubt("the answer is about another number")
    return said


def pay_until(charge: Charge, life_until: datetime) -> str:
    """The payTimeout of a charge."""
    return write_time(min(charge.expires_at, life_until))


def front_payment(charge: Charge, until: str) -> dict[str, str]:
    """A payment on UnionPay's own page (or, for `app`, in its app)."""
    return {
        "txnType": "01", "txnSubType": "01", "bizType": GATEWAY_PAY,
        "channelType": "07" if charge.way == "page" else "08",
        "orderId": charge.attempt_no, "txnTime": txn_time(charge.attempt_no), "txnAmt": str(charge.amount_minor),
        "currencyCode": CNY, "frontUrl": charge.return_url, "backUrl": charge.notify_url, "payTimeout": until,
        "orderDesc": charge.subject[:32], "customerIp": charge.client_ip, "reqReserved": f"{charge.way}.{until}",
        "riskRateInfo": braced({"commodityName": charge.subject[:32].translate(_PLAIN)}),
    }  # fmt: skip


_PLAIN = str.maketrans("", "", "&={}[]\"'")


def back_payment(charge: Charge, passage: Passage) -> dict[str, str]:
    """A payment by a bound card, without a page: by its token, or by its number (encrypted)."""
    assert charge.payer is not None
    return {
        "txnType": "01", "txnSubType": "01", "channelType": "07",
        "orderId": charge.attempt_no, "txnTime": txn_time(charge.attempt_no), "txnAmt": str(charge.amount_minor),
        "currencyCode": CNY, "backUrl": charge.notify_url, "customerIp": charge.client_ip,
        "reqReserved": f"token.{write_time(charge.expires_at)}", **_card(charge.payer, passage, TOKEN_PAY, CARD_PAY),
    }  # fmt: skip


TOKEN = "token:"
"""Before a payer or payee that is a token; anything else is a card's number. Tokens look like numbers, and UnionPay's
own test cards don't satisfy Luhn's check, so the two can't be told apart by their digits."""
_NUMBER = re.compile(r"[0-9]{13,19}\Z")


def is_payable(payer: str) -> bool:
    """Whether a payer or payee is a token or a card's number by its form."""
    return payer.startswith(TOKEN) or _NUMBER.match(payer) is not None


def _card(payer: str, passage: Passage, by_token: str, by_number: str) -> dict[str, str]:
    """The fields that say which card. A number leaves this machine encrypted only. ValueError: it is neither."""
    values = passage.credential.values
    if payer.startswith(TOKEN):
        return {
            "bizType": by_token, "tokenPayData": braced({"trId": values["tr_id"], "token": payer.removeprefix(TOKEN)}),
        }  # fmt: skip
    if not is_payable(payer):
        raise ValueError("neither a card's number nor a token")
    hidden, cert_id = sign.encrypt(payer, values["encrypt_cert"])
    return {"bizType": by_number, "accNo": hidden, "encryptCertId": cert_id, "accType": "01"}


def query_of(number: str, biz_type: str = ANY) -> dict[str, str]:
    """What became of a number: 00 / 00."""
    return {"txnType": "00", "txnSubType": "00", "bizType": biz_type, "orderId": number, "txnTime": txn_time(number)}


def give_back(asked: Repayable, kind: Literal["04", "31"]) -> dict[str, str]:
    """A refund (04), or the void of a payment on its own settlement day (31). The original's number goes along in
    reqReserved: notices of refunds don't name it otherwise."""
    return {
        "txnType": kind, "txnSubType": "00", "bizType": GATEWAY_PAY, "channelType": "07",
        "orderId": asked.refund_no, "txnTime": txn_time(asked.refund_no), "txnAmt": str(asked.amount_minor),
        "origQryId": asked.channel_no, "backUrl": asked.notify_url, "reqReserved": asked.attempt_no,
    }  # fmt: skip


def payment_out(payout: Payout, passage: Passage) -> dict[str, str]:
    """Money to a card (代付). By token is an assumption: public material shows card numbers only."""
    named = {"customerNm": payout.payee_name} if payout.payee_name else {}
    return {
        "txnType": "12", "txnSubType": "00", "channelType": "08",
        "orderId": payout.payout_no, "txnTime": txn_time(payout.payout_no), "txnAmt": str(payout.amount_minor),
        "currencyCode": CNY, "backUrl": payout.notify_url, "billNo": payout.why[:32], "reqReserved": "payout",
        "customerInfo": holder(named), **_card(payout.payee, passage, PAY_OUT, PAY_OUT),
    }  # fmt: skip


def holder(fields: dict[str, str]) -> str:
    """customerInfo: braced fields in base64; "" for none."""
    return base64.b64encode(braced(fields).encode()).decode("ascii") if fields else ""


def opening(bind_no: str, number: str, name: str, passage: Passage) -> dict[str, str]:
    """The exchange of a card's number for a token (开通, 79)."""
    values = passage.credential.values
    hidden, cert_id = sign.encrypt(number, values["encrypt_cert"])
    return {
        "txnType": "79", "txnSubType": "00", "bizType": TOKEN_PAY, "channelType": "07",
        "orderId": bind_no, "txnTime": txn_time(bind_no), "accNo": hidden, "encryptCertId": cert_id, "accType": "01",
        "customerInfo": holder({"customerNm": name}),
        "tokenPayData": braced({"trId": values["tr_id"], "tokenType": "01"}),
    }  # fmt: skip


def day_file(settle_date: str, now: datetime) -> dict[str, str]:
    """The settlement file of a day, MMdd."""
    return {
        "txnType": "76", "txnSubType": "01", "bizType": ANY, "txnTime": write_time(now), "settleDate": settle_date,
        "fileType": "00",
    }  # fmt: skip
