"""The monitor's statistics by hand, its report from a few rows, and which readings are alarms."""

from __future__ import annotations

import math
from datetime import date

import pytest

from fenqi.insight import Classes, Finding, LoanLife, Measure, Programme, Reading, Threshold, Watched, judge, vintages
from fenqi.insight.drift import drift_of, ks_ppm, psi_ppm
from fenqi.insight.monitor import Applied, Asked, Bought, Judgement, make_report, readings, share_ppm, windows
from fenqi.insight.vintage import bad_on, months_after


def test_psi_by_hand() -> None:
    """Shares 50/50 then 60/40: 0.1 ln 1.2 - 0.1 ln 0.8 = 0.0405."""
    expected = 0.1 * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert psi_ppm((50, 50), (60, 40)) == round(expected * 1_000_000) == 40_547
    assert psi_ppm((60, 40), (50, 50)) == 40_547
    assert psi_ppm((10, 20, 30), (100, 200, 300)) == 0


def test_psi_counts_half_a_case_where_a_class_is_empty() -> None:
    """100 of class one, then 10 of 100 in a new class: (0.9 - 1) ln 0.9 + (0.1 - 0.005) ln 20."""
    expected = -0.1 * math.log(0.9) + 0.095 * math.log(20)
    assert psi_ppm((100, 0, 0), (90, 10, 0)) == round(expected * 1_000_000)
    assert psi_ppm((0, 0), (1, 2)) is None


def test_ks_by_hand() -> None:
    """Cumulated 0.2, 0.5, 1 against 0.5, 0.7, 1: the widest gap is 0.3."""
    assert ks_ppm((20, 30, 50), (5, 2, 3)) == 300_000
    assert ks_ppm((1, 1), (0, 0)) is None


def test_classes_include_their_edge_and_keep_the_unknown_apart() -> None:
    classes = Classes("x", (0, 10))
    assert classes.tally([0, 1, 10, 11, None, None]) == (1, 2, 1, 2)
    scenes = Classes("scene", (), ("mall", "partner_store"))
    assert scenes.tally(["mall", "elsewhere", "mall"]) == (2, 0, 1)
    drift = drift_of(classes, "earlier", (8, 2, 0, 0), (5, 5, 0, 0))
    assert (drift.ks_ppm, drift.cases) == (300_000, 10)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        (date(2026, 1, 31), 1, date(2026, 2, 28)),
        (date(2026, 11, 30), 3, date(2027, 2, 28)),
        (date(2026, 5, 5), 12, date(2027, 5, 5)),
    ],
)
def test_months_end_with_their_last_day(start: date, months: int, end: date) -> None:
    assert months_after(start, months) == end


def test_a_loan_is_bad_thirty_days_after_a_due_date_that_was_missed() -> None:
    due = date(2026, 2, 1)
    assert bad_on(LoanLife(date(2026, 1, 1), 1, ((due, date(2026, 3, 3)),)), 30) is None
    assert bad_on(LoanLife(date(2026, 1, 1), 1, ((due, date(2026, 3, 4)),)), 30) == date(2026, 3, 3)
    assert bad_on(LoanLife(date(2026, 1, 1), 1, ((due, None),)), 30) == date(2026, 3, 3)


def test_vintages_by_hand() -> None:
    """Two loans of January, one never paid, and one of March that is too young for anything: as of 10 April."""
    paid = LoanLife(date(2026, 1, 5), 100_000, ((date(2026, 2, 5), date(2026, 2, 5)), (date(2026, 3, 5), None)))
    unpaid = LoanLife(date(2026, 1, 10), 300_000, ((date(2026, 2, 10), None), (date(2026, 3, 10), None)))
    young = LoanLife(date(2026, 3, 20), 50_000, ((date(2026, 4, 20), None),))
    january, march = vintages([paid, unpaid, young], date(2026, 4, 10), 30)
    assert (january.month_on, january.loans_count, january.loans_minor) == (date(2026, 1, 1), 2, 400_000)
    assert (january.first_due_count, january.first_default_count) == (2, 1)
    assert [(each.months, each.loans_count, each.bad_count, each.bad_minor) for each in january.cells] == [
        (1, 2, 0, 0),
        (2, 2, 0, 0),
        (3, 2, 2, 400_000),
    ]
    """The first due on 10 February is bad from 12 March on: after two months (10 March) not yet, after three (10 April)
    it is; the other one's second instalment from 4 April on: by 5 April."""
    assert (march.first_due_count, march.cells) == (0, ())


DAY = date(2026, 7, 1)


