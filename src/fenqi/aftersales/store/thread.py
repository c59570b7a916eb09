"""What is said about a case, the files handed in, and what was decided; rows that nobody changes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from fenqi.aftersales.model import CaseDecision, Evidence, Message, Stage
from fenqi.database.pool import Tx
from fenqi.kernel.ids import bucket_of

_MINE = "WHERE bucket = %s AND party_id = %s AND case_id = %s"
_FILE = "evidence_id, audience, name, media_type, size_bytes, sha256, actor, at"


async def insert_message(tx: Tx, party_id: UUID, case_id: UUID, new: Message) -> bool:
    """Keep a message; False where its id is there already."""
    cursor = await tx.execute(
        "INSERT INTO service_case_message (bucket, party_id, case_id, message_id, audience, body, actor, at)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [bucket_of(party_id), party_id, case_id, new.message_id, new.audience, new.body, new.actor, new.at],
    )
    return cursor.rowcount == 1


async def select_messages(tx: Tx, party_id: UUID, case_id: UUID) -> list[Message]:
    """The whole thread, oldest first."""
    cursor = await tx.execute(
        f"SELECT message_id, audience, body, actor, at FROM service_case_message {_MINE} ORDER BY at, message_id",
        [bucket_of(party_id), party_id, case_id],
    )
    return [Message(*row) for row in await cursor.fetchall()]


async def insert_evidence(tx: Tx, party_id: UUID, case_id: UUID, new: Evidence, content: bytes) -> bool:
    """Keep a file; False where its id is there already."""
    cursor = await tx.execute(
        "INSERT INTO service_case_evidence (bucket, party_id, case_id, evidence_id, audience, name, media_type,"
        " size_bytes, sha256, content, actor, at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [
            bucket_of(party_id), party_id, case_id, new.evidence_id, new.audience, new.name, new.media_type,
            new.size_bytes, new.sha256, content, new.actor, new.at,
        ],
    )  # fmt: skip
    return cursor.rowcount == 1


async def select_evidence(tx: Tx, party_id: UUID, case_id: UUID) -> list[Evidence]:
    """The files of a case without their contents, oldest first."""
    cursor = await tx.execute(
        f"SELECT {_FILE} FROM service_case_evidence {_MINE} ORDER BY at, evidence_id",
        [bucket_of(party_id), party_id, case_id],
    )
    return [Evidence(*row) for row in await cursor.fetchall()]


async def select_content(tx: Tx, party_id: UUID, case_id: UUID, evidence_id: UUID) -> tuple[Evidence, bytes] | None:
    """One file with its content."""
    cursor = await tx.execute(
        f"SELECT {_FILE}, content FROM service_case_evidence {_MINE} AND evidence_id = %s",
        [bucket_of(party_id), party_id, case_id, evidence_id],
    )
    row = await cursor.fetchone()
    return None if row is None else (Evidence(*row[:-1]), row[-1])


async def insert_decision(tx: Tx, party_id: UUID, case_id: UUID, new: CaseDecision) -> None:
    """Keep what a person decided."""
    await tx.execute(
        "INSERT INTO service_case_decision (bucket, party_id, case_id, n, stage, outcome, reasons, inputs, told, why,"
        " proposer, actor, at, policy_version, norms, facts, digest)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            bucket_of(party_id), party_id, case_id, new.n, new.stage, new.outcome, list(new.reasons), Jsonb(new.inputs),
            new.told, new.why, new.proposer, new.actor, new.at, new.policy_version, new.norms, new.facts, new.digest,
        ],
    )  # fmt: skip


async def select_decisions(tx: Tx, party_id: UUID, case_id: UUID) -> list[CaseDecision]:
    """Every decision on a case, oldest first."""
    cursor = await tx.execute(
        "SELECT n, stage, outcome, reasons, inputs, told, why, proposer, actor, at, policy_version, norms, facts,"
        f" digest FROM service_case_decision {_MINE} ORDER BY n",
        [bucket_of(party_id), party_id, case_id],
    )
    return [_decision(row) for row in await cursor.fetchall()]


def _decision(row: tuple[Any, ...]) -> CaseDecision:
    n, stage, outcome, reasons, inputs, told, why, proposer, actor, at, policy_version, norms, facts, digest = row
    return CaseDecision(
        n=n, stage=Stage(stage), outcome=outcome, reasons=tuple(reasons), inputs=inputs, told=told, why=why,
        proposer=proposer, actor=actor, at=at, policy_version=policy_version, norms=norms, facts=facts, digest=digest,
    )  # fmt: skip
