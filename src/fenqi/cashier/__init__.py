"""The cashier: what is owed for an order, which methods can pay it, why the others can't, and what would cure them.

Its heart is the evaluator: `offers` for the list, `evaluate` for one method and plan, `remedies` and `apply` for what
would cure a refusal, `offer_for` for who may know what, `replay` for decisions of the past.
"""

from fenqi.cashier.disclosure import for_audience, offer_for
from fenqi.cashier.draw import Shortfall, draw
from fenqi.cashier.evaluate import (
    Verdict,
    decode_facts,
    decode_verdict,
    encode_facts,
    encode_verdict,
    evaluate,
    evaluate_method,
    replay,
    verdict,
)
from fenqi.cashier.offer import Offer, PlanCost, Price, next_best, offer_of, offers
from fenqi.cashier.remedy import remedies
from fenqi.cashier.remedy_apply import apply

__all__ = [
    "Offer",
    "PlanCost",
    "Price",
    "Shortfall",
    "Verdict",
    "apply",
    "decode_facts",
    "decode_verdict",
    "draw",
    "encode_facts",
    "encode_verdict",
    "evaluate",
    "evaluate_method",
    "for_audience",
    "next_best",
    "offer_for",
    "offer_of",
    "offers",
    "remedies",
    "replay",
    "verdict",
]
