"""One recipe a business event: pure functions from what happened to the entries of its journal.

Every recipe balances within each book it touches and names its event in `KIND`; the shelf's test checks both.
"""
