"""Cases through the flows: what opens them, what staff see, and what their decisions bring about at once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec
import pytest
from tests import world

from fenqi import aftersales, credit, order, staff
from fenqi.aftersales import CaseState, Kind, Stage, Subject, Topic, Verdict
from fenqi.cashier.facts import FindingFacts
from fenqi.credit import BureauFile, LineState, activation
from fenqi.credit.model import GENERAL_PATH
from fenqi.flows import apply_credit, case_buyer, case_desk, case_open, case_replay, case_topic, manage_line, quote
from fenqi.flows.apply_credit import Declared
from fenqi.flows.case_buyer import File, Request
from fenqi.kernel.by import By
from fenqi.kernel.clock import epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.reason import CODES, Disclosure, Reason, Scope, ScopeKind
from fenqi.kernel.refusal import Refusal
from fenqi.staff import Role

REFUSED = BureauFile(9, 80, 45, 11, 400_000)
SHOWN = ("income", "employment", "residence")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
TOLD = "We have looked at it again."


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def desk(ctx, run):
    """Two of the risk desk, one of support."""

    async def hire(name, role):
        async with ctx.database.transaction() as tx:
            return await staff.hire(tx, new_id(), name, name.title(), "a long password", [role], world.BY)

    return [run(hire(*who)) for who in (("anna", Role.RISK), ("bob", Role.RISK), ("cyd", Role.SUPPORT))]


@pytest.fixture
def one(ctx, run, request):
    """Somebody new in each test."""
    taken = ctx.__dict__.setdefault("taken", [])
    taken.append(request.node.name)
    return run(world.people(ctx, 1, skip=len(taken) - 1))[0]


async def apply(ctx, consumer_id, bureau):
    application_id = new_id()
    consents = activation.required_consents(credit.PRODUCT)
    application, line = await apply_credit.apply(
        ctx, consumer_id, application_id, Declared(1_500_000, SHOWN), consents, bureau
    )
    return application, line


async def line_of(ctx, consumer_id):
    async with ctx.database.snapshot() as tx:
        return await credit.line.read(tx, consumer_id)


async def case_of(ctx, consumer_id, kind):
    async with ctx.database.snapshot() as tx:
        return next(one for one in await aftersales.of_consumer(tx, consumer_id) if one.kind is kind)


async def by_two(ctx, desk, number, outcome, reasons=(), **inputs):
    """Anna takes it and proposes, Bo agrees where that is needed."""
    anna, bo, _ = desk
    await case_desk.claim(ctx, anna, number, "my turn")
    wanted = Verdict(outcome=outcome, reasons=reasons, inputs=inputs, told=TOLD)
    case, decision = await case_desk.decide(ctx, anna, number, wanted, "seen the papers")
    if decision.stage is Stage.PROPOSED:
        case, decision = await case_desk.agree(ctx, bo, number, "seen them, too")
    return case, decision


async def replayed(ctx, case):
    async with ctx.database.snapshot() as tx:
        return await case_replay.again(ctx, tx, case)


async def appeal(ctx, consumer_id, **more):
    return (await case_buyer.ask(ctx, consumer_id, new_id(), Request(route="human_review", text="Why?", **more))).case


def test_an_application_left_to_people_is_decided_by_two(ctx, run, desk, one):
    application, line = run(apply(ctx, one, None))
    assert (application.outcome, line.state) == ("review", LineState.PENDING)
    case = run(case_of(ctx, one, Kind.APPLICATION_REVIEW))
    assert case.due_at == line.expected_by_at, "the line promises what the case is due by"
    decided, decision = run(by_two(ctx, desk, case.number, "approved", limit_minor=800_000))
    line = run(line_of(ctx, one))
    assert (decided.state, line.state, line.approved_minor) == (CaseState.DECIDED, LineState.NOT_ACTIVATED, 800_000)
    assert decision.proposer == desk[0].actor and decision.actor == desk[1].actor
    assert run(replayed(ctx, decided)).faults == ()
    seen = msgspec.json.decode(decision.facts)
    assert seen["application"]["inputs"]["income_minor"] == 1_500_000
    assert not {"name", "phone", "id_number"} & set(str(seen).replace("'", " ").split())


def test_a_rejection_names_its_reasons_and_is_appealed_against(ctx, run, desk, one):
    application, _ = run(apply(ctx, one, None))
    case = run(case_of(ctx, one, Kind.APPLICATION_REVIEW))
    run(by_two(ctx, desk, case.number, "rejected", ("CR_NO_FILE",)))
    line = run(line_of(ctx, one))
    assert (line.state, line.principal_reasons) == (LineState.REJECTED, ("CR_NO_FILE",))
    disputed = run(appeal(ctx, one, files=(File("salary.png", PNG),)))
    assert (disputed.kind, disputed.topic) == (Kind.APPEAL, Topic.CREDIT_REFUSAL)
    assert disputed.about.application_id == application.application_id
    decided, _ = run(by_two(ctx, desk, disputed.number, "upheld", limit_minor=500_000))
    line = run(line_of(ctx, one))
    assert (line.state, line.approved_minor, line.principal_reasons) == (LineState.NOT_ACTIVATED, 500_000, ())
    assert run(replayed(ctx, decided)).faults == ()


def test_a_machine_s_refusal_is_re_decided_and_a_second_appeal_joins_the_first(ctx, run, desk, one):
    _, line = run(apply(ctx, one, REFUSED))
    assert line.state is LineState.REJECTED
    first, second = run(appeal(ctx, one)), run(appeal(ctx, one))
    assert first.case_id == second.case_id
    run(by_two(ctx, desk, first.number, "dismissed", ("CR_BUREAU_DELINQUENT",)))
    assert run(line_of(ctx, one)) == line, "a dismissal changes nothing"


@pytest.mark.parametrize(
    ("spoil", "topic", "inputs"),
    [
        ("withdraw", Topic.LINE_WITHDRAWN, {}),
        ("freeze", Topic.LINE_FROZEN, {}),
        ("freeze_part", Topic.LIMIT_FROZEN, {}),
        ("cut", Topic.LIMIT_CUT, {"limit_minor": 4_000_000}),
        ("observe", Topic.OBSERVATION, {}),
    ],
)
def test_an_appeal_upheld_undoes_what_the_lender_did(ctx, run, desk, one, spoil, topic, inputs):
    by = By("staff:other", "seemed right", ctx.now())

    async def before():
        await world.give_line(ctx, one)
        if spoil == "withdraw":
            await manage_line.withdraw_line(ctx, one, ("CR_DEBT_BURDEN",), by)
        elif spoil == "freeze":
            await manage_line.freeze(ctx, one, by)
        elif spoil == "freeze_part":
            await manage_line.freeze_limit(ctx, one, GENERAL_PATH, 1_000_000, by)
        elif spoil == "cut":
            await manage_line.set_limit(ctx, one, GENERAL_PATH, 1_000_000, by)
        else:
            async with ctx.database.transaction() as tx:
                until_on = (ctx.now() + timedelta(days=20)).date()
                await credit.line.set_flags(tx, one, by, observed_until_on=until_on)

    run(before())
    case = run(appeal(ctx, one))
    assert (case.topic, case.subject) == (topic, Subject("line", str(one)))
    run(by_two(ctx, desk, case.number, "upheld", **inputs))

    async def after():
        async with ctx.database.snapshot() as tx:
            limit = (await credit.limit.limits_of(tx, one))[GENERAL_PATH]
            return await credit.line.read(tx, one), limit

    line, limit = run(after())
    assert (line.state, line.observed_until_on, limit.frozen_minor) == (LineState.ACTIVE, None, 0)
    if topic is Topic.LIMIT_CUT:
        assert limit.granted_minor == 4_000_000


def test_a_higher_limit_is_asked_for_and_given(ctx, run, desk, one):
    run(world.give_line(ctx, one))

    async def granted():
        async with ctx.database.snapshot() as tx:
            return (await credit.limit.limits_of(tx, one))[GENERAL_PATH].granted_minor

    now_minor = run(granted())
    with pytest.raises(Refusal, match="LIMIT_NOT_RAISED"):
        run(case_buyer.ask(ctx, one, new_id(), Request(route="raise_limit", text="More", wanted_minor=now_minor)))
    wanted = now_minor + 500_000
    asked = run(case_buyer.ask(ctx, one, new_id(), Request(route="raise_limit", text="More", wanted_minor=wanted)))
    assert asked.case.amount_minor == 500_000
    run(by_two(ctx, desk, asked.case.number, "approved", limit_minor=now_minor + 300_000))
    assert run(granted()) == now_minor + 300_000


def test_what_can_t_be_carried_out_is_not_decided_either(ctx, run, desk, one):
    run(world.give_line(ctx, one))
    by = By("staff:other", "seemed right", ctx.now())
    run(manage_line.withdraw_line(ctx, one, ("CR_DEBT_BURDEN",), by))
    case = run(appeal(ctx, one))
    anna, bo, _ = desk
    run(case_desk.claim(ctx, anna, case.number, "my turn"))
    run(case_desk.decide(ctx, anna, case.number, Verdict(outcome="upheld", told=TOLD), "a mistake of ours"))
    run(manage_line.reinstate(ctx, one, By("staff:other", "saw it as well", ctx.now())))
    with pytest.raises(Refusal, match="STATE_CONFLICT"):
        run(case_desk.agree(ctx, bo, case.number, "yes"))
    now = run(case_of(ctx, one, Kind.APPEAL))
    assert now.state is CaseState.PROPOSED
    assert run(case_desk.lapse(ctx, bo, case.number, "somebody has reinstated it")).state is CaseState.LAPSED


def test_nobody_decides_on_what_the_screen_didn_t_show(ctx, run, desk, one):
    case = run(case_buyer.ask(ctx, one, new_id(), Request(route="contact_support", text="Where is it?"))).case
    cy = desk[2]
    run(case_desk.claim(ctx, cy, case.number, "my turn"))

    async def mark():
        async with ctx.database.snapshot() as tx:
            return (await case_desk.show(ctx, tx, await aftersales.find(tx, case.number))).mark

    seen = run(mark())
    run(case_buyer.write(ctx, one, case.number, new_id(), "It has come."))
    wanted = Verdict(outcome="answered", told=TOLD)
    with pytest.raises(Refusal, match="CASE_CHANGED"):
        run(case_desk.decide(ctx, cy, case.number, wanted, "answered", seen))
    decided, _ = run(case_desk.decide(ctx, cy, case.number, wanted, "answered", run(mark())))
    assert decided.outcome == "answered"


def test_support_answers_questions_and_decides_no_credit(ctx, run, desk, one):
    run(world.give_line(ctx, one))
    asked = Request(route="raise_limit", text="More", wanted_minor=9_000_000)
    case = run(case_buyer.ask(ctx, one, new_id(), asked)).case
    with pytest.raises(Refusal, match="NOT_ALLOWED"):
        run(case_desk.claim(ctx, desk[2], case.number, "my turn"))
    with pytest.raises(Refusal, match="AMOUNT_INVALID"):
        run(case_desk.claim(ctx, desk[0], case.number, "my turn"))
        run(case_desk.decide(ctx, desk[0], case.number, Verdict(outcome="approved", told=TOLD), "yes"))


async def gathered(ctx, consumer_id):
    await world.give_line(ctx, consumer_id)
    phone = world.wish(ctx.reference.newest, "phone", most_minor=600_000)
    placed = await world.buy(ctx, consumer_id, [phone])
    return await quote.gather(ctx, consumer_id, placed.intent_id)


def with_finding(basis, *codes):
    findings = tuple(FindingFacts(code, "review", "r-1") for code in codes)
    risk = msgspec.structs.replace(basis.facts.risk, findings=findings)
    facts = msgspec.structs.replace(basis.facts, risk=risk)
    return type(basis)(**{**basis.__dict__, "facts": facts})


def reasons(*codes):
    return [Reason(code, "credit", Scope(ScopeKind.METHOD)) for code in codes]


def test_a_press_that_risk_stops_for_review_opens_one_case(ctx, run, desk, one):
    basis = run(gathered(ctx, one))
    stopped = with_finding(basis, "RISK_MANUAL_REVIEW")
    told = [run(case_open.by_itself(ctx, stopped, reasons("RISK_MANUAL_REVIEW"))) for _ in range(3)]
    cases = run(case_buyer.mine(ctx, one))
    assert [(case.kind, case.subject.id) for case in cases] == [(Kind.PAYMENT_REVIEW, str(basis.order_id))]
    assert {one.until_ms for some in told for one in some} == {epoch_ms(cases[0].due_at)}
    assert cases[0].due_at == aftersales.norm.due_at(Kind.PAYMENT_REVIEW, ctx.now())
    with pytest.raises(Refusal, match="NOT_YOURS"):
        run(case_buyer.withdraw(ctx, one, cases[0].number))
    run(by_two(ctx, desk, cases[0].number, "confirmed", ("RISK_CASHOUT_SUSPECT",)))
    run(case_open.by_itself(ctx, stopped, reasons("RISK_MANUAL_REVIEW")))
    assert len(run(case_buyer.mine(ctx, one))) == 1, "what a person has confirmed isn't asked again"


def test_a_review_for_a_hidden_reason_is_not_the_buyer_s_to_know(ctx, run, one):
    basis = run(gathered(ctx, one))
    run(case_open.by_itself(ctx, with_finding(basis, "RISK_CASHOUT_SUSPECT"), reasons("RISK_CASHOUT_SUSPECT")))
    hidden = run(case_of(ctx, one, Kind.PAYMENT_REVIEW))
    assert hidden.about.codes == ("RISK_CASHOUT_SUSPECT",)
    assert run(case_buyer.mine(ctx, one)) == []
    with pytest.raises(Refusal, match="CASE_UNKNOWN"):
        run(case_buyer.one(ctx, one, hidden.number))


def test_a_gap_in_the_policy_is_one_alarm_for_everybody(ctx, run, one):
    basis = run(gathered(ctx, one))
    gap = Reason(
        "POLICY_MISSING", "credit", Scope(ScopeKind.LINE, ("l",)), {"scene": "mall", "category": "gold"},
        policy_version="p",
    )  # fmt: skip

    async def alarms():
        async with ctx.database.snapshot() as tx:
            return [one for one in await aftersales.queue(tx, [Kind.POLICY_MISSING])]

    for _ in range(2):
        run(case_open.by_itself(ctx, basis, [gap, gap]))
        ctx.alarms.clear()
    found = run(alarms())
    assert [case.about.category for case in found] == ["gold"]
    assert found[0].consumer_id is None and found[0].subject.id.endswith("/mall/gold/credit")


def test_two_clerks_at_once_open_the_line_once(ctx, run, desk, one):
    run(apply(ctx, one, None))
    case = run(case_of(ctx, one, Kind.APPLICATION_REVIEW))
    anna, bo, _ = desk

    async def race():
        async with ctx.database.transaction() as tx:
            dan = await staff.hire(tx, new_id(), "dan", "Dan", "a long password", [Role.RISK], world.BY)
        await case_desk.claim(ctx, anna, case.number, "my turn")
        wanted = Verdict(outcome="approved", inputs={"limit_minor": 700_000}, told=TOLD)
        await case_desk.decide(ctx, anna, case.number, wanted, "fine")
        agreed = (case_desk.agree(ctx, who, case.number, "fine") for who in (bo, dan, bo, dan))
        return await asyncio.gather(*agreed, return_exceptions=True)

    answers = run(race())
    lost = [each for each in answers if isinstance(each, Refusal)]
    assert len(lost) == 2 and {each.code for each in lost} == {"STATE_CONFLICT"}
    line = run(line_of(ctx, one))
    assert line.approved_minor == 700_000

    async def opened():
        async with ctx.database.snapshot() as tx:
            return [move for move in await credit.line.history(tx, one) if move.to_state is LineState.NOT_ACTIVATED]

    assert len(run(opened())) == 1


def test_a_buyer_withdraws_while_it_is_decided(ctx, run, desk, one):
    anna, bo, _ = desk

    async def race():
        await world.give_line(ctx, one)
        limits = []
        for step in range(1, 7):
            wanted_minor = 5_000_000 + step * 100_000
            request = Request(route="raise_limit", text="More", wanted_minor=wanted_minor)
            case = (await case_buyer.ask(ctx, one, new_id(), request)).case
            await case_desk.claim(ctx, anna, case.number, "my turn")
            wanted = Verdict(outcome="approved", inputs={"limit_minor": wanted_minor}, told=TOLD)
            await case_desk.decide(ctx, anna, case.number, wanted, "fine")
            done = await asyncio.gather(
                case_desk.agree(ctx, bo, case.number, "fine"), case_buyer.withdraw(ctx, one, case.number),
                return_exceptions=True,
            )  # fmt: skip
            assert sum(isinstance(each, Refusal) for each in done) == 1
            async with ctx.database.snapshot() as tx:
                now = await aftersales.find(tx, case.number)
                limits.append((await credit.limit.limits_of(tx, one))[GENERAL_PATH].granted_minor == wanted_minor)
            assert limits[-1] is (now.state is CaseState.DECIDED), "the limit is raised exactly when it was decided"

    run(race())


def test_nothing_to_appeal_is_said(ctx, run, one):
    run(world.give_line(ctx, one))
    with pytest.raises(Refusal, match="NOTHING_TO_APPEAL"):
        run(appeal(ctx, one))
    with pytest.raises(Refusal, match="DECISION_UNKNOWN"):
        run(appeal(ctx, one, decision_id=new_id()))
    with pytest.raises(Refusal, match="ROUTE_UNKNOWN"):
        run(case_buyer.ask(ctx, one, new_id(), Request(route="bank", text="Hello")))


def test_hidden_reasons_of_one_twin_are_appealed_against_alike(ctx, run, one):
    """Whether a request is taken, what it is about and by when: the same for whatever a public twin stands for."""
    basis = run(gathered(ctx, one))
    stored = basis.stored("offers", basis.facts, b"[]", ctx.now())

    async def order_of():
        async with ctx.database.snapshot() as tx:
            return await order.get(tx, one, basis.order_id)

    bought = run(order_of())
    asked = Request(route="appeal", text="Why?", method="credit", plan="instalment_6")
    twins: dict[str, set[str]] = {}
    for code, meta in CODES.items():
        if meta.twin is not None and meta.disclosure is not Disclosure.EXACT:
            twins.setdefault(meta.twin, set()).add(code)
    assert len(twins["RISK_REVIEW"]) >= 10 and len(twins["CREDIT_UNDER_ASSESSMENT"]) >= 10
    for twin, hidden in twins.items():
        for route in ("appeal", "human_review"):
            answers = set()
            for code in sorted(hidden):
                try:
                    against = case_topic.of_reasons(one, route, tuple(reasons(code)), new_id(), bought, stored, asked)
                    is_risk = against.topic is Topic.RISK_REFUSAL
                    answers.add(("taken", against.subject, against.amount_minor, is_risk, against.about.order_number))
                except Refusal as no:
                    answers.add((no.code, no.extra["route"]))
            assert len(answers) == 1, (twin, route, answers)
