"""The people of the demo that the sign-in page offers, grouped by what is particular about them."""

from __future__ import annotations

from typing import NamedTuple

from fenqi import texts
from fenqi.settings import DemoPerson
from fenqi.web.page import Visit
from fenqi.web.template import own


class Shown(NamedTuple):
    """Somebody as the list shows them: the label, and what the cashier will say."""

    sign_in_name: str
    label: str
    says: str
    is_fine: bool


def groups(visit: Visit) -> list[tuple[str, list[Shown]]]:
    """(heading, people) in the order of the settings' list."""
    found: dict[str, list[Shown]] = {}
    for one in visit.context.settings.demo_people:
        found.setdefault(own(one, "group", visit.locale), []).append(_shown(visit, one))
    return list(found.items())


def _shown(visit: Visit, one: DemoPerson) -> Shown:
    fine = one.code is None
    says = texts.t("sign_in.all_fine", visit.locale) if one.code is None else texts.title(one.code, visit.locale)
    return Shown(one.sign_in_name, own(one, "label", visit.locale), says, fine)
