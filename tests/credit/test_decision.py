"""The decision on an application: the table's rows, their order as reasons, and the limit that a score gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credit.conftest import good_inputs

from fenqi.credit.decision import ApplicationInputs, BureauFile, decide, limit_of, measures
from fenqi.credit.default_policy import APPLICATION_POLICY
from fenqi.kernel.reason_codes import CODES

CLEAN = {"lenders_count": 1, "months_on_file": 60, "monthly_obligation_minor": 100_000}


def bureau(**changes: int) -> BureauFile:
    return BureauFile(**{**CLEAN, **changes})


def test_a_clean_file_gets_three_months_income_up_to_the_cap() -> None:
    assert decide(good_inputs(), APPLICATION_POLICY).limit_minor == 4_500_000
    assert decide(good_inputs(income_minor=9_000_000), APPLICATION_POLICY).limit_minor == 5_000_000
    assert decide(good_inputs(income_minor=301_234), APPLICATION_POLICY).limit_minor == 1_000_000


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"real_name": "mismatch"}, ("CR_UNVERIFIED_IDENTITY",)),
        ({"income_minor": None}, ("CR_APPLICATION_INCOMPLETE", "CR_INCOME_LOW")),
        ({"card_bound": False}, ("CR_APPLICATION_INCOMPLETE",)),
        ({"income_minor": 199_999, "bureau": bureau(monthly_obligation_minor=0)}, ("CR_INCOME_LOW",)),
        ({"bureau": bureau(delinquent_days=31)}, ("CR_BUREAU_DELINQUENT",)),
        ({"own_overdue_days": 31}, ("CR_OWN_DELINQUENT",)),
        ({"bureau": bureau(lenders_count=8)}, ("CR_MULTI_LENDER",)),
        ({"bureau": bureau(monthly_obligation_minor=826_000)}, ("CR_DEBT_BURDEN",)),
        (
            {
                "bureau": bureau(delinquent_days=90, lenders_count=9, monthly_obligation_minor=900_000),
                "own_overdue_days": 40,
            },
            ("CR_BUREAU_DELINQUENT", "CR_OWN_DELINQUENT", "CR_MULTI_LENDER", "CR_DEBT_BURDEN"),
        ),
    ],
)  # fmt: skip
def test_refusals_name_their_principal_reasons_heaviest_first(
    changes: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    decision = decide(good_inputs(**changes), APPLICATION_POLICY)
    assert (decision.outcome, decision.limit_minor, decision.principal_reasons) == ("rejected", 0, reasons)


def test_many_small_faults_are_a_refusal_with_the_four_heaviest() -> None:
    weak = good_inputs(
        income_verified=False,
        employment_verified=False,
        residence_verified=False,
        bureau=bureau(months_on_file=3, inquiries_count=11, delinquent_days=2),
    )
    decision = decide(weak, APPLICATION_POLICY)
    assert (decision.outcome, decision.score) == ("rejected", 700 - 35 - 20 - 15 - 30 - 90 - 40 - 60)
    assert decision.principal_reasons == (
        "CR_TOO_MANY_INQUIRIES",
        "CR_BUREAU_DELINQUENT",
        "CR_UNVERIFIED_INCOME",
        "CR_THIN_FILE",
    )


def test_no_file_and_a_score_in_between_are_for_a_person() -> None:
    assert decide(good_inputs(bureau=None), APPLICATION_POLICY).outcome == "review"
    between = good_inputs(
        bureau=bureau(inquiries_count=6, lenders_count=5, months_on_file=5), employment_verified=False
    )
    decision = decide(between, APPLICATION_POLICY)
    assert (decision.outcome, decision.score) == ("review", 530)


def test_a_missing_file_is_not_a_thin_one() -> None:
    assert decide(good_inputs(bureau=None), APPLICATION_POLICY).principal_reasons == ("CR_NO_FILE",)


def test_bands_give_whole_steps_and_nothing_below_the_last() -> None:
    assert limit_of(620, 123_456, APPLICATION_POLICY) == 500_000
    assert limit_of(620, 345_678, APPLICATION_POLICY) == 690_000
    assert limit_of(499, 1_000_000, APPLICATION_POLICY) == 0


def test_the_table_is_written_on_known_measures_and_codes() -> None:
    known = measures(ApplicationInputs())
    for row in APPLICATION_POLICY.conditions:
        assert row.measure in known
        assert row.code in CODES
        assert row.weight > 0
    assert [band.score for band in APPLICATION_POLICY.bands] == sorted(
        (band.score for band in APPLICATION_POLICY.bands), reverse=True
    )


inputs = st.builds(
    ApplicationInputs,
    real_name=st.sampled_from(["verified", "mismatch"]),
    age=st.integers(18, 60),
    phone_reachable=st.booleans(),
    card_bound=st.booleans(),
    income_minor=st.none() | st.integers(0, 20_000_000),
    income_verified=st.booleans(),
    employment_verified=st.booleans(),
    residence_verified=st.booleans(),
    bureau=st.none()
    | st.builds(
        BureauFile,
        st.integers(0, 15),
        st.integers(0, 300),
        st.integers(0, 120),
        st.integers(0, 30),
        st.integers(0, 5_000_000),
    ),
    own_overdue_days=st.integers(0, 90),
)


@given(inputs)
def test_every_decision_is_whole_and_replays(given_inputs: ApplicationInputs) -> None:
    """A refusal has one to four reasons, an approval a limit in whole steps; asking again gives the same."""
    decision = decide(given_inputs, APPLICATION_POLICY)
    assert decide(given_inputs, APPLICATION_POLICY) == decision
    assert (decision.outcome == "approved") == (decision.limit_minor > 0)
    assert len(set(decision.principal_reasons)) == len(decision.principal_reasons) <= 4
    if decision.outcome == "approved":
        assert decision.principal_reasons == ()
        assert decision.limit_minor % APPLICATION_POLICY.step_minor == 0
        assert decision.limit_minor <= 5_000_000
    elif decision.outcome == "rejected":
        assert decision.principal_reasons
