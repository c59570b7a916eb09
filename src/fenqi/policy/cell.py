"""A cell of a decision table: the test that one input must pass, read from text and written back. Pure.

The grammar is the subset of JDM's unary expressions that this house admits; whatever else is refused where it is read.
The same test is compiled for the engine that decides one case and for the one that decides millions.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from fenqi.kernel.refusal import Refusal

Kind = Literal["text", "number", "flag", "codes"]
"""text: one code | number: an integer | flag: true or false | codes: a set of codes."""
Value = str | int | bool | tuple[str, ...] | None
"""What an input holds; None: not known."""
_NUMBER = re.compile(r"-?[0-9]{1,18}")
_RANGE = re.compile(r"([\[(])\s*(-?[0-9]{1,18})\s*\.\.\s*(-?[0-9]{1,18})\s*([\])])")
_COMPARED = re.compile(r"(<=|>=|<|>|==|!=)\s*(-?[0-9]{1,18}|\"[^\"\\]*\")")
_SOME = re.compile(r"(not\s+)?some\(\$,\s*#\s+in\s+(\[.*\])\)")
_NOT_IN = re.compile(r"not\s+in\s+(\[.*\])")


@dataclass(frozen=True, slots=True)
class Anything:
    """The empty cell: passes whatever the input holds, even nothing."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """The input is (or, for codes, has) one of the values; with `negated` none of them."""

    values: tuple[str, ...] | tuple[int, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """low ≤ input ≤ high; None: no bound on that side. Integers only, so that every bound is an inclusive one."""

    low: int | None
    high: int | None


@dataclass(frozen=True, slots=True)
class Is:
    """The flag is this."""

    value: bool


Test = Anything | OneOf | Between | Is
ANYTHING = Anything()


def parse(text: str, kind: Kind) -> Test:
    """The test that a cell says; refuses CELL_INVALID, with what is wrong in words.

    Texts and codes: `"a"`, `"a", "b"`, `not in ["a", "b"]`, for codes also `some($, # in ["a"])`. Numbers: `5`,
    `1, 2`, `> 5`, `[1..5]`, `(1..5)`. Flags: `true`, `false`. Nothing, or `-`: whatever it is.
    """
    text = text.strip()
    if text in ("", "-"):
        return ANYTHING
    if kind == "flag":
        if text not in ("true", "false"):
            raise _bad(text, "true or false")
        return Is(text == "true")
    return _number(text) if kind == "number" else _codes(text, kind)


def _number(text: str) -> Test:
    if found := _RANGE.fullmatch(text):
        low, high = int(found[2]) + (found[1] == "("), int(found[3]) - (found[4] == ")")
        if low > high:
            raise _bad(text, "a range that holds at least one number")
        return Between(low, high)
    if (found := _COMPARED.fullmatch(text)) and not found[2].startswith('"'):
        return _compared(found[1], int(found[2]))
    if found := _NOT_IN.fullmatch(text):
        return OneOf(tuple(_whole(text, each) for each in _list(text, found[1])), negated=True)
    parts = [part.strip() for part in text.split(",")]
    if all(_NUMBER.fullmatch(part) for part in parts):
        return OneOf(tuple(dict.fromkeys(int(part) for part in parts)))
    raise _bad(text, "a number, numbers, a comparison like > 5 or a range like [1..5]")


def _compared(sign: str, number: int) -> Test:
    match sign:
        case "<":
            return Between(None, number - 1)
        case "<=":
            return Between(None, number)
        case ">":
            return Between(number + 1, None)
        case ">=":
            return Between(number, None)
    return OneOf((number,), negated=sign == "!=")


def _codes(text: str, kind: Kind) -> Test:
    if found := _NOT_IN.fullmatch(text):
        return OneOf(_strings(text, found[1]), negated=True)
    if kind == "codes" and (found := _SOME.fullmatch(text)):
        return OneOf(_strings(text, found[2]), negated=found[1] is not None)
    if kind == "text" and (found := _COMPARED.fullmatch(text)) and found[1] in ("==", "!="):
        return OneOf(_strings(text, f"[{found[2]}]"), negated=found[1] == "!=")
    return OneOf(_strings(text, f"[{text}]"))


def _strings(text: str, listed: str) -> tuple[str, ...]:
    values = _list(text, listed)
    if not values or not all(isinstance(value, str) and is_code(value) for value in values):
        raise _bad(text, 'codes in quotes, like "a" or "a", "b"')
    return tuple(dict.fromkeys(str(value) for value in values))


def is_code(text: str) -> bool:
    """Whether the text can stand between quotes as it is: the engine knows no escapes."""
    return bool(text) and text.isprintable() and '"' not in text and "\\" not in text


def _list(text: str, listed: str) -> list[object]:
    try:
        found = json.loads(listed)
    except ValueError:
        raise _bad(text, 'codes in quotes, like "a" or "a", "b"') from None
    assert isinstance(found, list), "the grammar takes lists only"
    return found


def _whole(text: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _bad(text, "whole numbers")
    return value


def _bad(text: str, wanted: str) -> Refusal:
    return Refusal("CELL_INVALID", f"{text!r}: {wanted} is wanted here", cell=text)


def write(test: Test, kind: Kind) -> str:
    """The cell's text in its one normal form, which is also the engine's unary expression for texts and numbers."""
    match test:
        case Anything():
            return ""
        case Is(value):
            return "true" if value else "false"
        case Between(low, None):
            return f">= {low}"
        case Between(None, high):
            return f"<= {high}"
        case Between(low, high):
            return f"[{low}..{high}]"
        case OneOf(values, negated):
            listed = ", ".join(json.dumps(value, ensure_ascii=False) for value in values)
            return f"not in [{listed}]" if negated else listed
    raise AssertionError(f"no such test: {test}")


def unary(test: Test, kind: Kind) -> str:
    """The test as the engine's unary expression, `$` being the input."""
    if kind == "codes" and isinstance(test, OneOf):
        listed = ", ".join(json.dumps(value, ensure_ascii=False) for value in test.values)
        return f"{'not ' if test.negated else ''}some($, # in [{listed}])"
    return write(test, kind)


def holds(test: Test, value: Value) -> bool:
    """Whether the value passes: what both engines must agree with. A value that is not known passes `Anything` only."""
    match test:
        case Anything():
            return True
        case _ if value is None:
            return False
        case Is(wanted):
            return value is wanted
        case Between(low, high):
            assert isinstance(value, int)
            return (low is None or value >= low) and (high is None or value <= high)
        case OneOf(values, negated):
            has = any(each in values for each in value) if isinstance(value, tuple) else value in values
            return has is not negated
    raise AssertionError(f"no such test: {test}")
