"""The texts that are signed, written out by hand; the first is the published example of the protocol's rules."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from fenqi.channels.wechat_pay import seal
from fenqi.channels.wechat_pay.order import app_fields, jsapi_fields
from fenqi.channels.wechat_pay.sign import (
    answer_text,
    authorization,
    load_public_key,
    read_authorization,
    request_text,
    sign,
    verify,
)

KEY = rsa.generate_private_key(65_537, 2_048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = KEY.public_key()
NONCE = "593BEC0C930BF1AFEB40B4A08C8FB242"


def holds(signature: str, text: bytes) -> None:
    """Raises where it does not; by the library alone."""
    PUBLIC.verify(base64.b64decode(signature), text, padding.PKCS1v15(), hashes.SHA256())


def test_a_request_without_body_signs_five_lines() -> None:
    text = request_text("GET", "/v3/certificates", "1554208460", NONCE, b"")
    assert text == b"GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n"


def test_a_request_signs_its_query_and_its_body() -> None:
    text = request_text("POST", "/v3/pay/x?mchid=19", "1", "n", '{"description":"手机"}'.encode())
    assert text == 'POST\n/v3/pay/x?mchid=19\n1\nn\n{"description":"手机"}\n'.encode()


def test_an_answer_signs_three_lines_even_without_body() -> None:
    assert answer_text("1554209980", "c5ac7061fccab6bf3e254dcf98995b8c", b"") == (
        b"1554209980\nc5ac7061fccab6bf3e254dcf98995b8c\n\n"
    )
    assert answer_text("1", "n", b'{"a":1}') == b'1\nn\n{"a":1}\n'


def test_the_header_holds_five_pairs_and_their_signature() -> None:
    values = {"private_key": PEM, "mchid": "1900009191", "serial_no": "1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"}
    header = authorization(values, ("GET", "/v3/certificates", b""), "1554208460", NONCE)
    assert header.startswith(
        f'WECHATPAY2-SHA256-RSA2048 mchid="1900009191",nonce_str="{NONCE}",signature="'
    ) and header.endswith('",timestamp="1554208460",serial_no="1DDE55AD98ED71D6EDD4A4A16996DE7B47773A8C"')
    pairs = read_authorization(header)
    assert pairs is not None
    holds(pairs["signature"], b"GET\n/v3/certificates\n1554208460\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n")


@pytest.mark.parametrize("header", ["", "Bearer x", 'WECHATPAY2-SM2 mchid="1"', "WECHATPAY2-SHA256-RSA2048 mchid=1"])
def test_another_header_is_none(header: str) -> None:
    assert read_authorization(header) is None


def test_jsapi_signs_appid_time_nonce_and_package() -> None:
    fields = jsapi_fields("wx8888888888888888", PEM, "wx201410272009395522657a690389285100", "1414561699", "5K82")
    assert {name: value for name, value in fields.items() if name != "paySign"} == {
        "appId": "wx8888888888888888",
        "timeStamp": "1414561699",
        "nonceStr": "5K82",
        "package": "prepay_id=wx201410272009395522657a690389285100",
        "signType": "RSA",
    }
    holds(
        fields["paySign"],
        b"wx8888888888888888\n1414561699\n5K82\nprepay_id=wx201410272009395522657a690389285100\n",
    )


def test_an_app_signs_the_bare_prepay_id() -> None:
    fields = app_fields("wx8888888888888888", "1900000109", PEM, "wx2014", "1414561699", "5K82")
    assert {name: value for name, value in fields.items() if name != "sign"} == {
        "appid": "wx8888888888888888",
        "partnerid": "1900000109",
        "prepayid": "wx2014",
        "package": "Sign=WXPay",
        "noncestr": "5K82",
        "timestamp": "1414561699",
    }
    holds(fields["sign"], b"wx8888888888888888\n1414561699\n5K82\nwx2014\n")


@given(st.binary(max_size=200), st.integers(0, 199))
def test_a_signature_holds_for_its_text_only(text: bytes, place: int) -> None:
    signature = sign(PEM, text)
    assert verify(PUBLIC, text, signature)
    if text:
        at = place % len(text)
        assert not verify(PUBLIC, text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :], signature)
    assert not verify(PUBLIC, text, "not base64!") and not verify(PUBLIC, text, "")


@given(st.binary(max_size=300), st.text(max_size=20))
def test_what_is_sealed_opens_with_its_key_only(plain: bytes, associated: str) -> None:
    key, nonce = "a" * 32, "0123456789ab"
    fields = seal.seal(key, plain, nonce, associated)
    made = seal.Sealed(**fields)
    assert seal.unseal(key, made) == plain
    assert seal.unseal("b" * 32, made) is None and seal.unseal("a" * 31, made) is None
    assert seal.unseal(key, seal.Sealed(**{**fields, "associated_data": associated + "x"})) is None
    assert seal.unseal(key, seal.Sealed(**{**fields, "algorithm": "AEAD_SM4_GCM"})) is None
    assert seal.unseal(key, seal.Sealed(**{**fields, "ciphertext": "%"})) is None


def test_a_key_that_is_no_rsa_key_is_refused() -> None:
    with pytest.raises(ValueError, match=r"."):
        load_public_key("-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----\n")
