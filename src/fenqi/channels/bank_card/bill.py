"""UnionPay's settlement file: a zip, deflated once more and in base64 (fileContent), with the ZM file of the merchant.

A ZM line has 42 fields of fixed width in GBK, one blank between two; `INN<yyMMdd>88ZM_<merId>` is its name. The widths
are those of UnionPay's published parser. Of what stands in them public material names the fields; that `merCharge` and
`settleAmt` begin with D (ours to pay) or C (ours to get), and that the rest is fen, is an assumption.
"""

from __future__ import annotations

import base64
import binascii
import io
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date, timedelta

from fenqi.channels.bank_card import codes
from fenqi.channels.bank_card.message import read_short_time
from fenqi.channels.contract import Bill, BillLine, BillMalformed, BillNotReady
from fenqi.kernel.clock import start_of_day

WIDTHS = (3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32,
          13, 13, 8, 32, 13, 13, 12, 2, 1, 32, 98)  # fmt: skip
NAMES = (
    "code", "acqInsCode", "sendInsCode", "traceNo", "traceTime", "accNo", "txnAmt", "merCatCode", "termType", "queryId",
    "payTypeOld", "orderId", "payCardType", "origTraceNo", "origTraceTime", "merCharge", "settleAmt", "payType",
    "groupMerId", "txnType", "txnSubType", "bizType", "accType", "billType", "billNo", "interactMode", "origQryId",
    "merId", "splitType", "subMerId", "subMerAbbr", "splitAmt", "netAmt", "termId", "reqReserved", "discountAmt",
    "invoiceAmt", "instalmentCharge", "instalments", "media", "origOrderId", "reserved",
)  # fmt: skip
LINE = sum(WIDTHS) + len(WIDTHS) - 1
"""Bytes in a line."""
MOST = 64 * 1024 * 1024
"""How large a file may become when it is unpacked."""
NO_FILE = "98"


def file_name(mer_id: str, day_on: date) -> str:
    """The name of a day's ZM file."""
    return f"INN{day_on:%y%m%d}88ZM_{mer_id}"


def not_ready(why: str) -> BillNotReady:
    """The bill can't be had now."""
    return BillNotReady(why)


def unpack(said: Mapping[str, str]) -> bytes:
    """The zip in an answer of the file service. Raises BillNotReady: 98 says that there is none, be it too early or
    a day without trade."""
    code, message = said.get("respCode", ""), said.get("respMsg", "")
    if code not in codes.DONE or "fileContent" not in said:
        raise BillNotReady(f"{code} {message}", empty=code == NO_FILE)
    try:
        return _inflated(base64.b64decode(said["fileContent"], validate=True))
    except (binascii.Error, zlib.error, ValueError) as error:
        raise BillNotReady(f"fileContent can't be unpacked: {error}") from error


def packed(archive: bytes) -> str:
    """The fileContent of a zip."""
    return base64.b64encode(zlib.compress(archive)).decode("ascii")


def _inflated(raw: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    out = unpacking.decompress(raw, MOST)
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError("cut off, or too large")
    return out


def zipped(text: bytes, mer_id: str, day_on: date) -> bytes:
    """The archive with one ZM file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(file_name(mer_id, day_on), text)
    return out.getvalue()


def write_line(values: Mapping[str, str]) -> bytes:
    """One line: numbers of fixed meaning come filled up by whoever gives them, texts are cut and filled with blanks."""
    cells = []
    for name, width in zip(NAMES, WIDTHS, strict=True):
        cell = values.get(name, "").encode("gbk", "replace")[:width]
        cells.append(cell.ljust(width))
    return b" ".join(cells)


def parse(raw: bytes, day_on: date) -> Bill:
    """The bill in an archive. Raises BillMalformed. The file has no totals of its own: they are the lines' sums."""
    mer_id, text = _zm(raw)
    lines: list[BillLine] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            read = _line(line, number, mer_id, day_on)
            lines += [read] if read else []
    payments = [line for line in lines if line.kind == "payment"]
    refunds = [line for line in lines if line.kind == "refund"]
    return Bill(
        mer_id, day_on, tuple(lines), len(payments), sum(line.amount_minor for line in payments), len(refunds),
        -sum(line.amount_minor for line in refunds), sum(line.fee_minor for line in lines),
    )  # fmt: skip


def _zm(raw: bytes) -> tuple[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            found = [entry for entry in archive.infolist() if "ZM_" in entry.filename and "ZME_" not in entry.filename]
            if len(found) != 1 or found[0].file_size > MOST:
                raise BillMalformed(f"{len(found)} ZM files, or one that is too large")
            return found[0].filename.rpartition("ZM_")[2], archive.read(found[0])
    except zipfile.BadZipFile as error:
        raise BillMalformed(str(error)) from error


def cells(line: bytes) -> dict[str, str]:
    """The fields of a line, without the blanks that fill them. ValueError: too short, or no blank between two."""
    if len(line) != LINE:
        raise ValueError(f"{len(line)} bytes instead of {LINE}")
    values, start = {}, 0
    for name, width in zip(NAMES, WIDTHS, strict=True):
        values[name] = line[start : start + width].decode("gbk").strip()
        start += width
        if line[start : start + 1] not in (b" ", b""):
            raise ValueError(f"no blank after {name}")
        start += 1
    return values


KINDS = {"01": "payment", "04": "refund", "31": "refund"}


def _line(raw: bytes, number: int, mer_id: str, day_on: date) -> BillLine | None:
    """None for what is neither a payment nor a refund (a payout)."""
    try:
        said = cells(raw)
        if said["merId"] != mer_id:
            raise ValueError(f"it is for merchant {said['merId']}")
        kind = KINDS.get(said["txnType"])
        if kind is None:
            return None
        amount_minor, fee_minor = int(said["txnAmt"]), _signed(said["merCharge"])
        noon = start_of_day(day_on) + timedelta(hours=12)
        at = read_short_time(said["traceTime"], noon)
    except (ValueError, UnicodeDecodeError) as error:
        raise BillMalformed(f"line {number}: {error}") from error
    if kind == "payment":
        return BillLine("payment", said["orderId"], "", said["queryId"], amount_minor, fee_minor, at, said["txnType"])
    return BillLine(
        "refund", said["reqReserved"] or said["origOrderId"], said["orderId"], said["queryId"], -amount_minor,
        fee_minor, at, said["txnType"],
    )  # fmt: skip


def _signed(text: str) -> int:
    """C and twelve digits: ours to get; D: ours to pay (negative)."""
    if len(text) != 13 or text[0] not in "CD":
        raise ValueError(f"{text!r} is no amount with a side")
    return int(text[1:]) * (1 if text[0] == "C" else -1)


def sided(amount_minor: int) -> str:
    """The text of `_signed`."""
    return f"{'D' if amount_minor < 0 else 'C'}{abs(amount_minor):012d}"
