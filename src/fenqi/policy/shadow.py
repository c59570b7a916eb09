"""Beginning, moving on and ending a shadow; the counting of decisions is the flow's."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.policy.lint_table import Known
from fenqi.policy.publish import check, saved
from fenqi.policy.shadow_model import ChangeKind, Difference, Sampled, Shadow, ShadowResult
from fenqi.policy.store import shadows as store
from fenqi.policy.store import versions

LONGEST = timedelta(days=90)
BACK = timedelta(days=31)
"""How far back a shadow may begin to look."""
AT_ONCE = 3
SAMPLE = 100
_NOTHING = UUID(int=0)


@dataclass
class Tally:
    """What a batch of decisions comes to."""

    days: dict[tuple[date, str, str, str], tuple[int, int]] = field(default_factory=dict)
    codes: dict[tuple[date, str, str], tuple[int, int]] = field(default_factory=dict)
    sample: list[Sampled] = field(default_factory=list)
    decisions: int = 0

    def add(self, day_on: date, scene: str, payable_minor: int, found: Iterable[tuple[str, ChangeKind]]) -> None:
        """Count one decision: how each of its methods would change."""
        self.decisions += 1
        for method, change in found:
            key = (day_on, method, scene, change)
            count, minor = self.days.get(key, (0, 0))
            self.days[key] = (count + 1, minor + payable_minor)

    def add_codes(self, day_on: date, differences: Iterable[Difference]) -> None:
        """Count the reasons that come and go, each once a method."""
        gained = {(one.method, code) for one in differences for code in set(one.now or ()) - set(one.was or ())}
        lost = {(one.method, code) for one in differences for code in set(one.was or ()) - set(one.now or ())}
        for (method, code), n in (Counter(gained - lost) | Counter(lost - gained)).items():
            more, less = self.codes.get((day_on, method, code), (0, 0))
            is_gained = (method, code) in gained
            self.codes[day_on, method, code] = (more + n, less) if is_gained else (more, less + n)


async def begin(
    tx: Tx,
    shadow_id: UUID,
    policy_id: UUID,
    revision: int,
    until_at: datetime,
    known: Known,
    by: By,
    *,
    since_at: datetime | None = None,
) -> Shadow:
    """Ask one save of a version about every decision from now (or `since_at`) on, until before `until_at`.

    A repeat with the same id returns it. Refuses POLICY_UNKNOWN, POLICY_INVALID, SHADOW_SPAN_INVALID, and
    SHADOWS_TOO_MANY beyond three at once.
    """
    by = By(by.actor, check_why(by.why), by.at)
    from_at = since_at or by.at
    check(await saved(tx, policy_id, revision), known)
    if not by.at - BACK <= from_at <= by.at or not by.at < until_at <= by.at + LONGEST:
        says = f"it looks {BACK.days} days back at most, and lasts {LONGEST.days}"
        raise Refusal("SHADOW_SPAN_INVALID", says)
    there = await store.shadow(tx, shadow_id)
    if there is not None:
        return there
    if len(await store.open_shadows(tx)) >= AT_ONCE:
        raise Conflict("SHADOWS_TOO_MANY", f"{AT_ONCE} at once; end one first")
    new = Shadow(shadow_id, policy_id, revision, by.actor, by.why, by.at, until_at, None, from_at, _NOTHING)
    await store.insert_shadow(tx, new)
    await versions.insert_history(tx, policy_id, "begin_shadow", by)
    return new


async def end(tx: Tx, shadow_id: UUID, by: By) -> None:
    """End a shadow; what it has counted stays. Refuses SHADOW_UNKNOWN, STATE_CONFLICT."""
    by = By(by.actor, check_why(by.why), by.at)
    found = await get(tx, shadow_id)
    if not await store.end_shadow(tx, shadow_id, by.at):
        raise Conflict("STATE_CONFLICT", "it has ended already")
    await versions.insert_history(tx, found.policy_id, "end_shadow", by)


async def get(tx: Tx, shadow_id: UUID) -> Shadow:
    """The shadow; NotFound (SHADOW_UNKNOWN) otherwise."""
    found = await store.shadow(tx, shadow_id)
    if found is None:
        raise NotFound("SHADOW_UNKNOWN", "no such shadow")
    return found


async def result(tx: Tx, shadow_id: UUID) -> ShadowResult:
    """What a shadow has counted so far; NotFound (SHADOW_UNKNOWN) otherwise."""
    shadow = await get(tx, shadow_id)
    return ShadowResult(
        shadow,
        tuple(await store.days(tx, shadow_id)),
        tuple(await store.codes(tx, shadow_id)),
        tuple(await store.sampled(tx, shadow_id)),
    )


async def shadows(tx: Tx, policy_id: UUID | None = None) -> list[Shadow]:
    """The shadows of a version, or all, newest first."""
    return await store.shadows(tx, policy_id)


async def open_shadows(tx: Tx) -> list[Shadow]:
    """Shadows that have decisions to look at yet, or will have."""
    return await store.open_shadows(tx)


async def keep(tx: Tx, was: Shadow, seen_at: datetime, seen_id: UUID, tally: Tally) -> bool:
    """Add a batch to what a shadow has counted; False, and nothing is added, when another process was faster."""
    if not await store.advance(tx, was, seen_at, seen_id, tally.decisions, len(tally.sample)):
        return False
    await store.add_days(tx, was.shadow_id, tally.days)
    await store.add_codes(tx, was.shadow_id, tally.codes)
    if tally.sample:
        ranked = sorted((_rank(one), one.decision_id, one) for one in tally.sample)[:SAMPLE]
        await store.sample(tx, was.shadow_id, [(rank, one) for rank, _, one in ranked], SAMPLE)
    return True


def _rank(one: Sampled) -> int:
    digest = hashlib.blake2b(one.decision_id.bytes, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
