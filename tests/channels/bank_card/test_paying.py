"""Paying through the local UnionPay over real sockets: on its page, by token, and whatever may go wrong between."""

from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from tests.channels.bank_card.conftest import GOOD, NOON, Shop

from fenqi.channels.bank_card import CHANNEL
from fenqi.channels.bank_card.gateway import issuer
from fenqi.channels.bank_card.gateway.page import GOOD_CARD
from fenqi.channels.contract import Charge, Declined, Handover, Incoming, NoticeRefused, Paid, Pending, Reply, Unknown
from fenqi.channels.http import Answer

replace = msgspec.structs.replace


def open_page(shop: Shop, charge: Charge) -> tuple[str, Answer]:
    """The buyer's browser posts the form; (the card page's path, the page)."""
    waiting = shop.ask("pay", charge)
    assert isinstance(waiting, Pending) and waiting.handover is not None
    assert (waiting.handover.kind, waiting.handover.url) == (
        "form",
        shop.passage.endpoint + "/gateway/api/frontTransReq.do",
    )
    page = shop.send_form(dict(waiting.handover.fields))
    found = re.search(r"/card/\d{21}", page.body.decode())
    assert found, page.body.decode()
    return found.group(0), page


def give_card(shop: Shop, path: str, number: str) -> Answer:
    answer = shop.send_form({"number": number}, path)
    assert answer.status == 303
    return shop.gateway.ask(shop.http.send("GET", answer.headers["location"]))


def test_the_good_card_of_the_page_is_one() -> None:
    assert GOOD == GOOD_CARD and issuer.is_number(GOOD)


@pytest.mark.parametrize(("way", "channel_type"), [("page", "07"), ("wap", "08")])
def test_a_buyer_pays_on_the_page(shop: Shop, way: str, channel_type: str) -> None:
    charge = shop.charge(way=way)
    absent = shop.ask("query", charge.attempt_no)
    assert isinstance(absent, Declined) and (absent.code, absent.kind) == ("34", "absent")
    assert shop.ask("close", charge.attempt_no) == Pending()  # the form may still be sent
    path, page = open_page(shop, charge)
    assert "¥123.45" in page.body.decode() and "&amp; &#x27;x&#x27; {y}" in page.body.decode()
    assert shop.gateway.control.find("bank_card", charge.attempt_no).trade.extra["channelType"] == channel_type
    assert isinstance(shop.ask("query", charge.attempt_no), Pending)
    back = give_card(shop, path, GOOD)
    assert "http://127.0.0.1:9/back" in back.body.decode()
    paid = shop.ask("query", charge.attempt_no)
    assert paid == Paid(paid.channel_no, 12_345, NOON, "CNY", f"**** {GOOD[-4:]}")
    [told] = shop.heard.wait(1)
    notice = CHANNEL.read_notice(shop.passage, told)
    assert (notice.attempt_no, notice.result, notice.refund_no) == (charge.attempt_no, paid, None)
    assert len(paid.channel_no) == 21 and paid.channel_no.isdigit()


def test_a_refused_buyer_may_take_another_card(shop: Shop) -> None:
    charge = shop.charge()
    path, _ = open_page(shop, charge)
    page = give_card(shop, path, issuer.test_card("51"))
    assert "卡上的余额不足[1000051]" in page.body.decode()
    assert isinstance(shop.ask("query", charge.attempt_no), Pending)  # it is not over yet
    give_card(shop, path, GOOD)
    assert isinstance(shop.ask("query", charge.attempt_no), Paid)


def test_a_refused_buyer_who_gives_up_is_told_after_the_time(shop: Shop) -> None:
    charge = shop.charge(expires_at=NOON + timedelta(minutes=5))
    path, _ = open_page(shop, charge)
    give_card(shop, path, issuer.test_card("54"))
    shop.steer(NOON + timedelta(minutes=5))
    over = shop.ask("query", charge.attempt_no)
    assert isinstance(over, Declined) and (over.code, over.reason, over.kind) == ("73/54", "CARD_EXPIRED", "refused")


def test_an_unpaid_trade_is_closed_by_its_time(shop: Shop) -> None:
    charge = shop.charge(expires_at=NOON + timedelta(hours=2))
    path, _ = open_page(shop, charge)
    shop.steer(NOON + timedelta(minutes=14, seconds=59))
    assert isinstance(shop.ask("close", charge.attempt_no), Pending)
    shop.steer(NOON + timedelta(minutes=15))
    closed = shop.ask("close", charge.attempt_no)
    assert isinstance(closed, Declined) and (closed.code, closed.reason, closed.kind) == (
        "69",
        "ORDER_EXPIRED",
        "closed",
    )
    late = shop.send_form({"number": GOOD}, path)
    assert late.status == 303
    assert shop.ask("query", charge.attempt_no) == closed