def watched() -> Watched:
    """Twenty applications before and ten now; credit wanted ten times before and ten times now."""
    before, now = date(2026, 5, 1), date(2026, 6, 15)
    return Watched(
        applied=[Applied(before, "approved", (), (), {"inquiries_count": 0})] * 16
        + [Applied(before, "rejected", ("CR_INCOME_LOW",), ("income-2000",), {"inquiries_count": 0})] * 4
        + [Applied(now, "approved", (), (), {"inquiries_count": 3})] * 5
        + [Applied(now, "rejected", ("CR_MULTI_LENDER",), ("lenders-8",), {"inquiries_count": 3})] * 5,
        asked=[Asked(before, True)] * 8
        + [Asked(before, False, ("LIMIT_INSUFFICIENT",))] * 2
        + [Asked(now, True)] * 9
        + [Asked(now, False, ("OVERDUE_CURRENT", "LIMIT_INSUFFICIENT"), ("credit-mall",))],
        bought=[Bought(before, "mall", 10_000, 60), Bought(now, "scan_to_pay", 10_000, 30)],
        judged=[Judgement(now, "appeal", True)] * 3 + [Judgement(now, "appeal", False)] * 7,
        vintages=[],
        programmes=[Programme("furniture", 96, 100), Programme("open", 5, None)],
    )


def test_windows_end_with_yesterday() -> None:
    assert windows(DAY) == (date(2026, 4, 2), date(2026, 6, 1), date(2026, 6, 30))


def test_a_report_by_hand() -> None:
    report = make_report(DAY, "p-1", "card", watched(), [(Classes("inquiries_count", (0,)), (90, 10))])
    assert (report.current.approved_ppm, report.reference.approved_ppm) == (500_000, 800_000)
    assert (report.current.lent_ppm, report.reference.lent_ppm) == (900_000, 800_000)
    assert [(each.stage, each.name, each.current, each.reference, each.rise_ppm) for each in report.reasons] == [
        ("application", "CR_MULTI_LENDER", 5, 0, 1_000_000),
        ("application", "CR_INCOME_LOW", 0, 4, -1_000_000),
        ("cashier", "LIMIT_INSUFFICIENT", 1, 2, 0),
        ("cashier", "OVERDUE_CURRENT", 1, 0, 1_000_000),
    ]
    found = {(each.feature, each.against): (each.psi_ppm, each.ks_ppm) for each in report.drifts}
    assert found["inquiries_count", "training"][1] == 233_333
    """90 % without inquiries in training, 20 of 30 here."""
    assert found["scene", "earlier"][1] == 1_000_000
    assert found["amount_minor", "earlier"] == (0, 0)
    assert [(each.kind, each.decided, each.against) for each in report.overrides] == [("appeal", 10, 3)]
    assert len(report.weeks) == 12
    assert report.weeks[-1].until_on == date(2026, 6, 30)
    assert sum(each.applied for each in report.weeks) == 30


def test_readings_of_a_report() -> None:
    found = {(each.measure, each.subject): each for each in readings(make_report(DAY, "p", "c", watched(), []))}
    assert found[Measure.APPROVAL_DROP, "approved"] == Reading(Measure.APPROVAL_DROP, "approved", 300_000, 10)
    assert found[Measure.APPROVAL_DROP, "lent"].value_ppm == -100_000
    assert found[Measure.OVERRIDE, "appeal"] == Reading(Measure.OVERRIDE, "appeal", 300_000, 10)
    assert found[Measure.EXPOSURE, "furniture"].value_ppm == 960_000
    assert (Measure.EXPOSURE, "open") not in found
    assert found[Measure.RULE_RISE, "application/lenders-8"].value_ppm == 500_000


def test_a_reading_alarms_at_its_threshold_if_there_are_enough_cases() -> None:
    limit = Threshold(Measure.PSI, 100_000, 250_000, 50, "risk")
    at = [Reading(Measure.PSI, name, value, cases) for name, value, cases in (
        ("below", 99_999, 50), ("warn", 100_000, 50), ("act", 250_000, 50), ("few", 900_000, 49),
    )]  # fmt: skip
    assert judge(at, [limit]) == [Finding(at[1], "warn", 100_000, "risk"), Finding(at[2], "act", 250_000, "risk")]
    assert judge([Reading(Measure.KS, "x", 1_000_000, 1_000)], [limit]) == []


def test_a_share_of_nothing_is_no_share() -> None:
    assert share_ppm(1, 3) == 333_333
    assert share_ppm(0, 0) is None
