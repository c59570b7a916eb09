"""From a sample to a card: bins, a logistic regression on weights of evidence, points, and their calibration.

Everything that goes into an artefact is rounded, so that another build of the linear algebra gives the same one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from tools.scorecard import measure
from tools.scorecard.binning import Bin, bins_of, information_value, place_of, woe
from tools.scorecard.data import Feature, Sample

LEAST_IV = 0.02
"""Below it a feature is not predictive (Siddiqi 2006, table 6.2)."""
BASE_POINTS, BASE_ODDS, POINTS_TO_DOUBLE = 600, 20, 40
FACTOR = POINTS_TO_DOUBLE / math.log(2)
OFFSET = BASE_POINTS - FACTOR * math.log(BASE_ODDS)
FOLDS, REPEATS, SEED = 5, 10, 20260101
DIGITS = 4
LEAST_POINTS = 5
"""A feature whose best and worst bins lie nearer than this says nothing that an applicant could be told as a reason."""


@dataclass(frozen=True)
class Fitted:
    """A card in numbers: of each feature used its bins, their weights of evidence and the coefficient."""

    features: tuple[Feature, ...]
    bins: tuple[list[Bin], ...]
    woes: tuple[list[float], ...]
    coefficients: tuple[float, ...]
    intercept: float

    def logit_good(self, columns: dict[str, Any], rows: Any) -> Any:
        """The log-odds of staying good."""
        total = np.full(len(rows), self.intercept)
        for feature, bins, woes, coefficient in zip(
            self.features, self.bins, self.woes, self.coefficients, strict=True
        ):
            total += coefficient * np.array(woes)[place_of(bins, columns[feature.name][rows])]
        return total

    def points(self) -> list[list[int]]:
        """Points of each feature's bins; intercept and offset are shared out evenly (Siddiqi 2006, chapter 6)."""
        shared = (OFFSET + FACTOR * self.intercept) / len(self.features)
        return [
            [round(shared + FACTOR * coefficient * each) for each in woes]
            for woes, coefficient in zip(self.woes, self.coefficients, strict=True)
        ]


def fit(sample: Sample, rows: Any) -> Fitted:
    """The card of these rows. Features too weak are left out, then those with a wrong sign or hardly any points."""
    bad = sample.bad[rows]
    goods, bads = int((~bad).sum()), int(bad.sum())
    found = [(each, bins_of(sample.columns[each.name][rows], bad, each.worse)) for each in sample.features]
    kept = [(each, bins) for each, bins in found if len(bins) > 1 and information_value(bins) >= LEAST_IV]
    while True:
        woes = [[round(woe(one, goods, bads), DIGITS) for one in bins] for _, bins in kept]
        columns = [
            np.array(some)[place_of(bins, sample.columns[each.name][rows])]
            for (each, bins), some in zip(kept, woes, strict=True)
        ]
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=2_000).fit(np.column_stack(columns), ~bad)
        coefficients = [round(float(one), DIGITS) for one in model.coef_[0]]
        worst = min(range(len(kept)), key=lambda at: coefficients[at] * _spread(woes[at]))
        if FACTOR * coefficients[worst] * _spread(woes[worst]) >= LEAST_POINTS:
            features, bins = tuple(each for each, _ in kept), tuple(some for _, some in kept)
            return Fitted(features, bins, tuple(woes), tuple(coefficients), round(float(model.intercept_[0]), DIGITS))
        kept.pop(worst)


def _spread(woes: list[float]) -> float:
    return max(woes) - min(woes)


@dataclass(frozen=True)
class Validation:
    """Repeated stratified cross-validation: every row is predicted by cards that have not seen it."""

    logit_good: Any
    """Mean over the repeats, out of fold."""
    aucs: list[float]
    kss: list[float]


def validate(sample: Sample) -> Validation:
    """Fold by fold the whole way again: binning, selection, regression."""
    total, aucs, kss = np.zeros(len(sample.bad)), [], []
    folds = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=REPEATS, random_state=SEED)
    for learnt, held in folds.split(sample.bad, sample.bad):
        predicted = fit(sample, learnt).logit_good(sample.columns, held)
        total[held] += predicted
        aucs.append(measure.auc(-predicted, sample.bad[held]))
        kss.append(measure.ks(-predicted, sample.bad[held]))
    return Validation(total / REPEATS, aucs, kss)


def calibrate(logit_good: Any, bad: Any) -> tuple[float, float]:
    """Platt's line: log-odds of good = a + b x predicted log-odds, fitted out of fold (b < 1: they overreach)."""
    model = LogisticRegression(C=1e6, tol=1e-10, max_iter=2_000).fit(logit_good.reshape(-1, 1), ~bad)
    return round(float(model.intercept_[0]), DIGITS), round(float(model.coef_[0][0]), DIGITS)


def pd_of(logit_good: Any, line: tuple[float, float]) -> Any:
    """Calibrated probability of going bad."""
    return expit(-(line[0] + line[1] * logit_good))


def log_odds_of(points: int) -> float:
    """What a sum of points says in log-odds of good."""
    return (points - OFFSET) / FACTOR
