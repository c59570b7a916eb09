"""Forms, tokens, languages and plan prices by themselves."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from tests.web.markup import Page

from fenqi.kernel.refusal import Forbidden, Refusal
from fenqi.web import csrf
from fenqi.web.form import Form
from fenqi.web.locale import local_path


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/orders?x=1#y", "/orders?x=1#y"), ("//evil.test", "/"), ("https://evil.test/", "/"), ("/\\evil.test", "/"),
        ("orders", "/"), ("", "/"), ("/a\r\nSet-Cookie: x", "/"), ("javascript:alert(1)", "/"),
    ],
)  # fmt: skip
def test_only_paths_of_this_site_are_gone_to(target: str, path: str) -> None:
    assert local_path(target) == path


def test_form_fields_are_read_or_refused() -> None:
    pairs = [("amount", " ¥1,234.50 "), ("n", "12"), ("many", "a"), ("many", "b"), ("long", "x" * 501), ("bad", "-1")]
    form = Form(pairs)
    assert form.amount_minor("amount") == 123_450
    assert form.count("n") == 12
    assert form.many("many") == ["a", "b"]
    assert form.text("absent") == ""
    for read, name in ((form.text, "long"), (form.count, "bad"), (form.id, "n"), (form.required, "absent")):
        with pytest.raises(Refusal):
            read(name)


def request(cookie: str, origin: str | None = None) -> Request:
    headers = [(b"cookie", cookie.encode()), (b"host", b"fenqi.test")]
    if origin is not None:
        headers.append((b"origin", origin.encode()))
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""})


def test_tokens_belong_to_one_visitor_and_one_session() -> None:
    visitor, key = "v" * 32, b"a key of the tests"
    token = csrf.token(key, visitor, "session")
    csrf.check(request(f"fenqi_visitor={visitor}", "http://fenqi.test"), key, "session", token)
    for cookie, session, origin in (
        ("fenqi_visitor=" + "w" * 32, "session", None),
        (f"fenqi_visitor={visitor}", "another", None),
        (f"fenqi_visitor={visitor}", "session", "http://evil.test"),
        ("", "session", None),
    ):
        with pytest.raises(Forbidden):
            csrf.check(request(cookie, origin), key, session, token)


def test_the_checker_finds_what_it_should() -> None:
    bad = """<!doctype html><html lang="fr"><body><h1>a</h1><h1>b</h1><p id="x" style="color:red">{x}</p><div id="x">
    <img src="a"><input name="n"><a href="http://elsewhere.test">l</a><script>1</script></p></body></html>"""
    faults = "\n".join(Page(bad).faults)
    told = ("one h1", "lang", "style", "stands twice", "without alt", "no label", "not ours", "closes", "unfilled")
    assert [part for part in told if part not in faults] == []
