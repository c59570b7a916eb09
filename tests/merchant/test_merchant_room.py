"""Merchants against PostgreSQL: states with history, contracts by date, self-dealing, asks, API keys."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fenqi import merchant
from fenqi.database.reference_epoch import read_epoch
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, NotFound, Refusal
from fenqi.merchant import MerchantKind, MerchantState, Relation, Scope

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
BY = By("staff:ann", "agreed with the shop", AT)
TODAY = date(2026, 8, 24)


@pytest.fixture
def shop(database, run):
    merchant_id = new_id()
    run(_in(database, lambda tx: merchant.register(tx, merchant_id, MerchantKind.THIRD_PARTY, "澄屿", "Chengyu", BY)))
    return merchant_id


async def _in(database, verb):
    async with database.transaction() as tx:
        return await verb(tx)


async def _rows(database, table):
    async with database.transaction() as tx:
        return (await (await tx.execute(f"SELECT count(*) FROM {table}")).fetchone())[0]


def test_register_is_repeatable_and_an_id_is_one_merchant(database, run, shop):
    again = run(_in(database, lambda tx: merchant.register(tx, shop, MerchantKind.THIRD_PARTY, "澄屿", "Chengyu", BY)))
    assert (again.state, again.version, again.name_en) == (MerchantState.ACTIVE, 1, "Chengyu")
    with pytest.raises(Conflict, match="MERCHANT_EXISTS"):
        run(_in(database, lambda tx: merchant.register(tx, shop, MerchantKind.EXTERNAL, "别家", "Other", BY)))
    assert [h.verb for h in run(_in(database, lambda tx: merchant.get_history(tx, shop)))] == ["register"]


def test_every_state_is_kept_with_who_when_why(database, run, shop):
    until = AT + timedelta(days=3)

    async def verb():
        async with database.transaction() as tx:
            before = await read_epoch(tx)
            await merchant.change_state(tx, shop, MerchantState.FROZEN, BY, until)
            return before, await read_epoch(tx), await merchant.get(tx, shop), await merchant.get_history(tx, shop)

    before, after, found, history = run(verb())
    assert after == before + 1
    assert (found.state, found.state_until_at, found.version) == (MerchantState.FROZEN, until, 2)
    last = history[-1]
    assert (last.from_state, last.to_state, last.actor, last.why, last.at) == (
        "active",
        "frozen",
        "staff:ann",
        "agreed with the shop",
        AT,
    )


@pytest.mark.parametrize(
    ("to_state", "by", "until", "code"),
    [
        (MerchantState.ACTIVE, BY, None, "STATE_CONFLICT"),
        (MerchantState.FROZEN, BY._replace(why="  "), None, "WHY_REQUIRED"),
        (MerchantState.FROZEN, BY, AT, "UNTIL_INVALID"),
        (MerchantState.CLOSED, BY, AT + timedelta(days=1), "UNTIL_INVALID"),
    ],
)
def test_refused_moves_write_nothing(database, run, shop, to_state, by, until, code):
    before = run(_rows(database, "merchant_history"))
    with pytest.raises(Refusal, match=code):
        run(_in(database, lambda tx: merchant.change_state(tx, shop, to_state, by, until)))
    assert run(_rows(database, "merchant_history")) == before
    assert run(_in(database, lambda tx: merchant.get(tx, shop))).version == 1


def test_a_closed_merchant_stays_closed(database, run, shop):
    run(_in(database, lambda tx: merchant.change_state(tx, shop, MerchantState.CLOSED, BY)))
    for to_state in MerchantState:
        with pytest.raises(Conflict, match="STATE_CONFLICT"):
            run(_in(database, lambda tx, to=to_state: merchant.change_state(tx, shop, to, BY)))


def test_contracts_enable_methods_day_by_day(database, run, shop):
    async def verb():
        async with database.transaction() as tx:
            await merchant.sign_contract(tx, shop, "credit", TODAY, BY, ends_on=date(2026, 9, 30))
            await merchant.sign_contract(tx, shop, "credit", TODAY, BY, ends_on=date(2026, 9, 30))
            await merchant.sign_contract(tx, shop, "money_account", date(2026, 9, 1), BY)
            return (await merchant.sellers(tx, [shop]))[shop], await merchant.get_history(tx, shop)

    seller, history = run(verb())
    assert [h.verb for h in history] == ["register", "sign_contract", "sign_contract"]
    assert seller.methods(date(2026, 8, 23)) == ()
    assert seller.methods(TODAY) == ("credit",)
    assert seller.methods(date(2026, 9, 30)) == ("credit", "money_account")
    assert seller.methods(date(2026, 10, 1)) == ("money_account",)
    run(_in(database, lambda tx: merchant.end_contract(tx, shop, "money_account", date(2026, 9, 15), BY)))
    seller = run(_in(database, lambda tx: merchant.sellers(tx, [shop])))[shop]
    assert seller.methods(date(2026, 9, 16)) == ("credit",)


def test_contracts_refuse_bad_dates_and_strangers(database, run, shop):
    async def sign(merchant_id, ends_on, effective_on=TODAY):
        async with database.transaction() as tx:
            await merchant.sign_contract(tx, merchant_id, "credit", effective_on, BY, ends_on=ends_on)

    with pytest.raises(Refusal, match="CONTRACT_DATES_INVALID"):
        run(sign(shop, date(2026, 8, 23)))
    with pytest.raises(NotFound, match="MERCHANT_UNKNOWN"):
        run(sign(new_id(), None))
    run(sign(shop, None))
    with pytest.raises(Conflict, match="CONTRACT_EXISTS"):
        run(sign(shop, date(2026, 12, 31)))
    with pytest.raises(NotFound, match="CONTRACT_UNKNOWN"):
        run(_in(database, lambda tx: merchant.end_contract(tx, shop, "bank_card", TODAY, BY)))


def test_related_persons_and_asks_are_counted_once(database, run, shop):
    owner, buyers = b"o" * 32, [new_id(), new_id()]

    async def verb():
        async with database.transaction() as tx:
            await merchant.relate(tx, shop, owner, Relation.OWNER, BY)
            await merchant.relate(tx, shop, owner, Relation.OWNER, BY)
            counts = [await merchant.ask(tx, shop, "credit", buyer, "mall", AT) for buyer in (buyers[0], *buyers)]
            asked = await merchant.asked_counts(tx, [shop, new_id()], "credit")
            return counts, asked, (await merchant.sellers(tx, [shop]))[shop].related

    counts, asked, related = run(verb())
    assert counts == [1, 1, 2]
    assert asked == {shop: 2}
    assert related == frozenset({owner})
    with pytest.raises(NotFound, match="MERCHANT_UNKNOWN"):
        run(_in(database, lambda tx: merchant.ask(tx, new_id(), "credit", buyers[0], "mall", AT)))


def test_api_keys_hold_until_revoked_or_past_their_end(database, run, shop):
    async def verb():
        async with database.transaction() as tx:
            key = await merchant.create_api_key(tx, shop, "till", [Scope.ORDERS_WRITE], BY, AT + timedelta(days=1))
            found = await merchant.check_api_key(tx, key, AT)
            late = await merchant.check_api_key(tx, key, AT + timedelta(days=1))
            wrong = await merchant.check_api_key(tx, key[:-1] + ("A" if key[-1] != "A" else "B"), AT)
            await merchant.revoke_api_key(tx, key, BY)
            return key, found, late, wrong, await merchant.check_api_key(tx, key, AT)

    key, found, late, wrong, revoked = run(verb())
    assert key.startswith("fq_")
    assert (found.merchant_id, found.may(Scope.ORDERS_WRITE), found.may(Scope.PAYMENTS_READ)) == (shop, True, False)
    assert (late, wrong, revoked) == (None, None, None)
    with pytest.raises(NotFound, match="API_KEY_UNKNOWN"):
        run(_in(database, lambda tx: merchant.revoke_api_key(tx, key, BY)))
    with pytest.raises(Refusal, match="API_KEY_INVALID"):
        run(_in(database, lambda tx: merchant.create_api_key(tx, shop, " ", [Scope.ORDERS_READ], BY)))


def test_the_application_can_not_rewrite_history(database, run, shop):
    for statement in ("UPDATE merchant_history SET why = 'x'", "DELETE FROM merchant_history"):
        with pytest.raises(Exception, match="permission denied"):
            run(_in(database, lambda tx, sql=statement: tx.execute(sql)))
