"""The control API: its token, its refusals, and what its client reads back."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.channels.gateway.conftest import Merchant
from tests.channels.gateway.toy import ToySide
from tests.channels.running import Running

from fenqi.channels.gateway import control_api, shelf
from fenqi.channels.gateway.app import create_gateway, token_of
from fenqi.channels.gateway.control import ControlError
from fenqi.channels.gateway.fault import CATALOGUE


def status(gateway: Running, method: str, path: str, token: str | None, body: str = "{}") -> int:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    call = gateway.http.send(method, gateway.base_url + path, headers=headers, content=body.encode())
    return gateway.ask(call).status


def test_nothing_without_the_token(toy: Running) -> None:
    addresses = [(method, route.path) for route in control_api.routes(toy.house, "") for method in route.methods or ()]
    assert len(addresses) == 24  # six of them HEAD
    for method, path in addresses:
        path = path.replace("{fault_id:int}", "1").replace("{notice_id:int}", "1")
        assert status(toy, method, path, None) == 401
        assert status(toy, method, path, "wrong") == 401
    assert status(toy, "GET", "/control", toy.token) == 200


def test_the_token_is_kept_and_private(tmp_path: Path) -> None:
    token = token_of(tmp_path / "g")
    assert len(token) == 32 and token_of(tmp_path / "g") == token
    assert stat.S_IMODE((tmp_path / "g" / "control_token").stat().st_mode) == 0o600
    app = create_gateway(tmp_path / "g", [], "http://127.0.0.1:1")
    assert app.state.token == token
    assert stat.S_IMODE((tmp_path / "g" / "gateway.db").stat().st_mode) == 0o600
    app.state.house.book.close()


def test_refusals(toy: Running, merchant: Merchant) -> None:
    for method, path, body, expected in (
        ("POST", "/control/accounts", {"channel": "nobody", "code": "x"}, 404),
        ("POST", "/control/accounts", {"channel": "toy"}, 400),
        ("POST", "/control/accounts/toy/nobody/rotate", {}, 404),
        ("POST", "/control/accounts/toy/acc-shop", {"state": "asleep"}, 400),
        ("POST", "/control/faults", {"channel": "toy", "name": "sleepy"}, 400),
        ("GET", "/control/trades/T0", {}, 404),
        ("POST", "/control/trades/T0/pay", {}, 404),
        ("POST", "/control/notices/99/again", {}, 404),
        ("POST", "/control/speed", {"notice_speed": 0}, 400),
        ("POST", "/control/clock", {"at": "yesterday"}, 400),
    ):
        assert status(toy, method, path, toy.token, json.dumps(body)) == expected, path


def test_a_trade_is_paid_once(merchant: Merchant, toy: Running) -> None:
    _, said = merchant.call("pay", "a1", amount=500)
    seen = toy.control.pay(said["trade_no"], payer="li")
    assert (seen.trade.state, seen.trade.payer) == ("paid", "li")
    assert seen.wallet_url == f"{toy.base_url}/toy/wallet/{said['trade_no']}"
    with pytest.raises(ControlError) as no:
        toy.control.pay(said["trade_no"])
    assert no.value.status == 409
    with pytest.raises(ControlError) as no:
        toy.control.decline(said["trade_no"], "NO_MONEY")
    assert no.value.status == 409


def test_trades_are_found_by_what_is_known_of_them(merchant: Merchant, toy: Running) -> None:
    for number in range(3):
        merchant.call("pay", f"a{number}", amount=500, at_once=number == 1)
    assert [one.trade.out_no for one in toy.control.trades(state="paid")] == ["a1"]
    assert toy.control.find("toy", "a2").trade.out_no == "a2"
    assert toy.control.find("toy", "a9") is None
    assert len(toy.control.trades(channel="toy", limit=2)) == 2
    assert toy.control.trades(account_id="nobody") == []


def test_the_state_at_a_glance(merchant: Merchant, toy: Running) -> None:
    toy.control.set_fault("toy", "slow", "pay", times=2, seconds=9)
    toy.control.set_speed(60)
    state = toy.control.state()
    assert [(one.channel, one.ladder_s) for one in state.channels] == [("toy", (60, 600))]
    assert state.accounts[0].credentials == {"word": merchant.word}
    assert [(one.name, one.times, one.params) for one in state.faults] == [("slow", 2, {"seconds": "9"})]
    assert state.catalogue == tuple(CATALOGUE.values()) and state.notice_speed == 60
    toy.control.clear_faults(state.faults[0].fault_id)
    assert toy.control.faults() == []


def test_the_clock_is_steered_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    at = datetime(2027, 1, 1, tzinfo=UTC)
    with Running(tmp_path, [ToySide()]) as gateway:
        ahead = gateway.control.steer(offset_s=86_400)
        assert timedelta(hours=23) < ahead - datetime.now(UTC) < timedelta(hours=25)
        assert gateway.control.steer(at=at) == at
    with Running(tmp_path, [ToySide()]) as gateway:
        assert gateway.control.state().now == at


def test_the_shelf_has_the_sides_that_are_there() -> None:
    names = [side.channel for side in shelf()]
    assert names == sorted(set(names))
