"""An application judged by the policy's tables `opening` and `limit`, the scorecard's probability among their inputs.

Pure: a book and stored inputs give the same answer any day, which is how an application is replayed.
"""

from __future__ import annotations

from dataclasses import dataclass

from fenqi.credit.decision import (
    ApplicationInputs,
    Assessed,
    LimitBand,
    Objection,
    is_refused,
    measures,
    score_of,
    scored,
)
from fenqi.policy import PolicyBook
from fenqi.policy.cell import Value
from fenqi.policy.table import Answered, Hit
from fenqi.risk import scorecard

BEST_PD_PPM = 0
"""What an applicant without a score could have had at best."""


@dataclass(frozen=True)
class OpeningPolicy:
    """A version of the policy as applications ask it (`credit.decision.ApplicationPolicy`)."""

    book: PolicyBook

    @property
    def version(self) -> str:
        """The version's number."""
        return self.book.number

    def assess(self, inputs: ApplicationInputs) -> Assessed:
        """Every row that speaks against the applicant, and the limit that is left.

        Who has no bureau file has no score. A refusal that holds even at the best score is one; all else is `missing`.
        """
        score = scorecard.application(scored(inputs))
        asked: dict[str, Value] = {**measures(inputs), "segments": inputs.segments}
        asked["pd_ppm"] = None if score is None else score.pd_ppm
        answered = self.book.ask("opening", asked)
        missing = answered.missing
        if missing == ("pd_ppm",):
            answered = self.book.ask("opening", asked | {"pd_ppm": BEST_PD_PPM})
        objections = tuple(_objection(hit) for hit in answered.hits)
        band = None
        if not missing and not is_refused(objections):
            limit = self._limit(asked, score_of(objections))
            missing, band = limit.missing, None if limit.hit is None else _band(limit.hit)
        return Assessed(
            policy_version=self.version,
            objections=objections,
            band=band,
            missing=missing,
            card=scorecard.APPLICATION.version,
            points=None if score is None else score.score,
            pd_ppm=None if score is None else score.pd_ppm,
            score_reasons=() if score is None else score.reasons,
        )

    def _limit(self, asked: dict[str, Value], score: int) -> Answered:
        known = {name: asked[name] for name in ("pd_ppm", "income_minor", "segments")}
        return self.book.ask("limit", {**known, "score": score})


def _objection(hit: Hit) -> Objection:
    then = hit.then
    return Objection(hit.rule_id, str(then["effect"]), str(then["code"]), _whole(hit, "weight"))


def _band(hit: Hit) -> LimitBand | None:
    """The band of a row; a row without any limit gives none."""
    cap_minor = _whole(hit, "cap_minor")
    if cap_minor == 0:
        return None
    share_ppm, floor_minor = _whole(hit, "share_ppm"), _whole(hit, "floor_minor")
    return LimitBand(hit.rule_id, share_ppm, floor_minor, cap_minor, hit.then["review"] is True)


def _whole(hit: Hit, name: str) -> int:
    value = hit.then[name]
    assert isinstance(value, int), f"{name} is a number by its schema"
    return value
