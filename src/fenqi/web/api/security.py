"""What protects paying: the pay password, the confirmation before it (step-up), and the locks of the line."""

from __future__ import annotations

from typing import Literal

import msgspec

from fenqi.flows import prove
from fenqi.web.api.identity import Proof, proof
from fenqi.web.api.resource import Call, resource


class NewPayPassword(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Six digits; to replace one that is set, the code sent by a first call without it."""

    new_pay_password: str
    sms_code: str = ""


@resource("POST", "/v1/pay-password", body=NewPayPassword, answer=Proof, problems=(409,))
async def pay_password(call: Call) -> Proof:
    """Set the pay password. Where there is one already, the first call sends a code, the second takes it along."""
    given = {"new_pay_password": call.body.new_pay_password, "sms_code": call.body.sms_code}
    return proof(await prove.pay_password(call.context, call.actor.consumer_id, given))


class Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pay password, or the code sent by a first call with neither."""

    pay_password: str = ""
    sms_code: str = ""


@resource("POST", "/v1/step-up", body=Confirmation, answer=Proof, problems=(409,))
async def step_up(call: Call) -> Proof:
    """Confirm who one is, for a while. Wrong tries are counted (PAY_PASSWORD_WRONG, PAY_PASSWORD_LOCKED)."""
    given = {"pay_password": call.body.pay_password, "sms_code": call.body.sms_code}
    return proof(await prove.step_up(call.context, call.actor.consumer_id, given))


class Unlocking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which lock comes off: by a code (sent by a first call without it), a dormant one by name and id number."""

    lock: Literal["self_locked", "dormant_locked", "pin_locked"]
    sms_code: str = ""
    name: str = ""
    id_number: str = ""


@resource("POST", "/v1/credit:unlock", body=Unlocking, answer=Proof, problems=(404, 409))
async def unlock(call: Call) -> Proof:
    """Take a lock of the credit line off."""
    given = {"sms_code": call.body.sms_code, "name": call.body.name, "id_number": call.body.id_number}
    return proof(await prove.unlock(call.context, call.actor.consumer_id, call.body.lock, given))
