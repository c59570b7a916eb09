"""Any facts under a version: they are of that version, keep what happened, and put under it again stay as they are."""

from __future__ import annotations

from hypothesis import given, settings
from tests import world
from tests.strategies import facts

from fenqi import cashier
from fenqi.flows import repolicy
from fenqi.kernel.ids import new_id
from fenqi.policy import PolicyBook, PolicyState, PolicyVersion, default_document

BOOK = PolicyBook(
    PolicyVersion(
        new_id(), "other", PolicyState.PUBLISHED, default_document(world.AT), "a", world.AT, "b", world.AT, world.AT
    )
)
_POLICY_S_OWN = ("policy_version", "apr_cap_ppm", "methods", "plans", "rules", "credit", "risk")


@settings(max_examples=120, deadline=None)
@given(facts())
def test_under_a_version_twice_is_under_it_once(found):
    once = repolicy.under(found, BOOK)
    assert repolicy.under(once, BOOK, was=BOOK) == once
    assert cashier.decode_facts(cashier.encode_facts(once)) == once


@settings(max_examples=120, deadline=None)
@given(facts())
def test_what_happened_stays(found):
    after = repolicy.under(found, BOOK)
    for name in found.__struct_fields__:
        if name not in _POLICY_S_OWN:
            assert getattr(after, name) == getattr(found, name), name
    known = {each.method: each for each in found.methods}
    for each in after.methods:
        if each.method in known:
            assert (each.channel, each.told) == (known[each.method].channel, known[each.method].told)
    assert after.risk.codes == found.risk.codes
