"""Jeepay's published npm client, unchanged, against the door: only its base URL, mchNo, appId and key are ours.

FENQI_JEEPAY_SDK names a checkout of github.com/unify-z/jeepay-nodejs-sdk in which `npm install && npx tsc` was run: the
npm registry does not have it. Without it these tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from pathlib import Path

import pytest
import uvicorn

CHECKOUT = os.environ.get("FENQI_JEEPAY_SDK", "")
SCRIPT = Path(__file__).parent / "node_client.mjs"

pytestmark = [
    pytest.mark.skipif(not CHECKOUT, reason="FENQI_JEEPAY_SDK names no checkout of the npm client"),
    pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed (18 or newer is needed)"),
]


@pytest.fixture(scope="module")
def address(partner, run):
    """The application on a real port, on the event loop of its context."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(partner.web, lifespan="off", log_level="warning"))

    async def start():
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        return serving

    serving = run(start())
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    run(asyncio.wait_for(serving, 20))
    listener.close()


@pytest.fixture(scope="module")
def sdk(partner, address):
    """Calls the client as a shop would: `await sdk("createOrder", {…})`."""

    async def call(name, params, **change):
        asked = {
            "sdk": CHECKOUT, "url": address, "mchNo": partner.mch_no, "appId": partner.app.number,
            "key": partner.secret, "call": name, "params": params,
        } | change  # fmt: skip
        process = await asyncio.create_subprocess_exec(
            "node", str(SCRIPT), json.dumps(asked), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()
        return json.loads(out)

    return call


def test_the_npm_client_orders_asks_refunds_and_closes(partner, run, sdk):
    async def story():
        asked = {
            "amount": 5_800, "extParam": "", "mchOrderNo": partner.number(), "subject": "商品标题", "body": "商品描述",
            "wayCode": "WX_NATIVE", "clientIp": "192.166.1.132", "notifyUrl": partner.server.url("/sdk"),
            "currency": "cny", "returnUrl": "",
        }  # fmt: skip
        made = (await sdk("createOrder", asked))["data"]
        assert (made["mchOrderNo"], made["orderState"], made["payDataType"]) == (asked["mchOrderNo"], 1, "codeUrl")
        assert (await sdk("queryOrder", {"payOrderId": made["payOrderId"]}))["data"]["state"] == 1
        await partner.pay(made, "wechat_pay")
        found = (await sdk("queryOrder", {"payOrderId": made["payOrderId"]}))["data"]
        assert (found["state"], found["amount"], found["ifCode"], found["subject"]) == (2, 5_800, "wxpay", "商品标题")
        assert await partner.tell() == 1 and partner.is_signed(partner.heard())

        refund = {
            "payOrderId": made["payOrderId"], "extParam": "", "mchOrderNo": "", "refundReason": "退款测试",
            "channelExtra": "", "mchRefundNo": "sdk-r1", "clientIp": "192.166.1.132",
            "notifyUrl": partner.server.url("/sdk"), "currency": "cny", "refundAmount": 400,
        }  # fmt: skip
        back = (await sdk("refundOrder", refund))["data"]
        assert (back["mchRefundNo"], back["refundAmount"], back["payAmount"]) == ("sdk-r1", 400, 5_800)
        await partner.mall.later(1_300)
        told = (await sdk("queryRefundOrder", {"refundOrderId": back["refundOrderId"]}))["data"]
        assert (told["state"], told["payOrderId"], told["refundAmount"]) == (2, made["payOrderId"], 400)

        other = (await sdk("createOrder", asked | {"mchOrderNo": partner.number()}))["data"]
        assert await sdk("closeOrder", {"payOrderId": other["payOrderId"]}) == {"data": {}}
        assert (await sdk("queryOrder", {"payOrderId": other["payOrderId"]}))["data"]["state"] == 6

    run(story())


def test_the_npm_client_hears_why_a_payment_was_refused(partner, run, sdk):
    async def story():
        asked = {
            "amount": 5_800, "mchOrderNo": partner.number(), "subject": "商品标题", "body": "商品描述",
            "wayCode": "UP_PC", "clientIp": "192.166.1.132", "currency": "cny",
        }  # fmt: skip
        said = (await sdk("createOrder", asked))["data"]
        assert (said["orderState"], said["errCode"]) == (3, "NO_INSTRUMENT") and said["errMsg"]
        assert await sdk("createOrder", asked, key="0" * 64) == {"thrown": "APIRequestException"}

    run(story())
