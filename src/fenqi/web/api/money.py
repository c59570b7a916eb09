"""The money account of the consumer who asks: balance, top-up, withdrawal."""

from __future__ import annotations

from uuid import UUID

import msgspec

from fenqi import attempt, customer, ledger
from fenqi.flows import money
from fenqi.flows.facts import MONEY_PATH
from fenqi.flows.money import Moved
from fenqi.kernel.refusal import NotFound
from fenqi.web.api.payment import AttemptView, attempt_view
from fenqi.web.api.resource import Answered, Call, Nothing, resource


class MoneyAccountView(msgspec.Struct, frozen=True):
    """The money account; amounts in minor units."""

    state: str
    """none | active | frozen"""
    pay_switch_on: bool
    balance_minor: int
    held_minor: int


class CardAmount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount in minor units, and the bound card that it comes from or goes to; none: the one bound first."""

    amount_minor: int
    card_id: UUID | None = None


@resource("GET", "/v1/money-account", answer=MoneyAccountView)
async def read(call: Call) -> MoneyAccountView:
    """The account and its balance."""
    consumer_id = call.actor.consumer_id
    async with call.context.database.snapshot() as tx:
        consumer = await customer.get(tx, consumer_id)
        account = (await ledger.limits.accounts_of(tx, consumer_id)).get(MONEY_PATH)
    balance, held = (0, 0) if account is None else (-account.balance_minor, account.reserved_minor)
    return MoneyAccountView(str(consumer.money_account), consumer.pay_switch_on, balance, held)


@resource("POST", "/v1/money-account:open", body=Nothing, answer=MoneyAccountView, problems=(409,))
async def open_account(call: Call) -> MoneyAccountView:
    """Open the account; opening an open one changes nothing."""
    await money.open_account(call.context, call.actor.consumer_id)
    answer: MoneyAccountView = await read(call)
    return answer


_TAKEN = "Taken; the card's bank has not said yet: read the attempt until it has"


def _answered(moved: Moved) -> Answered:
    return Answered(moved, 200 if moved.state == "succeeded" else 202)


@resource(
    "POST", "/v1/money-account/top-ups", body=CardAmount, answer=Moved, keyed=True, problems=(404, 409),
    also={202: _TAKEN},
)  # fmt: skip
async def top_up(call: Call) -> Answered:
    """Take money from a bound bank card into the account."""
    journal_id, asked = call.id_of_key("top_up"), call.body
    return _answered(
        await money.top_up(call.context, call.actor.consumer_id, journal_id, asked.amount_minor, asked.card_id)
    )


@resource(
    "POST", "/v1/money-account/withdrawals", body=CardAmount, answer=Moved, keyed=True, problems=(404, 409),
    also={202: _TAKEN},
)  # fmt: skip
async def withdraw(call: Call) -> Answered:
    """Send money from the account to a bound bank card."""
    journal_id, asked = call.id_of_key("withdrawal"), call.body
    return _answered(
        await money.withdraw(call.context, call.actor.consumer_id, journal_id, asked.amount_minor, asked.card_id)
    )


@resource("GET", "/v1/money-account/attempts/{attempt}", answer=AttemptView)
async def tried(call: Call) -> AttemptView:
    """What became of a top-up or a withdrawal that went through the card channel."""
    async with call.context.database.snapshot() as tx:
        found = await attempt.get(tx, call.actor.consumer_id, call.id("attempt"))
    if found.purpose == "order":
        raise NotFound("ATTEMPT_UNKNOWN", "no such movement")
    return attempt_view(found)
