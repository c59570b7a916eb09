"""What a request says of the device it comes from, and the subjects that risk knows device and address by.

A page's device is a random id in a first-party cookie. An app declares its own in the `Fenqi-Device` header, with
whether it is rooted or emulated and by what kind of network it comes: that is the app's word, not ours, and a client
that says nothing counts as one device of that consumer's own.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import risk
from fenqi.customer import Keys
from fenqi.kernel.refusal import Refusal

NETWORKS = ("ordinary", "proxy", "far")


class Device(msgspec.Struct, frozen=True, gc=False):
    """A device as it is declared; without an id it is the consumer's usual one."""

    id: str = ""
    rooted: bool = False
    """Rooted, jailbroken or an emulator, by the app's own word."""
    network: str = "ordinary"
    """ordinary | proxy | far"""


USUAL = Device()


class Seen(msgspec.Struct, frozen=True, gc=False):
    """Who and what a press involves beside the buyer: ids that keyed hashes give, nothing of the values."""

    device_id: UUID
    address_id: UUID | None = None
    rooted: bool = False
    network: str = "ordinary"


def parse(header: str) -> Device:
    """`id=<text>; rooted; network=proxy` as a device; an empty header is the usual one. Refuses DEVICE_INVALID."""
    if not header.strip():
        return USUAL
    found: dict[str, str] = {}
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        found[name.strip().lower()] = value.strip()
    unknown = set(found) - {"id", "rooted", "network"}
    network = found.get("network", "ordinary")
    if unknown or not 8 <= len(found.get("id", "")) <= 128 or network not in NETWORKS:
        raise Refusal("DEVICE_INVALID", "Fenqi-Device: id=<8 to 128 characters>; rooted; network=ordinary|proxy|far")
    return Device(found["id"], found.get("rooted", "0") not in ("0", "false"), network)


def seen(keys: Keys, consumer_id: UUID, device: Device, address_id: UUID | None) -> Seen:
    """The subjects of a press."""
    return Seen(device_id(keys, consumer_id, device), address_id, device.rooted, device.network)


def device_id(keys: Keys, consumer_id: UUID, device: Device) -> UUID:
    """The subject that a device is."""
    name = f"id\0{device.id}" if device.id else f"usual\0{consumer_id}"
    return risk.subject_id(keys.look_up("device", name))


def card_id(fingerprint: bytes) -> UUID:
    """The subject that a bank card is, from the keyed hash of its number."""
    return risk.subject_id(fingerprint)


def address_id(keys: Keys, address: str) -> UUID | None:
    """The subject that a delivery address is; spaces and capitals make no difference. The text itself is not kept."""
    text = "".join(address.split()).casefold()
    return risk.subject_id(keys.look_up("address", f"delivery\0{text}")) if text else None
