"""What each table of policy is asked about a checkout, from its facts: online, in back-tests and in shadow alike.

Pure. An input whose value is None is not known; a table that tests it decides nothing then.
"""

from __future__ import annotations

from collections.abc import Iterable

from fenqi.cashier import ConsumerFacts, CreditFacts, Facts, LineFacts, SellerFacts
from fenqi.policy import Who
from fenqi.policy.cell import Value

Inputs = dict[str, Value]
_PPM = 1_000_000
_HOUR_MS = 3_600_000
_ZONE_HOURS = 8
CREDIT = "credit"


def who(consumer: ConsumerFacts, credit: CreditFacts) -> Who:
    """The buyer as policy asks about them."""
    return Who(consumer.segments, credit.clean_months, consumer.account_age_days, consumer.pd_ppm)


def who_inputs(of: Who) -> Inputs:
    """The inputs that every table about a purchase has of the buyer."""
    return {
        "segments": of.segments,
        "clean_months": of.clean_months,
        "account_age_days": of.account_age_days,
        "pd_ppm": of.pd_ppm,
    }


def category_path(line: LineFacts) -> tuple[str, ...]:
    """The goods' categories, the leaf's first."""
    return (line.category, *line.ancestors)


def goods_inputs(scene: str, path: tuple[str, ...], seller: SellerFacts, method: str, of: Who) -> Inputs:
    """For `goods`: goods of one category from one seller. `PolicyBook.goods` asks the same, and remembers."""
    where: Inputs = {
        "method": method, "scene": scene, "category": path, "seller_kind": seller.kind, "merchant": seller.code,
    }  # fmt: skip
    return where | who_inputs(of)


def order_inputs(facts: Facts, method: str) -> Inputs:
    """Where and who of a whole order: the categories, kinds of sellers and merchants of all its lines."""
    sellers = {seller.merchant_id: seller for seller in facts.sellers}
    theirs = [sellers[line.merchant_id] for line in facts.lines]
    where: Inputs = {
        "method": method,
        "scene": facts.order.scene,
        "category": _once(code for line in facts.lines for code in category_path(line)),
        "seller_kind": _once(seller.kind for seller in theirs),
        "merchant": _once(seller.code for seller in theirs if seller.code),
    }
    return where | who_inputs(who(facts.consumer, facts.credit))


def exposure_inputs(facts: Facts, method: str) -> Inputs:
    """For `exposure`."""
    return order_inputs(facts, method)


def counter_inputs(facts: Facts, method: str) -> Inputs:
    """For `counter_offer`."""
    asked = order_inputs(facts, method)
    asked["amount_minor"] = facts.order.payable_minor
    asked["limit_used_ppm"] = limit_used_ppm(facts, method)
    return asked


def transaction_inputs(facts: Facts, method: str) -> Inputs:
    """For `transaction`: what facts tell by themselves, and beside it the signals that the risk room gathered."""
    asked = counter_inputs(facts, method)
    asked["hour"] = (facts.now_ms // _HOUR_MS + _ZONE_HOURS) % 24
    asked.update(facts.risk.signals)
    return asked


def limit_used_ppm(facts: Facts, method: str) -> int:
    """How much of all limits together is used or held once this order is paid by the method, in millionths: above
    1 000 000 it doesn't fit. 0 where there is no limit. Only credit draws on limits."""
    ceiling_minor = sum(limit.ceiling_minor for limit in facts.credit.limits)
    if ceiling_minor <= 0:
        return 0
    used_minor = sum(limit.used_minor + limit.held_minor for limit in facts.credit.limits)
    drawn_minor = facts.order.payable_minor if method == CREDIT else 0
    return (used_minor + drawn_minor) * _PPM // ceiling_minor


def _once(codes: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(codes))
