"""What happened in the simulation, counted while it happens: for the progress bar, the report and the tests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts by name: orders, paid, refused, recovered, left, repaid, refunded, and reasons by code."""

    counts: Counter[str] = field(default_factory=Counter)
    refused_by: Counter[str] = field(default_factory=Counter)
    paid_by: Counter[str] = field(default_factory=Counter)

    def add(self, name: str) -> None:
        """One more of it."""
        self.counts[name] += 1

    def take_in(self, other: Tally) -> None:
        """Add what happened elsewhere."""
        self.counts += other.counts
        self.refused_by += other.refused_by
        self.paid_by += other.paid_by

    @property
    def orders(self) -> int:
        """Orders placed."""
        return self.counts["orders"]

    def __getitem__(self, name: str) -> int:
        return self.counts[name]
