"""The signature, written out by hand and by a second implementation, and the numbers that ids are written as."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.jeepay.client import md5_sign

from fenqi import jeepay
from fenqi.web.jeepay.pay_data import form


def test_the_signature_of_an_example():
    fields = {
        "returnUrl": "https://shop.example", "amount": 10_000, "mchOrderNo": "P01", "notifyUrl": "", "version": "1.0",
        "extParam": None, "Body": "包", "sign": "not of it",
    }  # fmt: skip
    text = "amount=10000&Body=包&mchOrderNo=P01&returnUrl=https://shop.example&version=1.0&key=EWEFD123"
    secret = "EWEFD123"
    assert jeepay.sign(fields, secret) == hashlib.md5(text.encode()).hexdigest().upper()


@given(st.dictionaries(st.from_regex(r"[a-z][a-zA-Z]{0,9}", fullmatch=True), st.one_of(st.text(), st.integers())))
def test_client_and_door_sign_alike(fields):
    fields.pop("sign", None)
    assert jeepay.sign(fields, "secret") == md5_sign(fields, "secret")
    signed = fields | {"sign": md5_sign(fields, "secret").lower()}
    assert jeepay.is_signed(signed, "secret") and not jeepay.is_signed(signed, "secret ")
    assert not jeepay.is_signed(signed | {"zz": "1"}, "secret")


def test_empty_values_may_be_signed_or_left_out():
    whole = hashlib.md5(b"a=1&b=&key=s").hexdigest()
    left = hashlib.md5(b"a=1&key=s").hexdigest()
    assert all(jeepay.is_signed({"a": 1, "b": "", "sign": sign}, "s") for sign in (whole, left))
    assert not jeepay.is_signed({"a": 1, "b": ""}, "s")


@given(st.uuids())
def test_a_number_is_an_id(any_id):
    number = jeepay.number("P", any_id)
    assert len(number) == 26 and jeepay.id_of("P", number) == any_id and jeepay.id_of("R", number) is None


@pytest.mark.parametrize(
    "text", ["", "P", "P" + "Z" * 25, "P" + "-" * 25, "p" + "0" * 25, "P" + "0" * 26, "P" + "٠" * 25]
)
def test_what_is_no_number(text):
    assert jeepay.id_of("P", text) is None
    assert jeepay.id_of("P", "P" + "0" * 25) == UUID(int=0)


def test_a_form_is_escaped():
    assert 'value="&quot;&gt;&lt;script&gt;"' in form("https://a.example/?x=1&y=2", [("a", '"><script>')], "post")
    assert 'action="https://a.example/?x=1&amp;y=2"' in form("https://a.example/?x=1&y=2", [], "post")
