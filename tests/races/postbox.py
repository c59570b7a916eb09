"""The house's door for channels while its processes die behind it: it keeps notices, and takes none.

`POST /hooks/…` is kept and answered with 503, so that the gateway will come again; `GET /<number>` waits for the first
notice that speaks of a number of ours. Once the house stands again, notices go to `door`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec

from fenqi.channels.contract import Incoming, Reply

PATIENCE_S = 30
_CLOSED = Reply(503, "text/plain", b"nobody is in")


class Postbox:
    """A server in threads. `numbers` reads the numbers of ours that a notice speaks of."""

    def __init__(self, numbers: Callable[[Incoming], tuple[str, ...]]) -> None:
        self.door: Callable[[Incoming], Reply] | None = None
        self._numbers = numbers
        self._kept: dict[str, Incoming] = {}
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Take the port away."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, incoming: Incoming) -> Reply:
        """A notice has come."""
        if self.door is not None:
            return self.door(incoming)
        with self._news:
            for number in self._numbers(incoming):
                self._kept.setdefault(number, incoming)
            self._news.notify_all()
        return _CLOSED

    def first(self, number: str) -> Incoming:
        """The first notice about a number, as soon as it is there."""
        with self._news:
            assert self._news.wait_for(lambda: number in self._kept, PATIENCE_S), f"nothing came about {number}"
            return self._kept[number]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        box = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = box.take(Incoming("POST", self.path, headers, body))
                self._say(reply.status, reply.content_type, reply.body)

            def do_GET(self) -> None:
                self._say(200, "application/json", msgspec.json.encode(box.first(self.path[1:])))

            def _say(self, status: int, content_type: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("content-type", content_type)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Quietly."""

        return Handler
