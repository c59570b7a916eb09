"""An attempt's story for the payment page: moves, notices, what was held and what went back, in time.

Put together from rows; nothing here reads or decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec

from fenqi import attempt
from fenqi.attempt import Attempt, AttemptState, ChannelRefund, Move, NoticeRow, RefundState
from fenqi.database.pool import Tx
from fenqi.flows.terms import Terms
from fenqi.kernel.clock import business_date

_TERMS = msgspec.json.Decoder(Terms)


class Event(NamedTuple):
    """One line of a story: a move with who, why and what was said, or a notice that came."""

    at: datetime
    name: str
    """begin | asked | again | a state; of a notice: payment | refund | refused."""
    move: Move | None = None
    notice: NoticeRow | None = None

    @property
    def on(self) -> date:
        """The mall's day."""
        return business_date(self.at)


class Back(NamedTuple):
    """A refund through the channel with its story."""

    refund: ChannelRefund
    events: tuple[Event, ...]

    @property
    def is_stuck(self) -> bool:
        """Whether somebody has to decide where the money goes."""
        return self.refund.state is RefundState.FAILED


class Held(NamedTuple):
    """What the house itself pays, set aside while the channel is asked. `state`: held | committed | released."""

    legs: tuple[tuple[str, int], ...]
    state: str


class Story(NamedTuple):
    """One attempt with everything that happened to it."""

    attempt: Attempt
    events: tuple[Event, ...]
    held: Held | None
    backs: tuple[Back, ...]

    @property
    def stand(self) -> str:
        """Where its money is: waits | asked | applied | filled | refunded | part_refunded | returning | returned |
        stuck | none; of a withdrawal sending | sent | not_sent."""
        if self.attempt.purpose == "withdrawal":
            return self._sent()
        if self.attempt.is_open:
            return "waits" if self.attempt.state is AttemptState.PENDING else "asked"
        if self.attempt.state is not AttemptState.SUCCEEDED:
            return "none"
        if any(back.is_stuck for back in self.backs):
            return "stuck"
        returned = self.attempt.disposition == "returned"
        if not self.backs:
            kept = "filled" if self.attempt.purpose == "top_up" else "applied"
            return "returning" if returned else kept
        if any(back.refund.finished_at is None for back in self.backs):
            return "returning"
        gone_minor = sum(back.refund.amount_minor for back in self.backs)
        if returned:
            return "returned"
        return "refunded" if gone_minor >= self.attempt.paid_minor else "part_refunded"

    def _sent(self) -> str:
        if self.attempt.is_open:
            return "sending"
        return "sent" if self.attempt.state is AttemptState.SUCCEEDED else "not_sent"


async def stories(tx: Tx, tries: Sequence[Attempt]) -> list[Story]:
    """The stories of one consumer's attempts, in their order."""
    if not tries:
        return []
    consumer_id = tries[0].consumer_id
    refunds = await attempt.refunds_of(tx, consumer_id, [each.attempt_id for each in tries])
    numbers = [each.attempt_no for each in tries] + [each.refund_no for each in refunds]
    heard: dict[str, list[NoticeRow]] = {}
    for notice in await attempt.notices_of(tx, numbers):
        heard.setdefault(notice.number, []).append(notice)
    backs: dict[UUID, list[Back]] = {}
    for back in refunds:
        moves = await attempt.refund_moves(tx, consumer_id, back.refund_id)
        backs.setdefault(back.attempt_id, []).append(Back(back, merged(moves, heard.get(back.refund_no, ()))))
    return [
        Story(
            each,
            merged(await attempt.moves(tx, consumer_id, each.attempt_id), heard.get(each.attempt_no, ())),
            held_of(each),
            tuple(backs.get(each.attempt_id, ())),
        )
        for each in tries
    ]


def merged(moves: Iterable[Move], notices: Iterable[NoticeRow]) -> tuple[Event, ...]:
    """Moves and notices as one line of events, oldest first; within an instant a notice stands before what it led to,
    and after everything else."""
    told = sorted(moves, key=lambda each: each.version)
    led = {each.at: each.version for each in reversed(told) if each.actor.startswith("channel:")}
    last = told[-1].version if told else 0
    line = [((each.at, 2 * each.version), Event(each.at, _name(each), move=each)) for each in told]
    for notice in notices:
        place = 2 * led.get(notice.received_at, last + 1) - 1
        line.append(((notice.received_at, place), Event(notice.received_at, notice.kind, notice=notice)))
    return tuple(event for _, event in sorted(line, key=lambda each: each[0]))


def _name(move: Move) -> str:
    if move.from_state is None:
        return "begin"
    if move.from_state == RefundState.FAILED and move.to_state == RefundState.CREATED:
        return "again"
    return move.to_state


def held_of(begun: Attempt) -> Held | None:
    """What was set aside for an attempt, by path, and whether it still is; None where the house pays no part."""
    if not begun.is_held:
        return None
    terms = _TERMS.decode(begun.terms)
    legs = terms.legs(terms.entries(begun.channel, begun.passage_id))
    state = "held" if begun.is_open else "released"
    if begun.disposition == "applied":
        state = "committed"
    return Held(tuple((leg.path, leg.amount_minor) for leg in legs), state)


class Raw(NamedTuple):
    """A notice's body as it came, its fields where it is a form, and what it was read as."""

    text: str
    fields: tuple[tuple[str, str], ...]
    read_as: bytes | None


def raw_of(notice: NoticeRow) -> Raw:
    """The raw text of a notice for reading; bytes that are no text are shown as replacement marks."""
    text = notice.body.decode(errors="replace")
    is_form = _content_type(notice.headers) == "application/x-www-form-urlencoded"
    fields: list[tuple[str, str]] = []
    if is_form:
        try:
            fields = parse_qsl(text, keep_blank_values=True, max_num_fields=200)
        except ValueError:
            fields = []
    return Raw(text, tuple(fields), notice.result)


def _content_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def actor_of(actor: str, names: Mapping[UUID, str]) -> tuple[str, str]:
    """(kind, name) of who did something: consumer, merchant, staff by name, system by job, channel by passage."""
    kind, _, who = actor.partition(":")
    if kind != "staff":
        return kind, who
    try:
        return kind, names.get(UUID(who), who)
    except ValueError:
        return kind, who
