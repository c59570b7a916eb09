"""Bank cards through UnionPay (全渠道, form protocol 5.1.0): on its page, by token, back to the card, out to a card.

`CHANNEL` is the adapter behind the common contract; `gateway` plays UnionPay and the issuers on this machine.
"""

from __future__ import annotations

from fenqi.channels.bank_card.adapter import BankCard

__all__ = ["CHANNEL", "BankCard"]

CHANNEL = BankCard()
