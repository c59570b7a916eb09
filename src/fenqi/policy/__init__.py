"""The room of policy: every rule as versioned data, published by two people, asked through a `PolicyBook`.

What changes who decides raises the epoch of kind `policy`; what time alone changes does so at `next_change_at`.
"""

from fenqi.policy.book import PolicyBook
from fenqi.policy.canary import begin as begin_canary
from fenqi.policy.canary import end as end_canary
from fenqi.policy.canary import is_in_share, promote
from fenqi.policy.canary import running as canary_at
from fenqi.policy.default_policy import default_document
from fenqi.policy.engine import Engine
from fenqi.policy.goods_table import goods_row, goods_table
from fenqi.policy.lint import faults, gaps, warnings
from fenqi.policy.lint_table import Fault, Known, table_faults
from fenqi.policy.model import (
    CapRow,
    GoodsVerdict,
    HistoryRow,
    InterestFreeRow,
    MethodRow,
    Numbers,
    PlanRow,
    PolicyDocument,
    PolicyState,
    PolicyVersion,
    Saved,
    Share,
    Who,
)
from fenqi.policy.publish import (
    by_number,
    document_hash,
    draft,
    get,
    get_history,
    in_force,
    next_change_at,
    note,
    parse_document,
    publish,
    recall,
    reject,
    roll_back,
    save,
    saved,
    saves,
    submit,
    versions,
    withdraw,
)
from fenqi.policy.shadow import Tally as ShadowTally
from fenqi.policy.shadow import begin as begin_shadow
from fenqi.policy.shadow import end as end_shadow
from fenqi.policy.shadow import keep as keep_shadow
from fenqi.policy.shadow import open_shadows, shadows
from fenqi.policy.shadow import result as shadow_result
from fenqi.policy.shadow_model import Shadow, ShadowResult

__all__ = [
    "CapRow",
    "Engine",
    "Fault",
    "GoodsVerdict",
    "HistoryRow",
    "InterestFreeRow",
    "Known",
    "MethodRow",
    "Numbers",
    "PlanRow",
    "PolicyBook",
    "PolicyDocument",
    "PolicyState",
    "PolicyVersion",
    "Saved",
    "Shadow",
    "ShadowResult",
    "ShadowTally",
    "Share",
    "Who",
    "begin_canary",
    "begin_shadow",
    "by_number",
    "canary_at",
    "default_document",
    "document_hash",
    "draft",
    "end_canary",
    "end_shadow",
    "faults",
    "gaps",
    "get",
    "get_history",
    "goods_row",
    "goods_table",
    "in_force",
    "is_in_share",
    "keep_shadow",
    "next_change_at",
    "note",
    "open_shadows",
    "parse_document",
    "promote",
    "publish",
    "recall",
    "reject",
    "roll_back",
    "save",
    "saved",
    "saves",
    "shadow_result",
    "shadows",
    "submit",
    "table_faults",
    "versions",
    "warnings",
    "withdraw",
]
