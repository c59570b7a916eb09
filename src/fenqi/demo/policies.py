"""A version of the policy that waits for its second pair of eyes in the demo, with its shadow over the last two days.

What it says is small on purpose: longer terms for groceries, and more by scanning; whoever looks may approve it.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from fenqi.flows import policy_publish, policy_shadow
from fenqi.flows.context import Context
from fenqi.policy import PolicyDocument
from fenqi.policy.table import Answer
from fenqi.seed.ident import seed_id

NUMBER = "2026-2"
_SAYS: dict[str, dict[str, Answer]] = {
    "credit-grocery": {"terms": (1, 3, 6)},
    "credit-scan": {"max_minor": 200_000},
}
_BACK, _LASTS = timedelta(days=2), timedelta(days=14)


async def lay_out(ctx: Context) -> None:
    """Draft it, hand it in, and ask it about what was decided lately."""
    maker, policy_id = seed_id("staff", "risk"), seed_id("policy", NUMBER)
    made = await policy_publish.draft(ctx, maker, policy_id, NUMBER, "longer terms for groceries, more by scanning")
    document = _changed(made.document)
    saved = await policy_publish.save(ctx, maker, policy_id, made.revision, document, "six instalments, and ¥2,000")
    await policy_publish.submit(ctx, maker, policy_id, saved.revision, "please look; the shadow runs beside it")
    now = ctx.now()
    await policy_shadow.begin(
        ctx, maker, seed_id("shadow", NUMBER), policy_id, saved.revision, now + _LASTS, "what would it have done",
        since_at=now - _BACK,
    )  # fmt: skip


def _changed(document: PolicyDocument) -> PolicyDocument:
    goods = next(table for table in document.tables if table.key == "goods")
    rows = tuple(replace(row, then={**row.then, **_SAYS.get(row.rule_id, {})}) for row in goods.rows)
    return policy_publish.with_tables(document, [replace(goods, rows=rows)])
