"""What a refund would do: how much goes back to limits, through channels and to the money account, and who gives it.

Pure. A purchase is read off its journal: what paid it (limits, channels, money) gets back its part, by the product's
rules, and shares are taken of the sum refunded so far, so parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from fenqi.credit.fold import LoanState
from fenqi.credit.loan_event import Cancellation, Refund
from fenqi.credit.position import Position, after, give_back
from fenqi.credit.product import RefundRules
from fenqi.credit.refund_split import Tender, TenderParts, share_within, split_refund
from fenqi.credit.repayment_plan import LAST
from fenqi.kernel.money import check_amount_minor, share_minor
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.ledger import Entry
from fenqi.ledger.chart import CLEARING_CHANNEL, CLEARING_MERCHANT, LOAN_PRINCIPAL, MONEY_ACCOUNT, is_channel
from fenqi.ledger.postings.parts import Draw, Receipt, Share, total

_RULES = RefundRules()


class Purchase(msgspec.Struct, frozen=True):
    """What a purchase's journal says: which merchants got how much, and what paid it."""

    journal_id: UUID
    order_id: UUID
    shares: tuple[Share, ...]
    draws: tuple[Draw, ...]
    money_minor: int
    subsidies: tuple[Share, ...]
    entries: tuple[Entry, ...]
    receipts: tuple[Receipt, ...] = ()
    """What channels took, one for each passage."""

    @property
    def amount_minor(self) -> int:
        """What the buyer owed for it."""
        return total(self.shares)

    @property
    def on_credit_minor(self) -> int:
        """The part that was drawn on limits."""
        return total(self.draws)


class Refunded(msgspec.Struct, frozen=True):
    """What earlier refunds of a purchase come to: by merchant who gave, by tender that got back, and of subsidies.

    What went neither to the credit's part nor through a passage was the money account's.
    """

    by_merchant: Mapping[UUID, int] = {}
    on_credit_minor: int = 0
    by_passage: Mapping[UUID, int] = {}
    subsidies: Mapping[UUID, int] = {}

    @property
    def amount_minor(self) -> int:
        return sum(self.by_merchant.values())

    @property
    def money_minor(self) -> int:
        """The money account's own part."""
        return self.amount_minor - self.on_credit_minor - sum(self.by_passage.values())


class RefundPlan(msgspec.Struct, frozen=True):
    """What a refund does. `on_credit_minor` is the credit's part of the amount; what a loan no longer owes of it, being
    repaid, comes back to where repayments come from: the money account."""

    kind: str
    """refund | cancellation"""
    amount_minor: int
    shares: tuple[Share, ...]
    on_credit_minor: int
    to_limits: tuple[Draw, ...]
    to_money_account_minor: int
    to_channels: tuple[Receipt, ...]
    """What is owed back through which passage from now on."""
    subsidies: tuple[Share, ...]
    event: Refund | Cancellation | None
    state: LoanState | None

    @property
    def let_off_fee_minor(self) -> int:
        """Fees and interest that are not asked for any more."""
        if self.state is None:
            return 0
        let_off = self.state.effects[-1].let_off
        return let_off.total_minor - let_off.principal_minor


def purchase_of(journal_id: UUID, order_id: UUID, entries: Sequence[Entry]) -> Purchase:
    """The purchase that a journal of kind `purchase` booked."""
    merchants = [entry for entry in entries if entry.path == CLEARING_MERCHANT and entry.party_id is not None]
    return Purchase(
        journal_id,
        order_id,
        tuple(Share(one.party_id, -one.amount_minor) for one in merchants if one.party_id and one.amount_minor < 0),
        tuple(Draw(one.path, one.amount_minor) for one in entries if one.path.startswith(f"{LOAN_PRINCIPAL}:")),
        sum(one.amount_minor for one in entries if one.path == MONEY_ACCOUNT),
        tuple(Share(one.party_id, one.amount_minor) for one in merchants if one.party_id and one.amount_minor > 0),
        tuple(entries),
        _receipts(entries),
    )


def _receipts(entries: Sequence[Entry]) -> tuple[Receipt, ...]:
    sums: dict[tuple[str, UUID], int] = {}
    for one in entries:
        if is_channel(one.path) and one.party_id is not None:
            key = (one.path.removeprefix(f"{CLEARING_CHANNEL}:"), one.party_id)
            sums[key] = sums.get(key, 0) + one.amount_minor
    return tuple(Receipt(channel, passage_id, amount) for (channel, passage_id), amount in sums.items())


