"""The room of questions: what people ask in words, read by a small trained reader, and kept with what became of it.

`read` reads (pure), `record`, `get`, `rate` and `take` keep. Training is `tools/train_questions.py`'s matter.
"""

from fenqi.question.keep import get, rate, record, take, tally, waiting
from fenqi.question.mask import masked
from fenqi.question.model import MAX_CHARACTERS, Asked, Guess, Outcome, Reading, Topic
from fenqi.question.named import method_named
from fenqi.question.read import check, read
from fenqi.question.topics import FOR_A_PERSON, OTHER, topics

__all__ = [
    "FOR_A_PERSON",
    "MAX_CHARACTERS",
    "OTHER",
    "Asked",
    "Guess",
    "Outcome",
    "Reading",
    "Topic",
    "check",
    "get",
    "masked",
    "method_named",
    "rate",
    "read",
    "record",
    "take",
    "tally",
    "topics",
    "waiting",
]
