"""Questions answered with the person's own order: the reasons that hold, the true one, figures, choices, misses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests import world

from fenqi import aftersales, question
from fenqi.aftersales import Kind
from fenqi.database.pool import Database
from fenqi.flows import ask
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import NotFound, Refusal
from fenqi.question import Outcome
from fenqi.texts import Audience, Locale

ZH, EN = Locale.ZH_CN, Locale.EN


@pytest.fixture(scope="module")
def ctx(database: Database, run: Any) -> Iterator[Context]:
    context = world.context(database)
    yield context
    assert context.pay_queue is not None
    run(context.pay_queue.close())


@pytest.fixture(scope="module")
def ref(ctx: Context, run: Any) -> Reference:
    found: Reference = run(world.furnish(ctx))
    return found


@pytest.fixture(scope="module")
def cast(ctx: Context, ref: Reference, run: Any) -> dict[str, Any]:
    """One with a line of ¥50,000 and one without, each with gold and a phone waiting for payment."""

    async def make() -> dict[str, Any]:
        rich, poor = await world.people(ctx, 2)
        await world.give_line(ctx, rich)
        made: dict[str, Any] = {"rich": rich, "poor": poor}
        for name, one in (("rich", rich), ("poor", poor)):
            made[f"{name}_gold"] = await world.buy(ctx, one, [world.wish(ref, "gold", "mall")], "mall")
            made[f"{name}_phone"] = await world.buy(ctx, one, [world.wish(ref, "phone", most_minor=500_000)])
        return made

    return run(make())


def test_the_reasons_that_hold_come_first(ctx: Context, run: Any, cast: Any) -> None:
    answer = run(
        ask.ask(ctx, "黄金不能用白条买吗", ZH, consumer_id=cast["rich"], order_id=cast["rich_gold"].order.order_id)
    )
    assert (answer.outcome, answer.topic, answer.finding) == (Outcome.ANSWERED, "goods_excluded", "matters")
    assert answer.reasons[0].code == "GOODS_CATEGORY_EXCLUDED"
    assert answer.order_number == cast["rich_gold"].order.number
    assert answer.checkout_id == cast["rich_gold"].intent_id
    assert answer.confidence_ppm >= 600_000


def test_the_true_reason_is_told_kindly_where_the_question_is_about_another(ctx: Context, run: Any, cast: Any) -> None:
    asked = "为什么有额度却不能分期付款"
    answer = run(ask.ask(ctx, asked, ZH, consumer_id=cast["poor"], order_id=cast["poor_phone"].order.order_id))
    assert answer.topic == "instalment_refused"
    codes = [one.code for one in answer.reasons]
    assert "CREDIT_NOT_OPENED" in codes
    about_seller = run(
        ask.ask(ctx, "商家不支持花呗怎么办", ZH, consumer_id=cast["poor"], order_id=cast["poor_phone"].order.order_id)
    )
    assert about_seller.finding == "differs"
    assert about_seller.reasons[0].code == "CREDIT_NOT_OPENED"
    assert about_seller.remedies or about_seller.reasons


def test_where_nothing_stands_in_the_way_that_is_said(ctx: Context, run: Any, cast: Any) -> None:
    asked = "why can't I pay for this order with credit"
    answer = run(ask.ask(ctx, asked, EN, consumer_id=cast["rich"], order_id=cast["rich_phone"].order.order_id))
    assert answer.finding == "usable" and answer.reasons == ()
    assert answer.order_number == cast["rich_phone"].order.number


def test_without_an_order_named_the_latest_unpaid_one_is_meant(ctx: Context, run: Any, cast: Any) -> None:
    answer = run(ask.ask(ctx, "这笔订单为什么不能用花呗", ZH, consumer_id=cast["poor"]))
    assert answer.order_number == cast["poor_phone"].order.number


def test_figures_are_the_persons_own(ctx: Context, run: Any, cast: Any) -> None:
    mine = run(ask.ask(ctx, "我的额度是多少", ZH, consumer_id=cast["rich"]))
    assert "¥50,000.00" in mine.text
    anybody = run(ask.ask(ctx, "我的额度是多少", ZH))
    assert "¥" not in anybody.text and anybody.title == mine.title


def test_others_orders_do_not_exist(ctx: Context, run: Any, cast: Any) -> None:
    with pytest.raises(NotFound):
        run(ask.ask(ctx, "为什么不能用", ZH, consumer_id=cast["rich"], order_id=cast["poor_gold"].order.order_id))


def test_a_choice_taken_is_certain(ctx: Context, run: Any) -> None:
    answer = run(ask.ask(ctx, "额度", ZH, topic="limit_cap"))
    assert (answer.topic, answer.confidence_ppm, answer.outcome) == ("limit_cap", 1_000_000, Outcome.ANSWERED)
    with pytest.raises(Refusal) as no:
        run(ask.ask(ctx, "额度", ZH, topic="nonsense"))
    assert no.value.code == "TOPIC_UNKNOWN"


def test_it_is_kept_once_and_read_again_by_its_asker_only(ctx: Context, run: Any, cast: Any) -> None:
    question_id = new_id()
    first = run(ask.ask(ctx, "卡号6222020012345678怎么换绑", ZH, consumer_id=cast["rich"], question_id=question_id))
    run(ask.ask(ctx, "别的问题", ZH, consumer_id=cast["rich"], question_id=question_id))
    assert first.asked == "卡号***怎么换绑"
    assert run(ask.again(ctx, question_id, cast["rich"], ZH)) == first
    for other in (None, cast["poor"]):
        with pytest.raises(NotFound):
            run(ask.again(ctx, question_id, other, ZH))


def test_what_did_not_help_becomes_a_case(ctx: Context, run: Any, cast: Any) -> None:
    async def story() -> None:
        answer = await ask.ask(ctx, "花呗账单不对", ZH, consumer_id=cast["rich"])
        assert not answer.waits
        await ask.rate(ctx, answer.question_id, cast["rich"], False)
        await ask.rate(ctx, answer.question_id, cast["rich"], False)
        async with ctx.database.snapshot() as tx:
            kept = await question.get(tx, answer.question_id, cast["rich"])
            cases = await aftersales.of_subject(tx, cast["rich"], Kind.QUESTION, _subject(kept))
        assert kept.helped is False and kept.waits_from_at is not None
        assert len(cases) == 1 and cases[0].about.question == "花呗账单不对"

    run(story())


def _subject(kept: question.Asked) -> aftersales.Subject:
    if kept.order_id is not None:
        return aftersales.Subject("order", str(kept.order_id))
    return aftersales.Subject("none", str(kept.question_id))


def test_a_question_for_a_person_is_kept_with_its_case_or_not_at_all(ctx, run, cast, monkeypatch) -> None:
    class Killed(Exception):
        """The process dies between the two."""

    async def dies(*_: Any) -> None:
        raise Killed

    question_id = new_id()
    asked = {"consumer_id": cast["poor"], "question_id": question_id}
    with monkeypatch.context() as broken:
        broken.setattr(ask.case_open, "say", dies)
        with pytest.raises(Killed):
            run(ask.ask(ctx, "转人工", ZH, **asked))
    with pytest.raises(NotFound):
        run(ask.again(ctx, question_id, cast["poor"], ZH))
    assert run(ask.ask(ctx, "转人工", ZH, **asked)).waits

    async def open_cases() -> list[Any]:
        async with ctx.database.snapshot() as tx:
            found = await aftersales.queue(tx, [Kind.QUESTION])
        return [one for one in found if one.case_id == question_id]

    assert len(run(open_cases())) == 1


def test_a_miss_of_nobody_waits_in_the_list_and_is_taken_once(ctx: Context, run: Any) -> None:
    async def story() -> None:
        answer = await ask.ask(ctx, "转人工", ZH)
        assert answer.waits and answer.topic == "human"
        by = world.BY
        async with ctx.database.transaction() as tx:
            assert answer.question_id in [one.question_id for one in await question.waiting(tx)]
            await question.take(tx, answer.question_id, by)
        async with ctx.database.transaction() as tx:
            assert answer.question_id not in [one.question_id for one in await question.waiting(tx)]
            with pytest.raises(Refusal) as no:
                await question.take(tx, answer.question_id, by)
        assert no.value.code == "QUESTION_TAKEN"

    run(story())


def test_what_is_none_of_ours_waits_for_nobody(ctx: Context, run: Any) -> None:
    answer = run(ask.ask(ctx, "今天天气怎么样", ZH))
    assert answer.outcome is Outcome.PERSON and answer.topic == "other" and not answer.waits


def test_refused_questions_are_not_kept(ctx: Context, run: Any) -> None:
    question_id = new_id()
    with pytest.raises(Refusal):
        run(ask.ask(ctx, "？" * 10, ZH, question_id=question_id))
    with pytest.raises(NotFound):
        run(ask.again(ctx, question_id, None, ZH))


@pytest.mark.parametrize("audience", [Audience.BUYER, Audience.SUPPORT])
def test_staff_see_what_buyers_do_not(ctx: Context, run: Any, cast: Any, audience: Audience) -> None:
    asked = "这笔订单为什么不能用花呗"
    answer = run(ask.ask(ctx, asked, EN, audience, cast["poor"], cast["poor_phone"].order.order_id))
    assert answer.reasons[0].code == "CREDIT_NOT_OPENED"