def test_a_form_that_nobody_sent_is_over_after_its_time(shop: Shop) -> None:
    charge = shop.charge()
    handover = shop.ask("pay", charge).handover
    shop.steer(NOON + timedelta(minutes=15, seconds=59))
    assert shop.ask("close", charge.attempt_no) == Pending()
    shop.steer(NOON + timedelta(minutes=16))
    gone = shop.ask("close", charge.attempt_no)
    assert isinstance(gone, Declined) and gone.kind == "absent"
    refused = shop.send_form(dict(handover.fields))
    assert refused.status == 400 and "respCode 39" in refused.body.decode()


def test_a_late_close_finds_the_payment(shop: Shop) -> None:
    charge = shop.charge()
    path, _ = open_page(shop, charge)
    give_card(shop, path, GOOD)
    assert isinstance(shop.ask("close", charge.attempt_no), Paid)


def test_a_form_sent_twice_is_one_trade(shop: Shop) -> None:
    charge = shop.charge()
    first, _ = open_page(shop, charge)
    second, _ = open_page(shop, charge)
    assert first == second
    other = shop.ask("pay", replace(charge, amount_minor=1)).handover
    assert "respCode 12" in shop.send_form(dict(other.fields)).body.decode()


def test_a_form_that_was_tampered_with_is_refused(shop: Shop) -> None:
    form = dict(shop.ask("pay", shop.charge()).handover.fields)
    for changes, code in (({"txnAmt": "1"}, "11"), ({"merId": "777290999999999"}, "31"), ({"certId": "1"}, "11")):
        page = shop.send_form(form | changes)
        assert page.status == 400 and f"respCode {code}" in page.body.decode()


def test_a_url_with_a_query_is_refused(shop: Shop) -> None:
    form = shop.ask("pay", shop.charge(notify_url="http://127.0.0.1:9/x?y=1")).handover
    assert "backUrl has a query string" in shop.send_form(dict(form.fields)).body.decode()


def test_an_app_gets_a_tn(shop: Shop) -> None:
    charge = shop.charge(way="app")
    waiting = shop.ask("pay", charge)
    tn = shop.gateway.control.find("bank_card", charge.attempt_no).trade.trade_no
    assert waiting == Pending(Handover("app", fields={"tn": tn}))
    give_card(shop, f"/card/{tn}", GOOD)
    assert isinstance(shop.ask("query", charge.attempt_no), Paid)


def test_a_bound_card_is_charged_by_its_token(shop: Shop) -> None:
    token = shop.token()
    assert token == shop.token() != GOOD
    charge = shop.charge(way="token", payer=token)
    paid = shop.ask("pay", charge)
    assert isinstance(paid, Paid) and (paid.amount_minor, paid.payer_hint) == (12_345, f"**** {GOOD[-4:]}")
    again = shop.ask("pay", charge)
    assert again == paid  # 12 says "duplicate", and the query what became of it
    assert len(shop.gateway.control.trades(channel="bank_card", out_no=charge.attempt_no)) == 1


def test_a_card_is_charged_by_its_number(shop: Shop) -> None:
    charge = shop.charge(way="token", payer=GOOD)
    assert isinstance(shop.ask("pay", charge), Paid)


def test_a_token_of_nobodys_is_refused(shop: Shop) -> None:
    unknown = shop.ask("pay", shop.charge(way="token", payer=f"token:{GOOD}"))
    assert isinstance(unknown, Declined) and (unknown.code, unknown.reason) == ("40", "NO_INSTRUMENT")


@pytest.mark.parametrize("iso", sorted(issuer.ANSWERS))
def test_each_test_card_is_answered_by_its_code(shop: Shop, iso: str) -> None:
    charge = shop.charge(way="token", payer=issuer.test_card(iso))
    said = shop.ask("pay", charge)
    own, message = issuer.answer_of(iso)
    assert isinstance(said, Declined)
    assert (said.code, said.message, said.kind) == (f"{own}/{iso}", message, "refused")
    assert shop.ask("close", charge.attempt_no) == said


def test_a_card_has_no_more_than_is_on_it(shop: Shop) -> None:
    number = next(f"91560401000000000{n}" for n in range(10, 100) if issuer.is_number(f"91560401000000000{n}"))
    assert isinstance(shop.ask("pay", shop.charge(60_000_000, "token", payer=number)), Paid)
    short = shop.ask("pay", shop.charge(60_000_000, "token", payer=number))
    assert isinstance(short, Declined) and short.reason == "CARD_INSUFFICIENT"
    assert isinstance(shop.ask("pay", shop.charge(40_000_000, "token", payer=number)), Paid)


