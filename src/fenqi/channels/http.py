"""The way outside: one pool of connections, a time limit for each call, and a plain word for what went wrong.

`NoAnswer.sent` is the difference that money hangs on: False says that nothing left this machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

TIMEOUT_S = 8.0
CONNECT_S = 3.0


class NoAnswer(Exception):
    """No answer came. `sent`: whether the request may have reached the other side all the same."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Answer:
    """What came back: status, headers with names in lower case, and the bytes as they were sent."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body


class Http:
    """The pool; one per process, closed at its end. `timeout_s` bounds a whole call. Redirects are never followed."""

    def __init__(self, timeout_s: float = TIMEOUT_S, connections: int = 100) -> None:
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
        )

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None,
        tries: int = 1,
    ) -> Answer:  # fmt: skip
        """Send and wait for the answer. Raises NoAnswer. `tries` above 1 only where the protocol makes repeats safe;
        what was not sent at all is tried twice in any case."""
        left = tries
        while True:
            left -= 1
            try:
                got = await self._client.request(method, url, headers=headers, content=content)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if left < 0:
                    raise NoAnswer(f"{type(error).__name__}: {error}", sent=False) from error
            except httpx.HTTPError as error:
                if left <= 0:
                    raise NoAnswer(f"{type(error).__name__}: {error}", sent=True) from error
            else:
                return Answer(got.status_code, {k.lower(): v for k, v in got.headers.items()}, got.content)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()
