"""What the console's actions have in common: they say why, are kept in the log of actions, and come back to a page."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from fenqi import staff
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.clock import ZONE
from fenqi.kernel.refusal import Refusal
from fenqi.staff import Action
from fenqi.web.console.find import member_of
from fenqi.web.page import Visit


def check_may(visit: Visit, action: Action) -> None:
    """Refuse (NOT_ALLOWED) a page or an action that none of the member's roles allows."""
    staff.check_may(member_of(visit), action)


async def keep(visit: Visit, tx: Tx, action: Action, subject: str, **detail: object) -> By:
    """Keep that the member does this to a subject, for the reason on the form: who, why and when for the verb.

    Refuses NOT_ALLOWED and WHY_REQUIRED.
    """
    check_may(visit, action)
    by = visit.by(check_why(visit.form.text("why")))
    await staff.audit(tx, member_of(visit), action, subject, by.why, by.at, detail)
    return by


async def keep_apart(visit: Visit, action: Action, subject: str, **detail: object) -> By:
    """The same in a transaction of its own, before a verb that calls somebody outside."""
    async with visit.context.database.transaction() as tx:
        return await keep(visit, tx, action, subject, **detail)


def instant(visit: Visit, name: str) -> datetime:
    """The instant in a date-and-time field, given in the mall's zone; refuses what is none (INSTANT_INVALID)."""
    try:
        return datetime.fromisoformat(visit.form.required(name, 30)).replace(tzinfo=ZONE)
    except ValueError:
        raise Refusal("INSTANT_INVALID", f"{name} is not a date and time", field=name) from None


def before_of(visit: Visit) -> datetime | None:
    """The instant in ?before=, where a page of a list ends; nonsense counts as none."""
    try:
        found = datetime.fromisoformat(visit.query("before", 40))
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def link(path: str, **query: str | None) -> str:
    """An address on this site, with the parameters that have a value."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
