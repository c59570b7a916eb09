"""The way outside: one pool of connections, a time limit for each call, and a plain word for what went wrong.

`NoAnswer.sent` is the difference that money hangs on: False says that nothing left this machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from fenqi.kernel.clock import Clock, SystemClock

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
    """The pool; one per process, closed at its end. `timeout_s` bounds a whole call. Redirects are never followed.

    `clock` is the time of trade: what a channel's rules about days and deadlines are measured by.
    """

    def __init__(self, timeout_s: float = TIMEOUT_S, connections: int = 100, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s)),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            trust_env=False,
        )

    async def send(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None,
        tries: int = 1, connect_to: str | None = None, most_bytes: int | None = None,
    ) -> Answer:  # fmt: skip
        """Send and wait for the answer. Raises NoAnswer. `tries` above 1 only where the protocol makes repeats safe;
        what was not sent at all is tried twice in any case. `connect_to` is an IP address to call instead of looking
        the host up (its name still is what TLS verifies); `most_bytes` is how much of an answer is read."""
        left, sent = tries, False
        while True:
            left -= 1
            try:
                request = self._request(method, url, headers, content, connect_to)
                return await self._exchange(request, most_bytes)
            except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
                if left < 0:
                    raise NoAnswer(f"{type(error).__name__}: {error}", sent=sent) from error
            except httpx.HTTPError as error:
                sent = True
                if left <= 0:
                    raise NoAnswer(f"{type(error).__name__}: {error}", sent=True) from error

    def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None, content: bytes | None, connect_to: str | None
    ) -> httpx.Request:
        """The request; one to a given address has a connection of its own, so that no other host's is used for it."""
        target = httpx.URL(url)
        if connect_to is None:
            return self._client.build_request(method, target, headers=headers, content=content)
        own = {**(headers or {}), "host": target.netloc.decode("ascii"), "connection": "close"}
        pinned = target.copy_with(host=connect_to)
        extensions = {"sni_hostname": target.host}
        return self._client.build_request(method, pinned, headers=own, content=content, extensions=extensions)

    async def _exchange(self, request: httpx.Request, most_bytes: int | None) -> Answer:
        got = await self._client.send(request, stream=True)
        try:
            body = await _read(got, most_bytes)
        finally:
            await got.aclose()
        return Answer(got.status_code, {k.lower(): v for k, v in got.headers.items()}, body)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()


async def _read(got: httpx.Response, most_bytes: int | None) -> bytes:
    """The body; or as much of it as is wanted, as it was sent (what is packed stays packed)."""
    if most_bytes is None:
        return await got.aread()
    body = b""
    async for chunk in got.aiter_raw():
        body += chunk
        if len(body) >= most_bytes:
            break
    return body[:most_bytes]
