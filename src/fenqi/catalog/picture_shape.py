"""The shelf of shapes for product pictures: each draws its goods with rectangles, circles and paths in an ink.

Adding a kind of goods adds one function here and one line in `SHAPES`.
"""

from __future__ import annotations

from collections.abc import Callable


class Ink:
    """A colour and the tones that go with it, as "#rrggbb"."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.mist = _mix(base, "#ffffff", 88)
        self.haze = _mix(base, "#ffffff", 78)
        self.light = _mix(base, "#ffffff", 45)
        self.dark = _mix(base, "#101828", 55)
        self.deep = _mix(base, "#101828", 82)


def _mix(first: str, second: str, percent: int) -> str:
    """`first` with `percent` of `second`."""
    pairs = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{(a * (100 - percent) + b * percent) // 100:02x}" for a, b in pairs)


def _box(x: int, y: int, w: int, h: int, fill: str, r: int = 6) -> str:
    return f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{r}" fill="{fill}"/>'


def _disc(x: int, y: int, r: int, fill: str) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="{fill}"/>'


def _ring(x: int, y: int, r: int, stroke: str, width: int = 8) -> str:
    return f'<circle cx="{x}" cy="{y}" r="{r}" fill="none" stroke="{stroke}" stroke-width="{width}"/>'


def _path(d: str, fill: str) -> str:
    return f'<path d="{d}" fill="{fill}"/>'


def _stroke(d: str, colour: str, width: int = 8) -> str:
    return (
        f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width}"'
        ' stroke-linecap="round" stroke-linejoin="round"/>'
    )


def _phone(ink: Ink, seed: bytes) -> str:
    lenses = "".join(_disc(100 + 18 * i, 62, 7, ink.deep) for i in range(1 + seed[3] % 3))
    back = _box(80, 38, 80, 164, ink.base, 16) + _box(88, 48, 62, 28, ink.dark, 12)
    return back + lenses + _box(84, 90, 3, 90, ink.light, 2)


def _laptop(ink: Ink, seed: bytes) -> str:
    screen = _box(58, 62, 124, 88, ink.deep, 8) + _box(65, 69, 110, 74, ink.light, 4)
    bars = "".join(_box(74, 80 + 16 * i, 40 + seed[4 + i] % 50, 7, ink.base, 3) for i in range(3))
    return screen + bars + _path("M42 156h156l-10 18H52z", ink.dark) + _box(104, 158, 32, 5, ink.light, 2)


def _tablet(ink: Ink, seed: bytes) -> str:
    tiles = "".join(
        _box(70 + 36 * (i % 3), 78 + 36 * (i // 3), 26, 26, (ink.base, ink.dark, ink.haze)[seed[4 + i] % 3], 6)
        for i in range(6)
    )
    return _box(52, 56, 136, 128, ink.deep, 12) + _box(60, 64, 120, 112, ink.mist, 6) + tiles


def _watch(ink: Ink, seed: bytes) -> str:
    straps = _box(98, 36, 44, 60, ink.dark, 10) + _box(98, 144, 44, 60, ink.dark, 10)
    hands = _stroke("M120 120V96M120 120l16 9", ink.mist, 5)
    return straps + _disc(120, 120, 46, ink.base) + _disc(120, 120, 36, ink.deep) + hands


def _audio(ink: Ink, seed: bytes) -> str:
    band = _stroke("M66 138V118a54 54 0 0 1 108 0v20", ink.dark, 10)
    return band + _box(54, 128, 30, 58, ink.base, 14) + _box(156, 128, 30, 58, ink.base, 14)


def _camera(ink: Ink, seed: bytes) -> str:
    body = _box(50, 84, 140, 98, ink.base, 14) + _box(92, 66, 56, 26, ink.dark, 8)
    return body + _disc(120, 134, 36, ink.deep) + _disc(120, 134, 24, ink.light) + _disc(170, 102, 6, ink.mist)


def _television(ink: Ink, seed: bytes) -> str:
    hills = _path("M44 148l40-38 30 26 34-42 48 54z", ink.dark)
    screen = _box(36, 62, 168, 98, ink.deep, 6) + _box(42, 68, 156, 86, ink.light, 3)
    return screen + hills + _path("M104 160h32l8 28H96z", ink.deep)


def _fridge(ink: Ink, seed: bytes) -> str:
    doors = _box(76, 36, 88, 168, ink.base, 8) + _box(76, 36 + 58 + seed[5] % 20, 88, 3, ink.dark, 0)
    return doors + _box(150, 58, 5, 28, ink.deep, 2) + _box(150, 128, 5, 44, ink.deep, 2)


def _washer(ink: Ink, seed: bytes) -> str:
    body = _box(64, 50, 112, 154, ink.light, 10) + _box(64, 50, 112, 28, ink.base, 10)
    return body + _disc(120, 140, 42, ink.dark) + _disc(120, 140, 31, ink.haze) + _disc(156, 64, 6, ink.mist)


def _air_conditioner(ink: Ink, seed: bytes) -> str:
    wind = "".join(_stroke(f"M{84 + 36 * i} 146c-8 14 8 20 0 36", ink.base, 5) for i in range(3))
    return _box(36, 70, 168, 60, ink.light, 14) + _box(48, 112, 144, 8, ink.dark, 4) + wind


def _kettle(ink: Ink, seed: bytes) -> str:
    body = _path("M86 92h64l14 100H72z", ink.base) + _stroke("M156 104c40 0 36 62 8 64", ink.dark, 10)
    return body + _box(84, 78, 68, 14, ink.dark, 6) + _disc(118, 72, 7, ink.deep) + _box(90, 180, 62, 6, ink.light, 3)


def _vacuum(ink: Ink, seed: bytes) -> str:
    return _disc(120, 130, 62, ink.base) + _disc(120, 130, 48, ink.light) + _disc(120, 118, 14, ink.deep)


def _dryer(ink: Ink, seed: bytes) -> str:
    return _path("M62 78h92a26 26 0 0 1 0 56H62z", ink.base) + _path("M116 134h30l10 62h-28z", ink.dark)


def _sofa(ink: Ink, seed: bytes) -> str:
    back = (
        _box(56, 92, 128, 66, ink.base, 16) + _box(40, 116, 34, 66, ink.dark, 14) + _box(166, 116, 34, 66, ink.dark, 14)
    )
    return back + _box(72, 138, 46, 34, ink.light, 8) + _box(122, 138, 46, 34, ink.light, 8)


def _bed(ink: Ink, seed: bytes) -> str:
    frame = _box(44, 76, 152, 70, ink.dark, 12) + _box(38, 128, 164, 50, ink.base, 10)
    return (
        frame
        + _box(58, 110, 54, 28, ink.mist, 8)
        + _box(128, 110, 54, 28, ink.mist, 8)
        + _box(38, 150, 164, 28, ink.light, 8)
    )


def _desk(ink: Ink, seed: bytes) -> str:
    return (
        _box(36, 104, 168, 14, ink.base, 4) + _box(48, 118, 10, 84, ink.dark, 3) + _box(134, 118, 58, 84, ink.light, 4)
    )


def _bathroom(ink: Ink, seed: bytes) -> str:
    tap = _stroke("M120 122V84a26 26 0 0 1 52 0v10", ink.dark, 12)
    return tap + _path("M52 124h136c0 44-28 62-68 62s-68-18-68-62z", ink.base) + _box(46, 120, 148, 12, ink.light, 6)


def _lamp(ink: Ink, seed: bytes) -> str:
    glow = f'<path d="M70 118l-22 78h144l-22-78z" fill="{ink.light}" opacity=".5"/>'
    return _box(117, 34, 6, 34, ink.deep, 2) + glow + _path("M88 66h64l24 54H64z", ink.base)


def _paint(ink: Ink, seed: bytes) -> str:
    bucket = _path("M68 96h104l-10 106H78z", ink.light) + _box(62, 86, 116, 16, ink.dark, 8)
    drip = _path("M68 102h104v20c-10 26-22 0-32 6s-14 40-26 24-12-26-24-18-22-6-22-12z", ink.base)
    return bucket + drip + _stroke("M70 92c8-60 92-60 100 0", ink.deep, 5)


def _coat(ink: Ink, seed: bytes) -> str:
    body = _path("M90 54l30 16 30-16 42 32-18 34-16-10v92H82v-92l-16 10-18-34z", ink.base)
    buttons = "".join(_disc(128, 108 + 26 * i, 4, ink.deep) for i in range(3))
    return body + _box(118, 72, 4, 130, ink.dark, 0) + buttons


def _shoe(ink: Ink, seed: bytes) -> str:
    upper = _path("M44 98c20 14 44 6 52-10l66 52c22 6 36 12 38 34H44z", ink.base)
    return upper + _box(40, 172, 164, 18, ink.mist, 9) + _stroke("M108 108l14-8M124 120l14-8M140 132l14-8", ink.deep, 5)


def _bag(ink: Ink, seed: bytes) -> str:
    return (
        _stroke("M88 104c0-64 64-64 64 0", ink.dark, 9)
        + _path("M60 98h120l12 104H48z", ink.base)
        + _box(104, 128, 32, 20, ink.light, 5)
    )


def _bottle(ink: Ink, seed: bytes) -> str:
    pump = _box(108, 44, 24, 30, ink.deep, 4) + _box(100, 40, 46, 9, ink.deep, 4)
    return (
        pump
        + _box(78, 74, 84, 128, ink.base, 18)
        + _box(90, 112, 60, 50, ink.mist, 4)
        + _box(100, 128, 40, 5, ink.dark, 2)
    )


def _lipstick(ink: Ink, seed: bytes) -> str:
    return (
        _path("M104 112V66c0-10 20-20 32-22v68z", ink.base)
        + _box(98, 108, 44, 36, ink.light, 3)
        + _box(90, 140, 60, 62, ink.deep, 5)
    )


def _perfume(ink: Ink, seed: bytes) -> str:
    return (
        _box(104, 48, 32, 30, ink.deep, 5)
        + _box(110, 78, 20, 14, ink.light, 0)
        + _box(68, 92, 104, 110, ink.base, 20)
        + _box(84, 128, 72, 58, ink.light, 10)
    )


def _stroller(ink: Ink, seed: bytes) -> str:
    hood = _path("M118 60a64 64 0 0 0-64 64h64z", ink.dark) + _path(
        "M54 124h124c0 36-24 52-58 52s-66-16-66-52z", ink.base
    )
    return hood + _stroke("M176 124l20-42", ink.deep, 8) + _ring(86, 190, 14, ink.deep) + _ring(150, 190, 14, ink.deep)


def _nappy(ink: Ink, seed: bytes) -> str:
    return (
        _path("M48 84h144v30c-30 6-40 34-40 68H88c0-34-10-62-40-68z", ink.light)
        + _box(40, 88, 30, 16, ink.base, 6)
        + _box(170, 88, 30, 16, ink.base, 6)
    )


def _toy(ink: Ink, seed: bytes) -> str:
    bricks = _box(56, 140, 62, 60, ink.base) + _box(122, 140, 62, 60, ink.dark) + _box(88, 76, 64, 60, ink.light)
    return bricks + "".join(_box(x, y, 18, 8, ink.deep, 3) for x, y in ((66, 132), (94, 132), (98, 68), (126, 68)))


def _dumbbell(ink: Ink, seed: bytes) -> str:
    plates = "".join(_box(x, 82, 22, 84, ink.base, 8) for x in (60, 158)) + "".join(
        _box(x, 98, 14, 52, ink.dark, 6) for x in (42, 184)
    )
    return _box(76, 116, 88, 16, ink.deep, 4) + plates


def _bicycle(ink: Ink, seed: bytes) -> str:
    frame = _stroke("M72 158l32-62h52l14 62M104 96l36 62H72M156 96l-6-20h18M96 84h20", ink.base, 8)
    return _ring(72, 160, 36, ink.deep, 7) + _ring(170, 160, 36, ink.deep, 7) + frame


def _tent(ink: Ink, seed: bytes) -> str:
    return (
        _path("M120 58l88 138H32z", ink.base)
        + _path("M120 58l34 138H86z", ink.deep)
        + _path("M120 58l34 138h-20z", ink.light)
    )


def _jar(ink: Ink, seed: bytes) -> str:
    return (
        _box(80, 52, 80, 24, ink.deep, 6)
        + _box(66, 74, 108, 128, ink.base, 20)
        + _box(66, 112, 108, 52, ink.mist, 0)
        + _disc(120, 138, 16, ink.dark)
    )


def _sack(ink: Ink, seed: bytes) -> str:
    return (
        _path("M84 52h72l-8 22c34 30 44 86 32 128H60c-12-42-2-98 32-128z", ink.base)
        + _box(84, 72, 72, 8, ink.deep, 4)
        + _disc(120, 142, 28, ink.light)
    )


def _ingot(ink: Ink, seed: bytes) -> str:
    def bar(x: int, y: int) -> str:
        top = _path(f"M{x + 16} {y}h56l14 16h-84z", ink.light)
        return top + _path(f"M{x + 2} {y + 16}h84l8 30h-100z", ink.base)

    return bar(28, 154) + bar(122, 154) + bar(76, 104)


def _ring_with_stone(ink: Ink, seed: bytes) -> str:
    return (
        _ring(120, 146, 48, ink.base, 12)
        + _path("M96 60h48l16 18-40 34-40-34z", ink.light)
        + _path("M108 60h24l-12 52z", ink.mist)
    )


def _gift_card(ink: Ink, seed: bytes) -> str:
    bow = _stroke("M92 124c-34-34 6-50 0 0 6-50 44-34 0 0", ink.mist, 6)
    return (
        _box(36, 74, 168, 108, ink.base, 12)
        + _box(84, 74, 16, 108, ink.light, 0)
        + _box(36, 118, 168, 14, ink.light, 0)
        + bow
    )


def _signal(ink: Ink, seed: bytes) -> str:
    bars = "".join(_box(102 + 11 * i, 150 - 14 * i, 8, 14 + 14 * i, ink.base, 2) for i in range(4))
    return _box(84, 42, 74, 158, ink.deep, 14) + _box(90, 56, 62, 126, ink.mist, 4) + bars


def _gamepad(ink: Ink, seed: bytes) -> str:
    body = _path("M76 92h88c40 0 56 92 30 98-22 4-30-30-46-30H92c-16 0-24 34-46 30-26-6-10-98 30-98z", ink.base)
    return (
        body
        + _stroke("M72 126h28M86 112v28", ink.deep, 9)
        + _disc(150, 118, 8, ink.mist)
        + _disc(170, 136, 8, ink.light)
    )


def _capsule(ink: Ink, seed: bytes) -> str:
    halves = _box(52, 94, 136, 56, ink.light, 28) + _path("M120 94h40a28 28 0 0 1 0 56h-40z", ink.base)
    return f'<g transform="rotate(-32 120 122)">{halves}</g>'


def _ticket(ink: Ink, seed: bytes) -> str:
    body = _path("M40 84h160v24a16 16 0 0 0 0 32v24H40v-24a16 16 0 0 0 0-32z", ink.base)
    return (
        body
        + _stroke("M150 92v64", ink.mist, 4)
        + _box(62, 104, 66, 10, ink.light, 4)
        + _box(62, 128, 46, 10, ink.light, 4)
    )


def _parcel(ink: Ink, seed: bytes) -> str:
    return (
        _path("M120 56l74 32v78l-74 38-74-38V88z", ink.base)
        + _path("M120 56l74 32-74 34-74-34z", ink.light)
        + _path("M112 118h16v84l-8 2-8-2z", ink.dark)
    )


def _globe(ink: Ink, seed: bytes) -> str:
    lines = _stroke("M58 128h124M120 66c-44 40-44 84 0 124M120 66c44 40 44 84 0 124", ink.mist, 5)
    return _disc(120, 128, 64, ink.base) + lines


def _play(ink: Ink, seed: bytes) -> str:
    return (
        _box(40, 70, 160, 112, ink.deep, 16) + _disc(120, 126, 36, ink.base) + _path("M110 106l32 20-32 20z", ink.mist)
    )


Shape = Callable[[Ink, bytes], str]
SHAPES: dict[str, Shape] = {
    "phone": _phone, "laptop": _laptop, "tablet": _tablet, "wearable": _watch, "audio": _audio, "camera": _camera,
    "digital": _phone, "appliance": _television, "television": _television, "fridge": _fridge, "washer": _washer,
    "air_conditioner": _air_conditioner, "small_appliance": _kettle, "kitchen_appliance": _kettle,
    "personal_care": _dryer, "cleaning": _vacuum, "furniture": _sofa, "sofa": _sofa, "bed": _bed, "desk": _desk,
    "home_improvement": _paint, "bathroom": _bathroom, "lighting": _lamp, "paint": _paint, "apparel": _coat,
    "coat": _coat, "shoes": _shoe, "bag": _bag, "beauty": _bottle, "skincare": _bottle, "makeup": _lipstick,
    "perfume": _perfume, "baby": _stroller, "stroller": _stroller, "nappy": _nappy, "toy": _toy, "sport": _dumbbell,
    "fitness": _dumbbell, "cycling": _bicycle, "camping": _tent, "grocery": _jar, "snack": _jar, "tea": _jar,
    "grain": _sack, "gold": _ingot, "gold_bar": _ingot, "jewellery": _ring_with_stone, "gift_card": _gift_card,
    "topup": _signal, "phone_topup": _signal, "game_topup": _gamepad, "medicine": _capsule, "ticket": _ticket,
    "overseas": _globe, "membership": _play, "parcel": _parcel,
}  # fmt: skip
"""Shapes by category code; a leaf without one takes its root's."""
