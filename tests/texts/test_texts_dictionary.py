"""The published pages are the ones the code generates, and what they say helps is what the cashier knows."""

import json
from pathlib import Path

import msgspec

from fenqi.cashier import action
from fenqi.cashier.remedy_propose import PROPOSERS
from fenqi.cashier.remedy_routes import ROUTES, USUAL_MS
from fenqi.kernel.reason import CODES
from fenqi.texts import dictionary, glossary
from fenqi.texts.catalogue import catalogue
from fenqi.texts.model import Locale

DOCS = Path(__file__).parents[2] / "docs"


def test_the_dictionary_is_up_to_date() -> None:
    assert (DOCS / "reference/reasons.md").read_text(encoding="utf-8") == dictionary.as_markdown()
    assert (DOCS / "reference/reasons.json").read_text(encoding="utf-8") == dictionary.as_json()


def test_the_glossary_is_up_to_date() -> None:
    assert (DOCS / "glossary.md").read_text(encoding="utf-8") == glossary.as_markdown()


def test_the_dictionary_has_every_code_once_in_order() -> None:
    assert [row["code"] for row in json.loads(dictionary.as_json())["codes"]] == list(CODES)


def test_what_helps_is_a_known_kind_of_remedy_or_route() -> None:
    helps = dictionary.help_for_codes()
    assert helps.keys() <= CODES.keys()
    kinds = {struct.__struct_config__.tag for struct in action.Action.__args__}  # type: ignore[attr-defined]
    assert {kind for each in helps.values() for kind in each.actions} <= kinds
    assert {kind for each in helps.values() for kind in each.routes} <= catalogue(Locale.EN).routes.keys()


def test_routes_are_the_cashiers_own() -> None:
    published = {code: each.routes for code, each in dictionary.help_for_codes().items() if each.routes}
    assert published == {code: tuple(kinds) for code, kinds in ROUTES.items()}
    assert USUAL_MS.keys() <= catalogue(Locale.EN).routes.keys()


def test_remedies_are_published_for_the_codes_that_the_solver_has_proposals_for() -> None:
    published = {code for code, each in dictionary.help_for_codes().items() if each.actions}
    assert published == PROPOSERS.keys()


def test_every_kind_of_remedy_has_texts_for_all_it_can_hold() -> None:
    for locale in Locale:
        texts = catalogue(locale).actions
        for struct in action.Action.__args__:  # type: ignore[attr-defined]
            kind = struct.__struct_config__.tag
            assert texts[kind].takes, kind
            if texts[kind].vary:
                assert texts[kind].vary in {field.name for field in msgspec.structs.fields(struct)}
