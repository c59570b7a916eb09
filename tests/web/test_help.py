"""Asking in words on the pages: the help page, the box at the cashier, and the console."""

from __future__ import annotations

from html import escape
from typing import Any

import pytest
from tests import world
from tests.web.test_pages import check

from fenqi import question, texts
from fenqi.texts import Locale

UNCLEAR = (
    "limit payment",
    "额度 支付",
    "还 额度 钱",
    "card limit pay",
    "分期 还款 额度",
    "order money",
    "退 额度",
    "扣",
)


@pytest.fixture(scope="module")
def buyer(ctx: Any, ref: Any, run: Any) -> Any:
    """Somebody without a line who wants gold, which no credit pays, and a phone."""

    async def make() -> Any:
        (found,) = await world.people(ctx, 1)
        gold = await world.buy(ctx, found, [world.wish(ref, "gold", "mall")], "mall")
        return found, gold

    return run(make())


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_anybody_may_ask_and_gets_the_general_answer(browser: Any, locale: str) -> None:
    anyone = browser(locale)
    page = anyone.get("/help")
    check(page)
    answer = anyone.send(page, "/help/ask", text="花呗可以提前还款吗")
    check(answer)
    assert answer.path == "/help" and "question=" in answer.query
    assert ("提前还款、一次结清" if locale == "zh-CN" else "Repaying early") in answer.text
    assert ("解决了吗" if locale == "zh-CN" else "Did this help?") in answer.text
    rated = anyone.send(answer, "/help/rate", helped="no")
    check(rated)
    assert ("已经转给人工" if locale == "zh-CN" else "Passed to a person") in rated.text


def test_nothing_and_letters_are_put_right_on_the_page(browser: Any) -> None:
    anyone = browser()
    page = anyone.get("/help")
    nothing = anyone.send(page, "/help/ask", text="  ")
    check(nothing, 422)
    assert "Write your question in a sentence" in nothing.text
    letter = anyone.send(page, "/help/ask", text="why " * 200)
    check(letter, 422)
    assert "at most 300 characters" in letter.text and "why why why" in letter.text


def test_markup_in_a_question_stays_text(browser: Any) -> None:
    anyone = browser()
    answer = anyone.send(anyone.get("/help"), "/help/ask", text="<script>alert(1)</script> how do I repay")
    check(answer)
    assert "<script>alert(1)" not in answer.text and "&lt;script&gt;" in answer.text


def test_what_is_unclear_gets_a_choice(browser: Any) -> None:
    anyone = browser()
    unclear = next(text for text in UNCLEAR if question.read(text).outcome == "choose")
    choice = anyone.send(anyone.get("/help"), "/help/ask", text=unclear)
    check(choice)
    assert "Which of these do you mean?" in choice.text and "% likely" in choice.text
    fields = dict(choice.page.form("/help/ask", "topic").fields)
    taken = anyone.post("/help/ask", {"csrf": fields["csrf"], "text": unclear, "topic": "limit_cap"})
    check(taken)
    assert "Caps per payment, day and month" in taken.text and "Your choice" in taken.text


def test_what_is_none_of_ours_is_said_so(browser: Any) -> None:
    anyone = browser()
    answer = anyone.send(anyone.get("/help"), "/help/ask", text="今天天气怎么样")
    check(answer)
    assert "outside what we can answer" in answer.text


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_the_cashier_answers_for_its_order(browser: Any, names: Any, buyer: Any, locale: str) -> None:
    consumer_id, gold = buyer
    mine = browser(locale)
    mine.sign_in(names(consumer_id))
    cashier = mine.get(f"/orders/{gold.order.order_id}/pay")
    check(cashier)
    answer = mine.send(cashier, "/help/ask", "order_id", text="为什么这个订单不能用花呗")
    check(answer)
    assert gold.order.number in answer.text
    assert escape(texts.title("CREDIT_NOT_OPENED", Locale(locale)), quote=False) in answer.text.replace("&#39;", "'")
    assert f"/cashier/{gold.intent_id}" in answer.text


def test_a_question_is_its_askers_own(browser: Any, names: Any, buyer: Any) -> None:
    mine = browser()
    mine.sign_in(names(buyer[0]))
    answer = mine.send(mine.get("/help"), "/help/ask", text="what is my limit")
    check(answer)
    assert browser().get(f"/help?{answer.query}").status == 404


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_staff_ask_for_an_order_and_take_what_waits(browser: Any, buyer: Any, locale: str) -> None:
    _, gold = buyer
    desk = browser(locale)
    page = desk.get("/console/sign-in")
    desk.send(page, "/console/sign-in", sign_in_name="support", password="a staff password")
    page = desk.get("/console/questions")
    check(page)
    without = desk.send(page, "/console/questions", "what", text="why not with Baitiao", what=gold.order.number)
    check(without, 422)
    answer = desk.send(
        page,
        "/console/questions",
        "what",
        text="为什么这个订单不能用花呗",
        what=gold.order.number,
        why="the buyer calls",
    )
    check(answer)
    assert f"/console/orders/{gold.order.number}" in answer.text
    anyone = browser()
    anyone.send(anyone.get("/help"), "/help/ask", text="转人工")
    waiting = desk.get("/console/questions")
    check(waiting)
    assert "转人工" in waiting.text
    taken = desk.send(waiting, "/console/questions/take", why="called back")
    check(taken)
    assert taken.path == "/console/questions"
