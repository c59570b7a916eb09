"""What the channel bench asks and hears of the Alipay gateway: pages opened, paid at the wallet, and notices.

`Till` are buyers who pay straight at the gateway, without the mall: what the gateway can do at most.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

from bench.load import Line
from fenqi.channels.alipay import CHANNEL
from fenqi.channels.alipay.gateway import SIDE
from fenqi.channels.contract import Charge, Handover, Passage, Pending
from fenqi.channels.gateway.book import Book
from fenqi.channels.gateway.house import House
from fenqi.channels.gateway.side import Account, Telling, Trade
from fenqi.channels.http import Http
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id

AMOUNT_MINOR = 45_900
_PAID = b"act=pay"
_TAKEN = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 7\r\n\r\nsuccess"


async def pay_at(line: Line, url: str) -> None:
    """A buyer follows the handover to the wallet and pays there."""
    split = urlsplit(url)
    status, head, body = await line.ask(_get(f"{split.path}?{split.query}"))
    assert status == 302, (status, body[:400])
    wallet = urlsplit(_header(head, b"location")).path
    status, _, body = await line.ask(post(wallet, _PAID, "application/x-www-form-urlencoded"))
    assert status == 303, (status, body[:400])


async def handovers(passage: Passage, count: int, notify_url: str) -> dict[str, str]:
    """Trade numbers with the signed addresses that open them: what the mall would hand its buyers."""
    http = Http()
    made = {}
    for _ in range(count):
        now = http.clock.now()
        number = new_id().hex
        charge = Charge(
            number, AMOUNT_MINOR, "fenqi bench", "page", now, now + timedelta(minutes=15), notify_url,
            "http://127.0.0.1/back",
        )  # fmt: skip
        result = await CHANNEL.pay(http, passage, charge)
        assert isinstance(result, Pending) and isinstance(result.handover, Handover)
        made[number] = result.handover.url
    await http.close()
    return made


class Till:
    """Buyers at the gateway alone, with a receiver that takes every notice and does nothing about it."""

    def __init__(self) -> None:
        self.told: dict[str, asyncio.Future[None]] = {}
        self.url = ""

    async def open(self) -> None:
        """Listen for notices."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Receiver(self.told), "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/hooks/till"

    async def close(self) -> None:
        """Stop listening."""
        self._server.close()
        await self._server.wait_closed()

    async def drive(self, port: int, trades: dict[str, str], concurrency: int) -> tuple[list[float], float]:
        """Pay all trades; the seconds of each from opening it to its notice, and those of the whole."""
        queue = iter(trades.items())
        lines = [await Line.open(port) for _ in range(concurrency)]
        started = time.perf_counter()
        parts = await asyncio.gather(*(self._buyer(line, queue) for line in lines))
        elapsed_s = time.perf_counter() - started
        for line in lines:
            line.close()
        return [each for part in parts for each in part], elapsed_s

    async def _buyer(self, line: Line, queue: Iterator[tuple[str, str]]) -> list[float]:
        spent_s = []
        for number, url in queue:
            told = self.told[number] = asyncio.get_running_loop().create_future()
            began = time.perf_counter()
            await pay_at(line, url)
            await told
            spent_s.append(time.perf_counter() - began)
        return spent_s


class _Receiver(asyncio.Protocol):
    def __init__(self, told: dict[str, asyncio.Future[None]]) -> None:
        self._told, self._got = told, b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        self._got += data
        end = self._got.find(b"\r\n\r\n") + 4
        if end < 4 or len(self._got) < end + int(_header(self._got[:end], b"content-length")):
            return
        number = parse_qs(self._got[end:].decode())["out_trade_no"][0]
        self._got = b""
        self._transport.write(_TAKEN)
        if not self._told[number].done():
            self._told[number].set_result(None)


class Teller:
    """Writes notices as the gateway does, about trades of nobody, signed with the key of an account of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._house = House(Book(folder / "gateway.db"), (SIDE,), SteeredClock(), "http://127.0.0.1")
        self.account: Account = self._house.enrol(CHANNEL.name, "alipay-inbox")

    def notices(self, count: int, path: str) -> Sequence[bytes]:
        """As many requests, each about another trade, ready to be sent."""
        return [self._notice(path) for _ in range(count)]

    def _notice(self, path: str) -> bytes:
        now = self._house.clock.now()
        number, notice_no = new_id().hex, new_id().hex
        trade = Trade(
            f"20260101220014{number[-14:]}", CHANNEL.name, self.account.account_id, number, AMOUNT_MINOR,
            "fenqi bench", now, now + timedelta(minutes=15), way="page", state="paid", paid_at=now,
            notify_url="http://127.0.0.1",
        )  # fmt: skip
        outgoing = SIDE.payment_notice(self._house, self.account, trade, Telling(notice_no, now))
        assert outgoing is not None
        return post(path, outgoing.body, outgoing.headers["content-type"])


def post(path: str, body: bytes, content_type: str, *headers: str) -> bytes:
    """A request."""
    more = "".join(f"{header}\r\n" for header in headers)
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\n{more}Content-Length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


def _header(head: bytes, name: bytes) -> str:
    """A header's value, by its name in lower case."""
    at = head.lower().index(b"\r\n" + name + b": ") + len(name) + 4
    return head[at : head.index(b"\r\n", at)].decode()
