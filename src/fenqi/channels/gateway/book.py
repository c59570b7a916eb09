"""The gateways' own store: accounts with their keys, trades, refunds, notices with every try, faults and settings.

SQLite in WAL mode; each call is one short statement or two, made from the gateway's event loop. A record is kept whole
as JSON beside the columns that it is found by.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from fenqi.channels.gateway.fault import Fault
from fenqi.channels.gateway.side import Account, Refund, State, Trade
from fenqi.kernel.clock import epoch_ms

T = TypeVar("T")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    channel TEXT, account_id TEXT, code TEXT, state TEXT, balance_minor INTEGER, version INTEGER,
    PRIMARY KEY (channel, account_id), UNIQUE (channel, code)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS account_version (
    channel TEXT, account_id TEXT, version INTEGER, "values" TEXT, credentials TEXT,
    PRIMARY KEY (channel, account_id, version)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS trade (
    trade_no TEXT PRIMARY KEY, channel TEXT, account_id TEXT, out_no TEXT, code TEXT, state TEXT,
    created_ms INTEGER, expires_ms INTEGER, paid_ms INTEGER, doc BLOB, UNIQUE (channel, account_id, out_no)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS trade_code ON trade (channel, code) WHERE code <> '';
CREATE INDEX IF NOT EXISTS trade_created ON trade (created_ms);
CREATE INDEX IF NOT EXISTS trade_paid ON trade (channel, account_id, paid_ms) WHERE paid_ms IS NOT NULL;
CREATE INDEX IF NOT EXISTS trade_waiting ON trade (expires_ms) WHERE state = 'waiting';
CREATE TABLE IF NOT EXISTS refund (
    refund_no TEXT PRIMARY KEY, channel TEXT, account_id TEXT, out_refund_no TEXT, trade_no TEXT, state TEXT,
    amount_minor INTEGER, created_ms INTEGER, due_ms INTEGER, doc BLOB, UNIQUE (trade_no, out_refund_no)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refund_out_no ON refund (channel, account_id, out_refund_no);
CREATE INDEX IF NOT EXISTS refund_created ON refund (channel, account_id, created_ms);
CREATE INDEX IF NOT EXISTS refund_due ON refund (due_ms) WHERE state = 'processing';
CREATE TABLE IF NOT EXISTS fault (
    fault_id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT, account_id TEXT, name TEXT, operation TEXT,
    times INTEGER, taken INTEGER, params TEXT, set_at TEXT
);
CREATE TABLE IF NOT EXISTS setting (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notice (
    notice_id INTEGER PRIMARY KEY AUTOINCREMENT, trade_no TEXT, state TEXT, due_ms INTEGER, doc BLOB
);
CREATE INDEX IF NOT EXISTS notice_due ON notice (due_ms) WHERE state = 'due';
CREATE INDEX IF NOT EXISTS notice_trade ON notice (trade_no);
CREATE TABLE IF NOT EXISTS notice_try (notice_id INTEGER, try_no INTEGER, doc BLOB, PRIMARY KEY (notice_id, try_no))
    WITHOUT ROWID;
"""


