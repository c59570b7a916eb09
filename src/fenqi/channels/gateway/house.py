"""The house that all gateways share: what happens to a trade, a refund, an account, whichever the protocol.

A verb changes the book in one transaction, the notice that follows from it included, so that a process that dies has
either done all of it or nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa

from fenqi.channels.gateway import billing
from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.fault import CATALOGUE, Fault
from fenqi.channels.gateway.notice import Post, Queue
from fenqi.channels.gateway.side import Account, Refund, Row, Side, Trade
from fenqi.channels.http import Http, NoAnswer
from fenqi.kernel.clock import ZONE, SteeredClock

replace = msgspec.structs.replace
FIRST_BALANCE_MINOR = 100_000_000
"""What a new account holds, so that refunds have something to be paid from."""
HEAR_S = 5.0
"""How long a notice's receiver may take to answer."""


class NotPayable(Exception):
    """The trade can't be paid (any more); `trade` is as it is."""

    def __init__(self, trade: Trade) -> None:
        super().__init__(f"{trade.trade_no} is {trade.state}")
        self.trade = trade


class NoRefund(Exception):
    """A refund that the house refuses; the side says it in its protocol's code.

    `code`: not_paid | too_large | unfunded | conflict (this number has another amount) | not_positive.
    """

    def __init__(self, code: Literal["not_paid", "too_large", "unfunded", "conflict", "not_positive"]) -> None:
        super().__init__(code)
        self.code = code


