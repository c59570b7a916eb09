"""What a candidate would have changed, in figures that add up over files: orders, amounts, credit, losses, reasons.

Pure, in Polars. Whatever is assumed of people stands in `Assumptions`; all amounts are fen, shares are millionths.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
import polars as pl

_PPM = 1_000_000
CREDIT = "credit"


class Assumptions(msgspec.Struct, frozen=True):
    """What nobody can know of people who were never asked. Sources in brackets are those of the back-test's page in the
    docs; (A) is our own choice."""

    buys_after_refusal_ppm: int = 700_000
    """Pressed, was refused and left; buys if what was refused is approved (A)."""
    buys_if_shown_ppm: int = 85_000
    """Left without pressing; buys if one more method is there: of those who abandon carts, 8 to 9 % miss a method
    [BY2]."""
    leaves_ppm: int = 420_000
    """Paid by what isn't approved any more, and could pay otherwise: leaves [PP1]. Without another way all leave."""
    takes_credit_ppm: int = 200_000
    """Paid otherwise; takes credit if that is approved: its share at the cashier (A)."""
    pd_ppm: int = 12_100
    """Of buyers whom nobody has scored: 90 days and more overdue, June 2020 [D2]."""
    lgd_ppm: int = 600_000
    """What is lost of a credit that goes bad (A)."""


class Change(msgspec.Struct):
    """An amount or a count before and after."""

    before: int = 0
    after: int = 0

    def add(self, before: int, after: int) -> None:
        """Count this in."""
        self.before += before
        self.after += after


class Figures(msgspec.Struct):
    """The sums of one file or of many."""

    rows: int = 0
    decisions: int = 0
    orders: int = 0
    changed_decisions: int = 0
    judged_exactly: int = 0
    agreed: int = 0
    """Rows whose outcome by the tables alone was found to be the evaluator's."""
    disagreed: int = 0
    methods: dict[str, Change] = msgspec.field(default_factory=dict)
    """Orders that each method could pay, by any of its plans."""
    judged: dict[str, int] = msgspec.field(default_factory=dict)
    """Orders for which the method was judged."""
    payable: Change = msgspec.field(default_factory=Change)
    """Orders that some method could pay."""
    opened: int = 0
    """Orders for which some method or plan is approved that was not."""
    closed: int = 0
    gmv: Change = msgspec.field(default_factory=Change)
    won_minor: int = 0
    lost_minor: int = 0
    credit: Change = msgspec.field(default_factory=Change)
    loss: Change = msgspec.field(default_factory=Change)
    exposure: dict[str, dict[str, Change]] = msgspec.field(default_factory=dict)
    """By dimension and value: credit given."""
    days: dict[str, list[int]] = msgspec.field(default_factory=dict)
    """By business day: orders, opened, closed."""
    merchants: set[str] = msgspec.field(default_factory=set)
    buyers: set[str] = msgspec.field(default_factory=set)
    new_reasons: dict[str, int] = msgspec.field(default_factory=dict)
    gone_reasons: dict[str, int] = msgspec.field(default_factory=dict)
    remedies: dict[str, int] = msgspec.field(default_factory=dict)
    remedies_sampled: int = 0

    def take_in(self, other: Figures) -> None:
        """Add the sums of other files."""
        for name in self.__struct_fields__:
            mine, theirs = getattr(self, name), getattr(other, name)
            match mine:
                case int():
                    setattr(self, name, mine + theirs)
                case set():
                    mine |= theirs
                case Change():
                    mine.add(theirs.before, theirs.after)
                case dict():
                    _merge(mine, theirs)


def _merge(mine: dict[str, object], theirs: dict[str, object]) -> None:
    for key, value in theirs.items():
        match value:
            case int():
                mine[key] = int(str(mine.get(key, 0))) + value
            case Change():
                kept = mine.setdefault(key, Change())
                assert isinstance(kept, Change)
                kept.add(value.before, value.after)
            case list():
                old = mine.get(key, [0] * len(value))
                assert isinstance(old, list)
                mine[key] = [a + b for a, b in zip(old, value, strict=True)]
            case dict():
                inner = mine.setdefault(key, {})
                assert isinstance(inner, dict)
                _merge(inner, value)


