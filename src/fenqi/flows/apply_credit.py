"""Applying for the credit line: what is known of the applicant and what they declare, judged by the policy in force.

The person's id is claimed for this account first, in a place of its own; a line under another account ends it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec

from fenqi import credit, customer
from fenqi import policy as policies
from fenqi.credit import Application, ApplicationDecision, ApplicationInputs, BureauFile, Consent, CreditLine
from fenqi.customer import Consumer
from fenqi.database.pool import Tx
from fenqi.flows import case_open
from fenqi.flows.context import Context
from fenqi.flows.opening import OpeningPolicy
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.policy import PolicyBook

DEMO_BUREAU = BureauFile(
    lenders_count=1,
    months_on_file=48,
    inquiries_count=1,
    monthly_obligation_minor=120_000,
    opened_12m_count=1,
    used_ppm=350_000,
)
"""What the demo's credit bureau says of everybody; a real one is asked where a contract with it exists."""


def bureau_of(ctx: Context) -> BureauFile | None:
    """The bureau's file that an application is decided on; outside the demo there is none yet."""
    return DEMO_BUREAU if ctx.settings.demo else None


class Declared(msgspec.Struct, frozen=True):
    """What an applicant says, and which of it papers have shown ("income", "employment", "residence")."""

    income_minor: int | None = None
    """Monthly, in fen."""
    shown: tuple[str, ...] = ()


async def apply(
    ctx: Context,
    consumer_id: UUID,
    application_id: UUID,
    declared: Declared,
    consents: Sequence[Consent],
    bureau: BureauFile | None,
) -> tuple[Application, CreditLine]:
    """Decide the application: approved (then `activate_credit`), rejected with principal reasons, or for a person.

    `application_id` is the caller's: a repeat gets the first decision. Refuses REALNAME_REQUIRED, AGE_INELIGIBLE,
    REGION_INELIGIBLE, STUDENT_RESTRICTED, CONSENT_REQUIRED, CREDIT_ON_OTHER_ACCOUNT, CREDIT_COOLING_OFF,
    AMOUNT_INVALID, and STATE_CONFLICT where there is a line already.
    """
    if declared.income_minor is not None and declared.income_minor < 0:
        raise Refusal("AMOUNT_INVALID", "an income is not negative")
    by = ctx.by_consumer(consumer_id, "applied for the credit line")
    consumer = await _claim(ctx, consumer_id, by)
    async with ctx.database.transaction() as tx:
        earlier = await _earlier(tx, consumer_id, application_id)
        if earlier is not None:
            return earlier
        inputs = await _inputs(ctx, tx, consumer, declared, bureau, by)
        reference = await ctx.reference.current(tx, by.at)
        policy = OpeningPolicy(reference.policy_for(consumer_id))
        application, line = await credit.application.apply(
            tx, consumer_id, application_id, inputs, consents, policy, reference.product, by
        )
        return application, await case_open.of_application(ctx, tx, application, line)


async def replays(tx: Tx, application: Application) -> bool:
    """Whether the version of the policy that decided, asked again with the stored inputs, decides the same today.

    False also for applications from before the tables were asked, whose policy isn't kept.
    """
    try:
        version = await policies.by_number(tx, application.policy_version)
    except NotFound:
        return False
    return credit.application.replays(application, OpeningPolicy(PolicyBook(version)))


async def review(
    ctx: Context, consumer_id: UUID, application_id: UUID, decision: ApplicationDecision, by: By
) -> CreditLine:
    """Decide an application that the policy left to people, past its case, which lapses (`case_desk` decides cases)."""
    async with ctx.database.transaction() as tx:
        await case_open.overtake_application(tx, consumer_id, application_id, by)
        return await credit.application.review(tx, consumer_id, application_id, decision, ctx.reference.product, by)


async def _claim(ctx: Context, consumer_id: UUID, by: By) -> Consumer:
    """Claim the person's id for this account; refuses when the line is under another one, and remembers that."""
    async with ctx.database.transaction() as tx:
        consumer = await customer.get(tx, consumer_id)
        owner = await customer.claim_credit_line(tx, ctx.keys, consumer, by)
    if owner is None or owner == consumer_id:
        return consumer
    async with ctx.database.transaction() as tx:
        await credit.application.note_other_account(tx, consumer_id, by)
    raise Conflict("CREDIT_ON_OTHER_ACCOUNT", "the person has a line under another account")


async def _earlier(tx: Tx, consumer_id: UUID, application_id: UUID) -> tuple[Application, CreditLine] | None:
    for application in await credit.application.applications(tx, consumer_id):
        if application.application_id == application_id:
            line = await credit.line.read(tx, consumer_id)
            assert line is not None, "who applied has a line"
            return application, line
    return None


async def _inputs(
    ctx: Context, tx: Tx, consumer: Consumer, declared: Declared, bureau: BureauFile | None, by: By
) -> ApplicationInputs:
    own = await credit.credit_facts_of(tx, consumer.consumer_id, by.at, ctx.reference.product)
    return ApplicationInputs(
        real_name=str(consumer.real_name),
        age=consumer.age(business_date(by.at)),
        region=str(consumer.region),
        is_student=consumer.is_student,
        phone_reachable=consumer.phone_reachable,
        card_bound=consumer.cards > 0,
        income_minor=declared.income_minor,
        income_verified="income" in declared.shown,
        employment_verified="employment" in declared.shown,
        residence_verified="residence" in declared.shown,
        bureau=bureau,
        own_overdue_days=own.overdue_days,
        segments=consumer.segments,
    )
