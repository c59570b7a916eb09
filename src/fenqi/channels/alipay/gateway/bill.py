"""Bills as Alipay gives them: an address that dies after half a minute, and behind it a zip of two GBK tables.

The columns, the tabs behind values and the comment lines are those of real files (channels.md, AL7 and AL8).
"""

from __future__ import annotations

import hashlib
import hmac
import io
import zipfile
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from fenqi.channels.alipay.bill import COLUMNS, SUM_COLUMNS
from fenqi.channels.alipay.gateway.trade import buyer, masked
from fenqi.channels.alipay.gateway.words import Refused
from fenqi.channels.alipay.text import beijing, yuan_text
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.house import beijing as clock_text
from fenqi.channels.gateway.side import Account, Row
from fenqi.kernel.clock import ZONE, business_date, epoch_ms

LIVES = timedelta(seconds=30)
READY_AT = time(10)
"""On the next day, in Beijing."""
_DAY = "%Y年%m月%d日 %H:%M:%S"
_LINE = "#-----------------------------------------{}----------------------------------------"
_END = "#-----------------------------------------{}结束------------------------------------"


def address(house: House, account: Account, values: Any, common: Any) -> dict[str, Any]:
    """alipay.data.dataservice.bill.downloadurl.query, of a day's 业务账单. Raises Refused."""
    if values.get("bill_type") != "trade":
        raise Refused("isv.invalid-parameter", "bill_type")
    try:
        day_on = date.fromisoformat(str(values.get("bill_date", "")))
    except ValueError as error:
        raise Refused("isv.invalid-parameter", "bill_date") from error
    now = house.clock.now()
    if day_on >= business_date(now):
        raise Refused("isv.invalid-parameter", "bill_date")
    ready_at = datetime.combine(day_on + timedelta(days=1), READY_AT, ZONE)
    if now < ready_at or not house.bill_rows(account, day_on):
        raise Refused("BILL_NOT_EXIST")
    expires_ms = epoch_ms(now + LIVES)
    query = {
        "bizType": "trade", "userId": account.values["seller_id"], "fileType": "csv.zip",
        "bizDates": day_on.strftime("%Y%m%d"), "downloadFileName": f"{_file(account, day_on)}.csv.zip",
        "appId": account.account_id, "timestamp": str(expires_ms), "token": _token(account, day_on, expires_ms),
    }  # fmt: skip
    return {"bill_download_url": f"{house.endpoint('alipay')}/downloadBillFile.resource?{urlencode(query)}"}


def download(house: House, request: Request) -> Response:
    """The file behind such an address, while it lives."""
    query = request.query_params
    account = house.book.account("alipay", query.get("appId", ""))
    try:
        day_on = datetime.strptime(query.get("bizDates", ""), "%Y%m%d").replace(tzinfo=ZONE).date()
        expires_ms = int(query.get("timestamp", ""))
    except ValueError:
        return PlainTextResponse("bad request", 400)
    if account is None or not hmac.compare_digest(_token(account, day_on, expires_ms), query.get("token", "")):
        return PlainTextResponse("forbidden", 403)
    if house.clock.now() > datetime.fromtimestamp(expires_ms / 1000, UTC):
        return PlainTextResponse("expired", 403)
    raw = archive(house, account, day_on, house.bill_rows(account, day_on))
    return Response(raw, media_type="application/zip")


def archive(house: House, account: Account, day_on: date, rows: Sequence[Row]) -> bytes:
    """The zip of a day."""
    detail = "\r\n".join([*_head(account, day_on, "业务明细"), *_detail(house, rows), ""])
    stores = "\r\n".join([*_head(account, day_on, "业务汇总"), *_stores(house, rows), ""])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(f"{_file(account, day_on)}_业务明细.csv", detail.encode("gbk", errors="replace"))
        files.writestr(f"{_file(account, day_on)}_业务明细(汇总).csv", stores.encode("gbk", errors="replace"))
    return packed.getvalue()


def _file(account: Account, day_on: date) -> str:
    return f"{account.values['seller_id']}0156_{day_on.strftime('%Y%m%d')}"


def _token(account: Account, day_on: date, expires_ms: int) -> str:
    text = f"{account.account_id}|{day_on.isoformat()}|{expires_ms}"
    return hmac.new(account.values["alipay_private_key"].encode(), text.encode(), hashlib.sha256).hexdigest()


def _head(account: Account, day_on: date, what: str) -> list[str]:
    first = datetime.combine(day_on, time(), ZONE)
    since, until = first.strftime(_DAY), (first + timedelta(days=1)).strftime(_DAY)
    return [
        f"#支付宝{what}查询",
        f"#账号：[{account.values['seller_id']}0156]",
        f"#起始日期：[{since}]   终止日期：[{until}]",
        _LINE.format(f"{what}列表"),
    ]


def _detail(house: House, rows: Sequence[Row]) -> list[str]:
    payments = [row.amount_minor for row in rows if row.kind == "payment"]
    refunds = [row.amount_minor for row in rows if row.kind == "refund"]
    return [
        ",".join(COLUMNS),
        *(_cells(row) for row in rows),
        _END.format("业务明细列表"),
        f"#交易合计：{len(payments)}笔，商家实收共{yuan_text(sum(payments))}元，商家优惠共0.00元",
        f"#退款合计：{len(refunds)}笔，商家实收退款共{yuan_text(sum(refunds))}元，商家优惠退款共0.00元",
        f"#导出时间：[{clock_text(house.clock.now(), _DAY)}]",
    ]


def _cells(row: Row) -> str:
    """One row: 25 values, those that a spreadsheet would spoil with a tab behind them."""
    trade, amount = row.trade, yuan_text(row.amount_minor)
    subject = trade.subject.replace(",", "，").replace("\n", " ")
    return ",".join((
        f"{trade.trade_no}\t", f"{trade.out_no}\t", "交易\t" if row.kind == "payment" else "退款\t", subject,
        beijing(trade.created_at), beijing(row.at), "\t", "\t", "\t", "\t", f"{masked(buyer(trade))}\t",
        amount, amount, "0.00", "0.00", "0.00", "0.00", "0.00", "", "0.00\t", "0.00",
        f"{row.refund.out_refund_no if row.refund else ''}\t", yuan_text(row.fee_minor), "0.00",
        row.refund.why.replace(",", "，") if row.refund else "",
    ))  # fmt: skip


def _stores(house: House, rows: Sequence[Row]) -> list[str]:
    payments = sum(row.kind == "payment" for row in rows)
    amount = sum(row.amount_minor for row in rows)
    fee = sum(row.fee_minor for row in rows)
    sums = (
        str(payments), str(len(rows) - payments), yuan_text(amount), yuan_text(amount), "0.00", "0.00", "0.00",
        yuan_text(fee), "0.00", yuan_text(amount + fee),
    )  # fmt: skip
    return [
        ",".join(SUM_COLUMNS),
        ",".join(("\t", "\t", *sums)),
        ",".join(("合计", "", *sums)),
        _END.format("业务汇总列表"),
        f"#导出时间：[{clock_text(house.clock.now(), _DAY)}]",
    ]