NEEDED = (
    "decision_id", "order_id", "consumer_id", "day_on", "method", "plan", "scene", "segments", "pd_ppm", "lines",
    "payable_minor", "on_credit_minor", "outcome", "paid_method", "paid_plan", "available", "is_last",
)  # fmt: skip
"""The columns of the export that are looked at."""
_OF_ORDER = ("payable_minor", "outcome", "on_credit_minor", "pd_ppm")


def figures(rows: pl.DataFrame, assumed: Assumptions) -> Figures:
    """The sums of judged rows: those of the export with `available_after`; and for reasons `changed`, and as texts
    joined by commas `codes` and `codes_after` of the rows that changed."""
    numbered = rows.with_columns(order=pl.col("order_id").cast(pl.Categorical()).to_physical())
    last = numbered.filter("is_last")
    orders = _orders(last, assumed)
    found = Figures(rows=rows.height, decisions=rows["decision_id"].n_unique(), orders=orders.height)
    _count_methods(found, last)
    _count_orders(found, orders)
    _count_touched(found, orders.filter(pl.col("opened") | pl.col("closed")), last)
    _count_exposure(found, orders.filter((pl.col("on_credit_minor") > 0) | (pl.col("credit_after") > 0)), last)
    _count_reasons(found, rows.filter("changed"))
    return found


def _orders(rows: pl.DataFrame, assumed: Assumptions) -> pl.DataFrame:
    """One row an order: what could pay it before and after, and what would be won and lost of it. `first`: the place of
    its first row among all."""
    was, now = pl.col("available"), pl.col("available_after")
    is_credit = pl.col("method") == CREDIT
    paid_by = (pl.col("method") == pl.col("paid_method")) & pl.col("plan").eq_missing(pl.col("paid_plan"))
    seen = rows.select(
        "order", *_OF_ORDER, was=was, now=now, opened=~was & now, closed=was & ~now, credit_was=was & is_credit,
        credit_now=now & is_credit, paid_was=(paid_by & was).fill_null(False),
        paid_now=(paid_by & now).fill_null(False),
    )  # fmt: skip
    flags = ("was", "now", "opened", "closed", "credit_was", "credit_now", "paid_was", "paid_now")
    orders = (
        seen.with_row_index("first").group_by("order").agg(pl.col("first", *_OF_ORDER).first(), pl.col(flags).any())
    )
    shares = orders.with_columns(
        opened_credit=pl.col("credit_now") & ~pl.col("credit_was"),
        lost=pl.col("paid_was") & ~pl.col("paid_now"),
    ).with_columns(
        lost_ppm=pl.when("lost").then(pl.when("now").then(assumed.leaves_ppm).otherwise(_PPM)).otherwise(0),
        won_ppm=pl.when(~pl.col("opened"))
        .then(0)
        .when(pl.col("outcome") == "refused")
        .then(assumed.buys_after_refusal_ppm)
        .when(pl.col("outcome") == "left")
        .then(assumed.buys_if_shown_ppm)
        .otherwise(0),
        paid_minor=pl.when(pl.col("outcome") == "paid").then("payable_minor").otherwise(0),
        pd=pl.col("pd_ppm").fill_null(assumed.pd_ppm),
    )
    return _amounts(shares, assumed)


