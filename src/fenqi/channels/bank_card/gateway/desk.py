"""The desk of the local UnionPay: what each kind of request does, and the fields that it is answered with.

Money moves by the house's verbs; what the house does not know (payouts, tokens) is kept under settings of our own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from fenqi.channels.bank_card import bill
from fenqi.channels.bank_card.gateway import issuer
from fenqi.channels.bank_card.gateway.check import CHANNEL, Refused, card_of, words
from fenqi.channels.bank_card.message import braced, read_short_time, read_time, settles_on, write_time
from fenqi.channels.bank_card.sign import encrypt
from fenqi.channels.gateway.house import House, NoRefund, NotPayable, beijing, digits
from fenqi.channels.gateway.side import Account, Refund, Trade
from fenqi.kernel.clock import business_date

LIFE = timedelta(minutes=15)
"""How long a trade without payTimeout may take."""
Fields = dict[str, str]


class Payout(msgspec.Struct, frozen=True):
    """Money that was sent to a card."""

    query_no: str
    out_no: str
    txn_time: str
    amount_minor: int
    number: str
    code: str
    message: str
    at: datetime
    reserved: str = ""


def query_no(now: datetime) -> str:
    """A queryId: 21 digits."""
    return beijing(now, "%y%m%d%H%M%S") + digits(9)


def pay_front(house: House, account: Account, fields: Fields, way: str) -> Trade:
    """The trade that a form (or an app's order) opens; sent again, it is the same one. Refused 12, 39."""
    now = house.clock.now()
    until = read_time(fields["payTimeout"]) if "payTimeout" in fields else now + LIFE
    taken = _taken(house, account, fields["orderId"])
    if taken is None and now >= until:
        raise Refused("39")
    if taken is None:
        return _open(house, account, fields, way, until)[0]
    if not isinstance(taken, Trade) or not _is_same(taken, fields):
        raise Refused("12")
    return taken


def _is_same(trade: Trade, fields: Fields) -> bool:
    return trade.extra["txnTime"] == fields["txnTime"] and str(trade.amount_minor) == fields["txnAmt"]


def _open(house: House, account: Account, fields: Fields, way: str, until: datetime) -> tuple[Trade, bool]:
    now = house.clock.now()
    kept = {name: fields[name] for name in ("txnTime", "bizType", "reqReserved", "channelType") if name in fields}
    return house.open(Trade(
        query_no(now), CHANNEL, account.account_id, fields["orderId"], int(fields["txnAmt"]),
        fields.get("orderDesc", ""), now, until, way, notify_url=fields["backUrl"],
        return_url=fields.get("frontUrl", ""), extra=kept | {"traceNo": digits(6)},
    ))  # fmt: skip


def _taken(house: House, account: Account, order_id: str) -> Trade | Refund | Payout | None:
    """Whatever has this number already: UnionPay takes a merchant's number once, for whatever it was."""
    return (
        house.find(CHANNEL, account.account_id, order_id)
        or house.book.refund_of(CHANNEL, account.account_id, order_id)
        or payout_of(house, account, order_id)
    )


def pay_card(house: House, trade: Trade, number: str) -> Trade:
    """The issuer's answer to a charge of this card, and what it does to the trade. Raises NotPayable."""
    answer = issuer.decide(house, number, trade.amount_minor)
    if answer == issuer.PENDING:
        return trade
    if answer != issuer.APPROVED:
        return house.decline(trade.trade_no, answer)
    paid = house.pay(trade.trade_no, payer=number)
    issuer.move(house, number, -trade.amount_minor)
    return paid


def charge(house: House, account: Account, fields: Fields) -> Fields:
    """A payment without a page: accepted with 00, whatever the issuer then says; a query tells. Refused 12, 40, 61."""
    number = card_of(house, account, fields)
    if _taken(house, account, fields["orderId"]) is not None:
        raise Refused("12")
    trade, is_new = _open(house, account, fields, "token", house.clock.now() + LIFE)
    if not is_new:
        raise Refused("12")
    try:
        trade = pay_card(house, trade, number)
    except NotPayable as raced:
        trade = raced.trade
    return {"queryId": trade.trade_no}


def give_back(house: House, account: Account, fields: Fields) -> Fields:
    """A refund (04), or the void (31) of a whole payment on its settlement day. Refused 12, 35, 36, 45, 64."""
    if _taken(house, account, fields["orderId"]) is not None:
        raise Refused("12")
    trade = house.trade(fields["origQryId"])
    if trade is None or trade.account_id != account.account_id or trade.paid_at is None:
        raise Refused("35")
    amount_minor, kind = int(fields["txnAmt"]), fields["txnType"]
    if kind == "31":
        _may_void(house, trade, amount_minor)
    elif house.book.refunded_minor(trade.trade_no) >= trade.amount_minor:
        raise Refused("45")
    now = house.clock.now()
    extra = {
        "txnTime": fields["txnTime"], "txnType": kind, "traceNo": digits(6),
        "reqReserved": fields.get("reqReserved", ""),
    }  # fmt: skip
    try:
        made = house.refund(
            trade, fields["orderId"], amount_minor, query_no(now), notify_url=fields["backUrl"], extra=extra
        )  # fmt: skip
    except NoRefund as no:
        raise Refused(_NO_REFUND[no.code]) from no
    if trade.payer and not made.fails:
        issuer.move(house, trade.payer, amount_minor)
    return {"queryId": made.refund_no, "origQryId": trade.trade_no}


_NO_REFUND = {"not_paid": "35", "too_large": "36", "unfunded": "64", "conflict": "12", "not_positive": "10"}


def _may_void(house: House, trade: Trade, amount_minor: int) -> None:
    assert trade.paid_at is not None
    if settles_on(trade.paid_at) != settles_on(house.clock.now()) or house.book.refunds(trade.trade_no):
        raise Refused("35", "only on its settlement day, and only once")
    if amount_minor != trade.amount_minor:
        raise Refused("36", "the whole amount")


def pay_out(house: House, account: Account, fields: Fields) -> Fields:
    """Money from the merchant's account to a card. Refused 12, 64; the issuer's no is told by a query."""
    number = card_of(house, account, fields)
    if _taken(house, account, fields["orderId"]) is not None:
        raise Refused("12")
    amount_minor, now = int(fields["txnAmt"]), house.clock.now()
    answer = issuer.decide(house, number, 0)
    if answer == issuer.APPROVED:
        if not house.book.move_balance(CHANNEL, account.account_id, -amount_minor):
            raise Refused("64")
        issuer.move(house, number, amount_minor)
        code, message = "00", words("00")
    else:
        code, message = ("05", words("05")) if answer == issuer.PENDING else issuer.answer_of(answer)
    made = Payout(
        query_no(now), fields["orderId"], fields["txnTime"], amount_minor, number, code, message, now,
        fields.get("reqReserved", ""),
    )  # fmt: skip
    key = f"bank_card:payout:{account.account_id}:{made.out_no}"
    house.book.put_setting(key, msgspec.json.encode(made).decode())
    return {"queryId": made.query_no}


def payout_of(house: House, account: Account, order_id: str) -> Payout | None:
    """A payout by the merchant's number."""
    kept = house.book.setting(f"bank_card:payout:{account.account_id}:{order_id}")
    return msgspec.json.decode(kept, type=Payout) if kept else None


def open_token(house: House, account: Account, fields: Fields) -> Fields:
    """A card's token. Refused with the issuer's answer where it answers anything but yes."""
    number = card_of(house, account, {name: value for name, value in fields.items() if name != "tokenPayData"})
    answer = issuer.decide(house, number, 0)
    if answer in (issuer.NOT_FOUND, "41", "43", "54"):
        code, message = issuer.answer_of(answer)
        raise Refused(code, message=message)
    token = issuer.token_of(house, number)
    return {"tokenPayData": braced({"trId": account.credentials["tr_id"], "token": token, "tokenLevel": "40"})}


def query(house: House, account: Account, fields: Fields) -> Fields:
    """What became of a number. Refused 34 where it, or its txnTime, is nobody's."""
    found = _taken(house, account, fields["orderId"])
    if isinstance(found, Trade) and found.extra["txnTime"] == fields["txnTime"]:
        return told_trade(account, found)
    if isinstance(found, Refund) and found.extra["txnTime"] == fields["txnTime"]:
        return told_refund(found)
    if isinstance(found, Payout) and found.txn_time == fields["txnTime"]:
        return {
            "txnType": "12", "txnSubType": "00", "queryId": found.query_no, "origRespCode": found.code,
            "origRespMsg": found.message, "txnAmt": str(found.amount_minor), "currencyCode": "156",
            "traceTime": beijing(found.at, "%m%d%H%M%S"), "reqReserved": found.reserved,
        }  # fmt: skip
    raise Refused("34")


def told_trade(account: Account, trade: Trade) -> Fields:
    """A trade, as a query tells it."""
    code, message = state_of(trade)
    said = {
        "txnType": "01", "txnSubType": "01", "queryId": trade.trade_no, "origRespCode": code, "origRespMsg": message,
        "txnAmt": str(trade.amount_minor), "currencyCode": "156", "reqReserved": trade.extra.get("reqReserved", ""),
        "issuerIdentifyMode": "0",
    }  # fmt: skip
    return said | (settled(account, trade, trade.amount_minor) if trade.paid_at else {})


def state_of(trade: Trade) -> tuple[str, str]:
    """A trade's own respCode. That an unpaid one is 05 until its time is over, and 69 after, is an assumption."""
    if trade.state == "paid":
        return "00", words("00")
    if trade.declined:
        return issuer.answer_of(trade.declined)
    return ("69", words("69")) if trade.state == "closed" else ("05", words("05"))


def settled(account: Account, trade: Trade, amount_minor: int) -> Fields:
    """What only a paid trade has: when, on which settlement day, by which card (encrypted for the merchant)."""
    assert trade.paid_at is not None
    said = {
        "traceNo": trade.extra["traceNo"], "traceTime": beijing(trade.paid_at, "%m%d%H%M%S"),
        "settleDate": settles_on(trade.paid_at)[4:], "settleAmt": str(amount_minor), "settleCurrencyCode": "156",
    }  # fmt: skip
    if issuer.is_number(trade.payer):
        said["accNo"] = encrypt(trade.payer, account.values["mer_cert"])[0]
    return said


def told_refund(refund: Refund) -> Fields:
    """A refund or void, as a query tells it."""
    at = refund.finished_at or refund.created_at
    code = {"processing": "05", "succeeded": "00", "failed": "01"}[refund.state]
    return {
        "txnType": refund.extra["txnType"], "txnSubType": "00", "queryId": refund.refund_no,
        "origQryId": refund.trade_no, "origRespCode": code, "origRespMsg": words(code),
        "txnAmt": str(refund.amount_minor), "currencyCode": "156", "traceNo": refund.extra["traceNo"],
        "traceTime": beijing(at, "%m%d%H%M%S"), "settleDate": settles_on(at)[4:],
        "reqReserved": refund.extra["reqReserved"],
    }  # fmt: skip


def day_file(house: House, account: Account, fields: Fields) -> Fields:
    """The settlement file of the last day with this MMdd. Refused 98: not over yet, or without trade."""
    now = house.clock.now()
    try:
        day_on = business_date(read_short_time(fields["settleDate"] + "120000", now - timedelta(days=180)))
    except ValueError as error:
        raise Refused("10", "settleDate") from error
    rows = house.bill_rows(account, day_on) if day_on < business_date(now) else ()
    if not rows:
        raise Refused("98")
    archive = house.sides[CHANNEL].bill(house, account, day_on, rows)
    return {
        "fileName": f"{account.account_id}_{day_on:%Y%m%d}.zip", "fileContent": bill.packed(archive),
        "txnTime": write_time(now),
    }  # fmt: skip
