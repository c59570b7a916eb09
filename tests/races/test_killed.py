"""Race 10: kill -9 between any two steps of paying at a channel and of giving back through it.

After a restart, the janitor's rounds and the gateway's notices the books equal those of a run without the kill. Each
step gets a buyer and an order of its own, of the same price, so that what is left behind can be compared. pretix
charges inside a database transaction: killed there, it has forgotten what it took.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from tests import world
from tests.charging.mall import BY
from tests.races.killed import Job
from tests.races.postbox import Postbox
from tests.races.served import SCENE, Served, held

from fenqi import credit, customer, ledger, order, passage, seed
from fenqi.channels import shelf
from fenqi.flows import hear, money, passages, refund
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.ledger import walk

ROOT = Path(__file__).parents[2]
SPEED = 24_000
AT_ONCE = 2
PART = 5_000
PEOPLE = 2_000
CASES = {
    "wallet": ("wechat_pay", "full", None, "web"),
    "mix": ("credit", "pay_later", ("wechat_pay", PART), "web"),
    "card": ("bank_card", "full", None, "app"),
}
BACK = {"wallet": CASES["wallet"], "mix": ("credit", "pay_later", ("alipay", PART), "web")}


class Stricken(Served):
    """A mall whose door for channels outlives its processes: nobody takes notices in until it stands again."""

    def __init__(self, urls, data_dir):
        self.box = Postbox(self._numbers)
        clock = SteeredClock(offset=world.AT - datetime.now(UTC))
        super().__init__(urls.app, data_dir, clock=clock, public_url=self.box.url)
        self.url = urls.app
        self.keyed = {}
        self.fit = (
            person for person in seed.people(PEOPLE, world.AT.date())
            if not person.is_student and 20 <= world.AT.year - person.birth_on.year <= 60
        )  # fmt: skip

    async def open(self):
        await super().open()
        self.password = await customer.hash_password(world.PAY_PASSWORD)
        self.loop = asyncio.get_running_loop()
        async with self.ctx.database.snapshot() as tx:
            known = await passage.get_all(tx)
        for each in known:
            self.keyed[each.code] = await passages.by_code(self.ctx, each.code)

    async def close(self):
        await super().close()
        self.box.stop()

    def _numbers(self, incoming):
        keyed = self.keyed[incoming.path.rpartition("/")[2]]
        notice = shelf.channel(keyed.channel).read_notice(keyed, incoming)
        return (notice.refund_no or notice.attempt_no,)

    def stands(self, up=True):
        """The house is there again: notices are taken in, and the gateway sends all that it could not deliver."""

        def door(incoming):
            code = incoming.path.rpartition("/")[2]
            return asyncio.run_coroutine_threadsafe(hear.hear(self.ctx, code, incoming), self.loop).result(30)

        self.box.door = door if up else None

    def send_again(self):
        for seen in self.control.notices(limit=10_000):
            if seen.notice.state in ("due", "given_up"):
                self.control.again(seen.notice.notice_id)

    def die(self, jobs):
        """(exit code, steps) of a process for each job, as many at a time as there are nurseries."""
        ahead_s = (self.clock.now() - datetime.now(UTC)).total_seconds()
        self.control.steer(offset_s=ahead_s)
        self.control.set_speed(SPEED)
        jobs = [msgspec.structs.replace(each, ahead_s=ahead_s) for each in jobs]
        answers = [None] * len(jobs)
        rows = self.pool.map(self._row, self.nurseries, [jobs[n::AT_ONCE] for n in range(AT_ONCE)])
        for n, some in enumerate(rows):
            answers[n::AT_ONCE] = some
        self.control.set_speed(1)
        return answers

    def _row(self, nursery, jobs):
        told = []
        for each in jobs:
            nursery.stdin.write(msgspec.json.encode(each) + b"\n")
            nursery.stdin.flush()
            line = nursery.stdout.readline().split()
            assert line and int(line[0]) in (0, -signal.SIGKILL), "the child or its nursery failed: see standard error"
            told.append((int(line[0]), int(line[1])))
        return told

    def hire(self):
        """The processes that the children are forked from."""
        shared = {
            "url": self.url, "postbox": self.box.url, "gateway": self.gateway.base_url, "token": self.gateway.token,
        }  # fmt: skip
        line = [sys.executable, "-m", "tests.races.killed"]
        pipe = subprocess.PIPE
        self.nurseries = [subprocess.Popen(line, cwd=ROOT, stdin=pipe, stdout=pipe) for _ in range(AT_ONCE)]
        for each in self.nurseries:
            each.stdin.write(json.dumps(shared).encode() + b"\n")
            each.stdin.flush()
        self.pool = ThreadPoolExecutor(AT_ONCE)

    def let_go(self):
        self.pool.shutdown()
        for each in self.nurseries:
            each.stdin.close()
            each.wait()
            each.stdout.close()

    async def buyers(self, count):
        """Buyers with a line and a card, each with an order of the same goods, not paid."""
        wish = world.wish(self.ctx.reference.newest, "small_appliance", SCENE, 40_000)
        found = []
        for _ in range(count):
            person = next(self.fit)
            async with self.ctx.database.transaction() as tx:
                await seed.enrol(tx, self.ctx.keys, person, self.password, BY, pay_password_hash=self.password)
                await money.open_within(tx, person.consumer_id, BY)
            await world.give_line(self.ctx, person.consumer_id)
            placed = await world.buy(self.ctx, person.consumer_id, [wish], SCENE)
            found.append((person.consumer_id, placed, new_id()))
        return found


@pytest.fixture(scope="module")
def stricken(new_database, run, tmp_path_factory):
    made = Stricken(new_database(), tmp_path_factory.mktemp("gateway"))
    run(made.open())
    made.hire()
    yield made
    made.let_go()
    run(made.close())


def job(scene, how, buyer, last):
    consumer_id, placed, key = buyer
    method, plan, part_by, client = how
    return Job(scene, consumer_id, placed.order.order_id, placed.intent_id, key, method, plan, part_by, client, last)


async def is_paid_in_the_end(mall, how, buyer):
    """The buyer does what buyers do: reloads the page, goes to the channel and pays, or presses anew."""
    consumer_id, placed, key = buyer
    method, plan, part_by, client = how
    for each in (key, new_id(), new_id()):
        pressed = await mall.press(consumer_id, placed, method, plan, key=each, part_by=part_by, client=client)
        begun = (await mall.attempts(consumer_id, placed.order.order_id))[-1]
        if pressed.outcome == "pending" and begun.handover is not None:
            await mall.goes_and_pays(begun)
            await mall.listen(begun.attempt_no)
        if await mall.state_of(consumer_id, placed.order.order_id) == "paid":
            return
    raise AssertionError(f"{consumer_id} can't pay: {pressed}")


async def left_behind(mall, buyer):
    """Both sides' books of an order, the limits, the loan, the stock, and the money that its channels hold."""
    consumer_id, placed, _ = buyer
    order_id = placed.order.order_id
    async with mall.ctx.database.snapshot() as tx:
        walked = await walk.walk_order(tx, consumer_id, order_id)
        limits = await ledger.limits.accounts_of(tx, consumer_id)
        loans = await credit.loans_of_order(tx, consumer_id, order_id)
        bought = await order.get(tx, consumer_id, order_id)
        stock = await tx.execute(
            "SELECT state FROM stock_reservation WHERE line_id = ANY(%b)", [[line.line_id for line in bought.lines]]
        )
        reservations = await stock.fetchall()
    tries = await mall.attempts(consumer_id, order_id)
    assert [each.disposition for each in tries if each.state == "succeeded"] == ["applied"]
    assert all(not each.is_open for each in tries) and bought.attempts_open == 0
    trades = [mall.control.find(each.channel, each.attempt_no) for each in tries]
    backs = await mall.refunds(consumer_id, order_id)
    return (
        sorted((j.side, j.kind, [(e.book, e.path, e.amount_minor) for e in j.entries]) for j in walked),
        {path: (one.balance_minor, one.reserved_minor, one.day_minor) for path, one in limits.items()},
        [(loan.plan, loan.principal_minor, loan.state) for loan in loans],
        bought.state,
        reservations,
        sum(held(seen) for seen in trades if seen is not None),
        [(each.state, each.amount_minor) for each in backs],
    )


