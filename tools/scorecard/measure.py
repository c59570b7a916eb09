"""How good a score is: ranking (AUC, KS), level (Brier, calibration error), and both by group. Plain numpy."""

from __future__ import annotations

from typing import Any

import numpy as np

DECILES = 10


def auc(pd: Any, bad: Any) -> float:
    """Area under the ROC curve: the chance that a bad case is ranked above a good one, ties by half (Mann-Whitney)."""
    order = np.argsort(pd, kind="stable")
    _, first, counts = np.unique(pd[order], return_index=True, return_counts=True)
    ranks = np.repeat(first + (counts + 1) / 2, counts)
    bads, goods = int(bad.sum()), int((~bad).sum())
    return float((ranks[bad[order]].sum() - bads * (bads + 1) / 2) / (bads * goods))


def ks(pd: Any, bad: Any) -> float:
    """Kolmogorov-Smirnov: the widest gap between the distributions of bad and good cases over the score."""
    cuts = np.unique(pd)
    below_bad = np.searchsorted(np.sort(pd[bad]), cuts, side="right") / bad.sum()
    below_good = np.searchsorted(np.sort(pd[~bad]), cuts, side="right") / (~bad).sum()
    return float(np.abs(below_bad - below_good).max())


def brier(pd: Any, bad: Any) -> float:
    """Mean square of probability less outcome."""
    return float(np.mean((pd - bad) ** 2))


def calibration(pd: Any, bad: Any) -> list[dict[str, Any]]:
    """Tenths of the cases by predicted probability: how many, predicted and found."""
    parts = np.array_split(np.argsort(pd, kind="stable"), DECILES)
    return [
        {"cases": len(part), "predicted": round(float(pd[part].mean()), 4), "found": round(float(bad[part].mean()), 4)}
        for part in parts
    ]


def calibration_error(pd: Any, bad: Any) -> float:
    """Expected calibration error over those tenths: mean of |predicted - found|, weighed by cases."""
    table = calibration(pd, bad)
    return sum(row["cases"] * abs(row["predicted"] - row["found"]) for row in table) / len(pd)


def by_group(groups: Any, pd: Any, bad: Any, cut: float) -> list[dict[str, Any]]:
    """What the cut-off means for each group.

    Adverse-impact ratio: the group's approval rate over the highest one's (four fifths are the usual line, 29 CFR
    1607.4 D); `good_approved`: how many of those who would have paid are approved (equal opportunity).
    """
    found = []
    for group in sorted(set(groups)):
        of = groups == group
        approved = pd[of] <= cut
        found.append(
            {
                "group": str(group),
                "cases": int(of.sum()),
                "approved": round(float(approved.mean()), 4),
                "good_approved": round(float(approved[~bad[of]].mean()), 4),
                "auc": round(auc(pd[of], bad[of]), 3),
                "predicted": round(float(pd[of].mean()), 4),
                "found": round(float(bad[of].mean()), 4),
            }
        )
    most = max(row["approved"] for row in found)
    return [{**row, "adverse_impact_ratio": round(row["approved"] / most, 3)} for row in found]
