"""UnionPay's back notices: a form that is posted to backUrl, five times in seven minutes until it is answered with 200.

A payment on UnionPay's page is told only when it succeeded; what goes without a page (refunds, voids, payouts, charges
by token) is told either way.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from fenqi.channels.bank_card import outcome, sign
from fenqi.channels.bank_card.asking import accepted
from fenqi.channels.bank_card.message import moment_of, read_form
from fenqi.channels.contract import Incoming, Notice, NoticeRefused, Passage, Reply, Unknown

PAYMENT = frozenset({"01", "12"})
GIVEN_BACK = frozenset({"04", "31"})


def read(passage: Passage, incoming: Incoming, now: datetime) -> Notice:
    """Verify, and parse. Raises NoticeRefused. `now`: the machine's, for the certificate's validity."""
    try:
        fields = read_form(incoming.body)
    except ValueError as error:
        raise NoticeRefused("MALFORMED", str(error)) from error
    try:
        sign.verify(fields, accepted(passage), now)
    except sign.Untrusted as error:
        raise NoticeRefused("FORGED", str(error)) from error
    if fields.get("merId") != passage.credential.values["mer_id"]:
        raise NoticeRefused("FOREIGN", "it is for another merchant")
    try:
        return _notice(passage, fields, now)
    except (KeyError, ValueError) as error:
        raise NoticeRefused("MALFORMED", str(error)) from error


def _notice(passage: Passage, fields: dict[str, str], now: datetime) -> Notice:
    number, kind = fields["orderId"], fields["txnType"]
    moment_of(number)
    code, message = fields["respCode"], fields.get("respMsg", "")
    notice_no = _digest(fields)
    if kind in PAYMENT:
        said = outcome.payment(fields, code, message, passage, outcome.paid_until(fields) or now)
        if isinstance(said, Unknown):
            raise ValueError(said.why)
        return Notice(notice_no, number, said)
    if kind not in GIVEN_BACK:
        raise ValueError(f"txnType {kind} is none that we ask for")
    attempt_no = fields["reqReserved"]
    moment_of(attempt_no)
    back = outcome.refund(fields, code, message)
    if isinstance(back, Unknown):
        raise ValueError(back.why)
    return Notice(notice_no, attempt_no, back, refund_no=number)


def _digest(fields: dict[str, str]) -> str:
    """What a notice says, without what differs between its tries: UnionPay gives it no number."""
    said = {name: value for name, value in fields.items() if name not in ("accNo", "signPubKeyCert")}
    return hashlib.sha256(sign.text_to_sign(said).encode()).hexdigest()


def answer(is_accepted: bool) -> Reply:
    """`ok` with 200; 500 brings it again."""
    return Reply(200, "text/plain", b"ok") if is_accepted else Reply(500, "text/plain", b"fail")
