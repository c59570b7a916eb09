"""What people bring along into the market: groups that they belong to, and a history with another lender's system.

Drawn from each person's id, so that it is the same whatever else is drawn.
"""

from __future__ import annotations

import random
from datetime import date

from fenqi import credit, customer
from fenqi.demo import assumptions as a
from fenqi.demo.shopper import Shopper
from fenqi.kernel.by import By

_DAYS_A_MONTH = 30.44


async def bring_over(one: Shopper, first_on: date) -> None:
    """Note before the market's first day `first_on` what is known of the person from before."""
    rng = random.Random(f"{a.SEED}/past/{one.person.sign_in_name}")
    is_parent, is_taken_over = rng.random() < a.STUDENT_PARENT, rng.random() < a.TAKEN_OVER
    days = round(rng.uniform(*a.HISTORY_MONTHS) * _DAYS_A_MONTH)
    async with one.ctx.database.transaction() as tx:
        if is_parent and not one.person.is_student:
            by = By("system:demo", "a certificate of enrolment of the child was shown", one.ctx.now())
            await customer.grant_segment(tx, one.consumer_id, "student_parent", by)
        if is_taken_over and one.has_line:
            by = By("system:demo", "the line was taken over from another system", one.ctx.now())
            first_loan_on = date.fromordinal(first_on.toordinal() - days)
            await credit.line.set_flags(tx, one.consumer_id, by, first_loan_on=first_loan_on)
