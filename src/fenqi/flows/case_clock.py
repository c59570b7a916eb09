"""The clock of cases: missed deadlines are noted, and what no buyer answers lapses."""

from __future__ import annotations

from contextlib import suppress

from fenqi import aftersales
from fenqi.flows.context import Context
from fenqi.kernel.refusal import Conflict


async def tick(ctx: Context) -> int:
    """One pass; how many cases were looked at. Any number of processes may tick."""
    by = ctx.by_system("clockwork", "the deadline has passed")
    async with ctx.database.snapshot() as tx:
        late = await aftersales.overdue(tx, by)
    for case in late:
        with suppress(Conflict):  # it has just ended
            async with ctx.database.transaction() as tx:
                await aftersales.note_overdue(tx, case.party_id, case.case_id, by)
    return len(late)
