"""Questions in words: answered for the caller's own order and line, or in general for anybody."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi.flows import ask
from fenqi.flows.ask_told import Answer
from fenqi.web.api.resource import Call, Nothing, resource


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question of at most 300 characters; `order_id` is the order it is about, `topic` one of the choices offered."""

    text: str
    order_id: UUID | None = None
    topic: str | None = None


class GeneralQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that nobody known asks."""

    text: str
    topic: str | None = None


class Rating(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the answer helped."""

    helped: bool


@resource("POST", "/v1/questions", body=Question, answer=Answer, max_body_bytes=4096, problems=(404,))
async def put(call: Call) -> Answer:
    """Ask in words, zh-CN or en; without `order_id` it is about the latest unpaid order.

    `outcome` is answered, choose (ask again with one of the `choices` as `topic`) or person (passed on to somebody).
    """
    asked: Question = call.body
    return await ask.ask(
        call.context, asked.text, call.locale, consumer_id=call.actor.consumer_id, order_id=asked.order_id,
        topic=asked.topic,
    )  # fmt: skip


@resource("POST", "/v1/questions:general", body=GeneralQuestion, answer=Answer, who=(), max_body_bytes=4096)
async def put_general(call: Call) -> Answer:
    """Ask in words without signing in: the general answer, nobody's figures."""
    asked: GeneralQuestion = call.body
    return await ask.ask(call.context, asked.text, call.locale, topic=asked.topic)


@resource("GET", "/v1/questions/{question}", answer=Answer)
async def read(call: Call) -> Answer:
    """One of the consumer's questions, with what holds now."""
    return await ask.again(call.context, call.id("question"), call.actor.consumer_id, call.locale)


@resource("POST", "/v1/questions/{question}:rate", body=Rating, answer=Nothing)
async def rate(call: Call) -> Nothing:
    """Say whether the answer helped; one that did not is passed to a person."""
    await ask.rate(call.context, call.id("question"), call.actor.consumer_id, call.body.helped)
    return Nothing()
