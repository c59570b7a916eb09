"""The money account's switches (its balance is the ledger's): opened, paying by balance on or off, frozen."""

from __future__ import annotations

from uuid import UUID

from fenqi.customer.model import MoneyAccount, RealName
from fenqi.customer.read import locked
from fenqi.customer.store import record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict


async def open_money_account(tx: Tx, consumer_id: UUID, by: By) -> None:
    """Open the money account; an open one stays as it is. Refuses REALNAME_REQUIRED (real-name accounts are law)."""
    consumer, _ = await locked(tx, consumer_id)
    if consumer.real_name is RealName.NONE:
        raise Conflict("REALNAME_REQUIRED", "prove your name first")
    if consumer.money_account is MoneyAccount.NONE:
        await _set(tx, consumer_id, "open_money_account", by, money_account=MoneyAccount.ACTIVE)


async def switch_pay(tx: Tx, consumer_id: UUID, on: bool, by: By) -> None:
    """Switch paying by balance on or off. Refuses MONEY_ACCOUNT_NOT_OPEN."""
    consumer, _ = await locked(tx, consumer_id)
    _check_open(consumer.money_account)
    if consumer.pay_switch_on != on:
        await _set(tx, consumer_id, "switch_pay", by, pay_switch_on=on)


async def freeze_money_account(tx: Tx, consumer_id: UUID, frozen: bool, by: By) -> None:
    """Freeze the money account or free it again (staff). Refuses WHY_REQUIRED and MONEY_ACCOUNT_NOT_OPEN."""
    check_why(by.why)
    consumer, _ = await locked(tx, consumer_id)
    _check_open(consumer.money_account)
    to_state = MoneyAccount.FROZEN if frozen else MoneyAccount.ACTIVE
    if consumer.money_account is not to_state:
        await _set(tx, consumer_id, "freeze_money_account", by, money_account=to_state)


def _check_open(state: MoneyAccount) -> None:
    if state is MoneyAccount.NONE:
        raise Conflict("MONEY_ACCOUNT_NOT_OPEN", "open the money account first")


async def _set(tx: Tx, consumer_id: UUID, verb: str, by: By, **changes: object) -> None:
    await record.update(tx, consumer_id, changes)
    await record.insert_history(tx, consumer_id, verb, by, {name: str(value) for name, value in changes.items()})
