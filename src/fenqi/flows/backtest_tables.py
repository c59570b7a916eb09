"""A candidate's tables over the rows of stored decisions: what policy would say of each, and whether it could be paid.

Pure, in Polars. It says again what the gates say of goods and of findings; the exact evaluator is held against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import polars as pl

from fenqi.flows.transaction_risk import ANCHORS
from fenqi.policy import PolicyDocument
from fenqi.policy.batch import BatchTable
from fenqi.policy.model import NOT_COVERED
from fenqi.policy.schema import FINDINGS
from fenqi.policy.table import Row

_LINE_KINDS = (
    ("gift", "is_gift", "GOODS_GIFT_OR_ADDON"),
    ("cross_border", "is_cross_border", "CROSS_BORDER"),
    ("subscription", "is_subscription", "RECURRING_OR_SUBSCRIPTION"),
    ("trade_in", "is_trade_in", "TRADE_IN_SUBSIDY_EXCLUSIVE"),
)
_ORDER_KINDS = (
    ("presale_deposit", "is_presale_deposit", "PRESALE_DEPOSIT"),
    ("enterprise", "is_enterprise", "ENTERPRISE_ORDER"),
)
_VERDICTS = {
    NOT_COVERED: "POLICY_MISSING",
    "category_excluded": "GOODS_CATEGORY_EXCLUDED",
    "seller_type_excluded": "SELLER_TYPE_EXCLUDED",
}
CODES: tuple[str, ...] = (
    *_VERDICTS.values(),
    *(code for _, _, code in (*_LINE_KINDS, *_ORDER_KINDS)),
    "AMOUNT_BELOW_MIN", "AMOUNT_ABOVE_MAX", "PLAN_TERM_NOT_OFFERED", "EXPOSURE_CAP_REACHED",
    "DOWN_PAYMENT_REQUIRED",
    *(code for code in FINDINGS if code != "none"),
)  # fmt: skip
"""The codes that tables give; a set of them is a number, one bit each."""
BIT = {code: 1 << place for place, code in enumerate(CODES)}
_MASK = pl.UInt32()
_HOUR_MS = 3_600_000
_EVERY_TERM = (1 << 63) - 1
_OF_LINE = ("category", "seller_kind", "merchant")
_BY_ROW = ("instalments", "plan", "other_reasons", "policy_reasons")
_NEEDED = (
    *_BY_ROW, "is_head", "lines", "pays_minor", "payable_minor", "is_presale_deposit", "is_enterprise", "is_asked",
    "lifted", "now_ms", "exposure_used",
)  # fmt: skip


def mask_of(codes: Iterable[str]) -> int:
    """A set of codes as a number; what no table gives is left out."""
    return sum(BIT[code] for code in set(codes) if code in BIT)


def codes_of(mask: int) -> tuple[str, ...]:
    """The codes of a number."""
    return tuple(code for code, bit in BIT.items() if mask & bit)


class Tables:
    """A candidate's tables about purchases, compiled."""

    def __init__(self, document: PolicyDocument) -> None:
        by_key = {table.key: table for table in document.tables}
        self._goods, self._counter = BatchTable(by_key["goods"]), BatchTable(by_key["counter_offer"])
        self._risk, self._caps = BatchTable(by_key["transaction"]), BatchTable(by_key["exposure"])
        asked = {name for table in (self._goods, self._counter, self._risk, self._caps) for name in table.tested}
        self.needs: tuple[str, ...] = tuple(sorted(asked | set(_NEEDED) | set(ANCHORS.values())))
        """The columns of the export that are looked at."""

    def judge(self, rows: pl.DataFrame) -> pl.DataFrame:
        """For each row `before` and `after`, the codes that tables gave and would give, as numbers, and
        `available_after`."""
        heads = rows.select(name for name in self.needs if name not in _BY_ROW).filter("is_head")
        goods, counter = self._of_goods(heads), self._of_counter(heads)
        whole = goods["mask"] | self._of_risk(heads) | self._of_caps(heads) | counter["mask"]
        own = (rows["is_head"].cast(pl.UInt32()).cum_sum() - 1).alias("own")
        mask, terms = whole.gather(own), (goods["terms"] & counter["terms"]).gather(own)
        bits = pl.Series([1 << place for place in range(63)], dtype=pl.UInt64())
        asks_term = (rows["instalments"] > 1) & rows["plan"].is_not_null()
        refused = asks_term & ((bits.gather(rows["instalments"]) & terms) == 0)
        after = mask | pl.select(_bit(refused, "PLAN_TERM_NOT_OFFERED")).to_series()
        clear = rows["other_reasons"].list.len() == 0
        return pl.DataFrame({"before": masks(rows["policy_reasons"]), "after": after}).with_columns(
            available_after=clear & (after == 0)
        )

    def _of_goods(self, heads: pl.DataFrame) -> pl.DataFrame:
        """For each head `mask` and `terms`, the counts of instalments that all of its lines allow."""
        asked = [name for name in self._goods.tested if name not in _OF_LINE]
        kept = [*asked, "lines", "pays_minor", "is_presale_deposit", "is_enterprise"]
        lines = heads.select(kept).with_row_index("head").explode("lines").unnest("lines")
        place = self._goods.first(lines)
        told = lines.select(
            "head", "amount_minor", "pays_minor", place=place, terms=_spread(self._terms(), place, pl.UInt64()),
            least=_spread(self._goods.outputs("min_minor"), place, pl.Int64()),
            most=_spread(self._goods.outputs("max_minor"), place, pl.Int64()),
            mask=self._of_lines(lines, place),
        )  # fmt: skip
        if lines.height == heads.height:
            whole = told.with_columns(over=pl.min_horizontal("amount_minor", "pays_minor") > pl.col("most"))
        else:
            whole = _of_many(told)
        amounts = pl.col("mask") | _bit(pl.col("pays_minor") < pl.col("least"), "AMOUNT_BELOW_MIN")
        return whole.select(
            pl.col("terms").fill_null(_EVERY_TERM), mask=amounts | _bit(pl.col("over"), "AMOUNT_ABOVE_MAX")
        )

    def _of_counter(self, heads: pl.DataFrame) -> pl.DataFrame:
        """For each head `mask`, a part that has to be paid down and isn't, and `terms`, up to the longest plan."""
        place = self._counter.first(heads)
        most = [
            _EVERY_TERM if each is None else (1 << max(int(str(each)), 1) + 1) - 1
            for each in self._counter.outputs("most_instalments")
        ]
        told = heads.select(
            "is_asked", "payable_minor", "pays_minor",
            unknown=place.is_null() & ~heads["lifted"].list.contains("review"),
            terms=_spread(most, place, pl.UInt64()),
            share=_spread(self._counter.outputs("down_payment_ppm"), place, pl.Int64()).fill_null(0),
        )  # fmt: skip
        down = -((-pl.col("payable_minor") * pl.col("share")) // 1_000_000)
        short = (pl.col("share") > 0) & (pl.col("payable_minor") - pl.col("pays_minor") < down)
        mask = _bit(pl.col("unknown"), "RISK_MANUAL_REVIEW") | _bit(short, "DOWN_PAYMENT_REQUIRED")
        asked = pl.when("is_asked")
        return told.select(
            mask=asked.then(mask).otherwise(pl.lit(0, _MASK)),
            terms=asked.then("terms").otherwise(None).fill_null(_EVERY_TERM),
        )

    def _of_lines(self, lines: pl.DataFrame, place: pl.Series) -> pl.Series:
        """For each line the codes of its rule."""
        verdicts = [mask_of([_VERDICTS[str(each)]] if each in _VERDICTS else []) for each in self._said("verdict")]
        found = _spread(verdicts, place, _MASK).fill_null(BIT["POLICY_MISSING"])
        for kind, flag, code in (*_LINE_KINDS, *_ORDER_KINDS):
            excluding = [kind in _items(each) for each in self._said("excluded")]
            if any(excluding):
                holds = _spread(excluding, place, pl.Boolean()).fill_null(False) & lines[flag]
                found = found | pl.select(_bit(holds, code)).to_series()
        return found

    def _said(self, output: str) -> Sequence[object]:
        return self._goods.outputs(output)

    def _terms(self) -> list[int]:
        """For each rule the counts of instalments that it allows, one bit each."""
        return [
            _EVERY_TERM if each is None else sum(1 << int(str(count)) for count in set(_items(each)))
            for each in self._said("terms")
        ]

    def _of_risk(self, heads: pl.DataFrame) -> pl.Series:
        """For each head the findings that nothing lifts, where signals were gathered."""
        found = pl.repeat(0, heads.height, dtype=_MASK, eager=True)
        every = self._risk.every(heads)
        cleared = heads["lifted"].list.contains("review")
        said = zip(self._risk.outputs("code"), self._risk.table.rows, every.get_columns(), strict=True)
        for code, row, hit in said:
            found = found | pl.select(_bit(hit.is_null() & ~cleared, "RISK_MANUAL_REVIEW")).to_series()
            if code in BIT:
                stands = hit.fill_null(False) & ~_lifted(heads, row)
                found = found | pl.select(_bit(stands, str(code))).to_series()
        return found.zip_with(heads["is_asked"], pl.repeat(0, heads.height, dtype=_MASK, eager=True))

    def _of_caps(self, heads: pl.DataFrame) -> pl.Series:
        """For each head whether a cap of the whole book leaves too little room; one that can't be told leaves none."""
        found = pl.repeat(False, heads.height, dtype=pl.Boolean(), eager=True)
        caps, names = self._caps.outputs("cap_minor"), self._caps.outputs("programme")
        for cap, name, hit in zip(caps, names, self._caps.every(heads).get_columns(), strict=True):
            found = found | hit.is_null()
            if isinstance(cap, int):
                used = pl.element().struct.field("used_minor").filter(pl.element().struct.field("programme").eq(name))
                room = pl.lit(cap) - pl.col("exposure_used").list.eval(used).list.sum().fill_null(0)
                short = heads.select(short=pl.col("pays_minor") > room.clip(0))["short"]
                found = found | (hit.fill_null(False) & short)
        return pl.select(_bit(found & (heads["pays_minor"] > 0), "EXPOSURE_CAP_REACHED")).to_series()


def _lifted(heads: pl.DataFrame, row: Row) -> pl.Series:
    """Where what lifts a finding of this row has been done, or its wait is over; where nothing tells a wait's end, a
    person ends it."""
    cure, hours = str(row.then.get("cure", "none")), row.then.get("wait_hours", 0)
    if cure != "wait":
        return heads["lifted"].list.contains(cure)
    since = [pl.col(ANCHORS[name]) for name in row.when if name in ANCHORS]
    if not since or not isinstance(hours, int):
        return heads["lifted"].list.contains("review")
    until = pl.max_horizontal(since) + hours * _HOUR_MS
    over = until.is_not_null() & ((until <= pl.col("now_ms")) | pl.col("lifted").list.contains("wait"))
    return heads.select(over=over | (until.is_null() & pl.col("lifted").list.contains("review")))["over"]


def _of_many(told: pl.DataFrame) -> pl.DataFrame:
    """Lines as one head each: what holds of any line, and amounts summed by the rule that bounds them."""
    by_rule = told.group_by("head", "place").agg(pl.col("amount_minor").sum(), pl.col("most", "pays_minor").first())
    over = by_rule.group_by("head").agg(
        over=(pl.min_horizontal("amount_minor", "pays_minor") > pl.col("most")).fill_null(False).any()
    )
    whole = told.group_by("head").agg(
        pl.col("mask").bitwise_or(), pl.col("terms").fill_null(_EVERY_TERM).bitwise_and(), pl.col("least").max(),
        pl.col("pays_minor").first(),
    )  # fmt: skip
    return whole.join(over, on="head").sort("head")


def masks(codes: pl.Series) -> pl.Series:
    """Lists of codes as numbers; each list that occurs is read once."""
    joined = codes.list.join(",")
    texts = joined.unique()
    numbers = pl.Series([mask_of(text.split(",")) if text else 0 for text in texts], dtype=_MASK)
    return numbers.gather(joined.cast(pl.Enum(texts)).to_physical())


def _spread(values: Sequence[object], place: pl.Series, dtype: pl.DataType) -> pl.Series:
    """What the row of a table in each place says; null where none answers."""
    return pl.Series(values or [None], dtype=dtype).gather(place)


def _bit(holds: pl.Expr | pl.Series, code: str) -> pl.Expr:
    there = pl.lit(holds) if isinstance(holds, pl.Series) else holds
    return pl.when(there.fill_null(False)).then(pl.lit(BIT[code], _MASK)).otherwise(pl.lit(0, _MASK))


def _items(value: object) -> tuple[object, ...]:
    return value if isinstance(value, tuple) else ()
