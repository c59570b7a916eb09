"""SQL of the line, its moves, consents and applications; every statement carries the consumer's key."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from fenqi.credit.decision import ApplicationInputs, Assessed
from fenqi.credit.model import Application, Consent, ConsentKind, CreditLine, LineMove, LineState
from fenqi.database import packing
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of
from fenqi.kernel.refusal import Stale

_COLUMNS = CreditLine.__struct_fields__
_LISTED = ", ".join(_COLUMNS)
_SELECT = f"SELECT {_LISTED} FROM credit_line WHERE bucket = %s AND consumer_id = %s"
_INSERT = f"INSERT INTO credit_line ({_LISTED}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) ON CONFLICT DO NOTHING"
_CHANGED = [name for name in _COLUMNS if name not in ("bucket", "consumer_id", "opened_at")]
_UPDATE = (
    f"UPDATE credit_line SET {', '.join(f'{name} = %s' for name in _CHANGED)}"
    " WHERE bucket = %s AND consumer_id = %s AND version = %s AND state = %s"
)
_TUPLES = frozenset({"principal_reasons", "consents"})
_JSON = msgspec.json.Encoder()


async def select_line(tx: Tx, consumer_id: UUID, lock: Literal["", "update"] = "") -> CreditLine | None:
    """The consumer's line, or None where none was ever opened; `lock="update"` keeps others from changing it."""
    cursor = await tx.execute(_SELECT + (" FOR UPDATE" if lock else ""), (bucket_of(consumer_id), consumer_id))
    row = await cursor.fetchone()
    return None if row is None else line_of(row)


def line_of(row: Sequence[Any]) -> CreditLine:
    """A line from its row, columns in the struct's order."""
    values = dict(zip(_COLUMNS, row, strict=True))
    values["state"] = LineState(values["state"])
    for name in _TUPLES:
        values[name] = tuple(values[name])
    return CreditLine(**values)


def _values(line: CreditLine, names: Sequence[str]) -> list[Any]:
    values = [getattr(line, name) for name in names]
    return [list(one) if isinstance(one, tuple) else str(one) if isinstance(one, LineState) else one for one in values]


async def insert_line(tx: Tx, line: CreditLine) -> None:
    """A consumer's first row. Refuses with Stale when another transaction was first."""
    done = await tx.execute(_INSERT, _values(line, _COLUMNS))
    if done.rowcount != 1:
        raise Stale("STATE_CONFLICT", "the credit line was opened by another request")


async def update_line(tx: Tx, before: CreditLine, after: CreditLine) -> None:
    """Replace `before` by `after`, whose version is the next one. Refuses with Stale when `before` is no longer so."""
    assert after.version == before.version + 1, "each change of a line is one version"
    key = (before.bucket, before.consumer_id, before.version, str(before.state))
    done = await tx.execute(_UPDATE, [*_values(after, _CHANGED), *key])
    if done.rowcount != 1:
        raise Stale("STATE_CONFLICT", "the credit line has changed since it was read")


async def insert_move(tx: Tx, move: LineMove) -> None:
    """Keep one change of a line, with who and why."""
    await tx.execute(
        "INSERT INTO credit_line_move"
        " (bucket, consumer_id, version, from_state, to_state, changed, moved_by, why, moved_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            bucket_of(move.consumer_id),
            move.consumer_id,
            move.version,
            str(move.from_state),
            str(move.to_state),
            _JSON.encode(move.changed).decode(),
            move.moved_by,
            move.why,
            move.moved_at,
        ),
    )


async def select_moves(tx: Tx, consumer_id: UUID) -> list[LineMove]:
    """A line's history, oldest first."""
    cursor = await tx.execute(
        "SELECT consumer_id, version, from_state, to_state, changed, moved_by, why, moved_at FROM credit_line_move"
        " WHERE bucket = %s AND consumer_id = %s ORDER BY version",
        (bucket_of(consumer_id), consumer_id),
    )
    return [LineMove(row[0], row[1], LineState(row[2]), LineState(row[3]), *row[4:]) for row in await cursor.fetchall()]


async def insert_consents(
    tx: Tx, consumer_id: UUID, ids: Sequence[UUID], given: Sequence[Consent], at: datetime
) -> None:
    """Keep consents as they were given or withdrawn."""
    await tx.execute(
        "INSERT INTO credit_consent (bucket, consumer_id, consent_id, kind, version, given, decided_at)"
        " SELECT %s, %s, consent_id, kind, version, given, %s"
        " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::boolean[]) AS c(consent_id, kind, version, given)",
        (
            bucket_of(consumer_id),
            consumer_id,
            at,
            list(ids),
            [str(consent.kind) for consent in given],
            [consent.version for consent in given],
            [consent.given for consent in given],
        ),
    )


