"""All of the credit room's SQL, by table: lines and applications, limits, loans, and the facts read from all three."""

from fenqi.credit.store import facts, history, lateness, limit, line, loan, refund

__all__ = ["facts", "history", "lateness", "limit", "line", "loan", "refund"]
