"""Remedies: carrying out what was offered, step by step."""

from __future__ import annotations

import msgspec

from fenqi.flows import remedy
from fenqi.flows.remedy import Outcome
from fenqi.web.api.resource import Call, resource


class Apply(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the buyer typed for steps that need it: pay_password, sms_code, card_number, card_id, name, …"""

    inputs: dict[str, str] = {}


@resource("POST", "/v1/remedies/{remedy}:apply", body=Apply, answer=Outcome, problems=(409,))
async def apply(call: Call) -> Outcome:
    """Carry out the remedy's steps; repeat with `inputs` when it says what it needs. Steps already done stay done."""
    return await remedy.apply(call.context, call.actor.consumer_id, call.path["remedy"], call.body.inputs, call.device)
