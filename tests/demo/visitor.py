"""Somebody who uses a demo that is served: pays by Alipay over HTTP, moves its clock, looks at its gateways."""

from __future__ import annotations

import secrets
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

_PATIENCE_S = 30
HOUR_S = 3_600


class Visitor:
    """One of the demo's people, signed in at the served API."""

    def __init__(self, port: int, name: str = "ready") -> None:
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
        token = self._post("/v1/sessions", {"name": name, "password": "fenqi-demo"})["access_token"]
        self._http.headers["authorization"] = f"Bearer {token}"

    def pays_by_alipay(self) -> str:
        """Buy a phone, follow the handover, pay in the wallet, and see the order paid; where the gateways are."""
        asked = self._post("/v1/payments", {"checkout_id": self._order(), "method": "alipay", "plan": "full"})
        assert asked["outcome"] == "pending", asked
        with httpx.Client(follow_redirects=True, timeout=30, trust_env=False) as browser:
            page = browser.get(asked["handover"]["url"])
            assert page.status_code == 200, page.text
            back = browser.post(str(page.url), data={"act": "pay"}, follow_redirects=False)
        assert back.headers["location"].startswith(f"{self._http.base_url}/payments/"), back.headers
        until = time.monotonic() + _PATIENCE_S
        while self._http.get(f"/v1/payments/{asked['payment_id']}").json()["outcome"] != "succeeded":
            assert time.monotonic() < until, "the notice has not come"
            time.sleep(0.05)
        return str(page.url.copy_with(path="/", query=None)).rstrip("/")

    def _order(self) -> str:
        goods = self._http.get("/v1/goods?scene=mall&category=phone").json()["goods"]
        chosen = next(one["item"]["goods_id"] for one in goods if 200_000 < one["price_minor"] < 600_000)
        offer = self._http.get(f"/v1/goods/{chosen}?scene=mall").json()["offers"][0]
        line = {"sku_id": offer["sku_id"], "merchant_id": offer["merchant_id"], "quantity": 1}
        placed: str = self._post("/v1/orders", {"scene": "mall", "lines": [line]})["checkout_id"]
        return placed

    def moves_the_clock(self) -> datetime:
        """An hour forward; what it shows then."""
        return datetime.fromisoformat(self._post("/v1/clock:advance", {"seconds": HOUR_S})["now"])

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        got = self._http.post(path, json=body, headers={"idempotency-key": secrets.token_hex(8)})
        assert got.status_code < 300, got.text
        return got.json()


def gateways_now(gateway_url: str, data_dir: Path) -> datetime:
    """What the gateways' clock shows."""
    token = (data_dir / "demo-gateway" / "control_token").read_text().strip()
    got = httpx.get(f"{gateway_url}/control", headers={"authorization": f"Bearer {token}"}, trust_env=False)
    return datetime.fromisoformat(got.json()["now"])


def is_gone(url: str) -> bool:
    """Whether nobody answers there any more, within some seconds."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        try:
            httpx.get(url, timeout=2, trust_env=False)
        except httpx.ConnectError:
            return True
        time.sleep(0.1)
    return False