async def select_consents(tx: Tx, consumer_id: UUID) -> list[tuple[Consent, datetime]]:
    """Every consent the consumer gave or withdrew, oldest first."""
    cursor = await tx.execute(
        "SELECT kind, version, given, decided_at FROM credit_consent WHERE bucket = %s AND consumer_id = %s"
        " ORDER BY decided_at, consent_id",
        (bucket_of(consumer_id), consumer_id),
    )
    return [(Consent(ConsentKind(row[0]), row[1], row[2]), row[3]) for row in await cursor.fetchall()]


_APPLICATION = (
    "application_id, applied_at, policy_version, inputs::text, outcome, limit_minor, principal_reasons, assessed::text"
)


async def insert_application(tx: Tx, application: Application) -> None:
    """Keep an application with what the decision looked at and what it said."""
    await tx.execute(
        "INSERT INTO credit_application (bucket, consumer_id, application_id, applied_at, policy_version, inputs,"
        " outcome, limit_minor, principal_reasons, assessed) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            bucket_of(application.consumer_id),
            application.consumer_id,
            application.application_id,
            application.applied_at,
            application.policy_version,
            _JSON.encode(application.inputs).decode(),
            application.outcome,
            application.limit_minor,
            list(application.principal_reasons),
            None if application.assessed is None else _JSON.encode(application.assessed).decode(),
        ),
    )


async def select_applications(tx: Tx, consumer_id: UUID) -> list[Application]:
    """A consumer's applications, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_APPLICATION} FROM credit_application WHERE bucket = %s AND consumer_id = %s"
        " ORDER BY applied_at, application_id",
        (bucket_of(consumer_id), consumer_id),
    )
    return [_application(consumer_id, row) for row in await cursor.fetchall()]


def _application(consumer_id: UUID, row: Sequence[Any]) -> Application:
    application_id, applied_at, policy_version, inputs, outcome, limit_minor, reasons, assessed = row
    looked_at = msgspec.json.decode(inputs, type=ApplicationInputs)
    said = None if assessed is None else msgspec.json.decode(assessed, type=Assessed)
    return Application(
        consumer_id, application_id, applied_at, policy_version, looked_at, outcome, limit_minor, tuple(reasons), said
    )


async def insert_review(tx: Tx, application: Application, reviewed_by: str, why: str, at: datetime) -> None:
    """Keep what a person decided on an application (its outcome, limit and reasons are the review's)."""
    await tx.execute(
        "INSERT INTO credit_review (bucket, consumer_id, application_id, outcome, limit_minor, principal_reasons,"
        " reviewed_by, why, reviewed_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            bucket_of(application.consumer_id),
            application.consumer_id,
            application.application_id,
            application.outcome,
            application.limit_minor,
            list(application.principal_reasons),
            reviewed_by,
            why,
            at,
        ),
    )


async def has_review(tx: Tx, consumer_id: UUID, application_id: UUID) -> bool:
    """Whether a person has decided on this application."""
    cursor = await tx.execute(
        "SELECT 1 FROM credit_review WHERE bucket = %s AND consumer_id = %s AND application_id = %s",
        (bucket_of(consumer_id), consumer_id, application_id),
    )
    return await cursor.fetchone() is not None


async def lock_versions(tx: Tx, consumer_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Lock many consumers' lines in the order of their ids: their versions; who has no line is left out."""
    cursor = await tx.execute(
        "SELECT l.consumer_id, l.version FROM unnest(%b::smallint[], %b::uuid[]) AS k(bucket, consumer_id)"
        " JOIN credit_line AS l ON l.bucket = k.bucket AND l.consumer_id = k.consumer_id"
        " ORDER BY l.bucket, l.consumer_id FOR NO KEY UPDATE OF l",
        [packing.pack_int2([bucket_of(one) for one in consumer_ids]), packing.pack_uuid(consumer_ids)],
    )
    return dict(await cursor.fetchall())


async def select_open_loans(tx: Tx, consumer_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many loans each of many consumers has open; who has none is left out."""
    cursor = await tx.execute(
        "SELECT k.consumer_id, count(*) FROM unnest(%b::smallint[], %b::uuid[]) AS k(bucket, consumer_id)"
        " JOIN loan ON loan.bucket = k.bucket AND loan.consumer_id = k.consumer_id AND loan.state = 'active'"
        " GROUP BY k.consumer_id",
        [packing.pack_int2([bucket_of(one) for one in consumer_ids]), packing.pack_uuid(consumer_ids)],
    )
    return dict(await cursor.fetchall())
