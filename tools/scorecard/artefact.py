"""The artefact of a card: what scoring needs (bins, points, the table of probabilities) and its whole data sheet.

Everything in it is a whole number or rounded, so that the file is the same wherever it is made.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tools.scorecard import fit, measure
from tools.scorecard.binning import bins_of, information_value, place_of
from tools.scorecard.data import PPM, Sample

CUTS_PPM = (30_000, 50_000, 80_000, 120_000)
AGE_GROUPS = ((25, "19-25"), (35, "26-35"), (50, "36-50"), (200, "51-75"))
APPROVED_SHARE = 0.7
"""Of the benchmark's applicants, for its fairness table: as many as were good."""


def make(sample: Sample, version: str) -> dict[str, Any]:
    """Train, validate and write up one card."""
    everyone = np.arange(len(sample.bad))
    card, validation = fit.fit(sample, everyone), fit.validate(sample)
    line = fit.calibrate(validation.logit_good, sample.bad)
    return {
        "version": version,
        "features": _features(sample, card),
        "pd_ppm": _probabilities(card, line),
        "sheet": _sheet(sample, card, validation, line),
    }


def _features(sample: Sample, card: fit.Fitted) -> list[dict[str, Any]]:
    found = []
    for feature, bins, woes, points in zip(card.features, card.bins, card.woes, card.points(), strict=True):
        sizes = [each.size for each in bins]
        average = round(sum(size * each for size, each in zip(sizes, points, strict=True)) / sum(sizes))
        rows = [
            {
                **({"values": list(one.values)} if one.values else {"upto": one.upto}),
                "points": each,
                "woe": weight,
                "good": one.good,
                "bad": one.bad,
            }
            for one, each, weight in zip(bins, points, woes, strict=True)
        ]
        found.append(
            {"name": feature.name, "source": feature.source, "code": feature.code, "average": average, "bins": rows}
        )
    return found


def _probabilities(card: fit.Fitted, line: tuple[float, float]) -> dict[str, Any]:
    """For every sum of points that can come up, the calibrated probability in millionths."""
    points = card.points()
    lowest, highest = sum(min(some) for some in points), sum(max(some) for some in points)
    values = [round(float(fit.pd_of(fit.log_odds_of(each), line)) * PPM) for each in range(lowest, highest + 1)]
    return {"from_score": lowest, "values": values}


def _sheet(sample: Sample, card: fit.Fitted, validation: fit.Validation, line: tuple[float, float]) -> dict[str, Any]:
    pd, bad = fit.pd_of(validation.logit_good, line), sample.bad
    rate = float(bad.mean())
    return {
        "data": sample.name,
        "cases": len(bad),
        "bad": int(bad.sum()),
        "validation": f"{fit.FOLDS}-fold stratified, {fit.REPEATS} times, seed {fit.SEED}",
        "auc": _mean_and_sd(validation.aucs),
        "ks": _mean_and_sd(validation.kss),
        "brier": round(measure.brier(pd, bad), 5),
        "brier_of_the_rate": round(rate * (1 - rate), 5),
        "calibration_line": list(line),
        "calibration_error": round(measure.calibration_error(pd, bad), 4),
        "calibration": measure.calibration(pd, bad),
        "information_values": {
            each.name: round(information_value(bins_of(sample.columns[each.name], bad, each.worse)), 4)
            for each in sample.features
        },
        "coefficients": {each.name: one for each, one in zip(card.features, card.coefficients, strict=True)},
        "scores": _scores(sample, card),
        "cut_offs": [_cut_off(pd, bad, cut) for cut in CUTS_PPM] if not sample.apart else [],
        "fairness": _fairness(sample, pd) if sample.apart else {},
        "left_out": sample.left_out,
    }


def _mean_and_sd(values: list[float]) -> dict[str, float]:
    return {"mean": round(float(np.mean(values)), 4), "sd": round(float(np.std(values, ddof=1)), 4)}


def _scores(sample: Sample, card: fit.Fitted) -> dict[str, int]:
    """How the sample's scores lie: what the monitor compares later ones with."""
    total = np.zeros(len(sample.bad), dtype=np.int64)
    for feature, bins, points in zip(card.features, card.bins, card.points(), strict=True):
        total += np.array(points)[place_of(bins, sample.columns[feature.name])]
    shares = (0, 10, 25, 50, 75, 90, 100)
    return {f"p{share}": int(np.percentile(total, share, method="inverted_cdf")) for share in shares}


def _cut_off(pd: Any, bad: Any, cut_ppm: int) -> dict[str, Any]:
    approved = pd * PPM <= cut_ppm
    return {
        "pd_at_most_ppm": cut_ppm,
        "approved": round(float(approved.mean()), 4),
        "bad_of_approved": round(float(bad[approved].mean()), 4),
        "bad_of_refused": round(float(bad[~approved].mean()), 4),
    }


def _fairness(sample: Sample, pd: Any) -> dict[str, Any]:
    cut = float(np.quantile(pd, APPROVED_SHARE, method="inverted_cdf"))
    ages = np.array([next(name for upto, name in AGE_GROUPS if age <= upto) for age in sample.apart["age"]])
    return {
        "pd_at_most_ppm": round(cut * PPM),
        "age": measure.by_group(ages, pd, sample.bad, cut),
        "sex": measure.by_group(sample.apart["sex"], pd, sample.bad, cut),
    }