class Book:
    """The store, in one file. Readers and the one writer are the same connection; nothing here waits."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
        self._db.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
            "PRAGMA wal_autocheckpoint = 10000; PRAGMA busy_timeout = 2000;"
        )
        self._db.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside is kept together or not at all; inside another one it is part of that."""
        if self._db.in_transaction:
            yield
            return
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def rows(self, sql: str, *args: Any) -> list[Any]:
        """For the files of the house that keep their own statements (notices, bills)."""
        return self._db.execute(sql, args).fetchall()

    # Accounts

    def account(self, channel: str, account_id: str, version: int | None = None) -> Account | None:
        """An account with its newest keys, or with those of one version."""
        found = self.rows(
            f"{_ACCOUNT} AND v.version = coalesce(?, a.version) WHERE a.channel = ? AND a.account_id = ?",
            version, channel, account_id,
        )  # fmt: skip
        return _account(found[0]) if found else None

    def account_of(self, channel: str, code: str) -> Account | None:
        """The account that was made for a passage's code."""
        found = self.rows(f"{_ACCOUNT} AND v.version = a.version WHERE a.channel = ? AND a.code = ?", channel, code)
        return _account(found[0]) if found else None

    def accounts(self, channel: str | None = None) -> list[Account]:
        """All accounts with their newest keys."""
        where = "AND v.version = a.version WHERE coalesce(?, a.channel) = a.channel ORDER BY a.channel, a.code"
        return [_account(row) for row in self.rows(f"{_ACCOUNT} {where}", channel)]

    def versions(self, channel: str, account_id: str) -> list[Account]:
        """An account with each version of its keys, the newest first."""
        where = "WHERE a.channel = ? AND a.account_id = ? ORDER BY v.version DESC"
        return [_account(row) for row in self.rows(f"{_ACCOUNT} {where}", channel, account_id)]

    def add_account(self, account: Account) -> None:
        """A new account with its first keys."""
        with self.transaction():
            a = account
            self.rows(
                "INSERT INTO account VALUES (?, ?, ?, ?, ?, ?)",
                a.channel, a.account_id, a.code, a.state, a.balance_minor, a.version,
            )  # fmt: skip
            self._add_version(account)

    def add_version(self, account: Account) -> Account:
        """Keep `account`'s values and credentials as the next version of its keys."""
        with self.transaction():
            (next_version,) = self.rows(
                "UPDATE account SET version = version + 1 WHERE channel = ? AND account_id = ? RETURNING version",
                account.channel, account.account_id,
            )[0]  # fmt: skip
            account = msgspec.structs.replace(account, version=next_version)
            self._add_version(account)
        return account

    def _add_version(self, account: Account) -> None:
        self.rows(
            "INSERT INTO account_version VALUES (?, ?, ?, ?, ?)",
            account.channel, account.account_id, account.version, _json(account.values), _json(account.credentials),
        )  # fmt: skip

    def put_account(self, channel: str, account_id: str, state: str | None, balance_minor: int | None) -> None:
        """Change what is not a key; None leaves it."""
        self.rows(
            "UPDATE account SET state = coalesce(?, state), balance_minor = coalesce(?, balance_minor)"
            " WHERE channel = ? AND account_id = ?",
            state, balance_minor, channel, account_id,
        )  # fmt: skip

    def move_balance(self, channel: str, account_id: str, by_minor: int) -> bool:
        """Add to the balance, or take from it; False: there is too little in it, and nothing was taken."""
        return bool(
            self.rows(
                "UPDATE account SET balance_minor = balance_minor + ?3 WHERE channel = ?1 AND account_id = ?2"
                " AND (?3 >= 0 OR balance_minor + ?3 >= 0) RETURNING 1",
                channel, account_id, by_minor,
            )
        )  # fmt: skip

    # Trades

    def trade(self, trade_no: str) -> Trade | None:
        """A trade by the channel's number."""
        return _one(self.rows("SELECT doc FROM trade WHERE trade_no = ?", trade_no), Trade)

    def trade_of(self, channel: str, account_id: str, out_no: str) -> Trade | None:
        """A trade by the merchant's number."""
        where = "WHERE channel = ? AND account_id = ? AND out_no = ?"
        return _one(self.rows(f"SELECT doc FROM trade {where}", channel, account_id, out_no), Trade)

    def trade_by_code(self, channel: str, code: str) -> Trade | None:
        """A trade by what its QR code leads by."""
        where = "WHERE channel = ? AND code = ? AND code <> ''"
        return _one(self.rows(f"SELECT doc FROM trade {where}", channel, code), Trade)

    def add_trade(self, trade: Trade) -> tuple[Trade, bool]:
        """Keep a new trade; where the merchant's number is taken, (the trade that has it, False)."""
        t = trade
        made = self.rows(
            "INSERT INTO trade VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (channel, account_id, out_no) DO NOTHING RETURNING 1",
            t.trade_no, t.channel, t.account_id, t.out_no, t.code, t.state, epoch_ms(t.created_at),
            epoch_ms(t.expires_at), _ms(t.paid_at), _json_bytes(t),
        )  # fmt: skip
        if made:
            return trade, True
        there = self.trade_of(t.channel, t.account_id, t.out_no)
        assert there is not None
        return there, False

    def put_trade(self, trade: Trade, was: State | None = None) -> bool:
        """Write a trade back; with `was`, only while that is still its state."""
        return bool(
            self.rows(
                "UPDATE trade SET code = ?, state = ?, expires_ms = ?, paid_ms = ?, doc = ?"
                " WHERE trade_no = ? AND state = coalesce(?, state) RETURNING 1",
                trade.code, trade.state, epoch_ms(trade.expires_at), _ms(trade.paid_at), _json_bytes(trade),
                trade.trade_no, was,
            )
        )  # fmt: skip

    def trades(
        self, channel: str | None = None, account_id: str | None = None, state: str | None = None,
        out_no: str | None = None, limit: int = 100,
    ) -> list[Trade]:  # fmt: skip
        """The newest trades first."""
        found = self.rows(
            "SELECT doc FROM trade WHERE channel = coalesce(?, channel) AND account_id = coalesce(?, account_id)"
            " AND state = coalesce(?, state) AND out_no = coalesce(?, out_no) ORDER BY created_ms DESC LIMIT ?",
            channel, account_id, state, out_no, limit,
        )  # fmt: skip
        return [msgspec.json.decode(doc, type=Trade) for (doc,) in found]

    def overdue(self, now: datetime, limit: int = 500) -> list[Trade]:
        """Waiting trades whose time is over."""
        where = "WHERE state = 'waiting' AND expires_ms <= ? ORDER BY expires_ms LIMIT ?"
        return [
            msgspec.json.decode(doc, type=Trade)
            for (doc,) in self.rows(f"SELECT doc FROM trade {where}", epoch_ms(now), limit)
        ]

    def paid_between(self, channel: str, account_id: str, since: datetime, until: datetime) -> list[Trade]:
        """Trades paid at or after `since` and before `until`, in that order."""
        found = self.rows(
            "SELECT doc FROM trade WHERE channel = ? AND account_id = ? AND paid_ms >= ? AND paid_ms < ?"
            " ORDER BY paid_ms, trade_no", channel, account_id, epoch_ms(since), epoch_ms(until),
        )  # fmt: skip
        return [msgspec.json.decode(doc, type=Trade) for (doc,) in found]

    # Refunds

    def refund(self, refund_no: str) -> Refund | None:
        """A refund by the channel's number."""
        return _one(self.rows("SELECT doc FROM refund WHERE refund_no = ?", refund_no), Refund)

    def refund_of(
        self, channel: str, account_id: str, out_refund_no: str, trade_no: str | None = None
    ) -> Refund | None:  # fmt: skip
        """A refund by the merchant's number, of one trade where that number is only its."""
        found = self.rows(
            "SELECT doc FROM refund WHERE channel = ? AND account_id = ? AND out_refund_no = ?"
            " AND trade_no = coalesce(?, trade_no)", channel, account_id, out_refund_no, trade_no,
        )  # fmt: skip
        return _one(found, Refund)

    def refunds(self, trade_no: str) -> list[Refund]:
        """A trade's refunds, the oldest first."""
        found = self.rows("SELECT doc FROM refund WHERE trade_no = ? ORDER BY created_ms, refund_no", trade_no)
        return [msgspec.json.decode(doc, type=Refund) for (doc,) in found]

    def refunds_between(self, channel: str, account_id: str, since: datetime, until: datetime) -> list[Refund]:
        """Refunds asked for at or after `since` and before `until`, in that order."""
        found = self.rows(
            "SELECT doc FROM refund WHERE channel = ? AND account_id = ? AND created_ms >= ? AND created_ms < ?"
            " ORDER BY created_ms, refund_no", channel, account_id, epoch_ms(since), epoch_ms(until),
        )  # fmt: skip
        return [msgspec.json.decode(doc, type=Refund) for (doc,) in found]

    def refunded_minor(self, trade_no: str) -> int:
        """What is refunded of a trade or about to be; failed refunds don't count."""
        where = "WHERE trade_no = ? AND state <> 'failed'"
        return int(self.rows(f"SELECT coalesce(sum(amount_minor), 0) FROM refund {where}", trade_no)[0][0])

    def put_refund(self, refund: Refund) -> None:
        """Keep a refund, new or changed."""
        r = refund
        self.rows(
            "INSERT INTO refund VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (refund_no) DO UPDATE SET"
            " state = excluded.state, due_ms = excluded.due_ms, doc = excluded.doc",
            r.refund_no, r.channel, r.account_id, r.out_refund_no, r.trade_no, r.state, r.amount_minor,
            epoch_ms(r.created_at), _ms(r.due_at), _json_bytes(r),
        )  # fmt: skip

    def refunds_due(self, now: datetime, limit: int = 500) -> list[Refund]:
        """Refunds that are to end by now."""
        where = "WHERE state = 'processing' AND due_ms <= ? ORDER BY due_ms LIMIT ?"
        return [
            msgspec.json.decode(doc, type=Refund)
            for (doc,) in self.rows(f"SELECT doc FROM refund {where}", epoch_ms(now), limit)
        ]

    def next_refund_due_ms(self) -> int | None:
        """When the next refund is to end, in Unix milliseconds."""
        due: int | None = self.rows("SELECT min(due_ms) FROM refund WHERE state = 'processing'")[0][0]
        return due

    # Faults

    def set_fault(
        self, channel: str, name: str, operation: str, times: int, params: Mapping[str, str], at: datetime,
        account_id: str = "*",
    ) -> Fault:  # fmt: skip
        """Set a fault; the oldest that fits is the first to happen."""
        sql = "INSERT INTO fault VALUES (NULL, ?, ?, ?, ?, ?, 0, ?, ?) RETURNING *"
        row = self.rows(sql, channel, account_id, name, operation, times, _json(params), at.isoformat())[0]
        return _fault(row)

    def take_fault(self, channel: str, operation: str, names: tuple[str, ...], account_id: str = "") -> Fault | None:
        """The oldest fault of one of these names that fits, counted down in the same statement."""
        found = self.rows(
            "UPDATE fault SET taken = taken + 1, times = CASE WHEN times > 0 THEN times - 1 ELSE times END"
            " WHERE fault_id = (SELECT fault_id FROM fault WHERE times <> 0 AND channel IN ('*', ?)"
            " AND (account_id IN ('*', ?)) AND ? GLOB operation AND name IN (SELECT value FROM json_each(?))"
            " ORDER BY fault_id LIMIT 1) RETURNING *",
            channel, account_id, operation, _json(names),
        )  # fmt: skip
        return _fault(found[0]) if found else None

    def faults(self) -> list[Fault]:
        """All faults, those used up too, the newest first."""
        return [_fault(row) for row in self.rows("SELECT * FROM fault ORDER BY fault_id DESC LIMIT 200")]

    def clear_faults(self, fault_id: int | None = None) -> int:
        """Forget one fault, or all; how many were forgotten."""
        return len(self.rows("DELETE FROM fault WHERE fault_id = coalesce(?, fault_id) RETURNING 1", fault_id))

    # Settings

    def setting(self, key: str, default: str = "") -> str:
        """A kept value. Sides may keep their own under `<channel>:…`."""
        found = self.rows("SELECT value FROM setting WHERE key = ?", key)
        return str(found[0][0]) if found else default

    def put_setting(self, key: str, value: str) -> None:
        """Keep a value."""
        self.rows(
            "INSERT INTO setting VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value
        )


_ACCOUNT = (
    'SELECT a.channel, a.account_id, a.code, v."values", v.credentials, v.version, a.state, a.balance_minor'
    " FROM account a JOIN account_version v ON v.channel = a.channel AND v.account_id = a.account_id"
)


def _account(row: tuple[Any, ...]) -> Account:
    channel, account_id, code, values, credentials, version, state, balance_minor = row
    said = msgspec.json.decode(values), msgspec.json.decode(credentials)
    return Account(channel, account_id, code, *said, version, state, balance_minor)


def _fault(row: tuple[Any, ...]) -> Fault:
    fault_id, channel, account_id, name, operation, times, taken, params, set_at = row
    given = msgspec.json.decode(params)
    return Fault(
        fault_id, channel, account_id, name, operation, times, given, datetime.fromisoformat(set_at), taken
    )  # fmt: skip


def _one(found: list[Any], kind: type[T]) -> T | None:
    return msgspec.json.decode(found[0][0], type=kind) if found else None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _json_bytes(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _ms(at: datetime | None) -> int | None:
    return None if at is None else epoch_ms(at)
