"""Notices as the gateway sends them: believed only when proven, read as the result that a query would give."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from tests.channels.wechat_pay.shop import OPENID, Shop

from fenqi.channels.contract import Charge, Credential, Incoming, NoticeRefused, Paid, Refunded, RefundFailed
from fenqi.channels.wechat_pay.gateway.door import signature
from fenqi.channels.wechat_pay.seal import seal

replace = msgspec.structs.replace


def paid_notices(shop: Shop, count: int = 1) -> tuple[Charge, list[Incoming]]:
    """A charge that was just paid, and the notices that came of it."""
    charge = shop.charge()
    shop.pay(charge)
    shop.gateway.control.pay(shop.trade(charge.attempt_no).trade_no, OPENID)
    return charge, shop.notices(count, out_trade_no=charge.attempt_no)


def refused(shop: Shop, incoming: Incoming) -> str:
    with pytest.raises(NoticeRefused) as caught:
        shop.channel.read_notice(shop.passage, incoming)
    return caught.value.code


def resigned(shop: Shop, change: Callable[[dict[str, object]], None], plain: bytes | None = None) -> Incoming:
    """A notice made by hand and properly signed by the gateway's key of this account."""
    account = shop.gateway.house.book.account("wechat_pay", shop.values["mchid"])
    assert account is not None
    told = {"mchid": shop.values["mchid"], "appid": shop.values["appid"], "out_trade_no": "a" * 32,
            "transaction_id": "4200", "trade_state": "SUCCESS", "success_time": "2026-05-01T10:00:00+08:00",
            "amount": {"total": 5, "currency": "CNY"}}  # fmt: skip
    change(told)
    sealed = seal(shop.values["api_v3_key"], plain or json.dumps(told).encode(), "0123456789ab", "transaction")
    envelope = {"id": "n-1", "event_type": "TRANSACTION.SUCCESS", "resource_type": "encrypt-resource",
                "resource": {**sealed, "original_type": "transaction"}}  # fmt: skip
    body = json.dumps(told.pop("_envelope", None) or envelope).encode()
    return Incoming("POST", "/hooks/x", signature(account, True, body), body)


def test_a_payments_notice_is_what_a_query_says(shop: Shop) -> None:
    charge, [incoming] = paid_notices(shop)
    notice = shop.channel.read_notice(shop.passage, incoming)
    assert (notice.attempt_no, notice.refund_no) == (charge.attempt_no, None)
    assert notice.result == shop.query(charge.attempt_no)
    assert json.loads(incoming.body)["event_type"] == "TRANSACTION.SUCCESS"
    assert charge.attempt_no.encode() not in incoming.body


def test_a_refunds_notice_names_both_numbers(shop: Shop) -> None:
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 5)
    shop.refund(asked)
    shop.gateway.control.steer(1_201)
    [incoming] = shop.notices(1, out_refund_no=asked.refund_no)
    notice = shop.channel.read_notice(shop.passage, incoming)
    assert (notice.attempt_no, notice.refund_no) == (charge.attempt_no, asked.refund_no)
    assert isinstance(notice.result, Refunded) and notice.result.amount_minor == 5


@pytest.mark.parametrize(
    ("event", "status", "result"),
    [
        ("REFUND.ABNORMAL", "ABNORMAL", RefundFailed("ABNORMAL", "REFUND_ACCOUNT_GONE")),
        ("REFUND.CLOSED", "CLOSED", RefundFailed("CLOSED", "REFUND_REJECTED")),
    ],
)
def test_a_refund_that_ended_badly(shop: Shop, event: str, status: str, result: RefundFailed) -> None:
    def change(told: dict[str, object]) -> None:
        said = {"mchid": shop.values["mchid"], "out_trade_no": "a" * 32, "out_refund_no": "b" * 32,
                "refund_status": status, "refund_id": "503", "amount": {"total": 9, "refund": 5}}  # fmt: skip
        sealed = seal(shop.values["api_v3_key"], json.dumps(said).encode(), "0123456789ab", "refund")
        told["_envelope"] = {
            "id": "n-2", "event_type": event, "resource_type": "encrypt-resource", "resource": sealed
        }  # fmt: skip

    notice = shop.channel.read_notice(shop.passage, resigned(shop, change))
    assert (notice.refund_no, notice.result) == ("b" * 32, result)


def test_copies_have_one_number(shop: Shop) -> None:
    shop.fault("duplicate_notice", "notice.payment")
    _, copies = paid_notices(shop, 3)
    read = [shop.channel.read_notice(shop.passage, one) for one in copies]
    assert read[0] == read[1] == read[2]
    assert len({one.headers["wechatpay-nonce"] for one in copies}) == 3


def test_a_forged_notice_is_refused_and_the_true_one_read(shop: Shop) -> None:
    shop.fault("forged_notice", "notice.payment")
    _, both = paid_notices(shop, 2)
    codes = []
    for one in both:
        try:
            codes.append(type(shop.channel.read_notice(shop.passage, one).result))
        except NoticeRefused as error:
            codes.append(error.code)
    assert sorted(codes, key=str) == sorted(["FORGED", Paid], key=str)


def test_a_wrong_amount_is_seen(shop: Shop) -> None:
    shop.fault("wrong_amount_notice", "notice.payment", amount_minor="1")
    charge, [incoming] = paid_notices(shop)
    told = shop.channel.read_notice(shop.passage, incoming).result
    assert isinstance(told, Paid) and told.amount_minor == 1
    asked = shop.query(charge.attempt_no)
    assert isinstance(asked, Paid) and asked.amount_minor == 12_345


