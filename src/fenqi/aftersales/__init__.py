"""The room of cases: what people decide, with their queue, evidence and clock.

`open_case` opens, `claim` takes in hand, `ask`, `decide`, `agree` and `give_back` decide, `verdict` seals and checks.
"""

from fenqi.aftersales import norm, verdict
from fenqi.aftersales.decide import ANSWER_WITHIN, agree, ask, decide, give_back
from fenqi.aftersales.finish import lapse, note_overdue, overdue, withdraw
from fenqi.aftersales.model import (
    FILE_MOST_BYTES,
    FILES_MOST,
    MOVES,
    About,
    Case,
    CaseDecision,
    CaseMove,
    CaseState,
    Evidence,
    Kind,
    Message,
    Stage,
    Subject,
    Topic,
    bucket_in,
    number_of,
)
from fenqi.aftersales.open_case import NewCase, Opened, open_case
from fenqi.aftersales.read import (
    Whole,
    counts,
    ended,
    file_of,
    find,
    find_own,
    get,
    of_consumer,
    of_subject,
    queue,
    whole,
)
from fenqi.aftersales.say import hand_in, reply, tell
from fenqi.aftersales.take import claim, release
from fenqi.aftersales.verdict import Verdict

__all__ = [
    "ANSWER_WITHIN",
    "FILES_MOST",
    "FILE_MOST_BYTES",
    "MOVES",
    "About",
    "Case",
    "CaseDecision",
    "CaseMove",
    "CaseState",
    "Evidence",
    "Kind",
    "Message",
    "NewCase",
    "Opened",
    "Stage",
    "Subject",
    "Topic",
    "Verdict",
    "Whole",
    "agree",
    "ask",
    "bucket_in",
    "claim",
    "counts",
    "decide",
    "ended",
    "file_of",
    "find",
    "find_own",
    "get",
    "give_back",
    "hand_in",
    "lapse",
    "norm",
    "note_overdue",
    "number_of",
    "of_consumer",
    "of_subject",
    "open_case",
    "overdue",
    "queue",
    "release",
    "reply",
    "tell",
    "verdict",
    "whole",
    "withdraw",
]
