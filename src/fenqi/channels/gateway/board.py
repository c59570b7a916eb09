"""The fault board at /: accounts, trades, faults to set, and notices with every try and answer, for a person.

Plain forms that post back here. They carry a mark derived from the control token, which no other site can know.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fenqi.channels.gateway import page
from fenqi.channels.gateway.fault import CATALOGUE, FOR_EVER
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.page import form_of, render
from fenqi.kernel.clock import SystemClock

_GROUPS = ("wire", "side", "notifier", "house", "act")
_SHOWN = 50


def routes(house: House, token: str) -> list[Route]:
    """The board and its style."""
    mark = hmac.new(token.encode(), b"board", hashlib.sha256).hexdigest()
    return [Route("/", partial(_board, house, mark), methods=["GET", "POST"]), *page.routes()]


async def _board(house: House, mark: str, request: Request) -> Response:
    if request.method == "GET":
        return _shown(house, mark, request)
    form = form_of(await request.form())
    if not hmac.compare_digest(form.pop("mark", "").encode(), mark.encode()):
        return _shown(house, mark, request, 403, "mark")
    try:
        section = _ACTS[form.pop("act", "")](house, form)
    except KeyError as error:
        return _shown(house, mark, request, 404, str(error))
    except ValueError as error:
        return _shown(house, mark, request, 400, str(error))
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"/{query}#{section}", 303)


def _shown(house: House, mark: str, request: Request, status: int = 200, refused: str = "") -> Response:
    house.expire()
    channel = request.query_params.get("channel")
    channel = channel if channel in house.sides else None
    trades = [(trade, house.book.refunds(trade.trade_no)) for trade in house.book.trades(channel, limit=_SHOWN)]
    notices = [one for one in house.queue.kept(limit=_SHOWN) if channel in (None, one[0].trade.channel)]
    groups = [(by, [kind for kind in CATALOGUE.values() if kind.by == by]) for by in _GROUPS]
    ahead_h = round((house.clock.now() - SystemClock().now()) / timedelta(hours=1))
    return render(
        request, "board.html", status, house=house, mark=mark, channel=channel, refused=refused, trades=trades,
        notices=notices, groups=groups, ahead_h=ahead_h, query=request.url.query,
        faults=[one for one in house.book.faults() if channel is None or one.channel in ("*", channel)],
        accounts=house.book.accounts(channel), for_ever=FOR_EVER,
    )  # fmt: skip


def _set_fault(house: House, form: dict[str, str]) -> str:
    name = form.pop("name")
    channel, _, account_id = form.pop("where", "*").partition("/")
    operation, times = form.pop("operation", "*"), int(form.pop("times", "1"))
    params = {param: value for param, value in form.items() if value}
    house.set_fault(channel, name, operation, times, params, account_id or "*")
    return "faults"


def _clear(house: House, form: dict[str, str]) -> str:
    house.book.clear_faults(int(form["fault_id"]) if form.get("fault_id") else None)
    return "faults"


def _again(house: House, form: dict[str, str]) -> str:
    house.queue.again(int(form["notice_id"]))
    return "notices"


def _rotate(house: House, form: dict[str, str]) -> str:
    account = house.book.account(form["channel"], form["account_id"])
    if account is None:
        raise KeyError(form["account_id"])
    house.rotate(account)
    return "accounts"


def _ban(house: House, form: dict[str, str]) -> str:
    state = "banned" if form.get("state") == "banned" else "active"
    house.book.put_account(form["channel"], form["account_id"], state, None)
    return "accounts"


def _clock(house: House, form: dict[str, str]) -> str:
    house.steer(float(form["hours"]) * 3_600)
    return "top"


def _speed(house: House, form: dict[str, str]) -> str:
    house.set_speed(int(form["notice_speed"]))
    return "top"


_ACTS: dict[str, Callable[[House, dict[str, str]], str]] = {
    "set_fault": _set_fault,
    "clear": _clear,
    "again": _again,
    "rotate": _rotate,
    "ban": _ban,
    "clock": _clock,
    "speed": _speed,
}
