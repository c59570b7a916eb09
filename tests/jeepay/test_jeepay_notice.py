"""Notices as Jeepay sends them: a form, six times at the protocol's pace, until the shop says success."""

from __future__ import annotations

from datetime import timedelta

from fenqi import jeepay
from fenqi.channels.http import Http
from fenqi.flows import jeepay_notify
from fenqi.jeepay import NoticeState
from fenqi.settings import Settings


async def one_waiting(partner, **fields):
    """A paid order whose notice waits to be sent."""
    made = await partner.order(wayCode="WX_NATIVE", notifyUrl=partner.server.url("/notify")) | fields
    await partner.pay(made, "wechat_pay")
    assert await partner.mall.faults() == []
    return (await partner.found(made["mchOrderNo"])).pay_order_id


async def kept(partner, subject_id):
    async with partner.mall.ctx.database.snapshot() as tx:
        [found] = await jeepay.notices_of(tx, partner.merchant_id, subject_id)
    return found


def test_told_six_times_at_the_protocols_pace_then_given_up(partner, run):
    async def story():
        subject_id = await one_waiting(partner)
        partner.server.said = b"fail"
        before, waits = len(partner.server.got), (30, 60, 90, 120, 150)
        try:
            for seconds in waits:
                assert await partner.tell() == 1
                await partner.mall.later(seconds - 1)
                assert await partner.tell() == 0
                await partner.mall.later(1)
            assert await partner.tell() == 1
            await partner.mall.later(1_000)
            assert await partner.tell() == 0
        finally:
            partner.server.said = b"success"
        found = await kept(partner, subject_id)
        assert (found.state, found.tries, found.last_said) == (NoticeState.GIVEN_UP, 6, "fail")
        sent = [partner.heard(place) for place in range(before, before + 6)]
        assert len({one["payOrderId"] for one in sent}) == 1 and all(map(partner.is_signed, sent))

    run(story())


def test_success_in_any_case_ends_it_and_nothing_else_does(partner, run):
    async def story():
        subject_id = await one_waiting(partner)
        for status, said in ((200, b"ok"), (200, b"successful"), (500, b"success"), (302, b"success")):
            partner.server.answer, partner.server.said = (lambda _, status=status: status), said
            assert await partner.tell() == 1
            assert (await kept(partner, subject_id)).state is NoticeState.PENDING
            await partner.mall.later(150)
        partner.server.answer, partner.server.said = (lambda _: 200), b"SUCCESS\n"
        assert await partner.tell() == 1
        found = await kept(partner, subject_id)
        assert (found.state, found.tries) == (NoticeState.TAKEN, 5)
        partner.server.said = b"success"

    run(story())


def test_a_process_that_dies_while_it_sends_is_made_up_for(partner, run):
    async def story():
        subject_id = await one_waiting(partner)
        ctx = partner.mall.ctx
        async with ctx.database.transaction() as tx:
            [lost] = await jeepay.claim_notices(tx, partner.merchant_id.int & 0xFF, ctx.now(), 10)
        assert await partner.tell() == 0
        await partner.mall.later(61)
        assert await partner.tell() == 1
        async with ctx.database.transaction() as tx:  # the dead one comes back and says less than is known
            await jeepay.record_notice(tx, lost, False, ctx.now(), None, "reset")
        found = await kept(partner, subject_id)
        assert (found.state, found.tries, found.last_said) == (NoticeState.TAKEN, 2, "success")

    run(story())


def test_outside_the_demo_no_private_address_is_called(partner, run):
    async def story():
        subject_id = await one_waiting(partner)
        ctx, before = partner.mall.ctx, len(partner.server.got)
        ctx.settings, demo = Settings(public_url=ctx.settings.public_url), ctx.settings
        try:
            assert await jeepay_notify.deliver_due(ctx, Http(5.0)) == 1
            asked = {"mchOrderNo": partner.number(), "amount": 100, "wayCode": "ALI_QR"}
            for url in ("http://shop.example/n", "https://127.0.0.1/n", "https://localhost/n"):
                answer = await partner.client.unified_order(**asked, notifyUrl=url)
                assert (answer["code"], answer["data"]["errCode"]) == (11, "WEBHOOK_URL_INVALID")
        finally:
            ctx.settings = demo
        found = await kept(partner, subject_id)
        assert found.state is NoticeState.PENDING and "private network" in found.last_said
        assert len(partner.server.got) == before
        await partner.mall.later(30)
        assert await partner.tell() == 1

    run(story())


def test_an_event_handed_on_again_is_one_notice(partner, run):
    async def story():
        subject_id = await one_waiting(partner)
        found = await kept(partner, subject_id)
        assert await partner.tell() == 1
        async with partner.mall.ctx.database.transaction() as tx:
            await jeepay.tell(tx, jeepay.NewNotice(*(getattr(found, x) for x in jeepay.NewNotice.__struct_fields__)))
        assert (await kept(partner, subject_id)).state is NoticeState.TAKEN
        assert jeepay.LADDER[1] == timedelta(seconds=30)

    run(story())
