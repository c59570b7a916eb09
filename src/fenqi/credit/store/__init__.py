"""All of the credit room's SQL, by table: lines and applications, limits, loans, and the facts read from all three."""

from fenqi.credit.store import campaign, facts, limit, line, loan

__all__ = ["campaign", "facts", "limit", "line", "loan"]
