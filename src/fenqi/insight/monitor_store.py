"""All SQL of the monitor: its reports, thresholds and alarms, and what it reads of other rooms' tables for a report.

A report looks through all buckets and writes nothing of theirs.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

from fenqi.database.pool import Tx
from fenqi.insight.alarm import Alarm, AlarmMove, AlarmState, Measure, Threshold
from fenqi.insight.monitor import Applied, Asked, Bought, Judgement, Report

_REPORT = msgspec.json.Decoder(Report)
_ENCODER = msgspec.json.Encoder()


class _Bureau(msgspec.Struct):
    lenders_count: int = 0
    months_on_file: int = 0
    inquiries_count: int = 0
    opened_12m_count: int = 0
    used_ppm: int = 0


class _Inputs(msgspec.Struct):
    income_minor: int | None = None
    bureau: _Bureau | None = None


class _Objection(msgspec.Struct):
    rule_id: str


class _Assessed(msgspec.Struct):
    objections: tuple[_Objection, ...] = ()
    points: int | None = None
    pd_ppm: int | None = None


async def applied(tx: Tx, from_on: date, until_on: date) -> list[Applied]:
    """Applications of business days, both included."""
    cursor = await tx.execute(
        """SELECT (applied_at AT TIME ZONE 'Asia/Shanghai')::date, outcome, principal_reasons, inputs::text,
                  assessed::text
           FROM credit_application WHERE (applied_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %s AND %s
           ORDER BY applied_at, application_id""",
        (from_on, until_on),
    )
    return [_applied(row) for row in await cursor.fetchall()]


def _applied(row: tuple[Any, ...]) -> Applied:
    on, outcome, reasons, stored, assessed = row
    inputs = msgspec.json.decode(stored, type=_Inputs)
    said = _Assessed() if assessed is None else msgspec.json.decode(assessed, type=_Assessed)
    features: dict[str, int | None] = {"points": said.points, "pd_ppm": said.pd_ppm}
    features["income_minor"] = inputs.income_minor
    for name in _Bureau.__struct_fields__:
        features[name] = None if inputs.bureau is None else getattr(inputs.bureau, name)
    return Applied(on, outcome, tuple(reasons), tuple(one.rule_id for one in said.objections), features)


async def asked(tx: Tx, from_on: date, until_on: date) -> list[Asked]:
    """Wishes to pay by credit: loans made, and checkouts in which credit was wanted and refused to the end.

    A checkout that was refused and then paid by credit after all is lent.
    """
    cursor = await tx.execute(
        """SELECT disbursed_on, true, '{}'::text[], '{}'::text[] FROM loan WHERE disbursed_on BETWEEN %s AND %s
           UNION ALL
           SELECT day_on, false, codes, rules FROM at_stake
           WHERE method = 'credit' AND is_wanted AND outcome <> 'recovered' AND day_on BETWEEN %s AND %s""",
        (from_on, until_on, from_on, until_on),
    )
    return [Asked(on, is_lent, tuple(codes), tuple(rules)) for on, is_lent, codes, rules in await cursor.fetchall()]


async def bought(tx: Tx, from_on: date, until_on: date, edges: tuple[int, ...]) -> list[Bought]:
    """Orders placed, counted by day, scene and class of amount; the amount given is the class's own."""
    cursor = await tx.execute(
        """SELECT (placed_at AT TIME ZONE 'Asia/Shanghai')::date AS day_on, scene,
                  (SELECT min(edge) FROM unnest(%s::bigint[]) AS edge WHERE edge >= payable_minor) AS class, count(*)
           FROM orders WHERE (placed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %s AND %s GROUP BY 1, 2, 3""",
        (list(edges), from_on, until_on),
    )
    above = edges[-1] + 1
    return [
        Bought(on, scene, above if edge is None else edge, count) for on, scene, edge, count in await cursor.fetchall()
    ]


async def judged(tx: Tx, from_on: date, until_on: date) -> list[Judgement]:
    """Decisions by people on what the policy had decided, or would have.

    Against the policy: an appeal upheld, a stopped payment cleared, an application approved below the mark for that, or
    rejected though only a rule asked for a person. Where the policy took no side nobody can be against it.
    """
    cursor = await tx.execute(
        """SELECT (d.at AT TIME ZONE 'Asia/Shanghai')::date, c.kind,
                  (c.kind = 'appeal' AND d.outcome = 'upheld') OR (c.kind = 'payment_review' AND d.outcome = 'cleared')
           FROM service_case_decision AS d JOIN service_case AS c USING (bucket, party_id, case_id)
           WHERE d.stage = 'decided' AND c.kind IN ('appeal', 'payment_review')
             AND (d.at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %s AND %s
           UNION ALL
           SELECT (r.reviewed_at AT TIME ZONE 'Asia/Shanghai')::date, 'application_review',
                  CASE WHEN a.assessed -> 'band' ->> 'cap_minor' IS NULL THEN false
                       WHEN (a.assessed -> 'band' ->> 'review')::boolean THEN r.outcome = 'approved'
                       ELSE r.outcome = 'rejected' END
           FROM credit_review AS r JOIN credit_application AS a USING (bucket, consumer_id, application_id)
           WHERE (r.reviewed_at AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %s AND %s""",
        (from_on, until_on, from_on, until_on),
    )
    return [Judgement(on, kind, against) for on, kind, against in await cursor.fetchall()]


async def insert_report(tx: Tx, report_id: UUID, report: Report, made_by: str, why: str, at: datetime) -> None:
    """Keep a report."""
    await tx.execute(
        "INSERT INTO monitor_report (report_id, day_on, made_by, why, made_at, report) VALUES (%s, %s, %s, %s, %s, %s)",
        (report_id, report.day_on, made_by, why, at, _ENCODER.encode(report).decode()),
    )


async def latest_report(tx: Tx) -> tuple[Report, datetime] | None:
    """The newest report, and when it was made."""
    cursor = await tx.execute("SELECT report::text, made_at FROM monitor_report ORDER BY made_at DESC LIMIT 1")
    row = await cursor.fetchone()
    return None if row is None else (_REPORT.decode(row[0]), row[1])


async def latest_report_on(tx: Tx) -> date | None:
    """The day of the newest report."""
    cursor = await tx.execute("SELECT max(day_on) FROM monitor_report")
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def claim(tx: Tx) -> bool:
    """Keep other runs out until the transaction ends; False while one is under way."""
    cursor = await tx.execute("SELECT pg_try_advisory_xact_lock(hashtext('fenqi.monitor'))")
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def thresholds(tx: Tx) -> list[tuple[Threshold, int]]:
    """The thresholds that people have set, each in its newest version with its number."""
    cursor = await tx.execute(
        """SELECT DISTINCT ON (measure) measure, warn_ppm, act_ppm, least_count, owner, source, version
           FROM monitor_threshold ORDER BY measure, version DESC"""
    )
    return [(Threshold(Measure(row[0]), *row[1:6]), row[6]) for row in await cursor.fetchall()]


async def insert_threshold(tx: Tx, of: Threshold, version: int, made_by: str, why: str, at: datetime) -> None:
    """Keep a new version of a threshold."""
    await tx.execute(
        "INSERT INTO monitor_threshold VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (str(of.measure), version, of.warn_ppm, of.act_ppm, of.least_count, of.owner, of.source, made_by, why, at),
    )


_ALARM = ", ".join(Alarm.__struct_fields__)


def _alarm(row: tuple[Any, ...]) -> Alarm:
    fields = dict(zip(Alarm.__struct_fields__, row, strict=True))
    return Alarm(**{**fields, "measure": Measure(fields["measure"]), "state": AlarmState(fields["state"])})


async def standing_alarms(tx: Tx) -> list[Alarm]:
    """The alarms that nobody has closed, those that call for action first, then the newest; locked by none."""
    cursor = await tx.execute(
        f"SELECT {_ALARM} FROM monitor_alarm WHERE state <> 'closed' ORDER BY level, opened_at DESC, measure, subject"
    )
    return [_alarm(row) for row in await cursor.fetchall()]


async def closed_alarms(tx: Tx, most: int) -> list[Alarm]:
    """The alarms closed last."""
    cursor = await tx.execute(
        f"SELECT {_ALARM} FROM monitor_alarm WHERE state = 'closed' ORDER BY seen_at DESC, measure, subject LIMIT %s",
        (most,),
    )
    return [_alarm(row) for row in await cursor.fetchall()]


async def alarm(tx: Tx, alarm_id: UUID, *, lock: bool = False) -> Alarm | None:
    """One alarm."""
    cursor = await tx.execute(
        f"SELECT {_ALARM} FROM monitor_alarm WHERE alarm_id = %s{' FOR UPDATE' if lock else ''}", (alarm_id,)
    )
    row = await cursor.fetchone()
    return None if row is None else _alarm(row)


async def insert_alarm(tx: Tx, of: Alarm) -> None:
    """A new alarm."""
    fields = [getattr(of, name) for name in Alarm.__struct_fields__]
    marks = ", ".join(["%s"] * len(fields))
    await tx.execute(f"INSERT INTO monitor_alarm ({_ALARM}) VALUES ({marks})", fields)


async def update_alarm(tx: Tx, of: Alarm) -> None:
    """An alarm as it stands after a move or another reading."""
    await tx.execute(
        """UPDATE monitor_alarm SET level = %s, value_ppm = %s, threshold_ppm = %s, cases = %s, state = %s,
             seen_at = %s, version = %s WHERE alarm_id = %s""",
        (of.level, of.value_ppm, of.threshold_ppm, of.cases, str(of.state), of.seen_at, of.version, of.alarm_id),
    )


async def insert_move(tx: Tx, move: AlarmMove) -> None:
    """Keep a step of an alarm."""
    await tx.execute(
        "INSERT INTO monitor_alarm_move (alarm_id, version, to_state, actor, why, at) VALUES (%s, %s, %s, %s, %s, %s)",
        (move.alarm_id, move.version, str(move.to_state), move.actor, move.why, move.at),
    )


async def moves_of(tx: Tx, alarm_ids: list[UUID]) -> dict[UUID, list[AlarmMove]]:
    """The steps of alarms, oldest first."""
    cursor = await tx.execute(
        "SELECT alarm_id, version, to_state, actor, why, at FROM monitor_alarm_move WHERE alarm_id = ANY(%s)"
        " ORDER BY alarm_id, version",
        (alarm_ids,),
    )
    found: dict[UUID, list[AlarmMove]] = {}
    for alarm_id, version, to_state, actor, why, at in await cursor.fetchall():
        found.setdefault(alarm_id, []).append(AlarmMove(alarm_id, version, AlarmState(to_state), actor, why, at))
    return found
