"""SMS codes: six digits for one purpose, five minutes, five tries; not more than the phone should get.

A wrong code is counted, so `check_code` answers with the refusal instead of raising it: commit first, then raise.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from uuid import UUID

from fenqi.customer.model import Code, Credentials, PhoneMessage, Purpose
from fenqi.customer.read import locked
from fenqi.customer.secret import Keys
from fenqi.customer.store import belongings, record
from fenqi.database.pool import Tx
from fenqi.kernel.by import By
from fenqi.kernel.ids import new_id
from fenqi.kernel.refusal import Refusal

CODE_TTL = timedelta(minutes=5)
PAUSE = timedelta(seconds=60)
WINDOW = timedelta(hours=1)
CODES_PER_WINDOW = 5
TRIES_PER_CODE = 5

_SUBJECTS: dict[Purpose, tuple[str, str]] = {
    Purpose.PHONE: ("验证手机号", "verify your phone"),
    Purpose.STEP_UP: ("确认本次操作", "confirm this step"),
    Purpose.BIND_CARD: ("绑定银行卡", "bind a bank card"),
    Purpose.PAY_PASSWORD: ("设置支付密码", "set the pay password"),
    Purpose.UNLOCK: ("解锁分期额度", "unlock the credit line"),
    Purpose.SIGN_IN: ("登录", "sign in"),
}


async def send_code(tx: Tx, keys: Keys, consumer_id: UUID, purpose: Purpose, by: By) -> UUID:
    """Send a code to the consumer's phone; its id. It makes an earlier one for the same purpose void.

    Refuses SMS_LIMIT (with `until_at`) within a minute of the last code and beyond five in an hour.
    """
    _, credentials = await locked(tx, consumer_id)
    window = _window(credentials, by.at)
    text = f"{secrets.randbelow(1_000_000):06d}"
    code_id = new_id()
    code = Code(code_id, _hash(keys, code_id, text), 0, by.at + CODE_TTL)
    await belongings.insert_code(tx, consumer_id, purpose, code, by.at)
    await record.update(tx, consumer_id, window, facts_change="sms_blocked_until_at" in window)
    zh, en = _SUBJECTS[purpose]
    message = PhoneMessage(
        new_id(),
        consumer_id,
        f"【分期】验证码 {text}，用于{zh}，5 分钟内有效。请勿告诉他人。",
        f"[fenqi] {text} is your code to {en}. It holds for 5 minutes. Tell nobody.",
        by.at,
    )
    await belongings.insert_message(tx, message)
    return code_id


def _window(credentials: Credentials, at: datetime) -> dict[str, object]:
    """The counters after one more code, with the block that the last allowed one brings."""
    start, count, last_at = credentials.sms_window_from_at, credentials.sms_window_count, credentials.sms_last_at
    if start is None or start + WINDOW <= at:
        start, count = at, 0
    if count >= CODES_PER_WINDOW:
        raise Refusal("SMS_LIMIT", "too many codes: wait", until_at=(start + WINDOW).isoformat())
    if last_at is not None and at < last_at + PAUSE:
        raise Refusal("SMS_LIMIT", "one code a minute", until_at=(last_at + PAUSE).isoformat())
    changes: dict[str, object] = {
        "sms_window_from_at": start,
        "sms_window_count": count + 1,
        "sms_last_at": at,
    }
    if count + 1 == CODES_PER_WINDOW:
        changes["sms_blocked_until_at"] = start + WINDOW
    return changes


async def check_code(tx: Tx, keys: Keys, consumer_id: UUID, purpose: Purpose, text: str, by: By) -> Refusal | None:
    """None and the code is used up when it is right; otherwise the refusal as a value: commit, then raise it.

    CODE_EXPIRED without an open code (never sent, used, replaced, too old, tried too often), CODE_WRONG with
    `tries_left`.
    """
    code = await belongings.open_code(tx, consumer_id, purpose)
    if code is None or code.expires_at <= by.at:
        return Refusal("CODE_EXPIRED", "no code is open: ask for a new one")
    if hmac.compare_digest(code.code_hash, _hash(keys, code.code_id, text.strip()[:16])):
        await belongings.set_code(tx, consumer_id, code.code_id, "used", code.failures)
        return None
    failures = code.failures + 1
    state = "void" if failures >= TRIES_PER_CODE else "sent"
    await belongings.set_code(tx, consumer_id, code.code_id, state, failures)
    return Refusal("CODE_WRONG", "the code is wrong", tries_left=TRIES_PER_CODE - failures)


def _hash(keys: Keys, code_id: UUID, text: str) -> bytes:
    return keys.look_up("sms_code", f"{code_id}/{text}")