def plan_refund(
    purchase: Purchase,
    earlier: Refunded,
    loan: Position | None,
    amount_minor: int | None,
    on: date,
    by_merchant: Mapping[UUID, int] | None = None,
    rules: RefundRules = _RULES,
) -> RefundPlan:
    """The plan of refunding `amount_minor` (None: all that is left) of a purchase, whose loan stands as `loan` says.

    `by_merchant` says who gives how much (their goods came back); without it, in proportion. `rules` say which tender
    gets back what. Undoing a whole purchase of which nothing was repaid or refunded is a cancellation: it books the
    purchase the other way, what channels took as owed back.
    Refuses AMOUNT_INVALID, and REFUND_TOO_LARGE beyond what a merchant got and has not given back.
    """
    left_minor = purchase.amount_minor - earlier.amount_minor
    amount = left_minor if amount_minor is None else amount_minor
    if amount_minor is None and left_minor == 0:
        raise Conflict("REFUND_TOO_LARGE", "all of it has been refunded", left_minor=0)
    check_amount_minor(amount)
    if amount > left_minor:
        raise Refusal("REFUND_TOO_LARGE", "that is more than is left to refund", left_minor=left_minor)
    shares = _shares(purchase, earlier, amount, by_merchant)
    if amount == purchase.amount_minor and _is_untouched(loan):
        return _cancellation(purchase, loan, shares, on)
    return _refund(purchase, earlier, loan, shares, on, rules)


def _cancellation(purchase: Purchase, loan: Position | None, shares: tuple[Share, ...], on: date) -> RefundPlan:
    event = None if loan is None else Cancellation(event_id=LAST, on=on)
    return RefundPlan(
        "cancellation",
        purchase.amount_minor,
        shares,
        purchase.on_credit_minor,
        purchase.draws,
        purchase.money_minor,
        purchase.receipts,
        purchase.subsidies,
        event,
        None if loan is None or event is None else after(loan, event),
    )


def _refund(
    purchase: Purchase,
    earlier: Refunded,
    loan: Position | None,
    shares: tuple[Share, ...],
    on: date,
    rules: RefundRules,
) -> RefundPlan:
    amount = total(shares)
    parts = _tender_parts(purchase, earlier, amount, rules)
    on_credit = parts.credit_minor
    event = Refund(event_id=LAST, on=on, amount_minor=on_credit) if loan is not None and on_credit else None
    state = None if loan is None or event is None else _state(loan, event)
    principal = 0 if state is None else state.effects[-1].let_off.principal_minor
    return RefundPlan(
        "refund",
        amount,
        shares,
        on_credit,
        () if loan is None else give_back(loan.remaining, principal),
        parts.money_minor + on_credit - principal,
        tuple(
            Receipt(one.channel, one.passage_id, part)
            for one, part in zip(purchase.receipts, parts.channels_minor, strict=True)
            if part
        ),
        _subsidies(purchase, earlier, on_credit, shares),
        event,
        state,
    )


def _tender_parts(purchase: Purchase, earlier: Refunded, amount_minor: int, rules: RefundRules) -> TenderParts:
    return split_refund(
        amount_minor,
        Tender(purchase.on_credit_minor, earlier.on_credit_minor),
        [Tender(one.amount_minor, earlier.by_passage.get(one.passage_id, 0)) for one in purchase.receipts],
        Tender(purchase.money_minor, earlier.money_minor),
        rules,
    )


def _subsidies(
    purchase: Purchase, earlier: Refunded, on_credit_minor: int, shares: Sequence[Share]
) -> tuple[Share, ...]:
    """What merchants get back of the subsidies they paid: as large a part as comes back of the credit.

    It goes to those whose goods came back, but to nobody more than it paid.
    """
    if not purchase.subsidies:
        return ()
    subsidy, credit, before = total(purchase.subsidies), purchase.on_credit_minor, earlier.on_credit_minor
    back = subsidy * (before + on_credit_minor) // credit - subsidy * before // credit
    given = {share.merchant_id: share.amount_minor for share in shares}
    weights = [given.get(one.merchant_id, 0) for one in purchase.subsidies]
    rooms = [one.amount_minor - earlier.subsidies.get(one.merchant_id, 0) for one in purchase.subsidies]
    parts = share_within(back, weights, rooms)
    return tuple(Share(one.merchant_id, part) for one, part in zip(purchase.subsidies, parts, strict=True) if part)


def _state(loan: Position, event: Refund) -> LoanState:
    if loan.events and event.on < loan.events[-1].on:
        raise Conflict("EVENT_TOO_EARLY", "something later has happened to the loan already")
    state = after(loan, event)
    assert state.effects[-1].event_id == LAST, "the event that has not happened yet comes last"
    return state


def _is_untouched(loan: Position | None) -> bool:
    """Whether nothing has happened to the loan (a purchase without one has nothing that could)."""
    return loan is None or not loan.events


def _shares(
    purchase: Purchase, earlier: Refunded, amount_minor: int, by_merchant: Mapping[UUID, int] | None
) -> tuple[Share, ...]:
    left = {one.merchant_id: one.amount_minor - earlier.by_merchant.get(one.merchant_id, 0) for one in purchase.shares}
    wanted = (
        by_merchant
        if by_merchant is not None
        else dict(zip(left, share_minor(amount_minor, list(left.values())), strict=True))
    )
    if sum(wanted.values()) != amount_minor:
        raise Refusal("AMOUNT_INVALID", "the merchants' parts are not the amount")
    for merchant_id, part in wanted.items():
        if part < 0 or part > left.get(merchant_id, 0):
            raise Refusal("REFUND_TOO_LARGE", "a merchant can't give back more than it got", merchant=str(merchant_id))
    return tuple(Share(merchant_id, part) for merchant_id, part in wanted.items() if part)
