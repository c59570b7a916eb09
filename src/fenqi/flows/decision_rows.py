"""A stored decision as rows of a table: one for each method and plan that it judged, with what policy was asked. Pure.

The columns of the daily export: policy's inputs by their own names, what spoke against the method whatever policy
says, what policy said, and what became of the order. Nothing personal: ids, amounts and codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import polars as pl
from msgspec.structs import replace

from fenqi import cashier
from fenqi.cashier import Facts, Offer, StoredDecision
from fenqi.cashier.case import View
from fenqi.cashier.evaluate import reasons_of
from fenqi.flows.basis import TenderVerdict, covered
from fenqi.flows.policy_inputs import category_path, transaction_inputs
from fenqi.flows.transaction_risk import ANCHORS, lifted_ms
from fenqi.kernel.reason import Reason
from fenqi.policy.schema import CURES, TRANSACTION

TEXT, TEXTS = pl.String(), pl.List(pl.String())
_KINDS: dict[str, Any] = {"text": TEXT, "codes": TEXTS, "number": pl.Int64(), "flag": pl.Boolean()}
INPUTS: dict[str, Any] = {field.name: _KINDS[field.kind] for field in TRANSACTION.inputs}
"""The inputs of the table that asks most, which are those of all tables about a purchase."""
LINE: dict[str, Any] = {
    "category": TEXTS, "seller_kind": TEXT, "merchant": TEXT, "merchant_id": TEXT, "amount_minor": pl.Int64(),
    "is_gift": pl.Boolean(), "is_cross_border": pl.Boolean(), "is_subscription": pl.Boolean(),
    "is_trade_in": pl.Boolean(),
}  # fmt: skip
"""A line of the order, as the goods table is asked about it."""
USED: dict[str, Any] = {"programme": TEXT, "used_minor": pl.Int64()}
COLUMNS: dict[str, Any] = {
    "decision_id": TEXT,
    "order_id": TEXT,
    "consumer_id": TEXT,
    "at": pl.Datetime("us", "UTC"),
    "day_on": pl.Date(),
    "policy_version": TEXT,
    "kind": TEXT,
    "is_head": pl.Boolean(),
    "plan": TEXT,
    "instalments": pl.Int64(),
    "pays_minor": pl.Int64(),
    "covered_by": TEXT,
    "payable_minor": pl.Int64(),
    **INPUTS,
    "lines": pl.List(pl.Struct(LINE)),
    "is_enterprise": pl.Boolean(),
    "is_presale_deposit": pl.Boolean(),
    "now_ms": pl.Int64(),
    "is_asked": pl.Boolean(),
    "lifted": TEXTS,
    **dict.fromkeys(sorted(set(ANCHORS.values())), pl.Int64()),
    "exposure_used": pl.List(pl.Struct(USED)),
    "other_reasons": TEXTS,
    "policy_reasons": TEXTS,
    "available": pl.Boolean(),
    "is_last": pl.Boolean(),
    "outcome": TEXT,
    "paid_method": TEXT,
    "paid_plan": TEXT,
    "on_credit_minor": pl.Int64(),
    "facts": pl.Binary(),
}
"""Every column with its type. `is_head`: the first row of a decision on a method; the other plans stand next to it.
`pays_minor`: what this method would pay, and
`covered_by` the method of another tender beside it. `is_last`: nothing later of that day judged the
same method and plan for the order. `outcome`: paid | refused (a press was) | left | open. `facts`: as they are stored,
in the first row of a decision only. `is_asked`: signals were gathered, so the transaction table is asked. `lifted`: the
cures that have been done and count at `now_ms`; the signals that follow are what a wait is counted from."""

_OFFERS = msgspec.json.Decoder(tuple[Offer, ...])
_TENDERS = msgspec.json.Decoder(tuple[TenderVerdict, ...])
Row = dict[str, Any]


class Judged(NamedTuple):
    """What a decision said of one method and plan."""

    method: str
    plan: str | None
    pays_minor: int
    reasons: tuple[Reason, ...]
    covered_minor: int = 0
    covered_by: str = ""


class Ended(NamedTuple):
    """What became of an order: how it was paid, if it was, and whether a press was refused."""

    order_id: UUID
    method: str | None = None
    plan: str | None = None
    on_credit_minor: int = 0
    was_refused: bool = False


def judged_of(stored: StoredDecision, facts: Facts) -> list[Judged]:
    """What the decision judged, in its order."""
    if stored.kind == "offers":
        return [Judged(one.method, one.plan, one.amount_minor, one.reasons) for one in _OFFERS.decode(stored.verdict)]
    payable_minor = facts.order.payable_minor
    return [
        Judged(
            one.verdict.method, one.verdict.plan, payable_minor - one.covered_minor, one.verdict.reasons,
            one.covered_minor, one.covered_by,
        )
        for one in _TENDERS.decode(stored.verdict)
    ]  # fmt: skip


def without_tables(facts: Facts) -> Facts:
    """The facts if policy's tables had nothing against anything: what still speaks against a method is not theirs."""
    return replace(
        facts,
        rules=tuple(
            replace(rule, matched=True, verdict="allow", min_minor=0, max_minor=None, terms=None, excluded=())
            for rule in facts.rules
        ),
        methods=tuple(
            replace(method, exposure=(), down_payment_ppm=0, most_instalments=None) for method in facts.methods
        ),
        risk=replace(facts.risk, findings=()),
    )


