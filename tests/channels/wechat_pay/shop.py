"""A merchant of WeChat Pay in tests: charges, pays, refunds, and whatever the adapter answers, called plainly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from tests.channels.running import Heard, Running

from fenqi.channels.contract import Charge, Credential, Incoming, Paid, Passage, RefundResult, Repayable, Result
from fenqi.channels.gateway.side import Trade
from fenqi.channels.http import Answer
from fenqi.channels.wechat_pay import WechatPay
from fenqi.channels.wechat_pay.seal import Sealed, unseal
from fenqi.channels.wechat_pay.sign import authorization
from fenqi.kernel.ids import new_id

replace = msgspec.structs.replace
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


class _Envelope(msgspec.Struct):
    resource: Sealed


class Shop:
    """One account, one adapter (which has learned nothing yet), one receiver of notices."""

    def __init__(self, gateway: Running) -> None:
        self.gateway = gateway
        self.passage: Passage = gateway.enrol("wechat_pay")
        self.channel = WechatPay()
        self.heard: Heard = gateway.hear(204)

    @property
    def values(self) -> Mapping[str, str]:
        return self.passage.credential.values

    def charge(self, **changes: Any) -> Charge:
        now = datetime.now(UTC).replace(microsecond=0)
        made = Charge(
            new_id().hex, 12_345, "一部手机", "qr", now, now + timedelta(minutes=15), self.heard.url,
            "http://127.0.0.1:8460/back?order=7",
        )  # fmt: skip
        return replace(made, **changes)

    def pay(self, charge: Charge) -> Result:
        return self.gateway.ask(self.channel.pay(self.gateway.http, self.passage, charge))

    def query(self, attempt_no: str) -> Result:
        return self.gateway.ask(self.channel.query(self.gateway.http, self.passage, attempt_no))

    def close(self, attempt_no: str) -> Result:
        return self.gateway.ask(self.channel.close(self.gateway.http, self.passage, attempt_no))

    def trade(self, attempt_no: str) -> Trade:
        seen = self.gateway.control.find("wechat_pay", attempt_no)
        assert seen is not None
        trade: Trade = seen.trade
        return trade

    def sell(self, **changes: Any) -> tuple[Charge, Paid]:
        """A charge that its buyer has paid."""
        charge = self.charge(**changes)
        self.pay(charge)
        self.gateway.control.pay(self.trade(charge.attempt_no).trade_no, OPENID)
        paid = self.query(charge.attempt_no)
        assert isinstance(paid, Paid)
        return charge, paid

    def repayable(self, charge: Charge, paid: Paid, amount_minor: int, **changes: Any) -> Repayable:
        made = Repayable(
            new_id().hex, charge.attempt_no, paid.channel_no, amount_minor, paid.amount_minor, paid.paid_at,
            "七天无理由退货", self.heard.url,
        )  # fmt: skip
        return replace(made, **changes)

    def refund(self, asked: Repayable) -> RefundResult:
        return self.gateway.ask(self.channel.refund(self.gateway.http, self.passage, asked))

    def query_refund(self, asked: Repayable) -> RefundResult:
        return self.gateway.ask(self.channel.query_refund(self.gateway.http, self.passage, asked))

    def notices(self, count: int, **told: str) -> list[Incoming]:
        """The first `count` notices that tell so (out_trade_no, out_refund_no), whoever signed them."""
        seen = 0
        found: list[Incoming] = []
        while len(found) < count:
            incoming = self.heard.wait(seen + 1)[seen]
            plain = unseal(self.values["api_v3_key"], msgspec.json.decode(incoming.body, type=_Envelope).resource)
            said = json.loads(plain or b"{}")
            found += [incoming] if told.items() <= said.items() else []
            seen += 1
        return found

    def fault(self, name: str, operation: str = "*", times: int = 1, **params: str) -> None:
        self.gateway.control.set_fault("wechat_pay", name, operation, times, self.values["mchid"], **params)

    def put_back(self) -> None:
        self.gateway.control.clear_faults()
        self.gateway.control.steer(0)
        self.gateway.control.set_speed(1)

    def call(
        self, method: str, target: str, body: bytes = b"", *, timestamp: int | None = None, nonce: str = "0" * 32,
        values: Mapping[str, str] | None = None, header: str | None = None, sent: bytes | None = None,
    ) -> Answer:  # fmt: skip
        """A call made by hand: `values` signs, `header` replaces the signature, `sent` the signed body."""
        now_s = str(int(datetime.now(UTC).timestamp()) if timestamp is None else timestamp)
        signed = authorization(values or self.values, (method, target, body), now_s, nonce)
        headers = {"authorization": signed if header is None else header, "content-type": "application/json"}
        url = self.passage.endpoint + target
        return self.gateway.ask(
            self.gateway.http.send(method, url, headers=headers, content=body if sent is None else sent)
        )

    def with_values(self, **changes: str) -> Passage:
        """The passage with other values in its credential."""
        own = Credential(self.passage.credential.version, {**self.values, **changes})
        return replace(self.passage, credential=own, accepted=(own,))
