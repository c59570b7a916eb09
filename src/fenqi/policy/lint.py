"""The lint of a policy document: a row that could never match or says something impossible is refused, not ignored.

Pure. `faults` must be empty before a version may be published; `gaps` are cases that no row covers, shown to the
checker, since such a payment is refused with POLICY_MISSING and an alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fenqi.kernel.money import MAX_AMOUNT_MINOR
from fenqi.kernel.refusal import Refusal
from fenqi.policy.cell import OneOf, Value
from fenqi.policy.cell import holds as _passes
from fenqi.policy.lint_table import Known, table_faults, table_warnings
from fenqi.policy.model import (
    ANY,
    METHODS,
    NOT_COVERED,
    SCENES,
    SELLER_KINDS,
    InterestFreeRow,
    MethodRow,
    PlanRow,
    PolicyDocument,
)
from fenqi.policy.rule import decide, rule, rules
from fenqi.policy.schema import GOODS, SCHEMAS
from fenqi.policy.table import Table

_WINDOWS = ("single", "day", "month")
_DELIVERIES = ("express", "pick_up", "cash_on_delivery", "virtual")
_INSTALMENTS_MAX = 60
_FEE_MAX_PPM = 50_000
_FEE_TOTAL_MAX_PPM = 300_000
_APR_CAP_MAX_PPM = 360_000


def faults(
    document: PolicyDocument, categories: Collection[str], merchants: Collection[str] | None = None
) -> list[str]:
    """Everything wrong with the document, each as one line naming its row; `categories` and `merchants` are the codes
    that exist (None: merchants are not looked at)."""
    known = Known(categories, merchants)
    return [
        *_twice("method", [row.method for row in document.methods]),
        *_tables(document),
        *(str(fault) for table in document.tables for fault in table_faults(table, known)),
        *_twice("plan", [f"{row.method}/{row.plan}" for row in document.plans]),
        *_twice("campaign", [row.campaign for row in document.interest_free]),
        *(fault for row in document.methods for fault in _method(row)),
        *(fault for table in document.tables if table.key == "goods" for fault in _goods(table, document)),
        *(fault for row in document.plans for fault in _plan(row, document)),
        *(fault for row in document.interest_free for fault in _interest_free(row, document, categories)),
        *_numbers(document),
    ]


def warnings(document: PolicyDocument) -> list[str]:
    """What may be meant but looks at odds, for the checker to see; it keeps nothing from being published."""
    return [str(fault) for table in document.tables for fault in table_warnings(table)]


def gaps(document: PolicyDocument) -> list[tuple[str, str, str]]:
    """(method, scene, kind of seller) where the method is offered but goods without a row of their own have none.

    Asked for a buyer of whom nothing speaks against, with goods of no category that any row names. Of a table with rows
    that can't be read nothing is told: those are faults.
    """
    table = next((table for table in document.tables if table.key == "goods"), None)
    if table is not None and not _is_readable(table):
        return []
    offered = [
        (row.method, scene, kind) for row in document.methods for scene in row.offered_in for kind in SELLER_KINDS
    ]
    return [case for case in offered if table is None or not _is_covered(table, *case)]


def _is_readable(table: Table) -> bool:
    try:
        rules(table)
    except Refusal:
        return False
    return True


def _is_covered(table: Table, method: str, scene: str, kind: str) -> bool:
    anybody: dict[str, Value] = {
        "category": (), "merchant": "", "segments": (), "clean_months": 0, "account_age_days": 0, "pd_ppm": 0,
    }  # fmt: skip
    hit = decide(table, {"method": method, "scene": scene, "seller_kind": kind, **anybody}).hit
    return hit is not None and hit.then["verdict"] != NOT_COVERED


def _tables(document: PolicyDocument) -> Iterator[str]:
    """One table of each key, no fewer and no more."""
    keys = [table.key for table in document.tables]
    yield from _twice("table", keys)
    yield from (f"table {key!r} is missing" for key in SCHEMAS if key not in keys)


def _twice(what: str, names: list[str]) -> list[str]:
    return [f"{what} {name!r} is there twice" for name in sorted({n for n in names if names.count(n) > 1})]


def _outside(where: str, what: str, values: Iterable[str], known: Collection[str]) -> list[str]:
    return [f"{where}: unknown {what} {value!r}" for value in values if value not in known]


def _range(where: str, least: int, most: int | None) -> list[str]:
    if least < 0 or (most is not None and not max(least, 1) <= most <= MAX_AMOUNT_MINOR):
        return [f"{where}: the amounts {least} … {most} make no sense"]
    return []


def _method(row: MethodRow) -> Iterator[str]:
    where = f"method {row.method}"
    yield from _outside(where, "method", [row.method], METHODS)
    yield from _outside(where, "scene", [*row.offered_in, *row.integrated_in], SCENES)
    yield from _outside(where, "delivery", row.deliveries_excluded, _DELIVERIES)
    yield from _twice(f"{where}: cap", [f"{cap.window}/{cap.scene or ANY}" for cap in row.caps])
    for cap in row.caps:
        yield from _outside(where, "window", [cap.window], _WINDOWS)
        yield from _outside(where, "scene", [cap.scene] if cap.scene else [], SCENES)
        yield from _range(f"{where}: cap", 0, cap.cap_minor)
    for amount in (row.single_cap_minor, row.step_up_from_minor):
        yield from _range(where, 0, amount)
    if row.suspended_until_at is not None and not row.suspended:
        yield f"{where}: not suspended, yet until {row.suspended_until_at.isoformat()}"


def _goods(table: Table, document: PolicyDocument) -> Iterator[str]:
    """Rows about methods and plans that the document has, with amounts that make sense together."""
    for row in table.rows:
        try:
            found = rule(row, GOODS)
        except Refusal:
            continue
        where, then = f"goods {row.rule_id}", found.hit.then
        named = found.tests.get("method")
        by = [m.method for m in document.methods if named is None or _passes(named, m.method)]
        if isinstance(named, OneOf) and not named.negated:
            yield from _outside(where, "method", map(str, named.values), by)
        least, most, terms = then["min_minor"], then["max_minor"], then["terms"]
        assert isinstance(least, int) and (most is None or isinstance(most, int)), "outputs are typed"
        yield from _range(where, least, most)
        counts = {1, *(plan.instalments for plan in document.plans if plan.method in by)}
        for count in terms if isinstance(terms, tuple) else ():
            if count not in counts:
                yield f"{where}: no plan has {count} instalments"


def _plan(row: PlanRow, document: PolicyDocument) -> Iterator[str]:
    where = f"plan {row.method}/{row.plan}"
    yield from _outside(where, "method", [row.method], [method.method for method in document.methods])
    yield from _outside(where, "scene", row.scenes, SCENES)
    yield from _range(where, row.min_minor, row.max_minor)
    if not 1 <= row.instalments <= _INSTALMENTS_MAX or not 0 <= row.fee_rate_ppm <= _FEE_MAX_PPM:
        yield f"{where}: {row.instalments} instalments at {row.fee_rate_ppm} ppm"
    if not 0 <= row.fee_total_ppm <= _FEE_TOTAL_MAX_PPM or (row.fee_total_ppm and row.fee_rate_ppm):
        yield f"{where}: a fee of {row.fee_total_ppm} ppm in all beside {row.fee_rate_ppm} ppm a period"


def _interest_free(row: InterestFreeRow, document: PolicyDocument, categories: Collection[str]) -> Iterator[str]:
    where = f"interest free {row.campaign}"
    yield from _outside(where, "plan", row.plans, {plan.plan for plan in document.plans})
    yield from _outside(where, "category", row.categories, categories)
    yield from _outside(where, "sponsor", [row.sponsor], ("merchant", "platform"))
    if (row.sponsor == "merchant") != (row.merchant_id is not None):
        yield f"{where}: a merchant is named exactly when it pays"
    if row.until_at <= row.from_at:
        yield f"{where}: it ends before it begins"
    if (row.budget_minor or 0) < 0 or (row.uses_per_consumer is not None and row.uses_per_consumer < 1):
        yield f"{where}: budget and uses can't be negative"


def _numbers(document: PolicyDocument) -> Iterator[str]:
    numbers = document.numbers
    if not 0 < numbers.apr_cap_ppm <= _APR_CAP_MAX_PPM:
        yield f"numbers: a cost cap of {numbers.apr_cap_ppm} ppm"
    if numbers.age_min < 18 or (numbers.age_max is not None and numbers.age_max < numbers.age_min):
        yield f"numbers: ages {numbers.age_min} … {numbers.age_max}"
    if numbers.loans_cap < 1 or numbers.cooling_off_days < 0 or not 0 <= numbers.min_payment_ppm <= 1_000_000:
        yield "numbers: loans, days or minimum payment make no sense"
