"""The small language of sentences: optional parts, alternatives, plural forms."""

import pytest

from fenqi.texts.model import Locale
from fenqi.texts.template import parse
from fenqi.texts.words import fill


def en(source: str, **values: object) -> str:
    return fill(source, values, Locale.EN)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "It can't be used."),
        ({"until_ms": 1795327500000}, "It can't be used until 22 Nov 2026, 14:05."),
    ],
)
def test_an_optional_part_is_said_only_with_its_value(values: dict[str, object], said: str) -> None:
    assert en("It can't be used[ until {until_ms}].", **values) == said


def test_the_first_alternative_whose_values_are_all_known_is_said() -> None:
    source = "[{a} and {b}|{a} alone|neither]"
    assert en(source, a="A", b="B") == "A and B"
    assert en(source, a="A") == "A alone"
    assert en(source, b="B") == "neither"


def test_a_missing_value_outside_brackets_is_a_dash() -> None:
    assert en("from {name}") == "from —"


def test_plural_forms() -> None:
    assert en("{lines_count:item|items}", lines_count=1) == "1 item"
    assert en("{lines_count:item|items}", lines_count=1200) == "1,200 items"
    assert en("{lines_count:item|items}", lines_count=0) == "0 items"


def test_nobody_is_counted_in_an_optional_part() -> None:
    assert en("Ask[ ({asked_count:buyer has|buyers have} asked)].", asked_count=0) == "Ask."


def test_a_bar_outside_brackets_is_a_bar() -> None:
    assert en("cart | fenqi") == "cart | fenqi"


@pytest.mark.parametrize("source", ["[open", "closed]", "[a [b]]", "{Name}", "{a", "a}", "{}"])
def test_mistakes_are_found_when_parsed(source: str) -> None:
    with pytest.raises(ValueError):
        parse(source)
