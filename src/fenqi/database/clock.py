"""The demo's clock: how far it runs ahead of the machine's, kept so that a restarted demo goes on where it was."""

from __future__ import annotations

from datetime import timedelta

from fenqi.database.pool import Tx


async def read_offset(tx: Tx) -> timedelta:
    """How far the steered clock is ahead; zero where it was never moved."""
    row = await (await tx.execute("SELECT ahead FROM clock_offset")).fetchone()
    return row[0] if row else timedelta()


async def set_offset(tx: Tx, ahead: timedelta) -> None:
    """Keep `ahead` as the distance to the machine's clock."""
    await tx.execute(
        "INSERT INTO clock_offset (singleton, ahead) VALUES (true, %s)"
        " ON CONFLICT (singleton) DO UPDATE SET ahead = excluded.ahead",
        [ahead],
    )
