"""Train the reader of questions from the texts in the package, and say how well it reads what it hasn't seen.

    uv run python tools/train_questions.py            cross-validate, train, pack
    uv run python tools/train_questions.py --compare  the classifiers tried, by cross-validation, nothing packed

Needs scikit-learn, which is for development only. The same texts give the same file.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GroupKFold
from sklearn.naive_bayes import ComplementNB
from sklearn.svm import LinearSVC

from fenqi.question import corpus
from fenqi.question.corpus import Example
from fenqi.question.features import Features
from fenqi.question.normalise import bare
from fenqi.question.reader import PACKED, Packed

ALIKE = 0.34
"""Two questions of one topic and language that share this much (Jaccard, of bigrams or words) are one family."""
FOLDS = 5
SHARES = (1.0, 1.0, 0.7)
SEEN_AT_LEAST = 2
KEPT_FROM = 0.03
"""Weights below this share of the feature's largest are left out."""
HERE = Path(__file__).parent.parent / "src" / "fenqi" / "question" / PACKED


def families(examples: Sequence[Example], read: Sequence[Features]) -> np.ndarray:
    """A family's number for every question: close paraphrases are linked, and links are followed."""
    leader = list(range(len(examples)))

    def lead(at: int) -> int:
        while leader[at] != at:
            at = leader[at]
        return at

    pieces = [_pieces(one, seen) for one, seen in zip(examples, read, strict=True)]
    together = defaultdict(list)
    for at, one in enumerate(examples):
        together[one.topic, one.language].append(at)
    for members in together.values():
        for place, one in enumerate(members):
            for other in members[:place]:
                if len(pieces[one] & pieces[other]) / len(pieces[one] | pieces[other]) >= ALIKE:
                    leader[lead(one)] = lead(other)
    return np.array([lead(at) for at in range(len(examples))])


def _pieces(example: Example, seen: Features) -> set[str]:
    said = bare(seen.said)
    if example.language == "en":
        return set(said.split())
    return {said[at : at + 2] for at in range(max(1, len(said) - 1))}


class Space:
    """Features as columns, weighted by rarity; the same arithmetic as the reader's."""

    def __init__(self, read: Sequence[Features]) -> None:
        self.blocks: list[tuple[dict[str, int], np.ndarray]] = []
        for items in zip(*(_items(one) for one in read), strict=True):
            often = Counter(name for each in items for name in each)
            names = sorted(name for name, count in often.items() if count >= SEEN_AT_LEAST)
            rarity = np.array([math.log((1 + len(read)) / (1 + often[name])) + 1 for name in names])
            self.blocks.append(({name: at for at, name in enumerate(names)}, rarity))

    def place(self, read: Sequence[Features]) -> sp.csr_matrix:
        """One row a question."""
        per_block = list(zip(*(_items(one) for one in read), strict=True))
        placed = [
            _place(items, columns, rarity, share)
            for items, (columns, rarity), share in zip(per_block, self.blocks, SHARES, strict=True)
        ]
        return sp.hstack(placed).tocsr()


def _items(seen: Features) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    grams = {name: 1.0 + math.log(count) for name, count in seen.grams.items()}
    return grams, dict.fromkeys(seen.concepts, 1.0), dict.fromkeys(seen.pairs, 1.0)


def _place(
    items: Iterable[dict[str, float]], columns: dict[str, int], rarity: np.ndarray, share: float
) -> sp.csr_matrix:
    rows, places, values = [], [], []
    count = 0
    for row, names in enumerate(items):
        known = [(columns[name], often * rarity[columns[name]]) for name, often in names.items() if name in columns]
        length = math.sqrt(sum(value * value for _, value in known))
        for place, value in known:
            rows.append(row)
            places.append(place)
            values.append(share * value / length)
        count = row + 1
    return sp.csr_matrix((values, (rows, places)), shape=(count, len(columns)))


def held_out(
    make: Callable[[], object], read: Sequence[Features], labels: np.ndarray, groups: np.ndarray
) -> np.ndarray:
    """Margins for every question from a model that has not seen its family."""
    margins = np.full((len(read), labels.max() + 1), -3.0)
    for learn, test in GroupKFold(FOLDS).split(read, labels, groups):
        space = Space([read[at] for at in learn])
        model = make()
        model.fit(space.place([read[at] for at in learn]), labels[learn])
        placed = space.place([read[at] for at in test])
        said = model.predict_log_proba(placed) if isinstance(model, ComplementNB) else model.decision_function(placed)
        margins[np.ix_(test, model.classes_)] = said
    return margins


def likely(margins: np.ndarray, sharpness: float) -> np.ndarray:
    """Probabilities from margins."""
    raised = np.exp(sharpness * (margins - margins.max(axis=1, keepdims=True)))
    return raised / raised.sum(axis=1, keepdims=True)


