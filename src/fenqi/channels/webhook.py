"""Calling merchants' webhooks, as Standard Webhooks describes it: a POST of JSON, signed, answered by 2xx.

Whose address it is is for others to say, so outside the demo none of a private network is ever called: the name is
looked up here, every address that it has is judged, and the one that was judged is the one that is connected to.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from fenqi.channels.http import Http, NoAnswer
from fenqi.kernel.refusal import Refusal

SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32
TRY_S = 15.0
"""How long one try may last, from the look-up of the name to the end of the answer."""
ANSWER_BYTES = 1024

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?")

_UNICAST, _DOCUMENTATION = ipaddress.IPv6Network("2000::/3"), ipaddress.IPv6Network("3fff::/20")
"""What IANA has given out of IPv6, and the part of it that is only for examples (RFC 9637)."""

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The IP addresses of a host."""


class Message(msgspec.Struct, frozen=True):
    """What is sent: the same id and body at each try; `signed_at_s` is the receiver's guard against old copies."""

    url: str
    webhook_id: str
    signed_at_s: int
    body: bytes
    secrets: tuple[str, ...]
    """Each signs, the newest first: two while a rotation overlaps."""


class Outcome(msgspec.Struct, frozen=True):
    """What a try came to; no status: no answer."""

    status: int | None
    latency_ms: int
    answer: bytes = b""
    error: str = ""


class Blocked(Exception):
    """The address must not be called."""


def new_secret() -> str:
    """A new signing secret: `whsec_` and the Base64 of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(secret: str, webhook_id: str, signed_at_s: int, body: bytes) -> str:
    """One signature: `v1,` and the Base64 of HMAC-SHA-256 over "id.timestamp.body" (Standard Webhooks, symmetric)."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    signed = f"{webhook_id}.{signed_at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def check_url(url: str, *, allow_local: bool) -> str:
    """The address itself; refuses (WEBHOOK_URL_INVALID) what can't or must not be called.

    It is absolute, at most 500 characters long, without user or fragment, and https. With `allow_local` (the demo)
    http and private addresses will do too. What a name leads to is judged at each call.
    """
    if len(url) > 500 or not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise _invalid("it has at most 500 characters, all of them printable ASCII")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _invalid("it is no URL") from None
    if parts.scheme not in (("https", "http") if allow_local else ("https",)):
        raise _invalid("it begins with https://")
    if port == 0 or "@" in parts.netloc or parts.fragment or not (_is_address(host) or _NAME.fullmatch(host)):
        raise _invalid("it names a host, and neither a user nor a fragment")
    if not allow_local and (_is_private(host) or not ("." in host.rstrip(".") or ":" in host)):
        raise _invalid("it leads into a private network")
    return url


async def look_up(host: str, port: int) -> Sequence[str]:
    """The host's IP addresses, by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


async def send(http: Http, message: Message, *, allow_local: bool, resolve: Resolve = look_up) -> Outcome:
    """Try once. Never raises for what the receiver or the network does; redirects are answers, not followed."""
    return await post(http, message.url, _headers(message), message.body, allow_local=allow_local, resolve=resolve)


async def post(
    http: Http, url: str, headers: Mapping[str, str], body: bytes, *, allow_local: bool, resolve: Resolve = look_up
) -> Outcome:
    """POST to an address that somebody else named, with the same care and the same words as `send`."""
    begun = time.monotonic()
    status, answer, error = None, b"", ""
    try:
        async with asyncio.timeout(TRY_S):
            address = None if allow_local else await _public(url, resolve)
            got = await http.send(
                "POST", url, headers=headers, content=body, connect_to=address, most_bytes=ANSWER_BYTES
            )
        status, answer = got.status, got.body[:ANSWER_BYTES]
    except TimeoutError:
        error = f"no answer within {TRY_S:g} s"
    except (NoAnswer, Blocked) as no:
        error = str(no)[:500]
    except OSError as no:  # the name is not known
        error = f"{type(no).__name__}: {no}"[:500]
    return Outcome(status, round((time.monotonic() - begun) * 1000), answer, error)


def _headers(message: Message) -> dict[str, str]:
    signatures = [sign(one, message.webhook_id, message.signed_at_s, message.body) for one in message.secrets]
    return {
        "content-type": "application/json",
        "accept-encoding": "identity",
        "user-agent": "fenqi-webhooks",
        "webhook-id": message.webhook_id,
        "webhook-timestamp": str(message.signed_at_s),
        "webhook-signature": " ".join(signatures),
    }


async def _public(url: str, resolve: Resolve) -> str:
    """An address of the URL's host to connect to; raises Blocked where any of them is private."""
    parts = urlsplit(url)
    addresses = await resolve(parts.hostname or "", parts.port or 443)
    if not addresses or any(_is_private(one) for one in addresses):
        raise Blocked("the address leads into a private network")
    return addresses[0]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_private(host: str) -> bool:
    """Whether it is an IP address that is not one of the public Internet, however it is wrapped."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or _embedded(address)
        if inner is None:
            return address not in _UNICAST or address in _DOCUMENTATION or not address.is_global
        address = inner
    return not address.is_global or address.is_multicast


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address in 64:ff9b::/96 (RFC 6052) or in ::/96 (RFC 4291, long out of use)."""
    if int(address) >> 32 not in (0, 0x0064FF9B << 64):
        return None
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _invalid(why: str) -> Refusal:
    return Refusal("WEBHOOK_URL_INVALID", f"not an address for a webhook: {why}")
