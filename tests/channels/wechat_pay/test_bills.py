"""Bills: real files from the gateway that parse back to what happened, files written by hand, and every broken one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.channels.wechat_pay.shop import Shop

from fenqi.channels.contract import BillLine, BillMalformed, BillNotReady
from fenqi.channels.gateway.side import Account, Refund, Row, Trade
from fenqi.channels.wechat_pay import CHANNEL, bill, fund_flow
from fenqi.channels.wechat_pay.gateway import SIDE, bills
from fenqi.kernel.clock import ZONE

DAY_ON = date(2026, 5, 1)
MORNING = datetime(2026, 5, 1, 9, 30, tzinfo=ZONE)
NEXT = datetime(2026, 5, 2, 10, 0, tzinfo=ZONE)

FILE = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注\r\n"
    "`2026-05-01 09:30:00,`wx1,`1900000109,`0,`,`4200001,`aaaa,`oUpF,`NATIVE,`SUCCESS,`OTHERS,`CNY,`123.45,`0.00,"
    '`0,`0,`0.00,`0.00,`,`,`Phone, 8" `red,`,`0.74000,`0.60%,`123.45,`0.00,`\r\n'
    "`2026-05-01 23:59:59,`wx1,`1900000109,`0,`,`4200001,`aaaa,`oUpF,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,"
    "`5030001,`bbbb,`23.45,`0.00,`ORIGINAL,`PROCESSING,`Phone,`,`-0.14000,`0.60%,`0.00,`23.45,`\r\n"
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n"
    "`2,`123.45,`23.45,`0.00,`0.60000,`123.45,`23.45\r\n"
)
FLOW = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),"
    "资金变更提交申请人,备注,业务凭证号\n"
    "`2026-05-01 13:54:01,`4200,`f1,`交易,`交易,`收入,`1.00,`5.00,`1601959334API,`,`a\n"
    "`2026-05-01 13:54:01,`4200,`f2,`交易,`扣除交易手续费,`支出,`0.01,`4.99,`1601959334API,`,`a\n"
    "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\n"
    "`2,`1,`1.00,`1,`0.01\n"
)


def download(shop: Shop, day_on: date = DAY_ON) -> bytes:
    return shop.gateway.ask(shop.channel.download_bill(shop.gateway.http, shop.passage, day_on))


def flow(shop: Shop, day_on: date = DAY_ON) -> bytes:
    return shop.gateway.ask(shop.channel.download_fund_flow(shop.gateway.http, shop.passage, day_on))


def not_ready(shop: Shop, day_on: date) -> BillNotReady:
    with pytest.raises(BillNotReady) as caught:
        download(shop, day_on)
    return caught.value


def test_a_file_by_hand() -> None:
    for raw in (FILE.encode(), b"\xef\xbb\xbf" + FILE.encode(), FILE.replace("\r\n", "\n").encode()):
        read = CHANNEL.parse_bill(raw, DAY_ON)
        day, night = datetime(2026, 5, 1, 1, 30, tzinfo=UTC), datetime(2026, 5, 1, 15, 59, 59, tzinfo=UTC)
        assert read.lines == (
            BillLine("payment", "aaaa", "", "4200001", 12_345, -74, day, "SUCCESS"),
            BillLine("refund", "aaaa", "bbbb", "4200001", -2_345, 14, night, "PROCESSING"),
        )
        assert (read.account, read.day_on, read.payments, read.refunds) == ("1900000109", DAY_ON, 1, 1)
        assert (read.paid_minor, read.refunded_minor, read.fee_minor) == (12_345, 2_345, -60)


def test_an_empty_file_has_its_headings_and_zeros() -> None:
    lines = FILE.split("\r\n")
    raw = "\r\n".join([lines[0], lines[3], "`0,`0.00,`0.00,`0.00,`0.00000,`0.00,`0.00"]).encode()
    read = CHANNEL.parse_bill(raw, DAY_ON)
    assert (read.account, read.lines, read.paid_minor) == ("", (), 0)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("交易时间,", "时间,", "line 1"),
        ("总交易单数,", "单数,", "line 4"),
        ("`2,`123.45", "`3,`123.45", "总交易单数"),
        ("`2,`123.45", "`x,`123.45", "count"),
        ("`0.60000,`123.45", "`0.61000,`123.45", "手续费总金额"),
        ("`123.45,`23.45\r\n", "`123.46,`23.45\r\n", "订单总金额"),
        ("`2,`123.45,`23.45", "`2,`123.45,`23.46", "退款总金额"),
        ("2026-05-01 23:59:59", "2026-05-02 00:00:00", "line 3 is of 2026-05-02"),
        ("2026-05-01 23:59:59", "2026-05-01", "line 3"),
        ("`REFUND,", "`SOLD,", "line 3: trade state"),
        ("`-0.14000", "`-0.14500", "line 3"),
        ("`0.74000", "`0,74", "line 2"),
        ("`aaaa,`oUpF,`NATIVE,`REFUND", "`aaaa,`NATIVE,`REFUND", "line 3 has 26 values"),
        (
            "`1900000109,`0,`,`4200001,`aaaa,`oUpF,`NATIVE,`REFUND",
            "`19,`0,`,`42,`aaaa,`oUpF,`NATIVE,`REFUND",
            "2 merch",
        ),
        ("`2026-05-01 09", "2026-05-01 09", "line 2"),
    ],
)
def test_a_broken_file_says_where(old: str, new: str, why: str) -> None:
    assert old in FILE
    with pytest.raises(BillMalformed, match=why):
        CHANNEL.parse_bill(FILE.replace(old, new).encode(), DAY_ON)


@pytest.mark.parametrize("raw", [b"", b"\xff\xfe", FILE.split("\r\n")[0].encode(), b'{"code":"NO_AUTH"}'])
def test_what_is_no_bill(raw: bytes) -> None:
    with pytest.raises(BillMalformed):
        CHANNEL.parse_bill(raw, DAY_ON)


@given(st.integers(0, len(FILE.encode()) - 2))
def test_a_file_that_was_cut_off_is_never_believed(length: int) -> None:
    raw = FILE.encode()[:length]
    if raw.strip() != FILE.encode().strip():
        with pytest.raises(BillMalformed):
            CHANNEL.parse_bill(raw, DAY_ON)


ACCOUNT = Account("wechat_pay", "1900000109", "c", {"appid": "wx1", "mchid": "1900000109"})


@st.composite
def rows(draw: st.DrawFn) -> Row:
    at = datetime(2026, 5, 1, tzinfo=ZONE) + timedelta(seconds=draw(st.integers(0, 86_399)))
    subject = draw(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n\r"), max_size=30)).replace(
        ",`", ""
    )
    trade = Trade(
        draw(st.from_regex(r"4200[0-9]{24}", fullmatch=True)), "wechat_pay", "1900000109",
        draw(st.from_regex(r"[0-9a-f]{32}", fullmatch=True)), draw(st.integers(1, 10**10)), subject, at, at,
        extra={"trade_type": "NATIVE", "attach": ""},
    )  # fmt: skip
    fee_minor = draw(st.integers(0, 10**6))
    if draw(st.booleans()):
        return Row("payment", trade, None, trade.amount_minor, -fee_minor, at)
    refund = Refund("503", "wechat_pay", "1900000109", trade.out_no[::-1], trade.trade_no, trade.amount_minor, at)
    return Row("refund", trade, refund, -trade.amount_minor, fee_minor, at)


@given(st.lists(rows(), min_size=1, max_size=8))
def test_what_is_written_is_what_is_read(day: list[Row]) -> None:
    read = CHANNEL.parse_bill(bills.written(ACCOUNT, day), DAY_ON)
    assert [(line.kind, line.attempt_no, line.amount_minor, line.fee_minor, line.at) for line in read.lines] == [
        (row.kind, row.trade.out_no, row.amount_minor, row.fee_minor, row.at) for row in day
    ]
    assert read.paid_minor == sum(row.amount_minor for row in day if row.kind == "payment")
    assert read.refunded_minor == -sum(row.amount_minor for row in day if row.kind == "refund")
    assert read.fee_minor == sum(row.fee_minor for row in day)


def test_a_days_bill_over_the_wire(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 2_345)
    shop.refund(asked)
    other, _ = shop.sell(amount_minor=100, way="wap")
    shop.gateway.control.steer(at=NEXT)
    read = CHANNEL.parse_bill(download(shop), DAY_ON)
    at = MORNING.astimezone(UTC)
    found = [(line.kind, line.attempt_no, line.refund_no, line.amount_minor, line.fee_minor) for line in read.lines]
    assert sorted(found) == sorted(
        [
            ("payment", charge.attempt_no, "", 12_345, -74),
            ("refund", charge.attempt_no, asked.refund_no, -2_345, 14),
            ("payment", other.attempt_no, "", 100, -1),
        ]
    )
    assert {line.at for line in read.lines} == {at} and read.lines[0].channel_no
    assert (read.account, read.paid_minor, read.refunded_minor, read.fee_minor) == (
        shop.values["mchid"], 12_445, 2_345, -61,
    )  # fmt: skip


def test_the_fund_flow_ends_at_the_balance(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    charge, paid = shop.sell()
    shop.refund(shop.repayable(charge, paid, 2_345))
    account = shop.gateway.control.account("wechat_pay", shop.values["mchid"])
    shop.gateway.control.steer(at=NEXT - timedelta(hours=5))
    shop.sell(amount_minor=50_000)
    shop.gateway.control.steer(at=NEXT)
    read = fund_flow.parse(flow(shop), DAY_ON)
    assert [one.amount_minor for one in read.movements] == [12_345, -74, -2_331]
    assert read.movements[-1].balance_minor == account.balance_minor
    assert (read.in_minor, read.out_minor) == (12_345, 2_405)
    assert read.movements[2].note == "退款总金额23.45元;含手续费0.14元"


def test_planted_differences_are_in_the_trade_bill_only(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    shop.sell()
    shop.gateway.control.steer(at=NEXT)
    shop.fault("bill_differences", "bill", plant="amount")
    for _ in range(2):
        assert CHANNEL.parse_bill(download(shop), DAY_ON).paid_minor == 12_346
    assert fund_flow.parse(flow(shop), DAY_ON).in_minor == 12_345


def test_when_there_is_no_bill(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    shop.sell()
    assert (str(not_ready(shop, DAY_ON)).split(":")[0], not_ready(shop, DAY_ON).empty) == ("INVALID_REQUEST", False)
    shop.gateway.control.steer(at=NEXT - timedelta(seconds=1))
    early = not_ready(shop, DAY_ON)
    assert (str(early), early.empty) == ("STATEMENT_CREATING: 账单生成中", False)
    shop.gateway.control.steer(at=NEXT + timedelta(days=1))
    empty = not_ready(shop, DAY_ON + timedelta(days=1))
    assert (str(empty), empty.empty) == ("NO_STATEMENT_EXIST: 请求的账单文件不存在", True)
    shop.gateway.control.steer(at=NEXT + timedelta(days=120))
    assert not_ready(shop, DAY_ON).empty is False


def test_an_address_is_good_for_thirty_seconds_and_for_its_owner(fresh_shop: Shop, shop: Shop) -> None:
    mine = fresh_shop
    mine.gateway.control.steer(at=MORNING)
    mine.sell()
    mine.gateway.control.steer(at=NEXT)
    answer = mine.call("GET", f"/v3/bill/tradebill?bill_date={DAY_ON}&bill_type=ALL&tar_type=GZIP")
    target = answer.body.decode().split('"download_url":"')[1].split('"')[0].removeprefix(mine.passage.endpoint)
    file = mine.call("GET", target)
    assert (file.status, file.body[:2]) == (200, b"\x1f\x8b") and "wechatpay-signature" not in file.headers
    assert bill._unpacked(file.body) == download(mine)
    assert shop.call("GET", target).status == 403
    assert mine.call("GET", "/v3/billdownload/file?token=abc").status == 403
    mine.gateway.control.steer(at=NEXT + timedelta(seconds=31))
    assert mine.call("GET", target).status == 400


@pytest.mark.parametrize("name", ["garbled", "down"])
def test_a_file_that_arrives_otherwise_is_not_taken(fresh_shop: Shop, name: str) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    shop.sell()
    shop.gateway.control.steer(at=NEXT)
    shop.fault(name, "bill.file")
    assert not_ready(shop, DAY_ON).empty is False
    shop.fault(name, "bill")
    assert not_ready(shop, DAY_ON).empty is False
    assert CHANNEL.parse_bill(download(shop), DAY_ON).payments == 1


def test_a_fund_flow_by_hand() -> None:
    read = fund_flow.parse(FLOW.encode(), DAY_ON)
    assert [(one.amount_minor, one.balance_minor, one.kind) for one in read.movements] == [
        (100, 500, "交易"), (-1, 499, "扣除交易手续费"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("`4.99", "`4.98", "balance"),
        ("`支出,", "`出,", "neither"),
        ("`2,`1,", "`3,`1,", "totals"),
        ("记账", "记", "line 1"),
    ],
)
def test_a_broken_fund_flow_says_why(old: str, new: str, why: str) -> None:
    with pytest.raises(BillMalformed, match=why):
        fund_flow.parse(FLOW.replace(old, new).encode(), DAY_ON)


def test_the_side_writes_the_whole_bill() -> None:
    at = datetime(2026, 5, 1, 9, 30, tzinfo=ZONE)
    trade = Trade(
        "4200", "wechat_pay", "1900000109", "a", 5, "x", at, at, extra={"trade_type": "APP", "attach": ""}
    )  # fmt: skip
    raw = SIDE.bill(None, ACCOUNT, DAY_ON, [Row("payment", trade, None, 5, 0, at)])  # type: ignore[arg-type]
    assert CHANNEL.parse_bill(raw, DAY_ON).paid_minor == 5
