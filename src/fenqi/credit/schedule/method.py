"""The three methods: equal instalment, equal principal, flat. Each gives one (principal, interest) pair a period.

All run inside the plan's decimal context (`arithmetic.working`); amounts are whole minor units.
"""

from __future__ import annotations

from decimal import Decimal

from fenqi.credit.schedule.arithmetic import whole, whole_multiple
from fenqi.credit.schedule.terms import InterestPeriod, Method, Terms

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
    """The same principal each period (the remainder in the last), interest on what is left.

    Instalments differ by construction, so a multiple rounds none of them.
    """
    shares = _equal_shares(principal_minor, len(factors), terms.grace_principal)
    parts: list[Part] = []
    balance = principal_minor
    for share, factor in zip(shares, factors, strict=True):
        parts.append((share, whole(balance * factor)))
        balance -= share
    return parts


def _equal_shares(total_minor: int, count: int, grace: int) -> list[int]:
    """`total_minor` in equal rounded shares over the periods after the grace, never more than is left."""
    share = whole(Decimal(total_minor) / (count - grace))
    shares, left = [0] * grace, total_minor
    for _ in range(grace, count - 1):
        part = min(share, left)
        shares.append(part)
        left -= part
    return [*shares, left]


def _flat(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[Part]:
    """Interest on the first principal for the whole term, in equal instalments.

    Where every period is alike the total interest is rounded once and shared equally, and so is the principal. Where
    interest follows the days, each period has its own and the instalments are equal: principal is what is left of
    one. The remainder is in the last; a multiple rounds the instalment.
    """
    grace, count = terms.grace_principal, len(factors)
    if terms.rate_whole_term is not None or terms.interest_period is InterestPeriod.SAME_AS_PERIOD:
        interests = _shared_interest(terms, principal_minor, factors)
        shares = _equal_shares(principal_minor, count, grace)
        if terms.multiple_minor <= 1:
            return list(zip(shares, interests, strict=True))
        instalments = [share + interest for share, interest in zip(shares, interests, strict=True)]
    else:
        interests = [whole(principal_minor * factor) for factor in factors]
        each = Decimal(principal_minor + sum(interests[grace:])) / (count - grace)
        instalments = [0] * grace + [whole(each)] * (count - grace)
    return _fill(instalments, interests, principal_minor, grace, terms.multiple_minor)


def _shared_interest(terms: Terms, principal_minor: int, factors: list[Decimal]) -> list[int]:
    count, free = len(factors), terms.interest_free
    if free == count:
        return [0] * count
    if terms.rate_whole_term is not None:
        total = whole(principal_minor * terms.rate_whole_term * (count - free) / count)
    else:
        total = whole(principal_minor * sum(factors, Decimal(0)))
    return _equal_shares(total, count, free)


def _fill(instalments: list[int], interests: list[int], principal_minor: int, grace: int, multiple: int) -> list[Part]:
    """Principal as what the interest leaves of each instalment, rounded to the multiple; the last takes the rest."""
    parts: list[Part] = [(0, interest) for interest in interests[:grace]]
    left = principal_minor
    for instalment, interest in list(zip(instalments, interests, strict=True))[grace:-1]:
        principal = max(0, min(whole_multiple(instalment, multiple) - interest, left))
        parts.append((principal, interest))
        left -= principal
    return [*parts, (left, interests[-1])]
