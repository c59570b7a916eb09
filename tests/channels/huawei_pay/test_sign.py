"""What Huawei Pay signs: its published example by hand, and SM2 by the example of the national standard."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from fenqi.channels.huawei_pay import codes, sign, sm2
from fenqi.kernel.reason import CODES

# GB/T 32918.5-2017, annex A.2: key, random number, and the signature of "message digest" by 1234567812345678.
PRIVATE = 0x3945208F_7B2144B1_3F36E38A_C6D39F95_88939369_2860B51A_42FB81EF_4DF7C5B8
PUBLIC = (
    0x09F9DF31_1E5421A1_50DD7D16_1E4BC5C6_72179FAD_1833FC07_6BB08FF3_56F35020,
    0xCCEA490C_E26775A5_2DC6EA71_8CC1AA60_0AED05FB_F35E084A_6632F607_2DA9AD13,
)
K = 0x59276E27_D506861A_16680F3A_D9C02DCC_EF3CC1FA_3CDBE4CE_6D54B80D_EAC1BC21
R = 0xF5A03B06_48D2C463_0EEAC513_E1BB81A1_5944DA38_27D5B741_43AC7EAC_EEE720B3
S = 0xB1B6AA29_DF212FD8_763182BC_0D421CA1_BB9038FD_1F7F42D4_840B69C4_85BBC1AA
MESSAGE = "message digest"


def der(r: int, s: int) -> str:
    return base64.b64encode(encode_dss_signature(r, s)).decode()


def test_the_standards_example() -> None:
    assert sm2.public_of(PRIVATE) == PUBLIC
    assert decode_dss_signature(base64.b64decode(sm2.sign(MESSAGE, PRIVATE, K))) == (R, S)
    assert sm2.verify(MESSAGE, der(R, S), PUBLIC)


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("message digest.", der(R, S)),
        (MESSAGE, der(R, S + 1)),
        (MESSAGE, der(0, S)),
        (MESSAGE, der(R, 0)),
        (MESSAGE, der(sm2.N, S)),
        (MESSAGE, der(R, sm2.N - R)),
        (MESSAGE, "AAAA"),
        (MESSAGE, "*"),
        (MESSAGE, ""),
    ],
)
def test_what_is_no_signature_of_it(text: str, signature: str) -> None:
    assert not sm2.verify(text, signature, PUBLIC)


def test_somebody_elses_key_or_name_does_not_verify() -> None:
    assert not sm2.verify(MESSAGE, der(R, S), sm2.public_of(PRIVATE + 1))
    assert not sm2.verify(MESSAGE, der(R, S), PUBLIC, b"ALICE123@YAHOO.COM")


def test_the_curves_order() -> None:
    """N times G is nowhere, so N - 1 times G is G upside down."""
    x, y = sm2.public_of(sm2.N - 1)
    assert (x, y) == (sm2.G[0], sm2.P - sm2.G[1])


def test_a_key_is_read_in_each_form() -> None:
    plain = sm2.write_public(PUBLIC)
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200") + bytes.fromhex(plain)
    bare = base64.b64encode(spki).decode()
    for text in (plain, plain.upper(), bare, f"-----BEGIN PUBLIC KEY-----\n{bare}\n-----END PUBLIC KEY-----\n"):
        assert sm2.read_public(text) == PUBLIC
    for text in ("", "04", "04" + "0" * 128, plain[:-1] + "0", "no key", base64.b64encode(b"x" * 90).decode()):
        with pytest.raises(ValueError):
            sm2.read_public(text)


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=40), st.integers(1, sm2.N - 2), st.integers(1, sm2.N - 1))
def test_any_text_verifies_by_its_key(text: str, private: int, k: int) -> None:
    text = text.encode("utf-8", "replace").decode()
    public = sm2.public_of(private)
    signature = sm2.sign(text, private, k)
    assert sm2.verify(text, signature, public)
    assert not sm2.verify(text + "x", signature, public)


def test_huaweis_published_example_of_the_text() -> None:
    fields = {
        "appId": "5765880207854262xxx", "callbackUrl": "https://www.xxx.com/hw_notify", "currency": "CNY",
        "mercNo": "101723200xxx", "mercOrderNo": "2405171027547xxx", "payload": "shop|h8ahnJA8xxRXVw",
        "totalAmount": 5, "tradeSummary": "test",
        "subOrders": [
            {"mercNo": "101723200xxx", "mercOrderNo": "abcxxx1"},
            {"mercNo": "101723201xxx", "mercOrderNo": "abcxxx2"},
        ],
    }  # fmt: skip
    assert sign.text_of(fields) == (
        "appId=5765880207854262xxx&callbackUrl=https://www.xxx.com/hw_notify&currency=CNY&mercNo=101723200xxx"
        "&mercOrderNo=2405171027547xxx&payload=shop|h8ahnJA8xxRXVw&subOrders=mercNo=101723200xxx&mercOrderNo=abcxxx1,"
        "mercNo=101723201xxx&mercOrderNo=abcxxx2&totalAmount=5&tradeSummary=test"
    )


def test_null_is_left_out_and_empty_is_not() -> None:
    assert sign.text_of({"b": None, "a": "", "sign": "x", "c": True}) == "a=&c=true"


def test_our_signature_is_pss_with_a_salt_of_the_digests_length() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    bare = "".join(private.splitlines()[1:-1])
    for given_key in (private, bare):
        signature = sign.sign("a=1", given_key)
        assert sign.holds("a=1", signature, public)
        assert not sign.holds("a=2", signature, public)
    assert not sign.holds("a=1", "*", public)
    assert sign.sign("a=1", private) != sign.sign("a=1", private)  # salted


def test_every_meaning_is_in_the_dictionary() -> None:
    for meaning in codes.MEANINGS.values():
        assert meaning.reason in CODES
    assert codes.declined("NEVER_SEEN", "").fault == "caller"
