"""What UnionPay signs, by real messages of its own and by hand; whose certificates count."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.bank_card import vectors

from fenqi.channels.bank_card import sign
from fenqi.channels.bank_card.gateway import keys
from fenqi.channels.contract import Credential

KEPT, GIVEN = keys.fresh("777290000000001")
OTHERS_KEPT, OTHERS_GIVEN = keys.fresh("777290000000002")
CREDENTIAL, OTHERS = Credential(1, GIVEN), Credential(2, OTHERS_GIVEN)
NOW = datetime(2026, 3, 10, tzinfo=UTC)


def answer(**changes: str) -> dict[str, str]:
    fields = {
        "version": "5.1.0",
        "signMethod": "01",
        "merId": "777290000000001",
        "respCode": "00",
        "respMsg": "成功[0000000]",
    }
    fields |= {"signPubKeyCert": KEPT["sign_cert"]} | changes
    return fields | {"signature": sign.seal(fields, KEPT["sign_key"])}


@pytest.mark.parametrize("name", list(vectors.ALL))
def test_real_messages_of_unionpay_hold_and_are_signed_over_the_hex_text(name: str) -> None:
    fields = vectors.ALL[name]
    key = sign.load_certificate(fields["signPubKeyCert"]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert sign.holds(fields, key)
    raw = sign.text_to_sign(fields).encode()
    for other in (raw, hashlib.sha256(raw).digest(), sign.digest_text(fields).upper()):
        with pytest.raises(InvalidSignature):
            key.verify(base64.b64decode(fields["signature"]), other, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("name", list(vectors.ALL))
def test_a_real_message_with_one_letter_changed_does_not_hold(name: str) -> None:
    fields = dict(vectors.ALL[name]) | {"txnAmt": "2"}
    key = sign.load_certificate(fields["signPubKeyCert"]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert not sign.holds(fields, key)


def test_the_real_certificate_is_unionpays() -> None:
    assert sign.owner_of(sign.load_certificate(vectors.CERTIFICATE)) == sign.SIGNER == "中国银联股份有限公司"


def test_the_text_is_sorted_raw_and_without_the_signature() -> None:
    fields = {"txnAmt": "1", "b": "x=y&z", "Z": "大", "signature": "no", "a": ""}
    assert sign.text_to_sign(fields) == "Z=大&a=&b=x=y&z&txnAmt=1"
    assert sign.digest_text({"a": "1"}) == hashlib.sha256(b"a=1").hexdigest().encode()


def test_a_request_has_its_certificate_and_no_empty_field() -> None:
    made = sign.signed({"a": "1", "empty": ""}, GIVEN["private_key"], "42")
    assert set(made) == {"a", "certId", "signMethod", "signature"}
    assert (made["certId"], made["signMethod"]) == ("42", "01")
    key = sign.load_certificate(KEPT["mer_cert"]).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert sign.holds(made, key)
    assert str(sign.load_certificate(KEPT["mer_cert"]).serial_number) == GIVEN["cert_id"]


def test_an_answer_counts_by_an_accepted_issuer() -> None:
    sign.verify(answer(), (CREDENTIAL,), NOW)
    sign.verify(answer(), (OTHERS, CREDENTIAL), NOW)
    with pytest.raises(sign.Untrusted, match="no accepted issuer"):
        sign.verify(answer(), (OTHERS,), NOW)
    with pytest.raises(sign.Untrusted, match="no credential"):
        sign.verify(answer(), (), NOW)


def test_the_signers_name_counts() -> None:
    own = answer(signPubKeyCert=KEPT["mer_cert"])
    with pytest.raises(sign.Untrusted, match="somebody else"):
        sign.verify(own, (CREDENTIAL,), NOW)
    named = Credential(1, {**GIVEN, "signer": "777290000000001"})
    with pytest.raises(sign.Untrusted, match="signature is wrong"):
        sign.verify(own, (named,), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"respCode": "05"},
        {"extra": "1"},
        {"version": "5.0.0"},
        {"signMethod": "11"},
        {"signature": "AAAA"},
        {"signature": "*"},
    ],
)
def test_what_was_changed_on_the_way_is_not_trusted(changes: dict[str, str]) -> None:
    with pytest.raises(sign.Untrusted):
        sign.verify(answer() | changes, (CREDENTIAL,), NOW)


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_without_a_certificate_nothing_is_trusted(pem: str) -> None:
    with pytest.raises(sign.Untrusted):
        sign.verify(answer() | {"signPubKeyCert": pem}, (CREDENTIAL,), NOW)


def test_a_certificate_out_of_its_time_does_not_count() -> None:
    for at in (keys.SINCE - timedelta(seconds=1), keys.UNTIL + timedelta(seconds=1)):
        with pytest.raises(sign.Untrusted, match="time"):
            sign.verify(answer(), (CREDENTIAL,), at)


def test_a_certificate_that_names_an_issuer_but_is_not_signed_by_it_does_not_count() -> None:
    issuer = x509.load_pem_x509_certificate(GIVEN["issuer_cert"].encode())
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"041@1@{sign.SIGNER}@1")])
    forged = (
        x509.CertificateBuilder().subject_name(name).issuer_name(issuer.subject).public_key(key.public_key())
        .serial_number(7).not_valid_before(keys.SINCE).not_valid_after(keys.UNTIL).sign(key, hashes.SHA256())
    )  # fmt: skip
    fields = {"version": "5.1.0", "signMethod": "01", "signPubKeyCert": forged.public_bytes(Encoding.PEM).decode()}
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    with pytest.raises(sign.Untrusted, match="no accepted issuer"):
        sign.verify(fields | {"signature": sign.seal(fields, private)}, (CREDENTIAL,), NOW)


def test_a_number_is_read_by_whom_it_was_written_for() -> None:
    hidden, cert_id = sign.encrypt("6221558812340000", GIVEN["encrypt_cert"])
    assert cert_id == KEPT["read_cert_id"]
    assert sign.decrypt(hidden, KEPT["read_key"]) == "6221558812340000"
    with pytest.raises(ValueError, match="base64"):
        sign.decrypt("*", KEPT["read_key"])


@given(
    st.dictionaries(
        st.from_regex(r"[a-zA-Z]{1,12}\Z"), st.text(st.characters(exclude_categories=("Cs",)), max_size=20), max_size=8
    )
)
def test_any_fields_hold_once_signed_and_not_once_changed(fields: dict[str, str]) -> None:
    key = sign.load_private(KEPT["sign_key"])
    fields.pop("signature", None)
    sealed = fields | {"signature": sign.seal(fields, KEPT["sign_key"])}
    assert sign.holds(sealed, key.public_key())
    assert not sign.holds(sealed | {"zzzzzzzzzzzzz": "1"}, key.public_key())