def rows_of(stored: StoredDecision, ended: Ended, now_ms: int) -> Iterator[Row]:
    """The decision's rows; `is_last` is left to who sees all decisions of the order."""
    facts = cashier.decode_facts(stored.facts)
    plans = {(plan.method, plan.plan): plan.instalments for plan in facts.plans}
    bare, order = without_tables(facts), facts.order
    common = {
        "decision_id": str(stored.decision_id),
        "order_id": str(ended.order_id),
        "consumer_id": str(stored.consumer_id),
        "at": stored.decided_at,
        "day_on": facts.today_on,
        "policy_version": stored.policy_version,
        "kind": stored.kind,
        "payable_minor": order.payable_minor,
        "lines": [_line(facts, place) for place in range(len(facts.lines))],
        "is_enterprise": order.buyer_kind == "enterprise",
        "is_presale_deposit": order.presale_stage == "deposit",
        **_signalled(facts),
        "outcome": _outcome(ended, order.pay_by_ms, now_ms),
        "paid_method": ended.method,
        "paid_plan": ended.plan,
        "on_credit_minor": ended.on_credit_minor,
    }
    raw: bytes | None = stored.facts
    views: dict[tuple[int, str], View] = {}
    before: str | None = None
    for one in sorted(judged_of(stored, facts), key=lambda each: each.method):
        beside = (one.covered_minor, one.covered_by)
        if beside not in views:
            views[beside] = View(covered(bare, *beside))
        others = reasons_of(views[beside], one.method, one.plan)
        yield common | _asked(facts, one.method) | {
            "is_head": one.method != before,
            "plan": one.plan,
            "instalments": plans.get((one.method, one.plan or ""), 1),
            "pays_minor": one.pays_minor,
            "covered_by": one.covered_by,
            "other_reasons": _codes(others),
            "policy_reasons": _codes(reason for reason in one.reasons if reason not in others),
            "available": not one.reasons,
            "is_last": True,
            "facts": raw,
        }  # fmt: skip
        raw, before = None, one.method


def _asked(facts: Facts, method: str) -> Row:
    """What the tables are asked about this method, by the names of their inputs."""
    asked = transaction_inputs(facts, method)
    return {name: list(value) if isinstance(value := asked.get(name), tuple) else value for name in INPUTS}


def _signalled(facts: Facts) -> Row:
    """What the risk tables look at beside their inputs."""
    signals = dict(facts.risk.signals)
    used = {each.programme: each.used_minor for method in facts.methods for each in method.exposure}
    return {
        "now_ms": facts.now_ms,
        "is_asked": bool(signals),
        "lifted": [cure for cure in CURES if lifted_ms(facts, signals, cure) > facts.now_ms],
        **{name: signals.get(name) for name in ANCHORS.values()},
        "exposure_used": [{"programme": name, "used_minor": minor} for name, minor in used.items()],
    }


def _line(facts: Facts, place: int) -> Row:
    line = facts.lines[place]
    seller = next(each for each in facts.sellers if each.merchant_id == line.merchant_id)
    return {
        "category": list(category_path(line)),
        "seller_kind": seller.kind,
        "merchant": seller.code,
        "merchant_id": line.merchant_id,
        "amount_minor": line.amount_minor,
        "is_gift": line.is_gift,
        "is_cross_border": line.is_cross_border,
        "is_subscription": line.is_subscription,
        "is_trade_in": line.is_trade_in_subsidised,
    }


def _codes(reasons: Iterable[Reason]) -> list[str]:
    return list(dict.fromkeys(reason.code for reason in reasons))


def _outcome(ended: Ended, pay_by_ms: int, now_ms: int) -> str:
    if ended.method is not None:
        return "paid"
    if now_ms < pay_by_ms:
        return "open"
    return "refused" if ended.was_refused else "left"


def mark_last(rows: list[Row]) -> None:
    """Leave `is_last` to the latest row of each order, method and plan; `rows` in the order in which they were
    decided."""
    seen: set[tuple[str, str, str | None]] = set()
    for row in reversed(rows):
        key = (row["order_id"], row["method"], row["plan"])
        row["is_last"] = key not in seen
        seen.add(key)


def frame_of(rows: Iterable[Row]) -> pl.DataFrame:
    """The rows as a typed frame."""
    return pl.DataFrame(list(rows), schema=COLUMNS, orient="row")
