"""Paying through channels by the pages alone: the wallet's code, the bank's page, two ways at once, what can go wrong,
and money that comes back. The gateways are real, the clock stands, and nobody listens to notices unless a test does.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from starlette.requests import Request
from tests import world
from tests.charging.mall import Mall
from tests.web.conftest import Browser
from tests.web.test_pages import check, token

from fenqi import customer
from fenqi.channels.bank_card.gateway.issuer import test_card as card_of
from fenqi.channels.contract import Paid
from fenqi.flows import conclude, janitor
from fenqi.kernel.ids import new_id
from fenqi.main import create_app
from fenqi.web.shop import waiting
from fenqi.web.shop.client import client_of

SCENE = "mall"
LOCALES = ["zh-CN", "en"]


@pytest.fixture(scope="module")
def mall(database, run, tmp_path_factory):
    made = Mall(database, tmp_path_factory.mktemp("gateway"), timeout_s=1.0)
    made.ctx.settings = replace(made.ctx.settings, secret=world.SECRET)
    run(made.open())
    yield made
    run(made.close())


@pytest.fixture(scope="module")
def ctx(mall):
    return mall.ctx


@pytest.fixture(scope="module")
def app(mall):
    made = create_app(mall.ctx.settings, mall.ctx.clock, with_jobs=False)
    made.state.context = mall.ctx
    return made


@pytest.fixture(scope="module")
def buyers(mall, run):
    """People with a line, a card and money."""
    found = run(world.people(mall.ctx, 4))
    for consumer_id in found:
        run(world.give_line(mall.ctx, consumer_id))
        run(world.step_up(mall.ctx, consumer_id))
    return found


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch, mall):
    """A page may ask the channel as often as it likes."""
    monkeypatch.setattr(waiting, "PACE", waiting.Pace(0.0))
    yield
    mall.control.clear_faults()


@pytest.fixture
def visit(app, run, names, mall, buyers):
    """A signed-in visitor with an order: (browser, placed)."""

    def of(buyer: int, locale: str = "en", most_minor: int = 400_000, agent: str = "") -> Any:
        visitor = Browser(app, run, locale)
        if agent:
            visitor.http.headers["User-Agent"] = agent
        visitor.sign_in(names(buyers[buyer]))
        run(forget_presses(mall))
        wish = world.wish(mall.ctx.reference.newest, "phone", SCENE, most_minor)
        return visitor, run(world.buy(mall.ctx, buyers[buyer], [wish], SCENE))

    return of


async def forget_presses(mall) -> None:
    """The clock stands, and one buyer presses in many tests: by the counters that is too often within an hour."""
    async with mall.ctx.database.transaction() as tx:
        await tx.execute("DELETE FROM risk_pulse")


def pay_with(visitor: Any, placed: Any, method: str, **typed: str) -> Any:
    """Press the button of a method on the cashier's page; the page that follows."""
    cashier = visitor.get(f"/cashier/{placed.intent_id}" + typed.pop("query", ""))
    check(cashier)
    action = f"/cashier/{placed.intent_id}/pay"
    form = next((one for one in cashier.page.forms if one.action == action and ("method", method) in one.fields), None)
    assert form is not None, cashier.page.words
    fields = {**dict(form.fields), **typed}
    answer = visitor.post(action, fields)
    assert answer.path.startswith("/payments/"), answer.text[:2000]
    return answer


def state_of(visitor: Any, paying: Any, run: Any) -> dict[str, Any]:
    return run(visitor.http.get(f"{paying.path}/state.json")).json()


