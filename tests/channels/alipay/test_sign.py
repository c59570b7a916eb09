"""The texts that are signed, written out by hand, and signatures checked by a library that is not ours."""

from __future__ import annotations

import base64
from functools import cache

import pytest
from Cryptodome.Hash import SHA256
from Cryptodome.PublicKey import RSA
from Cryptodome.Signature import pkcs1_15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.alipay.conftest import Pair

from fenqi.channels.alipay.sign import (
    KeyUnusable,
    notice_text,
    request_text,
    sign,
    v3_answer_text,
    v3_request_text,
    verify,
)


def test_a_request_signs_all_but_sign_and_what_is_empty() -> None:
    params = {
        "method": "alipay.trade.query", "app_id": "2021", "sign_type": "RSA2", "sign": "x", "notify_url": "",
        "biz_content": '{"subject":"手机 & 壳"}', "charset": "utf-8",
    }  # fmt: skip
    assert request_text(params) == (
        'app_id=2021&biz_content={"subject":"手机 & 壳"}&charset=utf-8&method=alipay.trade.query&sign_type=RSA2'
    )


def test_a_notice_drops_the_type_and_keeps_what_is_empty() -> None:
    params = {"trade_no": "2", "sign": "x", "sign_type": "RSA2", "body": "", "app_id": "1"}
    assert notice_text(params) == "app_id=1&body=&trade_no=2"
    assert notice_text(params, ("sign",)) == "app_id=1&body=&sign_type=RSA2&trade_no=2"


def test_v3_signs_lines() -> None:
    auth = "app_id=1,nonce=n,timestamp=2"
    assert v3_request_text(auth, "POST", "/v3/a?b=c", "{}") == f"{auth}\nPOST\n/v3/a?b=c\n{{}}\n"
    assert v3_request_text(auth, "GET", "/v3/a", "", "token") == f"{auth}\nGET\n/v3/a\n\ntoken\n"
    assert v3_answer_text("1", "n", b'{"a":1}') == b'1\nn\n{"a":1}\n'


def test_another_library_takes_our_signature_and_we_take_its(ours: Pair) -> None:
    text = "app_id=1&charset=utf-8&金额=1.00"
    theirs = RSA.import_key(ours.private)
    digest = SHA256.new(text.encode())
    pkcs1_15.new(theirs).verify(digest, base64.b64decode(sign(text, ours.private)))
    assert verify(text, base64.b64encode(pkcs1_15.new(theirs).sign(digest)).decode(), ours.public)


def forms(pair: Pair) -> list[str]:
    """The private key in every form in which Alipay's tools and merchants write one."""
    texts = []
    for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
        pem = pair.key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
        bare = base64.b64encode(pair.key.private_bytes(Encoding.DER, form, NoEncryption())).decode()
        texts += [pem, pem.replace("\n", "\r\n"), bare, "\n".join(bare[i : i + 76] for i in range(0, len(bare), 76))]
    return texts


def test_keys_come_in_many_forms(ours: Pair) -> None:
    expected = sign("text", ours.private)
    assert [sign("text", one) for one in forms(ours)] == [expected] * 8
    der = ours.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert verify("text", expected, base64.b64encode(der).decode())


@pytest.mark.parametrize("text", ["", "not base64!", "QUJD", "-----BEGIN RSA PRIVATE KEY-----\nQUJD\n"])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(KeyUnusable):
        sign("text", text)
    with pytest.raises(KeyUnusable):
        verify("text", "QUJD", text)


def test_a_private_key_is_not_shown_when_it_is_refused() -> None:
    with pytest.raises(KeyUnusable) as refused:
        sign("text", "U0VDUkVU")
    assert "U0VDUkVU" not in str(refused.value)


@pytest.mark.parametrize("signature", ["", "!!", "QUJD", "手机"])
def test_what_is_no_signature_does_not_verify(ours: Pair, signature: str) -> None:
    assert verify("text", signature, ours.public) is False


@cache
def one_pair() -> Pair:
    return Pair(generate_private_key(65_537, 2_048))


@given(text=st.text(max_size=60), other=st.text(max_size=60))
def test_a_signature_is_of_one_text_only(text: str, other: str) -> None:
    pair = one_pair()
    assert verify(text, sign(text, pair.private), pair.public)
    assert verify(other, sign(text, pair.private), pair.public) == (text == other)
