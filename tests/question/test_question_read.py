"""The reader of questions: what it reads, how sure it is, what it refuses; its packed file is of these texts."""

from __future__ import annotations

import csv
import time
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from fenqi import question
from fenqi.kernel.reason import CODES
from fenqi.kernel.refusal import Refusal
from fenqi.question import Guess, Outcome, corpus, reader
from fenqi.question.normalise import bare, normalise
from fenqi.question.read import decide, weigh

BLIND = list(csv.DictReader((Path(__file__).parent / "blind.csv").read_text(encoding="utf-8").splitlines()))


def test_the_packed_reader_was_trained_from_these_very_texts() -> None:
    assert reader.packed().digest == corpus.digest(), "run `uv run python tools/train_questions.py`"
    assert len(msgspec.msgpack.encode(reader.packed())) < 1_500_000


def test_every_code_of_the_dictionary_can_be_asked_about() -> None:
    asked = {code for name, topic in question.topics().items() if name != "cannot_use" for code in topic.codes}
    assert set(CODES) == asked


def test_every_topic_has_questions_in_both_languages() -> None:
    counts = Counter((one.topic, one.language) for one in corpus.examples())
    assert {topic for topic, _ in counts} == set(question.topics())
    assert all(counts[topic, "zh"] >= 6 and counts[topic, "en"] >= 4 for topic in question.topics())


def test_no_blind_question_was_learnt_from() -> None:
    texts = {bare(normalise(one.text)) for one in corpus.examples()}
    blind = {bare(normalise(row["question"])) for row in BLIND}
    assert len(blind) >= 250 and blind.isdisjoint(texts)
    assert len(texts) >= 2000


@pytest.mark.parametrize(("language", "first", "third"), [("zh", 0.88, 0.96), ("en", 0.84, 0.94)])
def test_questions_in_other_words_are_read(language: str, first: float, third: float) -> None:
    rows = [row for row in BLIND if row["language"] == language]
    right = within = 0
    for row in rows:
        guesses = [guess.topic for guess in reader.reader().read(row["question"])]
        meant = set(row["topics"].split("|"))
        right += guesses[0] in meant
        within += not meant.isdisjoint(guesses[:3])
    assert right / len(rows) >= first and within / len(rows) >= third, (right / len(rows), within / len(rows))


@pytest.mark.parametrize(
    ("asked", "topic"),
    [
        ("为什么有额度却不能分期付款", "instalment_refused"),
        ("為什麼有額度卻不能分期付款？？", "instalment_refused"),
        ("有花呗额度怎么分不了期", "instalment_refused"),
        ("why is Baitiao missing for this order?", "order_refused"),
        ("why is HUABEI missing for this order?", "order_refused"),
        ("我是香港身份证可以办吗", "region"),
        ("东西退了怎么还要我还花呗", "refund_still_owe"),
        ("点开白条就说系统繁忙", "system_busy"),
        ("收不到验证码", "sms"),
        ("I forgot my payment password", "pay_password"),
    ],
)
def test_what_is_surely_read(asked: str, topic: str) -> None:
    reading = question.read(asked)
    assert reading.outcome is Outcome.ANSWERED
    assert reading.best is not None and reading.best.topic == topic


@pytest.mark.parametrize("asked", ["今天天气怎么样", "讲个笑话吧", "asdfgh qwerty", "what's the weather like", "😀 ok"])
def test_what_is_none_of_ours_is_not_answered(asked: str) -> None:
    assert question.read(asked).outcome is not Outcome.ANSWERED


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("", "QUESTION_EMPTY"),
        ("  \n ", "QUESTION_EMPTY"),
        ("？？？", "QUESTION_EMPTY"),
        ("问" * 301, "QUESTION_TOO_LONG"),
    ],
)
def test_nothing_and_letters_are_refused(asked: str, code: str) -> None:
    with pytest.raises(Refusal) as no:
        question.read(asked)
    assert no.value.code == code


def test_three_hundred_characters_are_a_question() -> None:
    assert question.check("问" * 300) == "问" * 300


def test_an_unclear_question_gets_a_short_choice() -> None:
    unclear = [Guess("limit_short", 400_000), Guess("limit_cap", 300_000), Guess("limit_see", 250_000),
               Guess("other", 50_000)]  # fmt: skip
    reading = decide(unclear)
    assert reading.outcome is Outcome.CHOOSE
    assert [one.topic for one in reading.guesses] == ["limit_short", "limit_cap", "limit_see"]


def test_what_is_hardly_read_is_for_a_person() -> None:
    hazy = [Guess("limit_short", 90_000), Guess("limit_cap", 80_000), Guess("limit_see", 70_000)]
    assert decide(hazy).outcome is Outcome.PERSON


def test_what_holds_for_the_person_counts() -> None:
    guesses = [Guess("limit_short", 400_000), Guess("seller_unsupported", 350_000), Guess("limit_see", 250_000)]
    weighed = weigh(guesses, {"SELLER_NOT_ENABLED"})
    assert weighed[0] == Guess("seller_unsupported", 617_647)  # 3 × 350 / (400 + 3 × 350 + 250)
    assert sum(one.confidence_ppm for one in weighed) <= 1_000_000
    assert weigh(guesses, ()) == guesses


def test_reading_is_quick() -> None:
    asked = [row["question"] for row in BLIND]
    question.read(asked[0])
    began = time.process_time()
    for one in asked:
        reader.reader().read(one)
    assert (time.process_time() - began) / len(asked) < 0.003


def test_shares_are_probabilities() -> None:
    guesses = reader.reader().read("花呗额度不够怎么办")
    assert sum(one.confidence_ppm for one in guesses) == pytest.approx(1_000_000, abs=200)
    assert [one.confidence_ppm for one in guesses] == sorted((one.confidence_ppm for one in guesses), reverse=True)
