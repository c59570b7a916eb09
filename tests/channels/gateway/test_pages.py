"""The wallet's pages and the fault board, as a browser without script asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from tests.channels.gateway.conftest import Merchant
from tests.channels.running import Running

from fenqi.channels.gateway.words import WORDS
from fenqi.channels.http import Answer


def get(gateway: Running, path: str, language: str = "en") -> Answer:
    headers = {"accept-language": f"{language};q=0.9, fr;q=0.5"}
    return gateway.ask(gateway.http.send("GET", gateway.base_url + path, headers=headers))


def post(gateway: Running, path: str, form: Mapping[str, str]) -> Answer:
    headers = {"content-type": "application/x-www-form-urlencoded", "accept-language": "en"}
    body = urlencode(form).encode()
    return gateway.ask(gateway.http.send("POST", gateway.base_url + path, headers=headers, content=body))


def opened(merchant: Merchant, no: str = "a1", amount: int = 680_000, **more: str) -> str:
    _, said = merchant.call("pay", no, amount=amount, subject="Phone <b>12</b>", **more)
    return f"/toy/wallet/{said['trade_no']}"


def state(merchant: Merchant, no: str = "a1") -> tuple[str, int, str]:
    trade = merchant.gateway.control.find("toy", no).trade
    return trade.state, trade.instalments, trade.declined


def mark(gateway: Running) -> str:
    found = re.search(r'name="mark" value="(\w+)"', get(gateway, "/").body.decode())
    assert found is not None
    return found[1]


def test_every_text_is_there_in_both_languages() -> None:
    for key, (zh, en) in WORDS.items():
        assert zh and en, key
        assert set(re.findall(r"{\w+}", zh)) == set(re.findall(r"{\w+}", en)), key


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("zh-CN", ("付款给 shop", "¥6,800.00", "分 6 期", "含手续费 ¥340.00", "每期约 ¥1,190.00", "余额不足")),
        ("en", ("Pay shop", "¥6,800.00", "In 6 instalments", "including a fee of ¥340.00", "Not enough money")),
    ],
)
def test_the_wallet_shows_what_is_to_be_paid(merchant: Merchant, language: str, texts: tuple[str, ...]) -> None:
    page = get(merchant.gateway, opened(merchant), language)
    assert page.status == 200
    html = page.body.decode()
    for text in (*texts, "Phone &lt;b&gt;12&lt;/b&gt;", "--brand: #5b3fa0"):
        assert text in html, text
    assert "<script" not in html and "default-src 'none'" in page.headers["content-security-policy"]


def test_paying_leads_back_to_the_merchant(merchant: Merchant, toy: Running) -> None:
    wallet = opened(merchant, return_url="http://shop.test/back")
    answer = post(toy, wallet, {"act": "pay", "instalments": "3"})
    assert (answer.status, answer.headers["location"]) == (303, "http://shop.test/back?state=paid")
    assert state(merchant) == ("paid", 3, "")
    again = post(toy, wallet, {"act": "pay"})
    assert again.status == 200 and "<h1>Paid</h1>" in again.body.decode()


def test_instalments_that_are_not_offered_are_not_taken(merchant: Merchant, toy: Running) -> None:
    post(toy, opened(merchant), {"act": "pay", "instalments": "24"})
    assert state(merchant) == ("paid", 1, "")


def test_the_way_back_may_be_a_form(merchant: Merchant, toy: Running) -> None:
    html = post(toy, opened(merchant, return_url="form:http://shop.test/front"), {"act": "pay"}).body.decode()
    assert '<form method="post" action="http://shop.test/front"' in html
    assert '<input type="hidden" name="no" value="a1">' in html and 'name="state" value="paid"' in html


def test_without_a_way_back_it_says_that_it_is_paid(merchant: Merchant, toy: Running) -> None:
    html = post(toy, opened(merchant), {"act": "pay"}).body.decode()
    assert "Toy wallet has taken the money." in html and "You can close this page." in html


def test_declines(merchant: Merchant, toy: Running) -> None:
    wallet = opened(merchant, return_url="http://shop.test/back")
    html = post(toy, wallet, {"act": "decline:NO_MONEY"}).body.decode()
    assert "The payment didn&#39;t go through: Not enough money" in html and "you can try again" in html
    assert state(merchant) == ("waiting", 1, "NO_MONEY")
    html = post(toy, wallet, {"act": "decline:CLOSED"}).body.decode()
    assert "This trade is closed" in html and 'href="http://shop.test/back?state=closed"' in html
    assert state(merchant) == ("closed", 1, "CLOSED")


def test_waiting_and_giving_up_take_nothing(merchant: Merchant, toy: Running) -> None:
    wallet = opened(merchant, return_url="http://shop.test/back")
    assert "This trade waits to be paid" in post(toy, wallet, {"act": "wait"}).body.decode()
    answer = post(toy, wallet, {"act": "cancel"})
    assert (answer.status, answer.headers["location"]) == (303, "http://shop.test/back?state=waiting")
    assert state(merchant) == ("waiting", 1, "")


def test_a_scanned_code_leads_to_the_wallet(merchant: Merchant, toy: Running) -> None:
    wallet = opened(merchant, "abc")
    answer = get(toy, "/toy/q/cba")
    assert (answer.status, answer.headers["location"]) == (303, toy.base_url + wallet)
    for path in ("/toy/q/nothing", "/toy/wallet/T0"):
        absent = get(toy, path)
        assert absent.status == 404 and "There is no such trade" in absent.body.decode()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_board_shows_everything(merchant: Merchant, toy: Running, language: str) -> None:
    toy.control.set_fault("toy", "slow", "pay", times=-1, seconds=0)
    heard = toy.hear()
    _, said = merchant.call("pay", "a1", amount=12_900, notify_url=heard.url)
    toy.control.pay(said["trade_no"])
    toy.told(said["trade_no"], "taken")
    merchant.call("refund", "a1", refund="r1", amount=100)
    toy.told(said["trade_no"], "taken")
    page = get(toy, f"/?lang={language}")
    html = page.body.decode()
    assert page.status == 200 and f"gateway_language={language}" in page.headers["set-cookie"]
    wanted = ("故障板", "已支付", "直到清除") if language == "zh" else ("Fault board", "paid", "until cleared")
    for text in (*wanted, said["trade_no"], "acc-shop", heard.url, "¥129.00", "¥1,000,127.24", "seconds=0"):
        assert text in html, text
    assert merchant.word not in re.sub(r"<pre.*?</pre>", "", html, flags=re.S)  # no keys but in what was sent
    assert "<script" not in html and 'src="' not in html


def test_what_the_board_does(merchant: Merchant, toy: Running) -> None:
    known = {"mark": mark(toy)}
    asked = {"act": "set_fault", "name": "down", "where": "toy/acc-shop", "operation": "pay", "times": "2", "mode": ""}
    answer = post(toy, "/?channel=toy", {**known, **asked})
    assert (answer.status, answer.headers["location"]) == (303, "/?channel=toy#faults")
    [fault] = toy.control.faults()
    assert (fault.name, fault.channel, fault.account_id, fault.operation, fault.times, fault.params) == (
        "down", "toy", "acc-shop", "pay", 2, {},
    )  # fmt: skip
    post(toy, "/", {**known, "act": "clear", "fault_id": str(fault.fault_id)})
    assert toy.control.faults() == []
    post(toy, "/", {**known, "act": "ban", "channel": "toy", "account_id": "acc-shop", "state": "banned"})
    post(toy, "/", {**known, "act": "rotate", "channel": "toy", "account_id": "acc-shop"})
    post(toy, "/", {**known, "act": "speed", "notice_speed": "600"})
    state = toy.control.state()
    assert [(one.state, one.version) for one in state.accounts] == [("banned", 2)] and state.notice_speed == 600
    post(toy, "/", {**known, "act": "clock", "hours": "48"})
    assert 'value="48"' in get(toy, "/").body.decode()


def test_the_board_does_nothing_for_another_site_or_without_sense(toy: Running) -> None:
    asked = {"act": "set_fault", "name": "down"}
    assert post(toy, "/", asked).status == 403 and post(toy, "/", {**asked, "mark": "0"}).status == 403
    known = {"mark": mark(toy)}
    assert post(toy, "/", {**known, "act": "set_fault", "name": "sleepy"}).status == 400
    assert post(toy, "/", {**known, "act": "set_fault", "name": "down", "times": "often"}).status == 400
    assert post(toy, "/", {**known, "act": "dance"}).status == 404
    assert toy.control.faults() == []


def test_the_style_is_our_own_file(toy: Running) -> None:
    page = get(toy, "/").body.decode()
    found = re.search(r'href="(/gateway\.css\?v=\w+)"', page)
    assert found is not None
    style = get(toy, found[1])
    assert style.headers["content-type"].startswith("text/css") and b"url(" not in style.body
