"""Plans of refunds across tenders, worked out by hand, and their laws over random purchases, repayments and refunds."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.credit.conftest import LATER, OPENED_AT, THREE, TWELVE

from fenqi.credit.agreed import encode_draws
from fenqi.credit.default_policy import PRODUCT
from fenqi.credit.loan import new_loan
from fenqi.credit.model import GENERAL_PATH, TEMPORARY_PATH, Happened, Loan
from fenqi.credit.position import Position, position
from fenqi.credit.product import LoanPlan, RefundRules
from fenqi.credit.refund_plan import Purchase, Refunded, RefundPlan, plan_refund, purchase_of
from fenqi.credit.repayment_plan import PayAmount, charges_of, plan_repayment
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.ledger.chart import MONEY_ACCOUNT, REFUND_PAYABLE
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.cancellation import cancellation
from fenqi.ledger.postings.channel_refund import channel_refund
from fenqi.ledger.postings.parts import Draw, Receipt, Share, total
from fenqi.ledger.postings.purchase import purchase
from fenqi.ledger.postings.refund import refund
from fenqi.ledger.postings.repayment import repayment

BUYER, SHOP, OTHER = UUID(int=5 << 64 | 5), UUID(int=7 << 64 | 7), UUID(int=8 << 64 | 8)
ALIPAY, CARD = UUID(int=9 << 64 | 9), UUID(int=10 << 64 | 10)
BOUGHT_ON = date(2026, 3, 10)


class Life:
    """A purchase, its loan and its refunds, as the room and the ledger keep them, without either."""

    def __init__(self, entries: tuple[Entry, ...], plan: LoanPlan = TWELVE) -> None:
        self.purchase = purchase_of(new_id(), new_id(), entries)
        self.entries = list(entries)
        self.earlier = Refunded()
        self.happened: list[Happened] = []
        self.on = BOUGHT_ON
        self.loan = self._lend(plan) if self.purchase.draws else None

    def _lend(self, plan: LoanPlan) -> Loan:
        bought = self.purchase
        return new_loan(
            BUYER, new_id(), bought.order_id, new_id(), bought.journal_id, plan, bought.draws, BOUGHT_ON, OPENED_AT,
            PRODUCT,
        )  # fmt: skip

    @property
    def position(self) -> Position | None:
        if self.loan is None:
            return None
        return position(msgspec.structs.replace(self.loan, events=len(self.happened)), self.happened, self.on)

    def refund(self, amount_minor: int | None, rules: RefundRules, by: dict[UUID, int] | None = None) -> RefundPlan:
        """Carry a refund out, and have every channel give its part back."""
        planned = plan_refund(self.purchase, self.earlier, self.position, amount_minor, self.on, by, rules)
        self.entries += _booked(self.purchase, planned)
        for one in planned.to_channels:
            self.entries += channel_refund(one)
        if planned.event is not None:
            self._keep(planned.event, planned.to_limits)
        self.earlier = _with(self.earlier, planned)
        return planned

    def repay(self, amount_minor: int) -> None:
        """Pay this much of the loan."""
        assert self.position is not None
        (part,) = plan_repayment([self.position], PayAmount(amount_minor), self.on).parts
        charges = charges_of([part.paid])
        self.entries += repayment(part.returned, charges, recognised=charges)
        self._keep(part.event, part.returned)

    def _keep(self, event: object, returned: tuple[Draw, ...]) -> None:
        number = UUID(int=len(self.happened) + 1)
        text = msgspec.json.encode(msgspec.structs.replace(event, event_id=number)).decode()
        self.happened.append(Happened(text, encode_draws(returned)))

    def balances(self) -> dict[tuple[str, str], int]:
        sums: Counter[tuple[str, str]] = Counter()
        for one in self.entries:
            sums[one.book, one.path] += one.amount_minor
        return {key: amount for key, amount in sums.items() if amount}

    def assert_books_balance(self) -> None:
        books: Counter[str] = Counter()
        for one in self.entries:
            books[one.book] += one.amount_minor
        assert set(books.values()) == {0}


def _booked(bought: Purchase, planned: RefundPlan) -> tuple[Entry, ...]:
    if planned.kind == "cancellation":
        return cancellation(bought.entries)
    return refund(
        planned.shares, planned.to_limits, planned.to_money_account_minor, subsidies=planned.subsidies,
        channels=planned.to_channels,
    )  # fmt: skip


def _with(earlier: Refunded, planned: RefundPlan) -> Refunded:
    merchants, passages, subsidies = (
        Counter(earlier.by_merchant),
        Counter(earlier.by_passage),
        Counter(earlier.subsidies),
    )
    merchants.update({one.merchant_id: one.amount_minor for one in planned.shares})
    passages.update({one.passage_id: one.amount_minor for one in planned.to_channels})
    subsidies.update({one.merchant_id: one.amount_minor for one in planned.subsidies})
    return Refunded(merchants, earlier.on_credit_minor + planned.on_credit_minor, passages, subsidies)


def three_tenders() -> Life:
    """¥1,200 on credit in 12, ¥600 with Alipay, ¥200 of money."""
    draws, alipay = [Draw(GENERAL_PATH, 120_000)], Receipt("alipay", ALIPAY, 60_000)
    return Life(purchase([Share(SHOP, 200_000)], draws, 20_000, channels=[alipay]))


def where(planned: RefundPlan) -> tuple[int, int, int]:
    """What went to limits, through channels and to the money account."""
    return total(planned.to_limits), total(planned.to_channels), planned.to_money_account_minor


@pytest.mark.parametrize(
    ("order", "first", "second"),
    [
        ("proportional", (60_000, 30_000, 10_000), (60_000, 30_000, 10_000)),
        ("credit_first", (100_000, 0, 0), (20_000, 60_000, 20_000)),
        ("channel_first", (40_000, 60_000, 0), (80_000, 0, 20_000)),
    ],
)
def test_half_and_half_of_an_unpaid_purchase(
    order: Literal["proportional", "credit_first", "channel_first"],
    first: tuple[int, int, int],
    second: tuple[int, int, int],
) -> None:
    life = three_tenders()
    assert where(life.refund(100_000, RefundRules(order))) == first
    assert where(life.refund(None, RefundRules(order))) == second
    assert life.balances() == {}


def test_the_fee_of_the_part_taken_back_is_let_off() -> None:
    """¥7.20 a month: half the principal goes from the last six instalments, whose ¥43.20 are not asked for."""
    life = three_tenders()
    assert life.refund(100_000, RefundRules()).let_off_fee_minor == 6 * 720


def test_what_was_repaid_comes_back_in_money_and_paid_fees_stay() -> None:
    """Two instalments of ¥100 and ¥7.20 paid; all comes back: ¥1,000 off the loan, ¥600 by Alipay, ¥400 in money."""
    life = three_tenders()
    for month in (4, 5):
        life.on = date(2026, month, 10)
        life.repay(10_720)
    planned = life.refund(None, RefundRules())
    assert (planned.kind, where(planned)) == ("refund", (100_000, 60_000, 40_000))
    assert life.balances()[("lender", "income:instalment_fee")] == -1_440
    assert life.balances()[("payment_company", MONEY_ACCOUNT)] == 1_440


def test_a_fully_repaid_purchase_comes_back_in_money_and_through_the_channel() -> None:
    life = Life(
        purchase([Share(SHOP, 50_000)], [Draw(GENERAL_PATH, 30_000)], channels=[Receipt("bank_card", CARD, 20_000)]),
        LATER,
    )
    life.on += timedelta(days=3)
    life.repay(30_000)
    planned = life.refund(10_000, RefundRules("credit_first"))
    assert (where(planned), planned.on_credit_minor) == ((0, 0, 10_000), 10_000)
    assert where(life.refund(None, RefundRules("credit_first"))) == (0, 20_000, 20_000)


def test_an_untouched_purchase_is_cancelled_and_the_channel_owes_its_part_back() -> None:
    life = three_tenders()
    planned = plan_refund(life.purchase, life.earlier, life.position, None, life.on)
    assert (planned.kind, where(planned)) == ("cancellation", (120_000, 60_000, 20_000))
    assert planned.to_channels == (Receipt("alipay", ALIPAY, 60_000),)
    booked = _booked(life.purchase, planned)
    owed = [(one.path, one.amount_minor, one.party_id) for one in booked if one.party_id == ALIPAY]
    assert owed == [(REFUND_PAYABLE, -60_000, ALIPAY)]


def test_two_tenders_of_one_passage_are_one_receipt() -> None:
    card = [Receipt("bank_card", CARD, 3_000), Receipt("bank_card", CARD, 2_000)]
    life = Life(purchase([Share(SHOP, 5_000)], channels=card))
    assert life.purchase.receipts == (Receipt("bank_card", CARD, 5_000),)


def test_subsidies_follow_the_credit_and_go_back_to_who_paid_them() -> None:
    """¥600 of ¥1,000 on credit, ¥27 of subsidy from two shops. Credit first: the first ¥500 take back 5/6 of it."""
    entries = purchase(
        [Share(SHOP, 60_000), Share(OTHER, 40_000)], [Draw(GENERAL_PATH, 60_000)], 0,
        [Share(SHOP, 1_620), Share(OTHER, 1_080)], [Receipt("alipay", ALIPAY, 40_000)],
    )  # fmt: skip
    life = Life(entries, LoanPlan("instalment_12", 12, 6_000, subsidised=True))
    first = life.refund(50_000, RefundRules("credit_first"), {SHOP: 50_000})
    assert first.subsidies == (Share(SHOP, 1_620), Share(OTHER, 630))
    rest = life.refund(None, RefundRules("credit_first"))
    assert rest.subsidies == (Share(OTHER, 450),)
    assert life.balances() == {}


def test_no_more_comes_back_than_is_left() -> None:
    life = three_tenders()
    life.refund(150_000, RefundRules())
    with pytest.raises(Refusal, match="REFUND_TOO_LARGE"):
        life.refund(50_001, RefundRules())


parts = st.integers(1, 50_000)
lives = st.tuples(
    st.lists(parts, max_size=2), parts | st.just(0), st.lists(parts, max_size=2),
    st.sampled_from([LATER, THREE, TWELVE]), st.integers(0, 900),
).filter(lambda life: any(life[0]) or life[1] or any(life[2]))  # fmt: skip
orders = st.sampled_from(["proportional", "credit_first", "channel_first"])


@settings(max_examples=300, deadline=None)
@given(lives, orders, st.integers(0, 1 << 32).map(Random))
def test_random_lives(
    bought: tuple[list[int], int, list[int], LoanPlan, int],
    order: Literal["proportional", "credit_first", "channel_first"],
    chance: Random,
) -> None:
    """Each tender gets back what it paid, at no time more; limits come back once; books balance at every step."""
    on_limits, money, at_channels, plan, subsidy = bought
    draws = [Draw(path, one) for path, one in zip((TEMPORARY_PATH, GENERAL_PATH), on_limits, strict=False)]
    receipts = [
        Receipt(name, passage, one)
        for (name, passage), one in zip((("alipay", ALIPAY), ("bank_card", CARD)), at_channels, strict=False)
    ]
    whole = total(draws) + money + total(receipts)
    subsidies = [Share(SHOP, subsidy)] if subsidy and draws else []
    life = Life(purchase([Share(SHOP, whole)], draws, money, subsidies, receipts), plan)
    steps = chance.randint(1, 10)
    while (left := whole - life.earlier.amount_minor) > 0:
        steps -= 1
        life.on += timedelta(days=chance.randint(0, 40))
        owed = 0 if life.position is None else life.position.settle.total_minor
        if owed and steps > 0 and chance.random() < 0.4:
            life.repay(chance.randint(1, owed))
            continue
        amount = left if steps <= 0 or chance.random() < 0.1 else chance.randint(1, left)
        planned = life.refund(amount, RefundRules(order))
        assert sum(where(planned)) == planned.amount_minor == amount
        _assert_within(life)
    _assert_all_back(life)


def _assert_within(life: Life) -> None:
    life.assert_books_balance()
    bought, earlier = life.purchase, life.earlier
    assert earlier.on_credit_minor <= bought.on_credit_minor and 0 <= earlier.money_minor <= bought.money_minor
    for one in bought.receipts:
        assert earlier.by_passage.get(one.passage_id, 0) <= one.amount_minor
    balances = life.balances()
    for draw in bought.draws:
        assert 0 <= balances.get(("lender", draw.path), 0) <= draw.amount_minor
    assert ("payment_company", REFUND_PAYABLE) not in balances


def _assert_all_back(life: Life) -> None:
    """What is left on the books is the fees that the buyer paid: the lender's income, out of the buyer's money."""
    balances = life.balances()
    fees = -balances.get(("lender", "income:instalment_fee"), 0)
    assert balances.get(("payment_company", MONEY_ACCOUNT), 0) == fees
    assert {path for _, path in balances if not path.startswith("clearing:")} <= {
        "income:instalment_fee", MONEY_ACCOUNT,
    }  # fmt: skip
    assert not any(path.startswith(("clearing:channel", "clearing:merchant")) for _, path in balances)
