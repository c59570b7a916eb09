"""Risk gate: what the transaction's risk table found, and what of it has been lifted. Which rules hold is data."""

from __future__ import annotations

from fenqi.cashier.case import Case
from fenqi.cashier.facts import Facts, FindingFacts
from fenqi.kernel.reason import CODES, Fixer, Reason, Value


def risk(case: Case) -> list[Reason]:
    """Every code that bears on this method, each once; those that time lifts carry until when."""
    decision = case.facts.risk
    found: list[Reason] = []
    if decision.codes and (not decision.methods or case.method in decision.methods):
        found = [
            case.reason(code, until_ms=decision.until_ms if CODES[code].fixer is Fixer.TIME else None)
            for code in decision.codes
        ]
    return found if not decision.findings else [*found, *_findings(case, {reason.code for reason in found})]


def _findings(case: Case, told: set[str]) -> list[Reason]:
    by_code: dict[str, list[FindingFacts]] = {}
    for finding in standing(case.facts, case.method):
        by_code.setdefault(finding.code, []).append(finding)
    return [_reason(case, code, some) for code, some in by_code.items() if code not in told]


def standing(facts: Facts, method: str) -> list[FindingFacts]:
    """The findings that bear on a method and have not been lifted."""
    return [
        finding
        for finding in facts.risk.findings
        if (not finding.methods or method in finding.methods) and not is_lifted(finding, facts.now_ms)
    ]


def is_lifted(finding: FindingFacts, now_ms: int) -> bool:
    """Whether what lifts a finding has been done and still counts, or its time is over."""
    if now_ms < finding.lifted_until_ms:
        return True
    return finding.cure == "wait" and finding.until_ms is not None and finding.until_ms <= now_ms


def _reason(case: Case, code: str, some: list[FindingFacts]) -> Reason:
    """One reason for all findings of a code: it ends by itself when all of them do."""
    ends = [finding.until_ms if finding.cure == "wait" else None for finding in some]
    until_ms = max((end for end in ends if end is not None), default=None) if None not in ends else None
    observed: dict[str, Value] = {
        "rule_ids": ",".join(dict.fromkeys(finding.rule_id for finding in some)),
        "cures": ",".join(dict.fromkeys(finding.cure for finding in some)),
    }
    return case.reason(code, observed=observed, until_ms=until_ms)