def test_a_pending_charge_ends_by_itself_or_by_the_bank(shop: Shop) -> None:
    charges = [shop.charge(way="token", payer=issuer.test_card("09")) for _ in range(3)]
    for charge in charges:
        assert isinstance(shop.ask("pay", charge), Pending)
    numbers = [shop.gateway.control.find("bank_card", charge.attempt_no).trade.trade_no for charge in charges]
    shop.gateway.control.pay(numbers[0], issuer.test_card("09"))
    shop.gateway.control.decline(numbers[1], "65")
    assert isinstance(shop.ask("query", charges[0].attempt_no), Paid)
    refused = shop.ask("query", charges[1].attempt_no)
    assert isinstance(refused, Declined) and refused.reason == "CARD_LIMIT_COUNT"
    shop.steer(NOON + timedelta(minutes=15))
    assert shop.ask("query", charges[2].attempt_no).code == "69"


def test_no_answer_after_the_money_is_unknown_and_a_query_tells(shop: Shop) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "timeout_after", "pay", seconds="5")
    charge = shop.charge(way="token", payer=token)
    assert isinstance(shop.ask("pay", charge), Unknown)
    assert isinstance(shop.ask("query", charge.attempt_no), Paid)


def test_no_answer_before_the_money_is_unknown_and_a_query_tells(shop: Shop) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "timeout_before", "pay", seconds="5")
    charge = shop.charge(way="token", payer=token)
    assert isinstance(shop.ask("pay", charge), Unknown)
    assert shop.ask("query", charge.attempt_no).kind == "absent"
    assert shop.ask("close", charge.attempt_no) == Pending()


@pytest.mark.parametrize("name", ["down", "garbled"])
def test_an_answer_that_cannot_be_trusted_is_unknown(shop: Shop, name: str) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", name, "*", times=-1)
    charge = shop.charge(way="token", payer=token)
    assert isinstance(shop.ask("pay", charge), Unknown)
    assert isinstance(shop.ask("query", charge.attempt_no), Unknown)
    assert not shop.ask("probe")


def test_nobody_there_is_a_channel_that_is_down(shop: Shop) -> None:
    gone = replace(shop.passage, endpoint="http://127.0.0.1:9")
    charge = shop.charge(way="token", payer="token:6235240000000000001")
    said = shop.gateway.ask(CHANNEL.pay(shop.http, gone, charge))
    assert isinstance(said, Declined) and (said.reason, said.kind, said.fault) == ("CHANNEL_DOWN", "absent", "passage")
    assert isinstance(shop.gateway.ask(CHANNEL.query(shop.http, gone, charge.attempt_no)), Unknown)
    assert not shop.gateway.ask(CHANNEL.probe(shop.http, gone))


@pytest.mark.parametrize(
    ("code", "sub_code", "reason", "fault"),
    [
        ("31", "", "SELLER_STATUS_ABNORMAL", "passage"),
        ("32", "", "CHANNEL_NOT_CONTRACTED", "passage"),
        ("38", "", "RISK_TXN_BLOCKED", "buyer"),
        ("60", "05", "ISSUER_DECLINED", "buyer"),
        ("13", "", "UNKNOWN", "caller"),
    ],
)
def test_any_code_can_be_told(shop: Shop, code: str, sub_code: str, reason: str, fault: str) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "error", "pay", code=code, sub_code=sub_code)
    said = shop.ask("pay", shop.charge(way="token", payer=token))
    assert isinstance(said, Declined) and (said.reason, said.fault) == (reason, fault)


@pytest.mark.parametrize("code", ["03", "04", "05"])
def test_in_process_is_asked_about(shop: Shop, code: str) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "error", "pay", code=code, when="after")
    assert isinstance(shop.ask("pay", shop.charge(way="token", payer=token)), Paid)
    shop.gateway.control.set_fault("bank_card", "error", "pay", code=code)
    assert isinstance(shop.ask("pay", shop.charge(way="token", payer=token)), Pending)


@pytest.mark.parametrize("code", ["06", "99", "74"])
def test_an_unsure_code_is_unknown(shop: Shop, code: str) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "error", "pay", code=code)
    assert isinstance(shop.ask("pay", shop.charge(way="token", payer=token)), Unknown)


def test_a_query_that_is_refused_says_nothing_of_the_trade(shop: Shop) -> None:
    charge, _ = shop.pay()
    shop.gateway.control.set_fault("bank_card", "error", "query", code="37")
    assert isinstance(shop.ask("query", charge.attempt_no), Unknown)


