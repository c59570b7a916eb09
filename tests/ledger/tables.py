"""Journals as tables that an accountant can read: a line an entry, with its side and yuan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from fenqi.kernel.money import plain_yuan
from fenqi.ledger import chart
from fenqi.ledger.model import Entry

PHONE_SHOP = UUID("0190a000-0000-7000-8000-000000000001")
SOFA_SHOP = UUID("0190a000-0000-7000-8000-000000000002")
ALIPAY = UUID("0190a000-0000-7000-8000-0000000000a1")
CARD = UUID("0190a000-0000-7000-8000-0000000000c1")
PARTIES = {PHONE_SHOP: "phone shop", SOFA_SHOP: "sofa shop", ALIPAY: "alipay one", CARD: "card one"}
GENERAL = chart.loan_principal("general")
FURNITURE = chart.loan_principal("dedicated:furniture")


def table(entries: Sequence[Entry]) -> str:
    """The entries as a table: book, account, party, Dr or Cr, yuan."""
    lines = []
    for entry in entries:
        side = "Dr" if entry.amount_minor > 0 else "Cr"
        party = f" ({PARTIES[entry.party_id]})" if entry.party_id else ""
        account = f"{entry.book:<16}{entry.path}{party}"
        lines.append(f"{account:<62}{side} {plain_yuan(abs(entry.amount_minor)):>9}")
    return "\n".join(lines)


def check(entries: Sequence[Entry], expected: str) -> None:
    """The table is the expected one, each book sums to zero, and every account is in the chart."""
    assert table(entries).split("\n") == [line.strip() for line in expected.strip().split("\n")]
    sums: dict[str, int] = defaultdict(int)
    for entry in entries:
        sums[entry.book] += entry.amount_minor
        assert chart.account(entry.book, entry.path).place in ("consumer", "both")
    assert set(sums.values()) == {0}
