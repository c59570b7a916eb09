"""The room of risk: one database of what is known of consumers, devices, cards, addresses and merchants."""

from fenqi.risk import exposures, links, lists, outcomes, profiles
from fenqi.risk.model import (
    LISTS,
    OUTCOMES,
    SUBJECTS,
    Beat,
    Known,
    Link,
    ListChange,
    Listed,
    Outcome,
    Profile,
    Pulse,
    Review,
    Subject,
    Web,
    subject_id,
)
from fenqi.risk.outcomes import record_review
from fenqi.risk.store.pulses import count

record_outcome = outcomes.record

__all__ = [
    "LISTS",
    "OUTCOMES",
    "SUBJECTS",
    "Beat",
    "Known",
    "Link",
    "ListChange",
    "Listed",
    "Outcome",
    "Profile",
    "Pulse",
    "Review",
    "Subject",
    "Web",
    "count",
    "exposures",
    "links",
    "lists",
    "outcomes",
    "profiles",
    "record_outcome",
    "record_review",
    "subject_id",
]
