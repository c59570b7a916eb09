"""The terms of a payment: what its tenders draw and what its success will book, as data that any process can finish.

Pure. A payment at a channel keeps its terms in its attempt's row; one without a channel books them at once.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import msgspec

from fenqi import cashier
from fenqi.cashier import Facts, PlanFacts, Shortfall, Tender
from fenqi.credit import CreditProduct, Loan, LoanPlan, new_loan, plan_cost
from fenqi.flows.basis import covered
from fenqi.flows.facts import cap_path
from fenqi.kernel.ids import new_id
from fenqi.kernel.money import share_minor
from fenqi.ledger import Entry, Judged, Leg, legs_of
from fenqi.ledger.postings.parts import Draw, Receipt, Share
from fenqi.ledger.postings.purchase import purchase

CREDIT = "credit"
MONEY_ACCOUNT = "money_account"
INTERNAL = frozenset({CREDIT, MONEY_ACCOUNT})
"""Methods that the house executes itself, within the paying transaction."""


class Cap(msgspec.Struct, frozen=True, gc=False):
    """What a payment adds to an account that counts a method's spending, and that account's ceilings."""

    path: str
    amount_minor: int
    day_minor: int | None = None
    month_minor: int | None = None


class Terms(msgspec.Struct, frozen=True, gc=False):
    """Everything that is known of a payment before its money is there. Amounts in fen."""

    tenders: tuple[Tender, ...]
    shares: tuple[Share, ...]
    """What each merchant is owed."""
    draws: tuple[Draw, ...] = ()
    own_minor: int = 0
    """From the money account."""
    outside_minor: int = 0
    """From a channel."""
    subsidies: tuple[Share, ...] = ()
    loan_plan: LoanPlan | None = None
    caps: tuple[Cap, ...] = ()
    limit_versions: dict[str, int] = {}
    """The versions of the limits that the draws were judged by."""
    decided_ms: int = 0
    programmes: tuple[str, ...] = ()
    """The programmes of the whole book that the loan counts against."""

    def entries(self, channel: str = "", passage_id: UUID | None = None) -> tuple[Entry, ...]:
        """The purchase as it is booked; a part from outside names the channel and its passage."""
        assert (passage_id is not None) == (self.outside_minor > 0), "a channel's part has its passage"
        receipts = (Receipt(channel, passage_id, self.outside_minor),) if passage_id is not None else ()
        return purchase(self.shares, self.draws, self.own_minor, self.subsidies, receipts)

    def legs(self, entries: tuple[Entry, ...]) -> tuple[Leg, ...]:
        """What the journal uses of limits, balances and caps, with what it was judged by, in order of path."""
        judged = {path: Judged(version) for path, version in self.limit_versions.items()}
        caps = [Leg(cap.path, cap.amount_minor, cap.day_minor, cap.month_minor) for cap in self.caps]
        return tuple(sorted((*legs_of(entries, judged), *caps), key=lambda leg: leg.path))

    def loan(
        self, consumer_id: UUID, order_id: UUID, payment_id: UUID, journal_id: UUID, today_on: date, now: datetime,
        product: CreditProduct,
    ) -> Loan | None:  # fmt: skip
        """The loan that the draws make, if there are any."""
        if self.loan_plan is None:
            return None
        loan_id = new_id(int(now.timestamp() * 1000))
        subsidy_minor = sum(share.amount_minor for share in self.subsidies)
        return new_loan(
            consumer_id, loan_id, order_id, payment_id, journal_id, self.loan_plan, self.draws, today_on, now, product,
            subsidy_minor,
        )  # fmt: skip


def terms_of(facts: Facts, tenders: tuple[Tender, ...]) -> Terms:
    """The terms of tenders that the evaluation has found nothing against."""
    credit = next((t for t in tenders if t.method == CREDIT), None)
    plan = None if credit is None else plan_of(facts, credit)
    draws = () if credit is None else _draws(facts, credit, plan)
    shares = _merchant_shares(facts)
    loan_plan = None if plan is None else _loan_plan(plan)
    subsidy = 0 if loan_plan is None or credit is None else _subsidy(loan_plan, credit.amount_minor)
    versions = {limit.path: limit.version for limit in facts.credit.limits}
    return Terms(
        tenders,
        shares,
        draws,
        sum(t.amount_minor for t in tenders if t.method == MONEY_ACCOUNT),
        sum(t.amount_minor for t in tenders if t.method not in INTERNAL),
        _split(subsidy, shares),
        loan_plan,
        _caps(facts, tenders),
        {draw.path: versions[draw.path] for draw in draws},
        facts.now_ms,
        () if credit is None else _programmes(facts),
    )


def _programmes(facts: Facts) -> tuple[str, ...]:
    """What a loan for this order counts against; a cap that nobody could tell is no programme."""
    method = next(each for each in facts.methods if each.method == CREDIT)
    return tuple(each.programme for each in method.exposure if not each.programme.startswith("?"))


def plan_of(facts: Facts, tender: Tender) -> PlanFacts:
    """The plan of a tender."""
    return next(p for p in facts.plans if p.method == tender.method and p.plan == tender.plan)


def _draws(facts: Facts, credit: Tender, plan: PlanFacts | None) -> tuple[Draw, ...]:
    found = cashier.draw(covered(facts, facts.order.payable_minor - credit.amount_minor), credit.amount_minor, plan)
    assert not isinstance(found, Shortfall), "a tender without reasons fits its limits"
    return tuple(Draw(path, amount_minor) for path, amount_minor in found)


def _loan_plan(plan: PlanFacts) -> LoanPlan:
    return LoanPlan(plan.plan, plan.instalments, plan.fee_rate_ppm, subsidised=plan.interest_free_by is not None)


def _subsidy(plan: LoanPlan, amount_minor: int) -> int:
    return plan_cost(amount_minor, plan.instalments, plan.fee_rate_ppm, plan.subsidised).subsidy_minor


def _merchant_shares(facts: Facts) -> tuple[Share, ...]:
    sums: dict[str, int] = {}
    for line in facts.lines:
        sums[line.merchant_id] = sums.get(line.merchant_id, 0) + line.amount_minor
    return tuple(Share(UUID(merchant), amount) for merchant, amount in sums.items() if amount)


def _split(subsidy: int, shares: tuple[Share, ...]) -> tuple[Share, ...]:
    if not subsidy:
        return ()
    parts = share_minor(subsidy, [share.amount_minor for share in shares])
    return tuple(Share(share.merchant_id, part) for share, part in zip(shares, parts, strict=True) if part)


def _caps(facts: Facts, tenders: tuple[Tender, ...]) -> tuple[Cap, ...]:
    """A cap for each counting account of a tender's method, with the day's and the month's ceiling."""
    ceilings: dict[str, dict[str, int]] = {}
    amounts: dict[str, int] = {}
    methods = {m.method: m for m in facts.methods}
    for tender in tenders:
        for cap in methods[tender.method].caps:
            if cap.window in ("day", "month") and cap.scene in (None, facts.order.scene):
                path = cap_path(tender.method, cap.scene)
                ceilings.setdefault(path, {})[cap.window] = cap.cap_minor
                amounts[path] = tender.amount_minor
    return tuple(Cap(path, amounts[path], by.get("day"), by.get("month")) for path, by in ceilings.items())