def test_any_change_is_a_forgery(shop: Shop) -> None:
    _, [incoming] = paid_notices(shop)
    assert refused(shop, replace(incoming, body=incoming.body.replace(b"SUCCESS", b"SUCCESs"))) == "FORGED"
    for name in ("timestamp", "nonce", "signature", "serial", "signature-type"):
        key = f"wechatpay-{name}"
        changed = {**incoming.headers, key: incoming.headers[key][::-1]}
        assert refused(shop, replace(incoming, headers=changed)) == "FORGED", name
        missing = {name: value for name, value in incoming.headers.items() if name != key}
        if name != "signature-type":
            assert refused(shop, replace(incoming, headers=missing)) == "FORGED", name


def test_the_channels_own_trial_of_signatures_is_refused(shop: Shop) -> None:
    _, [incoming] = paid_notices(shop)
    strange = {**incoming.headers, "wechatpay-signature": "é"}
    assert refused(shop, replace(incoming, headers=strange)) == "FORGED"
    probe = {**incoming.headers, "wechatpay-signature": "WECHATPAY/SIGNTEST/" + incoming.headers["wechatpay-signature"]}
    assert refused(shop, replace(incoming, headers=probe)) == "FORGED"


@pytest.mark.parametrize("name", ["mchid", "appid"])
def test_anothers_notice_is_foreign(shop: Shop, name: str) -> None:
    assert refused(shop, resigned(shop, lambda told: told.update({name: "1900000001"}))) == "FOREIGN"


def test_a_notice_of_another_account_does_not_even_verify(shop: Shop, fresh_shop: Shop) -> None:
    _, [incoming] = paid_notices(fresh_shop)
    assert refused(shop, incoming) == "FORGED"


def test_what_can_not_be_read_is_malformed(shop: Shop) -> None:
    assert refused(shop, resigned(shop, lambda told: None, plain=b"[]")) == "MALFORMED"
    assert refused(shop, resigned(shop, lambda told: None, plain=b'{"mchid":"\xff"}')) == "MALFORMED"
    assert refused(shop, resigned(shop, lambda told: told.update(trade_state="BETTER"))) == "MALFORMED"
    assert refused(shop, resigned(shop, lambda told: told.update(success_time="2026-05-01T10:00:00"))) == "MALFORMED"
    assert refused(shop, resigned(shop, lambda told: told.update(amount=None))) == "MALFORMED"
    assert refused(shop, resigned(shop, lambda told: told.update(_envelope={"id": "x"}))) == "MALFORMED"
    other = {"id": "x", "event_type": "COUPON.USE", "resource_type": "encrypt-resource",
             "resource": seal(shop.values["api_v3_key"], b"{}", "0123456789ab", "coupon")}  # fmt: skip
    assert refused(shop, resigned(shop, lambda told: told.update(_envelope=other))) == "MALFORMED"
    strange = {**other, "resource": seal("x" * 32, b"{}", "0123456789ab", "coupon")}
    assert refused(shop, resigned(shop, lambda told: told.update(_envelope=strange))) == "MALFORMED"


def test_an_older_api_v3_key_still_opens(shop: Shop) -> None:
    _, [incoming] = paid_notices(shop)
    newer = Credential(shop.passage.credential.version + 1, {**shop.values, "api_v3_key": "n" * 32})
    passage = replace(shop.passage, credential=newer, accepted=(newer, shop.passage.credential))
    assert isinstance(shop.channel.read_notice(passage, incoming).result, Paid)
    with pytest.raises(NoticeRefused, match="MALFORMED"):
        shop.channel.read_notice(replace(passage, accepted=(newer,)), incoming)


def test_an_answer_of_ours_ends_the_ladder_or_goes_on(shop: Shop) -> None:
    taken, again = shop.channel.answer(True), shop.channel.answer(False)
    assert (taken.status, taken.body) == (204, b"")
    assert (again.status, json.loads(again.body)) == (500, {"code": "FAIL", "message": "失败"})


def test_a_notice_that_is_not_taken_climbs_the_ladder(fresh_shop: Shop) -> None:
    shop = fresh_shop
    m, h = 60, 3_600
    ladder_s = (15, 15, 30, 3 * m, 10 * m, 20 * m, 30 * m, 30 * m, 30 * m, h, 3 * h, 3 * h, 3 * h, 6 * h, 6 * h)
    assert shop.gateway.house.sides["wechat_pay"].ladder_s == ladder_s and sum(ladder_s) == 24 * h + 4 * m
    shop.gateway.control.set_speed(10_000_000)
    shop.heard.answer = shop.channel.answer(False)
    charge, tries = paid_notices(shop, 16)
    assert len({shop.channel.read_notice(shop.passage, one).notice_no for one in tries}) == 1
    assert len({one.headers["wechatpay-nonce"] for one in tries}) == 16
    trade_no = shop.trade(charge.attempt_no).trade_no
    assert shop.gateway.control.notices(trade_no=trade_no)[0].notice.tries in (15, 16)
    assert len(shop.heard.got) == 16


def test_a_notice_that_is_taken_does_not_come_again(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.set_speed(10_000_000)
    shop.heard.answer = shop.channel.answer(True)
    paid_notices(shop)
    paid_notices(shop)
    assert len(shop.heard.got) == 2
