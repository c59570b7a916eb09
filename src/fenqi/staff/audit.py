"""What staff may do, checked in one place, and the log of what they did: every console action has a reason."""

from __future__ import annotations

from datetime import datetime

from fenqi.database.pool import Tx
from fenqi.kernel.by import check_why
from fenqi.kernel.refusal import Forbidden, Refusal
from fenqi.staff import store
from fenqi.staff.model import Action, Audit, Member


def check_may(member: Member, action: Action) -> None:
    """Refuses with NOT_ALLOWED when none of the member's roles allows the action."""
    if not member.may(action):
        raise Forbidden("NOT_ALLOWED", f"your roles don't allow {action}")


async def audit(
    tx: Tx,
    member: Member,
    action: Action,
    subject: str,
    why: str,
    at: datetime,
    detail: dict[str, object] | None = None,
) -> None:
    """Keep that the member does `action` on `subject` ("order:<id>", "consumer:<id>" …), in the action's transaction.

    Refuses NOT_ALLOWED and WHY_REQUIRED.
    """
    check_may(member, action)
    await store.insert_audit(tx, Audit(member.staff_id, action, subject, check_why(why), detail or {}, at))


async def audits(tx: Tx, subject: str | None = None, limit: int = 50) -> list[Audit]:
    """What was done to a subject, or everything, newest first; at most 200 (PAGE_INVALID)."""
    if not 1 <= limit <= 200:
        raise Refusal("PAGE_INVALID", "1 to 200 entries a page")
    return await store.audits(tx, subject, limit)
