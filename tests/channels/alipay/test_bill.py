"""Bills: a file written by hand as Alipay writes it, its variants, what is wrong with others, and the gateway's own."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.channels.alipay.shop import Shop
from tests.channels.running import Running

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.alipay.bill import COLUMNS, SUM_COLUMNS, parse
from fenqi.channels.alipay.gateway.bill import archive
from fenqi.channels.alipay.wire import call
from fenqi.channels.contract import Bill, BillLine, BillMalformed, BillNotReady
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account, Refund, Row, Trade
from fenqi.kernel.clock import SteeredClock, business_date, start_of_day

DAY = date(2026, 6, 5)
HERE = Path(__file__).parent
DETAIL, STORES = ((HERE / name).read_text(encoding="utf-8") for name in ("bill_detail.csv", "bill_stores.csv"))
EXPECTED = Bill(
    "2088000000000001", DAY,
    (
        BillLine("payment", "aaaa", "", "2026060522001400000000000001", 10_000, -60,
                 datetime(2026, 6, 5, 8, 1, 38, tzinfo=UTC), "交易"),
        BillLine("payment", "bbbb", "", "2026060522001400000000000002", 1, 0,
                 datetime(2026, 6, 5, 9, 0, 5, tzinfo=UTC), "交易"),
        BillLine("refund", "aaaa", "rrrr", "2026060522001400000000000001", -3_000, 18,
                 datetime(2026, 6, 5, 10, 0, tzinfo=UTC), "退款"),
    ),
    2, 10_001, 1, 3_000, -42,
)  # fmt: skip


def zipped(detail: str = DETAIL, stores: str | None = STORES, charset: str = "gbk") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("20880000000000010156_20260605_业务明细.csv", detail.encode(charset))
        if stores is not None:
            files.writestr("20880000000000010156_20260605_业务明细(汇总).csv", stores.encode(charset))
    return packed.getvalue()


def test_the_file_as_alipay_writes_it() -> None:
    assert parse(zipped(), DAY) == EXPECTED
    assert len(COLUMNS) == 25 and len(SUM_COLUMNS) == 12


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(zipped(stores=None), id="without the sums by store"),
        pytest.param(zipped(charset="utf-8"), id="converted"),
        pytest.param(DETAIL.encode("gbk"), id="bare"),
        pytest.param(("\ufeff" + DETAIL).encode(), id="bare with a mark"),
        pytest.param(zipped(DETAIL.replace("\n", "\r\n")), id="CRLF"),
        pytest.param(zipped(DETAIL.replace("（元）", "(元)")), id="narrow brackets"),
        pytest.param(zipped(DETAIL.replace("\t,", ",")), id="without tabs"),
        pytest.param(zipped(DETAIL.replace("\n2026", "\n`2026").replace(",aaaa", ",`aaaa")), id="backticks"),
        pytest.param(zipped(DETAIL.replace("-30.00,-30.00", "30.00,30.00")), id="refunds without a sign"),
        pytest.param(zipped(DETAIL.replace(",手机,", ",手机,黑,128G,")), id="commas in a name"),
        pytest.param(zipped(DETAIL.replace(",挂号", ",挂号,二楼")), id="commas in a remark"),
        pytest.param(zipped(DETAIL.replace(",手机,", ',"手机",')), id="quotes"),
    ],
)  # fmt: skip
def test_variants(raw: bytes) -> None:
    assert parse(raw, DAY) == EXPECTED


def test_columns_are_found_by_their_names() -> None:
    lines = []
    for line in DETAIL.splitlines():
        cells = line.split(",")
        if len(cells) == 25:
            extra = "商户ID" if "商户订单号" in line else "`m1"
            line = ",".join([extra, *cells[12:], *cells[:12], "费率" if extra == "商户ID" else "0.6%"])
        lines.append(line)
    assert parse(zipped("\n".join(lines)), DAY) == EXPECTED


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no account"), (b"PK nothing", "archive"), (b"\xff\xff", "neither"), (zipped("x", None), "no account"),
        (zipped(DETAIL.replace("06月05日", "06月04日", 1)), "not of 2026-06-05"),
        (zipped(DETAIL.partition("#---------------------------------------业务明细列表结束")[0][:900]), "totals"),
        (zipped(DETAIL.replace("2笔", "3笔")), "states 3 payments"),
        (zipped(DETAIL.replace("共100.01元", "共100.02元")), "states 2 payments of 10002"),
        (zipped(DETAIL.replace("共-30.00元", "共-31.00元")), "states 1 refunds of 3100"),
        (zipped(DETAIL.replace(",耳机,", ",")), "line 7: 24 values"),
        (zipped(DETAIL.replace("2026-06-05 17:00:05", "17:00:05")), "line 7"),
        (zipped(DETAIL.replace(",0.01,0.01", ",0.001,0.01")), "line 7"),
        (zipped(DETAIL.replace(",0.01,0.01", ",-0.01,0.01")), "line 7"),
        (zipped(DETAIL.replace("bbbb", "")), "line 7"),
        (zipped(DETAIL.replace("退款\t,手机", "冻结\t,手机")), "line 8"),
        (zipped(DETAIL.replace("服务费（元）", "杂费")), "lacks 服务费"),
        (zipped(stores=STORES.replace("合计,,2,1", "合计,,2,2")), "sums by store"),
        (zipped(stores=STORES.replace("-0.42", "-0.43")), "sums by store"),
        (zipped(stores=STORES.replace("合计", "总计")), "no total"),
    ],
)  # fmt: skip
def test_what_is_not_such_a_bill_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(BillMalformed) as refused:
        parse(raw, DAY)
    assert said in str(refused.value), refused.value


# The gateway's own

ACCOUNT = Account("alipay", "2021000000000001", "ali", {"seller_id": "2088000000000001"})
amounts = st.integers(1, 10_000_000_000)


@st.composite
def rows(draw: st.DrawFn) -> tuple[Row, ...]:
    """A day's rows of any trades."""
    found = []
    for number in range(draw(st.integers(0, 5))):
        at = start_of_day(DAY) + timedelta(seconds=draw(st.integers(0, 86_399)))
        subject = draw(st.text(st.characters(codec="gbk", categories=["L", "N", "P", "S", "Z"]), max_size=20))
        amount, fee = draw(amounts), draw(st.integers(0, 60_000_000))
        trade = Trade(f"{number:028d}", "alipay", ACCOUNT.account_id, f"{number:032x}", amount, subject, at, at)
        if draw(st.booleans()):
            refund = Refund("1", "alipay", ACCOUNT.account_id, f"f{number:031x}", trade.trade_no, amount, at)
            found.append(Row("refund", trade, refund, -amount, fee, at))
        else:
            found.append(Row("payment", trade, None, amount, -fee, at))
    return tuple(found)


