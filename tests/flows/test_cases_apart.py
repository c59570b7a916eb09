"""Cases that a buyer may not know of, kept apart from what they ask for; and what staff of other roles don't see."""

from __future__ import annotations

import msgspec
import pytest
from tests import world
from tests.flows.test_cases import gathered, reasons, with_finding

from fenqi import aftersales, cashier, risk
from fenqi.aftersales import Kind, NewCase, Subject, Topic
from fenqi.cashier.facts import RiskFacts
from fenqi.database.reference_epoch import read_epoch
from fenqi.flows import ask, case_buyer, case_desk, case_effect, case_open, case_seen, risk_events
from fenqi.flows.case_buyer import Request
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.texts import Audience, Locale


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture
def one(ctx, run, request):
    """Somebody new in each test."""
    taken = ctx.__dict__.setdefault("taken", [])
    taken.append(request.node.name)
    return run(world.people(ctx, 1, skip=len(taken) - 1))[0]


def test_a_buyer_never_joins_a_review_that_is_hidden_from_them(ctx, run, one):
    """They would write into a case that their own pages then don't find."""
    basis = run(gathered(ctx, one))
    run(case_open.by_itself(ctx, with_finding(basis, "RISK_CASHOUT_SUSPECT"), reasons("RISK_CASHOUT_SUSPECT")))

    async def refused():
        offer = cashier.Offer("credit", "instalment_6", 1, False, tuple(reasons("RISK_MANUAL_REVIEW")))
        verdict = msgspec.json.encode([offer])
        async with ctx.database.transaction() as tx:
            await cashier.insert_decisions(tx, [basis.stored("offers", basis.facts, verdict, ctx.now())])

    run(refused())
    asked = Request(
        route="human_review", text="Why?", decision_id=basis.decision_id, method="credit", plan="instalment_6"
    )
    made = run(case_buyer.ask(ctx, one, new_id(), asked))
    assert (made.case.kind, made.case.topic, made.joined) == (Kind.APPEAL, Topic.RISK_REFUSAL, False)
    assert [each.number for each in run(case_buyer.mine(ctx, one))] == [made.case.number]
    assert run(case_buyer.one(ctx, one, made.case.number)).case == made.case


def test_what_staff_asked_about_an_order_is_no_case_of_its_buyer_s(ctx, run, one):
    basis = run(gathered(ctx, one))
    by_staff = run(ask.ask(ctx, "转人工", Locale.ZH_CN, Audience.SUPPORT, one, basis.order_id))
    by_buyer = run(ask.ask(ctx, "转人工", Locale.ZH_CN, Audience.BUYER, one, basis.order_id))
    assert by_staff.waits and by_buyer.waits
    [mine] = run(case_buyer.mine(ctx, one))
    assert mine.subject == Subject("order", str(basis.order_id))
    assert run(case_buyer.one(ctx, one, mine.number)).for_buyer[0].body == "转人工"
    with pytest.raises(Exception, match="QUESTION_UNKNOWN"):
        run(ask.again(ctx, by_staff.question_id, one, Locale.ZH_CN))


def test_rules_signals_and_lists_are_for_the_risk_desk(ctx, run, one):
    basis = run(gathered(ctx, one))
    stopped = with_finding(basis, "RISK_CASHOUT_SUSPECT")

    async def story():
        async with ctx.database.transaction() as tx:
            by = By("staff:risk", "a test's list", ctx.now())
            await risk.lists.add(tx, risk.Subject("consumer", one), "watch", by)
            await cashier.insert_decisions(tx, [stopped.stored("offers", stopped.facts, b"[]", ctx.now())])
        await case_open.by_itself(ctx, stopped, reasons("RISK_CASHOUT_SUSPECT"))
        async with ctx.database.snapshot() as tx:
            [case] = await aftersales.of_consumer(tx, one)
            return (await case_desk.show(ctx, tx, case)).seen

    seen = run(story())
    assert seen.lists == ("watch",) and seen.decision.risk.findings[0].rule_id == "r-1"
    assert case_seen.open_to(seen, True) == seen
    other = case_seen.open_to(seen, False)
    assert (other.lists, other.decision.risk) == ((), RiskFacts())
    assert "r-1" not in str(other) and other.order == seen.order


def test_a_complaint_upheld_and_a_fraud_carried_on_outdate_what_was_judged(ctx, run, one):
    basis = run(gathered(ctx, one))

    async def story():
        async with ctx.database.transaction() as tx:
            before = await read_epoch(tx)
            by = By("staff:risk", "it was so", ctx.now())
            subject, about = Subject("order", str(basis.order_id)), aftersales.About(order_id=basis.order_id)
            new = NewCase(case_id=new_id(), kind=Kind.COMPLAINT, subject=subject, policy_version="p", about=about)
            case = (await aftersales.open_case(tx, one, new, by)).case
            await case_effect._complaint(ctx, tx, case, None, by)  # type: ignore[arg-type]
            complained = await read_epoch(tx)
            await risk_events.handlers(ctx)["risk.fraud"](tx, [])
            return before, complained, await read_epoch(tx)

    before, complained, carried = run(story())
    assert (complained, carried) == (before + 1, before + 2)
