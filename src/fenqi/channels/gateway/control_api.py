"""The control API under /control: JSON, for whoever holds the token; what it does, `control.Control` documents.

Its addresses: GET /control; POST /control/accounts, …/{channel}/{account_id} and …/rotate; /control/faults;
/control/trades with …/pay, …/decline, …/notice; /control/notices with …/again; POST /control/clock and …/speed.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fenqi.channels.gateway.control import Enrolled, NoticeSeen, SideSeen, State, TradeSeen
from fenqi.channels.gateway.fault import CATALOGUE
from fenqi.channels.gateway.house import House, NotPayable
from fenqi.channels.gateway.notice import Post
from fenqi.channels.gateway.side import Account, Trade

replace = msgspec.structs.replace
Verb = Callable[[House, Request], Awaitable[Any]]


class _New(msgspec.Struct):
    channel: str
    code: str


class _Change(msgspec.Struct):
    state: Literal["active", "banned"] | None = None
    balance_minor: int | None = None


class _Fault(msgspec.Struct):
    channel: str
    name: str
    operation: str = "*"
    times: int = 1
    account_id: str = "*"
    params: Mapping[str, str] = {}


class _Pay(msgspec.Struct):
    payer: str = ""
    instalments: int = 0


class _Decline(msgspec.Struct):
    code: str


class _Tell(msgspec.Struct):
    is_forged: bool = False
    amount_minor: int | None = None
    as_paid: bool = False


class _Steer(msgspec.Struct):
    offset_s: float | None = None
    at: datetime | None = None


class _Speed(msgspec.Struct):
    notice_speed: int


def routes(house: House, token: str) -> list[Route]:
    """All addresses, each behind the token."""
    verbs: tuple[tuple[str, str, Verb], ...] = (
        ("GET", "/control", _state),
        ("POST", "/control/accounts", _enrol),
        ("GET", "/control/accounts/{channel}/{account_id}", _account),
        ("POST", "/control/accounts/{channel}/{account_id}", _change_account),
        ("POST", "/control/accounts/{channel}/{account_id}/rotate", _rotate),
        ("GET", "/control/faults", _faults),
        ("POST", "/control/faults", _set_fault),
        ("DELETE", "/control/faults", _clear_faults),
        ("DELETE", "/control/faults/{fault_id:int}", _clear_faults),
        ("GET", "/control/trades", _trades),
        ("GET", "/control/trades/{trade_no}", _trade),
        ("POST", "/control/trades/{trade_no}/pay", _pay),
        ("POST", "/control/trades/{trade_no}/decline", _decline),
        ("POST", "/control/trades/{trade_no}/notice", _tell),
        ("GET", "/control/notices", _notices),
        ("POST", "/control/notices/{notice_id:int}/again", _again),
        ("POST", "/control/clock", _steer),
        ("POST", "/control/speed", _speed),
    )
    return [Route(path, _guarded(house, token, verb), methods=[method]) for method, path, verb in verbs]


def _guarded(house: House, token: str, verb: Verb) -> Callable[[Request], Awaitable[Response]]:
    """The verb for whoever has the token: 401 without; 400 for what can't be understood, 404 and 409 as it comes."""
    bearer = f"Bearer {token}".encode()

    async def answer(request: Request) -> Response:
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), bearer):
            return _said(401, {"error": "the control token is missing or another's"})
        try:
            return _said(200, await verb(house, request))
        except KeyError as error:
            return _said(404, {"error": f"not there: {error}"})
        except NotPayable as no:
            return _said(409, {"error": str(no)})
        except ValueError as error:  # msgspec.ValidationError is one
            return _said(400, {"error": str(error)})

    return answer


def _said(status: int, what: Any) -> Response:
    return Response(msgspec.json.encode(what), status, media_type="application/json")


def enrolled(house: House, account: Account) -> Enrolled:
    """An account as its merchant sees it."""
    return Enrolled(
        account.channel, account.account_id, account.code, house.endpoint(account.channel), account.version,
        account.credentials, account.state, account.balance_minor,
    )  # fmt: skip


def seen(house: House, trade: Trade) -> TradeSeen:
    """A trade with its refunds."""
    return TradeSeen(trade, tuple(house.book.refunds(trade.trade_no)), house.wallet_url(trade))


