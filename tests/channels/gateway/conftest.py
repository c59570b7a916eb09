"""A gateway that plays the toy channel only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.channels.gateway.toy import ToySide
from tests.channels.running import Running

from fenqi.channels.http import Answer


class Merchant:
    """A merchant of the toy channel who calls it over HTTP."""

    def __init__(self, gateway: Running, code: str = "shop") -> None:
        self.gateway = gateway
        self.passage = gateway.enrol("toy", code)
        self.account_id = f"acc-{code}"
        self.word = self.passage.credential.values["word"]

    def call(self, do: str, no: str, **more: Any) -> tuple[int, dict[str, Any]]:
        answer: Answer = self.gateway.ask(self.send(do, no, **more))
        return answer.status, json.loads(answer.body)

    async def send(self, do: str, no: str, **more: Any) -> Answer:
        asked = {"do": do, "no": no, "account": self.account_id, "word": self.word, **more}
        return await self.gateway.http.send("POST", f"{self.passage.endpoint}/do", content=json.dumps(asked).encode())


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path / "gateway", [ToySide()], timeout_s=1.0) as gateway:
        yield gateway


@pytest.fixture
def merchant(toy: Running) -> Merchant:
    return Merchant(toy)
