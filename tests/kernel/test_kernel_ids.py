"""Time-ordered ids: the shape of RFC 9562's version 7, in order even within a millisecond, random where it counts."""

from __future__ import annotations

from fenqi.kernel.ids import bucket_of, new_id


def test_ids_made_one_after_another_are_in_order():
    made = [new_id() for _ in range(5_000)]
    assert made == sorted(set(made))
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}


def test_an_id_of_a_given_moment_starts_with_it():
    made = {new_id(1_767_225_600_123) for _ in range(1_000)}
    assert len(made) == 1_000
    assert {one.int >> 80 for one in made} == {1_767_225_600_123}
    assert len({bucket_of(one) for one in made}) > 200
