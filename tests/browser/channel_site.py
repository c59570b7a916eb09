"""The application and the gateways of all channels, each on its own port and with its jobs, on one running clock."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import uvicorn
from tests import world
from tests.channels.running import Running

from fenqi import attempt, customer, passage
from fenqi.channels import shelf as channels
from fenqi.channels.bank_card.gateway.issuer import test_card as card_of
from fenqi.channels.contract import Charge, Pending
from fenqi.channels.gateway import shelf
from fenqi.channels.http import Http
from fenqi.database import directory
from fenqi.flows import passages
from fenqi.flows.context import Context
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.main import create_app, opened
from fenqi.passage import Terms
from fenqi.settings import Settings

PASSWORD = "correct horse battery"


class Site:
    """Where it is, how the gateways are steered, and who may sign in."""

    def __init__(self, url: str, gateway: Running, clock: SteeredClock, database_url: str) -> None:
        self.url, self.gateway, self.clock, self.database_url = url, gateway, clock, database_url
        self.control = gateway.control
        self.buyers: list[str] = []
        self.short: list[str] = []
        """Buyers whose only card never has enough."""

    def lead_to_the_bank(self, attempt_no: str, return_url: str) -> None:
        """Make a pending try one that UnionPay's own page carries out, by a form. The shop charges bound cards only,
        so that nobody is led there otherwise."""
        _in_a_thread(_lead_to_the_bank(self, attempt_no, return_url))


@contextmanager
def serving(database_url: str, data_dir: Path, buyers: int) -> Iterator[Site]:
    """The site with so many buyers: a line, a card and ¥20,000 each; two more have a card without money."""
    clock = SteeredClock(offset=world.AT - datetime.now(UTC))
    with socket.socket() as listener, Running(data_dir, clock=clock) as gateway:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(database_url=database_url, secret=world.SECRET, demo=True, public_url=url)
        site = Site(url, gateway, clock, database_url)
        _in_a_thread(_furnish(site, settings, buyers))
        app = create_app(settings, clock)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()
        while not server.started:
            assert thread.is_alive(), "the server has not come up"
        app.state.context.http = Http(timeout_s=2.0, clock=clock)
        yield site
        server.should_exit = True
        thread.join()


def _in_a_thread(work: Any) -> None:
    """Playwright's loop runs on the tests' own."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work)
        except BaseException as error:  # noqa: BLE001 - handed on to the test's thread
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


async def _furnish(site: Site, settings: Settings, buyers: int) -> None:
    async with opened(settings, site.clock) as ctx:
        await world.furnish(ctx)
        people = await world.people(ctx, buyers)
        for consumer_id in people:
            await world.give_line(ctx, consumer_id)
        by = By("system:test", "a test's site", site.clock.now())
        short = await world.people(ctx, 2, skip=buyers)
        for consumer_id in short:
            async with ctx.database.transaction() as tx:
                for card in await customer.cards(tx, consumer_id):
                    await customer.unbind(tx, consumer_id, card.card_id, by)
                await customer.add_bound_card(tx, ctx.keys, consumer_id, card_of("51"), by)
        site.buyers = await _names(ctx, people)
        site.short = await _names(ctx, short)
        for side in shelf():
            enrolled = site.control.enrol(side.channel, side.channel)
            async with ctx.database.transaction() as tx:
                passage_id = new_id()
                await passage.register(tx, passage_id, side.channel, side.channel, Terms(enrolled.endpoint, 6_000), by)
                await passage.rotate(tx, ctx.keys, passage_id, by, enrolled.credentials)


async def _names(ctx: Context, people: list[UUID]) -> list[str]:
    async with ctx.database.snapshot() as tx:
        return [(await customer.person(tx, ctx.keys, one)).sign_in_name for one in people]


async def _lead_to_the_bank(site: Site, attempt_no: str, return_url: str) -> None:
    settings = Settings(database_url=site.database_url, secret=world.SECRET, demo=True, public_url=site.url)
    async with opened(settings, site.clock) as ctx:
        async with ctx.database.snapshot() as tx:
            consumer_id = await directory.find(tx, passages.DIRECTORY, attempt_no)
        assert consumer_id is not None
        way = await passages.by_code(ctx, "bank_card")
        async with ctx.database.transaction() as tx:
            tried = await attempt.lock(tx, consumer_id, UUID(attempt_no))
            asked = Charge(
                attempt_no, tried.amount_minor, tried.subject, "page", tried.made_at, tried.expires_at,
                f"{site.url}/hooks/bank_card", return_url,
            )  # fmt: skip
            led = await channels.channel("bank_card").pay(ctx.http, way, asked)
            assert isinstance(led, Pending)
            by = ctx.by_system("test", "led to the bank")
            await attempt.note(tx, tried, "led", by, {}, handover=msgspec.json.encode(led.handover))
