"""Addresses that must not be called: judged when they are named, and again when they are looked up."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.webhooks.receiver import Receiver

from fenqi.channels import webhook
from fenqi.channels.http import Http, NoAnswer
from fenqi.channels.webhook import Message
from fenqi.kernel.refusal import Refusal

PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "255.255.255.255", "198.18.0.1", "::", "::1", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::", "2001:db8::1", "3fff::1", "5f00::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


def _url(host: str) -> str:
    return f"https://[{host}]/hook" if ":" in host else f"https://{host}/hook"


@pytest.mark.parametrize("host", [*PRIVATE, "localhost", "intranet"])
def test_private_addresses_are_for_the_demo_alone(host):
    assert webhook.check_url(_url(host), allow_local=True) == _url(host)
    with pytest.raises(Refusal, match="private network"):
        webhook.check_url(_url(host), allow_local=False)


@pytest.mark.parametrize("url", [*map(_url, PUBLIC), "https://shop.example:8443/hook?key=1", "https://Shop.Example"])
def test_public_addresses_may_be_named(url):
    assert webhook.check_url(url, allow_local=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "file:///etc/passwd", "https://", "https:///x", "https://a b.example/", "//x.example/",
        "https://user:word@shop.example/", "https://@shop.example/", "https://shop.example/#x", "https://shop.example:0/",
        "https://shop.example:65536/", "https://shop..example/", "https://-a.example/", "https://[::1/", "https://店.example/",
        "https://shop.example\\@10.0.0.1/", "https://shop.example/\n", f"https://shop.example/{'x' * 500}",
    ],
)  # fmt: skip
def test_what_is_no_address(url):
    with pytest.raises(Refusal, match="WEBHOOK_URL_INVALID"):
        webhook.check_url(url, allow_local=False)


class Called:
    """A way outside that keeps where it would have gone."""

    def __init__(self) -> None:
        self.to: list[str | None] = []

    async def send(self, _method, _url, *, connect_to=None, **_):
        self.to.append(connect_to)
        raise NoAnswer("nobody there", sent=False)


@pytest.mark.parametrize("addresses", [[one] for one in PRIVATE] + [["8.8.8.8", "10.0.0.1"], []])
def test_a_name_that_leads_into_a_private_network_is_not_called(run, addresses):
    http, got = _sent_to(run, addresses)
    assert (got.status, got.error) == (None, "the address leads into a private network")
    assert http.to == []


def test_the_address_that_was_judged_is_the_one_that_is_called(run):
    """Not one that the name has a moment later."""
    http, got = _sent_to(run, ["2606:4700:4700::1111", "8.8.8.8"])
    assert http.to == ["2606:4700:4700::1111"]
    assert got.error == "nobody there"


def test_a_name_that_nobody_knows(run):
    async def unknown(_host, _port):
        raise OSError("Name or service not known")

    message = Message("https://shop.example/", "id", 1, b"{}", ())
    got = run(webhook.send(Called(), message, allow_local=False, resolve=unknown))
    assert (got.status, got.error) == (None, "OSError: Name or service not known")


def _sent_to(run, addresses):
    async def resolve(host, port):
        assert (host, port) == ("shop.example", 8443)
        return addresses

    http = Called()
    message = Message("https://shop.example:8443/hook", "id", 1, b"{}", ())
    return http, run(webhook.send(http, message, allow_local=False, resolve=resolve))


def test_a_given_address_is_called_by_its_name_on_a_connection_of_its_own(run):
    async def called():
        receiver, http = await Receiver().start(), Http(timeout_s=1)
        url = f"http://shop.invalid:{receiver.port}/hook"
        answers = [await http.send("POST", url, content=b"x", connect_to="127.0.0.1") for _ in range(2)]
        await http.close()
        port = receiver.port
        await receiver.stop()
        return receiver, answers, port

    receiver, answers, port = run(called())
    assert [answer.status for answer in answers] == [200, 200]
    assert [got.headers["host"] for got in receiver.got] == [f"shop.invalid:{port}"] * 2
    assert [got.headers["connection"] for got in receiver.got] == ["close", "close"]


def test_tls_asks_for_the_name_and_trusts_no_other(run, tmp_path):
    """A certificate of our own making is none that is trusted; the server has heard the name it was asked for."""
    asked = []

    async def called():
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_certificate(tmp_path, "shop.invalid"))
        context.sni_callback = lambda _socket, name, _context: asked.append(name)
        receiver, http = await Receiver().start(ssl=context), Http(timeout_s=1)
        try:
            with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
                await http.send("POST", f"https://shop.invalid:{receiver.port}/", connect_to="127.0.0.1")
        finally:
            await http.close()
            await receiver.stop()
        return receiver.got

    assert run(called()) == []
    assert set(asked) == {"shop.invalid"}


def _certificate(folder, name):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_outside_the_demo_the_guard_is_on(shop, receiver, run):
    """The same endpoint, registered in the demo, is not called by a process that is none."""
    run(shop.register(receiver.url()))
    (event,) = run(shop.tell())
    shop.ctx.settings = type(shop.ctx.settings)(demo=False)
    assert run(shop.deliver()) == 1
    _, (only,) = run(shop.story(event))
    assert (only.error, receiver.got) == ("the address leads into a private network", [])