async def same_as_the_first(mall, people):
    await mall.settle()
    expected, *others = [await left_behind(mall, each) for each in people]
    for n, other in enumerate(others, start=1):
        assert other == expected, f"killed at step {n}"
    return expected


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", CASES)
def test_killed_anywhere_while_paying(stricken, run, case):
    mall, how = stricken, CASES[case]
    mall.stands(False)
    [first] = run(mall.buyers(1))
    [(code, steps)] = mall.die([job("pays", how, first, 0)])
    assert (code, steps > 40) == (0, True)
    victims = run(mall.buyers(steps))
    codes = [code for code, _ in mall.die([job("pays", how, each, n) for n, each in enumerate(victims, start=1)])]
    assert codes == [-9] * steps
    mall.stands()
    mall.send_again()
    run(mall.passes(120))
    for each in victims:
        run(is_paid_in_the_end(mall, how, each))
    run(mall.passes(7_200))
    expected = run(same_as_the_first(mall, [first, *victims]))
    assert expected[3] == "paid" and expected[5] == (PART if case == "mix" else first[1].order.payable_minor)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", BACK)
def test_killed_anywhere_while_giving_back(stricken, run, case):
    mall, how = stricken, BACK[case]

    async def paid(count):
        found = await mall.buyers(count)
        mall.stands()
        for each in found:
            await is_paid_in_the_end(mall, how, each)
        mall.stands(False)
        return [(consumer_id, placed, new_id()) for consumer_id, placed, _ in found]

    [first] = run(paid(1))
    [(code, steps)] = mall.die([job("refunds", how, first, 0)])
    assert (code, steps > 25) == (0, True)
    victims = run(paid(steps))
    codes = [code for code, _ in mall.die([job("refunds", how, each, n) for n, each in enumerate(victims, start=1)])]
    assert codes == [-9] * steps
    mall.stands()
    mall.send_again()
    for consumer_id, placed, key in victims:
        by = mall.ctx.by_consumer(consumer_id, "sent it back")
        run(refund.refund(mall.ctx, consumer_id, key, placed.order.order_id, None, by))
    for seconds in (120, 1_300, 7_200):
        run(mall.passes(seconds))
    expected = run(same_as_the_first(mall, [first, *victims]))
    assert expected[5] == 0 and [state for state, _ in expected[6]] == ["succeeded"]
