"""The desk's cases for staff: the queue, one case with all its evidence, and every act on it with its reason."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from fenqi import aftersales, staff
from fenqi.aftersales import Case, CaseDecision, CaseMove, Kind, Message, Verdict
from fenqi.flows import case_desk, case_replay, case_seen
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal
from fenqi.staff import Action, Member
from fenqi.web.api.resource import Call, resource

Why = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class DeskCase(msgspec.Struct, frozen=True):
    """A case as staff see it in the queue."""

    number: str
    kind: str
    topic: str
    state: str
    priority: int
    amount_minor: int | None
    consumer_id: UUID | None
    owner_id: UUID | None
    opened_at: datetime
    due_at: datetime
    left_minutes: int | None
    breached_at: datetime | None
    outcome: str | None


class DecisionView(msgspec.Struct, frozen=True):
    """What a person decided; `digest` (hex) seals it with what they saw."""

    n: int
    stage: str
    outcome: str
    reasons: tuple[str, ...]
    inputs: dict[str, Any]
    told: str
    why: str
    proposer: str | None
    actor: str
    at: datetime
    policy_version: str
    norms: str
    digest: str


class FileLine(msgspec.Struct, frozen=True):
    """A file that somebody handed in."""

    file_id: UUID
    audience: str
    name: str
    media_type: str
    size_bytes: int
    sha256: str


class DeskCaseWhole(msgspec.Struct, frozen=True):
    """A case with everything about it. Send `mark` back with a decision: it says what was shown."""

    case: DeskCase
    seen: case_seen.Seen
    mark: str
    messages: tuple[Message, ...]
    files: tuple[FileLine, ...]
    moves: tuple[CaseMove, ...]
    decisions: tuple[DecisionView, ...]


def _line(case: Case) -> DeskCase:
    return DeskCase(
        case.number, str(case.kind), str(case.topic), str(case.state), case.priority, case.amount_minor,
        case.consumer_id, case.owner_id, case.opened_at, case.due_at, case.left_minutes, case.breached_at, case.outcome,
    )  # fmt: skip


def _decision(one: CaseDecision) -> DecisionView:
    return DecisionView(
        one.n, str(one.stage), one.outcome, one.reasons, one.inputs, one.told, one.why, one.proposer, one.actor, one.at,
        one.policy_version, one.norms, one.digest.hex(),
    )  # fmt: skip


async def _member(call: Call) -> Member:
    async with call.context.database.snapshot() as tx:
        return await staff.get(tx, call.actor.staff_id)


@resource("GET", "/v1/staff/cases", answer=tuple[DeskCase, ...], who=("staff",), query=("kind",), problems=(403, 422))
async def queue(call: Call) -> tuple[DeskCase, ...]:
    """Open cases (of one `kind`, or of all), the most urgent first."""
    staff.check_may(await _member(call), Action.SEE_CASES)
    wanted = call.query.get("kind", "")
    if wanted and wanted not in list(Kind):
        raise Refusal("KIND_INVALID", f"one of {', '.join(Kind)}")
    kinds = [Kind(wanted)] if wanted else list(Kind)
    async with call.context.database.snapshot() as tx:
        return tuple(_line(one) for one in await aftersales.queue(tx, kinds))


@resource(
    "GET", "/v1/staff/cases/{case}", answer=DeskCaseWhole, who=("staff",), query=("why",), problems=(403, 404, 422)
)  # fmt: skip
async def read(call: Call) -> DeskCaseWhole:
    """One case with all its evidence; `why` it is looked at is kept. Rules, signals and lists are for the risk desk."""
    context, member = call.context, await _member(call)
    async with context.database.transaction() as tx:
        case = await aftersales.find(tx, call.path["case"])
        subject, why = f"case:{case.case_id}", call.query.get("why", "")
        await staff.audit(tx, member, Action.SEE_CASES, subject, why, context.now())
        shown = await case_desk.show(context, tx, case)
    whole = shown.whole
    return DeskCaseWhole(
        _line(case), case_seen.open_to(shown.seen, member.may(Action.SEE_HIDDEN_REASONS)), shown.mark,
        tuple(whole.messages),
        tuple(
            FileLine(one.evidence_id, one.audience, one.name, one.media_type, one.size_bytes, one.sha256.hex())
            for one in whole.evidence
        ),
        tuple(whole.moves), tuple(_decision(one) for one in whole.decisions),
    )  # fmt: skip


class Reasoned(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    why: Why


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer is asked; `mark` is that of the case as it was read."""

    text: Text
    why: Why
    mark: str


class NewNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message to the buyer, or a note among staff."""

    text: Text
    audience: Literal["buyer", "staff"]


class NewDecision(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An outcome of the case's kind, its codes, what it takes (`limit_minor`, `days`), and what the buyer reads."""

    outcome: str
    why: Why
    mark: str
    reasons: tuple[str, ...] = ()
    limit_minor: int | None = None
    days: int | None = None
    told: Annotated[str, msgspec.Meta(max_length=2_000)] = ""


class Seconded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The second person's word on a proposal."""

    why: Why
    mark: str


class Decided(msgspec.Struct, frozen=True):
    """The case after the act, and the decision: proposed (a second person is needed) or decided."""

    case: DeskCase
    decision: DecisionView


_ACT = (403, 404, 409)
_AT = "/v1/staff/cases/{case}"


@resource("POST", _AT + ":claim", body=Reasoned, answer=DeskCase, who=("staff",), problems=_ACT)
async def claim(call: Call) -> DeskCase:
    """Take it in hand, or over from a colleague."""
    return _line(await case_desk.claim(call.context, await _member(call), call.path["case"], call.body.why))


@resource("POST", _AT + ":release", body=Reasoned, answer=DeskCase, who=("staff",), problems=_ACT)
async def release(call: Call) -> DeskCase:
    """Give it back to the queue."""
    return _line(await case_desk.release(call.context, await _member(call), call.path["case"], call.body.why))


@resource("POST", _AT + ":lapse", body=Reasoned, answer=DeskCase, who=("staff",), problems=_ACT)
async def lapse(call: Call) -> DeskCase:
    """Close it: nothing is left to be decided."""
    return _line(await case_desk.lapse(call.context, await _member(call), call.path["case"], call.body.why))


@resource("POST", _AT + "/messages", body=NewNote, answer=DeskCase, who=("staff",), problems=_ACT)
async def tell(call: Call) -> DeskCase:
    """Write to the buyer, or a note for colleagues."""
    said, internal = call.body.text, call.body.audience == "staff"
    return _line(
        await case_desk.tell(call.context, await _member(call), call.path["case"], said, internal, new_id())
    )  # fmt: skip


@resource("POST", _AT + ":ask", body=Question, answer=DeskCase, who=("staff",), problems=_ACT)
async def ask(call: Call) -> DeskCase:
    """Ask the buyer for more: the clock stands still until they answer."""
    asked: Question = call.body
    member = await _member(call)
    return _line(await case_desk.ask(call.context, member, call.path["case"], asked.text, asked.why, asked.mark))


@resource("POST", _AT + ":decide", body=NewDecision, answer=Decided, who=("staff",), problems=_ACT)
async def decide(call: Call) -> Decided:
    """Decide a case in hand with what follows from it, or propose what a second person then decides."""
    new: NewDecision = call.body
    inputs = {
        name: value for name, value in (("limit_minor", new.limit_minor), ("days", new.days)) if value is not None
    }
    wanted = Verdict(outcome=new.outcome, reasons=new.reasons, inputs=inputs, told=new.told)
    done = await case_desk.decide(call.context, await _member(call), call.path["case"], wanted, new.why, new.mark)
    return Decided(_line(done[0]), _decision(done[1]))


@resource("POST", _AT + ":agree", body=Seconded, answer=Decided, who=("staff",), problems=_ACT)
async def agree(call: Call) -> Decided:
    """Decide what a colleague has proposed; never one's own (SAME_PERSON)."""
    said: Seconded = call.body
    done = await case_desk.agree(call.context, await _member(call), call.path["case"], said.why, said.mark)
    return Decided(_line(done[0]), _decision(done[1]))


@resource("POST", _AT + ":give-back", body=Seconded, answer=DeskCase, who=("staff",), problems=_ACT)
async def give_back(call: Call) -> DeskCase:
    """Disagree with what a colleague has proposed."""
    said: Seconded = call.body
    return _line(
        await case_desk.give_back(call.context, await _member(call), call.path["case"], said.why, said.mark)
    )  # fmt: skip


class CaseReplay(msgspec.Struct, frozen=True):
    """Whether every decision on the case stands as it was taken."""

    number: str
    decisions_count: int
    identical: bool
    faults: tuple[str, ...]


@resource("POST", _AT + ":replay", body=Reasoned, answer=CaseReplay, who=("staff",), problems=_ACT)
async def replay(call: Call) -> CaseReplay:
    """Check the seals, and judge the decisions again by the rules they name."""
    context, member = call.context, await _member(call)
    async with context.database.transaction() as tx:
        case = await aftersales.find(tx, call.path["case"])
        subject = f"case:{case.case_id}"
        await staff.audit(tx, member, Action.SEE_CASES, subject, call.body.why, context.now(), {"verb": "replay"})
        done = await case_replay.again(context, tx, case)
    return CaseReplay(done.number, done.decisions_count, done.identical, done.faults)
