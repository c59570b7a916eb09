"""The cashier: what is owed for an order, which methods can pay it, why the others can't, and what would cure them.

Its heart is the evaluator: `offers` for the list, `evaluate` for one method and plan, `remedies` and `apply` for what
would cure a refusal, `offer_for` for who may know what, `replay` for decisions of the past.
"""

from fenqi.cashier.action import (
    Action,
    Cost,
    Remedy,
    Route,
)
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
from fenqi.cashier.facts import (
    AlternativeOffer,
    CapFacts,
    ChannelFacts,
    ConsumerFacts,
    CouponFacts,
    CreditFacts,
    ExposureFacts,
    Facts,
    GoodsRule,
    HoldFacts,
    LimitFacts,
    LineFacts,
    MethodFacts,
    MoneyAccountFacts,
    OpenLoan,
    OrderFacts,
    PlanFacts,
    RiskFacts,
    SellerFacts,
    ToldFacts,
    Versions,
)
from fenqi.cashier.model import (
    Checkout,
    Payment,
    StoredDecision,
    Tender,
)
from fenqi.cashier.offer import Offer, PlanCost, Price, next_best, offer_of, offers
from fenqi.cashier.remedy import remedies
from fenqi.cashier.remedy_apply import apply
from fenqi.cashier.store import (
    find_payment,
    insert_decisions,
    insert_payments,
    select_answers,
    select_decision,
    select_decisions,
    select_payment,
    select_payments_of_order,
)
from fenqi.cashier.store import insert_intent as open_checkout
from fenqi.cashier.store import select_intent as checkout
from fenqi.cashier.store import select_intents as checkouts_of
from fenqi.cashier.told import cards_refused, told_of, wants_another_card

__all__ = [
    "Action",
    "AlternativeOffer",
    "CapFacts",
    "ChannelFacts",
    "Checkout",
    "ConsumerFacts",
    "Cost",
    "CouponFacts",
    "CreditFacts",
    "ExposureFacts",
    "Facts",
    "GoodsRule",
    "HoldFacts",
    "LimitFacts",
    "LineFacts",
    "MethodFacts",
    "MoneyAccountFacts",
    "Offer",
    "OpenLoan",
    "OrderFacts",
    "Payment",
    "PlanCost",
    "PlanFacts",
    "Price",
    "Remedy",
    "RiskFacts",
    "Route",
    "SellerFacts",
    "Shortfall",
    "StoredDecision",
    "Tender",
    "ToldFacts",
    "Verdict",
    "Versions",
    "apply",
    "cards_refused",
    "checkout",
    "checkouts_of",
    "decode_facts",
    "decode_verdict",
    "draw",
    "encode_facts",
    "encode_verdict",
    "evaluate",
    "evaluate_method",
    "find_payment",
    "for_audience",
    "insert_decisions",
    "insert_payments",
    "next_best",
    "offer_for",
    "offer_of",
    "offers",
    "open_checkout",
    "remedies",
    "replay",
    "select_answers",
    "select_decision",
    "select_decisions",
    "select_payment",
    "select_payments_of_order",
    "told_of",
    "verdict",
    "wants_another_card",
]
