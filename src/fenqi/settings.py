"""Settings from the environment, read once at the top and handed down.

Every variable begins with FENQI_; the command line may override the same fields.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class DemoPerson(NamedTuple):
    """Somebody whom the demo's sign-in page offers."""

    sign_in_name: str
    group_zh: str
    group_en: str
    label_zh: str
    label_en: str
    code: str | None
    """What the cashier says of the method in question; None: everything is in order."""


@dataclass(frozen=True)
class Settings:
    """How this process runs."""

    database_url: str = ""
    database_owner_url: str = ""
    data_dir: Path = field(default_factory=lambda: Path.cwd() / ".fenqi")
    host: str = "127.0.0.1"
    port: int = 8460
    demo: bool = False
    """Steerable clock, phone page and sign-in list; never in production."""
    demo_people: tuple[DemoPerson, ...] = ()
    """The demo's cast, in the order in which it is offered."""
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    """Everything personal is sealed with keys derived from it: it must stay the same as long as the data lives."""
    public_url: str = ""
    """Where buyers and channels reach this mall; empty: on the address that it serves on."""
    gateway_url: str = ""
    """Where the local gateways are that play the payment channels; empty: there are none."""
    gateway_token: str = field(default="", repr=False)
    """That of their control API."""
    pool_max: int = 10
    secure_cookies: bool = False

    @property
    def base_url(self) -> str:
        """The mall's own address, without a slash at the end."""
        return self.public_url.rstrip("/") or f"http://{self.host}:{self.port}"


def from_environment() -> Settings:
    """Settings from FENQI_* variables; what is not set keeps its default."""
    env = os.environ
    secret = env.get("FENQI_SECRET")
    return Settings(
        database_url=env.get("FENQI_DATABASE_URL", ""),
        database_owner_url=env.get("FENQI_DATABASE_OWNER_URL", ""),
        data_dir=Path(env.get("FENQI_DATA_DIR", str(Path.cwd() / ".fenqi"))),
        host=env.get("FENQI_HOST", "127.0.0.1"),
        port=int(env.get("FENQI_PORT", "8460")),
        secret=secret.encode() if secret else b"",
        public_url=env.get("FENQI_PUBLIC_URL", ""),
        secure_cookies=env.get("FENQI_SECURE_COOKIES", "") == "1",
    )
