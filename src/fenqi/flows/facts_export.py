"""Each business day's stored decisions as Parquet files under the data directory: what a back-test reads.

A day that is over is written once; writing it again gives the same rows. The day that runs has a file of its own,
which every run replaces.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from fenqi import cashier
from fenqi.cashier import StoredDecision
from fenqi.flows.context import Context
from fenqi.kernel.clock import business_date, epoch_ms, start_of_day

_LOG = logging.getLogger(__name__)
FOLDER = "facts"
_AT_ONCE = 500
_A_FILE = 20_000
"""Decisions in one file: some three hundred thousand rows."""
_SETTLES = timedelta(hours=2)
"""How long after its end a day is written: by then its orders are paid or have lapsed."""
Portion = list[tuple[StoredDecision, Any, str | None, str | None, int, bool]]
Run = Callable[..., Awaitable[Any]]
"""Runs a function with its arguments: here, or in another process."""


async def inline(work: Callable[..., Any], *given: Any) -> Any:
    """Runs it here and now."""
    return work(*given)


def folder_of(ctx: Context) -> Path:
    """Where the files are."""
    return ctx.settings.data_dir / FOLDER


def days_written(folder: Path) -> set[date]:
    """The days that are over and written."""
    return {date.fromisoformat(path.stem) for path in folder.glob("????-??-??.parquet")}


def files_of(folder: Path, from_on: date, until_on: date) -> list[Path]:
    """The files of the days from one to another, both counted, oldest first."""
    every = sorted(folder.glob("????-??-??*.parquet"))
    return [path for path in every if from_on <= date.fromisoformat(path.name[:10]) <= until_on]


async def catch_up(ctx: Context, run: Run = inline) -> int:
    """Write every day that is over and not written yet, oldest first; how many."""
    on, count = await _next_on(ctx), 0
    while on is not None and _is_settled(ctx, on):
        await export_day(ctx, on, run)
        on, count = on + timedelta(days=1), count + 1
    return count


async def is_behind(ctx: Context) -> bool:
    """Whether there is a day to be written."""
    on = await _next_on(ctx)
    return on is not None and _is_settled(ctx, on)


def _is_settled(ctx: Context, on: date) -> bool:
    return start_of_day(on + timedelta(days=1)) + _SETTLES <= ctx.now()


async def _next_on(ctx: Context) -> date | None:
    written = days_written(folder_of(ctx))
    return max(written) + timedelta(days=1) if written else await _first_on(ctx)


async def _first_on(ctx: Context) -> date | None:
    async with ctx.database.snapshot() as tx:
        at = await cashier.first_decided_at(tx)
    return None if at is None else business_date(at)


async def up_to_now(ctx: Context, run: Run = inline) -> None:
    """Catch up, and write the days that are not settled as far as they have come."""
    await catch_up(ctx, run)
    today_on = business_date(ctx.now())
    written = days_written(folder_of(ctx))
    for on in (today_on - timedelta(days=1), today_on):
        if on not in written:
            await export_day(ctx, on, run, is_whole=False)


async def export_day(ctx: Context, on: date, run: Run = inline, *, is_whole: bool = True) -> list[Path]:
    """Write a business day's decisions; its first file last, so that a day which has one is complete."""
    folder, now_ms = folder_of(ctx), epoch_ms(ctx.now())
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    first: Portion = []
    async for number, portion in _numbered(_portions(ctx, on)):
        if number == 1:
            first = portion
            continue
        paths.append(folder / file_name(on, number, is_whole=is_whole))
        await run(write, paths[-1], portion, now_ms)
    paths.append(folder / file_name(on, is_whole=is_whole))
    await run(write, paths[-1], first, now_ms)
    for left in files_of(folder, on, on):
        if left not in paths and (is_whole or ".open." in left.name):
            left.unlink(missing_ok=True)
    return paths


def file_name(day_on: date, part: int = 1, *, is_whole: bool = True) -> str:
    """The name of a day's file; a day that isn't over yet has another."""
    tail = "" if part == 1 else f".{part}"
    return f"{day_on.isoformat()}{tail}{'' if is_whole else '.open'}.parquet"


async def _numbered(portions: AsyncIterator[Portion]) -> AsyncIterator[tuple[int, Portion]]:
    number = 0
    async for portion in portions:
        number += 1
        yield number, portion


async def _portions(ctx: Context, on: date) -> AsyncIterator[Portion]:
    """The day's decisions in portions; those of one checkout are together."""
    kept: Portion = []
    async with ctx.database.snapshot() as tx:
        span = (start_of_day(on), start_of_day(on + timedelta(days=1)))
        async for some in cashier.decisions_of_day(tx, *span, _AT_ONCE):
            for row in some:
                if len(kept) >= _A_FILE and row[0].intent_id != kept[-1][0].intent_id:
                    yield kept
                    kept = []
                kept.append(row)
    yield kept


def write(path: Path, portion: Portion, now_ms: int) -> None:
    """Write decisions to a file, whole or not at all."""
    from fenqi.flows.decision_rows import frame_of, mark_last

    rows = [row for some in _by_checkout(portion) for row in _rows(some, now_ms, mark_last)]
    beside = path.with_name(f"{path.stem}.{uuid4().hex}.writing")  # two processes may write the same day
    frame_of(rows).write_parquet(beside, compression="zstd", row_group_size=250_000)
    beside.replace(path)


def _by_checkout(portion: Portion) -> Iterator[Portion]:
    some: Portion = []
    for each in portion:
        if some and some[0][0].intent_id != each[0].intent_id:
            yield some
            some = []
        some.append(each)
    if some:
        yield some


def _rows(some: Sequence[Any], now_ms: int, mark_last: Callable[[list[dict[str, Any]]], None]) -> list[dict[str, Any]]:
    from fenqi.flows.decision_rows import Ended, rows_of

    rows: list[dict[str, Any]] = []
    for stored, *ended in some:
        try:
            rows += rows_of(stored, Ended(*ended), now_ms)
        except (msgspec.DecodeError, LookupError, ValueError):
            _LOG.exception("the decision %s can't be read, and is left out", stored.decision_id)
    mark_last(rows)
    return rows
