"""The demo's payment channels: the local gateways as a child of this process, and two passages through each of them.

The gateways keep their book beside the demo's other data; at each start the passages learn where they are now.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec

from fenqi import passage
from fenqi.channels import shelf
from fenqi.channels.gateway import child
from fenqi.channels.gateway import shelf as sides
from fenqi.channels.gateway.app import address, listen
from fenqi.channels.gateway.child import CanNotStart, Child
from fenqi.channels.gateway.control import Control, Enrolled
from fenqi.channels.http import Http
from fenqi.customer import Keys
from fenqi.database.pool import Database, Tx
from fenqi.kernel.by import By
from fenqi.ledger import statements
from fenqi.ledger.chart import CHANNEL_IN_TRANSIT
from fenqi.passage import Passage, Terms
from fenqi.seed import lives_outside
from fenqi.seed.ident import seed_id
from fenqi.settings import Settings

PORT = 8461
NOTICE_SPEED = 600
"""A notice's second try comes after a second instead of ten minutes."""
_PORTS_TRIED = 20
_EVERYWHERE = ("0.0.0.0", "::")
_DEARER_PPM = 1_500
_APART, _ELSEWHERE = "alipay", ("mall", "scan_to_pay")
_MOST_TRADES = 1_000_000


class Way(NamedTuple):
    """A passage of the demo. `scenes` as in `passage.Terms`."""

    code: str
    channel: str
    cost_ppm: int
    scenes: tuple[str, ...] = ()

    @property
    def passage_id(self) -> UUID:
        """Its id in every installation."""
        return seed_id("passage", self.code)


def ways() -> tuple[Way, ...]:
    """A passage through each channel that has a gateway, and a dearer spare one; Alipay has one of its own for partner
    stores, so that it can rest there and nowhere else."""
    found = []
    for side in sides():
        code, fee_ppm = side.channel.replace("_", "-"), shelf.channel(side.channel).capabilities.fee_ppm
        scenes = _ELSEWHERE if side.channel == _APART else ()
        found += [
            Way(code, side.channel, fee_ppm, scenes), Way(f"{code}-spare", side.channel, fee_ppm + _DEARER_PPM, scenes)
        ]  # fmt: skip
        if side.channel == _APART:
            found.append(Way(lives_outside.STORES, side.channel, fee_ppm, ("partner_store",)))
    return tuple(found)


def start(data_dir: Path, host: str) -> Child:
    """Start the gateways on the next free port; they end with this process. Raises CanNotStart."""
    own = "127.0.0.1" if host in _EVERYWHERE else host
    folder = folder_of(data_dir)
    try:
        return child.start(folder, _free_port(own), own, NOTICE_SPEED)
    except CanNotStart:  # somebody was faster at this port
        return child.start(folder, 0, own, NOTICE_SPEED)


def own_address(listener: socket.socket) -> str:
    """Where what is served on a bound socket is reached from this machine."""
    return address(listener).replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _free_port(host: str) -> int:
    for port in range(PORT, PORT + _PORTS_TRIED):
        try:
            listen(host, port).close()
        except OSError:
            continue
        return port
    return 0


def folder_of(data_dir: Path) -> Path:
    """Where the demo's gateways keep their book."""
    return data_dir / "demo-gateway"


def forget(data_dir: Path) -> None:
    """Throw the gateways' book away, with the accounts that passages go through."""
    shutil.rmtree(folder_of(data_dir), ignore_errors=True)


def reached(settings: Settings, running: Child) -> Settings:
    """The settings with the gateways in them."""
    return replace(settings, gateway_url=running.base_url, gateway_token=running.token)


@asynccontextmanager
async def steering(settings: Settings) -> AsyncIterator[Control | None]:
    """The gateways' control API; None where there are no gateways."""
    if not settings.gateway_url:
        yield None
        return
    http = Http()
    try:
        yield Control(http, settings.gateway_url, settings.gateway_token)
    finally:
        await http.close()


async def connect(database: Database, keys: Keys, control: Control, by: By) -> None:
    """Have an account at the gateways for every passage, its keys sealed here, its address right. A repeat changes only
    what is no longer so."""
    for way in ways():
        enrolled = await control.enrol(way.channel, way.code)
        async with database.transaction() as tx:
            terms = Terms(enrolled.endpoint, way.cost_ppm, scenes=way.scenes)
            there = await passage.register(tx, way.passage_id, way.code, way.channel, terms, by)
            if there.terms.endpoint != enrolled.endpoint:
                moved = msgspec.structs.replace(there.terms, endpoint=enrolled.endpoint)
                await passage.change_terms(tx, way.passage_id, moved, By(by.actor, "the gateway has moved", by.at))
            if not _is_keyed(keys, there, enrolled, by):
                await passage.rotate(tx, keys, way.passage_id, by, enrolled.credentials)


def _is_keyed(keys: Keys, there: Passage, enrolled: Enrolled, by: By) -> bool:
    """Whether the passage signs with the account's newest credentials."""
    ring = passage.keyring(keys, there, by.at)
    return ring is not None and dict(ring.current.values) == dict(enrolled.credentials)


async def silence(control: Control) -> None:
    """Let the gateways send no notices: simulated people ask."""
    await control.set_fault("*", "no_notice", "notice.*", -1)


async def speak(control: Control) -> None:
    """Forget every fault, that silence too, and let the gateways' clock run with the machine's."""
    await control.clear_faults()
    await control.steer(offset_s=0)


async def faults(tx: Tx, control: Control) -> list[str]:
    """Where the books and the gateways disagree on what a passage holds of ours: paid less refunded."""
    there = {account.code: account for account in (await control.state()).accounts}
    found = []
    for way in ways():
        seen = await control.trades(account_id=there[way.code].account_id, channel=way.channel, limit=_MOST_TRADES)
        paid_minor = sum(each.trade.amount_minor for each in seen if each.trade.paid_at is not None)
        back_minor = sum(r.amount_minor for each in seen for r in each.refunds if r.state == "succeeded")
        account = await statements.of_party(
            tx, way.passage_id, "payment_company", CHANNEL_IN_TRANSIT, date.min, date.max
        )  # fmt: skip
        held_minor = account.closing_minor
        if held_minor != paid_minor - back_minor:
            found.append(
                f"{way.code}: the gateway took {paid_minor} and gave back {back_minor} fen, the books have {held_minor}"
            )
    return found