@settings(max_examples=60, deadline=None)
@given(rows())
def test_what_the_gateway_writes_we_read(made: tuple[Row, ...]) -> None:
    house = House.__new__(House)
    house.clock = SteeredClock(datetime(2026, 6, 6, 3, tzinfo=UTC))
    found = parse(archive(house, ACCOUNT, DAY, made), DAY)
    told = [(one.kind, one.attempt_no, one.amount_minor, one.fee_minor, one.at) for one in found.lines]
    assert told == [(one.kind, one.trade.out_no, one.amount_minor, one.fee_minor, one.at) for one in made]
    assert found.fee_minor == sum(one.fee_minor for one in made)
    assert found.paid_minor - found.refunded_minor == sum(one.amount_minor for one in made)


def days_later(shop: Shop, days: int, hour: int, minute: int = 0) -> None:
    """Let the gateway's clock stand at an hour of Beijing, some days from now."""
    begins = start_of_day(business_date(datetime.now(UTC)) + timedelta(days=days))
    shop.gateway.control.steer(at=begins + timedelta(hours=hour, minutes=minute))


def downloaded(shop: Shop, day_on: date) -> bytes:
    return shop.gateway.ask(CHANNEL.download_bill(shop.gateway.http, shop.passage, day_on))


def test_a_day_at_the_gateway(shop: Shop) -> None:
    charge, paid = shop.bought(amount_minor=10_000)
    refunded = shop.repayable(charge, paid, 2_500)
    shop.refund(refunded)
    day_on = business_date(paid.paid_at)
    for days, hour, minute in ((0, 23, 0), (1, 9, 59)):
        days_later(shop, days, hour, minute)
        with pytest.raises(BillNotReady):
            downloaded(shop, day_on)
    days_later(shop, 1, 10)
    raw = downloaded(shop, day_on)
    assert raw.startswith(b"PK")
    bill = CHANNEL.parse_bill(raw, day_on)
    assert [(one.kind, one.attempt_no, one.refund_no, one.amount_minor, one.fee_minor) for one in bill.lines] == [
        ("payment", charge.attempt_no, "", 10_000, -60),
        ("refund", charge.attempt_no, refunded.refund_no, -2_500, 15),
    ]
    assert (bill.account, bill.fee_minor) == (shop.passage.credential.values["seller_id"], -45)


def test_a_day_without_trade_has_no_bill(shop: Shop) -> None:
    days_later(shop, 40, 12)
    with pytest.raises(BillNotReady) as missing:
        downloaded(shop, business_date(datetime.now(UTC)) + timedelta(days=39))
    assert missing.value.empty


def test_planted_differences_are_in_the_file_and_in_its_sums(gateway: Running) -> None:
    shop = Shop(gateway)
    for amount in (1_000, 2_000, 3_000):
        shop.bought(amount_minor=amount)
    shop.fault("bill_differences", "bill", plant="extra,missing,amount")
    days_later(shop, 1, 11)
    day_on = business_date(datetime.now(UTC))
    bill = CHANNEL.parse_bill(downloaded(shop, day_on), day_on)
    assert len(bill.lines) == bill.payments == 3
    assert sum(one.amount_minor for one in bill.lines) == bill.paid_minor != 6_000


def test_the_address_dies_after_half_a_minute_and_belongs_to_one_file(gateway: Running) -> None:
    shop = Shop(gateway)
    shop.bought()
    days_later(shop, 1, 11)
    day_on = business_date(datetime.now(UTC))
    content = {"bill_type": "trade", "bill_date": day_on.isoformat()}
    method = "alipay.data.dataservice.bill.downloadurl.query"
    url = gateway.ask(call(gateway.http, shop.passage, method, content)).text("bill_download_url")

    def status(url: str) -> int:
        return gateway.ask(gateway.http.send("GET", url)).status

    assert status(url) == 200
    assert status(url.replace(f"bizDates={day_on:%Y%m%d}", "bizDates=20260101")) == 403
    assert status(url.replace("token=", "token=0")) == 403
    gateway.control.steer(at=start_of_day(day_on + timedelta(days=1)) + timedelta(hours=11, seconds=31))
    assert status(url) == 403


def test_a_gateway_that_is_down_has_no_bill_yet(shop: Shop) -> None:
    shop.fault("down", "bill")
    with pytest.raises(BillNotReady) as missing:
        downloaded(shop, date(2026, 1, 1))
    assert not missing.value.empty
