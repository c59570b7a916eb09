"""The money account of the consumer who asks: balance, top-up, withdrawal."""

from __future__ import annotations

import msgspec

from fenqi import customer, ledger
from fenqi.flows import money
from fenqi.flows.facts import MONEY_PATH
from fenqi.flows.money import Moved
from fenqi.web.api.resource import Call, Nothing, resource


class MoneyAccountView(msgspec.Struct, frozen=True):
    """The money account; amounts in minor units."""

    state: str
    """none | active | frozen"""
    pay_switch_on: bool
    balance_minor: int
    held_minor: int


class Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An amount in minor units."""

    amount_minor: int


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


@resource("POST", "/v1/money-account/top-ups", body=Amount, answer=Moved, keyed=True, problems=(409,))
async def top_up(call: Call) -> Moved:
    """Take money from the bound bank card into the account."""
    journal_id = call.id_of_key("top_up")
    return await money.top_up(call.context, call.actor.consumer_id, journal_id, call.body.amount_minor)


@resource("POST", "/v1/money-account/withdrawals", body=Amount, answer=Moved, keyed=True, problems=(409,))
async def withdraw(call: Call) -> Moved:
    """Send money from the account to the bound bank card."""
    journal_id = call.id_of_key("withdrawal")
    return await money.withdraw(call.context, call.actor.consumer_id, journal_id, call.body.amount_minor)
