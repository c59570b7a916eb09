"""Training: the same data give the packaged artefacts and their page again, and each figure is right by hand."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from tools.scorecard import data, measure, sheet
from tools.scorecard.binning import Bin, bins_of, information_value, woe

from tools import train_scorecard

RATES = np.array(
    [True] * 1 + [False] * 9 + [True] * 3 + [False] * 7 + [True] * 2 + [False] * 8 + [True] * 6 + [False] * 4
)


@pytest.fixture(scope="module")
def trained() -> tuple[dict[str, Any], dict[str, Any]]:
    return train_scorecard.served(), train_scorecard.benchmark()


def _stored(path: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_training_anew_gives_the_packaged_cards(trained: tuple[dict[str, Any], dict[str, Any]]) -> None:
    for card, path in zip(trained, (train_scorecard.SERVED, train_scorecard.BENCHMARK), strict=True):
        assert train_scorecard.text_of(card) == path.read_text(encoding="utf-8")


def test_the_page_is_written_from_the_packaged_cards() -> None:
    cards = _stored(train_scorecard.SERVED), _stored(train_scorecard.BENCHMARK)
    assert sheet.write(*cards) == train_scorecard.SHEET.read_text(encoding="utf-8")


def test_a_protected_feature_is_in_no_card() -> None:
    protected = {"age", "sex", "personal_status", "foreign_worker", "dependants"}
    for path in (train_scorecard.SERVED, train_scorecard.BENCHMARK):
        assert not protected & {feature["name"] for feature in _stored(path)["features"]}
    for sample in (data.lending_club(), data.german()):
        assert not protected & set(sample.columns)


def test_the_data_are_those_of_their_sources() -> None:
    german, club = data.german(), data.lending_club()
    assert (len(german.bad), int(german.bad.sum())) == (1_000, 300)
    assert (len(club.bad), int(club.bad.sum())) == (9_857, 517)
    assert int((german.apart["sex"] == "female").sum()) == 310


def test_auc_and_ks_by_hand() -> None:
    """Bad at 0.9 and 0.4, good at 0.8, 0.4 and 0.1: of six pairs four are right, one is a tie, one wrong: 4.5/6."""
    pd, bad = np.array([0.9, 0.4, 0.8, 0.4, 0.1]), np.array([True, True, False, False, False])
    assert measure.auc(pd, bad) == 4.5 / 6
    assert measure.ks(pd, bad) == pytest.approx(0.5)
    """At 0.8 all good and half the bad lie at or below: 1 - 1/2."""
    assert measure.brier(pd, bad) == pytest.approx((0.01 + 0.36 + 0.64 + 0.16 + 0.01) / 5)


def test_adverse_impact_by_hand() -> None:
    pd = np.array([0.1, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9])
    bad = np.array([False, False, True, False, False, True, False, True])
    rows = measure.by_group(np.array(["a"] * 4 + ["b"] * 4), pd, bad, 0.5)
    assert [(row["approved"], row["adverse_impact_ratio"]) for row in rows] == [(0.5, 0.667), (0.75, 1.0)]
    assert [row["good_approved"] for row in rows] == [0.6667, 1.0]


def test_weight_of_evidence_by_hand() -> None:
    """A bin with 40 of 100 goods and 10 of 50 bads: ln((40.5/100) / (10.5/50))."""
    assert woe(Bin(40, 10, 5), 100, 50) == pytest.approx(math.log(0.405 / 0.21))
    assert information_value([Bin(50, 25, 1), Bin(50, 25, None)]) == pytest.approx(0)


def test_bins_that_break_the_direction_are_pooled() -> None:
    """Rates 10, 30, 20, 60 % at 1, 2, 3, 4: the two in the middle become one of 25 %."""
    column = np.repeat(np.array([1, 2, 3, 4]), 10)
    found = bins_of(np.tile(column, 10), np.tile(RATES, 10), 1)
    assert [(each.upto, each.size, each.rate) for each in found] == [(1, 100, 0.1), (3, 200, 0.25), (None, 100, 0.6)]
    assert len(bins_of(np.tile(column, 10), np.tile(RATES, 10), 0)) == 4


def test_a_rare_code_joins_the_nearest_rate() -> None:
    column = np.array(["x"] * 200 + ["y"] * 200 + ["z"] * 10)
    bad = np.array([True] * 20 + [False] * 180 + [True] * 100 + [False] * 100 + [True] * 4 + [False] * 6)
    assert [each.values for each in bins_of(column, bad, 0)] == [("x",), ("y", "z")]