async def _state(house: House, request: Request) -> State:
    sides = (
        SideSeen(one.channel, house.endpoint(one.channel), one.ladder_s, {no.code: no.en for no in one.declines})
        for one in house.sides.values()
    )
    accounts = (enrolled(house, account) for account in house.book.accounts())
    faults = tuple(house.book.faults())
    catalogue = tuple(CATALOGUE.values())
    return State(house.base_url, house.clock.now(), house.speed, tuple(sides), tuple(accounts), faults, catalogue)


async def _enrol(house: House, request: Request) -> Enrolled:
    asked = msgspec.json.decode(await request.body(), type=_New)
    return enrolled(house, house.enrol(asked.channel, asked.code))


async def _account(house: House, request: Request) -> Enrolled:
    return enrolled(house, _account_at(house, request))


async def _change_account(house: House, request: Request) -> Enrolled:
    account = _account_at(house, request)
    asked = msgspec.json.decode(await request.body(), type=_Change)
    house.book.put_account(account.channel, account.account_id, asked.state, asked.balance_minor)
    return enrolled(house, _account_at(house, request))


async def _rotate(house: House, request: Request) -> Enrolled:
    return enrolled(house, house.rotate(_account_at(house, request)))


def _account_at(house: House, request: Request) -> Account:
    channel, account_id = request.path_params["channel"], request.path_params["account_id"]
    account = house.book.account(channel, account_id)
    if account is None:
        raise KeyError(account_id)
    return account


async def _faults(house: House, request: Request) -> Any:
    return house.book.faults()


async def _set_fault(house: House, request: Request) -> Any:
    f = msgspec.json.decode(await request.body(), type=_Fault)
    return house.set_fault(f.channel, f.name, f.operation, f.times, f.params, f.account_id)


async def _clear_faults(house: House, request: Request) -> dict[str, int]:
    return {"cleared": house.book.clear_faults(request.path_params.get("fault_id"))}


async def _trades(house: House, request: Request) -> list[TradeSeen]:
    house.expire()
    by = request.query_params
    found = house.book.trades(
        by.get("channel"), by.get("account_id"), by.get("state"), by.get("out_no"), int(by.get("limit", "100"))
    )  # fmt: skip
    return [seen(house, trade) for trade in found]


async def _trade(house: House, request: Request) -> TradeSeen:
    return seen(house, _trade_at(house, request))


async def _pay(house: House, request: Request) -> TradeSeen:
    asked = msgspec.json.decode(await request.body(), type=_Pay)
    return seen(house, house.pay(request.path_params["trade_no"], asked.payer, asked.instalments))


async def _decline(house: House, request: Request) -> TradeSeen:
    asked = msgspec.json.decode(await request.body(), type=_Decline)
    return seen(house, house.decline(request.path_params["trade_no"], asked.code))


async def _tell(house: House, request: Request) -> dict[str, int]:
    asked = msgspec.json.decode(await request.body(), type=_Tell)
    trade = _trade_at(house, request)
    if asked.as_paid:
        if not asked.is_forged:
            raise ValueError("only a forged notice tells of a payment that never was")
        trade = replace(trade, state="paid", paid_at=house.clock.now())
    house.tell_payment(trade, is_forged=asked.is_forged, amount_minor=asked.amount_minor)
    return {"queued": 1}


def _trade_at(house: House, request: Request) -> Trade:
    trade = house.trade(request.path_params["trade_no"])
    if trade is None:
        raise KeyError(request.path_params["trade_no"])
    return trade


async def _notices(house: House, request: Request) -> list[NoticeSeen]:
    by = request.query_params
    kept = house.queue.kept(by.get("trade_no"), int(by.get("limit", "100")))
    return [NoticeSeen(_without_keys(post), tuple(tries)) for post, tries in kept]


def _without_keys(post: Post) -> Post:
    return replace(post, account=replace(post.account, values={}, credentials={}))


async def _again(house: House, request: Request) -> dict[str, int]:
    house.queue.again(request.path_params["notice_id"])
    return {"due": 1}


async def _steer(house: House, request: Request) -> dict[str, datetime]:
    asked = msgspec.json.decode(await request.body(), type=_Steer)
    house.steer(asked.offset_s, asked.at)
    return {"now": house.clock.now()}


async def _speed(house: House, request: Request) -> dict[str, int]:
    asked = msgspec.json.decode(await request.body(), type=_Speed)
    house.set_speed(asked.notice_speed)
    return {"notice_speed": house.speed}
