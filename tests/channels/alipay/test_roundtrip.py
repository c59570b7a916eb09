"""Any charge goes through the real gateway over HTTP and comes back as it was: the adapter's laws."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.channels.alipay.shop import Shop

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.alipay.charge import subject
from fenqi.channels.contract import Charge, Declined, Paid, Refunded
from fenqi.kernel.ids import new_id

replace = msgspec.structs.replace


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    now = datetime.now(UTC)
    return Charge(
        new_id().hex,
        draw(st.integers(1, 10_000_000_000)),
        draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=200)),
        draw(st.sampled_from(["page", "wap", "app", "qr"])),
        now,
        now + timedelta(microseconds=draw(st.integers(60_000_000, 86_400_000_000))),
        "",
        draw(st.sampled_from(["", "http://127.0.0.1:9/back?订单=1&x=y"])),
        instalments=draw(st.sampled_from([1, 3, 6, 12])),
        seller_pays_instalments=draw(st.booleans()),
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(charge=charges(), part=st.integers(1, 10_000_000_000))
def test_any_charge_is_paid_and_given_back_as_it_was(shop: Shop, charge: Charge, part: int) -> None:
    assert CHANNEL.precheck(charge, shop.passage) == ()
    charge = replace(charge, notify_url=shop.hears.url)
    page = shop.open(shop.handed_over(charge))
    assert page.status == 302, page.body.decode()
    trade = shop.gateway.control.find("alipay", charge.attempt_no).trade
    assert (trade.amount_minor, trade.instalments) == (charge.amount_minor, charge.instalments)
    assert trade.subject == subject(charge.subject) and trade.notify_url == shop.hears.url
    assert timedelta(0) <= charge.expires_at - trade.expires_at < timedelta(seconds=1)
    shop.gateway.control.pay(trade.trade_no)
    paid = shop.query(charge)
    assert isinstance(paid, Paid)
    assert (paid.amount_minor, paid.channel_no) == (charge.amount_minor, trade.trade_no)
    assert shop.close(charge) == paid
    asked = shop.repayable(charge, paid, min(part, charge.amount_minor))
    shop.gateway.control.change_account("alipay", shop.app_id, balance_minor=20_000_000_000)
    done = shop.refund(asked)
    assert isinstance(done, Refunded) and done.amount_minor == asked.amount_minor
    assert shop.refund(asked) == shop.query_refund(asked) == done


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(number=st.uuids())
def test_what_nobody_asked_for_is_absent(shop: Shop, number: object) -> None:
    charge = replace(shop.charge(), attempt_no=str(number).replace("-", ""))
    for found in (shop.query(charge), shop.close(charge)):
        assert isinstance(found, Declined) and found.kind == "absent"
