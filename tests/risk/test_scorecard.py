"""The packaged scorecard: sums of whole numbers, probabilities that fall with them, and reasons by points lost."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi.kernel.reason_codes import CODES
from fenqi.risk.scorecard import APPLICATION, BEHAVIOUR, application, behaviour_pd

BEST = {"inquiries_count": 0, "opened_12m_count": 0, "used_ppm": 0}
known = st.fixed_dictionaries(
    {
        "inquiries_count": st.integers(0, 60),
        "opened_12m_count": st.integers(0, 60),
        "used_ppm": st.integers(0, 3_000_000),
    }
)


def test_points_are_the_sum_of_the_bins_in_the_data_sheet() -> None:
    best = application(BEST)
    assert best is not None
    assert (best.score, best.pd_ppm, best.reasons) == (213 + 217 + 225, 19_833, ())
    """Log-odds ln 20 + 55/40 ln 2 = 3.9488, on the calibration line 0.1052 + 0.9611 x: 3.9004; 1/(1 + e^3.9004)."""
    worst = application({"inquiries_count": 9, "opened_12m_count": 3, "used_ppm": 810_001})
    assert worst is not None
    assert (worst.score, worst.pd_ppm) == (170 + 156 + 181, 192_240)


def test_the_feature_furthest_below_the_average_is_the_first_reason() -> None:
    """Averages are 200, 202 and 201: the worst applicant loses 30, 46 and 20 points against them."""
    worst = application({"inquiries_count": 9, "opened_12m_count": 3, "used_ppm": 810_001})
    assert worst is not None
    assert worst.reasons == ("CR_RECENT_CREDIT", "CR_TOO_MANY_INQUIRIES", "CR_HIGH_UTILISATION")
    assert [share.average - share.points for share in worst.shares] == [30, 46, 20]
    one = application({**BEST, "inquiries_count": 1})
    assert one is not None
    assert one.reasons == ("CR_TOO_MANY_INQUIRIES",)


@pytest.mark.parametrize("feature", list(BEST))
def test_what_is_not_known_is_not_scored(feature: str) -> None:
    assert application({**BEST, feature: None}) is None
    assert application({name: value for name, value in BEST.items() if name != feature}) is None


@given(known)
def test_the_sum_is_in_the_table_and_reasons_are_codes(inputs: dict[str, int]) -> None:
    score = application(inputs)
    assert score is not None
    assert score.score == sum(share.points for share in score.shares)
    assert 0 < score.pd_ppm < 1_000_000
    assert len(score.reasons) <= 4
    assert all(code in CODES for code in score.reasons)


@given(known, st.sampled_from(list(BEST)), st.integers(1, 50))
def test_more_of_anything_never_helps(inputs: dict[str, int], feature: str, more: int) -> None:
    """Every feature is monotone: more inquiries, accounts or use never raise the score."""
    step = 10_000 if feature == "used_ppm" else 1
    before, after = application(inputs), application({**inputs, feature: inputs[feature] + more * step})
    assert before is not None
    assert after is not None
    assert after.score <= before.score
    assert after.pd_ppm >= before.pd_ppm


def test_probabilities_fall_as_points_rise() -> None:
    values = APPLICATION.pd_ppm.values
    assert list(values) == sorted(values, reverse=True)
    lowest = sum(min(each.points for each in feature.bins) for feature in APPLICATION.features)
    highest = sum(max(each.points for each in feature.bins) for feature in APPLICATION.features)
    assert (APPLICATION.pd_ppm.from_score, len(values)) == (lowest, highest - lowest + 1)


def test_nothing_protected_is_an_input() -> None:
    assert [feature.name for feature in APPLICATION.features] == list(BEST)


def test_scoring_needs_none_of_the_training_libraries() -> None:
    code = "import sys, fenqi.risk.scorecard; assert not {'numpy', 'scipy', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_behaviour_is_a_product_of_odds() -> None:
    """Two years clean, little used: 1.5 % x 0.8 x 0.4 x 0.8 = 0.384 % odds, 0.3825 % probability."""
    assert behaviour_pd(months_on_book=24, clean_months=24, overdue_days=0, limit_used_ppm=100_000) == 3_825
    late = behaviour_pd(months_on_book=24, clean_months=0, overdue_days=40, limit_used_ppm=900_000)
    assert late == 720_000 * 1_000_000 // 1_720_000
    """1.5 % x 0.8 x 1.6 x 25 x 1.5 = 72 % odds."""


def test_behaviour_covers_every_value_and_never_reaches_certainty() -> None:
    for measure in {row.measure for row in BEHAVIOUR.rows}:
        rows = [row.upto for row in BEHAVIOUR.rows if row.measure == measure]
        assert rows[-1] is None
        assert rows[:-1] == sorted(row for row in rows if row is not None)
    worst = behaviour_pd(months_on_book=0, clean_months=0, overdue_days=500, limit_used_ppm=2_000_000)
    assert worst == 16_200_000 * 1_000_000 // 17_200_000