class House:
    """One per gateway process. `clock` is the gateways' time, `base_url` where browsers and adapters find them."""

    def __init__(self, book: Book, sides: tuple[Side, ...], clock: SteeredClock, base_url: str) -> None:
        self.book = book
        self.sides: Mapping[str, Side] = {side.channel: side for side in sides}
        self.clock = clock
        self.base_url = base_url
        self.queue = Queue(book, clock)
        self.speed = int(book.setting("notice_speed", "1"))
        self._http = Http(timeout_s=HEAR_S)

    def endpoint(self, channel: str) -> str:
        """The base URL of a channel's protocol; the endpoint of its passages."""
        return f"{self.base_url}/{channel}"

    def wallet_url(self, trade: Trade) -> str:
        """The wallet's page of a trade, for the buyer's browser."""
        return f"{self.base_url}/{trade.channel}/wallet/{trade.trade_no}"

    def code_url(self, trade: Trade) -> str:
        """What a phone opens that has scanned the trade's QR code."""
        return f"{self.base_url}/{trade.channel}/q/{trade.code}"

    @cached_property
    def strange_key(self) -> rsa.RSAPrivateKey:
        """A key that belongs to nobody, for forged notices."""
        return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)

    # Faults

    def fault(self, channel: str, operation: str, *names: str, account_id: str = "") -> Fault | None:
        """The oldest fault of these names that fits, and it counts as having happened; None: nothing goes wrong."""
        return self.book.take_fault(channel, operation, names, account_id)

    def is_banned(self, account: Account, operation: str) -> bool:
        """Whether the merchant is to be told that the channel has shut it out."""
        if account.state == "banned":
            return True
        return self.fault(account.channel, operation, "merchant_banned", account_id=account.account_id) is not None

    def set_fault(
        self, channel: str, name: str, operation: str, times: int, params: Mapping[str, str], account_id: str = "*"
    ) -> Fault:  # fmt: skip
        """Set a fault of the catalogue; one that is an act is done at once, and is used up. ValueError: no such."""
        if name not in CATALOGUE or (channel != "*" and channel not in self.sides):
            raise ValueError(f"no fault {name!r} of channel {channel!r}")
        if unknown := set(params) - {param.name for param in CATALOGUE[name].params}:
            raise ValueError(f"{name} has no {', '.join(sorted(unknown))}")
        fault = self.book.set_fault(channel, name, operation, times, params, self.clock.now(), account_id)
        if CATALOGUE[name].by == "act":
            for account in self.book.accounts(None if channel == "*" else channel):
                if account_id in ("*", account.account_id):
                    self.rotate(account)
            taken = self.book.take_fault(channel, operation, (name,), account_id)
            fault = taken or fault
        return fault

    # Accounts

    def enrol(self, channel: str, code: str) -> Account:
        """The account of a passage's code, made at the first call; `credentials` are the newest."""
        known = self.book.account_of(channel, code)
        if known is not None:
            return known
        account = replace(self.sides[channel].enrol(self, code), balance_minor=FIRST_BALANCE_MINOR, version=1)
        self.book.add_account(account)
        return account

    def rotate(self, account: Account) -> Account:
        """Give an account new keys; from now on the gateway signs with them, notices already made keep theirs."""
        return self.book.add_version(self.sides[account.channel].rotate(self, account))

    # Trades

    def open(self, trade: Trade) -> tuple[Trade, bool]:
        """Keep a new trade; (the one that is there, False) where the merchant's number is taken."""
        there, is_new = self.book.add_trade(trade)
        if is_new:
            self.queue.wake()
        return (there, True) if is_new else (self._lapsed(there), False)

    def find(self, channel: str, account_id: str, out_no: str) -> Trade | None:
        """A trade by the merchant's number, closed if its time is over."""
        there = self.book.trade_of(channel, account_id, out_no)
        return None if there is None else self._lapsed(there)

    def trade(self, trade_no: str) -> Trade | None:
        """A trade by the channel's number, closed if its time is over."""
        there = self.book.trade(trade_no)
        return None if there is None else self._lapsed(there)

    def scanned(self, channel: str, code: str) -> Trade | None:
        """A trade by its QR code, closed if its time is over."""
        there = self.book.trade_by_code(channel, code)
        return None if there is None else self._lapsed(there)

    def account(self, trade: Trade) -> Account:
        """The account that a trade belongs to."""
        there = self.book.account(trade.channel, trade.account_id)
        assert there is not None
        return there

    def pay(
        self, trade_no: str, payer: str = "", instalments: int = 0, extra: Mapping[str, str] | None = None
    ) -> Trade:
        """The buyer pays: money in, notice queued. `extra` is added to the trade's. Raises NotPayable, KeyError."""
        with self.book.transaction():
            trade = self._there(trade_no)
            if trade.state != "waiting":
                raise NotPayable(trade)
            paid = replace(
                trade, state="paid", paid_at=self.clock.now(), payer=payer or trade.payer, declined="",
                instalments=instalments or trade.instalments, extra={**trade.extra, **(extra or {})},
                fee_minor=half_up(trade.amount_minor * self.sides[trade.channel].fee_ppm, 1_000_000),
            )  # fmt: skip
            self.book.put_trade(paid, was="waiting")
            self.book.move_balance(paid.channel, paid.account_id, paid.amount_minor - paid.fee_minor)
            self.tell_payment(paid)
        return paid

    def decline(self, trade_no: str, code: str) -> Trade:
        """The wallet or bank refuses the buyer; what that does to the trade, the side says. Raises NotPayable."""
        with self.book.transaction():
            trade = self._there(trade_no)
            if trade.state != "waiting":
                raise NotPayable(trade)
            said = self.sides[trade.channel].decline(self, self.account(trade), replace(trade, declined=code), code)
            if said.state == "closed" and said.closed_at is None:
                said = replace(said, closed_at=self.clock.now())
            self.book.put_trade(said, was="waiting")
        return said

    def close(self, trade: Trade) -> Trade:
        """Close what waits; the answer is the trade as it is then: closed, or paid when the buyer was faster."""
        with self.book.transaction():
            now = self._there(trade.trade_no)
            if now.state != "waiting":
                return now
            if self.fault(now.channel, "close", "close_says_paid", account_id=now.account_id):
                return self.pay(now.trade_no)
            closed = replace(now, state="closed", closed_at=self.clock.now())
            self.book.put_trade(closed, was="waiting")
        return closed

    def expire(self) -> int:
        """Close every trade whose time is over; how many were."""
        return len([self._lapsed(trade) for trade in self.book.overdue(self.clock.now())])

    def _there(self, trade_no: str) -> Trade:
        trade = self.trade(trade_no)
        if trade is None:
            raise KeyError(trade_no)
        return trade

    def _lapsed(self, trade: Trade) -> Trade:
        if trade.state != "waiting" or self.clock.now() < trade.expires_at:
            return trade
        closed = replace(trade, state="closed", closed_at=trade.expires_at)
        return closed if self.book.put_trade(closed, was="waiting") else self.book.trade(trade.trade_no) or closed

    # Refunds

    def refund(
        self, trade: Trade, out_refund_no: str, amount_minor: int, refund_no: str, *, notify_url: str = "",
        why: str = "", extra: Mapping[str, str] | None = None,
    ) -> Refund:  # fmt: skip
        """Refund a paid trade; the same number again gives the same refund. Raises NoRefund.

        Its state is "succeeded" at once where the side's `refund_takes_s` is 0 and no fault fits, else "processing".
        """
        with self.book.transaction():
            known = self.book.refund_of(trade.channel, trade.account_id, out_refund_no, trade.trade_no)
            if known is not None:
                if known.amount_minor != amount_minor:
                    raise NoRefund("conflict")
                return known
            self._may_refund(trade, amount_minor)
            fails = self.fault(trade.channel, "refund", "refund_fails_later", account_id=trade.account_id)
            takes_s = fails.number("seconds", 5) if fails else self.sides[trade.channel].refund_takes_s / self.speed
            now = self.clock.now()
            asked = Refund(
                refund_no, trade.channel, trade.account_id, out_refund_no, trade.trade_no, amount_minor, now,
                fails=fails is not None, why=why, notify_url=notify_url, fee_minor=self._fee_back(trade, amount_minor),
                due_at=now + timedelta(seconds=takes_s), extra=extra or {},
            )  # fmt: skip
            if not self.book.move_balance(trade.channel, trade.account_id, asked.fee_minor - amount_minor):
                raise NoRefund("unfunded")
            self.book.put_refund(asked)
            self.queue.wake()
            return asked if takes_s > 0 else self._end(asked)

    def _may_refund(self, trade: Trade, amount_minor: int) -> None:
        now = self._there(trade.trade_no)
        if now.state != "paid":
            raise NoRefund("not_paid")
        if amount_minor <= 0:
            raise NoRefund("not_positive")
        if self.book.refunded_minor(trade.trade_no) + amount_minor > trade.amount_minor:
            raise NoRefund("too_large")

    def _fee_back(self, trade: Trade, amount_minor: int) -> int:
        """The fee's part of this refund: the difference of two shares of the whole, so that all refunds sum to it."""
        before = self.book.refunded_minor(trade.trade_no)
        share = [half_up(trade.fee_minor * part, trade.amount_minor) for part in (before, before + amount_minor)]
        return share[1] - share[0]

    def end_refunds(self) -> int:
        """Carry out, or fail, the refunds whose time has come; how many."""
        return len([self._end(refund) for refund in self.book.refunds_due(self.clock.now())])

    def _end(self, refund: Refund) -> Refund:
        with self.book.transaction():
            ended = replace(
                refund, state="failed" if refund.fails else "succeeded", finished_at=self.clock.now(), due_at=None
            )  # fmt: skip
            self.book.put_refund(ended)
            if ended.state == "failed":
                self.book.move_balance(ended.channel, ended.account_id, ended.amount_minor - ended.fee_minor)
            self.tell_refund(ended)
        return ended

    # Notices

    def tell_payment(self, trade: Trade, *, is_forged: bool = False, amount_minor: int | None = None) -> None:
        """Queue a notice of the trade as it is now, with the faults of `notice.payment` in it."""
        self._tell("notice.payment", Post("payment", self.account(trade), trade, None, is_forged, amount_minor))

    def tell_refund(self, refund: Refund) -> None:
        """Queue a notice of the refund as it is now, with the faults of `notice.refund` in it."""
        trade = self.book.trade(refund.trade_no)
        assert trade is not None
        self._tell("notice.refund", Post("refund", self.account(trade), trade, refund))

    def _tell(self, operation: str, post: Post) -> None:
        account = post.account
        if post.is_forged or post.amount_minor is not None:
            self.queue.add(post)
            return
        self.queue.add_with_faults(
            post, lambda name: self.fault(account.channel, operation, name, account_id=account.account_id)
        )  # fmt: skip

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes] | None:
        """POST to a merchant; None: no answer."""
        try:
            answer = await self._http.send("POST", url, headers=headers, content=body)
        except NoAnswer:
            return None
        return answer.status, answer.body

    # Bills, clock

    def bill_rows(self, account: Account, day_on: date) -> tuple[Row, ...]:
        """The rows of a day's bill, refunds by the day they were accepted, with the differences that are planted.

        A fault `bill_differences` is taken at the first call of a day and stays with that day.
        """
        key = f"bill:{account.channel}:{account.account_id}:{day_on.isoformat()}"
        plant = self.book.setting(key)
        if not plant:
            fault = self.fault(account.channel, "bill", "bill_differences", account_id=account.account_id)
            if fault is not None:
                plant = fault.text("plant", CATALOGUE["bill_differences"].params[0].default)
                self.book.put_setting(key, plant)
        return billing.planted(billing.rows(self.book, account, day_on), tuple(filter(None, plant.split(","))))

    def steer(self, offset_s: float | None = None, at: datetime | None = None) -> None:
        """Run the clock so far ahead of the machine's, or let it stand at an instant; kept over restarts."""
        if at is not None:
            self.clock.set(at)
        else:
            self.clock.run_with_offset(timedelta(seconds=offset_s or 0))
        self.book.put_setting("clock", f"at {at.isoformat()}" if at else f"offset {offset_s or 0}")
        self.queue.wake()

    def steer_as_kept(self) -> None:
        """Take up the clock where the last process left it."""
        how, _, value = self.book.setting("clock", "offset 0").partition(" ")
        if how == "at":
            self.clock.set(datetime.fromisoformat(value))
        else:
            self.clock.run_with_offset(timedelta(seconds=float(value)))

    def set_speed(self, notice_speed: int) -> None:
        """Divide the waits of every ladder, and of refunds, by this; kept over restarts."""
        if notice_speed < 1:
            raise ValueError("notice_speed is 1 or more")
        self.speed = notice_speed
        self.book.put_setting("notice_speed", str(notice_speed))
        self.queue.wake()

    async def shut(self) -> None:
        """Close connections and the book."""
        await self._http.close()
        self.book.close()


def half_up(numerator: int, denominator: int) -> int:
    """The quotient of two non-negative integers, halves away from zero."""
    return (2 * numerator + denominator) // (2 * denominator)


def digits(count: int) -> str:
    """Random decimal digits, for numbers in a channel's format."""
    return "".join(secrets.choice("0123456789") for _ in range(count))


def beijing(at: datetime, form: str) -> str:
    """An instant in the channels' zone (UTC+8), by a strftime form."""
    return at.astimezone(ZONE).strftime(form)
