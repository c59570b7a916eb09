"""A picture for every SKU: SVG drawn by our own code, one shape per kind of goods in the variant's colour.

Pure text of about a kilobyte, the same for the same SKU, safe to inline (no script, no outside reference).
"""

from __future__ import annotations

import hashlib
from html import escape

from fenqi.catalog.model import Item
from fenqi.catalog.picture_shape import SHAPES, Ink


def picture_svg(item: Item, root: str = "") -> str:
    """The SVG of a SKU, square, 240 units a side. `root` names the category whose shape is used when the leaf has
    none of its own (the parent's code)."""
    seed = hashlib.sha256(item.number.encode()).digest()
    ink = Ink(item.colour)
    draw = SHAPES.get(item.category) or SHAPES.get(root) or SHAPES["parcel"]
    title = escape(item.title_zh, quote=False)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 240 240" role="img">'
        f"<title>{title}</title>{_backdrop(ink, seed)}{draw(ink, seed)}</svg>"
    )


def _backdrop(ink: Ink, seed: bytes) -> str:
    """A quiet ground: a tint of the colour, a large soft circle off the middle, and a shadow to stand on."""
    x, y = 60 + seed[0] % 120, 50 + seed[1] % 80
    return (
        f'<rect width="240" height="240" fill="{ink.mist}"/>'
        f'<circle cx="{x}" cy="{y}" r="{84 + seed[2] % 24}" fill="{ink.haze}"/>'
        f'<ellipse cx="120" cy="206" rx="70" ry="9" fill="{ink.dark}" opacity=".14"/>'
    )
