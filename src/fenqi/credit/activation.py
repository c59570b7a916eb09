"""Signing: consents and the agreement, each kept with its version, and the activation of an approved line.

A line is usable when it is active, the agreement in force is signed, and every consent stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from fenqi.credit import limit as limits
from fenqi.credit import line as lines
from fenqi.credit import store
from fenqi.credit.limit import Grant
from fenqi.credit.model import GENERAL_PATH, Consent, ConsentKind, CreditLine, LimitKind, LineState
from fenqi.credit.product import CreditProduct
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.clock import business_date, epoch_ms
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Conflict, Refusal


def required_consents(product: CreditProduct) -> tuple[Consent, ...]:
    """What an applicant consents to, in the versions in force."""
    return tuple(Consent(kind, version, True) for kind, version in product.consent_versions)


def refuse_missing(consents: Iterable[Consent], product: CreditProduct) -> None:
    """Refuse with CONSENT_REQUIRED unless each consent in force is among those given."""
    missing = set(required_consents(product)) - set(consents)
    if missing:
        raise Refusal("CONSENT_REQUIRED", "a consent is missing", kinds=sorted(str(one.kind) for one in missing))


async def keep(tx: Tx, consumer_id: UUID, consents: Iterable[Consent], at: datetime) -> None:
    """Keep consents as given or withdrawn, without a change of the line."""
    kept = list(consents)
    await store.line.insert_consents(tx, consumer_id, [new_id(epoch_ms(at)) for _ in kept], kept, at)


async def activate(tx: Tx, consumer_id: UUID, product: CreditProduct, by: By) -> CreditLine:
    """Sign the agreement in force, grant the approved limit and make the line usable.

    Refuses with STATE_CONFLICT a line that is not waiting for it.
    """
    line = await lines.lock(tx, consumer_id, by.at)
    if line.state is not LineState.NOT_ACTIVATED or line.approved_minor is None:
        raise Conflict("STATE_CONFLICT", "the line is not waiting to be activated", state=str(line.state))
    signed = _agreement(product)
    await keep(tx, consumer_id, [signed], by.at)
    line = await lines.change(
        tx,
        line,
        by,
        LineState.ACTIVE,
        agreement_signed=signed.version,
        bill_day=business_date(by.at).day,
    )
    if GENERAL_PATH in await limits.limits_of(tx, consumer_id):
        await limits.set_granted(tx, consumer_id, GENERAL_PATH, line.approved_minor or 0, product, by)
    else:
        await limits.grant(tx, consumer_id, Grant(kind=LimitKind.FIXED, amount_minor=line.approved_minor or 0), by)
    return await lines.lock(tx, consumer_id, by.at)


async def sign_agreement(tx: Tx, consumer_id: UUID, version: str, product: CreditProduct, by: By) -> CreditLine:
    """Accept a version of the agreement; refuses one that is not in force. Signing again changes nothing."""
    if version != product.agreement_version:
        raise Conflict("AGREEMENT_VERSION", "this version is not in force", in_force=product.agreement_version)
    line = await lines.lock(tx, consumer_id, by.at)
    if line.agreement_signed == version:
        return line
    await keep(tx, consumer_id, [_agreement(product)], by.at)
    return await lines.change(tx, line, by, agreement_signed=version)


async def give_consents(tx: Tx, consumer_id: UUID, product: CreditProduct, by: By) -> CreditLine:
    """Give every consent in force that does not stand; giving them again changes nothing."""
    line = await lines.lock(tx, consumer_id, by.at)
    given = [one for one in required_consents(product) if _text(one) not in line.consents]
    if not given:
        return line
    await keep(tx, consumer_id, given, by.at)
    renewed = {str(one.kind) for one in given}
    kept = [text for text in line.consents if text.partition("@")[0] not in renewed]
    consents = tuple(sorted([*kept, *(_text(one) for one in given)]))
    return await lines.change(tx, line, by, consents=consents)


async def withdraw_consent(tx: Tx, consumer_id: UUID, kind: ConsentKind, by: By) -> CreditLine:
    """Withdraw a consent, as easily as it was given; the line can't be used while one is missing."""
    line = await lines.lock(tx, consumer_id, by.at)
    standing = [text for text in line.consents if text.partition("@")[0] == str(kind)]
    if not standing:
        return line
    await keep(tx, consumer_id, [Consent(kind, text.partition("@")[2], False) for text in standing], by.at)
    consents = tuple(text for text in line.consents if text not in standing)
    return await lines.change(tx, line, by, consents=consents)


async def reopen(tx: Tx, consumer_id: UUID, product: CreditProduct, by: By) -> CreditLine:
    """The owner opens again a line that they had closed, with the limits it has, under the agreement in force.

    Refuses STATE_CONFLICT for any other line, and CREDIT_COOLING_OFF before the day from which it may be opened.
    """
    line = await lines.lock(tx, consumer_id, by.at)
    if line.state is not LineState.CLOSED_BY_USER:
        raise Conflict("STATE_CONFLICT", "only a line closed by its owner can be opened again", state=str(line.state))
    lines.refuse_cooling_off(line, business_date(by.at))
    signed = _agreement(product)
    if line.agreement_signed != signed.version:
        await keep(tx, consumer_id, [signed], by.at)
    return await lines.change(
        tx,
        line,
        by,
        LineState.ACTIVE,
        reapply_from_on=None,
        agreement_signed=signed.version,
    )


async def consents_of(tx: Tx, consumer_id: UUID) -> list[tuple[Consent, datetime]]:
    """Every consent given or withdrawn, oldest first."""
    return await store.line.select_consents(tx, consumer_id)


def texts_of(consents: Iterable[Consent]) -> tuple[str, ...]:
    """Consents as a line keeps them: "kind@version", in order."""
    return tuple(sorted(_text(one) for one in consents if one.given))


def _agreement(product: CreditProduct) -> Consent:
    return Consent(ConsentKind.AGREEMENT, product.agreement_version, True)


def _text(consent: Consent) -> str:
    return f"{consent.kind}@{consent.version}"
