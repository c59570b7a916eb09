"""The published dictionary keeps its promises: no code goes or changes without a new version."""

from __future__ import annotations

from fenqi.kernel.reason import CODES
from fenqi.texts import Locale, dictionary, has, published
from fenqi.texts.published import Published, next_version


def test_the_file_says_what_the_code_says() -> None:
    """`python -m fenqi.texts.published` writes it, and raises the version as the change asks."""
    assert published.kept().codes == published.promises()


def test_a_code_that_goes_or_changes_is_a_major_version_and_a_new_one_a_minor() -> None:
    was = Published("1.4.0", {"A": "1", "B": "2"})
    assert next_version(was, {"A": "1", "B": "2"}) == "1.4.0"
    assert next_version(was, {"A": "1", "B": "2", "C": "3"}) == "1.5.0"
    assert next_version(was, {"A": "1"}) == "2.0.0"
    assert next_version(was, {"A": "1", "B": "3", "C": "3"}) == "2.0.0"


def test_what_helps_has_words_for_everybody() -> None:
    kinds = {kind for meta in CODES.values() for kind in dictionary.entry(meta)["remedies"]}
    assert not [kind for kind in kinds for locale in Locale if not has(f"why.remedy.{kind}", locale)]


def test_the_public_dictionary_tells_hidden_codes_only_by_their_twin() -> None:
    for meta in CODES.values():
        found = dictionary.entry(meta)
        assert (found["twin"] is None) == (found["disclosure"] == "exact"), meta.code
