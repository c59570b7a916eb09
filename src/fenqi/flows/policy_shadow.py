"""A challenger beside the champion: real decisions evaluated again under another version, counted, without any effect.

It reads what is stored already, after the fact, and takes a small share of this process's time, a decision at a time:
paying never waits for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi import policy as policies
from fenqi.cashier import Facts, Offer, StoredDecision
from fenqi.catalog import CategoryTree
from fenqi.database.pool import Tx
from fenqi.flows import repolicy
from fenqi.flows.basis import TenderVerdict, covered
from fenqi.flows.context import Context
from fenqi.flows.policy_publish import known, step
from fenqi.kernel.reason import Reason
from fenqi.kernel.refusal import NotFound
from fenqi.policy import PolicyBook, Shadow, ShadowResult, ShadowTally
from fenqi.policy.shadow_model import ChangeKind, Difference, Sampled
from fenqi.staff import Action

_LOG = logging.getLogger(__name__)
SETTLED = timedelta(seconds=10)
"""A decision this old has been committed, or never will be."""
_WINDOW = timedelta(hours=1)
_BATCH = 100
_REST = 4
"""How many times as long as it works it rests."""
_MOST_DIFFERENCES = 20
_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])
_LAST = UUID(int=2**128 - 1)
Judged = Mapping[tuple[str, str | None], tuple[str, ...]]
"""By method and plan, the codes of the reasons against it; none: it can be used."""


async def begin(
    ctx: Context,
    staff_id: UUID,
    shadow_id: UUID,
    policy_id: UUID,
    revision: int,
    until_at: datetime,
    why: str,
    *,
    since_at: datetime | None = None,
) -> Shadow:
    """Ask one save of a version about every decision until before `until_at`, from now or `since_at` on.

    Refuses POLICY_UNKNOWN, POLICY_INVALID, SHADOW_SPAN_INVALID, SHADOWS_TOO_MANY.
    """
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"policy:{policy_id}", why) as (tx, by):
        return await policies.begin_shadow(
            tx, shadow_id, policy_id, revision, until_at, await known(tx), by, since_at=since_at
        )


async def end(ctx: Context, staff_id: UUID, shadow_id: UUID, why: str) -> None:
    """End a shadow; what it has counted stays. Refuses SHADOW_UNKNOWN, STATE_CONFLICT."""
    async with step(ctx, staff_id, Action.MAKE_POLICY, f"shadow:{shadow_id}", why) as (tx, by):
        await policies.end_shadow(tx, shadow_id, by)


async def result(ctx: Context, shadow_id: UUID) -> ShadowResult:
    """What a shadow has counted so far. Refuses SHADOW_UNKNOWN."""
    async with ctx.database.snapshot() as tx:
        return await policies.shadow_result(tx, shadow_id)


async def tick(ctx: Context) -> int:
    """Let each open shadow look at its next decisions; how many were looked at. 0: they are up to date."""
    async with ctx.database.snapshot() as tx:
        there = await policies.open_shadows(tx)
    return sum([await _advanced(ctx, each) for each in there])


async def _advanced(ctx: Context, shadow: Shadow) -> int:
    """The next batch of one shadow; one that stumbles leaves the others their turn."""
    try:
        return await _advance(ctx, shadow)
    except Exception:  # noqa: BLE001 - the edge of a job: log, go on with the next
        _LOG.exception("the shadow %s stumbled", shadow.shadow_id)
        return 0


async def _advance(ctx: Context, shadow: Shadow) -> int:
    """The next batch of one shadow; where a whole window is empty, on to its end."""
    horizon = min(ctx.now() - SETTLED, shadow.until_at)
    while shadow.seen_at < horizon:
        to_at = min(shadow.seen_at + _WINDOW, horizon)
        async with ctx.database.snapshot() as tx:
            found = await cashier.decisions_after(tx, shadow.seen_at, shadow.seen_id, to_at, _BATCH)
            ref = await ctx.reference.current(tx, ctx.now())
            books = await _books(tx, shadow, found)
        tally = await _tallied(found, books, ref.tree)
        last = found[-1] if len(found) == _BATCH else None
        seen = (to_at, _LAST) if last is None else (last.decided_at, last.decision_id)
        async with ctx.database.transaction() as tx:
            if not await policies.keep_shadow(tx, shadow, *seen, tally):
                return 0
        if found:
            return len(found)
        shadow = msgspec.structs.replace(shadow, seen_at=seen[0], seen_id=seen[1])
    return 0


async def _books(tx: Tx, shadow: Shadow, found: Iterable[StoredDecision]) -> dict[str, PolicyBook]:
    """The challenger under "", and the versions under which the decisions were taken, so far as they are known."""
    document = await policies.saved(tx, shadow.policy_id, shadow.revision)
    version = await policies.get(tx, shadow.policy_id)
    books = {"": PolicyBook(msgspec.structs.replace(version, document=document))}
    for number in {each.policy_version for each in found}:
        try:
            books[number] = PolicyBook(await policies.by_number(tx, number))
        except NotFound:
            continue
    return books


async def _tallied(found: Iterable[StoredDecision], books: Mapping[str, PolicyBook], tree: CategoryTree) -> ShadowTally:
    """The decisions counted, with rests in between."""
    tally = ShadowTally()
    for stored in found:
        begun_s = time.perf_counter()
        try:
            _count(tally, stored, books[""], books.get(stored.policy_version), tree)
        except Exception:  # noqa: BLE001 - one decision that can't be judged again must not stop the rest for ever
            _LOG.exception("the decision %s can't be judged again, and is not counted", stored.decision_id)
        await asyncio.sleep(_REST * (time.perf_counter() - begun_s))
    return tally


def _count(
    tally: ShadowTally, stored: StoredDecision, book: PolicyBook, was: PolicyBook | None, tree: CategoryTree
) -> None:
    facts = cashier.decode_facts(stored.facts)
    before, after = judged_twice(stored, facts, repolicy.under(facts, book, tree, was))
    found = differences(before, after)
    methods = list(dict.fromkeys(method for method, _ in (*before, *after)))
    changes = [(method, change_of(method, before, after)) for method in methods]
    tally.add(facts.today_on, facts.order.scene, facts.order.payable_minor, changes)
    if found:
        tally.add_codes(facts.today_on, found)
        tally.sample.append(
            Sampled(stored.consumer_id, stored.decision_id, stored.decided_at, found[:_MOST_DIFFERENCES])
        )


def judged_twice(stored: StoredDecision, facts: Facts, under: Facts) -> tuple[Judged, Judged]:
    """The stored verdict of a decision, and what it would be on other facts: a quote's by method and plan, a press's
    by its tenders."""
    if stored.kind == "offers":
        old, new = _OFFERS.decode(stored.verdict), cashier.offers(under, with_remedies=False)
        return _of_offers(old), _of_offers(new)
    tenders = _TENDERS.decode(stored.verdict)
    then = {(each.verdict.method, each.verdict.plan): _codes(each.verdict.reasons) for each in tenders}
    now = {}
    for each in tenders:
        seen = covered(under, each.covered_minor, each.covered_by)
        again = cashier.verdict(seen, each.verdict.method, each.verdict.plan)
        now[each.verdict.method, each.verdict.plan] = _codes(again.reasons)
    return then, now


def _of_offers(offers: Iterable[Offer]) -> Judged:
    return {(offer.method, offer.plan): _codes(offer.reasons) for offer in offers}


def _codes(reasons: Iterable[Reason]) -> tuple[str, ...]:
    return tuple(sorted({reason.code for reason in reasons}))


def differences(before: Judged, after: Judged) -> tuple[Difference, ...]:
    """Every method and plan on which the two differ, by their codes."""
    keys = dict.fromkeys((*before, *after))
    return tuple(
        Difference(method, plan, before.get((method, plan)), after.get((method, plan)))
        for method, plan in keys
        if before.get((method, plan)) != after.get((method, plan))
    )


def change_of(method: str, before: Judged, after: Judged) -> ChangeKind:
    """What becomes of a method: whether any of its plans can be used, then and now."""
    then, now = ({key: codes for key, codes in judged.items() if key[0] == method} for judged in (before, after))
    could, can = (any(not codes for codes in judged.values()) for judged in (then, now))
    if could != can:
        return "opened" if can else "closed"
    return "same" if then == now else "otherwise"
