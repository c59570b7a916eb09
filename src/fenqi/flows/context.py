"""What every flow is handed: the database, the clock, the settings and the process's copy of reference data."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from fenqi.channels.contract import Passage
from fenqi.channels.http import Http
from fenqi.customer import Keys
from fenqi.database.pool import Database
from fenqi.flows.recent import RecentQuotes
from fenqi.flows.reference import ReferenceCache
from fenqi.kernel.by import By
from fenqi.kernel.clock import Clock
from fenqi.passage import Outcome
from fenqi.passage import Passage as StoredPassage
from fenqi.settings import Settings

if TYPE_CHECKING:
    from fenqi.flows.hear import NoticeQueue
    from fenqi.flows.pay import PayQueue


@dataclass
class Context:
    """One per process, made by `main`."""

    database: Database
    clock: Clock
    settings: Settings
    keys: Keys
    reference: ReferenceCache = field(default_factory=ReferenceCache)
    pay_queue: PayQueue | None = None
    recent: RecentQuotes = field(default_factory=RecentQuotes)
    http: Http = field(init=False)
    """The way to the channels, on this context's clock."""
    notice_queue: NoticeQueue | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a channel has told something that nobody has acted on yet."""
    outcomes: list[Outcome] = field(default_factory=list)
    """How calls to channels went, not handed in yet."""
    alarms: set[str] = field(default_factory=set)
    """Gaps in the policy that this process knows to be a case already."""
    keyed: dict[UUID, tuple[StoredPassage, Passage, datetime | None]] = field(default_factory=dict)
    """Passages with their keys in the clear, never to be written anywhere, and until when these are all of them."""

    def __post_init__(self) -> None:
        self.http = Http(clock=self.clock)

    def now(self) -> datetime:
        """The instant, by the clock in force."""
        return self.clock.now()

    def by_consumer(self, consumer_id: UUID, why: str) -> By:
        """The buyer's own doing, now."""
        return By(f"consumer:{consumer_id}", why, self.clock.now())

    def by_system(self, job: str, why: str) -> By:
        """A job's doing, now."""
        return By(f"system:{job}", why, self.clock.now())
