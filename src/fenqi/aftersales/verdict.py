"""A person's decision as a reasoned one: what they saw, what they decided and why, sealed by one digest. Pure.

The seal is over the facts' bytes and everything that the decision consists of, so that whoever checks it later finds
any change; and the norms are data, so that the same rules can be asked again.
"""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import Any

import msgspec

from fenqi.aftersales import norm
from fenqi.aftersales.model import Case, CaseDecision, Kind, Stage
from fenqi.kernel.refusal import Refusal

_JSON = msgspec.json.Encoder(order="deterministic")


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody wants to decide: the outcome, its codes, what the effect needs, and what the buyer is told."""

    outcome: str
    reasons: tuple[str, ...] = ()
    inputs: dict[str, Any] = {}
    told: str = ""


def digest_of(kind: Kind, amount_minor: int | None, decision: CaseDecision) -> bytes:
    """SHA-256 over the facts' bytes and, as JSON with sorted keys, over what was decided by whom under which rules."""
    said = {
        "kind": str(kind),
        "amount_minor": amount_minor,
        "n": decision.n,
        "stage": str(decision.stage),
        "outcome": decision.outcome,
        "reasons": decision.reasons,
        "inputs": decision.inputs,
        "told": decision.told,
        "why": decision.why,
        "proposer": decision.proposer,
        "actor": decision.actor,
        "at": decision.at.astimezone(UTC).isoformat(),
        "policy_version": decision.policy_version,
        "norms": decision.norms,
    }
    sealed = hashlib.sha256(decision.facts)
    sealed.update(b"\0" + _JSON.encode(said))
    return sealed.digest()


def sealed(kind: Kind, amount_minor: int | None, decision: CaseDecision) -> CaseDecision:
    """The decision with its digest."""
    return msgspec.structs.replace(decision, digest=digest_of(kind, amount_minor, decision))


def faults(case: Case, decisions: list[CaseDecision]) -> list[str]:
    """What is wrong with a case's decisions, judged again by the rules they name; none is expected.

    Each seal holds; each outcome is one of its kind, with its reasons; what needs two people was proposed by one and
    decided by another, who agreed with that very proposal; and the case ended as the last one says.
    """
    found: list[str] = []
    proposal: CaseDecision | None = None
    for one in decisions:
        if one.digest != digest_of(case.kind, case.amount_minor, one):
            found.append(f"{one.n}: the seal is broken")
        found += [f"{one.n}: {fault}" for fault in _against(case, one, proposal)]
        proposal = one if one.stage is Stage.PROPOSED else None
    last = decisions[-1] if decisions else None
    decided = last.outcome if last is not None and last.stage is Stage.DECIDED else None
    if case.outcome != decided:
        found.append(f"the case says {case.outcome}, its decisions say {decided}")
    return found


def _against(case: Case, one: CaseDecision, proposal: CaseDecision | None) -> list[str]:
    if one.stage is Stage.ASKED:
        return [] if one.outcome == norm.MORE_INFORMATION else ["a question is no outcome"]
    found = []
    try:
        norm.check_verdict(case.kind, one.outcome, one.reasons, one.norms)
    except Refusal as no:
        found.append(no.code)
    if one.stage is not Stage.DECIDED:
        return found
    if norm.needs_second(case.kind, one.outcome, case.amount_minor, one.norms) and one.proposer in (None, one.actor):
        found.append("a second person was needed")
    if one.proposer is not None:
        said = (one.outcome, one.reasons, one.inputs)
        if proposal is None or proposal.actor != one.proposer:
            found.append("nobody had proposed it")
        elif said != (proposal.outcome, proposal.reasons, proposal.inputs):
            found.append("something else was proposed")
    return found
