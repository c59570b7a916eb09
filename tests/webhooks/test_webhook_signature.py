"""Signatures against the reference library of Standard Webhooks, both ways, and against its published example."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from fenqi.channels import webhook

SECRETS = st.binary(min_size=24, max_size=64).map(lambda raw: "whsec_" + base64.b64encode(raw).decode())


def test_the_published_example():
    """Secret, id, timestamp, body and signature as the reference implementations' documents show them."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert (
        webhook.sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@given(SECRETS, st.uuids().map(str), st.integers(0, 4_000_000_000), st.text())
def test_we_sign_as_the_library_does(secret, webhook_id, signed_at_s, text):
    signed_at = datetime.fromtimestamp(signed_at_s, UTC)
    assert webhook.sign(secret, webhook_id, signed_at_s, text.encode()) == Webhook(secret).sign(
        webhook_id, signed_at, text
    )


def test_what_is_sent_verifies_and_a_change_does_not(shop, receiver, run):
    _, secret = run(shop.register(receiver.url()))
    (event,) = run(shop.tell())
    assert run(shop.deliver()) == 1
    (got,) = receiver.got
    assert (got.method, got.path, got.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert got.id == str(event.event_id)
    assert got.body == event.body
    assert Webhook(secret).verify(got.body, got.headers)["type"] == "payment.succeeded"
    for body, headers in (
        (got.body.replace(b"1234", b"1235"), got.headers),
        (got.body, {**got.headers, "webhook-id": "another"}),
        (got.body, {**got.headers, "webhook-timestamp": str(int(got.headers["webhook-timestamp"]) + 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_secrets_are_new_each_time_and_of_32_bytes():
    made = {webhook.new_secret() for _ in range(20)}
    assert len(made) == 20
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in made} == {32}
