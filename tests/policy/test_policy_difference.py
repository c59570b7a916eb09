"""What two documents differ in: rows by their names, cells by what they mean, places only where they count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fenqi import policy
from fenqi.flows.policy_told import tell
from fenqi.policy import Numbers
from fenqi.policy.difference import Cell, Change, difference
from fenqi.policy.table import Row, Table
from fenqi.texts import Locale

AT = datetime(2026, 8, 24, 1, 0, tzinfo=UTC)
_GOODS = Table(
    "goods",
    (
        Row("abroad", {"method": '"credit"', "scene": '"mall"', "category": '"overseas"'}, {"max_minor": 500_000}),
        Row("home", {"method": '"credit"', "category": '"home_improvement"'}, {"terms": (6, 12)}),
        Row("camera", {"method": '"credit"', "category": '"camera"', "seller_kind": '"third_party"'},
            {"verdict": "seller_type_excluded"}),
        Row("gold", {"category": '"gold"'}, {"verdict": "category_excluded"}),
        Row("rest", {}, {"verdict": "not_covered"}),
    ),
)  # fmt: skip
_DEFAULT = policy.default_document(AT)
DOCUMENT = replace(_DEFAULT, tables=tuple(_GOODS if t.key == "goods" else t for t in _DEFAULT.tables))


def with_rows(change, key="goods"):
    """The document with other rows in a table."""
    tables = tuple(replace(t, rows=tuple(change(list(t.rows)))) if t.key == key else t for t in DOCUMENT.tables)
    return replace(DOCUMENT, tables=tables)


def row(rule_id, **when):
    return Row(rule_id, when, {})


def test_nothing_differs_from_itself_however_it_is_written():
    assert difference(DOCUMENT, DOCUMENT) == ()
    first = DOCUMENT.tables[2].rows[0]
    other = replace(first, when={**first.when, "scene": ' "mall" ', "pd_ppm": "-", "clean_months": ""})
    assert difference(DOCUMENT, with_rows(lambda rows: [other, *rows[1:]])) == ()
    said = replace(first, then={**first.then, "verdict": "allow"})
    assert difference(DOCUMENT, with_rows(lambda rows: [said, *rows[1:]])) == (), "a default said is a default"


def test_rows_added_removed_changed_and_moved():
    def edit(rows):
        rows[1] = replace(rows[1], when={**rows[1].when, "clean_months": "> 23"}, note="only the careful")
        new = Row("parents", {"segments": '"student_parent"'}, {"max_minor": 2_000_000})
        return [rows[3], new, *rows[:2], *rows[4:]]

    names = [r.rule_id for r in DOCUMENT.tables[2].rows[:4]]
    assert difference(DOCUMENT, with_rows(edit)) == (
        Change("goods", "moved", names[3], (), 4, 1),
        Change("goods", "added", "parents", (
            Cell("segments", None, '"student_parent"'), Cell("=verdict", None, "allow"), Cell("=min_minor", None, 0),
            Cell("=max_minor", None, 2_000_000),
        )),
        Change("goods", "changed", names[1], (
            Cell("clean_months", None, ">= 24"), Cell("note", "", "only the careful"),
        )),
        Change("goods", "removed", names[2], (
            Cell("method", '"credit"'), Cell("category", '"camera"'), Cell("seller_kind", '"third_party"'),
            Cell("=verdict", "seller_type_excluded"), Cell("=min_minor", 0),
        )),
    )  # fmt: skip


def test_the_place_of_a_row_counts_in_tables_whose_first_match_answers():
    assert difference(DOCUMENT, with_rows(lambda rows: rows[::-1], "transaction")) == ()
    moved = difference(DOCUMENT, with_rows(lambda rows: rows[::-1], "limit"))
    assert {change.kind for change in moved} == {"moved"} and len(moved) == len(DOCUMENT.tables[1].rows) - 1


def test_parts_that_are_no_tables():
    after = replace(
        DOCUMENT, numbers=Numbers(apr_cap_ppm=200_000), forbidden_words=("套现", "x"), plans=DOCUMENT.plans[1:],
        methods=(replace(DOCUMENT.methods[0], single_cap_minor=None), *DOCUMENT.methods[1:]),
    )  # fmt: skip
    found = difference(DOCUMENT, after)
    assert [(c.part, c.kind, c.row) for c in found] == [
        ("methods", "changed", "credit"), ("plans", "removed", "credit/pay_later"), ("forbidden_words", "added", "x"),
        ("forbidden_words", "removed", "代付返现"), ("forbidden_words", "removed", "刷单"),
        ("numbers", "changed", "numbers"),
    ]  # fmt: skip
    assert [tell(c, Locale.EN) for c in (found[0], found[2], found[5])] == [
        "Payment methods: in the rule credit, At most at once: ¥50,000.00 → nothing.",
        "Forbidden words: “x” is new.",
        "Numbers: Highest cost a year: 24.00% → 20.00%.",
    ]
    assert tell(found[5], Locale.ZH_CN) == "参数：年化成本上限由24.00%改为20.00%。"


@pytest.mark.parametrize("locale", Locale)
def test_drafts_with_faults_are_told_as_they_stand(locale):
    odd = Row("odd", {"clean_months": "about 24", "colour": '"red"'}, {"max_minor": "much", "smell": 1})
    found = difference(DOCUMENT, with_rows(lambda rows: [odd, odd, *rows]))
    assert [c.row for c in found] == ["odd", "odd#2"]
    assert "about 24" in tell(found[0], locale)
    unknown = replace(DOCUMENT, tables=(*DOCUMENT.tables, Table("prices", (row("p", a="1"),))))
    assert [c.part for c in difference(DOCUMENT, unknown)] == ["prices"]
    assert tell(difference(DOCUMENT, unknown)[0], locale)


NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


@settings(max_examples=300, deadline=None)
@given(NAMES, NAMES)
def test_moves_are_the_fewest_that_explain_the_order(before, after):
    """Taking the moved rows out leaves the same order on both sides; and no smaller set would."""
    old, new = (with_rows(lambda _, names=names: [row(name) for name in names]) for names in (before, after))
    found = difference(old, new)
    moved = {change.row for change in found if change.kind == "moved"}
    stay = [[name for name in names if name in set(before) & set(after) - moved] for names in (before, after)]
    assert stay[0] == stay[1]
    common = [name for name in before if name in after]
    assert len(stay[0]) == _longest_common([after.index(name) for name in common])
    assert {c.row for c in found if c.kind == "added"} == set(after) - set(before)
    assert {c.row for c in found if c.kind == "removed"} == set(before) - set(after)


def _longest_common(values):
    best = [1] * len(values)
    for n, value in enumerate(values):
        best[n] = 1 + max((best[k] for k in range(n) if values[k] < value), default=0)
    return max(best, default=0)
