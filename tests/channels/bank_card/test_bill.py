"""The settlement file: widths by UnionPay's published parser, lines as our gateway writes them, and what is refused."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenqi.channels.bank_card import bill
from fenqi.channels.contract import BillLine, BillMalformed, BillNotReady

MER, ON = "777290000000001", date(2026, 3, 10)
PAYMENT = {
    "code": "S22", "txnType": "01", "txnSubType": "01", "merId": MER, "orderId": "a" * 32, "queryId": "1" * 21,
    "txnAmt": "000000012345", "merCharge": "D000000000068", "settleAmt": "C000000012277", "traceTime": "0310120001",
    "accNo": "915601*********0008", "reqReserved": "page.20260310121500",
}  # fmt: skip
REFUND = PAYMENT | {
    "code": "S30", "txnType": "04", "txnSubType": "00", "orderId": "b" * 32, "queryId": "2" * 21,
    "txnAmt": "000000002345", "merCharge": "C000000000013", "settleAmt": "D000000002332", "traceTime": "0310130001",
    "reqReserved": "a" * 32, "origQryId": "1" * 21,
}  # fmt: skip
PAYOUT = PAYMENT | {"txnType": "12", "orderId": "c" * 32}


def archive(*lines: dict[str, str]) -> bytes:
    return bill.zipped(b"".join(bill.write_line(line) + b"\r\n" for line in lines), MER, ON)


def test_the_widths_are_unionpays() -> None:
    """Three of its fields by hand: the order number is at bytes 112–143, the amount at 66–77, 607 bytes in all."""
    line = bill.write_line(PAYMENT)
    assert (len(bill.WIDTHS), len(bill.NAMES), bill.LINE, len(line)) == (42, 42, 607, 607)
    assert line[66:78] == b"000000012345"
    assert line[112:144] == b"a" * 32
    assert line[0:4] == b"S22 "


def test_a_day_is_read() -> None:
    read = bill.parse(archive(PAYMENT, REFUND, PAYOUT), ON)
    assert read.account == MER
    assert read.lines == (
        BillLine("payment", "a" * 32, "", "1" * 21, 12_345, -68, datetime(2026, 3, 10, 4, 0, 1, tzinfo=UTC), "01"),
        BillLine("refund", "a" * 32, "b" * 32, "2" * 21, -2_345, 13, datetime(2026, 3, 10, 5, 0, 1, tzinfo=UTC), "04"),
    )
    assert (read.payments, read.paid_minor, read.refunds, read.refunded_minor, read.fee_minor) == (
        1,
        12_345,
        1,
        2_345,
        -55,
    )


def test_a_void_is_a_refund() -> None:
    read = bill.parse(archive(REFUND | {"txnType": "31"}), ON)
    assert [(line.kind, line.state, line.amount_minor) for line in read.lines] == [("refund", "31", -2_345)]


def test_chinese_fills_bytes_not_letters() -> None:
    line = bill.write_line(PAYMENT | {"subMerAbbr": "晨星家电"})
    assert len(line) == bill.LINE
    assert bill.cells(line)["subMerAbbr"] == "晨星家电"
    assert bill.cells(line)["origOrderId"] == ""


@pytest.mark.parametrize(
    "line",
    [
        PAYMENT | {"merId": "777290000000002"},
        PAYMENT | {"txnAmt": "x"},
        PAYMENT | {"merCharge": "000000000006"},
        PAYMENT | {"traceTime": "9910120001"},
    ],
)
def test_a_wrong_line_is_named(line: dict[str, str]) -> None:
    with pytest.raises(BillMalformed, match="line 2"):
        bill.parse(archive(PAYMENT, line), ON)


def test_a_line_that_is_too_short_is_refused() -> None:
    with pytest.raises(BillMalformed, match="line 1: 606 bytes"):
        bill.parse(bill.zipped(bill.write_line(PAYMENT)[:-1], MER, ON), ON)


def test_a_line_with_a_letter_between_fields_is_refused() -> None:
    line = bytearray(bill.write_line(PAYMENT))
    line[3:4] = b"x"
    with pytest.raises(BillMalformed, match="no blank after code"):
        bill.parse(bill.zipped(bytes(line), MER, ON), ON)


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(BillMalformed):
        bill.parse(b"<html>", ON)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as empty:
        empty.writestr("ZME_x", "")
    with pytest.raises(BillMalformed, match="0 ZM files"):
        bill.parse(out.getvalue(), ON)


def test_the_name_is_unionpays() -> None:
    assert bill.file_name("802310048993424", date(2015, 9, 5)) == "INN15090588ZM_802310048993424"


def test_the_answer_is_unpacked() -> None:
    packed = bill.packed(archive(PAYMENT))
    assert bill.unpack({"respCode": "00", "fileContent": packed}) == archive(PAYMENT)
    with pytest.raises(BillNotReady) as none:
        bill.unpack({"respCode": "98", "respMsg": "文件不存在"})
    assert none.value.empty
    for said in (
        {"respCode": "00"},
        {"respCode": "00", "fileContent": "*"},
        {"respCode": "00", "fileContent": packed[:-8]},
    ):
        with pytest.raises(BillNotReady) as broken:
            bill.unpack(said)
        assert not broken.value.empty


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 10**11), st.integers(-(10**6), 10**6)), max_size=6))
def test_any_lines_sum_up(rows: list[tuple[bool, int, int]]) -> None:
    lines = [
        (PAYMENT if is_payment else REFUND) | {"txnAmt": f"{amount:012d}", "merCharge": bill.sided(fee)}
        for is_payment, amount, fee in rows
    ]
    read = bill.parse(archive(*lines), ON)
    assert read.paid_minor - read.refunded_minor == sum(line.amount_minor for line in read.lines)
    assert read.fee_minor == sum(fee for _, _, fee in rows)
    assert read.payments + read.refunds == len(rows)
