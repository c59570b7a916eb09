"""Keys that change: the public key by a new credential, the certificate by itself, with late notices of both."""

from __future__ import annotations

import msgspec
import pytest
from tests.channels.running import Running
from tests.channels.wechat_pay.shop import OPENID, Shop
from tests.channels.wechat_pay.test_notices import paid_notices

from fenqi.channels.contract import NoticeRefused, Paid, Pending, Unknown
from fenqi.channels.wechat_pay import WechatPay
from fenqi.channels.wechat_pay.sign import certificates

replace = msgspec.structs.replace


@pytest.fixture
def certified(gateway: Running) -> Shop:
    """A shop that verifies by platform certificates, and starts with those of its enrolment."""
    shop = Shop(gateway)
    shop.passage = shop.with_values(public_key_id="", public_key="")
    return shop


def rotated(shop: Shop) -> None:
    shop.gateway.control.rotate("wechat_pay", shop.values["mchid"])


def test_a_new_public_key_is_unknown_until_it_is_given(fresh_shop: Shop) -> None:
    shop = fresh_shop
    charge, [early] = paid_notices(shop)
    renewed = shop.gateway.rotate(shop.passage)
    doubt = shop.query(charge.attempt_no)
    assert isinstance(doubt, Unknown) and renewed.credential.values["public_key_id"] in doubt.why
    shop.passage = renewed
    assert isinstance(shop.query(charge.attempt_no), Paid)
    assert isinstance(shop.channel.read_notice(shop.passage, early).result, Paid)
    _, [late] = paid_notices(shop)
    assert isinstance(shop.channel.read_notice(shop.passage, late).result, Paid)
    only_new = replace(renewed, accepted=(renewed.credential,))
    with pytest.raises(NoticeRefused, match="FORGED"):
        shop.channel.read_notice(only_new, early)


def test_certificates_prove_answers_and_notices(certified: Shop) -> None:
    charge, [incoming] = paid_notices(certified)
    [serial] = certificates(certified.values["platform_certificates"])
    assert incoming.headers["wechatpay-serial"] == serial
    assert certified.channel.read_notice(certified.passage, incoming).result == certified.query(charge.attempt_no)


def test_a_rotated_certificate_is_learned_by_the_next_answer(certified: Shop) -> None:
    charge, [early] = paid_notices(certified)
    rotated(certified)
    assert isinstance(certified.query(charge.attempt_no), Paid)
    _, [late] = paid_notices(certified)
    assert early.headers["wechatpay-serial"] != late.headers["wechatpay-serial"]
    for incoming in (early, late):
        assert isinstance(certified.channel.read_notice(certified.passage, incoming).result, Paid)


def test_a_notice_by_an_unlearned_certificate_waits_for_a_probe(certified: Shop) -> None:
    shop, charge = certified, certified.charge()
    shop.pay(charge)
    rotated(shop)
    shop.gateway.control.pay(shop.trade(charge.attempt_no).trade_no, OPENID)
    [incoming] = shop.heard.wait(1)
    if incoming.headers["wechatpay-serial"] in shop.values["platform_certificates"]:
        raise AssertionError("the gateway still signs with the old one")
    with pytest.raises(NoticeRefused, match="not known here"):
        shop.channel.read_notice(shop.passage, incoming)
    assert shop.gateway.ask(shop.channel.probe(shop.gateway.http, shop.passage)) is True
    assert isinstance(shop.channel.read_notice(shop.passage, incoming).result, Paid)


def test_a_shop_may_start_without_any_certificate(certified: Shop) -> None:
    certified.passage = certified.with_values(platform_certificates="")
    assert isinstance(certified.pay(certified.charge()), Pending)


def test_learned_certificates_can_be_kept(certified: Shop) -> None:
    shop = certified
    old = set(certificates(shop.values["platform_certificates"]))
    rotated(shop)
    kept = shop.gateway.ask(shop.channel.learn_certificates(shop.gateway.http, shop.passage))
    assert len(certificates(kept)) == 2 and old < set(certificates(kept))
    shop.channel, shop.passage = WechatPay(), shop.with_values(platform_certificates=kept)
    _, [incoming] = paid_notices(shop)
    assert isinstance(WechatPay().read_notice(shop.passage, incoming).result, Paid)


def test_certificates_sealed_by_another_key_are_not_learned(certified: Shop) -> None:
    shop = certified
    shop.passage = shop.with_values(platform_certificates="", api_v3_key="x" * 32)
    assert isinstance(shop.pay(shop.charge()), Unknown)
    assert shop.gateway.ask(shop.channel.learn_certificates(shop.gateway.http, shop.passage)) == ""
    assert shop.gateway.ask(shop.channel.probe(shop.gateway.http, shop.passage)) is False


def test_the_rotation_may_come_as_a_fault(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.fault("rotated_certificate")
    assert isinstance(shop.query("a" * 32), Unknown)
    account = shop.gateway.control.account("wechat_pay", shop.values["mchid"])
    shop.passage = account.passage(shop.passage.passage_id, shop.passage.accepted)
    assert account.version == 2 and isinstance(shop.pay(shop.charge()), Pending)