def attempt_of(run: Any, mall: Any, buyers: Any, buyer: int, placed: Any) -> Any:
    return run(mall.attempts(buyers[buyer], placed.order.order_id))[-1]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_code_is_scanned_and_the_page_learns_of_it(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    check(paying)
    assert (paying.query, 'class="code"' in paying.text) == ("go=1", True)
    wallet = next(link for link in paying.page.links if "/wechat_pay/q/" in link)
    assert wallet.startswith(mall.gateway.base_url)
    assert 'http-equiv="refresh"' in paying.text
    before = state_of(visitor, paying, run)
    assert before["outcome"] == "pending" and f'data-mark="{before["mark"]}"' in paying.text

    begun = attempt_of(run, mall, buyers, 0, placed)
    mall.pay_at_wallet("wechat_pay", begun.attempt_no)
    after = state_of(visitor, paying, run)
    assert after["outcome"] == "succeeded" and after["mark"] != before["mark"]
    done = visitor.get(paying.path)
    check(done)
    assert ("付款成功" if locale == "zh-CN" else "Payment done") in done.page.words
    assert "refresh" not in done.text and "data-poll" not in done.text
    check(visitor.get(f"/orders/{placed.order.order_id}"))


@pytest.mark.parametrize("locale", LOCALES)
def test_a_wallets_page_is_a_link_that_is_followed_at_once(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    paying = pay_with(visitor, placed, "alipay", plan="hb_6")
    check(paying)
    link = next(link for link in paying.page.links if "/alipay/gateway.do?" in link)
    assert "data-go" in paying.text and "hb_fq_num" in link
    assert "data-go" not in visitor.get(paying.path).text, "only whoever comes from the cashier is led on"
    begun = attempt_of(run, mall, buyers, 0, placed)
    run(mall.open_page(begun))
    mall.pay_at_wallet("alipay", begun.attempt_no)
    assert visitor.get(f"{paying.path}?method=alipay.trade.page.pay.return").page.headings[0] == (
        "付款成功" if locale == "zh-CN" else "Payment done"
    )


def test_the_cashier_prices_the_wallets_own_instalments(visit) -> None:
    visitor, placed = visit(0)
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    payable = placed.order.payable_minor
    fee = -(-payable * 45_000 // 1_000_000)
    assert f"Fee ¥{fee / 100:,.2f} in all, ¥{(payable + fee) / 100:,.2f} to repay" in cashier.page.words
    assert f"¥{payable / 100:,.2f} at once" in cashier.page.words


def test_a_phone_is_led_to_the_wallet_itself(visit, mall, buyers, run) -> None:
    phone = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36"
    visitor, placed = visit(0, agent=phone)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    check(paying)
    assert attempt_of(run, mall, buyers, 0, placed).way == "wap"
    assert 'class="code"' not in paying.text and "Go to WeChat Pay" in paying.page.words


def test_inside_wechat_the_sheet_gets_its_parameters(visit, mall, buyers, run) -> None:
    visitor, placed = visit(0, agent="Mozilla/5.0 (iPhone) Mobile MicroMessenger/8.0.50")
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    check(paying)
    assert attempt_of(run, mall, buyers, 0, placed).way == "jsapi"
    sheet = re.search('data-sheet="([^"]+)"', paying.text)
    assert sheet is not None and "paySign" in sheet[1]
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    assert not any(("method", "alipay") in form.fields for form in cashier.page.forms), "WeChat shuts Alipay out"


def test_clients_are_told_by_what_they_say_of_themselves() -> None:
    def client(**headers: str) -> str:
        found = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        return client_of(Request({"type": "http", "headers": found}))

    assert client() == "web"
    assert client(user_agent="Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0") == "web"
    assert client(user_agent="Mozilla/5.0 (Android 14; Mobile; rv:130.0) Firefox/130.0") == "wap"
    assert client(user_agent="x", sec_ch_ua_mobile="?1") == "wap"
    assert client(user_agent="x", sec_ch_ua_mobile="?0") == "web"
    assert client(user_agent="x", sec_ch_viewport_width="390") == "wap"
    assert client(user_agent="x", sec_ch_viewport_width="1280") == "web"
    assert client(user_agent="x Mobile MicroMessenger/8.0") == "wechat"


def test_a_bound_card_pays_at_once(visit, mall, buyers, run) -> None:
    visitor, placed = visit(0)
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    form = next(one for one in cashier.page.forms if ("method", "bank_card") in one.fields)
    card_id = dict(form.fields)["card_id"]
    paid = pay_with(visitor, placed, "bank_card")
    check(paid)
    assert "Payment done" in paid.page.words
    begun = attempt_of(run, mall, buyers, 0, placed)
    assert (begun.way, begun.instrument) == ("token", card_id)


def test_a_card_that_was_refused_stands_back_for_another_one(visit, mall, buyers, run) -> None:
    visitor, placed = visit(1)

    async def bind_another() -> None:
        async with mall.ctx.database.transaction() as tx:
            by = mall.ctx.by_system("test", "bound another card")
            await customer.add_bound_card(tx, mall.ctx.keys, buyers[1], card_of("51"), by)

    run(bind_another())
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    check(cashier)
    first, short = re.findall('name="card_id" value="([^"]+)"', cashier.text)[:2]
    refused = pay_with(visitor, placed, "bank_card", card_id=short)
    assert "Not enough money on the card" in refused.page.words
    again = visitor.get(f"/cashier/{placed.intent_id}")
    check(again)
    assert "Its bank has just refused it" in again.page.words
    assert f'value="{first}" checked>' in again.text and f'value="{short}" disabled>' in again.text
    assert "Payment done" in pay_with(visitor, placed, "bank_card").page.words
    tries = run(mall.attempts(buyers[1], placed.order.order_id))
    assert {(one.state, one.instrument) for one in tries} == {("declined", short), ("succeeded", first)}


def test_somebody_elses_card_is_not_found(visit) -> None:
    visitor, placed = visit(0)
    cashier = visitor.get(f"/cashier/{placed.intent_id}")
    action = f"/cashier/{placed.intent_id}/pay"
    form = next(one for one in cashier.page.forms if ("method", "bank_card") in one.fields)
    answer = visitor.post(action, {**dict(form.fields), "card_id": str(new_id())})
    check(answer, 404)


@pytest.mark.parametrize("locale", LOCALES)
def test_a_declined_card_says_why_and_offers_other_ways(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(2 + LOCALES.index(locale), locale)
    mall.control.set_fault("bank_card", "error", "pay", 1, code="64")
    refused = pay_with(visitor, placed, "bank_card")
    check(refused)
    assert ("银行卡余额不足" if locale == "zh-CN" else "Not enough money on the card") in refused.page.words
    others = [link for link in refused.page.links if link.startswith(f"/cashier/{placed.intent_id}?method=")]
    assert 1 <= len(others) <= 3 and not any("method=bank_card" in link for link in others)
    check(visitor.get(others[0].partition("#")[0].replace("&amp;", "&")))
    again = visitor.get(f"/cashier/{placed.intent_id}")
    check(again)
    check(visitor.get(f"/orders/{placed.order.order_id}"))


@pytest.mark.parametrize("locale", LOCALES)
def test_credit_and_a_wallet_pay_together(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    query = "?part_method=wechat_pay&part=1000"
    mixed = visitor.get(f"/cashier/{placed.intent_id}{query}")
    check(mixed)
    offered = {dict(form.fields)["method"] for form in mixed.page.forms if "method" in form.names}
    assert offered <= {"credit", "money_account"}, "one way outside only"
    paying = pay_with(visitor, placed, "credit", plan="instalment_3", query=query)
    check(paying)
    assert "¥1,000.00" in paying.page.words
    begun = attempt_of(run, mall, buyers, 0, placed)
    assert begun.is_held and begun.amount_minor == 100_000
    mall.pay_at_wallet("wechat_pay", begun.attempt_no)
    done = visitor.get(paying.path)
    check(done)
    rest = placed.order.payable_minor - 100_000
    assert "¥1,000.00" in done.page.words and f"¥{rest / 100:,.2f}" in done.page.words
    assert any(link.startswith("/credit/loans/") for link in done.page.links)


@pytest.mark.parametrize(("method", "part"), [
    ("alipay", "0.001"), ("alipay", "99999999"), ("nothing", "5"), ("huawei_pay", "5"), ("alipay", "-5"),
])  # fmt: skip
def test_parts_that_make_no_sense_are_refused_in_words(visit, method, part) -> None:
    visitor, placed = visit(0)
    answer = visitor.get(f"/cashier/{placed.intent_id}?part_method={method}&part={part}")
    check(answer)
    assert 'name="part_minor"' not in answer.text
    assert "error" in answer.text or "reasons" in answer.text


@pytest.mark.parametrize("locale", LOCALES)
def test_silence_is_said_to_be_silence(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    mall.control.set_fault("wechat_pay", "timeout_after", "pay", 1, seconds="5")
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    check(paying)
    assert ("不会重复扣款" if locale == "zh-CN" else "You will not be charged twice") in paying.page.words
    assert state_of(visitor, paying, run)["outcome"] in ("unknown", "pending")
    check(visitor.get(f"/cashier/{placed.intent_id}"))
    check(visitor.get(f"/orders/{placed.order.order_id}"))
    mall.control.clear_faults()
    begun = attempt_of(run, mall, buyers, 0, placed)
    mall.pay_at_wallet("wechat_pay", begun.attempt_no)
    assert state_of(visitor, paying, run)["outcome"] == "succeeded"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_payment_is_given_up_for_another_way(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    listed = visitor.get(f"/orders/{placed.order.order_id}")
    check(listed)
    assert paying.path in listed.page.links
    under_way = visitor.get(f"/cashier/{placed.intent_id}")
    check(under_way)
    assert paying.path in under_way.page.links
    back = visitor.send(paying, f"{paying.path}/cancel")
    check(back)
    assert back.path == f"/cashier/{placed.intent_id}"
    closed = visitor.get(paying.path)
    check(closed)
    assert ("付款已关闭" if locale == "zh-CN" else "This payment is closed") in closed.page.words
    assert "data-poll" not in closed.text
    check(visitor.get(f"/orders/{placed.order.order_id}"))
    again = pay_with(visitor, placed, "money_account")
    assert again.path != paying.path and ("付款成功" if locale == "zh-CN" else "Payment done") in again.page.words


def test_what_is_paid_meanwhile_stays_paid(visit, mall, buyers, run) -> None:
    visitor, placed = visit(0)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    mall.pay_at_wallet("wechat_pay", attempt_of(run, mall, buyers, 0, placed).attempt_no)
    done = visitor.send(paying, f"{paying.path}/cancel")
    check(done)
    assert done.path == paying.path and "It was paid before it could be closed." in done.page.words


@pytest.mark.parametrize("locale", LOCALES)
def test_time_runs_out(visit, mall, run, buyers, locale, names) -> None:
    visitor, placed = visit(0, locale)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    mall.clock.advance(timedelta(minutes=16))
    lapsed = visitor.get(paying.path)
    mall.clock.set(world.AT)
    check(lapsed)
    assert ("付款已超时" if locale == "zh-CN" else "Time to pay is over") in lapsed.page.words


@pytest.mark.parametrize("locale", LOCALES)
def test_money_that_comes_too_late_is_seen_going_back(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    paying = pay_with(visitor, placed, "alipay", plan="full")
    late = attempt_of(run, mall, buyers, 0, placed)
    run(mall.open_page(late))
    second = pay_with(visitor, placed, "money_account")
    assert ("付款成功" if locale == "zh-CN" else "Payment done") in second.page.words
    by = mall.ctx.by_system("test", "said late")
    told = Paid("2026082422001400000000000001", late.amount_minor, mall.ctx.now())
    run(conclude.conclude(mall.ctx, buyers[0], late.attempt_id, told, by))
    returned = visitor.get(paying.path)
    check(returned)
    assert ("这笔钱会退给您" if locale == "zh-CN" else "This money comes back to you") in returned.page.words
    assert ("这笔订单已经付过一次" if locale == "zh-CN" else "The order had been paid already") in returned.page.words
    shown = visitor.get(f"/orders/{placed.order.order_id}")
    check(shown)
    assert ("退回进度" if locale == "zh-CN" else "Where your money is") in shown.page.words
    assert state_of(visitor, paying, run)["outcome"] == "returned"


@pytest.mark.parametrize("locale", LOCALES)
def test_a_refund_is_followed_step_by_step(visit, mall, buyers, run, locale) -> None:
    visitor, placed = visit(0, locale)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    mall.pay_at_wallet("wechat_pay", attempt_of(run, mall, buyers, 0, placed).attempt_no)
    visitor.get(paying.path)
    page = visitor.get(f"/orders/{placed.order.order_id}")
    asked = visitor.send(page, f"/orders/{placed.order.order_id}/refund", amount="100.00")
    check(asked)
    shown = visitor.get(f"/orders/{placed.order.order_id}")
    check(shown)
    said = (
        ("已申请", "对方已受理", "微信支付")
        if locale == "zh-CN"
        else ("Asked for", "Accepted by the bank or wallet", "up to 3")
    )
    assert all(word in shown.page.words for word in said)
    assert f'value="{(placed.order.payable_minor - 10_000) / 100:.2f}"' in shown.text
    run(janitor.settle(mall.ctx))
    mall.clock.advance(timedelta(seconds=1300))
    run(janitor.settle(mall.ctx))
    done = visitor.get(f"/orders/{placed.order.order_id}")
    mall.clock.set(world.AT)
    check(done)
    assert ("已退回" if locale == "zh-CN" else "Back with you") in done.page.words


def test_the_banks_own_form_brings_the_buyer_back_without_a_token(visit, mall, buyers, run) -> None:
    visitor, placed = visit(0)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    foreign = {"Origin": "https://gateway.bank.example"}
    back = visitor.post(paying.path, {"respCode": "00", "orderId": "x", "signature": "nonsense"}, **foreign)
    check(back)
    assert back.path == paying.path and "Waiting for your payment" in back.page.words, "nothing in it is believed"
    assert visitor.post("/payments/no-id", {}, follow=False).where == "/orders"
    assert visitor.post(f"{paying.path}/cancel", {}, **foreign).status == 403


def test_other_peoples_payments_are_not_found(visit, app, run, names, buyers) -> None:
    visitor, placed = visit(0)
    paying = pay_with(visitor, placed, "wechat_pay", plan="full")
    other = Browser(app, run)
    other.sign_in(names(buyers[1]))
    check(other.get(paying.path), 404)
    assert run(other.http.get(f"{paying.path}/state.json")).status_code == 404
    assert other.post(f"{paying.path}/cancel", {"csrf": token(other.get("/me"))}).status == 404


@pytest.mark.parametrize("locale", LOCALES)
def test_a_top_up_that_waits_has_a_page(visit, mall, buyers, run, locale) -> None:
    visitor, _ = visit(1, locale)
    mall.control.set_fault("bank_card", "timeout_after", "pay", 1, seconds="5")
    money = visitor.get("/money")
    waits = visitor.send(money, "/money/top-up", amount="123.00")
    check(waits)
    assert waits.path.startswith("/money/attempts/") and "data-poll" in waits.text
    assert run(visitor.http.get(f"{waits.path}/state.json")).json()["outcome"] in ("unknown", "succeeded")
    mall.control.clear_faults()
    run(visitor.http.get(f"{waits.path}/state.json"))
    done = visitor.get(waits.path)
    check(done)
    assert ("钱已转入小金库" if locale == "zh-CN" else "The money is in your Money Account") in done.page.words
    check(visitor.get(f"/money/attempts/{UUID(int=5)}"), 404)


def test_nothing_is_wrong_with_the_books(mall, run) -> None:
    assert run(mall.faults()) == []
