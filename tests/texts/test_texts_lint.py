"""How the texts are written: punctuation of each language, one word a thing, no jargon before buyers."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fenqi.texts.catalogue import catalogue
from fenqi.texts.glossary import words_to_avoid
from fenqi.texts.model import Locale

HAN = "\u4e00-\u9fff"


def strings(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, f"{where}.{key}")


def texts_of(locale: Locale) -> list[tuple[str, str]]:
    return [(where, text) for where, text in strings(msgspec.to_builtins(catalogue(locale))) if text]


def found(locale: Locale, pattern: str, flags: int = 0) -> list[tuple[str, str]]:
    return [(where, text) for where, text in texts_of(locale) if re.search(pattern, text, flags)]


def test_chinese_has_full_width_punctuation() -> None:
    assert not found(
        Locale.ZH_CN, rf"[{HAN}}}][,;!?]|[,;!?(][{HAN}]|[{HAN}]\)|[{HAN}]\.($|[{HAN}])|[{HAN}]:|\.\.\.|[\"']"
    )


def test_chinese_has_no_spaces_beside_chinese() -> None:
    assert not found(Locale.ZH_CN, rf"[{HAN}，。；：] +[{HAN}{{0-9A-Za-z]|[0-9A-Za-z}}] +[{HAN}，。；：]|^ | $|  ")


def test_english_has_no_chinese_and_no_full_width_punctuation() -> None:
    other = r"\.other_language$"
    assert not [row for row in found(Locale.EN, rf"[{HAN}，。；：（）、！？]") if not re.search(other, row[0])]


def test_english_spacing() -> None:
    assert not found(Locale.EN, r"  |^ | $| [,;:.!?](?!\.)|,[A-Za-z]|\.\.\.")


@pytest.mark.parametrize("locale", Locale)
def test_words_to_avoid_are_avoided(locale: Locale) -> None:
    for avoid, use in words_to_avoid(locale).items():
        pattern = rf"\b{re.escape(avoid)}\b" if locale is Locale.EN else re.escape(avoid)
        assert not found(locale, pattern, re.IGNORECASE), f"{avoid}: say {use}"


@pytest.mark.parametrize("locale", Locale)
def test_sentences_end_and_labels_do_not(locale: Locale) -> None:
    for kind, texts in {**catalogue(locale).actions, **catalogue(locale).routes}.items():
        assert texts.sentence[-1] in "。.", kind
        assert texts.label[-1] not in "。.", kind
    for code, reason in catalogue(locale).reasons.items():
        assert reason.title[-1] not in "。.", code
        assert reason.meaning[-1] not in "。.", code


def test_buyers_read_no_jargon() -> None:
    jargon = {
        Locale.ZH_CN: r"风控|策略|敞口|接口|网关|KYC|DPD|[A-Z]{2,}_",
        Locale.EN: r"\b(policy|gate|exposure|KYC|DPD|MCC|endpoint)\b|[A-Z]{2,}_",
    }
    for locale, pattern in jargon.items():
        for code, reason in catalogue(locale).reasons.items():
            for text in (reason.buyer, reason.merchant):
                assert text is None or not re.search(pattern, text), f"{code}: {text}"
