"""What a person has before them when they decide a case: gathered, frozen, and kept as bytes with the decision.

Derived values only, like all facts: no name, id number, phone or address; texts and files by their digests.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import msgspec

from fenqi import cashier, credit, order
from fenqi.aftersales import About, Whole
from fenqi.cashier import StoredDecision
from fenqi.credit import Application, ApplicationInputs, CreditView
from fenqi.database.pool import Tx
from fenqi.flows import case_risk
from fenqi.flows.context import Context
from fenqi.kernel.ids import bucket_of
from fenqi.order import Order

_JSON = msgspec.json.Encoder(order="deterministic")


class SeenOrder(msgspec.Struct, frozen=True):
    """The order as far as a decision on it looks."""

    order_id: UUID
    number: str
    state: str
    scene: str
    payable_minor: int
    lines: tuple[tuple[str, UUID, int], ...]
    """Category, seller, amount in fen."""


class SeenLimit(msgspec.Struct, frozen=True):
    """One limit of the line."""

    path: str
    granted_minor: int
    used_minor: int
    frozen_minor: int


class SeenLine(msgspec.Struct, frozen=True):
    """The credit line."""

    state: str
    version: int
    limits: tuple[SeenLimit, ...]
    reduced_from_minor: int | None
    overdue_minor: int
    overdue_days: int
    observed_until_on: str | None
    principal_reasons: tuple[str, ...]


class SeenApplication(msgspec.Struct, frozen=True):
    """The application with everything that the policy looked at."""

    application_id: UUID
    outcome: str
    policy_version: str
    inputs: ApplicationInputs
    principal_reasons: tuple[str, ...]


class SeenDecision(msgspec.Struct, frozen=True):
    """The cashier's stored decision that the case is about: which, and what its facts were, by digest."""

    decision_id: UUID
    policy_version: str
    evaluator_version: int
    facts_sha256: str
    verdict_sha256: str
    risk: cashier.RiskFacts


class Seen(msgspec.Struct, frozen=True):
    """Everything a case's screen shows for the decision."""

    number: str
    kind: str
    topic: str
    subject: str
    about: About
    amount_minor: int | None
    order: SeenOrder | None
    line: SeenLine | None
    application: SeenApplication | None
    decision: SeenDecision | None
    lists: tuple[str, ...]
    texts_sha256: tuple[str, ...]
    files_sha256: tuple[str, ...]
    decisions: tuple[str, ...]
    """The stages and outcomes before."""


def encode(seen: Seen) -> bytes:
    """The bytes that are kept and sealed."""
    return _JSON.encode(seen)


def decode(facts: bytes) -> Seen:
    """What somebody saw, from the bytes that were kept."""
    return msgspec.json.decode(facts, type=Seen)


def open_to(seen: Seen, sees_hidden: bool) -> Seen:
    """What of it a member of staff may know: rules, signals and lists are for the risk desk alone."""
    if sees_hidden:
        return seen
    decision = seen.decision
    if decision is not None:
        decision = msgspec.structs.replace(decision, risk=cashier.RiskFacts())
    return msgspec.structs.replace(seen, decision=decision, lists=())


def digest(content: bytes) -> str:
    """SHA-256 as text."""
    return hashlib.sha256(content).hexdigest()


def mark_of(facts: bytes) -> str:
    """A short mark of what was shown: a form sends it back, so that nobody decides on what they haven't seen."""
    return digest(facts)[:32]


async def gather(ctx: Context, tx: Tx, whole: Whole) -> Seen:
    """Gather it, as of now."""
    case = whole.case
    consumer_id, about = case.consumer_id, case.about
    bought = await _order(tx, consumer_id, about.order_id)
    view = None if consumer_id is None else await _line(ctx, tx, consumer_id)
    return Seen(
        case.number, str(case.kind), str(case.topic), f"{case.subject.kind}:{case.subject.id}", about,
        case.amount_minor,
        None if bought is None else _seen_order(bought),
        None if view is None else _seen_line(view),
        await _application(tx, consumer_id, about.application_id),
        await _decision(tx, consumer_id, about.decision_id),
        () if consumer_id is None else await case_risk.lists_of(ctx, tx, consumer_id),
        tuple(digest(one.body.encode()) for one in whole.messages),
        tuple(one.sha256.hex() for one in whole.evidence),
        tuple(f"{one.stage}:{one.outcome}" for one in whole.decisions),
    )  # fmt: skip


async def _order(tx: Tx, consumer_id: UUID | None, order_id: UUID | None) -> Order | None:
    if consumer_id is None or order_id is None:
        return None
    return await order.get(tx, consumer_id, order_id)


def _seen_order(bought: Order) -> SeenOrder:
    lines = tuple((line.category, line.merchant_id, line.amount_minor) for line in bought.lines)
    return SeenOrder(
        bought.order_id, bought.number, str(bought.state), bought.scene, bought.payable_minor, lines
    )  # fmt: skip


async def _line(ctx: Context, tx: Tx, consumer_id: UUID) -> CreditView:
    ref = await ctx.reference.current(tx, ctx.now())
    return await credit.credit_facts_of(tx, consumer_id, ctx.now(), ref.product)


def _seen_line(view: CreditView) -> SeenLine:
    limits = tuple(SeenLimit(one.path, one.ceiling_minor, one.used_minor, one.frozen_minor) for one in view.limits)
    observed = view.observed_until_on
    return SeenLine(
        view.state, view.line_version, limits, view.reduced_from_minor, view.overdue_minor, view.overdue_days,
        None if observed is None else observed.isoformat(), view.principal_reasons,
    )  # fmt: skip


async def _application(tx: Tx, consumer_id: UUID | None, application_id: UUID | None) -> SeenApplication | None:
    if consumer_id is None or application_id is None:
        return None
    all_of_them: list[Application] = await credit.application.applications(tx, consumer_id)
    found = next((one for one in all_of_them if one.application_id == application_id), None)
    if found is None:
        return None
    return SeenApplication(
        found.application_id, found.outcome, found.policy_version, found.inputs, found.principal_reasons
    )


async def _decision(tx: Tx, consumer_id: UUID | None, decision_id: UUID | None) -> SeenDecision | None:
    if consumer_id is None or decision_id is None:
        return None
    stored: StoredDecision | None = await cashier.select_decision(tx, bucket_of(consumer_id), consumer_id, decision_id)
    if stored is None:
        return None
    return SeenDecision(
        stored.decision_id, stored.policy_version, stored.evaluator_version,
        digest(stored.facts), digest(stored.verdict),
        cashier.decode_facts(stored.facts).risk,
    )  # fmt: skip
