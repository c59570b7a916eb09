"""The three methods: equal instalment, equal principal, flat. Each gives one (principal, interest) pair a period.

All run inside the plan's decimal context (`arithmetic.working`); amounts are whole minor units.
"""

from __future__ import annotations

from decimal import Decimal

from fenqi.credit.schedule.arithmetic import whole, whole_multiple
from fenqi.credit.schedule.terms import Method, Terms

Part = tuple[int, int]
"""Principal and interest of one period, in minor units."""

_SPREAD_ROUNDS = 3


def lay_out(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[Part]:
    """Principal and interest by period; the principals sum to `principal_minor` exactly."""
    if terms.method is Method.EQUAL_INSTALMENT:
        parts = _equal_instalment(terms, principal_minor, factors)
    elif terms.method is Method.EQUAL_PRINCIPAL:
        parts = _equal_principal(terms, principal_minor, factors)
    else:
        parts = _flat(terms, principal_minor, factors)
    return _defer_interest(parts, terms.grace_interest)


def _defer_interest(parts: list[Part], grace: int) -> list[Part]:
    """Interest of the first `grace` periods is due with the first period after them, without interest on it."""
    if grace == 0:
        return parts
    deferred = sum(interest for _, interest in parts[: grace + 1])
    head = [(principal, 0) for principal, _ in parts[:grace]]
    return [*head, (parts[grace][0], deferred), *parts[grace + 1 :]]


def _equal_instalment(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[Part]:
    """Annuity over the periods that repay principal, spread so that the last stays near the others.

    The instalment is P·Π(1+f) ÷ (1 + Σ…), the general annuity for periods of differing factors f. The last instalment
    takes what rounding leaves. If it differs from the one before by more than half the count of instalments in
    hundredths of the currency unit, the difference divided by the count is added to the instalment; at most three
    rounds, and a round is kept only if it makes the difference smaller.
    """
    grace, count = terms.grace_principal, len(factors)
    instalment = whole_multiple(whole(_annuity(principal_minor, factors[grace:])), terms.multiple_minor)
    parts = _walk(principal_minor, factors, grace, instalment)
    if count - grace < 2:
        return parts
    threshold = Decimal(count // 2).scaleb(terms.decimals - 2)
    for _ in range(_SPREAD_ROUNDS):
        difference = sum(parts[-1]) - instalment
        if abs(difference) <= threshold:
            break
        nearer = whole_multiple(instalment + whole(Decimal(difference) / count), terms.multiple_minor)
        if nearer == instalment:
            break
        tried = _walk(principal_minor, factors, grace, nearer)
        if abs(sum(tried[-1]) - nearer) >= abs(difference):
            break
        instalment, parts = nearer, tried
    return parts


def _annuity(principal_minor: int, factors: list[Decimal]) -> Decimal:
    growth = Decimal(1)
    for factor in factors:
        growth *= 1 + factor
    worth = Decimal(1)
    for factor in factors[1:]:
        worth = 1 + worth * (1 + factor)
    return growth * principal_minor / worth


def _walk(principal_minor: int, factors: list[Decimal], grace: int, instalment: int) -> list[Part]:
    """The periods under one instalment: interest first, the rest principal, everything that is left in the last.

    Interest above the instalment waits for the next period, without interest on it.
    """
    parts: list[Part] = []
    balance, waiting, last = principal_minor, 0, len(factors) - 1
    for k, factor in enumerate(factors):
        owed = whole(balance * factor) + waiting
        if k < grace:
            interest, principal = owed, 0
        elif k == last:
            interest, principal = owed, balance
        else:
            interest = min(owed, instalment)
            principal = min(instalment - interest, balance)
        waiting = owed - interest
        balance -= principal
        parts.append((principal, interest))
    return parts


def _equal_principal(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[Part]:
    """The same principal each period (the remainder in the last), interest on what is left."""
    shares = _equal_shares(principal_minor, len(factors), terms.grace_principal, terms.multiple_minor)
    parts: list[Part] = []
    balance = principal_minor
    for share, factor in zip(shares, factors, strict=True):
        parts.append((share, whole(balance * factor)))
        balance -= share
    return parts


def _equal_shares(total_minor: int, count: int, grace: int, multiple_minor: int) -> list[int]:
    """`total_minor` in equal rounded shares over the periods after the grace, never more than is left."""
    share = whole_multiple(whole(Decimal(total_minor) / (count - grace)), multiple_minor)
    shares, left = [0] * grace, total_minor
    for _ in range(grace, count - 1):
        part = min(share, left)
        shares.append(part)
        left -= part
    return [*shares, left]


def _flat(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[Part]:
    """Interest on the first principal for the whole term, and principal, both in equal shares."""
    interests = _flat_interest(terms, principal_minor, factors)
    shares = _equal_shares(principal_minor, len(factors), terms.grace_principal, 0)
    if terms.multiple_minor > 1:
        shares = _shares_to_multiple(terms, principal_minor, shares, interests)
    return list(zip(shares, interests, strict=True))


def _flat_interest(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[int]:
    count, free = len(factors), terms.interest_free
    if free == count:
        return [0] * count
    if terms.rate_whole_term is not None:
        total = whole(principal_minor * terms.rate_whole_term * (count - free) / count)
    else:
        total = whole(principal_minor * sum(factors, Decimal(0)))
    return _equal_shares(total, count, free, 0)


def _shares_to_multiple(terms: Terms, principal_minor: int, shares: list[int], interests: list[int]) -> list[int]:
    """Principal such that principal and interest together are a whole multiple; the last takes the rest."""
    rounded, left = [0] * terms.grace_principal, principal_minor
    for share, interest in list(zip(shares, interests, strict=True))[terms.grace_principal : -1]:
        part = whole_multiple(share + interest, terms.multiple_minor) - interest
        rounded.append(max(0, min(part, left)))
        left -= rounded[-1]
    return [*rounded, left]
