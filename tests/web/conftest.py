"""The real application over PostgreSQL, with browsers that keep cookies and send forms as they were rendered."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests import world
from tests.web.markup import Page

from fenqi import customer, staff
from fenqi.database.pool import Database
from fenqi.flows.context import Context
from fenqi.flows.reference import Reference
from fenqi.kernel.ids import new_id
from fenqi.main import create_app
from fenqi.staff import Role

ORIGIN = "http://fenqi.test"


class Answer:
    """A page as it was answered."""

    def __init__(self, response: httpx.Response) -> None:
        self.status, self.text, self.headers = response.status_code, response.text, response.headers
        self.path = urlsplit(str(response.url)).path
        self.query = urlsplit(str(response.url)).query
        self.where = response.headers.get("location", "")

    @property
    def page(self) -> Page:
        """The markup, read."""
        return Page(self.text)


class Browser:
    """One visitor: cookies, a language, forms."""

    def __init__(self, app: Any, run: Any, locale: str = "en") -> None:
        self._run = run
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
        self.http = httpx.AsyncClient(transport=transport, base_url=ORIGIN, headers={"Accept-Language": locale})

    def get(self, path: str, follow: bool = True, **headers: str) -> Answer:
        """Look at a page."""
        return Answer(self._run(self.http.get(path, follow_redirects=follow, headers=headers)))

    def post(self, path: str, fields: Any, follow: bool = True, **headers: str) -> Answer:
        """Send fields."""
        sent = {"Origin": ORIGIN} | headers
        return Answer(self._run(self.http.post(path, data=fields, follow_redirects=follow, headers=sent)))

    def send(self, answer: Answer, action: str, holding: str = "", follow: bool = True, **typed: str) -> Answer:
        """Send the form of a page, with what is typed in place of what it held."""
        form = answer.page.form(action, holding)
        assert set(typed) <= form.names | {"then"}, f"{set(typed)} are not all on the form"
        kept = [(name, value) for name, value in form.fields if name not in typed]
        fields: dict[str, list[str]] = {}
        for name, value in [*kept, *typed.items()]:
            fields.setdefault(name, []).append(value)
        assert form.method == "post"
        return self.post(action, fields, follow)

    def sign_in(self, name: str, password: str = "correct horse battery") -> Answer:
        """Sign in by the form."""
        return self.send(self.get("/sign-in"), "/sign-in", sign_in_name=name, password=password)


@pytest.fixture(scope="module")
def ctx(database: Database, run: Any) -> Iterator[Context]:
    """A furnished world on the module's database, whose clock stands."""
    context = world.context(database)
    context.settings = replace(context.settings, demo=True, secret=world.SECRET)
    yield context
    assert context.pay_queue is not None
    run(context.pay_queue.close())


@pytest.fixture(scope="module")
def ref(ctx: Context, run: Any) -> Reference:
    """Shops, goods and policy, and one member of staff a role."""

    async def furnish() -> Reference:
        found = await world.furnish(ctx)
        async with ctx.database.transaction() as tx:
            for role in Role:
                await staff.hire(tx, new_id(), str(role), f"The {role}", "a staff password", [role], world.BY)
        return found

    found: Reference = run(furnish())
    return found


@pytest.fixture(scope="module")
def app(ctx: Context) -> Any:
    """The application on that world."""
    made = create_app(ctx.settings, ctx.clock, with_jobs=False)
    made.state.context = ctx
    return made


@pytest.fixture
def browser(app: Any, ref: Reference, run: Any) -> Callable[..., Browser]:
    """Makes a visitor: `browser()`, `browser("zh-CN")`."""
    return lambda locale="en": Browser(app, run, locale)


@pytest.fixture
def names(ctx: Context, run: Any) -> Callable[[Any], str]:
    """The sign-in name of a consumer."""

    async def of(consumer_id: Any) -> str:
        async with ctx.database.snapshot() as tx:
            return (await customer.person(tx, ctx.keys, consumer_id)).sign_in_name

    return lambda consumer_id: run(of(consumer_id))


@pytest.fixture(autouse=True)
def no_missing_words(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Every string that a page asks for is in the catalogue."""
    with caplog.at_level(logging.ERROR, logger="fenqi.texts"):
        yield
    assert [r.getMessage() for r in caplog.records if r.name.startswith("fenqi.texts")] == []
