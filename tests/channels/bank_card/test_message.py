"""Messages as bytes, and the times and numbers in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.bank_card import vectors

from fenqi.channels.bank_card import asking, message
from fenqi.channels.bank_card.adapter import PROBED
from fenqi.channels.bank_card.gateway import issuer
from fenqi.kernel.ids import new_id

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
NAME = st.from_regex(r"[a-zA-Z]{1,12}\Z")


def test_a_real_answer_is_read_as_it_was_sent() -> None:
    assert message.read_answer(message.write_answer(vectors.QUERY)) == vectors.QUERY


def test_what_stands_in_braces_is_one_value() -> None:
    body = b"respCode=00&tokenPayData={trId=1&token=62=35}&list=[{a=1&b=2}]&x="
    assert message.read_answer(body) == {
        "respCode": "00", "tokenPayData": "{trId=1&token=62=35}", "list": "[{a=1&b=2}]", "x": "",
    }  # fmt: skip
    assert message.read_braced("{trId=1&token=62=35}") == {"trId": "1", "token": "62=35"}
    assert message.read_braced("62") == {}


@pytest.mark.parametrize("body", [b"", b"nothing", b"a=1&a=2", b"a=1&b", b"a=\xff", b"<html>down</html>"])
def test_what_is_no_answer_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        message.read_answer(body)


@pytest.mark.parametrize("body", [b"a", b"a=1&a=2", b"a=%ff", b"a=\xe4\xb8"])
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):
        message.read_form(body)


@given(st.dictionaries(NAME, TEXT, min_size=1))
def test_any_form_is_read_as_written(fields: dict[str, str]) -> None:
    assert message.read_form(message.write_form(fields)) == fields


@given(st.binary(max_size=200))
def test_any_bytes_are_fields_or_a_value_error(body: bytes) -> None:
    for read in (message.read_answer, message.read_form):
        try:
            assert all(isinstance(name, str) for name in read(body))
        except ValueError:
            continue


def test_times_are_beijings() -> None:
    at = datetime(2026, 3, 9, 16, 0, 1, 999_000, tzinfo=UTC)
    assert message.write_time(at) == "20260310000001"
    assert message.read_time("20260310000001") == at.replace(microsecond=0)


def test_a_number_carries_its_time() -> None:
    at = datetime(2026, 3, 10, 4, 0, 0, 123_000, tzinfo=UTC)
    number = new_id(int(at.timestamp() * 1000)).hex
    assert message.moment_of(number) == at.replace(microsecond=0)
    assert message.txn_time(number) == "20260310120000"
    assert message.txn_time(PROBED) == "19700101080000"


NUMBER = "01a20571c8e971cc9412b7a7529aa3a5"


@pytest.mark.parametrize("number", ["", "x" * 32, "0" * 32, NUMBER.upper().replace("0", "A"), NUMBER[:31]])
def test_a_number_without_a_time_is_refused(number: str) -> None:
    with pytest.raises(ValueError):
        message.moment_of(number)


@pytest.mark.parametrize(
    ("short", "near", "full"),
    [
        ("0310120000", datetime(2026, 3, 10, 4, tzinfo=UTC), datetime(2026, 3, 10, 4, tzinfo=UTC)),
        ("0101000005", datetime(2026, 12, 31, 15, 59, tzinfo=UTC), datetime(2026, 12, 31, 16, 0, 5, tzinfo=UTC)),
        ("1231235959", datetime(2026, 12, 31, 16, 0, 1, tzinfo=UTC), datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC)),
        ("0229120000", datetime(2028, 2, 28, tzinfo=UTC), datetime(2028, 2, 29, 4, tzinfo=UTC)),
    ],
)
def test_a_time_without_a_year_is_the_next_one(short: str, near: datetime, full: datetime) -> None:
    assert message.read_short_time(short, near) == full


def test_no_time_is_no_time() -> None:
    for text in ("0229120000", "1", "1301000000", "xxxxxxxxxx"):
        with pytest.raises(ValueError):
            message.read_short_time(text, datetime(2026, 3, 1, tzinfo=UTC))


def test_the_settlement_day_ends_at_23() -> None:
    assert message.settles_on(datetime(2026, 3, 10, 14, 59, 59, tzinfo=UTC)) == "20260310"
    assert message.settles_on(datetime(2026, 3, 10, 15, 0, 0, tzinfo=UTC)) == "20260311"
    assert message.settles_on(datetime(2026, 3, 10, 16, 0, 0, tzinfo=UTC)) == "20260311"


def test_luhns_check() -> None:
    assert issuer.luhn("79927398713") == 0  # the example that everybody uses
    assert [issuer.luhn(f"7992739871{digit}") for digit in range(10)].count(0) == 1
    assert issuer.is_number("4111111111111111")
    assert not issuer.is_number("4111111111111112")
    assert not issuer.is_number("79927398713")


@given(st.sampled_from(sorted(issuer.ANSWERS)))
def test_a_test_cards_number_is_one_and_names_its_code(iso: str) -> None:
    for number in (issuer.test_card(iso), issuer.test_card(iso, "91560102", 16)):
        assert issuer.is_number(number)
        assert number[-7:-1] == f"8583{iso}"


def test_how_long_a_charge_may_be_paid() -> None:
    from tests.channels.bank_card.conftest import NOON

    from fenqi.channels.contract import Charge

    charge = Charge(new_id().hex, 1, "s", "page", NOON, NOON + timedelta(minutes=9), "", "")
    assert asking.pay_until(charge, NOON + timedelta(minutes=15)) == "20260310120900"
    assert asking.pay_until(charge, NOON + timedelta(minutes=5)) == "20260310120500"
