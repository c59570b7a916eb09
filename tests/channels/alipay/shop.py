"""A merchant of the local Alipay for tests: an account there, its adapter, and the hands of its buyers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from tests.channels.running import Heard, Running

from fenqi.channels.alipay import CHANNEL
from fenqi.channels.contract import Charge, Handover, Paid, Passage, Pending, Repayable, Result
from fenqi.channels.http import Answer
from fenqi.kernel.ids import new_id

replace = msgspec.structs.replace


def with_values(passage: Passage, **values: str) -> Passage:
    """The same passage with other values in its credential."""
    credential = replace(passage.credential, values={**passage.credential.values, **values})
    return replace(passage, credential=credential, accepted=(credential, *passage.accepted[1:]))


class Shop:
    """One account, spoken to by `protocol` (v2 or v3)."""

    def __init__(self, gateway: Running, protocol: str = "v2") -> None:
        self.gateway = gateway
        self.passage = with_values(gateway.enrol("alipay"), protocol=protocol)
        self.app_id = self.passage.credential.values["app_id"]
        self.hears: Heard = gateway.hear(CHANNEL.answer(True))

    def charge(self, way: str = "page", amount_minor: int = 12_345, **more: Any) -> Charge:
        now = datetime.now(UTC)
        asked = Charge(
            new_id().hex, amount_minor, "手机 128G", way, now, now + timedelta(minutes=15), self.hears.url,
            "http://127.0.0.1:9/back",
        )  # fmt: skip
        return replace(asked, **more)

    def pay(self, charge: Charge) -> Result:
        return self.gateway.ask(CHANNEL.pay(self.gateway.http, self.passage, charge))

    def query(self, charge: Charge) -> Result:
        return self.gateway.ask(CHANNEL.query(self.gateway.http, self.passage, charge.attempt_no))

    def close(self, charge: Charge) -> Result:
        return self.gateway.ask(CHANNEL.close(self.gateway.http, self.passage, charge.attempt_no))

    def refund(self, asked: Repayable) -> Any:
        return self.gateway.ask(CHANNEL.refund(self.gateway.http, self.passage, asked))

    def query_refund(self, asked: Repayable) -> Any:
        return self.gateway.ask(CHANNEL.query_refund(self.gateway.http, self.passage, asked))

    def handed_over(self, charge: Charge) -> Handover:
        """The handover of a charge that is taken."""
        result = self.pay(charge)
        assert isinstance(result, Pending) and result.handover is not None, result
        return result.handover

    def open(self, handover: Handover) -> Answer:
        """The buyer goes where the handover leads (an app's order string goes to the same gateway)."""
        url = handover.url or f"{self.passage.endpoint}/gateway.do?{handover.fields['order_string']}"
        return self.gateway.ask(self.gateway.http.send("GET", url))

    def trade_no(self, charge: Charge) -> str:
        seen = self.gateway.control.find("alipay", charge.attempt_no)
        assert seen is not None
        return str(seen.trade.trade_no)

    def bought(self, **more: Any) -> tuple[Charge, Paid]:
        """A charge that its buyer has paid."""
        charge = self.charge(**more)
        assert self.open(self.handed_over(charge)).status == 302
        self.gateway.control.pay(self.trade_no(charge))
        paid = self.query(charge)
        assert isinstance(paid, Paid), paid
        return charge, paid

    def repayable(self, charge: Charge, paid: Paid, amount_minor: int, **more: Any) -> Repayable:
        asked = Repayable(
            new_id().hex, charge.attempt_no, paid.channel_no, amount_minor, paid.amount_minor, paid.paid_at,
            "七天无理由", self.hears.url,
        )  # fmt: skip
        return replace(asked, **more)

    def fault(self, name: str, operation: str, times: int = 1, **params: str) -> None:
        self.gateway.control.set_fault("alipay", name, operation, times, self.app_id, **params)
