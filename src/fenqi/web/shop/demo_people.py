"""The people of the demo that the sign-in page offers, grouped by what is particular about them."""

from __future__ import annotations

from typing import Any

from fenqi.web.page import Visit


async def groups(visit: Visit) -> list[tuple[str, list[dict[str, Any]]]]:
    """(heading, people); empty until the demo has been seeded."""
    return []