def sharpen(margins: np.ndarray, labels: np.ndarray) -> float:
    """The factor under which the margins' probabilities are likeliest (temperature scaling)."""
    at = np.arange(len(labels))
    tried = [round(0.5 + 0.1 * step, 1) for step in range(150)]
    return min(tried, key=lambda factor: -np.log(likely(margins, factor)[at, labels] + 1e-12).mean())


def calibration_error(chances: np.ndarray, labels: np.ndarray, bins: int = 10) -> float:
    """ECE: how far stated confidence and accuracy are apart, over equal bins of confidence."""
    confidence, right = chances.max(axis=1), chances.argmax(axis=1) == labels
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return float(sum(abs(right[place == b].mean() - confidence[place == b].mean()) * (place == b).mean()
                     for b in range(bins) if (place == b).any()))  # fmt: skip


def figures(margins: np.ndarray, labels: np.ndarray, languages: np.ndarray) -> None:
    """Say accuracy and calibration by language."""
    for language in ("zh", "en"):
        mine = languages == language
        chances = likely(margins[mine], sharpen(margins[mine], labels[mine]))
        order = (-chances).argsort(axis=1)
        first = (order[:, 0] == labels[mine]).mean()
        third = (order[:, :3] == labels[mine][:, None]).any(axis=1).mean()
        _say(f"  {language}: top-1 {first:.3f}  top-3 {third:.3f}  ECE {calibration_error(chances, labels[mine]):.3f}")


TRIED: dict[str, Callable[[], Any]] = {
    "linear SVM, C=0.1": lambda: LinearSVC(C=0.1, random_state=0),
    "linear SVM, C=0.3": lambda: LinearSVC(C=0.3, random_state=0),
    "linear SVM, C=1": lambda: LinearSVC(C=1.0, random_state=0),
    "logistic regression, C=30": lambda: LogisticRegression(C=30, max_iter=300),
    "ridge, alpha=1": lambda: RidgeClassifier(alpha=1.0),
    "complement naive Bayes": lambda: ComplementNB(),
}
CHOSEN = "linear SVM, C=0.3"


def pack(model: LinearSVC, space: Space, topics: Sequence[str], sharpness: dict[str, float]) -> Packed:
    """The model as the reader takes it."""
    blocks, start = [], 0
    for columns, rarity in space.blocks:
        weights = model.coef_[:, start : start + len(columns)]
        blocks.append({name: _row(rarity[at], weights[:, at]) for name, at in columns.items()})
        start += len(columns)
    intercepts = tuple(round(float(one), 5) for one in model.intercept_)
    return Packed(corpus.digest(), tuple(topics), intercepts, sharpness, SHARES, tuple(blocks), _written(topics))


def _written(topics: Sequence[str]) -> dict[str, int]:
    """The cores of all questions that are written for one topic only."""
    places: dict[str, set[int]] = defaultdict(set)
    for one in corpus.examples():
        places[Features(one.text).core].add(topics.index(one.topic))
    return {core: next(iter(found)) for core, found in sorted(places.items()) if len(found) == 1 and len(core) > 2}


def _row(rarity: float, weights: np.ndarray) -> bytes:
    largest = float(np.abs(weights).max()) or 1.0
    scale = np.float32(largest / 127)
    kept = [(topic, round(float(weight / scale))) for topic, weight in enumerate(weights)
            if abs(weight) >= KEPT_FROM * largest]  # fmt: skip
    head = np.array([rarity, scale], dtype="<f4").tobytes()
    return head + bytes(value for topic, weight in kept for value in (topic, weight + 128))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main() -> None:
    """Cross-validate, and pack what was chosen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--compare", action="store_true")
    compare = parser.parse_args().compare
    examples = corpus.examples()
    topics = sorted({one.topic for one in examples})
    labels = np.array([topics.index(one.topic) for one in examples])
    languages = np.array([one.language for one in examples])
    read = [Features(one.text) for one in examples]
    groups = families(examples, read)
    _say(f"{len(examples)} questions, {len(topics)} topics, {len(set(groups))} families")
    for name in TRIED if compare else [CHOSEN]:
        _say(name)
        margins = held_out(TRIED[name], read, labels, groups)
        figures(margins, labels, languages)
    if compare:
        return
    sharpness = {one: sharpen(margins[languages == one], labels[languages == one]) for one in ("zh", "en")}
    space = Space(read)
    model = LinearSVC(C=0.3, random_state=0).fit(space.place(read), labels)
    raw = msgspec.msgpack.encode(pack(model, space, topics, sharpness), order="deterministic")
    HERE.write_bytes(raw)
    _say(f"{HERE.name}: {len(raw):,} bytes, sharpness {sharpness}")


if __name__ == "__main__":
    main()
