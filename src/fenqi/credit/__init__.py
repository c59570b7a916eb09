"""The credit room: lines, limits, loans and what happens to them, and the pure instalment engine.

The front door: `application`, `activation`, `line`, `limit` for the line, `new_loan` and `insert_loans` for drawing,
`credit_facts` for the cashier. The engine needs no database: `schedule`, `fold`, `plan_cost`, `apr`.
"""

from fenqi.credit import activation, application, limit, line
from fenqi.credit.agreed import agreed, draws_of, terms_of_loan
from fenqi.credit.decision import ApplicationDecision, ApplicationInputs, BureauFile
from fenqi.credit.default_policy import APPLICATION_POLICY, PRODUCT, PRODUCTS
from fenqi.credit.facts import CreditView, credit_facts, credit_facts_of, versions
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
from fenqi.credit.model import CreditLimit, CreditLine, LimitKind, LineState, Loan, LoanState
from fenqi.credit.plan_cost import PlanCost, nominal_annual_cost_ppm, plan_cost
from fenqi.credit.position import Position
from fenqi.credit.product import CreditProduct, LoanPlan, terms_of
from fenqi.credit.schedule import Plan, Terms, build, parse_terms, plan_document, preview
from fenqi.credit.standing import Parts

__all__ = [
    "APPLICATION_POLICY",
    "PRODUCT",
    "PRODUCTS",
    "ApplicationDecision",
    "ApplicationInputs",
    "BureauFile",
    "CreditLimit",
    "CreditLine",
    "CreditProduct",
    "CreditView",
    "FoldPolicy",
    "FoldedLoan",
    "Grant",
    "Instalment",
    "LimitKind",
    "LineState",
    "Loan",
    "LoanPlan",
    "LoanState",
    "Parts",
    "Plan",
    "PlanCost",
    "Position",
    "Settlement",
    "Terms",
    "activation",
    "agreed",
    "application",
    "build",
    "credit_facts",
    "credit_facts_of",
    "draws_of",
    "fold",
    "insert_loans",
    "limit",
    "line",
    "loan_of",
    "loans_of",
    "loans_of_order",
    "new_loan",
    "nominal_annual_cost_ppm",
    "parse_terms",
    "plan_cost",
    "plan_document",
    "preview",
    "settlement",
    "subsidies_spent",
    "subsidised_uses",
    "terms_of",
    "terms_of_loan",
    "versions",
]
