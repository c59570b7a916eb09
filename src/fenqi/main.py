"""Joins the parts: one context, the doors, and what runs in the background. Nothing else."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from fenqi.customer import Keys
from fenqi.database import clock as database_clock
from fenqi.database.pool import Database
from fenqi.flows import hear, passages, pay
from fenqi.flows.context import Context
from fenqi.jobs import background
from fenqi.kernel.clock import Clock, SteeredClock, SystemClock
from fenqi.settings import Settings
from fenqi.web import console, hooks, jeepay, shop
from fenqi.web.api import edge, openapi, problem, resource

VERSION = "0.1.0"


@asynccontextmanager
async def opened(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Context]:
    """A context on the settings' database, closed at the end; queued payments are answered first."""
    async with await Database.open(settings.database_url, max_size=settings.pool_max) as database:
        context = Context(database, clock or await _clock(settings, database), settings, Keys(settings.secret))
        context.pay_queue = pay.open_queue(context)
        context.notice_queue = hear.open_queue(context)
        try:
            yield context
        finally:
            await context.pay_queue.close()
            await context.notice_queue.close()
            await passages.hand_in(context)
            await context.http.close()


async def _clock(settings: Settings, database: Database) -> Clock:
    """The machine's clock; in the demo one that goes on with the offset it was left with."""
    if not settings.demo:
        return SystemClock()
    async with database.transaction() as tx:
        return SteeredClock(offset=await database_clock.read_offset(tx))


def settle_memory() -> None:
    """For a process that only serves: what is loaded by now stays, so the collector need not look at it again.

    It then looks less often, too: requests make many short-lived objects and next to no cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def create_app(settings: Settings, clock: Clock | None = None, *, with_jobs: bool = True) -> FastAPI:
    """The application: pages, API, and the jobs of this process. `clock` steers time in tests."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, clock) as context:
            app.state.context = context
            stop = asyncio.Event()
            jobs = asyncio.create_task(background.run(context, stop)) if with_jobs else None
            try:
                yield
            finally:
                stop.set()
                if jobs is not None:
                    await jobs

    app = FastAPI(
        title="fenqi", version=VERSION, lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it asks the environment at every request
    )  # fmt: skip
    api = edge.ApiRoute(resource.load())
    app.router.routes.append(api)
    app.add_middleware(edge.ApiFirst, route=api)
    app.add_middleware(hooks.Hooks)
    problem.install(app)
    jeepay.register(app)
    shop.register(app)
    console.register(app)
    document = openapi.document(VERSION)

    @app.get("/openapi.json", include_in_schema=False)
    async def describe(_request: Request) -> JSONResponse:
        return JSONResponse(document)

    return app
