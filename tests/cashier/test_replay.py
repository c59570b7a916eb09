"""Stored decisions, evaluated again: the corpus in tests/corpus must give the identical verdicts after every change.

    uv run python -m tests.cashier.test_replay FILE.jsonl SEED COUNT [outside]

adds decisions on random facts to a file of the corpus: on credit mostly, or refusals by the channels outside. Files are
only ever added to: a changed meaning is a new version of the gate, not a new verdict for an old decision.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.cashier.plain import credit, plain
from tests.strategies import random_facts

from fenqi.cashier import decode_facts, decode_verdict, encode_facts, encode_verdict, replay, verdict
from fenqi.cashier.facts import Facts, PlanFacts
from fenqi.cashier.gates import SHELVES

CORPUS = Path(__file__).parent.parent / "corpus"


def stored() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every decision of the corpus with its place."""
    for path in sorted(CORPUS.glob("*.jsonl")):
        for number, row in enumerate(path.read_bytes().splitlines(), 1):
            yield f"{path.name}:{number}", msgspec.json.decode(row)


def test_every_stored_decision_replays_identically() -> None:
    count = 0
    for place, row in stored():
        again = replay(msgspec.json.encode(row["facts"]), row["method"], row["plan"])
        assert msgspec.json.decode(again) == row["verdict"], place
        count += 1
    assert count >= 550


def test_a_verdict_names_the_versions_that_it_was_given_under() -> None:
    decided = verdict(credit(state="self_locked"), "credit", "pay_later")
    assert (decided.available, decided.evaluator_version, decided.policy_version) == (False, 1, "2026-09")
    assert [reason.code for reason in decided.reasons] == ["CREDIT_SELF_LOCKED"]
    assert decode_verdict(encode_verdict(decided)) == decided


def test_equal_facts_give_equal_bytes() -> None:
    assert encode_facts(plain()) == encode_facts(decode_facts(encode_facts(plain())))


def test_an_unknown_evaluator_version_is_not_guessed() -> None:
    assert max(SHELVES) == 1
    unknown = encode_facts(replace(plain(), evaluator_version=99))
    with pytest.raises(KeyError):
        replay(unknown, "credit", "pay_later")


def slim(facts: Facts, method: str) -> Facts:
    """The facts without what bears on other methods only, so that the corpus stays small."""
    goods = {
        (facts.order.scene, line.category, seller.kind)
        for line in facts.lines
        for seller in facts.sellers
        if seller.merchant_id == line.merchant_id
    }
    return replace(
        facts,
        methods=tuple(each for each in facts.methods if each.method == method),
        plans=tuple(each for each in facts.plans if each.method == method),
        rules=tuple(
            each
            for each in facts.rules
            if each.method == method and (each.scene, each.category, each.seller_kind) in goods
        ),
    )


def add(path: Path, seed: int, count: int, outside: bool) -> None:
    """Append decisions on random facts, each with the verdict of now."""
    with path.open("ab") as file:
        while count:
            rng, seed = Random(seed), seed + 1
            facts = random_facts(rng)
            plan = rng.choice(_plans(facts, rng, outside))
            facts = slim(facts, plan.method)
            decided = verdict(facts, plan.method, plan.plan)
            if outside and not any(reason.meta.group == "I" for reason in decided.reasons):
                continue
            row = {
                "method": plan.method,
                "plan": plan.plan,
                "facts": msgspec.Raw(encode_facts(facts)),
                "verdict": msgspec.Raw(encode_verdict(decided)),
            }
            file.write(msgspec.json.encode(row) + b"\n")
            count -= 1


def _plans(facts: Facts, rng: Random, outside: bool) -> Sequence[PlanFacts]:
    if outside:
        return [plan for plan in facts.plans if plan.method not in ("credit", "money_account")]
    return [plan for plan in facts.plans if plan.method == "credit"] if rng.random() < 0.7 else facts.plans


if __name__ == "__main__":
    add(CORPUS / sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:] == ["outside"])
