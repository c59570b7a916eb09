"""Seeds: the demo's invented merchants, goods and people, the same in every installation, and their first policy.

Pure generators, and `reference` and `enrol`, which hand them to the rooms.
"""

from fenqi.seed.goods import BLOCKED_TITLE, GIFT, PRESALE, SOLD_OUT, stocked
from fenqi.seed.ident import seed_id
from fenqi.seed.people import SeedPerson, enrol, people
from fenqi.seed.reference import POLICY_NUMBER, reference
from fenqi.seed.shops import BY_CODE, SELF_DEALING, SHOPS, SPONSOR, let_shops_be
from fenqi.seed.tree import categories

__all__ = [
    "BLOCKED_TITLE",
    "BY_CODE",
    "GIFT",
    "POLICY_NUMBER",
    "PRESALE",
    "SELF_DEALING",
    "SHOPS",
    "SOLD_OUT",
    "SPONSOR",
    "SeedPerson",
    "categories",
    "enrol",
    "let_shops_be",
    "people",
    "reference",
    "seed_id",
    "stocked",
]
