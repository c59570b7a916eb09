"""Credentials in versions: prepared, taken into use in one verb, and kept for late notices after that.

Values are sealed for their passage; a version that is sealed is never changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from fenqi.database.pool import Tx
from fenqi.database.reference_epoch import raise_epoch
from fenqi.kernel.by import By, check_why
from fenqi.kernel.refusal import Conflict, Refusal
from fenqi.passage.model import Credential, CredentialState, Keyring, Passage, SealedCredential, Sealer
from fenqi.passage.register import locked
from fenqi.passage.store import declared

LATE_NOTICES = timedelta(days=7)
"""How long notices of a retired version are still believed, unless said otherwise: the channels' ladders of notices
and refunds under way last about a day."""

_S = CredentialState


class _Sealed(msgspec.Struct, frozen=True):
    version: int
    values: dict[str, str]


_DECODER = msgspec.json.Decoder(_Sealed)


async def prepare(tx: Tx, keys: Sealer, passage_id: UUID, values: Mapping[str, str], by: By) -> int:
    """Keep new credentials that are not used yet, though notices verify by them: their version.

    A version prepared before falls away. Refuses PASSAGE_UNKNOWN and CREDENTIAL_INVALID (no values).
    """
    check_why(by.why)
    passage = await locked(tx, passage_id)
    await declared.delete_pending(tx, passage_id)
    new = _sealed(keys, passage, values)
    await declared.insert_credential(tx, passage_id, new)
    await declared.insert_history(tx, passage_id, "prepare_credential", by, detail={"version": new.version})
    await raise_epoch(tx, "channel")
    return new.version


async def rotate(
    tx: Tx,
    keys: Sealer,
    passage_id: UUID,
    by: By,
    values: Mapping[str, str] | None = None,
    late_notices: timedelta = LATE_NOTICES,
) -> int:
    """Sign with `values` from now on (with the version prepared, when none are given): the version in use.

    The one in use until now is retired and still verifies notices for `late_notices`. Refuses PASSAGE_UNKNOWN,
    CREDENTIAL_INVALID, and NOTHING_PREPARED.
    """
    check_why(by.why)
    passage = await locked(tx, passage_id)
    old = next((each for each in passage.credentials if each.state is _S.CURRENT), None)
    if old is not None:
        retired = replace(old, state=_S.RETIRED, notices_until_at=by.at + late_notices)
        await declared.set_credential(tx, passage_id, retired, _S.CURRENT)
    version = await _take_up(tx, keys, passage, values, by)
    detail: dict[str, object] = {"version": version, "retired_version": None if old is None else old.version}
    await declared.insert_history(tx, passage_id, "rotate_credential", by, detail=detail)
    await raise_epoch(tx, "channel")
    return version


async def _take_up(tx: Tx, keys: Sealer, passage: Passage, values: Mapping[str, str] | None, by: By) -> int:
    if values is not None:
        await declared.delete_pending(tx, passage.passage_id)
        new = replace(_sealed(keys, passage, values), state=_S.CURRENT, valid_from_at=by.at)
        await declared.insert_credential(tx, passage.passage_id, new)
        return new.version
    pending = next((each for each in passage.credentials if each.state is _S.PENDING), None)
    if pending is None:
        raise Conflict("NOTHING_PREPARED", "no version of credentials waits to be used")
    current = replace(pending, state=_S.CURRENT, valid_from_at=by.at)
    await declared.set_credential(tx, passage.passage_id, current, _S.PENDING)
    return current.version


def _sealed(keys: Sealer, passage: Passage, values: Mapping[str, str]) -> SealedCredential:
    """The values as the next version, pending."""
    if not values:
        raise Refusal("CREDENTIAL_INVALID", "credentials without values")
    version = max((each.version for each in passage.credentials), default=0) + 1
    text = msgspec.json.encode(_Sealed(version, dict(values))).decode()
    return SealedCredential(version, _S.PENDING, keys.seal(text, passage.passage_id))


def keyring(keys: Sealer, passage: Passage, now: datetime) -> Keyring | None:
    """The credentials in the clear: the version that signs and all whose notices verify; None before there are any."""
    accepted = [
        _unsealed(keys, passage, each)
        for each in passage.credentials
        if each.notices_until_at is None or now < each.notices_until_at
    ]
    signing = next((each.version for each in passage.credentials if each.state is _S.CURRENT), None)
    current = next((each for each in accepted if each.version == signing), None)
    return None if current is None else Keyring(current, tuple(accepted))


def _unsealed(keys: Sealer, passage: Passage, sealed: SealedCredential) -> Credential:
    found = _DECODER.decode(keys.unseal(sealed.sealed, passage.passage_id))
    assert found.version == sealed.version, "a version's values are its own"
    return Credential(found.version, found.values)
