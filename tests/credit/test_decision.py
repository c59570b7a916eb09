"""The decision on an application: the table's rows, their order as reasons, and the limit that a score gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credit.conftest import good_inputs
from tests.opening import APPLICATION_POLICY, opening, policy_with

from fenqi.credit.decision import (
    ApplicationDecision,
    ApplicationInputs,
    Assessed,
    BureauFile,
    LimitBand,
    Objection,
    limit_of,
)
from fenqi.credit.decision import decide as decide_on
from fenqi.flows.opening import OpeningPolicy
from fenqi.kernel.reason_codes import CODES
from fenqi.policy.table import Row, Table

CLEAN = {"lenders_count": 1, "months_on_file": 60, "monthly_obligation_minor": 100_000}


def decide(inputs: ApplicationInputs, policy: OpeningPolicy = APPLICATION_POLICY) -> ApplicationDecision:
    return decide_on(inputs, policy.assess(inputs))


def bureau(**changes: int) -> BureauFile:
    return BureauFile(**{**CLEAN, **changes})


def test_a_clean_file_gets_three_months_income_up_to_the_cap() -> None:
    assert decide(good_inputs()).limit_minor == 4_500_000
    assert decide(good_inputs(income_minor=9_000_000)).limit_minor == 5_000_000
    assert decide(good_inputs(income_minor=301_234)).limit_minor == 1_000_000


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
    decision = decide(good_inputs(**changes))
    assert (decision.outcome, decision.limit_minor, decision.principal_reasons) == ("rejected", 0, reasons)


def test_many_small_faults_are_a_refusal_with_the_four_heaviest() -> None:
    weak = good_inputs(
        income_verified=False,
        employment_verified=False,
        residence_verified=False,
        bureau=bureau(months_on_file=3, inquiries_count=11, delinquent_days=2),
    )
    decision = decide(weak)
    assert (decision.outcome, decision.score) == ("rejected", 700 - 35 - 20 - 15 - 30 - 90 - 40 - 60)
    assert decision.principal_reasons == (
        "CR_TOO_MANY_INQUIRIES",
        "CR_BUREAU_DELINQUENT",
        "CR_UNVERIFIED_INCOME",
        "CR_THIN_FILE",
    )


def test_no_file_and_a_score_in_between_are_for_a_person() -> None:
    assert decide(good_inputs(bureau=None)).outcome == "review"
    between = good_inputs(
        bureau=bureau(inquiries_count=6, lenders_count=5, months_on_file=5), employment_verified=False
    )
    decision = decide(between)
    assert (decision.outcome, decision.score) == ("review", 530)


def test_a_missing_file_is_not_a_thin_one() -> None:
    assert decide(good_inputs(bureau=None)).principal_reasons == ("CR_NO_FILE",)


def test_bands_give_whole_steps_and_nothing_below_the_last() -> None:
    band = LimitBand("limit-620", 2_000_000, 500_000, 3_000_000)
    assert limit_of(band, 123_456) == 500_000
    assert limit_of(band, 345_678) == 690_000
    assert limit_of(band, 9_000_000) == 3_000_000


def test_the_score_refuses_with_its_own_reasons() -> None:
    """19 % probability: the features that fell furthest below the average, behind the weightier rows."""
    risky = good_inputs(bureau=bureau(inquiries_count=9, opened_12m_count=3, used_ppm=900_000))
    said = APPLICATION_POLICY.assess(risky)
    assert (said.points, said.pd_ppm) == (507, 192_240)
    assert [row.rule_id for row in said.objections] == ["score-12", "inquiries-5"]
    assert said.band is None
    assert decide(risky) == ApplicationDecision(
        "rejected", 700 - 190 - 40, 0, ("CR_RECENT_CREDIT", "CR_TOO_MANY_INQUIRIES", "CR_HIGH_UTILISATION")
    )


def test_a_middling_score_costs_points_and_a_smaller_limit() -> None:
    """Two accounts opened, one inquiry, 70 % used: 170 + 187 + 185 points, between 8 and 12 %."""
    middling = good_inputs(bureau=bureau(inquiries_count=1, opened_12m_count=2, used_ppm=700_000))
    said = APPLICATION_POLICY.assess(middling)
    assert said.points == 170 + 187 + 185
    assert said.pd_ppm is not None
    assert 80_000 < said.pd_ppm <= 120_000
    assert decide(middling) == ApplicationDecision("approved", 635, 3_000_000)


def test_who_has_no_file_is_refused_only_for_what_no_score_could_mend() -> None:
    assert decide(good_inputs(bureau=None, real_name="mismatch")) == ApplicationDecision(
        "rejected", 700 - 300 - 60, 0, ("CR_UNVERIFIED_IDENTITY",)
    )
    said = APPLICATION_POLICY.assess(good_inputs(bureau=None))
    assert (said.missing, said.pd_ppm, said.band) == (("pd_ppm",), None, None)


def test_an_unknown_score_never_passes_silently() -> None:
    """Without the row for a missing file the unknown score still goes to a person."""
    table = opening(Row("score", {"pd_ppm": "> 500000"}, {"effect": "reject", "code": "", "weight": 1}))
    assert decide(good_inputs(bureau=None), policy_with(table)).outcome == "review"
    assert decide(good_inputs(), policy_with(table)).outcome == "approved"


def test_a_policy_that_does_not_ask_the_score_decides_without_a_file() -> None:
    table = opening(
        Row("poor", {"income_minor": "< 100000"}, {"effect": "reject", "code": "CR_INCOME_LOW", "weight": 1})
    )
    assert decide(good_inputs(bureau=None), policy_with(table)).outcome == "approved"


def test_a_group_can_be_given_rows_of_its_own() -> None:
    table = Table("limit", (
        Row("teachers", {"segments": '"teacher"'}, {"share_ppm": 1, "floor_minor": 777_700, "cap_minor": 777_700}),
        Row("others"),
    ))  # fmt: skip
    assert decide(good_inputs(segments=("teacher",)), policy_with(table)).limit_minor == 770_000
    assert decide(good_inputs(), policy_with(table)).outcome == "review"


def test_no_refusal_is_without_a_reason() -> None:
    """No limit and nothing to say why: a person looks. With something to say: refused with it."""
    nothing = Assessed(policy_version="x")
    assert decide_on(good_inputs(), nothing) == ApplicationDecision("review", 700)
    silent = Assessed(policy_version="x", objections=(Objection("r", "reject", "", 100),))
    assert decide_on(good_inputs(), silent) == ApplicationDecision("review", 600)
    scored = Assessed(policy_version="x", score_reasons=("CR_RECENT_CREDIT",))
    assert decide_on(good_inputs(), scored) == ApplicationDecision("rejected", 700, 0, ("CR_RECENT_CREDIT",))


def test_the_default_rows_give_reasons_of_the_dictionary_in_order_of_weight() -> None:
    rows = [row for row in APPLICATION_POLICY.book.table("opening").rows if row.then]
    assert all(row.then["code"] == "" or row.then["code"] in CODES for row in rows)
    weights = [row.then["weight"] for row in rows]
    assert all(isinstance(weight, int) and weight > 0 for weight in weights)
    floors = [row.then["floor_minor"] for row in APPLICATION_POLICY.book.table("limit").rows if row.then]
    assert floors == sorted(floors, reverse=True)


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
        st.integers(0, 8),
        st.integers(0, 1_200_000),
    ),
    own_overdue_days=st.integers(0, 90),
)


@given(inputs)
def test_every_decision_is_whole_and_replays(given_inputs: ApplicationInputs) -> None:
    """A refusal has one to four reasons, an approval a limit in whole steps; asking again gives the same."""
    decision = decide(given_inputs)
    assert decide(given_inputs) == decision
    assert (decision.outcome == "approved") == (decision.limit_minor > 0)
    assert len(set(decision.principal_reasons)) == len(decision.principal_reasons) <= 4
    if decision.outcome == "approved":
        assert decision.principal_reasons == ()
        assert decision.limit_minor % 10_000 == 0
        assert decision.limit_minor <= 5_000_000
    elif decision.outcome == "rejected":
        assert decision.principal_reasons
