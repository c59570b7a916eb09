"""A client of Jeepay's protocol as its documents describe it, written for these tests: signs, posts, checks the answer.

It shares no line with the door: the signature is computed here once more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import httpx


def md5_sign(fields: dict[str, Any], secret: str) -> str:
    """Every value that is not empty as name=value&, sorted whatever the case, then key=secret; MD5 in upper case."""
    pairs = sorted((f"{k}={v}&" for k, v in fields.items() if v not in (None, "") and k != "sign"), key=str.lower)
    return hashlib.md5(("".join(pairs) + f"key={secret}").encode()).hexdigest().upper()


@dataclass
class JeepayClient:
    """One app of one merchant."""

    http: httpx.AsyncClient
    mch_no: str
    app_id: str
    secret: str

    def signed(self, fields: dict[str, Any]) -> dict[str, Any]:
        whole = {
            "mchNo": self.mch_no, "appId": self.app_id, "version": "1.0", "signType": "MD5", "reqTime": "1724490000000",
        } | fields  # fmt: skip
        return whole | {"sign": md5_sign(whole, self.secret)}

    async def post(self, path: str, fields: dict[str, Any], *, form: bool = False) -> dict[str, Any]:
        """The answer, whatever it says; its own signature is checked."""
        body = self.signed(fields)
        got = await self.http.post(path, **({"data": body} if form else {"json": body}))
        assert got.status_code == 200, got.text
        return self.checked(got.json())

    def checked(self, answer: dict[str, Any]) -> dict[str, Any]:
        assert answer["sign"] == md5_sign(answer["data"], self.secret), answer
        return answer

    async def unified_order(self, **fields: Any) -> dict[str, Any]:
        asked = {"currency": "cny", "subject": "登机箱", "body": "20寸", "clientIp": "210.73.10.148"} | fields
        return await self.post("/api/pay/unifiedOrder", asked)

    async def query(self, **fields: Any) -> dict[str, Any]:
        return await self.post("/api/pay/query", fields)

    async def close(self, **fields: Any) -> dict[str, Any]:
        return await self.post("/api/pay/close", fields)

    async def refund(self, **fields: Any) -> dict[str, Any]:
        asked = {"currency": "cny", "refundReason": "买家退货"} | fields
        return await self.post("/api/refund/refundOrder", asked)

    async def query_refund(self, **fields: Any) -> dict[str, Any]:
        return await self.post("/api/refund/query", fields)
