"""The room of policy: every rule as versioned data, published by two people, asked through a `PolicyBook`.

Publishing and withdrawing raise the epoch of kind `policy`; a version that waits takes over at `next_effective_at`.
"""

from fenqi.policy.book import PolicyBook
from fenqi.policy.default_policy import default_document
from fenqi.policy.engine import Engine
from fenqi.policy.lint import faults, gaps
from fenqi.policy.model import (
    CapRow,
    ExposureRow,
    GoodsRow,
    GoodsVerdict,
    InterestFreeRow,
    MethodRow,
    Numbers,
    PlanRow,
    PolicyDocument,
    PolicyState,
    PolicyVersion,
    Who,
)
from fenqi.policy.publish import (
    by_number,
    draft,
    get_history,
    in_force,
    next_effective_at,
    parse_document,
    publish,
    versions,
    withdraw,
)

__all__ = [
    "CapRow",
    "Engine",
    "ExposureRow",
    "GoodsRow",
    "GoodsVerdict",
    "InterestFreeRow",
    "MethodRow",
    "Numbers",
    "PlanRow",
    "PolicyBook",
    "PolicyDocument",
    "PolicyState",
    "PolicyVersion",
    "Who",
    "by_number",
    "default_document",
    "draft",
    "faults",
    "gaps",
    "get_history",
    "in_force",
    "next_effective_at",
    "parse_document",
    "publish",
    "versions",
    "withdraw",
]
