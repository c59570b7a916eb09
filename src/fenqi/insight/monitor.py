"""The monitor's report: what was asked, approved and refused, drift, vintages, exposure, rules and overrides. Pure.

A report compares the last thirty days with the sixty before them, and all ninety with the training data. It holds
counts, so that every share in it can be reckoned again; `readings` are the values that thresholds judge.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import msgspec

from fenqi.insight.alarm import Measure, Reading
from fenqi.insight.drift import Classes, Drift, drift_of
from fenqi.insight.vintage import Vintage

CURRENT_DAYS, REFERENCE_DAYS = 30, 60
WEEKS = 12
BAD_DAYS = 30
_PPM = 1_000_000


class Applied(msgspec.Struct, frozen=True):
    """An application as the monitor sees it: the day, the outcome, why, which rules spoke, and its features."""

    on: date
    outcome: str
    reasons: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    features: dict[str, int | None] = {}


class Asked(msgspec.Struct, frozen=True):
    """A wish to pay by credit at the cashier on a day: lent, or refused with codes and the rules that they name."""

    on: date
    is_lent: bool
    codes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class Bought(msgspec.Struct, frozen=True):
    """Orders of a day in one scene and class of amount."""

    on: date
    scene: str
    amount_minor: int
    count: int


class Judgement(msgspec.Struct, frozen=True):
    """A decision by a person on a day; `against`: whether the policy had said otherwise."""

    on: date
    kind: str
    against: bool


class Programme(msgspec.Struct, frozen=True):
    """What is lent out under a programme of the policy, and its cap (None: no cap in the version in force)."""

    programme: str
    used_minor: int
    cap_minor: int | None


class Period(msgspec.Struct, frozen=True):
    """Counts of one stretch of days."""

    from_on: date
    until_on: date
    """Inclusive, like `from_on`."""
    applications: dict[str, int]
    """By outcome."""
    asked: int
    """Wishes to pay by credit."""
    lent: int

    @property
    def applied(self) -> int:
        """All applications."""
        return sum(self.applications.values())

    @property
    def approved_ppm(self) -> int | None:
        """Approved at once, of all applications."""
        return share_ppm(self.applications.get("approved", 0), self.applied)

    @property
    def lent_ppm(self) -> int | None:
        """Lent, of all wishes to pay by credit."""
        return share_ppm(self.lent, self.asked)


class Share(msgspec.Struct, frozen=True):
    """How often a code or rule came up, now and before, of how many. `stage`: application | cashier."""

    stage: str
    name: str
    current: int
    current_of: int
    reference: int
    reference_of: int

    @property
    def rise_ppm(self) -> int:
        """By how much its share has risen; negative where it fell."""
        return (share_ppm(self.current, self.current_of) or 0) - (share_ppm(self.reference, self.reference_of) or 0)


class Overrides(msgspec.Struct, frozen=True):
    """Decisions by people of one kind in the last thirty days, and those against the policy."""

    kind: str
    decided: int
    against: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the monitor."""

    day_on: date
    policy_version: str
    card: str
    """The scorecard's version."""
    current: Period
    reference: Period
    weeks: tuple[Period, ...]
    reasons: tuple[Share, ...]
    rules: tuple[Share, ...]
    drifts: tuple[Drift, ...]
    vintages: tuple[Vintage, ...]
    programmes: tuple[Programme, ...]
    overrides: tuple[Overrides, ...]


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was read for a report, from the reference's first day on."""

    applied: Sequence[Applied]
    asked: Sequence[Asked]
    bought: Sequence[Bought]
    judged: Sequence[Judgement]
    vintages: Sequence[Vintage]
    programmes: Sequence[Programme]


APPLICATION_CLASSES = (
    Classes("points", (520, 540, 560, 580, 600, 620, 640)),
    Classes("pd_ppm", (20_000, 30_000, 40_000, 60_000, 80_000, 120_000)),
    Classes("inquiries_count", (0, 1, 2, 5, 10)),
    Classes("opened_12m_count", (0, 1, 2, 4)),
    Classes("used_ppm", (200_000, 400_000, 600_000, 800_000)),
    Classes("lenders_count", (0, 1, 2, 4, 7)),
    Classes("months_on_file", (5, 23, 59, 119)),
    Classes("income_minor", (300_000, 500_000, 800_000, 1_200_000, 2_000_000)),
)
AMOUNT_CLASSES = Classes("amount_minor", (10_000, 30_000, 100_000, 300_000, 600_000, 1_000_000))
SCENE_CLASSES = Classes("scene", (), ("mall", "instalment_mall", "partner_store", "scan_to_pay"))


def share_ppm(part: int, whole: int) -> int | None:
    """part / whole in millionths, rounded down; None of nothing."""
    return part * _PPM // whole if whole else None


def windows(day_on: date) -> tuple[date, date, date]:
    """(reference's first day, current's first day, current's last day): the days up to the one before `day_on`."""
    last_on = day_on - timedelta(days=1)
    current_on = last_on - timedelta(days=CURRENT_DAYS - 1)
    return current_on - timedelta(days=REFERENCE_DAYS), current_on, last_on


def make_report(
    day_on: date, policy_version: str, card: str, watched: Watched, training: Sequence[tuple[Classes, Sequence[int]]]
) -> Report:
    """The report of a day. `training`: the scorecard's features with their tallies in the training data."""
    reference_on, current_on, last_on = windows(day_on)
    before_on = current_on - timedelta(days=1)
    return Report(
        day_on=day_on,
        policy_version=policy_version,
        card=card,
        current=_period(watched, current_on, last_on),
        reference=_period(watched, reference_on, before_on),
        weeks=tuple(
            _period(watched, last_on - timedelta(days=7 * back + 6), last_on - timedelta(days=7 * back))
            for back in reversed(range(WEEKS))
        ),
        reasons=tuple(_shares(watched, current_on, "reasons", only_refused=True)),
        rules=tuple(_shares(watched, current_on, "rules", only_refused=False)),
        drifts=tuple(_drifts(watched, current_on, training)),
        vintages=tuple(watched.vintages),
        programmes=tuple(watched.programmes),
        overrides=tuple(_overrides(watched.judged, current_on)),
    )