def test_a_banned_merchant_is_told_so(shop: Shop) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "merchant_banned", "pay")
    said = shop.ask("pay", shop.charge(way="token", payer=token))
    assert isinstance(said, Declined) and (said.reason, said.fault) == ("SELLER_STATUS_ABNORMAL", "passage")


def test_a_probe_finds_us_known(shop: Shop) -> None:
    assert shop.ask("probe") is True


def test_a_rotation_needs_the_new_credentials(shop: Shop) -> None:
    old = shop.gateway.enrol("bank_card")
    charge = shop.charge(way="token", payer=GOOD)
    new = shop.gateway.rotate(old)
    assert isinstance(shop.gateway.ask(CHANNEL.pay(shop.http, old, charge)), Unknown)  # charged, not provable
    assert isinstance(shop.gateway.ask(CHANNEL.query(shop.http, new, charge.attempt_no)), Paid)


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, ()),
        ({"amount_minor": 0}, ("AMOUNT_BELOW_MIN",)),
        ({"amount_minor": 10**12}, ("AMOUNT_ABOVE_MAX",)),
        ({"currency": "USD"}, ("CURRENCY_NOT_SUPPORTED",)),
        ({"instalments": 3}, ("PLAN_TERM_NOT_OFFERED",)),
        ({"way": "jsapi"}, ("CLIENT_UNSUPPORTED",)),
        ({"way": "token"}, ("NO_INSTRUMENT",)),
        ({"way": "token", "payer": "a friend"}, ("NO_INSTRUMENT",)),
        ({"way": "token", "payer": "token:x"}, ()),
        ({"expires_at": NOON}, ("ORDER_EXPIRED",)),
    ],
)
def test_what_is_known_before_any_call(shop: Shop, changes: dict[str, object], codes: tuple[str, ...]) -> None:
    assert CHANNEL.precheck(shop.charge(**changes), shop.passage) == codes  # type: ignore[arg-type]


def test_a_forged_notice_is_told_from_the_true_one(shop: Shop) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "forged_notice", "notice.payment")
    charge = shop.charge(way="token", payer=token)
    shop.ask("pay", charge)
    verdicts = []
    for told in shop.heard.wait(2):
        try:
            verdicts.append(CHANNEL.read_notice(shop.passage, told).attempt_no)
        except NoticeRefused as refused:
            verdicts.append(refused.code)
    assert sorted(verdicts) == sorted(["FORGED", charge.attempt_no])


def test_a_duplicated_notice_is_the_same_notice(shop: Shop) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "duplicate_notice", "notice.payment", copies="3")
    shop.ask("pay", shop.charge(way="token", payer=token))
    read = [CHANNEL.read_notice(shop.passage, told) for told in shop.heard.wait(3)]
    assert read[0] == read[1] == read[2]


def test_a_notice_of_another_amount_says_so(shop: Shop) -> None:
    token = shop.token()
    shop.gateway.control.set_fault("bank_card", "wrong_amount_notice", "notice.payment", amount_minor="1")
    shop.ask("pay", shop.charge(way="token", payer=token))
    [told] = shop.heard.wait(1)
    result = CHANNEL.read_notice(shop.passage, told).result
    assert isinstance(result, Paid) and result.amount_minor == 1


def test_what_is_not_a_notice_of_ours_is_refused(shop: Shop) -> None:
    shop.pay()
    [told] = shop.heard.wait(1)
    other = replace(
        shop.passage,
        credential=replace(shop.passage.credential, values={**shop.passage.credential.values, "mer_id": "1"}),
    )
    for passage, body, code in (
        (other, told.body, "FOREIGN"),
        (shop.passage, b"", "FORGED"),
        (shop.passage, b"\xff", "MALFORMED"),
        (shop.passage, told.body.replace(b"respCode=00", b"respCode=01"), "FORGED"),
        (shop.gateway.enrol("bank_card"), told.body, "FORGED"),
    ):
        with pytest.raises(NoticeRefused) as refused:
            CHANNEL.read_notice(passage, Incoming("POST", "/hooks/x", {}, body))
        assert refused.value.code == code


def test_late_notices_of_old_keys_still_count(shop: Shop) -> None:
    old = shop.gateway.enrol("bank_card")
    charge = shop.charge(way="token", payer=GOOD)
    shop.gateway.ask(CHANNEL.pay(shop.http, old, charge))
    [told] = shop.heard.wait(1)
    new = shop.gateway.rotate(old)
    assert CHANNEL.read_notice(new, told).attempt_no == charge.attempt_no


def test_the_answer_is_ok_or_again() -> None:
    assert CHANNEL.answer(True) == Reply(200, "text/plain", b"ok")
    assert CHANNEL.answer(False).status == 500
