"""Everybody of the demo's cast is told what the list says, and every remedy that they are offered works: law 3."""

from __future__ import annotations

import hashlib
import os

import pytest
from tests.demo.remedy_taker import look, take

from fenqi.cashier import Offer, Payment
from fenqi.flows import pay
from fenqi.flows.quote import Quote
from fenqi.kernel.ids import new_id
from fenqi.kernel.reason import CODES
from fenqi.seed.cast import GROUPS, MEMBERS, Member
from fenqi.seed.casting import Casting
from fenqi.seed.stage import Stage

_COVERED_ELSEWHERE = frozenset(
    {"METHOD_SUSPENDED", "EXPOSURE_CAP_REACHED", "POLICY_MISSING", "PLAN_TERM_CONFLICT", "PLAN_APR_CAP"}
    | {"RISK_DEVICE_ROOTED", "RISK_NETWORK", "RISK_MERCHANT_FLAGGED"}
)
"""Of the platform and of other policies, brought about by tests/properties; of what a device declares, and of a shop on
a list that all share, by tests/risk."""


def test_cast_covers_the_dictionary() -> None:
    covered = {member.code for member in MEMBERS}
    wanted = {meta.code for meta in CODES.values() if meta.group in "PABCDEFH" and meta.code not in _twins()}
    principal = {"CREDIT_COOLING_OFF"}  # shown by `rejected` beside the refusal
    assert wanted - covered - _COVERED_ELSEWHERE - principal == set()
    assert {member.group for member in MEMBERS} == GROUPS.keys()
    assert len({member.name for member in MEMBERS}) == len(MEMBERS)


def _twins() -> set[str]:
    return {meta.twin for meta in CODES.values() if meta.twin}


@pytest.mark.parametrize("member", MEMBERS, ids=[member.name for member in MEMBERS])
def test_is_told_why_and_every_remedy_works(member: Member, crew: Casting, live) -> None:
    shown = live(_first(crew, member))
    offer = _offer(shown, member)
    codes = [reason.code for reason in offer.reasons]
    if member.code is None:
        assert offer.available
    else:
        assert member.code in codes
    for number, (one, place) in enumerate(_to_take(shown, offer)):
        payment = live(_cured(crew, member, number, one, place))
        assert payment.outcome == "succeeded", (one.method, one.plan, one.remedies[place].actions, payment.reasons)
    assert live(_pressed(crew, member)) == sorted(codes)


def _to_take(shown: Quote, own: Offer) -> list[tuple[Offer, int]]:
    """The remedies of the member's own offer; with FENQI_EVERY_OFFER=1 one of each kind of all that are shown."""
    if not os.environ.get("FENQI_EVERY_OFFER"):
        return [(own, place) for place in range(len(own.remedies))]
    kinds = {
        (offer.method, offer.plan, tuple(type(step) for step in remedy.actions)): (offer, place)
        for offer in shown.offers
        for place, remedy in enumerate(offer.remedies)
    }
    return list(kinds.values())


async def _first(crew: Casting, member: Member) -> Quote:
    return await look(await _brought_up(crew, member, f"{member.name}-0"))


async def _brought_up(crew: Casting, member: Member, name: str) -> Stage:
    stage = await crew.bring_up(member, name)
    if member.part.then is not None:
        await member.part.then(stage)
    return stage


async def _cured(crew: Casting, member: Member, number: int, offer: Offer, place: int) -> Payment:
    """The remedy at this place, in another life just like the first."""
    stage = await _brought_up(crew, member, f"{member.name}-{number + 1}")
    shown = await look(stage)
    same = next(one for one in shown.offers if (one.method, one.plan) == (offer.method, offer.plan))
    assert [type(step) for step in same.remedies[place].actions] == [type(x) for x in offer.remedies[place].actions]
    return await take(stage, shown, same, place)


async def _pressed(crew: Casting, member: Member) -> list[str]:
    """Paying all the same is refused with the very reasons that were listed: law 4."""
    stage = await _brought_up(crew, member, f"{member.name}-p")
    request = pay.PayRequest(
        stage.consumer_id, new_id(), stage.orders[-1].intent_id, member.method, member.plan,
        hashlib.sha256(b"all the same").digest(),
    )  # fmt: skip
    payment = await pay.pay(stage.ctx, request)
    assert (payment.outcome == "succeeded") == (member.code is None)
    return sorted(reason.code for reason in payment.reasons)


def _offer(shown: Quote, member: Member) -> Offer:
    return next(one for one in shown.offers if (one.method, one.plan) == (member.method, member.plan))