def _period(watched: Watched, from_on: date, until_on: date) -> Period:
    applied = Counter(one.outcome for one in watched.applied if from_on <= one.on <= until_on)
    asked = [one for one in watched.asked if from_on <= one.on <= until_on]
    return Period(from_on, until_on, dict(applied), len(asked), sum(one.is_lent for one in asked))


def _shares(watched: Watched, current_on: date, what: str, *, only_refused: bool) -> Iterable[Share]:
    """Codes among refusals, or rules among all cases, by stage; the most frequent first."""
    stages: dict[str, list[tuple[date, tuple[str, ...]]]] = {
        "application": [
            (one.on, one.reasons if what == "reasons" else one.rules)
            for one in watched.applied
            if not only_refused or one.outcome == "rejected"
        ],
        "cashier": [
            (one.on, one.codes if what == "reasons" else one.rules)
            for one in watched.asked
            if not only_refused or not one.is_lent
        ],
    }
    for stage, cases in stages.items():
        now = [names for on, names in cases if on >= current_on]
        then = [names for on, names in cases if on < current_on]
        counted, earlier = _count(now), _count(then)
        for name in sorted(counted | earlier, key=lambda each: (-counted[each], -earlier[each], each)):
            yield Share(stage, name, counted[name], len(now), earlier[name], len(then))


def _count(cases: Iterable[Sequence[str]]) -> Counter[str]:
    return Counter(name for names in cases for name in set(names))


def _drifts(watched: Watched, current_on: date, training: Sequence[tuple[Classes, Sequence[int]]]) -> Iterable[Drift]:
    now = [one.features for one in watched.applied if one.on >= current_on]
    then = [one.features for one in watched.applied if one.on < current_on]
    for classes in APPLICATION_CLASSES:
        name = classes.name
        before, after = (classes.tally(each.get(name) for each in some) for some in (then, now))
        yield drift_of(classes, "earlier", before, after)
    for classes, counts in training:
        everybody = (each.get(classes.name) for each in (*then, *now))
        found = classes.tally(value for value in everybody if value is not None)
        yield drift_of(classes, "training", (*counts, 0), found)
    for classes, of in ((AMOUNT_CLASSES, "amount_minor"), (SCENE_CLASSES, "scene")):
        yield drift_of(classes, "earlier", *(
            _bought(watched.bought, classes, of, current_on, is_now) for is_now in (False, True)
        ))  # fmt: skip


def _bought(rows: Iterable[Bought], classes: Classes, of: str, current_on: date, is_now: bool) -> tuple[int, ...]:
    counts = [0] * (classes.count + 1)
    for row in rows:
        if (row.on >= current_on) == is_now:
            counts[classes.place(getattr(row, of))] += row.count
    return tuple(counts)


def _overrides(judged: Iterable[Judgement], current_on: date) -> Iterable[Overrides]:
    now = [one for one in judged if one.on >= current_on]
    for kind in sorted({one.kind for one in now}):
        mine = [one for one in now if one.kind == kind]
        yield Overrides(kind, len(mine), sum(one.against for one in mine))


def readings(of: Report) -> list[Reading]:
    """The values that thresholds judge."""
    return [*_of_drift(of), *_of_shares(of), *_of_lending(of)]


def _of_drift(of: Report) -> Iterable[Reading]:
    for drift in of.drifts:
        subject = f"{drift.feature}/{drift.against}"
        for measure, value in ((Measure.PSI, drift.psi_ppm), (Measure.KS, drift.ks_ppm)):
            if value is not None:
                yield Reading(measure, subject, value, drift.cases)


def _of_shares(of: Report) -> Iterable[Reading]:
    for name in ("approved_ppm", "lent_ppm"):
        now, then = getattr(of.current, name), getattr(of.reference, name)
        if now is not None and then is not None:
            whole = "applied" if name == "approved_ppm" else "asked"
            cases = min(getattr(of.current, whole), getattr(of.reference, whole))
            yield Reading(Measure.APPROVAL_DROP, name.removesuffix("_ppm"), then - now, cases)
    for measure, shares in ((Measure.REASON_RISE, of.reasons), (Measure.RULE_RISE, of.rules)):
        for share in shares:
            cases = min(share.current_of, share.reference_of)
            yield Reading(measure, f"{share.stage}/{share.name}", share.rise_ppm, cases)


def _of_lending(of: Report) -> Iterable[Reading]:
    for vintage in of.vintages:
        month = vintage.month_on.strftime("%Y-%m")
        failed = share_ppm(vintage.first_default_count, vintage.first_due_count)
        if failed is not None:
            yield Reading(Measure.FIRST_DEFAULT, month, failed, vintage.first_due_count)
        if vintage.cells:
            last = vintage.cells[-1]
            yield Reading(Measure.BAD_30, month, last.bad_ppm, last.loans_count)
    for one in of.programmes:
        if one.cap_minor:
            yield Reading(Measure.EXPOSURE, one.programme, one.used_minor * _PPM // one.cap_minor, 1)
    for kind in of.overrides:
        yield Reading(Measure.OVERRIDE, kind.kind, share_ppm(kind.against, kind.decided) or 0, kind.decided)
