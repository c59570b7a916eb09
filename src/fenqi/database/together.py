"""Several statements of one transaction on one round trip: sent one behind the other, answered together.

PostgreSQL runs them in the order given, each with a snapshot of its own, as if each answer had been waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from psycopg import errors

from fenqi.database.pool import Tx


async def together(tx: Tx, *verbs: Coroutine[Any, Any, Any]) -> list[Any]:
    """Run verbs of stores together and give their answers in order; their first statements go out in order.

    None may need another's answer, and a count of rows has to be fetched as a row. Raises what the first statement
    that failed said.
    """
    async with tx.pipeline():
        done = await asyncio.gather(*verbs, return_exceptions=True)
        failed = [one for one in done if isinstance(one, BaseException)]
        if failed:
            raise next((one for one in failed if not isinstance(one, _FOLLOWED)), failed[0])
    return done


_FOLLOWED = (errors.PipelineAborted, errors.ProgrammingError)
"""What later statements say once one has failed."""
