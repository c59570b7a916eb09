"""What the evaluator really finds, in words: random facts, every reason, remedy and route, for all readers."""

import re
from random import Random

import pytest
from tests.strategies import random_facts

from fenqi.cashier import offers
from fenqi.kernel.reason import Reason
from fenqi.texts import Audience, Locale, render_action, render_route, tell, term, values_of
from fenqi.texts.template import MISSING
from fenqi.texts.values import LITERAL, WORDS, say_words

BROKEN = re.compile(
    r"[，。；：、]{2}|（）|“”|^[，。；、,.;: ]|[,;:.] ?[,;:.]|  | [.,;:)]|\( |\(\)|[{}\[\]|]|：$|：[，。；]"
)
BY_DATA = {"category", "categories", "channel"}
"""Codes whose words come from the catalogue of goods and the channels' own names."""
CASES = 100


def check_reason(reason: Reason) -> None:
    for locale in Locale:
        for audience in Audience:
            for stepped_up in (False, True):
                told = tell(reason, audience, locale, stepped_up=stepped_up)
                assert told.title and MISSING not in told.sentence
                assert audience is Audience.RISK or not BROKEN.search(told.sentence), told
        for name, value in values_of(reason).items():
            if name in WORDS and isinstance(value, str) and value and WORDS[name] not in (LITERAL, *BY_DATA):
                assert say_words(WORDS[name], value, locale, term), f"{name}={value} has no word in {locale}"


def test_whatever_is_found_can_be_said(caplog: pytest.LogCaptureFixture) -> None:
    for seed in range(CASES):
        for offer in offers(random_facts(Random(seed)), with_remedies=seed % 10 == 0):
            for reason in offer.reasons:
                check_reason(reason)
            for locale in Locale:
                for remedy in offer.remedies:
                    for step in remedy.actions:
                        said = render_action(step, locale)
                        assert not BROKEN.search(said.label + said.sentence) and MISSING not in said.sentence, said
                for route in offer.routes:
                    assert not BROKEN.search(render_route(route.kind, route.usual_ms, route.from_ms, locale).sentence)
    assert not caplog.records
