"""The category tree as a pure value: ancestors for rules, descendants for lists."""

from __future__ import annotations

from collections.abc import Iterable

from fenqi.catalog.model import Category
from fenqi.kernel.refusal import NotFound


class CategoryTree:
    """Categories by code with their ways up and down; immutable once built."""

    def __init__(self, categories: Iterable[Category]) -> None:
        self._by_code = {category.code: category for category in categories}
        self._children: dict[str | None, list[Category]] = {}
        for category in sorted(self._by_code.values(), key=lambda category: (category.position, category.code)):
            self._children.setdefault(category.parent_code, []).append(category)

    def __contains__(self, code: str) -> bool:
        return code in self._by_code

    @property
    def codes(self) -> frozenset[str]:
        """All codes."""
        return frozenset(self._by_code)

    def get(self, code: str) -> Category:
        """The category, or NotFound (CATEGORY_UNKNOWN)."""
        if code not in self._by_code:
            raise NotFound("CATEGORY_UNKNOWN", f"no category {code!r}")
        return self._by_code[code]

    def children(self, code: str | None = None) -> tuple[Category, ...]:
        """Direct children in their order; the roots for None."""
        return tuple(self._children.get(code, ()))

    def path(self, code: str) -> tuple[str, ...]:
        """The code itself, then its ancestors up to the root."""
        codes = []
        step: str | None = self.get(code).code
        while step is not None:
            codes.append(step)
            step = self._by_code[step].parent_code
        return tuple(codes)

    def below(self, code: str) -> tuple[str, ...]:
        """The code itself and everything under it."""
        found = [self.get(code).code]
        for place in found:
            found.extend(child.code for child in self._children.get(place, ()))
        return tuple(found)
