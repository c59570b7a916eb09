"""What money hangs on: whether a call that was not answered may have reached the other side."""

from __future__ import annotations

import asyncio

import pytest

from fenqi.channels.http import Http, NoAnswer


def lost(tries: int, hang_up_first: bool) -> NoAnswer:
    """What a call says whose server hangs up (once, if at all) and then is gone."""

    async def story() -> NoAnswer:
        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            server.close()
            writer.close()

        server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        if not hang_up_first:
            server.close()
        http = Http(timeout_s=2)
        try:
            with pytest.raises(NoAnswer) as caught:
                await http.send("GET", f"http://127.0.0.1:{port}/", tries=tries)
            return caught.value
        finally:
            await http.close()

    return asyncio.run(story())


def test_nobody_there_means_nothing_was_sent() -> None:
    assert lost(1, hang_up_first=False).sent is False
    assert lost(3, hang_up_first=False).sent is False


def test_a_connection_that_broke_may_have_carried_it() -> None:
    assert lost(1, hang_up_first=True).sent is True


def test_what_the_first_try_may_have_sent_the_second_does_not_take_back() -> None:
    assert lost(2, hang_up_first=True).sent is True
