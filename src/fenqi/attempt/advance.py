"""What a channel's answer means for an attempt and its order: one pure table for answers, notices and late news.

Money that came is never lost: it pays the order, or it is owed back at once. Anything else only ever moves forward.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from fenqi.attempt.model import OPEN, AttemptState


class Step(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    """It says what is known already, or less."""
    WAIT = "wait"
    """The channel waits for the buyer: pending from now on."""
    ASK = "ask"
    """Nobody knows: unknown, the janitor asks."""
    DECLINE = "decline"
    CLOSE = "close"
    APPLY = "apply"
    """The money pays what it was asked for."""
    REVIVE = "revive"
    """The order had lapsed: it is opened again, then paid."""
    RETURN = "return"
    """The money goes back."""


class Standing(msgspec.Struct, frozen=True):
    """Where an attempt and what it pays for stand."""

    state: AttemptState
    wanted: str
    """open: the order (or the top-up) still wants the money | paid | gone (closed, expired)."""
    has_inside: bool
    """Whether limits or the money account pay a part."""
    is_held: bool
    """Whether what was reserved for that part still is: not once the attempt has ended, or the hold's time is over."""
    revives: bool = False
    """The policy for money that comes for an order that has lapsed."""


def on_paid(at: Standing, asked: tuple[int, str], came: tuple[int, str]) -> tuple[Step, str]:
    """The step when the channel has the money, and the cause where it goes back: mismatch | double | late.

    `asked` and `came` are (fen, currency).
    """
    if at.state is AttemptState.SUCCEEDED:
        return Step.NOTHING, ""
    if asked != came:
        return Step.RETURN, "mismatch"
    if at.wanted == "paid":
        return Step.RETURN, "double"
    if at.state is AttemptState.DECLINED or (at.has_inside and not at.is_held):
        return Step.RETURN, "late"
    if at.wanted == "gone":
        return (Step.REVIVE, "") if at.revives and not at.has_inside else (Step.RETURN, "late")
    return Step.APPLY, ""


def on_waiting(state: AttemptState) -> Step:
    """The step when the channel waits."""
    return Step.WAIT if state in (AttemptState.CREATED, AttemptState.UNKNOWN) else Step.NOTHING


def on_unknown(state: AttemptState) -> Step:
    """The step when no answer came: only an attempt that nothing is known of becomes unknown by it."""
    return Step.ASK if state is AttemptState.CREATED else Step.NOTHING


def on_declined(state: AttemptState, kind: str, *, after_close: bool, is_settled: bool, buyer_opens: bool) -> Step:
    """The step when the channel does not have the money.

    `kind` is the contract's: refused | closed | absent. A trade that a channel does not have is closed when it was
    told to close it; before that it may only not have been opened yet by the buyer (`buyer_opens`), or the request
    may still be on its way (until `is_settled`).
    """
    if state not in OPEN:
        return Step.NOTHING
    if kind == "refused":
        return Step.DECLINE
    if kind == "closed" or after_close:
        return Step.CLOSE
    if buyer_opens and state is AttemptState.PENDING:
        return Step.NOTHING
    return Step.DECLINE if is_settled else on_unknown(state)
