"""The credit room: lines, limits, loans and what happens to them, and the pure instalment engine.

The front door: `application`, `activation`, `line`, `limit` for the line, `new_loan` and `insert_loans` for drawing,
`credit_facts` for the cashier. The engine needs no database: `schedule`, `fold`, `plan_cost`, `apr`.
"""

from fenqi.credit import activation, application, history, lateness, limit, line
from fenqi.credit.agreed import agreed, draws_of, terms_of_loan
from fenqi.credit.decision import ApplicationDecision, ApplicationInputs, ApplicationPolicy, Assessed, BureauFile
from fenqi.credit.default_policy import PRODUCT, PRODUCTS
from fenqi.credit.facts import HOLD, Admission, CreditView, credit_facts, credit_facts_of, lock_for_payment
from fenqi.credit.fold import FoldPolicy, Instalment, Settlement, fold, settlement
from fenqi.credit.fold import LoanState as FoldedLoan
from fenqi.credit.limit import Grant
from fenqi.credit.loan import (
    insert_loans,
    loan_of,
    loans_of,
    loans_of_order,
    new_loan,
    subsidies_spent,
    subsidised_uses,
)
from fenqi.credit.model import (
    Application,
    Consent,
    ConsentKind,
    CreditLimit,
    CreditLine,
    LimitKind,
    LineMove,
    LineState,
    Loan,
    LoanState,
    RecordedEvent,
    RefundRow,
)
from fenqi.credit.plan_cost import PlanCost, nominal_annual_cost_ppm, plan_cost
from fenqi.credit.position import Position
from fenqi.credit.product import CreditProduct, LoanPlan, RefundRules, terms_of
from fenqi.credit.record import events_of, position_of, positions
from fenqi.credit.refund import preview_refund, refund, refunds_of, shares_of, to_channels_of
from fenqi.credit.refund_plan import Purchase, RefundPlan, purchase_of
from fenqi.credit.repayment import Receipt, preview_repayment, repay
from fenqi.credit.repayment_plan import (
    FreeLimit,
    PayAmount,
    PayInstalment,
    PayOverdue,
    RepaymentPlan,
    RepaymentRequest,
    Settle,
    plan_repayment,
    plan_to_free,
)
from fenqi.credit.schedule import Plan, Terms, build, parse_terms, plan_document, preview
from fenqi.credit.standing import Parts

__all__ = [
    "HOLD",
    "PRODUCT",
    "PRODUCTS",
    "Admission",
    "Application",
    "ApplicationDecision",
    "ApplicationInputs",
    "ApplicationPolicy",
    "Assessed",
    "BureauFile",
    "Consent",
    "ConsentKind",
    "CreditLimit",
    "CreditLine",
    "CreditProduct",
    "CreditView",
    "FoldPolicy",
    "FoldedLoan",
    "FreeLimit",
    "Grant",
    "Instalment",
    "LimitKind",
    "LineMove",
    "LineState",
    "Loan",
    "LoanPlan",
    "LoanState",
    "Parts",
    "PayAmount",
    "PayInstalment",
    "PayOverdue",
    "Plan",
    "PlanCost",
    "Position",
    "Purchase",
    "Receipt",
    "RecordedEvent",
    "RefundPlan",
    "RefundRow",
    "RefundRules",
    "RepaymentPlan",
    "RepaymentRequest",
    "Settle",
    "Settlement",
    "Terms",
    "activation",
    "agreed",
    "application",
    "build",
    "credit_facts",
    "credit_facts_of",
    "draws_of",
    "events_of",
    "fold",
    "history",
    "insert_loans",
    "lateness",
    "limit",
    "line",
    "loan_of",
    "loans_of",
    "loans_of_order",
    "lock_for_payment",
    "new_loan",
    "nominal_annual_cost_ppm",
    "parse_terms",
    "plan_cost",
    "plan_document",
    "plan_repayment",
    "plan_to_free",
    "position_of",
    "positions",
    "preview",
    "preview_refund",
    "preview_repayment",
    "purchase_of",
    "refund",
    "refunds_of",
    "repay",
    "settlement",
    "shares_of",
    "subsidies_spent",
    "subsidised_uses",
    "terms_of",
    "terms_of_loan",
    "to_channels_of",
]
