"""The console's pages for channels on running gateways: what they show, who may act, and that every act says why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.web.counter import Counter
from tests.web.test_console import csrf_of, enter, look

from fenqi import attempt, merchant, passage, staff
from fenqi.channels.contract import Incoming
from fenqi.channels.shelf import channel
from fenqi.flows import money
from fenqi.kernel.clock import ZONE
from fenqi.kernel.ids import new_id
from fenqi.web.console.channels import ranking

LOCALES = ["zh-CN", "en"]
OVERVIEWS = ["/console/matters", "/console/channels", "/console/notices", "/console/webhooks", "/console/gateways"]


@pytest.fixture(scope="module")
def counter(database: Any, run: Any, tmp_path_factory: Any) -> Iterator[Counter]:
    """A mall with gateways, and a payment in each state."""

    async def fill(made: Counter) -> None:
        await made.open()
        await made.tell_merchant()
        await made.pay("paid", "alipay")
        await made.pay("mixed", "credit", 0, plan="instalment_12", part_by=("wechat_pay", 100_000))
        await made.buy("waits", "alipay", 2)
        await made.stuck("stuck")
        await made.stuck("lost")
        await made.unknown("unknown")
        await made.park()
        await made.forge(made.tries["waits"])
        await made.relay()

    made = Counter(database, tmp_path_factory.mktemp("gateway"))
    run(fill(made))
    yield made
    run(made.close())


@pytest.fixture(scope="module")
def ctx(counter: Counter) -> Any:
    """The counter's context instead of the usual world's."""
    return counter.ctx


@pytest.fixture(scope="module")
def ref(counter: Counter) -> Any:
    """Furnished already."""
    return counter.ctx.reference.newest


def audits(run: Any, counter: Counter, subject: str | None = None) -> list[Any]:
    """What was done, newest first."""

    async def read() -> list[Any]:
        async with counter.ctx.database.snapshot() as tx:
            return await staff.audits(tx, subject)

    found: list[Any] = run(read())
    return found


def sound(answer: Any, status: int = 200) -> Any:
    """The page as it should be."""
    assert (answer.status, answer.page.faults) == (status, []), answer.path
    return answer


def actions(answer: Any) -> set[str]:
    """Where the page's forms go, but for signing out."""
    return {form.action for form in answer.page.forms} - {"/console/sign-out"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_page_is_sound_in_both_languages(browser: Any, counter: Counter, locale: str) -> None:
    visitor = enter(browser, "operator", locale)
    for path in OVERVIEWS:
        sound(visitor.get(path))
    for begun in counter.tries.values():
        assert sound(look(visitor, begun.attempt_no)).path == f"/console/payments/{begun.attempt_no}"
        sound(visitor.get(f"/console/channels/{begun.passage}"))
        assert sound(visitor.get(f"/console/orders/{counter.placed['paid'].order.number}")).status == 200


def test_nobody_sees_them_without_signing_in(browser: Any, counter: Counter) -> None:
    visitor = browser()
    for path in (*OVERVIEWS, "/console/channels/alipay", f"/console/payments/{counter.tries['paid'].attempt_no}"):
        assert visitor.get(path).path == "/console/sign-in"


def test_a_payment_asks_why_before_it_is_looked_at(browser: Any, counter: Counter, run: Any) -> None:
    visitor, begun = enter(browser, "risk"), counter.tries["waits"]
    asked = visitor.get(f"/console/payments/{begun.attempt_no}")
    assert asked.path == "/console"
    found = visitor.send(asked, "/console/find", why="a complaint")
    assert sound(found).path == f"/console/payments/{begun.attempt_no}"
    kept = audits(run, counter, f"order:{begun.order_id}")[0]
    assert (kept.action, kept.why) == ("see_diagnosis", "a complaint")


def test_a_payment_is_found_by_the_numbers_of_its_refund_and_of_its_press(
    browser: Any, counter: Counter, run: Any
) -> None:
    visitor, begun = enter(browser, "support"), counter.tries["stuck"]
    [back] = run(counter.mall.refunds(begun.consumer_id, begun.order_id))
    for number in (back.refund_no, str(begun.payment_id)):
        assert look(visitor, number).path == f"/console/payments/{begun.attempt_no}"
    sound(visitor.get("/console/payments/0123456789abcdef0123456789abcdef"), 404)


def test_a_story_tells_what_came_and_what_was_set_aside(browser: Any, counter: Counter) -> None:
    page = sound(look(enter(browser, "accountant"), counter.tries["mixed"].attempt_no))
    words = " ".join(page.page.words.split())
    assert "¥1,000.00 came and paid." in words
    assert "booked with the purchase" in words and "asset:loan_principal:general" in words
    assert words.index("Written down, then the channel was called") < words.index("The channel sent a notice")
    assert words.index("The channel sent a notice") < words.index("The channel has the money")
    assert "AEAD_AES_256_GCM" in page.text and "wechatpay-signature" in page.text


@pytest.mark.parametrize("locale", LOCALES)
def test_money_between_card_and_account_has_a_story_too(
    browser: Any, counter: Counter, run: Any, names: Any, locale: str
) -> None:
    consumer_id = counter.buyers[3]
    out = run(money.withdraw(counter.ctx, consumer_id, new_id(), 20_000))
    visitor = enter(browser, "accountant", locale)
    person = sound(look(visitor, names(consumer_id)))
    links = [link for link in person.page.links if link.startswith("/console/payments/")]
    own = f"/console/payments/{out.attempt_id.hex}"
    assert own in links
    sent, filled = (" ".join(sound(visitor.get(link)).page.words.split()) for link in (own, links[-1]))
    says = {
        "en": ("¥200.00 was sent to the card.", "¥20,000.00 came and is in the account."),
        "zh-CN": ("¥200.00已汇到银行卡。", "收到¥20,000.00，已存入。"),
    }[locale]
    assert says[0] in sent and says[1] in filled


@pytest.mark.parametrize("locale", LOCALES)
def test_notices_are_shown_as_they_came(browser: Any, locale: str) -> None:
    visitor = enter(browser, "support", locale)
    for state in ("done", "parked", "refused"):
        page = sound(visitor.get(f"/console/notices?state={state}"))
        links = [link for link in page.page.links if link.startswith("/console/notices/")]
        assert links, state
        for link in links[:3]:
            one = sound(visitor.get(link))
            assert (one.path == link) == (state != "done"), "a notice of somebody's asks why"
    assert "NUMBER_UNKNOWN" in visitor.get("/console/notices?state=parked").text
    sound(visitor.get("/console/notices?state=received&before=2026-01-01T00:00:00%2B00:00"))


def test_a_hostile_notice_is_only_text(browser: Any, counter: Counter, run: Any) -> None:
    body = b"sign=x&subject=<script>alert(1)</script>\xff"
    headers = {"content-type": "application/x-www-form-urlencoded", "user-agent": "<b>evil</b>"}
    run(counter.mall.tell(Incoming("POST", "/hooks/alipay", headers, body)))
    visitor = enter(browser, "support")
    links = visitor.get("/console/notices?state=refused").page.links
    pages = [sound(visitor.get(link)) for link in links if link.startswith("/console/notices/")]
    [page] = [page for page in pages if "alert(1)" in page.text]
    assert "<script>alert" not in page.text and "&lt;script&gt;alert(1)" in page.text and "<b>evil" not in page.text


def test_support_reads_and_acts_on_nothing(browser: Any, counter: Counter, run: Any) -> None:
    visitor, stuck = enter(browser, "support"), counter.tries["stuck"]
    for path in (*OVERVIEWS, "/console/channels/alipay"):
        assert actions(sound(visitor.get(path))) <= {"/console/channels"}, path
    page = look(visitor, stuck.attempt_no)
    assert actions(page) == set()
    [back] = run(counter.mall.refunds(stuck.consumer_id, stuck.order_id))
    before = len(audits(run, counter))
    token = {"csrf": csrf_of(page), "why": "I want to"}
    for path, fields in (
        (f"/console/payments/{stuck.attempt_no}/ask", {}),
        (f"/console/payments/{stuck.attempt_no}/again", {"refund_id": str(back.refund_id)}),
        (f"/console/payments/{stuck.attempt_no}/divert", {"refund_id": str(back.refund_id)}),
        ("/console/channels/alipay/state", {"to_state": "banned"}),
        ("/console/channels/alipay/rotate", {"source": "new"}),
        ("/console/gateways/faults", {"name": "down", "where": "alipay"}),
        ("/console/gateways/clear", {}),
    ):
        assert visitor.post(path, token | fields).status == 403, path
    assert len(audits(run, counter)) == before
    [same] = run(counter.mall.refunds(stuck.consumer_id, stuck.order_id))
    assert same.state == "failed" and run(counter.passage("alipay")).state == "active"
    assert counter.mall.control.account("alipay", counter.mall.account("alipay")).version == 1


def test_operators_do_not_decide_where_money_goes(browser: Any, counter: Counter, run: Any) -> None:
    visitor, stuck = enter(browser, "operator"), counter.tries["stuck"]
    page = look(visitor, stuck.attempt_no)
    assert not [action for action in actions(page) if action.endswith(("/again", "/divert"))]
    [back] = run(counter.mall.refunds(stuck.consumer_id, stuck.order_id))
    fields = {"csrf": csrf_of(page), "why": "quick", "refund_id": str(back.refund_id)}
    assert visitor.post(f"/console/payments/{stuck.attempt_no}/divert", fields).status == 403


def test_the_channel_is_asked_when_an_operator_says_why(browser: Any, counter: Counter, run: Any) -> None:
    visitor, begun = enter(browser, "operator"), counter.tries["unknown"]
    page = look(visitor, begun.attempt_no)
    action = f"/console/payments/{begun.attempt_no}/ask"
    sound(visitor.send(page, action, why=" "), 422)
    done = sound(visitor.send(page, action, why="the buyer is on the phone"))
    assert "what it said has been taken over" in done.page.words

    async def read() -> Any:
        async with counter.ctx.database.snapshot() as tx:
            found = await attempt.get(tx, begun.consumer_id, begun.attempt_id)
            return found, (await attempt.moves(tx, begun.consumer_id, begun.attempt_id))[-1]

    after, move = run(read())
    assert after.state == "pending"
    assert (move.actor.partition(":")[0], move.why) == ("staff", "the buyer is on the phone")
    kept = audits(run, counter, f"order:{begun.order_id}")[0]
    assert (kept.action, kept.detail) == ("ask_channel", {"attempt_no": begun.attempt_no})


def test_an_accountant_asks_again_or_pays_elsewhere(browser: Any, counter: Counter, run: Any) -> None:
    visitor = enter(browser, "accountant")
    for name, verb, state, says in (
        ("stuck", "again", "succeeded", "The channel has given it back."),
        ("lost", "divert", "diverted", "Paid into the buyer's Money Account."),
    ):
        begun = counter.tries[name]
        page = look(visitor, begun.attempt_no)
        action = f"/console/payments/{begun.attempt_no}/{verb}"
        sound(visitor.send(page, action, why=""), 422)
        done = sound(visitor.send(page, action, why="the buyer agreed"))
        assert says in done.page.words
        [back] = run(counter.mall.refunds(begun.consumer_id, begun.order_id))
        assert back.state == state
        kept = audits(run, counter, f"order:{begun.order_id}")[0]
        assert (kept.action, kept.detail["decision"], kept.why) == ("decide_refund", verb, "the buyer agreed")
        repeat = visitor.send(page, action, why="once more")
        assert repeat.status == (409 if verb == "again" else 200)
    assert run(counter.mall.faults()) == []


def test_a_passage_is_banned_and_its_spare_takes_over(browser: Any, counter: Counter, run: Any) -> None:
    visitor = enter(browser, "operator")
    here = "/console/channels/alipay"
    page = sound(visitor.get(here))
    banned = sound(visitor.send(page, f"{here}/state", why="Alipay called", to_state="banned"))
    assert "the channel has shut it" in banned.page.words.lower()
    overview = sound(visitor.get("/console/channels?amount=100"))
    assert "A payment of ¥100.00 goes through alipay-spare." in overview.page.words
    assert "The channel has shut this account." in overview.page.words
    assert (
        "alipay" in visitor.get("/console/matters").page.links[-1]
        or "Shut by the channel" in visitor.get("/console/matters").page.words
    )
    found = run(counter.passage("alipay"))
    kept = audits(run, counter, f"passage:{found.passage_id}")[0]
    assert (kept.action, kept.why, kept.detail) == ("run_channels", "Alipay called", {"to_state": "banned"})
    sound(visitor.send(banned, f"{here}/state", why="", to_state="active"), 422)
    sound(visitor.send(banned, f"{here}/state", why="it is over", to_state="active"))
    assert run(counter.passage("alipay")).state == "active"
    assert visitor.post(f"{here}/state", {"csrf": csrf_of(banned), "why": "x", "to_state": "gone"}).status == 422


def test_maintenance_is_planned_and_called_off(browser: Any, counter: Counter, run: Any) -> None:
    visitor, here = enter(browser, "operator"), "/console/channels/wechat-pay"
    at = counter.ctx.now().astimezone(ZONE)
    times = [(at + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M") for hours in (1, 2)]
    page = sound(visitor.get(here))
    sound(visitor.send(page, f"{here}/maintenance", why="x", from_at="soon", until_at=times[1]), 422)
    sound(visitor.send(page, f"{here}/maintenance", why="x", from_at=times[1], until_at=times[0]), 422)
    done = sound(visitor.send(page, f"{here}/maintenance", why="they wrote", from_at=times[0], until_at=times[1]))
    [window] = run(counter.passage("wechat-pay")).windows
    assert (window.until_at - window.from_at, window.why) == (timedelta(hours=1), "they wrote")
    assert window.from_at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M") == times[0]
    sound(visitor.send(done, f"{here}/maintenance/end", why="not after all"))
    assert run(counter.passage("wechat-pay")).windows == ()


def test_pasted_credentials_are_tried_before_use_and_secrets_are_never_shown(
    browser: Any, counter: Counter, run: Any
) -> None:
    visitor, here = enter(browser, "operator"), "/console/channels/alipay"
    there = counter.mall.control.account("alipay", counter.mall.account("alipay"))
    secrets = [there.credentials[field.name] for field in channel("alipay").fields if field.secret]
    page = sound(visitor.get(here))
    assert there.credentials["app_id"] in page.text
    for refused in (
        {"value_app_private_key": "not a key"},
        {"value_app_id": "2021000000000000"},
        {},
    ):
        answer = sound(visitor.send(page, f"{here}/rotate", "value_app_id", why="new keys", **refused), 422)
        assert "not a key" not in answer.text
    assert len(run(counter.passage("alipay")).credentials) == 1
    kept = visitor.send(
        page, f"{here}/rotate", "value_app_id", why="new keys", value_app_id=there.credentials["app_id"]
    )
    assert "sign from now on" in sound(kept).page.words
    newest, retired = run(counter.passage("alipay")).credentials
    assert (newest.version, newest.state, retired.version, retired.state) == (2, "current", 1, "retired")
    assert not [secret for secret in secrets if any(line in kept.text for line in secret.split() if len(line) > 30)]


def test_the_demo_takes_new_keys_from_the_gateway(browser: Any, counter: Counter, run: Any) -> None:
    visitor, here = enter(browser, "operator"), "/console/channels/wechat-pay"
    done = sound(visitor.send(visitor.get(here), f"{here}/rotate", why="a drill", source="new"))
    assert "sign from now on" in done.page.words
    assert counter.mall.control.account("wechat_pay", counter.mall.account("wechat-pay")).version == 2
    assert run(counter.passage("wechat-pay")).credentials[0].version == 2
    begun = run(counter.pay("after", "wechat_pay"))
    assert run(counter.mall.state_of(begun.consumer_id, begun.order_id)) == "paid"
    counter.mall.control.set_fault("wechat_pay", "rotated_certificate", account_id=counter.mall.account("wechat-pay"))
    sound(visitor.send(visitor.get(here), f"{here}/rotate", why="they changed them", source="present"))
    assert run(counter.passage("wechat-pay")).credentials[0].version == 3
    assert sound(visitor.get(here)).status == 200


def test_faults_are_set_and_cleared_with_a_reason(browser: Any, counter: Counter, run: Any) -> None:
    visitor, here = enter(browser, "operator"), "/console/gateways"
    counter.mall.control.clear_faults()
    page = sound(visitor.get(f"{here}?channel=alipay"))
    form = next(f for f in page.page.forms if ("name", "slow") in f.fields)
    fields = dict(form.fields) | {"why": "a drill", "times": "2", "operation": "pay", "param_seconds": "1"}
    assert dict(form.fields)["where"] == "alipay"
    sound(visitor.post(f"{here}/faults", fields | {"why": ""}), 422)
    sound(visitor.post(f"{here}/faults", fields | {"times": "7"}), 422)
    sound(visitor.post(f"{here}/faults", fields | {"name": "no such fault"}), 409)
    assert counter.mall.control.faults() == []
    sound(visitor.post(f"{here}/faults", fields))
    [fault] = counter.mall.control.faults()
    assert (fault.channel, fault.name, fault.operation, fault.times) == ("alipay", "slow", "pay", 2)
    assert dict(fault.params) == {"seconds": "1"}
    kept = audits(run, counter, "gateway:alipay")[0]
    assert (kept.action, kept.why, kept.detail["fault"]) == ("run_channels", "a drill", "slow")
    sound(visitor.send(visitor.get(here), f"{here}/clear", why="over"))
    assert counter.mall.control.faults() == []
    assert visitor.get(f"{here}/board", follow=False).where == f"{counter.mall.gateway.base_url}/"


@pytest.mark.parametrize("locale", LOCALES)
def test_it_says_so_where_there_is_no_gateway(browser: Any, counter: Counter, locale: str) -> None:
    visitor, settings = enter(browser, "operator", locale), counter.ctx.settings
    try:
        for url, says in (
            ("", ("这里没有本地网关", "There is no local gateway here")),
            ("http://127.0.0.1:9", ("网关没有回答", "The gateway doesn't answer")),
        ):
            counter.ctx.settings = replace(settings, gateway_url=url)
            page = sound(visitor.get("/console/gateways"))
            assert says[LOCALES.index(locale)] in page.page.words and actions(page) == set()
        counter.ctx.settings = replace(settings, gateway_url="")
        sound(visitor.get("/console/gateways/board"), 404)
        assert "rotate-gateway" not in visitor.get("/console/channels/alipay").text
    finally:
        counter.ctx.settings = settings


@pytest.mark.parametrize("locale", LOCALES)
def test_webhooks_are_read_switched_and_replayed(browser: Any, counter: Counter, run: Any, locale: str) -> None:
    merchant_id = run(counter.merchant_id())
    visitor, home = enter(browser, "operator", locale), f"/console/webhooks/{merchant_id}"
    page = sound(visitor.get(home))
    one = next(link for link in page.page.links if link.startswith(f"{home}/") and "/events/" not in link)
    event = next(link for link in page.page.links if link.startswith(f"{home}/events/"))
    endpoint = sound(visitor.get(one))
    off = sound(visitor.send(endpoint, f"{one}/disable", why="they move"))
    assert actions(off) == {f"{one}/enable"}
    assert f"{one}/enable" not in actions(sound(visitor.get(event)))
    assert one in sound(visitor.get("/console/matters")).page.links
    on = sound(visitor.send(off, f"{one}/enable", why="they are back"))
    run(counter.relay())
    sent = len(counter.receiver.got)
    sound(visitor.send(sound(visitor.get(event)), f"{event}/replay", why=""), 422)
    sound(visitor.send(visitor.get(event), f"{event}/replay", why="it was lost"))
    run(counter.relay())
    assert [got.id for got in counter.receiver.got[sent:]] == [event.rpartition("/")[2]]
    times = [(counter.ctx.now() + timedelta(hours=h)).astimezone(ZONE).strftime("%Y-%m-%dT%H:%M") for h in (-9, 1)]
    sound(visitor.send(on, f"{one}/replay", why="all", from_at=times[1], to_at=times[0]), 422)
    done = sound(visitor.send(on, f"{one}/replay", why="all of it", from_at=times[0], to_at=times[1]))
    run(counter.relay())

    async def told() -> int:
        async with counter.ctx.database.snapshot() as tx:
            return len(await merchant.events_of(tx, merchant_id, limit=100))

    count = run(told())
    assert len(counter.receiver.got) == sent + 1 + count
    assert str(count) in done.page.words
    kept = audits(run, counter, f"merchant:{merchant_id}")[0]
    assert (kept.action, kept.why, kept.detail["verb"]) == ("change_merchant", "all of it", "replay")


def test_only_those_who_may_change_merchants_replay(browser: Any, counter: Counter, run: Any) -> None:
    home = f"/console/webhooks/{run(counter.merchant_id())}"
    visitor = enter(browser, "accountant")
    page = visitor.get(home)
    event = next(link for link in page.page.links if link.startswith(f"{home}/events/"))
    one = next(link for link in page.page.links if link.startswith(f"{home}/") and "/events/" not in link)
    assert actions(visitor.get(event)) == actions(visitor.get(one)) == set()
    fields = {"csrf": csrf_of(page), "why": "x", "endpoint_id": one.rpartition("/")[2]}
    assert visitor.post(f"{event}/replay", fields).status == 403


def test_what_is_said_of_a_passage_is_what_is_routed(counter: Counter, run: Any) -> None:
    async def read() -> list[passage.Passage]:
        async with counter.ctx.database.snapshot() as tx:
            return await passage.get_all(tx)

    there = [each for each in run(read()) if each.channel == "bank_card"]
    ranked = ranking(there, {}, counter.ctx.now(), 100_000, "mall")
    assert [(one.code, place, why) for one, place, why, _ in ranked] == [
        ("bank-card", 1, ""),
        ("bank-card-spare", 2, ""),
    ]
