"""A merchant's server as it may be: answers, refuses, redirects, hangs, drops, drips, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

OK, HANG, DROP, DRIP = 200, "hang", "drop", "drip"
"""What to do with a request: a status to answer with, or a way not to."""


@dataclass
class Got:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Receiver:
    """Listens on this machine. `answer` decides by request; by default everything is taken."""

    answer: Callable[[Got], int | str] = lambda _: OK
    got: list[Got] = field(default_factory=list)
    said: bytes = b"thank you"
    slow: asyncio.Event | None = None
    """While it is not set, answers wait for it."""
    _server: asyncio.Server | None = None
    _serving: set[asyncio.Task[None]] = field(default_factory=set)
    _more: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self, ssl: Any = None) -> Receiver:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=ssl)
        return self

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def wait_for(self, count: int) -> None:
        """Until so many requests have come."""
        async with self._more:
            await self._more.wait_for(lambda: len(self.got) >= count)

    @property
    def port(self) -> int:
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def ids(self) -> list[str]:
        """The webhook ids in the order in which they came."""
        return [one.id for one in self.got]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while (got := await _read(reader)) is not None and await self._reply(got, writer):
                pass
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            self._serving.discard(task)
            writer.close()

    async def _reply(self, got: Got, writer: asyncio.StreamWriter) -> bool:
        self.got.append(got)
        what = self.answer(got)
        async with self._more:
            self._more.notify_all()
        if self.slow is not None:
            await self.slow.wait()
        if what == HANG:
            await asyncio.Event().wait()
        if what == DROP:
            writer.transport.abort()
            return False
        if what == DRIP:
            return await _drip(writer)
        more = b"Location: /elsewhere\r\n" if 300 <= int(what) < 400 else b""
        head = f"HTTP/1.1 {what} Whatever\r\nContent-Length: {len(self.said)}\r\n".encode()
        writer.write(head + more + b"\r\n" + self.said)
        await writer.drain()
        return True


async def _drip(writer: asyncio.StreamWriter) -> bool:
    """An answer that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Got | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Got(method, path, headers, body)
