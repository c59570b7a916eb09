"""Requests that people decide: the consumer's own (appeal, review, higher limit, complaint, question)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from fenqi import aftersales
from fenqi.aftersales import FILE_MOST_BYTES, Case, CaseState, Whole
from fenqi.flows import case_buyer
from fenqi.flows.case_buyer import File, Request
from fenqi.kernel.money import MAX_AMOUNT_MINOR
from fenqi.kernel.refusal import NotFound
from fenqi.web.api.resource import Call, Nothing, resource

_UPLOAD_BYTES = 3 * FILE_MOST_BYTES
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class NewFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: PNG, JPEG, WebP or PDF, at most 1 MiB; `content` in base64."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    content: bytes


class NewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked for. An appeal or review names the refusal (`decision_id` of a quote or payment, `method`, `plan`),
    or nothing: then it is against what the credit line says. `wanted_minor` is the limit asked for."""

    route: Literal["appeal", "human_review", "raise_limit", "contact_support", "settlement_plan", "complaint"]
    text: Text
    decision_id: UUID | None = None
    method: Annotated[str, msgspec.Meta(max_length=40)] = ""
    plan: Annotated[str, msgspec.Meta(max_length=40)] = ""
    order_id: UUID | None = None
    wanted_minor: Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT_MINOR)] | None = None
    files: Annotated[tuple[NewFile, ...], msgspec.Meta(max_length=3)] = ()


class CaseView(msgspec.Struct, frozen=True):
    """A request in one line."""

    number: str
    kind: str
    """payment_review | application_review | appeal | raise_limit | complaint | question"""
    state: str
    """open | in_hand | waiting (for the consumer's answer) | decided | withdrawn | lapsed"""
    outcome: str | None
    order_number: str
    opened_at: datetime
    due_at: datetime
    """By when it is answered, in working time; while it waits for the consumer, by when they are to answer."""
    ended_at: datetime | None


class MessageView(msgspec.Struct, frozen=True):
    """One message of the thread."""

    message_id: UUID
    by: str
    """consumer | staff"""
    text: str
    at: datetime


class FileView(msgspec.Struct, frozen=True):
    """A file that the consumer handed in."""

    file_id: UUID
    name: str
    media_type: str
    size_bytes: int
    at: datetime


class CaseWhole(msgspec.Struct, frozen=True):
    """A request with its thread and files."""

    case: CaseView
    messages: tuple[MessageView, ...]
    files: tuple[FileView, ...]


def case_view(case: Case) -> CaseView:
    """The case for its consumer, who need not know that a second person is asked."""
    state = CaseState.IN_HAND if case.state is CaseState.PROPOSED else case.state
    return CaseView(
        case.number, str(case.kind), str(state), case.outcome, case.about.order_number, case.opened_at, case.due_at,
        case.ended_at,
    )  # fmt: skip


def _whole(found: Whole) -> CaseWhole:
    return CaseWhole(
        case_view(found.case),
        tuple(MessageView(m.message_id, m.actor.partition(":")[0], m.body, m.at) for m in found.for_buyer),
        tuple(
            FileView(one.evidence_id, one.name, one.media_type, one.size_bytes, one.at)
            for one in found.evidence
            if one.audience == "buyer"
        ),
    )


@resource(
    "POST", "/v1/cases", body=NewRequest, answer=CaseWhole, keyed=True, problems=(404, 409),
    max_body_bytes=_UPLOAD_BYTES * 2,
)  # fmt: skip
async def create(call: Call) -> CaseWhole:
    """Ask people to decide. A request about what one is open about already is added to that one."""
    new: NewRequest = call.body
    request = Request(
        route=new.route, text=new.text, decision_id=new.decision_id, method=new.method, plan=new.plan,
        order_id=new.order_id, wanted_minor=new.wanted_minor,
        files=tuple(File(one.name, one.content) for one in new.files),
    )  # fmt: skip
    asked = await case_buyer.ask(call.context, call.actor.consumer_id, call.id_of_key("case"), request)
    return _whole(await case_buyer.one(call.context, call.actor.consumer_id, asked.case.number))


@resource("GET", "/v1/cases", answer=tuple[CaseView, ...])
async def listing(call: Call) -> tuple[CaseView, ...]:
    """The consumer's requests, and reviews that they were told of, newest first."""
    return tuple(case_view(one) for one in await case_buyer.mine(call.context, call.actor.consumer_id))


@resource("GET", "/v1/cases/{case}", answer=CaseWhole)
async def read(call: Call) -> CaseWhole:
    """One of them, by its number."""
    return _whole(await case_buyer.one(call.context, call.actor.consumer_id, call.path["case"]))


class NewMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message."""

    text: Text


@resource("POST", "/v1/cases/{case}/messages", body=NewMessage, answer=CaseWhole, keyed=True, problems=(404, 409))
async def write(call: Call) -> CaseWhole:
    """Write to an open request; where an answer was waited for, the promised time runs on."""
    number, consumer_id = call.path["case"], call.actor.consumer_id
    await case_buyer.write(call.context, consumer_id, number, call.id_of_key("case_reply"), call.body.text)
    return _whole(await case_buyer.one(call.context, consumer_id, number))


@resource(
    "POST", "/v1/cases/{case}/files", body=NewFile, answer=CaseWhole, keyed=True, problems=(404, 409),
    max_body_bytes=_UPLOAD_BYTES,
)  # fmt: skip
async def hand_in(call: Call) -> CaseWhole:
    """Hand a file in; refused with FILE_TYPE_UNKNOWN, FILE_TOO_LARGE, FILE_EMPTY, FILES_TOO_MANY."""
    number, consumer_id = call.path["case"], call.actor.consumer_id
    file = File(call.body.name, call.body.content)
    await case_buyer.hand_in(call.context, consumer_id, number, call.id_of_key("case_file"), file)
    return _whole(await case_buyer.one(call.context, consumer_id, number))


class FileContent(msgspec.Struct, frozen=True):
    """A file with its content in base64."""

    name: str
    media_type: str
    content: bytes


@resource("GET", "/v1/cases/{case}/files/{file}", answer=FileContent)
async def file(call: Call) -> FileContent:
    """One of the consumer's own files."""
    async with call.context.database.snapshot() as tx:
        case = await case_buyer.own(tx, call.actor.consumer_id, call.path["case"])
        found, content = await aftersales.file_of(tx, case, call.id("file"))
    if found.audience != "buyer":
        raise NotFound("FILE_UNKNOWN", "no such file")
    return FileContent(found.name, found.media_type, content)


@resource("POST", "/v1/cases/{case}:withdraw", body=Nothing, answer=CaseView, problems=(403, 404, 409))
async def withdraw(call: Call) -> CaseView:
    """Take one's own request back, while nobody has decided it."""
    return case_view(await case_buyer.withdraw(call.context, call.actor.consumer_id, call.path["case"]))
