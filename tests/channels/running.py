"""A gateway that runs for tests: the real application under uvicorn in a thread, on a free port, in its own directory.

    with running(tmp_path) as gateway:                      # or the fixture `gateway`
        passage = gateway.enrol("alipay")                   # contract.Passage, ready for the adapter
        seen = gateway.control.find("alipay", attempt_no)   # every method of control.Control, called plainly
        gateway.control.pay(seen.trade.trade_no)
        notices = gateway.hear()                            # a receiver: use `notices.url` as notify_url
        [incoming] = notices.wait(1)                        # contract.Incoming, ready for read_notice

`gateway.ask(coroutine)` runs whatever is asynchronous (an adapter's call with `gateway.http`) on the helper's own event
loop. The book belongs to the server's thread: look at it through the control API.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from fenqi.channels.contract import Credential, Incoming, Passage, Reply
from fenqi.channels.gateway import app as gateway_app
from fenqi.channels.gateway import shelf
from fenqi.channels.gateway.control import Control, NoticeSeen
from fenqi.channels.gateway.side import Side
from fenqi.channels.http import Http
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id

T = TypeVar("T")
PATIENCE_S = 20


class Heard:
    """A receiver of notices. `answer` says what each is answered with: a Reply, or a status for a bare one."""

    def __init__(self, answer: Reply | int = 200) -> None:
        self.answer: Reply | int = answer
        self._got: list[Incoming] = []
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks/here"

    @property
    def got(self) -> list[Incoming]:
        """All that has come so far."""
        with self._news:
            return list(self._got)

    def wait(self, count: int, timeout_s: float = PATIENCE_S) -> list[Incoming]:
        """The first `count` notices, as soon as they are there; a failed assertion if they never come."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._got) >= count, timeout_s), f"only {len(self._got)} came"
            return list(self._got[:count])

    def stop(self) -> None:
        """Take the port away: from now on nobody answers."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        heard = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                said = heard.answer
                reply = said if isinstance(said, Reply) else Reply(said, "text/plain", b"")
                with heard._news:
                    heard._got.append(Incoming("POST", self.path, headers, body))
                    heard._news.notify_all()
                self.send_response(reply.status)
                self.send_header("content-type", reply.content_type)
                self.send_header("content-length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            def log_message(self, format: str, *args: Any) -> None:
                """Quietly."""

        return Handler


class Plainly:
    """Control's methods without `await`."""

    def __init__(self, control: Control, gateway: Running) -> None:
        self._control = control
        self._gateway = gateway

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._control, name)
        return lambda *args, **named: self._gateway.ask(verb(*args, **named))


class Running:
    """A gateway that is up. `http` is a client's pool on the helper's loop, with a short time limit."""

    def __init__(
        self, data_dir: Path, sides: Sequence[Side] | None = None, clock: SteeredClock | None = None,
        timeout_s: float = 3.0, port: int = 0,
    ) -> None:  # fmt: skip
        self._listener = gateway_app.listen("127.0.0.1", port)
        self.base_url = gateway_app.address(self._listener)
        app = gateway_app.create_gateway(data_dir, shelf() if sides is None else sides, self.base_url, clock=clock)
        self.token: str = app.state.token
        self.house = app.state.house
        self._server = gateway_app.server(app)
        self._thread = threading.Thread(target=lambda: self._server.run(sockets=[self._listener]), daemon=True)
        self._loop = asyncio.new_event_loop()
        self._runner = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._receivers: list[Heard] = []
        self._thread.start()
        self._runner.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the gateway has not come up"
        self.http = Http(timeout_s=timeout_s)
        self.control = Plainly(Control(self.http, self.base_url, self.token), self)

    def ask(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on the helper's own event loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def enrol(self, channel: str, code: str = "") -> Passage:
        """A passage through a new account, with the credentials of our side."""
        enrolled = self.control.enrol(channel, code or f"{channel}_{new_id().hex[-8:]}")
        passage: Passage = enrolled.passage(new_id())
        return passage

    def rotate(self, passage: Passage) -> Passage:
        """The same passage with the account's new credentials; the old ones still verify."""
        account = next(one for one in self.control.state().accounts if one.code == passage.code)
        rotated = self.control.rotate(account.channel, account.account_id)
        renewed: Passage = rotated.passage(passage.passage_id, passage.accepted)
        assert isinstance(renewed.credential, Credential)
        return renewed

    def told(self, trade_no: str, state: str = "", tries: int | None = None) -> NoticeSeen:
        """The trade's newest notice, once it is in that state and was tried so often: a try is on record a little
        after its receiver has it."""
        while True:
            found: list[NoticeSeen] = self.control.notices(trade_no=trade_no, limit=1)
            if found and state in ("", found[0].notice.state) and tries in (None, len(found[0].tries)):
                return found[0]

    def hear(self, answer: Reply | int = 200) -> Heard:
        """A receiver of notices, stopped with the gateway."""
        self._receivers.append(Heard(answer))
        return self._receivers[-1]

    def stop(self) -> None:
        """End the gateway as Ctrl-C does."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()
        self.ask(self.http.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._runner.join()
        self._loop.close()
        for receiver in self._receivers:
            receiver.stop()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.stop()


@contextmanager
def running(
    data_dir: Path, sides: Sequence[Side] | None = None, clock: SteeredClock | None = None
) -> Iterator[Running]:  # fmt: skip
    """A gateway for a `with`; `sides` None: all of the shelf; `clock` None: it goes on where this directory left it."""
    with Running(data_dir, sides, clock) as gateway:
        yield gateway
