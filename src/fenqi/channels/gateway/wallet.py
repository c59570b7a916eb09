"""The wallet's pages, common to all channels: what a buyer sees who was redirected there or has scanned a QR code.

GET /<channel>/wallet/<trade_no> shows the trade, POST does what the buyer or the tester chose; /<channel>/q/<code> is
what a QR code leads to.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from fenqi.channels.gateway.house import House, NotPayable, half_up
from fenqi.channels.gateway.page import form_of, language_of, own, render
from fenqi.channels.gateway.side import Form, Side, Trade

_DECLINE = "decline:"


def routes(house: House, side: Side) -> list[Route]:
    """The wallet's addresses of one channel."""
    here = f"/{side.channel}"
    return [
        Route(f"{here}/wallet/{{trade_no}}", partial(_wallet, house, side), methods=["GET", "POST"]),
        Route(f"{here}/q/{{code}}", partial(_scanned, house, side)),
    ]


async def _scanned(house: House, side: Side, request: Request) -> Response:
    trade = house.scanned(side.channel, request.path_params["code"])
    if trade is None:
        return render(request, "absent.html", 404, side=side)
    return RedirectResponse(f"{house.wallet_url(trade)}?{request.url.query}".rstrip("?"), 303)


async def _wallet(house: House, side: Side, request: Request) -> Response:
    trade = house.trade(request.path_params["trade_no"])
    if trade is None or trade.channel != side.channel:
        return render(request, "absent.html", 404, side=side)
    if request.method == "POST":
        return _done(house, side, trade, request, form_of(await request.form()))
    return _page(house, side, trade, request)


def _done(house: House, side: Side, trade: Trade, request: Request, form: dict[str, str]) -> Response:
    """Do what was chosen: pay, decline:<code>, wait or cancel."""
    act = form.get("act", "pay")
    try:
        if act == "pay":
            return _back(house, side, house.pay(trade.trade_no, instalments=_count(house, side, trade, form)), request)
        if act.startswith(_DECLINE):
            code = act.removeprefix(_DECLINE)
            why = next((own(no, "", language_of(request)) for no in side.declines if no.code == code), code)
            return _page(house, side, house.decline(trade.trade_no, code), request, why)
        if act == "cancel":
            return _back(house, side, trade, request)
    except NotPayable as no:
        return _page(house, side, no.trade, request)
    return _page(house, side, trade, request, left=True)


def _count(house: House, side: Side, trade: Trade, form: dict[str, str]) -> int:
    """The chosen number of instalments, where the channel offers it; 0: as the trade has it."""
    chosen = form.get("instalments", "")
    offered = {str(one.count) for one in side.instalments(house, trade)}
    return int(chosen) if chosen in offered and trade.instalments == 1 else 0


def _back(house: House, side: Side, trade: Trade, request: Request) -> Response:
    """To the merchant, where the side says; else the trade as it is now."""
    way = side.return_url(house, house.account(trade), trade)
    if isinstance(way, str) and way:
        return RedirectResponse(way, 303)
    return _page(house, side, trade, request, left=True)


def _page(
    house: House, side: Side, trade: Trade, request: Request, why: str = "", left: bool = False
) -> Response:  # fmt: skip
    """The page to pay on while the trade waits (and the buyer hasn't left it), else the page that says its state."""
    account = house.account(trade)
    common: dict[str, Any] = {
        "side": side, "trade": trade, "why": why, "payee": account.values.get("name") or account.code,
    }  # fmt: skip
    if trade.state == "waiting" and not left:
        choices = [
            (one, half_up(trade.amount_minor + one.fee_minor, one.count)) for one in side.instalments(house, trade)
        ] if trade.instalments == 1 else []  # fmt: skip
        return render(request, "wallet.html", choices=choices, **common)
    way = side.return_url(house, account, trade)
    form = way if isinstance(way, Form) else None
    return render(request, "done.html", form=form, url=way if isinstance(way, str) else "", **common)
