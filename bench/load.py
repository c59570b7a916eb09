"""A load generator for HTTP/1.1: requests made beforehand, a fixed number of connections, each sends when answered.

It reads no more of an answer than its length and its status, so that it takes little of the processors it shares.
`Line` is one connection for who needs an answer to make the next request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_IDLE_S = 2.0
"""Servers hang up after five seconds without a request."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for the request at this place."""

    place: int
    status: int
    body: bytes
    latency_s: float


class Target:
    """A server's port with the requests that go there over so many connections."""

    def __init__(self, port: int, requests: Sequence[bytes], concurrency: int) -> None:
        self.port, self.requests = port, requests
        self.concurrency = min(concurrency, len(requests))


async def drive(targets: Sequence[Target]) -> tuple[list[list[Answer]], float]:
    """Send everything; the answers by target in order of arrival, and the seconds it took."""
    loop = asyncio.get_running_loop()
    crews: list[list[_Connection]] = []
    for target in targets:
        queue = enumerate(target.requests)
        crew = [_Connection(queue, loop.create_future()) for _ in range(target.concurrency)]
        for connection in crew:
            connection.transport, _ = await loop.create_connection(lambda it=connection: it, "127.0.0.1", target.port)
        crews.append(crew)
    started = time.perf_counter()
    for crew in crews:
        for connection in crew:
            connection.send()
    await asyncio.gather(*[connection.idle for crew in crews for connection in crew])
    elapsed_s = time.perf_counter() - started
    return [[answer for connection in crew for answer in connection.answers] for crew in crews], elapsed_s


class Line(asyncio.Protocol):
    """A connection on which one request is answered before the next is sent; after idling it is made anew."""

    transport: asyncio.WriteTransport

    def __init__(self, port: int) -> None:
        self.port = port
        self.got, self.wanted = b"", 0
        self.used_s = time.monotonic()
        self.answered: asyncio.Future[tuple[bytes, bytes]] | None = None

    @classmethod
    async def open(cls, port: int) -> Line:
        """A line to a port of this machine."""
        made = cls(port)
        await made._connect()
        return made

    async def _connect(self) -> None:
        self.transport, _ = await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self.port)

    async def ask(self, request: bytes) -> tuple[int, bytes, bytes]:
        """(status, head, body) of the answer."""
        assert self.answered is None, "one request at a time"
        if self.transport.is_closing() or time.monotonic() - self.used_s > _IDLE_S:
            self.transport.close()
            await self._connect()
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        head, body = await self.answered
        self.used_s = time.monotonic()
        return int(head[9:12]), head, body

    def close(self) -> None:
        """Hang up."""
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        self.got += data
        if not self.wanted:
            self.wanted = _size(self.got)
        if self.wanted and len(self.got) >= self.wanted and self.answered is not None:
            end = self.got.index(_HEAD_END) + 4
            answered, answer = self.answered, (self.got[:end], self.got[end : self.wanted])
            self.got, self.wanted, self.answered = self.got[self.wanted :], 0, None
            answered.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.answered is not None:
            self.answered.set_exception(exc or ConnectionError("the server hung up within an answer"))


class _Connection(asyncio.Protocol):
    def __init__(self, queue: Iterator[tuple[int, bytes]], idle: asyncio.Future[None]) -> None:
        self.queue, self.idle = queue, idle
        self.answers: list[Answer] = []
        self.got = b""
        self.wanted = 0
        self.transport: asyncio.WriteTransport

    def send(self) -> None:
        following = next(self.queue, None)
        if following is None:
            self.transport.close()
            return
        self.place, request = following
        self.sent_s = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.got = self.got + data if self.got else data
        if not self.wanted:
            self.wanted = _size(self.got)
        if self.wanted and len(self.got) >= self.wanted:
            latency_s = time.perf_counter() - self.sent_s
            body = self.got[self.got.index(_HEAD_END) + 4 :]
            self.answers.append(Answer(self.place, int(self.got[9:12]), body, latency_s))
            self.got, self.wanted = b"", 0
            self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None or self.got:
            self.idle.set_exception(exc or ConnectionError("the server hung up within an answer"))
        else:
            self.idle.set_result(None)


def _size(got: bytes) -> int:
    """How long the whole answer will be; 0 while its head is not there."""
    head = got.find(_HEAD_END)
    if head < 0:
        return 0
    at = got.index(_LENGTH) + len(_LENGTH)
    return head + 4 + int(got[at : got.index(b"\r", at)])
