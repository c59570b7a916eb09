"""Calling the API in tests: JSON in, a response out, with a token and a key where the call takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
from fastapi import FastAPI
from tests import world

from fenqi import customer
from fenqi.flows.context import Context

PASSWORD = "correct horse battery"


@dataclass
class Door:
    """The application as clients see it, and what a test needs behind it."""

    run: Any
    client: httpx.AsyncClient
    ctx: Context
    app: FastAPI
    clock: world.SteeredClock
    urls: Any

    async def send(
        self, method: str, path: str, body: Any = None, token: str | None = None, key: str | None = None, **more: Any
    ) -> httpx.Response:
        headers = {"Accept-Language": "en", **more.pop("headers", {})}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            more["json"] = body
        return await self.client.request(method, path, headers=headers, **more)

    def call(self, method: str, path: str, body: Any = None, token: str | None = None, **more: Any) -> httpx.Response:
        return self.run(self.send(method, path, body, token, **more))

    def get(self, path: str, token: str | None = None, **more: Any) -> Any:
        return ok(self.call("GET", path, None, token, **more))

    def post(self, path: str, body: Any, token: str | None = None, key: str | None = None, **more: Any) -> Any:
        return ok(self.call("POST", path, body, token, key=key, **more))

    def token_of(self, consumer_id: UUID) -> str:
        """An access token without the sign-in."""
        return customer.issue_access_token(self.ctx.keys, consumer_id, self.ctx.now())

    def offer(self, scene: str, category: str | None = None, most_minor: int = 10**9) -> dict[str, Any]:
        """Something self-operated on sale, as an order's line."""
        wish = world.wish(self.ctx.reference.newest, category or "phone", scene, most_minor)
        return {"sku_id": str(wish.sku_id), "merchant_id": str(wish.merchant_id), "quantity": 1}

    def order(self, token: str, category: str = "small_appliance", most_minor: int = 40_000) -> dict[str, Any]:
        """An order placed in the instalment mall."""
        line = self.offer("instalment_mall", category, most_minor)
        return self.post("/v1/orders", {"scene": "instalment_mall", "lines": [line]}, token, key=new_key())

    def counts(self) -> dict[str, int]:
        """Rows by table, of all tables."""
        with psycopg.connect(self.urls.owner) as connection:
            names = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in names}


def ok(response: httpx.Response) -> Any:
    """The answer, of a call that must succeed."""
    assert response.status_code == 200, f"{response.status_code} {response.text}"
    assert response.headers["content-type"] == "application/json"
    return response.json()


def no(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem, of a call that must be refused like this."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert (response.status_code, problem["code"]) == (status, code), problem
    assert problem["status"] == status
    return problem


def new_key() -> str:
    return uuid4().hex
