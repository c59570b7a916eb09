"""A simulated market asks 怎么回事: every refused order has a diagnosis, for everybody, in both languages."""

from __future__ import annotations

from typing import Any

from tests.demo.conftest import NOW
from tests.demo.test_market import _OFTEN, _market

from fenqi import cashier, order
from fenqi.demo import assumptions
from fenqi.flows import diagnose, dossier
from fenqi.flows.diagnose import Kind, Subject
from fenqi.kernel.clock import business_date
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.reason import CODES
from fenqi.order import Order
from fenqi.seed.casting import Casting
from fenqi.seed.people import people
from fenqi.texts import Audience, Locale


def test_every_refused_order_of_the_market_is_explained(
    crew: Casting, live: Any, monkeypatch: Any, caplog: Any
) -> None:
    for name, share in _OFTEN.items():
        monkeypatch.setattr(assumptions, name, share)
    live(_market(crew))
    refused = live(_refused(crew))
    assert len(refused) > 10
    pressed = 0
    for bought in refused:
        found = live(dossier.gather(crew.ctx, Subject(Kind.ORDER, bought.consumer_id, bought.order_id)))
        for audience in Audience:
            for locale in Locale:
                told = diagnose.tell(found, audience, locale)
                assert told.narrative
                assert len(told.sentences) >= 3
                assert told.reasons
                assert {one.code for one in told.reasons} <= CODES.keys()
                assert told.proof is not None
                assert told.proof.identical
        pressed += bool(dossier.refused(found.payments))
    assert pressed > 0
    assert [r.getMessage() for r in caplog.records if r.name.startswith("fenqi.texts")] == []


async def _refused(crew: Casting) -> list[Order]:
    """Orders with a refused press, or looked at and never paid."""
    found = []
    for person in people(40, business_date(NOW)):
        async with crew.ctx.database.snapshot() as tx:
            for bought in await order.of_consumer(tx, person.consumer_id, limit=100):
                bucket = bucket_of(person.consumer_id)
                presses = await cashier.select_payments_of_order(tx, bucket, person.consumer_id, bought.order_id)
                looks = [one for one in await dossier.decisions_of(tx, bought) if one.kind == "offers"]
                if dossier.refused(presses) or (looks and bought.state != "paid"):
                    found.append(bought)
    return found
