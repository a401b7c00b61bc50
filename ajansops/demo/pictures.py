"""The demo's product pictures, drawn when they are asked for: the repository holds no binary files.

Shapes are given in percent of the picture's width and height. Every picture is mostly its product's one colour, so that
what is said of the picture can be held against what the product's text says.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

BACKDROP: Colour = (246, 241, 232)
FLOOR: Colour = (232, 222, 206)
OAK: Colour = (196, 152, 98)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
SMOOTH = 2  # drawn this many times too large, then scaled down


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`one` with this share (0 to 1) of `other` in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


class Canvas:
    """A picture whose coordinates are percents, with a main colour and its shades."""

    def __init__(self, size: tuple[int, int], colour: Colour) -> None:
        self.width, self.height = size[0] * SMOOTH, size[1] * SMOOTH
        self.colour, self.dark, self.light = colour, mix(colour, BLACK, 0.22), mix(colour, WHITE, 0.3)
        self.image = Image.new("RGB", (self.width, self.height), BACKDROP)
        self._draw = ImageDraw.Draw(self.image)
        self.box(0, 84, 100, 100, FLOOR)

    def _at(self, *points: Point) -> list[Point]:
        return [(x * self.width / 100, y * self.height / 100) for x, y in points]

    def _thick(self, percent: float) -> int:
        return max(1, round(percent * min(self.width, self.height) / 100))

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, *, corner: float = 0) -> None:
        radius = self._thick(corner) if corner else 0
        self._draw.rounded_rectangle(self._at((left, top), (right, bottom)), radius, fill=fill)

    def oval(self, left: float, top: float, right: float, bottom: float, fill: Colour) -> None:
        self._draw.ellipse(self._at((left, top), (right, bottom)), fill=fill)

    def ring(self, left: float, top: float, right: float, bottom: float, fill: Colour, *, thick: float) -> None:
        self._draw.ellipse(self._at((left, top), (right, bottom)), outline=fill, width=self._thick(thick))

    def shape(self, fill: Colour, *points: Point) -> None:
        self._draw.polygon(self._at(*points), fill=fill)

    def line(self, fill: Colour, thick: float, *points: Point) -> None:
        self._draw.line(self._at(*points), fill=fill, width=self._thick(thick), joint="curve")

    def png(self) -> bytes:
        small = self.image.resize((self.width // SMOOTH, self.height // SMOOTH), Image.Resampling.LANCZOS)
        out = BytesIO()
        small.save(out, "PNG", optimize=True)
        return out.getvalue()


def _mug(c: Canvas) -> None:
    c.ring(62, 28, 96, 72, c.dark, thick=6)
    c.box(8, 14, 78, 92, c.colour, corner=9)
    c.oval(8, 7, 78, 22, c.dark)
    c.oval(11, 9, 75, 20, c.light)
    c.line(c.light, 2, (16, 30), (16, 78))


def _vase(c: Canvas) -> None:
    c.shape(c.colour, (32, 5), (68, 5), (58, 20), (64, 34), (36, 34), (42, 20))
    c.oval(6, 24, 94, 84, c.colour)
    c.shape(c.colour, (16, 70), (84, 70), (66, 95), (34, 95))
    c.oval(32, 2, 68, 8, c.dark)
    c.line(c.light, 2, (20, 44), (16, 54), (20, 64))


def _scarf(c: Canvas) -> None:
    c.ring(8, 2, 92, 50, c.colour, thick=23)
    c.box(18, 30, 46, 86, c.colour, corner=2)
    c.shape(c.colour, (46, 32), (74, 28), (90, 80), (62, 84))
    c.box(26, 30, 74, 42, c.dark, corner=6)
    for x in range(20, 46, 4):
        c.line(c.dark, 1, (x, 86), (x, 94))
        c.line(c.dark, 1, (x + 44, 86 - x / 10), (x + 47, 93 - x / 10))
    for y in (56, 62, 68):
        c.line(c.light, 1, (18, y), (46, y))
        c.line(c.light, 1, (53 + (y - 56) / 3, y), (81 + (y - 56) / 3, y - 4))


def _lamp(c: Canvas) -> None:
    c.line(OAK, 4, (50, 60), (50, 92))
    c.oval(26, 88, 74, 97, OAK)
    c.shape(c.colour, (24, 4), (76, 4), (98, 72), (2, 72))
    c.oval(2, 66, 98, 78, c.colour)
    c.oval(14, 69, 86, 75, c.light)
    c.line(c.light, 2, (30, 12), (18, 52))


def _chair(c: Canvas) -> None:
    c.box(16, 4, 84, 46, c.colour, corner=5)
    c.box(38, 12, 62, 20, BACKDROP, corner=3)
    c.box(10, 50, 90, 66, c.colour, corner=4)
    c.box(18, 44, 28, 52, c.dark)
    c.box(72, 44, 82, 52, c.dark)
    for left in (14, 76):
        c.shape(c.colour, (left, 66), (left + 10, 66), (left + 9, 96), (left + 2, 96))
    c.box(20, 76, 80, 81, c.dark)


def _bowl(c: Canvas) -> None:
    c.shape(c.colour, (3, 28), (97, 28), (88, 60), (66, 88), (34, 88), (12, 60))
    c.oval(12, 28, 88, 90, c.colour)
    c.box(36, 84, 64, 94, c.dark, corner=2)
    c.oval(3, 14, 97, 42, c.dark)
    c.oval(6, 17, 94, 39, c.colour)
    c.oval(16, 22, 84, 37, c.light)


def _cushion(c: Canvas) -> None:
    c.box(6, 8, 94, 94, c.colour, corner=14)
    for size, fill in ((26, c.dark), (18, c.light), (10, c.colour)):
        c.shape(fill, (50, 51 - size), (50 + size, 51), (50, 51 + size), (50 - size, 51))
    for x in (22, 78):
        for y in (24, 78):
            c.shape(c.light, (x, y - 6), (x + 6, y), (x, y + 6), (x - 6, y))


def _basket(c: Canvas) -> None:
    c.ring(20, 3, 80, 80, c.dark, thick=4)
    c.shape(c.colour, (3, 32), (97, 32), (86, 95), (14, 95))
    for y in (46, 58, 70, 82):
        slant = (y - 32) / 63 * 11
        c.line(c.dark, 1, (3 + slant, y), (97 - slant, y))
    for x in range(14, 92, 9):
        c.line(c.light, 0.5, (x, 38), (50 + (x - 50) * 0.82, 94))
    c.box(1, 27, 99, 38, c.colour, corner=4)


def _teapot(c: Canvas) -> None:
    c.ring(24, 3, 76, 66, c.colour, thick=4)
    c.shape(c.colour, (76, 56), (97, 30), (99, 36), (84, 74))
    c.oval(6, 22, 88, 96, c.colour)
    c.oval(32, 24, 66, 38, c.dark)
    c.oval(45, 17, 53, 26, c.colour)
    c.line(c.light, 2, (22, 56), (24, 48), (30, 40))


def _candle(c: Canvas) -> None:
    c.oval(44, 2, 56, 15, (247, 190, 70))
    c.line(BLACK, 1, (50, 11), (50, 20))
    c.box(12, 22, 88, 92, c.colour, corner=3)
    c.oval(12, 16, 88, 28, c.light)
    c.oval(4, 88, 96, 97, OAK)
    c.box(15, 26, 20, 56, c.light, corner=2)


def _tray(c: Canvas) -> None:
    c.box(5, 14, 95, 90, c.colour, corner=5)
    c.box(13, 24, 87, 80, c.dark, corner=3)
    c.box(15, 28, 87, 80, c.colour, corner=3)
    for x, y in ((9, 19), (91, 19), (9, 85), (91, 85)):
        c.oval(x - 1.5, y - 2, x + 1.5, y + 2, OAK)


def _rug(c: Canvas) -> None:
    for x in range(8, 94, 3):
        c.line(OAK, 1, (x, 2), (x, 98))
    c.box(6, 7, 94, 93, c.colour)
    c.box(12, 12, 88, 14, c.dark)
    c.box(12, 86, 88, 88, c.dark)
    for y in (31, 50, 69):
        c.shape(c.light, (50, y - 8), (72, y), (50, y + 8), (28, y))
        c.shape(c.dark, (50, y - 4), (60, y), (50, y + 4), (40, y))


@dataclass(frozen=True, slots=True)
class Picture:
    """How one is drawn. The size is in pixels."""

    draw: Callable[[Canvas], None]
    colour: Colour
    size: tuple[int, int]


PORTRAIT, LANDSCAPE, SQUARE = (600, 800), (800, 600), (700, 700)

PICTURES = {
    "mavi-kupa": Picture(_mug, (38, 84, 190), SQUARE),
    "lale-vazo": Picture(_vase, (200, 32, 40), PORTRAIT),
    "zold-gyapjusal": Picture(_scarf, (34, 132, 62), PORTRAIT),
    "reading-lamp": Picture(_lamp, (246, 206, 32), PORTRAIT),
    "beech-chair": Picture(_chair, (240, 130, 24), PORTRAIT),
    "iznik-kase": Picture(_bowl, (44, 196, 192), LANDSCAPE),
    "kilim-yastik": Picture(_cushion, (118, 44, 150), SQUARE),
    "fonott-kosar": Picture(_basket, (128, 78, 36), LANDSCAPE),
    "siyah-demlik": Picture(_teapot, (26, 26, 28), LANDSCAPE),
    "beeswax-candle": Picture(_candle, (244, 130, 172), PORTRAIT),
    "felt-tray": Picture(_tray, (132, 132, 134), LANDSCAPE),
    "kirmizi-kilim": Picture(_rug, (184, 30, 36), PORTRAIT),
}


def names() -> list[str]:
    """Every picture there is: the handles of the catalogue's products."""
    return list(PICTURES)


@lru_cache(maxsize=len(PICTURES))
def render(name: str) -> bytes:
    """The PNG of one picture. Raises `KeyError` for a name that `names()` does not have."""
    picture = PICTURES[name]
    canvas = Canvas(picture.size, picture.colour)
    picture.draw(canvas)
    return canvas.png()