def _amounts(orders: pl.DataFrame, assumed: Assumptions) -> pl.DataFrame:
    on_credit, payable = pl.col("on_credit_minor"), pl.col("payable_minor")
    takes = pl.when((pl.col("paid_minor") > 0) & (on_credit == 0) & pl.col("opened_credit") & ~pl.col("lost"))
    gone = pl.when(~pl.col("lost")).then(0).when("credit_now").then(_part(on_credit, "lost_ppm")).otherwise(on_credit)
    come = pl.when("opened_credit").then(_part(payable, "won_ppm")).otherwise(0)
    return orders.with_columns(
        won_minor=_part(payable, "won_ppm"),
        lost_minor=_part(pl.col("paid_minor"), "lost_ppm"),
        credit_after=on_credit - gone + come + takes.then(payable * assumed.takes_credit_ppm // _PPM).otherwise(0),
    ).with_columns(
        loss_before=on_credit * pl.col("pd") // _PPM * assumed.lgd_ppm // _PPM,
        loss_after=pl.col("credit_after") * pl.col("pd") // _PPM * assumed.lgd_ppm // _PPM,
    )


def _part(amount: pl.Expr, share: str) -> pl.Expr:
    return amount * pl.col(share) // _PPM


def _count_methods(found: Figures, rows: pl.DataFrame) -> None:
    """Orders by method, as their last word of the day has it."""
    by_order = (
        rows.select("order", pl.col("method").cast(pl.Categorical()), "available", "available_after")
        .group_by("order", "method")
        .agg(pl.col("available", "available_after").any())
    )
    sums = by_order.group_by("method").agg(pl.len(), pl.col("available", "available_after").sum())
    for method, judged, before, after in sums.sort("method").iter_rows():
        found.judged[method] = judged
        found.methods[method] = Change(before, after)


def _count_orders(found: Figures, orders: pl.DataFrame) -> None:
    sums = orders.select(
        pl.col(
            "was", "now", "opened", "closed", "paid_minor", "won_minor", "lost_minor", "on_credit_minor",
            "credit_after", "loss_before", "loss_after",
        ).sum()
    ).row(0, named=True)  # fmt: skip
    found.payable = Change(sums["was"], sums["now"])
    found.opened, found.closed = sums["opened"], sums["closed"]
    found.won_minor, found.lost_minor = sums["won_minor"], sums["lost_minor"]
    found.gmv = Change(sums["paid_minor"], sums["paid_minor"] + found.won_minor - found.lost_minor)
    found.credit = Change(sums["on_credit_minor"], sums["credit_after"])
    found.loss = Change(sums["loss_before"], sums["loss_after"])


def _with(orders: pl.DataFrame, rows: pl.DataFrame, *names: str) -> pl.DataFrame:
    """Some orders with what only their rows tell."""
    return orders.hstack(rows.select(names)[orders["first"]])


def _count_touched(found: Figures, touched: pl.DataFrame, rows: pl.DataFrame) -> None:
    """Whom the changes concern, and on which days."""
    known = _with(touched, rows, "consumer_id", "day_on", "lines")
    found.buyers = set(known["consumer_id"])
    found.merchants = set(known.select(pl.col("lines").explode().struct.field("merchant_id"))["merchant_id"])
    every = rows.group_by("day_on").agg(pl.col("order").n_unique())
    found.days = {on.isoformat(): [count, 0, 0] for on, count in every.sort("day_on").iter_rows()}
    for on, opened, closed in known.group_by("day_on").agg(pl.col("opened", "closed").sum()).iter_rows():
        found.days[on.isoformat()][1:] = [opened, closed]


def _count_exposure(found: Figures, orders: pl.DataFrame, rows: pl.DataFrame) -> None:
    """Credit before and after by scene, segment, and, in proportion to the lines' amounts, root category and merchant;
    what is rounded off stays with nobody."""
    lent = _with(orders, rows, "scene", "segments", "lines")
    nobody = pl.lit(["none"], pl.List(pl.String()))
    groups = pl.when(pl.col("segments").list.len() > 0).then("segments").otherwise(nobody)
    by_segment = lent.select("on_credit_minor", "credit_after", segment=groups).explode("segment")
    lines = lent.select("on_credit_minor", "credit_after", "lines").with_row_index("order").explode("lines")
    whole = pl.col("amount_minor").sum().over("order")
    by_line = lines.unnest("lines").select(
        category=pl.col("category").list.last(), merchant="merchant_id",
        on_credit_minor=pl.col("on_credit_minor") * pl.col("amount_minor") // whole.clip(1),
        credit_after=pl.col("credit_after") * pl.col("amount_minor") // whole.clip(1),
    )  # fmt: skip
    for name, frame in (("scene", lent), ("segment", by_segment), ("category", by_line), ("merchant", by_line)):
        sums = frame.group_by(name).agg(pl.col("on_credit_minor", "credit_after").sum())
        found.exposure[name] = {key or "": Change(before, after) for key, before, after in sums.sort(name).iter_rows()}


def _count_reasons(found: Figures, rows: pl.DataFrame) -> None:
    """Rows that a code newly stands against, or no longer does."""
    new, gone = Counter[str](), Counter[str]()
    for before, after, count in rows.group_by("codes", "codes_after").len().iter_rows():
        was, now = _split(before), _split(after)
        new.update(dict.fromkeys(now - was, count))
        gone.update(dict.fromkeys(was - now, count))
    found.new_reasons, found.gone_reasons = dict(new), dict(gone)


def _split(joined: str | None) -> set[str]:
    return set(joined.split(",")) if joined else set()


def total(some: Iterable[Figures]) -> Figures:
    """The sums of many files."""
    whole = Figures()
    for each in some:
        whole.take_in(each)
    return whole
