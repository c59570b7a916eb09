"""Scores in whole numbers: an applicant's from the bureau's file, an existing consumer's from their own history.

The application card is trained outside (`tools/train_scorecard.py`; data sheet in docs/reference/scorecard.md); here it
is added up. The cut-offs are policy, not part of a card.
"""

from fenqi.risk.scorecard.behaviour import BEHAVIOUR, behaviour_pd
from fenqi.risk.scorecard.card import APPLICATION, Card, Score, Share, application

__all__ = ["APPLICATION", "BEHAVIOUR", "Card", "Score", "Share", "application", "behaviour_pd"]
