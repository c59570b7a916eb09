"""Stored facts as another version of the policy would have given them: everything that policy says is said anew. Pure.

What happened stays: amounts used up, channels, what was told, signals. Shadow and back-test evaluate what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from uuid import UUID

from msgspec.structs import replace

from fenqi.cashier import CapFacts, ChannelFacts, ExposureFacts, Facts, GoodsRule, LineFacts, MethodFacts, PlanFacts
from fenqi.catalog import CategoryTree
from fenqi.channels import shelf
from fenqi.flows import transaction_risk
from fenqi.flows.facts import exposure, rules
from fenqi.flows.policy_facts import cap_facts, method_facts, plan_facts, twin, twin_code
from fenqi.flows.policy_inputs import who
from fenqi.kernel.ids import parse_id
from fenqi.policy import InterestFreeRow, MethodRow, PlanRow, PolicyBook


def under(facts: Facts, book: PolicyBook, tree: CategoryTree | None = None, was: PolicyBook | None = None) -> Facts:
    """The facts under `book`. For the version that they were gathered under they come out as they are.

    `was` is that version: by its budgets it is known how much of a campaign is spent; without it a campaign that goes
    on keeps what it has left, and another one has its whole budget. A cap that the old version had no row for counts
    what other windows of the same scene are known to have used, else nothing. `tree` finds the ancestors of a category
    where the facts don't name them.
    """
    found = replace(
        facts,
        policy_version=book.number,
        apr_cap_ppm=book.numbers.apr_cap_ppm,
        methods=tuple(_method(facts, row, book) for row in book.methods),
        plans=tuple(_plans(facts, book, was)),
        rules=tuple(_rules(facts, book, tree)),
        credit=replace(facts.credit, age_min=book.numbers.age_min, age_max=book.numbers.age_max),
    )
    return transaction_risk.judged(found, book)


def _method(facts: Facts, row: MethodRow, book: PolicyBook) -> MethodFacts:
    old = next((each for each in facts.methods if each.method == row.method), None)
    caps = () if old is None else old.caps
    return method_facts(
        row,
        _exposure(facts, row.method, book),
        [cap_facts(cap, _used_minor(caps, cap.window, cap.scene), facts.today_on) for cap in row.caps],
        _unknown_channel(row.method) if old is None else old.channel,
        () if old is None else old.told,
    )


def _unknown_channel(method: str) -> ChannelFacts | None:
    """Of a method that the facts don't know: nobody is known to execute it, unless the house does."""
    return ChannelFacts(method, contracted=False) if method in shelf.EXTERNAL else None


def _used_minor(caps: Iterable[CapFacts], window: str, scene: str | None) -> int:
    """What is used of a cap: as counted, or at least what a shorter window of the same scene has counted."""
    same = [cap for cap in caps if cap.scene == scene]
    exact = [cap.used_minor for cap in same if cap.window == window]
    shorter = [cap.used_minor for cap in same if window == "month" and cap.window == "day"]
    return next(iter(exact or shorter), 0)


def _exposure(facts: Facts, method: str, book: PolicyBook) -> tuple[ExposureFacts, ...]:
    """The room under each cap that bears on the order, by what was lent under a programme of the same name."""
    used = {each.programme: each.used_minor for known in facts.methods for each in known.exposure}
    return exposure(book, facts, method, used)


def _plans(facts: Facts, book: PolicyBook, was: PolicyBook | None) -> Iterator[PlanFacts]:
    """Every plan of the scene, and before one that a campaign pays the fee of its interest-free twin."""
    at = datetime.fromtimestamp(facts.now_ms / 1000, UTC)
    for method in book.methods:
        for row in book.plans(method.method, facts.order.scene):
            campaign = _campaign(facts, book, row, at)
            if campaign is not None:
                yield _twin(facts, row, campaign, None if was is None else _campaign(facts, was, row, at))
            yield plan_facts(row)


def _campaign(facts: Facts, book: PolicyBook, row: PlanRow, at: datetime) -> InterestFreeRow | None:
    if not row.fee_rate_ppm:
        return None
    goods = [(parse_id(line.merchant_id) or _NOBODY, (line.category, *line.ancestors)) for line in facts.lines]
    return book.interest_free(row.plan, at, goods)


_NOBODY = UUID(int=0)


def _twin(facts: Facts, row: PlanRow, campaign: InterestFreeRow, before: InterestFreeRow | None) -> PlanFacts:
    """The twin, with what the facts know of subsidies paid: budgets less what they had left."""
    old = next((each for each in facts.plans if each.method == row.method and each.plan == twin_code(row.plan)), None)
    if old is None:
        return twin(row, campaign, 0, 0)
    known = before or campaign
    spent = _gone(known.budget_minor, old.interest_free_budget_minor)
    return twin(row, campaign, spent, max(0, _gone(known.uses_per_consumer, old.interest_free_uses_left)))


def _gone(whole: int | None, left: int | None) -> int:
    return 0 if whole is None or left is None else whole - left


def _rules(facts: Facts, book: PolicyBook, tree: CategoryTree | None) -> Iterable[GoodsRule]:
    lines = tuple(_line(line, tree) for line in facts.lines)
    scenes = (facts.order.scene, *facts.order.also_in_scenes)
    return rules(book, lines, facts.sellers, scenes, who(facts.consumer, facts.credit))


def _line(line: LineFacts, tree: CategoryTree | None) -> LineFacts:
    """The line with the ancestors of its category, which old facts don't name."""
    if line.ancestors or tree is None or line.category not in tree:
        return line
    return replace(line, ancestors=tree.path(line.category)[1:])
