"""Stored facts under another version of the policy: the same one changes nothing, another what policy says."""

from __future__ import annotations

import msgspec
import pytest
from tests import world
from tests.flows.trade import trade

from fenqi import cashier
from fenqi.cashier import decode_facts
from fenqi.flows import repolicy
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.policy import CapRow, PolicyBook, PolicyState, PolicyVersion

CASES = 60


@pytest.fixture(scope="module")
def ctx(database, run):
    context = world.context(database)
    run(world.furnish(context))
    return context


@pytest.fixture(scope="module")
def stored(ctx, run):
    """Decisions on random orders of ten people, most of whom have a line, some of which were paid."""
    return run(_trade(ctx))


async def _trade(ctx):
    found = []
    for consumer_id, intent_id, _ in await trade(ctx, CASES):
        async with ctx.database.snapshot() as tx:
            found += await cashier.select_decisions(tx, bucket_of(consumer_id), consumer_id, intent_id)
    return found


def book_of(ctx, number="other", **changes):
    document = msgspec.structs.replace(ctx.reference.newest.policy.document, **changes)
    at = world.AT
    return PolicyBook(PolicyVersion(new_id(), number, PolicyState.PUBLISHED, document, "a", at, "b", at, at))


def test_the_same_version_gives_the_same_facts(ctx, stored):
    ref = ctx.reference.newest
    assert len(stored) > CASES
    for one in stored:
        facts = decode_facts(one.facts)
        assert repolicy.under(facts, ref.policy, ref.tree, was=ref.policy) == facts
        assert cashier.encode_facts(repolicy.under(facts, ref.policy)) == one.facts


def test_caps_keep_what_is_used_of_them(ctx, stored):
    facts = next(f for f in map(lambda one: decode_facts(one.facts), stored) if _used(f, "credit", "day"))
    used = _used(facts, "credit", "day")
    rows = ctx.reference.newest.policy.methods
    caps = (CapRow("day", 7_777), CapRow("month", 8_888))
    changed = tuple(msgspec.structs.replace(r, caps=caps) if r.method == "credit" else r for r in rows)
    after = repolicy.under(facts, book_of(ctx, methods=changed))
    credit = next(each for each in after.methods if each.method == "credit")
    assert [(cap.window, cap.cap_minor, cap.used_minor) for cap in credit.caps] == [
        ("day", 7_777, used),
        ("month", 8_888, used),
    ]
    assert after.policy_version == "other"
    assert [each for each in after.methods if each.method != "credit"] == [
        each for each in facts.methods if each.method != "credit"
    ]


def _used(facts, method, window):
    return next(
        (cap.used_minor for m in facts.methods if m.method == method for cap in m.caps if cap.window == window), 0
    )


def test_a_suspended_method_is_refused_and_nothing_else_changes(ctx, stored):
    facts = next(
        decode_facts(one.facts)
        for one in stored
        if not cashier.evaluate(decode_facts(one.facts), "money_account", "full")
    )
    rows = ctx.reference.newest.policy.methods
    changed = tuple(msgspec.structs.replace(r, suspended=True) if r.method == "money_account" else r for r in rows)
    after = repolicy.under(facts, book_of(ctx, methods=changed))
    assert [r.code for r in cashier.evaluate(after, "money_account", "full")] == ["METHOD_SUSPENDED"]


def test_a_method_or_plan_that_the_version_lacks_is_gone(ctx, stored):
    ref = ctx.reference.newest
    facts = decode_facts(stored[0].facts)
    book = book_of(
        ctx,
        methods=tuple(row for row in ref.policy.methods if row.method != "huawei_pay"),
        plans=tuple(row for row in ref.policy.document.plans if row.plan != "instalment_24"),
    )
    after = repolicy.under(facts, book, ref.tree)
    assert "huawei_pay" not in {each.method for each in after.methods} | {each.method for each in after.rules}
    assert "instalment_24" not in {each.plan for each in after.plans}


def test_a_campaign_s_budget_is_less_by_what_is_spent(ctx, stored):
    ref = ctx.reference.newest
    twins = [(f, p) for one in stored for f in [decode_facts(one.facts)] for p in f.plans if p.interest_free_by]
    facts, old = next((f, p) for f, p in twins if p.interest_free_budget_minor is not None)
    rows = ref.policy.document.interest_free
    was = next(r for r in rows if f"{r.plans[0]}_free" == old.plan)
    more = tuple(
        msgspec.structs.replace(r, budget_minor=(r.budget_minor or 0) + 5_000_000) if r is was else r for r in rows
    )
    after = repolicy.under(facts, book_of(ctx, interest_free=more), was=ref.policy)
    new = next(p for p in after.plans if p.plan == old.plan)
    assert new.interest_free_budget_minor == old.interest_free_budget_minor + 5_000_000
    assert new.interest_free_uses_left == old.interest_free_uses_left


def test_numbers_of_law_are_said_anew(ctx, stored):
    facts = decode_facts(stored[0].facts)
    numbers = msgspec.structs.replace(ctx.reference.newest.policy.numbers, apr_cap_ppm=99_000, age_min=21, age_max=60)
    after = repolicy.under(facts, book_of(ctx, numbers=numbers))
    assert (after.apr_cap_ppm, after.credit.age_min, after.credit.age_max) == (99_000, 21, 60)
