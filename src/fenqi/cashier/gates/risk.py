"""Risk gate: what the risk room decided, passed through. Which codes hold is decided there, never here."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.kernel.reason import CODES, Fixer, Reason


def risk(case: Case) -> list[Reason]:
    """Every code of the risk decision that bears on this method; those that time cures carry until when."""
    decision = case.facts.risk
    if not decision.codes or (decision.methods and case.method not in decision.methods):
        return []
    return [
        case.reason(code, until_ms=decision.until_ms if CODES[code].fixer is Fixer.TIME else None)
        for code in decision.codes
    ]
