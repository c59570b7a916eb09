"""The credit room: lines, limits, loans and what happens to them, and the pure instalment engine.

The front door: `application`, `activation`, `line` and `limit` for the line, `loan` for drawing on it, `facts` for the
cashier; `schedule`, `fold`, `plan_cost` and `apr` are the engine, which needs no database.
"""

from fenqi.credit import activation, application, limit, line
from fenqi.credit.default_policy import APPLICATION_POLICY, PRODUCT, PRODUCTS
from fenqi.credit.facts import CreditView, credit_facts, credit_facts_of, versions
from fenqi.credit.loan import insert_loans, loan_of, loans_of, loans_of_order, new_loan
from fenqi.credit.model import CreditLimit, CreditLine, LineState, Loan, LoanState
from fenqi.credit.plan_cost import PlanCost, plan_cost
from fenqi.credit.product import CreditProduct, LoanPlan

__all__ = [
    "APPLICATION_POLICY",
    "PRODUCT",
    "PRODUCTS",
    "CreditLimit",
    "CreditLine",
    "CreditProduct",
    "CreditView",
    "LineState",
    "Loan",
    "LoanPlan",
    "LoanState",
    "PlanCost",
    "activation",
    "application",
    "credit_facts",
    "credit_facts_of",
    "insert_loans",
    "limit",
    "line",
    "loan_of",
    "loans_of",
    "loans_of_order",
    "new_loan",
    "plan_cost",
    "versions",
]
