"""Everybody of the cast asks 怎么回事: a refused order has typed reasons, an identical replay, words for all."""

from __future__ import annotations

import os

import pytest

from fenqi.flows import diagnose, diagnose_find, dossier, quote
from fenqi.kernel.reason import CODES
from fenqi.seed.cast import MEMBERS, Member
from fenqi.seed.casting import Casting
from fenqi.texts import Audience, Locale


@pytest.mark.parametrize("member", MEMBERS, ids=[member.name for member in MEMBERS])
def test_a_refused_order_is_explained_to_everybody(member: Member, crew: Casting, live, caplog) -> None:
    found = live(_dossier(crew, member))
    for audience in Audience:
        for locale in Locale:
            told = diagnose.tell(found, audience, locale)
            assert told.narrative
            assert told.proof is not None
            assert told.proof.identical
            assert all(one.code in CODES for one in told.reasons)
            if member.code is not None:
                assert told.reasons
            if os.environ.get("FENQI_SHOW"):
                print(f"\n[{member.name} {audience} {locale}] {told.narrative}")
    assert [r.getMessage() for r in caplog.records if r.name.startswith("fenqi.texts")] == []


async def _dossier(crew: Casting, member: Member) -> dossier.Dossier:
    stage = await crew.bring_up(member, f"why-{member.name}")
    if member.part.then is not None:
        await member.part.then(stage)
    placed = stage.orders[-1]
    await quote.quote(crew.ctx, stage.consumer_id, placed.intent_id)
    async with crew.ctx.database.snapshot() as tx:
        subject = await diagnose_find.find(tx, placed.order.number)
    return await dossier.gather(crew.ctx, subject)
