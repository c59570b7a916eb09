"""Diagnosis of what channels did: a payment nobody knows of, a hold, refunds on their way, stuck and late, a top-up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.web.counter import Counter

from fenqi.flows import diagnose, diagnose_find, dossier
from fenqi.flows.diagnose import Diagnosis, Kind
from fenqi.texts import Audience, Locale


@pytest.fixture(scope="module")
def counter(database: Any, run: Any, tmp_path_factory: Any) -> Iterator[Counter]:
    """A mall with gateways: a payment nobody knows of, part on credit; one paid and given back; one stuck."""

    async def fill(made: Counter) -> None:
        await made.open()
        await made.pay("returned", "alipay", buyer=2)
        await made.give_back("returned", 10_000, "too loud")
        await made.stuck("stuck")
        made.mall.control.set_fault("wechat_pay", "timeout_after", "pay")
        await made.buy("unknown", "credit", buyer=0, plan="instalment_12", part_by=("wechat_pay", 100_000))

    made = Counter(database, tmp_path_factory.mktemp("gateway"))
    run(fill(made))
    yield made
    run(made.close())


async def _told(counter: Counter, what: str, audience: Audience = Audience.SUPPORT, **later: int) -> Diagnosis:
    async with counter.ctx.database.snapshot() as tx:
        subject = await diagnose_find.find(tx, what)
    found = await dossier.gather(counter.ctx, subject)
    if later:
        found = msgspec.structs.replace(found, now=found.now + timedelta(**later))
    return diagnose.tell(found, audience, Locale.EN)


def test_a_payment_that_nobody_knows_of(counter: Counter, run: Any) -> None:
    begun = counter.tries["unknown"]
    told = run(_told(counter, begun.attempt_no, Audience.BUYER))
    assert told.subject.kind is Kind.PAYMENT
    assert "hasn't answered. It is asked until there is an answer; please don't pay twice." in told.narrative
    assert not [one for one in told.timeline if one.name == "attempt_unknown"]
    staff = run(_told(counter, str(begun.payment_id)))
    assert [one.name for one in staff.timeline if one.name.startswith("attempt_")][-1] == "attempt_unknown"


def test_what_is_set_aside_for_it(counter: Counter, run: Any) -> None:
    begun = counter.tries["unknown"]
    told = run(_told(counter, f"hold/{begun.payment_id}", Audience.BUYER))
    held_minor = counter.placed["unknown"].order.payable_minor - 100_000
    assert f"¥{held_minor / 100:,.2f} of your limit is set aside for it" in told.narrative
    assert "comes back whole if it isn't made" in told.narrative


def test_a_refund_is_followed_and_called_late_when_it_is(counter: Counter, run: Any) -> None:
    back = run(counter.mall.refunds(counter.buyers[2], counter.placed["returned"].order.order_id))[-1]
    told = run(_told(counter, back.refund_no, Audience.BUYER))
    assert told.subject.kind is Kind.REFUND
    assert told.sentences[0].startswith("The refund of ¥100.00 for order")
    assert back.state in ("created", "pending", "succeeded")
    if back.state != "succeeded":
        late = run(_told(counter, back.refund_no, Audience.BUYER, days=60))
        assert "this one takes longer" in late.narrative


def test_a_stuck_refund_says_what_the_channel_said_to_staff_only(counter: Counter, run: Any) -> None:
    back = run(counter.mall.refunds(counter.buyers[1], counter.placed["stuck"].order.order_id))[-1]
    staff, buyer = (run(_told(counter, back.refund_no, one)) for one in (Audience.SUPPORT, Audience.BUYER))
    assert "交易被冻结" in staff.narrative
    assert "交易被冻结" not in buyer.narrative
    assert "none of your money is lost" in buyer.narrative
    assert [one.name for one in staff.timeline][-1] == "back_failed"
