"""The doors of the local UnionPay: the buyer's browser at the front, the merchant's server at the back.

What comes in is verified strictly; what goes out is signed, refusals too, once it is known whose they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from fenqi.channels.bank_card.gateway import desk, page, told
from fenqi.channels.bank_card.gateway.check import CHANNEL, Refused, account_of, form_of, told_by, words
from fenqi.channels.bank_card.message import read_form, write_answer
from fenqi.channels.gateway.house import House, NotPayable
from fenqi.channels.gateway.side import Account, Form, Trade

FRONT, APP, BACK, QUERY, FILES = (
    "/gateway/api/frontTransReq.do", "/gateway/api/appTransReq.do", "/gateway/api/backTransReq.do",
    "/gateway/api/queryTrans.do", "/fileTransfer.do",
)  # fmt: skip
Fields = dict[str, str]
Verb = Callable[[House, Account, Fields], Fields]


def _order(house: House, account: Account, fields: Fields) -> Fields:
    """An app's order: its tn leads the app to the wallet's page."""
    return {"tn": desk.pay_front(house, account, fields, "app").trade_no}


BEHIND: Mapping[str, tuple[str, Verb]] = {
    "01": ("pay", desk.charge),
    "04": ("refund", desk.give_back),
    "31": ("refund", desk.give_back),
    "12": ("pay_out", desk.pay_out),
    "79": ("bind", desk.open_token),
}
ELSEWHERE: Mapping[str, tuple[str, str, Verb]] = {
    APP: ("01", "pay", _order),
    QUERY: ("00", "query", desk.query),
    FILES: ("76", "bill", desk.day_file),
}
ECHOED = (
    "version", "encoding", "signMethod", "txnType", "txnSubType", "bizType", "accessType", "merId", "orderId",
    "txnTime", "txnAmt", "currencyCode", "reqReserved", "origQryId",
)  # fmt: skip


def posted(body: bytes) -> Fields:
    """The fields of a form; {} for anything else."""
    try:
        return read_form(body)
    except ValueError:
        return {}


def operation_of(path: str, fields: Fields) -> str:
    """The operation by the address, and behind the back door by txnType; "" for the pages."""
    there = path.removeprefix(f"/{CHANNEL}")
    if there == FRONT:
        return "pay"
    if there == BACK:
        return BEHIND[fields["txnType"]][0] if fields.get("txnType") in BEHIND else "pay"
    return ELSEWHERE[there][1] if there in ELSEWHERE else ""


def _verb(path: str, fields: Fields) -> tuple[str, Verb]:
    there, kind = path.removeprefix(f"/{CHANNEL}"), fields["txnType"]
    if there == BACK and kind in BEHIND:
        return BEHIND[kind]
    if there in ELSEWHERE and ELSEWHERE[there][0] == kind:
        return ELSEWHERE[there][1:]
    raise Refused("32", "txnType")


def routes(house: House) -> Sequence[Route]:
    """All doors, and the card page behind the front one."""

    async def front(request: Request) -> Response:
        return _front(house, posted(await request.body()))

    async def back(request: Request) -> Response:
        return _answer(house, request.url.path, posted(await request.body()))

    async def shown(request: Request) -> Response:
        return _shown(house, house.trade(request.path_params["trade_no"]))

    async def given(request: Request) -> Response:
        fields = posted(await request.body())
        return _given(house, request.path_params["trade_no"], fields.get("number", "").replace(" ", ""))

    async def left(request: Request) -> Response:
        trade = house.trade(request.path_params["trade_no"])
        return _back_to_shop(house, trade) if trade else _no_such()

    return [
        Route(FRONT, front, methods=["POST"]),
        *(Route(path, back, methods=["POST"]) for path in (APP, BACK, QUERY, FILES)),
        Route("/card/{trade_no}", shown, methods=["GET"]),
        Route("/card/{trade_no}", given, methods=["POST"]),
        Route("/card/{trade_no}/leave", left, methods=["GET"]),
    ]


def _answer(house: House, path: str, fields: Fields) -> Response:
    try:
        account = account_of(house, fields)
    except Refused as no:
        return _to_a_stranger(house, fields, no)
    try:
        said, code, message = _do(house, account, path, fields), "00", words("00")
    except Refused as no:
        said, code, message = {}, no.code, no.message
    echoed = {name: fields[name] for name in ECHOED if name in fields}
    return _said(account, echoed | said | {"respCode": code, "respMsg": message})


def _do(house: House, account: Account, path: str, fields: Fields) -> Fields:
    form_of(fields)
    operation, verb = _verb(path, fields)
    if house.is_banned(account, operation):
        raise Refused("31")
    fault = house.fault(CHANNEL, operation, "error", account_id=account.account_id)
    if fault is not None and fault.text("when", "before") != "after":
        raise told_by(fault)
    with house.book.transaction():
        said = verb(house, account, fields)
    if fault is not None:
        raise told_by(fault)
    return said


def _said(account: Account, fields: Fields) -> Response:
    return Response(write_answer(told.sealed(account, fields)), media_type="text/html;charset=UTF-8")


def _to_a_stranger(house: House, fields: Fields, no: Refused) -> Response:
    """Signed for a merchant whose signature is wrong, bare for one that nobody knows."""
    account = house.book.account(CHANNEL, fields.get("merId", ""))
    echoed = {name: fields[name] for name in ECHOED if name in fields}
    said = echoed | {"respCode": no.code, "respMsg": no.message}
    return _said(account, said) if account else Response(write_answer(said), media_type="text/html;charset=UTF-8")


def _front(house: House, fields: Fields) -> Response:
    """The page that the signed form leads to; what is wrong with the form is told to the buyer."""
    try:
        account = account_of(house, fields)
        form_of(fields)
        if fields["txnType"] != "01":
            raise Refused("32", "txnType")
        if house.is_banned(account, "pay"):
            raise Refused("31")
        fault = house.fault(CHANNEL, "pay", "error", account_id=account.account_id)
        if fault is not None:
            raise told_by(fault)
        way = "page" if fields["channelType"] == "07" else "wap"
        return _shown(house, desk.pay_front(house, account, fields, way))
    except Refused as no:
        return HTMLResponse(page.refused_page(no.code, no.message), status_code=400)


def _shown(house: House, trade: Trade | None) -> Response:
    if trade is None or trade.channel != CHANNEL:
        return _no_such()
    if trade.state == "paid":
        return _back_to_shop(house, trade)
    if trade.state == "closed":
        return HTMLResponse(page.refused_page(*desk.state_of(trade)), status_code=410)
    at = f"{house.endpoint(CHANNEL)}/card/{trade.trade_no}"
    return HTMLResponse(page.card_page(trade, at, f"{at}/leave"))


def _given(house: House, trade_no: str, number: str) -> Response:
    trade = house.trade(trade_no)
    if trade is None or trade.channel != CHANNEL:
        return _no_such()
    with suppress(NotPayable):  # somebody was faster: the page says what the trade is now
        desk.pay_card(house, trade, number)
    return RedirectResponse(f"{house.endpoint(CHANNEL)}/card/{trade_no}", status_code=303)


def _back_to_shop(house: House, trade: Trade) -> Response:
    form = house.sides[CHANNEL].return_url(house, house.account(trade), trade)
    if isinstance(form, Form):
        return HTMLResponse(page.way_back(form))
    return HTMLResponse(page.refused_page(*desk.state_of(trade)))


def _no_such() -> Response:
    return HTMLResponse(page.refused_page("34", words("34")), status_code=404)
