"""What stories of the credit room begin with: somebody whose line is active, with money in the money account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import pytest
from tests.opening import APPLICATION_POLICY

from fenqi.credit import activation, application, facts, loan, repayment
from fenqi.credit.decision import ApplicationInputs, BureauFile
from fenqi.credit.default_policy import PRODUCT
from fenqi.credit.model import GENERAL_PATH, Loan
from fenqi.credit.product import LoanPlan
from fenqi.database.pool import Database, Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of, new_id
from fenqi.ledger import PostingItem, legs_of, limits, post
from fenqi.ledger.limits import Change
from fenqi.ledger.model import Entry
from fenqi.ledger.postings.bank_in import bank_in
from fenqi.ledger.postings.parts import Draw, Receipt, Share, total
from fenqi.ledger.postings.purchase import purchase

T = TypeVar("T")
MONEY = "liability:money_account"
TWELVE = LoanPlan("instalment_12", 12, 6_000)
THREE = LoanPlan("instalment_3", 3, 5_000)
LATER = LoanPlan("pay_later", 1, 0)
MERCHANT = UUID(int=7 << 64 | 7)
OPENED_AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)


def good_inputs(**changes: Any) -> ApplicationInputs:
    """Somebody who is approved with ¥45,000: ¥15,000 a month, a clean file; changes make them somebody else."""
    fields: dict[str, Any] = {
        "real_name": "verified",
        "age": 30,
        "phone_reachable": True,
        "card_bound": True,
        "income_minor": 1_500_000,
        "income_verified": True,
        "employment_verified": True,
        "residence_verified": True,
        "bureau": BureauFile(lenders_count=1, months_on_file=60, monthly_obligation_minor=100_000),
    }
    return ApplicationInputs(**{**fields, **changes})


@dataclass
class Story:
    """A database, a clock that the test moves, and the verbs that stories of credit begin with."""

    database: Database
    run: Callable[..., Any]
    at: datetime = OPENED_AT
    consumers: list[UUID] = field(default_factory=list)

    @property
    def today_on(self) -> date:
        return business_date(self.at)

    def by(self, why: str = "the story wants it", actor: str = "consumer:test") -> By:
        return By(actor, why, self.at)

    def on(self, day: date) -> None:
        """Go to 10:00 in the mall's zone on a day."""
        self.at = datetime(day.year, day.month, day.day, 2, 0, tzinfo=UTC)

    def later(self, **by: float) -> None:
        self.at += timedelta(**by)

    def tx(self, verb: Callable[[Tx], Awaitable[T]]) -> T:
        """Run one verb in one transaction."""

        async def in_transaction() -> T:
            async with self.database.transaction() as tx:
                return await verb(tx)

        return self.run(in_transaction())

    def apply(self, consumer_id: UUID, inputs: ApplicationInputs | None = None) -> Any:
        consents = activation.required_consents(PRODUCT)
        return self.tx(
            lambda tx: application.apply(
                tx, consumer_id, new_id(), inputs or good_inputs(), consents, APPLICATION_POLICY, PRODUCT, self.by()
            )
        )

    def open_line(self, money_minor: int = 0) -> UUID:
        """Somebody new with an active line of ¥45,000 and this much money."""
        consumer_id = new_id()
        self.consumers.append(consumer_id)
        self.apply(consumer_id)
        self.tx(lambda tx: activation.activate(tx, consumer_id, PRODUCT, self.by()))
        self.tx(lambda tx: limits.open_account(tx, consumer_id, MONEY, 0, Change("test", self.at, "opened")))
        if money_minor:
            self.bank_in(consumer_id, money_minor)
        return consumer_id

    def bank_in(self, consumer_id: UUID, amount_minor: int) -> None:
        self.post(consumer_id, "bank_in", bank_in(amount_minor))

    def post(self, consumer_id: UUID, kind: str, entries: Sequence[Entry], order_id: UUID | None = None) -> UUID:
        journal_id = new_id()
        item = PostingItem(
            journal_id, bucket_of(consumer_id), consumer_id, kind, b"test", self.today_on, self.at, order_id,
            legs_of(entries), tuple(entries),
        )  # fmt: skip
        verdict = self.tx(lambda tx: post(tx, item))
        assert verdict.posted, verdict
        return journal_id

    def buy(
        self,
        consumer_id: UUID,
        amount_minor: int,
        plan: LoanPlan = TWELVE,
        draws: Iterable[Draw] = (),
        money_minor: int = 0,
        channels: Sequence[Receipt] = (),
    ) -> Loan:
        """A purchase by credit as the paying batch does it: journal and loan; parts may be by money and channels."""
        drawn = list(draws) or [Draw(GENERAL_PATH, amount_minor)]
        shares = [Share(MERCHANT, total(drawn) + money_minor + total(channels))]
        order_id = new_id()
        entries = purchase(shares, drawn, money_minor, channels=channels)
        journal_id = self.post(consumer_id, "purchase", entries, order_id)
        return self.lend(consumer_id, order_id, journal_id, plan, drawn)

    def lend(
        self,
        consumer_id: UUID,
        order_id: UUID,
        journal_id: UUID,
        plan: LoanPlan,
        draws: Sequence[Draw],
        subsidy_minor: int = 0,
    ) -> Loan:
        """The loan of a purchase that a journal has booked."""
        made = loan.new_loan(
            consumer_id, new_id(), order_id, new_id(), journal_id, plan, draws, self.today_on, self.at, PRODUCT,
            subsidy_minor,
        )  # fmt: skip
        self.tx(lambda tx: loan.insert_loans(tx, [made]))
        return made

    def repay(self, consumer_id: UUID, request: Any, journal_id: UUID | None = None) -> repayment.Receipt:
        return self.tx(
            lambda tx: repayment.repay(tx, consumer_id, journal_id or new_id(), request, PRODUCT, self.by("repaid"))
        )

    def loans(self, consumer_id: UUID) -> list[Loan]:
        return self.tx(lambda tx: loan.loans_of(tx, consumer_id))

    def facts(self, consumer_id: UUID) -> facts.CreditView:
        return self.tx(lambda tx: facts.credit_facts_of(tx, consumer_id, self.at, PRODUCT))

    def balances(self, consumer_id: UUID) -> dict[tuple[str, str], int]:
        """What stands on the consumer's accounts, by book and path, without the zeros."""
        rows = self.tx(lambda tx: _sums(tx, consumer_id))
        return {(book, path): amount for book, path, amount in rows if amount}

    def assert_books_balance(self) -> None:
        """Each book's trial balance is zero, and every limit account says what its entries say."""

        async def check(tx: Tx) -> list[Any]:
            cursor = await tx.execute(
                "SELECT book, sum(amount_minor) FROM entry GROUP BY book HAVING sum(amount_minor) <> 0"
            )
            wrong = list(await cursor.fetchall())
            cursor = await tx.execute(
                "SELECT a.consumer_id, a.path, a.balance_minor, coalesce(sum(e.amount_minor), 0)"
                " FROM limit_account AS a"
                " LEFT JOIN entry AS e ON e.bucket = a.bucket AND e.consumer_id = a.consumer_id AND e.path = a.path"
                " GROUP BY a.bucket, a.consumer_id, a.path HAVING a.balance_minor <> coalesce(sum(e.amount_minor), 0)"
            )
            return wrong + list(await cursor.fetchall())

        assert self.tx(check) == []


async def _sums(tx: Tx, consumer_id: UUID) -> list[tuple[str, str, int]]:
    cursor = await tx.execute(
        "SELECT book, path, sum(amount_minor)::bigint FROM entry WHERE bucket = %s AND consumer_id = %s"
        " GROUP BY book, path ORDER BY book, path",
        (bucket_of(consumer_id), consumer_id),
    )
    return list(await cursor.fetchall())


@pytest.fixture
def story(database: Database, run: Callable[..., Any]) -> Story:
    """A story of its own in the module's database."""
    return Story(database, run)
