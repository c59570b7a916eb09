"""A second client that nobody here wrote, the npm package wechatpay-axios-plugin, drives our gateway; it signs the path
with the mount's prefix in it, parses our bills, and writes notices that we must believe.

It is looked for below the folder that FENQI_NPM_DIR names (by default .venv/npm), and skipped where it is not.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.channels.wechat_pay.shop import OPENID, Shop
from tests.channels.wechat_pay.test_bills import DAY_ON, MORNING, NEXT
from tests.channels.wechat_pay.test_notices import paid_notices

from fenqi.channels.contract import Incoming, Paid
from fenqi.channels.wechat_pay.sign import certificates
from fenqi.kernel.ids import new_id

ROOT = Path(__file__).parents[3]
NPM_DIR = Path(os.environ.get("FENQI_NPM_DIR") or ROOT / ".venv" / "npm").absolute()
PACKAGE = NPM_DIR / "node_modules" / "wechatpay-axios-plugin"
pytestmark = pytest.mark.skipif(
    shutil.which("node") is None or not PACKAGE.exists(),
    reason="needs node and: npm install --no-package-lock --prefix .venv/npm wechatpay-axios-plugin@0.9.6",
)


def run(shop: Shop, do: str, **more: Any) -> Any:
    """What the script finds; the shop verifies by the public key and by every certificate that it was given."""
    values = shop.values
    certs = {values["public_key_id"]: values["public_key"], **certificates(values["platform_certificates"])}
    given = {
        "module": str(NPM_DIR), "do": do, "baseURL": f"{shop.passage.endpoint}/", "mchid": values["mchid"],
        "serial": values["serial_no"], "privateKey": values["private_key"], "certs": certs,
        "apiV3Key": values["api_v3_key"], "appid": values["appid"], "notifyUrl": shop.heard.url, **more,
    }  # fmt: skip
    script = Path(__file__).with_name("conformance.mjs")
    done = subprocess.run(
        ["node", str(script)], input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_sells_and_refunds_here(shop: Shop) -> None:
    out_no, closed_no, out_refund_no = (new_id().hex for _ in range(3))
    made = run(shop, "order", outNo=out_no, closedNo=closed_no, openid=OPENID)
    assert made.pop("code_url").startswith(f"{shop.passage.endpoint}/q/wx") and made.pop("prepay_id").startswith("wx")
    absent = {"status": 404, "code": "ORDER_NOT_EXIST"}
    assert made == {"waiting": "NOTPAY", "close": 204, "closed": "CLOSED", "absent": absent}
    shop.gateway.control.pay(shop.trade(out_no).trade_no, OPENID)
    later = run(shop, "afterwards", outNo=out_no, outRefundNo=out_refund_no)
    assert (later["paid"]["trade_state"], later["paid"]["amount"]["total"], later["same"]) == ("SUCCESS", 12_345, True)
    assert later["refund"] == later["asked"] and later["refund"]["status"] == "PROCESSING"
    ours = shop.query(out_no)
    assert isinstance(ours, Paid) and ours.channel_no == later["paid"]["transaction_id"]


def test_it_believes_and_opens_our_notices(shop: Shop) -> None:
    charge, [incoming] = paid_notices(shop)
    found = run(shop, "notice", headers=dict(incoming.headers), text=incoming.body.decode())
    assert (found["holds"], found["event"]) == (True, "TRANSACTION.SUCCESS")
    assert (found["told"]["out_trade_no"], found["told"]["amount"]["total"]) == (charge.attempt_no, 12_345)


def test_we_believe_and_open_its_notices(shop: Shop) -> None:
    account = shop.gateway.house.book.account("wechat_pay", shop.values["mchid"])
    assert account is not None
    told = {
        "mchid": shop.values["mchid"], "appid": shop.values["appid"], "out_trade_no": "a" * 32,
        "transaction_id": "4200", "trade_state": "SUCCESS", "success_time": "2026-05-01T10:00:00+08:00",
        "amount": {"total": 5, "payer_total": 5, "currency": "CNY", "payer_currency": "CNY"},
    }  # fmt: skip
    written = run(
        shop, "write", platformKey=account.values["platform_key"], platformSerial=account.values["public_key_id"],
        told=told,
    )  # fmt: skip
    notice = shop.channel.read_notice(
        shop.passage, Incoming("POST", "/hooks/x", written["headers"], written["text"].encode())
    )
    assert (notice.notice_no, notice.attempt_no) == ("EV-2018022511223320873", "a" * 32)
    assert isinstance(notice.result, Paid) and notice.result.amount_minor == 5


def test_it_opens_our_certificates(shop: Shop) -> None:
    [found] = run(shop, "certificates")
    [(serial, pem)] = certificates(shop.values["platform_certificates"]).items()
    assert (found["number"], found["pem"].strip()) == (serial, pem.strip())


def test_it_reads_our_bills(fresh_shop: Shop) -> None:
    shop = fresh_shop
    shop.gateway.control.steer(at=MORNING)
    charge, paid = shop.sell()
    asked = shop.repayable(charge, paid, 2_345)
    shop.refund(asked)
    shop.gateway.control.steer(at=NEXT)
    found = run(shop, "bill", dayOn=str(DAY_ON))
    assert found["sha1"] is True
    assert [(row["商户订单号"], row["交易状态"], row["订单金额"], row["申请退款金额"]) for row in found["rows"]] == [
        (charge.attempt_no, "SUCCESS", "123.45", "0.00"), (charge.attempt_no, "REFUND", "0.00", "23.45"),
    ]  # fmt: skip
    assert found["summary"] == {
        "总交易单数": "2", "应结订单总金额": "123.45", "退款总金额": "23.45", "充值券退款总金额": "0.00",
        "手续费总金额": "0.60000", "订单总金额": "123.45", "申请退款总金额": "23.45",
    }  # fmt: skip
