"""Notices: those that the gateway sends, and those that nobody should believe."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import pytest
from tests.channels.alipay.conftest import Pair
from tests.channels.alipay.shop import Shop, with_values
from tests.channels.running import Running

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.alipay.sign import notice_text, sign
from fenqi.channels.contract import (
    Credential,
    Declined,
    Incoming,
    Notice,
    NoticeRefused,
    Paid,
    Passage,
    Pending,
    RefundPending,
)

replace = msgspec.structs.replace
TOLD = {
    "app_id": "2021000000000001", "seller_id": "2088000000000001", "out_trade_no": "a" * 32, "trade_no": "2" * 28,
    "trade_status": "TRADE_SUCCESS", "total_amount": "88.88", "gmt_payment": "2026-11-11 08:00:00", "charset": "utf-8",
    "notify_id": "n1", "subject": "手机 100% & =+", "buyer_logon_id": "138****5678", "body": "", "version": "1.0",
}  # fmt: skip


def incoming(
    pair: Pair, dropped: tuple[str, ...] = ("sign", "sign_type"), charset: str = "utf-8", **changes: str
) -> Incoming:  # fmt: skip
    params = {**TOLD, "charset": charset, "sign_type": "RSA2", **changes}
    params = {name: value for name, value in params.items() if value != "-"}
    text = notice_text(params, dropped).encode(charset)
    params["sign"] = sign(text if charset == "utf-8" else notice_text(params, dropped), pair.private)
    return Incoming("POST", "/hooks/ali", {}, urlencode(params, encoding=charset).encode())


def refused(passage: Passage, what: Incoming) -> str:
    with pytest.raises(NoticeRefused) as found:
        CHANNEL.read_notice(passage, what)
    return found.value.code


@pytest.mark.parametrize("dropped", [("sign", "sign_type"), ("sign",)])
@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_both_forms_of_signing(passage: Passage, alipays: Pair, dropped: tuple[str, ...], charset: str) -> None:
    notice = CHANNEL.read_notice(passage, incoming(alipays, dropped, charset))
    assert (notice.notice_no, notice.attempt_no, notice.refund_no) == ("n1", "a" * 32, None)
    assert isinstance(notice.result, Paid)
    assert (notice.result.amount_minor, notice.result.channel_no) == (8_888, "2" * 28)
    assert notice.result.paid_at.isoformat() == "2026-11-11T00:00:00+00:00"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"trade_status": "TRADE_FINISHED"}, Paid), ({"trade_status": "WAIT_BUYER_PAY"}, Pending),
        ({"trade_status": "TRADE_CLOSED", "gmt_payment": "-"}, Declined),
    ],
)  # fmt: skip
def test_states(passage: Passage, alipays: Pair, changes: dict[str, str], kind: type[Any]) -> None:
    assert isinstance(CHANNEL.read_notice(passage, incoming(alipays, **changes)).result, kind)


def test_a_refund_is_told_as_something_to_ask_about(passage: Passage, alipays: Pair) -> None:
    """`refund_fee` is the sum of all refunds (88.88 here of two), so no amount of this one can be told."""
    for status in ("TRADE_SUCCESS", "TRADE_CLOSED"):
        told = incoming(
            alipays, trade_status=status, refund_fee="88.88", gmt_refund="2026-11-12 08:00:00.123",
            out_biz_no="b" * 32,
        )  # fmt: skip
        assert CHANNEL.read_notice(passage, told) == Notice("n1", "a" * 32, RefundPending("2" * 28), "b" * 32)


def test_a_whole_refund_without_a_number_says_so_of_the_trade(passage: Passage, alipays: Pair) -> None:
    told = incoming(alipays, trade_status="TRADE_CLOSED", refund_fee="88.88", gmt_refund="2026-11-12 08:00:00.123")
    result = CHANNEL.read_notice(passage, told).result
    assert isinstance(result, Paid) and result.refunded_minor == 8_888


def test_what_is_not_signed_by_alipay_is_forged(passage: Passage, ours: Pair, alipays: Pair) -> None:
    assert refused(passage, incoming(ours)) == "FORGED"
    told = incoming(alipays)
    assert refused(passage, replace(told, body=told.body.replace(b"88.88", b"99.99"))) == "FORGED"
    assert refused(passage, replace(told, body=told.body + b"&more=1")) == "FORGED"
    assert refused(passage, replace(told, body=told.body.replace(b"sign_type=RSA2", b"sign_type=RSA"))) == "FORGED"
    assert refused(passage, replace(told, body=told.body.partition(b"&sign=")[0])) == "FORGED"
    assert refused(passage, replace(told, body=b"")) == "FORGED"


def test_what_is_another_accounts_is_foreign(passage: Passage, alipays: Pair) -> None:
    assert refused(passage, incoming(alipays, app_id="2021000000000002")) == "FOREIGN"
    assert refused(passage, incoming(alipays, app_id="-")) == "FOREIGN"
    assert refused(passage, incoming(alipays, seller_id="2088000000000002")) == "FOREIGN"
    assert CHANNEL.read_notice(passage, incoming(alipays, seller_id="-")).attempt_no == "a" * 32
    anyones = with_values(passage, seller_id="")
    assert CHANNEL.read_notice(anyones, incoming(alipays, seller_id="2088000000000002")).attempt_no == "a" * 32


@pytest.mark.parametrize(
    "changes",
    [
        {"out_trade_no": "-"}, {"total_amount": "much"}, {"total_amount": "1.001"}, {"trade_status": "TRADE_GUESSED"},
        {"gmt_payment": "-"}, {"trade_no": "-"}, {"trade_status": "-"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_malformed(passage: Passage, alipays: Pair, changes: dict[str, str]) -> None:
    assert refused(passage, incoming(alipays, **changes)) == "MALFORMED"


@pytest.mark.parametrize(
    "body", [b"a=1&a=2", b"charset=utf-7&a=1", "a=手机".encode(), b"charset=utf-8&a=%FF", b"&".join([b"a=1"] * 300)]
)
def test_bodies_that_are_no_notice(passage: Passage, body: bytes) -> None:
    assert refused(passage, Incoming("POST", "/hooks/ali", {}, body)) == "MALFORMED"


def test_without_an_id_a_notice_is_named_by_its_content(passage: Passage, alipays: Pair) -> None:
    one, other = (incoming(alipays, notify_id="-", subject=subject) for subject in ("x", "y"))
    numbers = [CHANNEL.read_notice(passage, told).notice_no for told in (one, one, other)]
    assert numbers[0] == numbers[1] != numbers[2] and len(numbers[0]) == 32


def test_late_notices_of_an_older_key_still_verify(passage: Passage, alipays: Pair, ours: Pair) -> None:
    newest = Credential(2, {**passage.credential.values, "alipay_public_key": ours.public})
    rotated = replace(passage, credential=newest, accepted=(newest, *passage.accepted))
    for pair in (ours, alipays):
        assert CHANNEL.read_notice(rotated, incoming(pair)).notice_no == "n1"
    forgotten = replace(rotated, accepted=(newest,))
    assert refused(forgotten, incoming(alipays)) == "FORGED"


def test_the_answer() -> None:
    assert CHANNEL.answer(True).body == b"success" and CHANNEL.answer(False).body == b"fail"
    assert CHANNEL.answer(True).status == 200


# From the gateway


@pytest.fixture(scope="module")
def shop(gateway: Running) -> Shop:
    return Shop(gateway)


def heard(shop: Shop, count: int) -> list[Notice]:
    return [CHANNEL.read_notice(shop.passage, told) for told in shop.hears.wait(count)]


def test_a_payment_is_told_with_all_that_the_query_knows(shop: Shop) -> None:
    shop = Shop(shop.gateway)
    charge, paid = shop.bought(subject="100% 纯棉+套装")
    [notice] = heard(shop, 1)
    assert notice.result == paid and notice.attempt_no == charge.attempt_no
    assert dict(parse_qsl(shop.hears.got[0].body.decode()))["subject"] == "100% 纯棉+套装"


def test_duplicates_have_one_number(shop: Shop) -> None:
    shop = Shop(shop.gateway)
    shop.fault("duplicate_notice", "notice.payment", copies="3")
    shop.bought()
    assert len({notice.notice_no for notice in heard(shop, 3)}) == 1


def test_a_forged_one_comes_first_and_is_seen_through(shop: Shop) -> None:
    shop = Shop(shop.gateway)
    shop.fault("forged_notice", "notice.payment")
    _, paid = shop.bought()
    found = []
    for told in shop.hears.wait(2):
        try:
            found.append(CHANNEL.read_notice(shop.passage, told).result)
        except NoticeRefused as error:
            found.append(error.code)
    assert sorted(map(str, found)) == sorted([str(paid), "FORGED"])


def test_a_wrong_amount_is_told_as_it_stands(shop: Shop) -> None:
    """It verifies, so the adapter tells it; comparing it with the charge is the caller's."""
    shop = Shop(shop.gateway)
    shop.fault("wrong_amount_notice", "notice.payment", amount_minor="1")
    shop.bought()
    [notice] = heard(shop, 1)
    assert isinstance(notice.result, Paid) and notice.result.amount_minor == 1


