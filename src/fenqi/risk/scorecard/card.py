"""A scorecard as packaged: bins with points, and from the sum a calibrated probability and the reasons. Pure.

Everything is a whole number, so that a stored application scores the same on any machine, any day.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from importlib.resources import files

import msgspec

MOST_REASONS = 4
"""At most four principal reasons are told: 12 CFR 1002, Supplement I, comment 9(b)(2)-1."""


class Bin(msgspec.Struct, frozen=True):
    """The numbers up to `upto` (None: all above the bin before), what they are worth, and who was in it in training."""

    upto: int | None
    points: int
    woe: float
    good: int
    bad: int


class Feature(msgspec.Struct, frozen=True):
    """An input of the card, the reason it gives, and its average points over all applicants in training."""

    name: str
    source: str
    code: str
    average: int
    bins: tuple[Bin, ...]

    def place(self, value: int) -> int:
        """The index of the value's bin."""
        edges = [each.upto for each in self.bins if each.upto is not None]
        return bisect_left(edges, value)


class Probabilities(msgspec.Struct, frozen=True):
    """Probability of going bad in millionths, for each score from `from_score` on."""

    from_score: int
    values: tuple[int, ...]


class Card(msgspec.Struct, frozen=True):
    """One trained card."""

    version: str
    features: tuple[Feature, ...]
    pd_ppm: Probabilities

    def score(self, inputs: Mapping[str, int | None]) -> Score | None:
        """The score of an applicant; None when a feature is not known, so that a person has to look."""
        shares = []
        for feature in self.features:
            value = inputs.get(feature.name)
            if value is None:
                return None
            points = feature.bins[feature.place(value)].points
            shares.append(Share(feature.name, feature.code, points, feature.average))
        total = sum(share.points for share in shares)
        pd_ppm = self.pd_ppm.values[total - self.pd_ppm.from_score]
        return Score(self.version, total, pd_ppm, _principal(shares), tuple(shares))


class Share(msgspec.Struct, frozen=True):
    """What one feature gave, beside what it gives on average."""

    feature: str
    code: str
    points: int
    average: int


class Score(msgspec.Struct, frozen=True):
    """A scored applicant: more points, less risk. `reasons` are principal reasons, most important first."""

    version: str
    score: int
    pd_ppm: int
    reasons: tuple[str, ...]
    shares: tuple[Share, ...]


def _principal(shares: list[Share]) -> tuple[str, ...]:
    """The features that fell furthest below the average of all applicants: comment 9(b)(2)-5, second method."""
    below = sorted(
        (share for share in shares if share.points < share.average), key=lambda one: one.points - one.average
    )
    return tuple(dict.fromkeys(share.code for share in below))[:MOST_REASONS]


def _packaged(name: str) -> Card:
    return msgspec.json.decode(files("fenqi.risk.scorecard").joinpath(name).read_bytes(), type=Card)


APPLICATION = _packaged("application.json")


def application(inputs: Mapping[str, int | None]) -> Score | None:
    """The score of an application by what the bureau says: `inquiries_count`, `opened_12m_count`, `used_ppm`."""
    return APPLICATION.score(inputs)
