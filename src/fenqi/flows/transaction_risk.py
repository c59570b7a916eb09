"""What the transaction table says of a press: findings with what lifts each, from facts and signals alone. Pure.

Online, in shadow and in back-tests alike: the signals in the facts are all that is asked. What nobody knows goes to a
person: RISK_MANUAL_REVIEW.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from fenqi.cashier import Facts, FindingFacts, MethodFacts
from fenqi.flows.policy_inputs import counter_inputs, transaction_inputs
from fenqi.policy import PolicyBook
from fenqi.policy.cell import Between, OneOf, Value, parse
from fenqi.policy.table import Answered, Hit, Row

KEY, COUNTER = "transaction", "counter_offer"
_HOUR_MS = 3_600_000
ANCHORS = {
    "presses_1h_count": "last_press_ms",
    "device_presses_1h_count": "last_device_press_ms",
    "refused_1h_count": "last_refused_ms",
    "wrong_passwords_24h_count": "last_wrong_password_ms",
    "profile_changed_hours": "profile_changed_ms",
    "device_known": "device_first_ms",
    "address_is_new": "address_first_ms",
}
"""Inputs that time changes, and the signal that says since when: what a wait is counted from."""


def judged(facts: Facts, book: PolicyBook) -> Facts:
    """The facts with what the tables `transaction` and `counter_offer` say of them: findings, parts down, the longest
    plan. Facts that no signals were gathered for stay as they are."""
    if not facts.risk.signals:
        return facts
    found, methods = list(findings(facts, book)), []
    for method in facts.methods:
        answered = book.ask(COUNTER, counter_inputs(facts, method.method))
        if answered.missing:
            found.append(_unknown(facts, COUNTER, answered, (method.method,)))
            methods.append(method)
            continue
        methods.append(_countered(method, answered))
    risk = msgspec.structs.replace(facts.risk, findings=tuple(found))
    return msgspec.structs.replace(facts, risk=risk, methods=tuple(methods))


def _countered(method: MethodFacts, answered: Answered) -> MethodFacts:
    assert answered.hit is not None, "the last row of a `first` table matches everything"
    down, most = answered.hit.then["down_payment_ppm"], answered.hit.then["most_instalments"]
    assert isinstance(down, int) and (most is None or isinstance(most, int))
    if (down, most) == (method.down_payment_ppm, method.most_instalments):
        return method
    return msgspec.structs.replace(method, down_payment_ppm=down, most_instalments=most)


def findings(facts: Facts, book: PolicyBook) -> tuple[FindingFacts, ...]:
    """Everything the table finds, each finding with the methods that it bears on."""
    found: dict[FindingFacts, list[str]] = {}
    signals = dict(facts.risk.signals)
    rows = {row.rule_id: row for row in _rows(book)}
    for method in facts.methods:
        answered = book.ask(KEY, transaction_inputs(facts, method.method))
        for finding in _findings(facts, signals, rows, answered):
            found.setdefault(finding, []).append(method.method)
    every = len(facts.methods)
    return tuple(
        msgspec.structs.replace(finding, methods=() if len(methods) == every else tuple(methods))
        for finding, methods in found.items()
    )


def _rows(book: PolicyBook) -> tuple[Row, ...]:
    return next((table.rows for table in book.document.tables if table.key == KEY), ())


def _findings(
    facts: Facts, signals: Mapping[str, Value], rows: Mapping[str, Row], answered: Answered
) -> Iterable[FindingFacts]:
    if answered.missing:
        return [_unknown(facts, KEY, answered)]
    return [_finding(facts, signals, rows[hit.rule_id], hit) for hit in answered.hits if hit.then["code"] != "none"]


def _unknown(facts: Facts, key: str, answered: Answered, methods: tuple[str, ...] = ()) -> FindingFacts:
    """What a table tests and nobody knows: a person decides."""
    rule_id = f"{key}:missing:{'+'.join(answered.missing)}"
    until_ms = lifted_ms(facts, dict(facts.risk.signals), "review")
    return FindingFacts("RISK_MANUAL_REVIEW", "review", rule_id, None, methods, until_ms)


def _finding(facts: Facts, signals: Mapping[str, Value], row: Row, hit: Hit) -> FindingFacts:
    cure, hours = str(hit.then["cure"]), hit.then["wait_hours"]
    until_ms = None
    if cure == "wait":
        assert isinstance(hours, int)
        until_ms = _wait_ms(signals, row, hours)
        cure = "wait" if until_ms is not None else "review"
    return FindingFacts(str(hit.then["code"]), cure, hit.rule_id, until_ms, (), lifted_ms(facts, signals, cure))


def _wait_ms(signals: Mapping[str, Value], row: Row, hours: int) -> int | None:
    """When a wait is over: so many hours after the latest of what the row saw. None where it saw nothing that has a
    moment: a wait without an end is no cure, a person decides."""
    since = [signals.get(ANCHORS[name]) for name in row.when if name in ANCHORS]
    known = [each for each in since if isinstance(each, int)]
    return max(known) + hours * _HOUR_MS if known else None


def lifted_ms(facts: Facts, signals: Mapping[str, Value], cure: str) -> int:
    """Until when a finding with this cure is lifted: by it, or by a stronger check. A review lifts all but what nothing
    lifts; proving one's name again counts as a confirmation too."""
    if cure == "none":
        return 0
    cleared = signals.get("review_cleared_until_ms")
    checked = signals.get("id_checked_until_ms")
    done = [cleared if isinstance(cleared, int) else 0]
    if cure in ("id_check", "step_up"):
        done.append(checked if isinstance(checked, int) else 0)
    if cure == "step_up":
        done.append(facts.consumer.stepped_up_until_ms)
    return max(done)


def presses_below(facts: Facts, book: PolicyBook) -> int | None:
    """How many presses within the hour there may have been before the table could answer otherwise than it did on these
    facts: fewer than this; None: any number. What the paying batch checks under the counter's lock."""
    return _next(_rows(book), "presses_1h_count", dict(facts.risk.signals).get("presses_1h_count"))


def _next(rows: tuple[Row, ...], name: str, seen: Value) -> int | None:
    """The smallest number above the one seen from which some row's cell could answer otherwise."""
    if not isinstance(seen, int):
        return None
    cuts: set[int] = set()
    for row in rows:
        match parse(row.when.get(name, ""), "number"):
            case Between(low, high):
                cuts |= {edge for edge in (low, None if high is None else high + 1) if edge is not None}
            case OneOf(values):
                cuts |= {int(value) + step for value in values for step in (0, 1)}
    return min((cut for cut in cuts if cut > seen), default=None)


def programmes(book: PolicyBook) -> tuple[str, ...]:
    """The programmes that the exposure table counts."""
    rows = next((table.rows for table in book.document.tables if table.key == "exposure"), ())
    return tuple(dict.fromkeys(str(row.then["programme"]) for row in rows if row.then.get("programme")))


def caps(book: PolicyBook) -> dict[str, int]:
    """What each programme of the exposure table may lend in all; of several caps the smallest."""
    rows = next((table.rows for table in book.document.tables if table.key == "exposure"), ())
    found: dict[str, int] = {}
    for row in rows:
        name, cap_minor = row.then.get("programme"), row.then.get("cap_minor")
        if isinstance(name, str) and name and isinstance(cap_minor, int):
            found[name] = min(cap_minor, found.get(name, cap_minor))
    return found
