"""The OpenAPI document against the running application: generated requests, right and wrong, each answer as described.

Every operation is called over a socket as the actor it is for, half the time with ids that exist. No 5xx, no status,
content type or body that the document doesn't have; bounded, and the same requests in every run.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.core import NOT_SET
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from tests import world
from tests.api.door import PASSWORD, new_key

from fenqi import customer, main, merchant, staff
from fenqi.database import outbox
from fenqi.flows import events, pay, quote, webhook
from fenqi.kernel.by import By
from fenqi.kernel.clock import SteeredClock
from fenqi.kernel.ids import new_id
from fenqi.merchant import Scope
from fenqi.settings import Settings
from fenqi.staff import Role
from fenqi.web.api import openapi, resource

EXAMPLES = 8
"""Requests an operation."""


class Running(NamedTuple):
    """The served application, with who calls it and what there is to be called about."""

    url: str
    tokens: dict[str, str]
    known: dict[str, str]
    database_url: str


@pytest.fixture(scope="module")
def running(new_database, run) -> Iterator[Running]:
    urls = new_database()
    config = Settings(database_url=urls.app, demo=True, secret=world.SECRET)
    tokens, known = run(furnished(urls))
    app = main.create_app(config, SteeredClock(world.AT), with_jobs=False)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Running(f"http://127.0.0.1:{port}", tokens, known, urls.app)
    server.should_exit = True
    thread.join()


async def furnished(urls: Any) -> tuple[dict[str, str], dict[str, str]]:
    """A buyer with a line, an order to pay and a paid one; an operator; a merchant's key."""
    async with await world.Database.open(urls.app) as database:
        ctx = world.context(database)
        ref = await world.furnish(ctx)
        (buyer,) = await world.people(ctx, 1)
        await world.give_line(ctx, buyer)
        await world.step_up(ctx, buyer)
        phone = world.wish(ref, "phone", most_minor=600_000)
        paid, open_order = await world.buy(ctx, buyer, [phone]), await world.buy(ctx, buyer, [phone])
        press = pay.PayRequest(buyer, new_id(), paid.intent_id, "credit", "instalment_12", b"x" * 32)
        payment = await pay.pay(ctx, press)
        seen = await quote.quote(ctx, buyer, open_order.intent_id)
        by = By("system:test", "the callers", world.AT)
        async with database.transaction() as tx:
            card = (await customer.cards(tx, buyer))[0]
            roles = [Role.OPERATOR, Role.RISK]
            await staff.hire(tx, new_id(), "api.all", "Api All", PASSWORD, roles, by)
            at_work = await staff.sign_in(tx, "api.all", PASSWORD, world.AT)
            leaving = await staff.sign_in(tx, "api.all", PASSWORD, world.AT)
            key = await merchant.create_api_key(tx, phone.merchant_id, "till", list(Scope), by)
        hook, _ = await webhook.register(ctx, phone.merchant_id, "http://127.0.0.1:9/", (), by)
        event_id = await webhook.send_test(ctx, phone.merchant_id, hook.endpoint_id, by)
        await outbox.drain(database, events.handlers(ctx), world.AT)
        assert ctx.pay_queue is not None
        await ctx.pay_queue.close()
    tokens = {
        "consumer": customer.issue_access_token(ctx.keys, buyer, world.AT),
        "staff": at_work.token,
        "/v1/staff/sessions:end": leaving.token,
        "merchant": key,
    }
    known = {
        "consumer": buyer, "order": paid.order.order_id, "checkout": open_order.intent_id, "loan": payment.loan_id,
        "payment": payment.payment_id, "decision": seen.decision_id, "card": card.card_id,
        "goods": ref.items[phone.sku_id].goods_id, "order_id": open_order.order.order_id,
        "checkout_id": open_order.intent_id, "loan_id": payment.loan_id, "sku_id": phone.sku_id,
        "webhook": hook.endpoint_id, "event": event_id, "event_id": event_id, "merchant": phone.merchant_id,
        "merchant_id": phone.merchant_id, "decision_id": seen.decision_id, "consumer_id": buyer,
        "remedy": f"{seen.decision_id.hex}.credit.instalment_12.0",
    }  # fmt: skip
    return tokens, {name: str(value) for name, value in known.items()}


resource.load()
schema = schemathesis.openapi.from_dict(openapi.document(main.VERSION))
schema = schema.exclude(path="/v1/clock:advance")  # every token would lapse
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
EXCLUDED = [positive_data_acceptance, negative_data_rejection]


def refuses_bad_bodies_and_queries(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case
) -> bool | None:
    """What violates the body's or the query's schema is refused; headers are partly the test's own."""
    assert case.meta is not None
    parts = [case.meta.components.get(place) for place in (ParameterLocation.BODY, ParameterLocation.QUERY)]
    if case.body is NOT_SET or not any(part is not None and part.mode.is_negative for part in parts):
        return None
    return negative_data_rejection(ctx, response, case)


def with_ids(value: Any, known: dict[str, str]) -> Any:
    """The generated value with every second id, by its last digit, replaced by one that exists."""
    if isinstance(value, list):
        return [with_ids(one, known) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: known[name] if _there(one, name, known) else with_ids(one, known) for name, one in value.items()}


def _there(value: Any, name: str, known: dict[str, str]) -> bool:
    return name in known and isinstance(value, str) and bool(_ID.fullmatch(value)) and value[-1] in "02468aceACE"


@pytest.mark.timeout(240)
@schema.parametrize()
@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_every_operation_answers_as_described(running: Running, case: schemathesis.Case) -> None:
    case.path_parameters = with_ids(case.path_parameters, running.known)
    case.body = with_ids(case.body, running.known)
    headers = {"Idempotency-Key": new_key()} if "Idempotency-Key" in (case.headers or {}) else {}
    for kind in case.operation.definition.raw.get("x-who", ())[:1]:
        token = running.tokens.get(case.operation.path, running.tokens[kind])
        headers["Authorization"] = f"Bearer {token}"
    case.call_and_validate(
        base_url=running.url,
        headers=headers,
        excluded_checks=EXCLUDED,
        additional_checks=[refuses_bad_bodies_and_queries],
    )


def test_the_books_are_without_fault_afterwards(running: Running, run: Any) -> None:
    """Whatever was asked for above."""

    async def faults() -> list[str]:
        async with await world.Database.open(running.database_url) as database:
            return await world.settle(world.context(database))

    assert run(faults()) == []