def test_another_shops_notice_is_not_ours(shop: Shop) -> None:
    other = Shop(shop.gateway)
    other.bought()
    [told] = other.hears.wait(1)
    assert refused(shop.passage, told) == "FORGED"  # each app has a key of Alipay's of its own


def test_refunds_are_told(shop: Shop) -> None:
    shop = Shop(shop.gateway)
    charge, paid = shop.bought(amount_minor=1_000)
    for amount_minor, status, total in ((400, "TRADE_SUCCESS", "4.00"), (600, "TRADE_CLOSED", "10.00")):
        asked = shop.repayable(charge, paid, amount_minor)
        before = len(shop.hears.got)
        shop.refund(asked)
        told = shop.hears.wait(max(before + 1, 2))[-1]
        notice = CHANNEL.read_notice(shop.passage, told)
        assert (notice.refund_no, notice.attempt_no) == (asked.refund_no, charge.attempt_no)
        params = dict(parse_qsl(told.body.decode()))
        assert (params["trade_status"], params["refund_fee"]) == (status, total)


def test_a_notice_that_is_not_taken_comes_again(shop: Shop) -> None:
    shop = Shop(shop.gateway)
    shop.hears.answer = CHANNEL.answer(False)
    shop.bought()
    first = heard(shop, 1)[0]
    shop.hears.answer = CHANNEL.answer(True)
    shop.gateway.control.steer(offset_s=241)
    assert heard(shop, 2)[1].notice_no == first.notice_no
