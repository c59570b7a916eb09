"""What was agreed for a loan, in and out of its row: terms and draws as short JSON. Pure.

The JSON of terms leaves out what has columns of its own (principal, disbursement) and what is as usual, so it is the
same for every loan of a plan, and encoded once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import msgspec

from fenqi.credit.model import Loan
from fenqi.credit.product import LoanPlan, terms_of
from fenqi.credit.schedule import Terms
from fenqi.credit.schedule.due_date import due_dates
from fenqi.ledger.postings.parts import Draw

_JSON = msgspec.json.Encoder()
_DRAWS = msgspec.json.Decoder(list[tuple[str, int]])
_OWN_COLUMNS = ("principal_minor", "disbursed_on")
_DEFAULTS = msgspec.structs.asdict(Terms(principal_minor=0, instalments=0, disbursed_on=date.min))


@lru_cache(maxsize=4096)
def agreed(plan: LoanPlan, disbursed_on: date) -> tuple[str, date]:
    """The plan's terms as JSON, and the first due date of a loan disbursed that day; neither depends on the amount."""
    terms = terms_of(plan, 1, disbursed_on)
    return encode_terms(terms), due_dates(terms)[0]


def encode_terms(terms: Terms) -> str:
    """The terms without principal and disbursement, and without what is as usual."""
    fields = msgspec.structs.asdict(terms)
    own = {name: value for name, value in fields.items() if name not in _OWN_COLUMNS and value != _DEFAULTS[name]}
    return _JSON.encode(own).decode()


@lru_cache(maxsize=4096)
def _shape(text: str) -> Terms:
    fields = msgspec.json.decode(text)
    return msgspec.convert({**fields, "principal_minor": 0, "disbursed_on": date.min}, Terms)


def terms_of_loan(loan: Loan) -> Terms:
    """The loan's terms as the engine takes them."""
    return msgspec.structs.replace(
        _shape(loan.terms), principal_minor=loan.principal_minor, disbursed_on=loan.disbursed_on
    )


def encode_draws(draws: Iterable[Draw]) -> str:
    """The draws as JSON pairs."""
    return _JSON.encode([(draw.path, draw.amount_minor) for draw in draws]).decode()


def draws_of(loan: Loan) -> list[Draw]:
    """The loan's draws, in the order in which principal comes back to them."""
    return decode_draws(loan.draws)


def decode_draws(text: str) -> list[Draw]:
    """Draws from JSON pairs."""
    return [Draw(path, amount_minor) for path, amount_minor in _DRAWS.decode(text)]
