"""Links between profiles as a drawing: the subject in the middle, what it met on rings around it by hops. Pure."""

from __future__ import annotations

import math
from typing import NamedTuple
from uuid import UUID

from fenqi.risk import Web

WIDTH, HEIGHT = 760, 440
_RINGS = ((0, 0), (165, 105), (290, 180), (345, 205), (360, 212))
"""Half axes of the ellipse of each hop, in pixels."""
_TURN = -1.2
"""Where a ring begins, in radians: nothing hangs straight below, so that lines leave the names free."""
_MARGIN = 44


class Node(NamedTuple):
    """A subject at a place."""

    subject_id: UUID
    kind: str
    hop: int
    x: int
    y: int
    is_fraud: bool
    is_cut: bool


class Line(NamedTuple):
    """A link; `is_fraud`: by a confirmed fraud."""

    x1: int
    y1: int
    x2: int
    y2: int
    is_fraud: bool


class Drawing(NamedTuple):
    """What stands where, and the frame around it: left, top, width, height."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    frame: tuple[int, int, int, int]


def draw(web: Web) -> Drawing:
    """The walk as a drawing: on each ring the nodes stand in the order of what they hang on."""
    frauds = {
        end
        for edge in web.edges
        if edge.is_fraud
        for end, kind in ((edge.subject_id, edge.subject_kind), (edge.other_id, edge.other_kind))
        if kind == "consumer"
    }
    angle: dict[UUID, float] = {}
    nodes: dict[UUID, Node] = {}
    for hop in range(max((hop for _, hop in web.nodes.values()), default=0) + 1):
        ring = [one for one, (_, its) in web.nodes.items() if its == hop]
        ring.sort(key=lambda one: (_parent_angle(web, one, hop, angle), one))
        across, down = _RINGS[min(hop, len(_RINGS) - 1)]
        for place, one in enumerate(ring):
            angle[one] = 2 * math.pi * place / max(len(ring), 1) + _TURN
            x = WIDTH // 2 + round(across * math.cos(angle[one]))
            y = HEIGHT // 2 + round(down * math.sin(angle[one]))
            nodes[one] = Node(one, web.nodes[one][0], hop, x, y, one in frauds, one in web.cut)
    lines = [
        Line(a.x, a.y, b.x, b.y, edge.is_fraud)
        for edge in web.edges
        for a, b in ((nodes[edge.subject_id], nodes[edge.other_id]),)
    ]
    return Drawing(tuple(nodes.values()), tuple(lines), _frame(list(nodes.values())))


def _frame(nodes: list[Node]) -> tuple[int, int, int, int]:
    left, right = min(node.x for node in nodes) - _MARGIN, max(node.x for node in nodes) + _MARGIN
    top, bottom = min(node.y for node in nodes) - _MARGIN, max(node.y for node in nodes) + _MARGIN
    return left, top, right - left, bottom - top


def _parent_angle(web: Web, one: UUID, hop: int, angle: dict[UUID, float]) -> float:
    """Where the node of the ring before stands that this one hangs on."""
    for edge in web.edges:
        ends = {edge.subject_id, edge.other_id}
        if one in ends:
            other = next(iter(ends - {one}), one)
            if other in angle and web.nodes[other][1] == hop - 1:
                return angle[other]
    return 0.0
