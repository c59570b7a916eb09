"""Diagnosis of orders, presses, lines and applications: what is told, to whom, and that nothing hidden gets out."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
from rich.console import Console
from tests import world

from fenqi import cashier, credit, explain_cli
from fenqi.cashier import RiskFacts
from fenqi.credit import BureauFile
from fenqi.database.pool import Database
from fenqi.flows import apply_credit, diagnose, diagnose_find, dossier, manage_line, pay, quote, refund
from fenqi.flows.apply_credit import Declared
from fenqi.flows.context import Context
from fenqi.flows.diagnose import Kind
from fenqi.flows.dossier import Dossier, Replayed, Standing
from fenqi.flows.reference import Reference
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.reason import CODES, Disclosure
from fenqi.kernel.refusal import NotFound
from fenqi.texts import Audience, Locale

Run = Callable[[Coroutine[Any, Any, Any]], Any]
GENERAL = "asset:loan_principal:general"
HIDDEN = sorted(
    meta.code
    for meta in CODES.values()
    if meta.group == "E" and meta.disclosure is Disclosure.GENERIC and meta.twin == "RISK_REVIEW"
)


@pytest.fixture(scope="module")
def ctx(database: Database, run: Run) -> Iterator[Context]:
    """A furnished mall whose clock stands."""
    context = world.context(database)
    yield context
    assert context.pay_queue is not None
    run(context.pay_queue.close())


@pytest.fixture(scope="module")
def ref(ctx: Context, run: Run) -> Reference:
    """Its shops, goods and policy."""
    found: Reference = run(world.furnish(ctx))
    return found


@pytest.fixture(scope="module")
def refused(ctx: Context, ref: Reference, run: Run) -> Any:
    """A phone, refused because the lender had cut the limit, then paid in twelve after it was given back."""
    return run(_refused_then_paid(ctx, ref))


async def _refused_then_paid(ctx: Context, ref: Reference) -> Any:
    (buyer,) = await world.people(ctx, 1, money_minor=10_000)
    await world.give_line(ctx, buyer)
    placed = await world.buy(ctx, buyer, [world.wish(ref, "phone", most_minor=400_000)])
    by = By("staff:test", "a test of the limits", ctx.now())
    await manage_line.set_limit(ctx, buyer, GENERAL, 100_000, by)
    first = await _press(ctx, buyer, placed.intent_id)
    assert first.outcome == "refused"
    before = await _dossier(ctx, placed.order.number)
    await manage_line.set_limit(ctx, buyer, GENERAL, 5_000_000, by)
    middle = await _dossier(ctx, placed.order.number)
    assert (await _press(ctx, buyer, placed.intent_id)).outcome == "succeeded"
    return placed, first, before, middle, await _dossier(ctx, placed.order.number)


async def _press(ctx: Context, buyer: UUID, intent_id: UUID) -> Any:
    digest = hashlib.sha256(intent_id.bytes).digest()
    return await pay.pay(ctx, pay.PayRequest(buyer, new_id(), intent_id, "credit", "instalment_12", digest))


async def _dossier(ctx: Context, what: str, owner: UUID | None = None) -> Dossier:
    async with ctx.database.snapshot() as tx:
        subject = await diagnose_find.find(tx, what, owner)
    return await dossier.gather(ctx, subject)


def test_a_refusal_is_told_with_its_reason_and_its_proof(refused: Any) -> None:
    placed, first, before, *_ = refused
    told = diagnose.tell(before, Audience.SUPPORT, Locale.EN)
    assert [one.code for one in told.reasons] == [reason.code for reason in first.reasons]
    assert told.reasons[0].code == "LIMIT_INSUFFICIENT"
    assert told.proof is not None
    assert (told.proof.decisions_count, told.proof.identical) == (1, True)
    assert told.decisions[0].facts_sha256 == hashlib.sha256(before.decisions[0].stored.facts).hexdigest()
    assert told.sentences[0].startswith(f"The buyer's order {placed.order.number} (")
    assert "tried to pay with Fenqi Credit, the 12-instalment plan; it was refused." in told.narrative
    assert "1 decision was replayed under policy" in told.narrative
    assert [one.name for one in told.timeline if one.name.startswith("pressed")] == ["pressed_refused"]


def test_what_has_changed_since_and_what_works_now(refused: Any) -> None:
    *_, middle, _ = refused
    told = diagnose.tell(middle, Audience.BUYER, Locale.EN)
    assert "the free limit went from ¥1,000.00 to ¥50,000.00" in told.narrative
    assert "Fenqi Credit, the 12-instalment plan, can be used now." in told.narrative
    zh = diagnose.tell(middle, Audience.BUYER, Locale.ZH_CN)
    assert "可用额度从¥1,000.00变为¥50,000.00" in zh.narrative
    assert "现在可以用白条分12期付款了。" in zh.narrative
    assert any(one.available for one in told.now if (one.method, one.plan) == ("credit", "instalment_12"))


def test_once_paid_it_says_how_and_what_stood_in_the_way(refused: Any) -> None:
    placed, *_, after = refused
    told = diagnose.tell(after, Audience.BUYER, Locale.EN)
    assert told.sentences[0].startswith(f"Your order {placed.order.number} (")
    assert told.sentences[0].endswith("with Fenqi Credit.")
    assert told.sentences[1].startswith("Before that, Fenqi Credit, the 12-instalment plan,")
    assert told.now == ()
    assert [one.name for one in told.timeline][-2:] == ["pressed_succeeded", "order_pay"]
    assert told.proof is not None
    assert told.proof.identical


def test_a_press_has_a_story_of_its_own(ctx: Context, run: Run, refused: Any) -> None:
    _, first, *_ = refused
    found = run(_dossier(ctx, str(first.payment_id)))
    assert found.subject.kind is Kind.PAYMENT
    told = diagnose.tell(found, Audience.SUPPORT, Locale.ZH_CN)
    assert [one.code for one in told.reasons] == [reason.code for reason in first.reasons]


def test_a_lender_cutting_a_limit_is_told_to_staff_and_after_a_step_up(refused: Any) -> None:
    _, _, before, *_ = refused
    staff = diagnose.tell(before, Audience.SUPPORT, Locale.EN)
    assert any(one.name == "limit_changed" and one.why == "a test of the limits" for one in staff.timeline)
    buyer = diagnose.tell(before, Audience.BUYER, Locale.EN)
    assert not [one for one in buyer.timeline if one.name == "limit_changed"]
    confirmed = msgspec.structs.replace(before, stepped_up=True)
    heard = [one for one in diagnose.tell(confirmed, Audience.BUYER, Locale.EN).timeline if one.name == "limit_changed"]
    assert [one.why for one in heard] == [""]


@pytest.mark.parametrize("audience", [Audience.BUYER, Audience.MERCHANT])
@pytest.mark.parametrize("locale", Locale)
def test_dossiers_that_differ_in_the_hidden_code_alone_read_alike(
    refused: Any, audience: Audience, locale: Locale
) -> None:
    _, _, before, *_ = refused
    told = {msgspec.json.encode(diagnose.tell(_stopped(before, code), audience, locale)) for code in HIDDEN}
    assert len(HIDDEN) > 5
    assert len(told) == 1
    staff = {diagnose.tell(_stopped(before, code), Audience.RISK, locale).narrative for code in HIDDEN}
    assert len(staff) == len(HIDDEN)


def _stopped(found: Dossier, code: str) -> Dossier:
    """The same dossier with a hidden code among what was found, then and now."""
    stored = found.decisions[0].stored
    facts = msgspec.structs.replace(cashier.decode_facts(stored.facts), risk=RiskFacts(codes=(code,)))
    payment = found.payments[0]
    reasons = cashier.evaluate(facts, payment.method, payment.plan)
    kept = msgspec.structs.replace(stored, facts=cashier.encode_facts(facts))
    assert found.standing is not None
    now = msgspec.structs.replace(found.standing.facts, risk=RiskFacts(codes=(code,)))
    pressed = msgspec.structs.replace(payment, reasons=reasons)
    events = tuple(
        msgspec.structs.replace(event, reasons=reasons) if event.name == "pressed_refused" else event
        for event in found.events
    )
    return msgspec.structs.replace(
        found,
        decisions=(Replayed(kept, True),),
        payments=(pressed,),
        events=events,
        standing=Standing(found.standing.intent_id, now, cashier.offers(now)),
    )


def test_the_line_is_told_with_its_last_change(ctx: Context, run: Run, refused: Any) -> None:
    placed, *_ = refused
    buyer = placed.order.consumer_id
    line = diagnose.tell(run(_dossier(ctx, f"limit/{buyer}")), Audience.SUPPORT, Locale.EN)
    assert "The buyer's Fenqi Credit limit is ¥50,000.00" in line.narrative
    assert "It last changed on" in line.narrative
    assert "because: a test of the limits." in line.narrative


def test_an_application_is_told_and_replayed(ctx: Context, ref: Reference, run: Run) -> None:
    async def applied(income_minor: int, skip: int) -> Any:
        (buyer,) = await world.people(ctx, 1, skip=skip)
        declared = Declared(income_minor, ("income", "employment", "residence"))
        consents = credit.activation.required_consents(credit.PRODUCT)
        bureau = BureauFile(1, 60, 0, 1, 50_000)
        return (await apply_credit.apply(ctx, buyer, new_id(), declared, consents, bureau))[0]

    good, poor = run(applied(2_000_000, 6)), run(applied(20_000, 7))
    assert (good.outcome, poor.outcome) == ("approved", "rejected")
    found = run(_dossier(ctx, str(good.application_id)))
    assert found.subject.kind is Kind.APPLICATION
    told = diagnose.tell(found, Audience.BUYER, Locale.EN)
    assert "You applied for Fenqi Credit on" in told.narrative
    assert "and were approved, with a limit of ¥" in told.narrative
    assert told.proof is not None
    assert told.proof.identical
    found = run(_dossier(ctx, f"application/{poor.application_id}"))
    staff = diagnose.tell(found, Audience.SUPPORT, Locale.EN)
    assert staff.reasons[0].code == "CREDIT_APPLICATION_REJECTED"
    assert {one.code for one in staff.reasons} > set(poor.principal_reasons)
    assert "Applying again is possible from" in staff.narrative
    unconfirmed = diagnose.tell(found, Audience.BUYER, Locale.EN)
    assert [one.code for one in unconfirmed.reasons] == ["CREDIT_UNDER_ASSESSMENT"]
    assert "wasn't approved" not in unconfirmed.narrative
    assert [one.name for one in unconfirmed.timeline if one.name.startswith("appl")] == ["applied"]
    confirmed = diagnose.tell(msgspec.structs.replace(found, stepped_up=True), Audience.BUYER, Locale.EN)
    assert "it wasn't approved." in confirmed.narrative
    assert {one.code for one in confirmed.reasons} > set(poor.principal_reasons)


def test_a_refund_is_followed_to_where_its_parts_went(ctx: Context, run: Run, refused: Any) -> None:
    placed, *_ = refused
    by = By("staff:test", "the screen was scratched", ctx.now())
    row = run(refund.refund(ctx, placed.order.consumer_id, new_id(), placed.order.order_id, 50_000, by))
    told = diagnose.tell(run(_dossier(ctx, f"refund/{row.refund_id}")), Audience.BUYER, Locale.EN)
    assert told.sentences[0].startswith(f"The refund of ¥500.00 for order {placed.order.number} was begun on")
    assert "¥500.00 of it is back in the Fenqi Credit limit." in told.narrative


def test_an_order_that_nobody_looked_at_says_what_the_cashier_would(ctx: Context, ref: Reference, run: Run) -> None:
    async def untouched() -> Any:
        (buyer,) = await world.people(ctx, 1, skip=3)
        return await world.buy(ctx, buyer, [world.wish(ref, "phone", most_minor=400_000)])

    placed = run(untouched())
    told = diagnose.tell(run(_dossier(ctx, placed.order.number)), Audience.BUYER, Locale.EN)
    assert told.reasons[0].code == "CREDIT_NOT_OPENED"
    assert told.proof is None
    assert told.decisions == ()


def test_things_of_others_and_of_nobody_are_not_found(ctx: Context, run: Run, refused: Any) -> None:
    placed, first, *_ = refused
    stranger = new_id()
    for what in (placed.order.number, str(first.payment_id), f"payment/{first.payment_id}", f"hold/{first.payment_id}"):
        with pytest.raises(NotFound, match="SUBJECT_UNKNOWN"):
            run(_dossier(ctx, what, stranger))
    for what in ("", "/", "order/", "limit/x", "nothing/1", "application/" + "0" * 32, str(new_id())):
        with pytest.raises(NotFound, match="SUBJECT_UNKNOWN"):
            run(_dossier(ctx, what))


def test_a_merchant_without_goods_in_the_order_finds_nothing(refused: Any) -> None:
    placed, _, before, *_ = refused
    own = placed.order.lines[0].merchant_id
    told = diagnose.tell(before, Audience.MERCHANT, Locale.EN, own)
    assert told.order is None
    assert told.now == ()
    assert not [one for one in told.timeline if one.name.startswith(("did_", "limit", "looked"))]
    with pytest.raises(NotFound, match="SUBJECT_UNKNOWN"):
        diagnose.tell(before, Audience.MERCHANT, Locale.EN, new_id())


def test_quoting_again_is_one_event_while_nothing_changes(ctx: Context, ref: Reference, run: Run) -> None:
    async def looked() -> Any:
        (buyer,) = await world.people(ctx, 1, skip=4)
        placed = await world.buy(ctx, buyer, [world.wish(ref, "phone", most_minor=400_000)])
        for _ in range(3):
            await quote.quote(ctx, buyer, placed.intent_id)
        return placed

    placed = run(looked())
    told = diagnose.tell(run(_dossier(ctx, placed.order.number)), Audience.SUPPORT, Locale.EN)
    looks = [one.text for one in told.timeline if one.name == "looked"]
    assert len(looks) == 1
    assert looks[0].startswith("Cashier opened 3 times: ")
    assert len(told.decisions) == 3


@pytest.mark.parametrize("every", [True, False])
def test_the_terminal_prints_all_of_it(refused: Any, every: bool) -> None:
    placed, *_, after = refused
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(explain_cli.tree(diagnose.tell(after, Audience.RISK, Locale.ZH_CN), Locale.ZH_CN, every=every))
    said = console.export_text()
    assert placed.order.number in said
    assert "LIMIT_INSUFFICIENT" in said
    assert "replayed: identical" in said
    assert "经过" in said
