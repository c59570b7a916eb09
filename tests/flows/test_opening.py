"""Applications judged by the policy in force: each replays under the version that decided it, whatever comes after."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests import world

from fenqi import credit, policy
from fenqi.credit import BureauFile
from fenqi.flows import apply_credit
from fenqi.flows.apply_credit import Declared
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.policy.lint import faults
from fenqi.policy.table import Row, Table

CONSENTS = credit.activation.required_consents(credit.PRODUCT)
PAPERS = ("income", "employment", "residence")
RISKY = BureauFile(1, 60, 0, 3, 50_000, 4, 900_000)
"""Three inquiries, four accounts opened, 90 % used: 19.2 % by the card, and nothing else against them."""


@pytest.fixture(scope="module")
def ctx(database: Any, run: Any) -> Any:
    found = world.context(database)
    run(world.furnish(found))
    return found


@pytest.fixture(scope="module")
def crowd(ctx: Any, run: Any) -> list[Any]:
    return list(run(world.people(ctx, 3)))


def test_an_application_keeps_what_was_said_of_it_and_replays(ctx: Any, crowd: Any, run: Any) -> None:
    async def story() -> Any:
        declared = Declared(1_500_000, PAPERS)
        refused, _ = await apply_credit.apply(ctx, crowd[0], new_id(), declared, CONSENTS, RISKY)
        async with ctx.database.snapshot() as tx:
            (stored,) = await credit.application.applications(tx, crowd[0])
            same = await apply_credit.replays(tx, stored)
            other = msgspec.structs.replace(stored, inputs=msgspec.structs.replace(stored.inputs, income_minor=100))
            changed = await apply_credit.replays(tx, other)
            older = msgspec.structs.replace(stored, policy_version="before-tables", assessed=None)
            return refused, stored, same, changed, await apply_credit.replays(tx, older)

    refused, stored, same, changed, older = run(story())
    assert stored == refused
    assert (stored.outcome, stored.principal_reasons) == (
        "rejected",
        ("CR_RECENT_CREDIT", "CR_TOO_MANY_INQUIRIES", "CR_HIGH_UTILISATION"),
    )
    said = stored.assessed
    assert (said.card, said.points, said.pd_ppm) == ("application-lc2016-1", 507, 192_240)
    assert [row.rule_id for row in said.objections] == ["score-12"]
    assert (same, changed, older) == (True, False, False)


def test_a_new_version_decides_the_next_and_the_last_replays_under_its_own(ctx: Any, crowd: Any, run: Any) -> None:
    """The officer lets the score go up to 25 %: the same file is approved now, and the old refusal stays explained."""
    ctx.clock.advance(timedelta(days=1))
    maker, checker = (By(f"staff:{new_id()}", "what the monitor shows", ctx.now()) for _ in range(2))

    async def story() -> Any:
        async with ctx.database.transaction() as tx:
            reference = await ctx.reference.current(tx, ctx.now())
            document = reference.policy.document
            tables = tuple(_loosened(table) for table in document.tables)
            known = policy.Known(reference.tree.codes)
            changed = msgspec.structs.replace(document, tables=tables)
            drafted = await policy.draft(tx, new_id(), "looser", changed, maker)
            await policy.submit(tx, drafted.policy_id, 1, known, maker)
            await policy.publish(tx, drafted.policy_id, 1, ctx.now(), known, checker)
        declared = Declared(1_500_000, PAPERS)
        approved, _ = await apply_credit.apply(ctx, crowd[1], new_id(), declared, CONSENTS, RISKY)
        async with ctx.database.snapshot() as tx:
            (earlier,) = await credit.application.applications(tx, crowd[0])
            return approved, earlier, [await apply_credit.replays(tx, one) for one in (approved, earlier)]

    approved, earlier, replayed = run(story())
    assert (approved.outcome, approved.policy_version, approved.limit_minor) == ("approved", "looser", 4_500_000)
    assert (earlier.outcome, earlier.inputs.bureau) == ("rejected", RISKY)
    assert earlier.policy_version != "looser"
    assert replayed == [True, True]


def _loosened(table: Table) -> Table:
    """`score-12` from 25 % on, and no points taken off between 8 % and there."""
    rows = tuple(
        msgspec.structs.replace(row, when={"pd_ppm": "> 250000"}) if row.rule_id == "score-12" else row
        for row in table.rows
        if row.rule_id != "score-8"
    )
    return msgspec.structs.replace(table, rows=rows)


def test_a_row_with_a_reason_that_nobody_knows_is_never_published(ctx: Any) -> None:
    document = policy.default_document(ctx.now() - timedelta(days=1))
    wrong = Row("odd", {"income_minor": "< 1"}, {"effect": "reject", "code": "CR_BECAUSE", "weight": 1})
    tables = tuple(
        table if table.key != "opening" else msgspec.structs.replace(table, rows=(wrong, *table.rows))
        for table in document.tables
    )
    found = faults(msgspec.structs.replace(document, tables=tables), ())
    assert any("odd" in fault and "CR_BECAUSE" in fault for fault in found)
