"""The instalment engine: terms in, schedule and annual cost out. Pure, and usable without a database.

Read `plan.build` first; `document` is the same for JSON, `method` and `day_count` hold the formulas.
"""

from fenqi.credit.schedule.document import parse_terms, plan_document, preview
from fenqi.credit.schedule.plan import Plan, Totals, build
from fenqi.credit.schedule.terms import DayCount, InterestPeriod, Method, Row, Terms, Unit, YearSplit

__all__ = [
    "DayCount",
    "InterestPeriod",
    "Method",
    "Plan",
    "Row",
    "Terms",
    "Totals",
    "Unit",
    "YearSplit",
    "build",
    "parse_terms",
    "plan_document",
    "preview",
]
