"""The room of passages: accounts at payment channels, their terms, credentials, maintenance, health, and the routing.

What is declared is reference data: every change raises the epoch of kind `channel`, and so does a breaker that opens or
closes, so that a process's copy is never behind what it has read the epoch of.
"""

from fenqi.passage.breaker import DECLARED, Thresholds, standing
from fenqi.passage.credential import LATE_NOTICES, keyring, prepare, rotate
from fenqi.passage.health import changes, claim_probe, claim_probes, forget, healths, minutes, record
from fenqi.passage.model import (
    Credential,
    CredentialState,
    Health,
    HealthChange,
    HistoryRow,
    Keyring,
    Minute,
    Outcome,
    OutcomeKind,
    Passage,
    PassageState,
    SealedCredential,
    Sealer,
    Terms,
    Window,
)
from fenqi.passage.register import (
    by_code,
    change_state,
    change_terms,
    end_maintenance,
    get,
    get_all,
    get_history,
    plan_maintenance,
    register,
)
from fenqi.passage.route import PassedOver, Routed, hindrance, route, serves

__all__ = [
    "DECLARED",
    "LATE_NOTICES",
    "Credential",
    "CredentialState",
    "Health",
    "HealthChange",
    "HistoryRow",
    "Keyring",
    "Minute",
    "Outcome",
    "OutcomeKind",
    "Passage",
    "PassageState",
    "PassedOver",
    "Routed",
    "SealedCredential",
    "Sealer",
    "Terms",
    "Thresholds",
    "Window",
    "by_code",
    "change_state",
    "change_terms",
    "changes",
    "claim_probe",
    "claim_probes",
    "end_maintenance",
    "forget",
    "get",
    "get_all",
    "get_history",
    "healths",
    "hindrance",
    "keyring",
    "minutes",
    "plan_maintenance",
    "prepare",
    "record",
    "register",
    "rotate",
    "route",
    "serves",
    "standing",
]
