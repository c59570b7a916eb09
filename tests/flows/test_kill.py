"""Kill -9 at every step of the pay path; after a restart and one janitor pass the books are those of a run without.

Each step gets a buyer and an order of its own, of the same price, so that what is left behind can be compared.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from tests import world

from fenqi import credit, ledger, order
from fenqi.database.pool import Database
from fenqi.flows import pay
from fenqi.flows.request import PayRequest
from fenqi.kernel.ids import new_id
from fenqi.ledger import walk

ROOT = Path(__file__).parents[2]
TOP_UP_MINOR = 2_000_000
CASES = {"credit": ("credit", "pay_later", 0), "mixed": ("credit", "pay_later", 5_000)}


def die(jobs: list[list[object]]) -> list[tuple[int, int]]:
    """(exit code, steps) of a process for each job, one after another."""
    fed = "".join(json.dumps(job) + "\n" for job in jobs)
    line = [sys.executable, "-m", "tests.flows.killed"]
    done = subprocess.run(line, cwd=ROOT, input=fed, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [(int(code), int(steps)) for code, steps in map(str.split, done.stdout.splitlines())]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES)
def test_killed_anywhere_the_books_are_as_if_it_had_not_been(new_database, run, case):
    urls = new_database()
    database = run(Database.open(urls.app))
    ctx = world.context(database)
    ref = run(world.furnish(ctx))
    goods = world.wish(ref, "small_appliance", most_minor=40_000)

    async def buyers(count, skip=0):
        found = []
        for consumer_id in await world.people(ctx, count, TOP_UP_MINOR, skip):
            await world.give_line(ctx, consumer_id)
            placed = await world.buy(ctx, consumer_id, [goods])
            found.append((consumer_id, placed, new_id()))
        return found

    def job(buyer, last):
        consumer_id, placed, key = buyer
        return [urls.app, str(consumer_id), str(placed.intent_id), str(key), *CASES[case], last]

    first = run(buyers(1))[0]
    [(code, steps)] = die([job(first, 0)])
    assert (code, steps > 30) == (0, True)
    victims = run(buyers(steps, skip=1))
    codes = [code for code, _ in die([job(buyer, n) for n, buyer in enumerate(victims, start=1)])]
    assert codes == [-9] * steps

    async def after():
        assert await world.settle(ctx) == []
        method, plan, part = CASES[case]
        part_by = ("money_account", part) if part else None
        left = []
        for consumer_id, placed, key in [first, *victims]:
            asked = PayRequest(consumer_id, key, placed.intent_id, method, plan, b"body", None, part_by)
            again = await pay.pay(ctx, asked)
            assert again.outcome == "succeeded", again
        assert await world.settle(ctx) == []
        for consumer_id, placed, _ in [first, *victims]:
            left.append(await books(ctx, consumer_id, placed.order.order_id))
        return left

    expected, *others = run(after())
    assert all(other == expected for other in others)
    run(database.close())


async def books(ctx, consumer_id: UUID, order_id: UUID):
    """What the order left behind: its journals on both sides, the limits, the loan, the order, the stock."""
    async with ctx.database.snapshot() as tx:
        walked = await walk.walk_order(tx, consumer_id, order_id)
        limits = await ledger.limits.accounts_of(tx, consumer_id)
        loans = await credit.loans_of_order(tx, consumer_id, order_id)
        bought = await order.get(tx, consumer_id, order_id)
        moves = await order.moves(tx, consumer_id, order_id)
        held = await tx.execute(
            "SELECT state FROM stock_reservation WHERE line_id = ANY(%b)", [[line.line_id for line in bought.lines]]
        )
        reservations = await held.fetchall()
    return (
        [(j.side, j.kind, [(e.book, e.path, e.amount_minor) for e in j.entries]) for j in walked],
        {path: (limit.balance_minor, limit.day_minor, limit.month_minor) for path, limit in limits.items()},
        [(loan.plan, loan.principal_minor, loan.state) for loan in loans],
        bought.state,
        [(move.verb, move.to_state) for move in moves],
        reservations,
    )
