"""The lint of a policy document: a row that could never match or says something impossible is refused, not ignored.

Pure. `faults` must be empty before a version may be published; `gaps` are cases that no row covers, shown to the
checker, since such a payment is refused with POLICY_MISSING and an alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fenqi.kernel.money import MAX_AMOUNT_MINOR
from fenqi.policy.model import (
    ANY,
    KINDS,
    METHODS,
    SCENES,
    SELLER_KINDS,
    VERDICTS,
    GoodsRow,
    InterestFreeRow,
    MethodRow,
    PlanRow,
    PolicyDocument,
)

_WINDOWS = ("single", "day", "month")
_DELIVERIES = ("express", "pick_up", "cash_on_delivery", "virtual")
_INSTALMENTS_MAX = 60
_FEE_MAX_PPM = 50_000
_FEE_TOTAL_MAX_PPM = 300_000
_APR_CAP_MAX_PPM = 360_000


def faults(document: PolicyDocument, categories: Collection[str]) -> list[str]:
    """Everything wrong with the document, each as one line naming its row; `categories` are the codes that exist."""
    return [
        *_twice("method", [row.method for row in document.methods]),
        *_twice("rule_id", [row.rule_id for row in document.goods]),
        *_twice("goods key", [_key(row) for row in document.goods]),
        *_twice("plan", [f"{row.method}/{row.plan}" for row in document.plans]),
        *_twice("campaign", [row.campaign for row in document.interest_free]),
        *(fault for row in document.methods for fault in _method(row)),
        *(fault for row in document.goods for fault in _goods(row, document, categories)),
        *(fault for row in document.plans for fault in _plan(row, document)),
        *(fault for row in document.interest_free for fault in _interest_free(row, document, categories)),
        *_exposure(document),
        *_numbers(document),
    ]


def gaps(document: PolicyDocument) -> list[tuple[str, str, str]]:
    """(method, scene, kind of seller) where the method is offered but goods without a row of their own have none."""
    covered = {
        (row.method, scene, kind)
        for row in document.goods
        if row.category == ANY
        for scene in _spread(row.scene, SCENES)
        for kind in _spread(row.seller_kind, SELLER_KINDS)
    }
    offered = (
        (row.method, scene, kind) for row in document.methods for scene in row.offered_in for kind in SELLER_KINDS
    )
    return [case for case in offered if case not in covered]


def _spread(value: str, whole: tuple[str, ...]) -> tuple[str, ...]:
    return whole if value == ANY else (value,)


def _key(row: GoodsRow) -> str:
    return f"{row.method}/{row.category}/{row.scene}/{row.seller_kind}"


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


def _goods(row: GoodsRow, document: PolicyDocument, categories: Collection[str]) -> Iterator[str]:
    where = f"goods {row.rule_id}"
    yield from _outside(where, "method", [row.method], [method.method for method in document.methods])
    yield from _outside(where, "category", [row.category], {ANY, *categories})
    yield from _outside(where, "scene", [row.scene], (ANY, *SCENES))
    yield from _outside(where, "seller kind", [row.seller_kind], (ANY, *SELLER_KINDS))
    yield from _outside(where, "verdict", [row.verdict], VERDICTS)
    yield from _outside(where, "kind", row.excluded, KINDS)
    yield from _range(where, row.min_minor, row.max_minor)
    counts = {1, *(plan.instalments for plan in document.plans if plan.method == row.method)}
    yield from (f"{where}: no plan has {count} instalments" for count in row.terms or () if count not in counts)
    if not row.rule_id:
        yield f"goods {_key(row)}: no rule_id"


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


def _exposure(document: PolicyDocument) -> Iterator[str]:
    for row in document.exposure:
        where = f"exposure {row.programme}"
        yield from _outside(where, "method", [row.method], [method.method for method in document.methods])
        yield from _outside(where, "scene", [row.scene] if row.scene else [], SCENES)
        if row.room_minor < 0:
            yield f"{where}: room can't be negative"


def _numbers(document: PolicyDocument) -> Iterator[str]:
    numbers = document.numbers
    if not 0 < numbers.apr_cap_ppm <= _APR_CAP_MAX_PPM:
        yield f"numbers: a cost cap of {numbers.apr_cap_ppm} ppm"
    if numbers.age_min < 18 or (numbers.age_max is not None and numbers.age_max < numbers.age_min):
        yield f"numbers: ages {numbers.age_min} … {numbers.age_max}"
    if numbers.loans_cap < 1 or numbers.cooling_off_days < 0 or not 0 <= numbers.min_payment_ppm <= 1_000_000:
        yield "numbers: loans, days or minimum payment make no sense"
