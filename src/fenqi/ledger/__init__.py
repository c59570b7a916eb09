"""Double entry: books, journals and limits, and the one batch door through which money moves.

The front door: `post_batch`/`post` for journals, `limits` and `holds` for limits, `postings` for the recipes,
`relay` for the other side, `balances`, `statements` and `walk` for reading.
"""

from fenqi.ledger.batch import MalformedJournal
from fenqi.ledger.chart import Book
from fenqi.ledger.door import post, post_batch
from fenqi.ledger.legs import Judged, legs_of
from fenqi.ledger.limit import LimitAccount, judge
from fenqi.ledger.model import Bound, Entry, Leg, Outcome, PostingItem, Verdict

__all__ = [
    "Book",
    "Bound",
    "Entry",
    "Judged",
    "Leg",
    "LimitAccount",
    "MalformedJournal",
    "Outcome",
    "PostingItem",
    "Verdict",
    "judge",
    "legs_of",
    "post",
    "post_batch",
]
