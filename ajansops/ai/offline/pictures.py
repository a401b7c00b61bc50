"""What can be measured of a picture: its orientation and its main colours. CPU work: call it in a thread."""

import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from io import BytesIO

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from ajansops.ai.contract import Image
from ajansops.kit.errors import DomainError, Kind

MAX_PIXELS = 40_000_000
_TOO_LARGE = f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels."
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
_SAMPLE = 64  # pixels a side: enough for colours
_EXIF_ORIENTATION = 0x0112
_TURNED = range(5, 9)  # EXIF values that swap width and height
_SQUARE = 1.05  # sides that differ less look equal
_WHITE_DOMINATES = 0.85  # share of the picture above which near-white is the product, not its background
_SECOND_COLOUR = 0.25  # share of the coloured pixels that makes a second colour worth naming

Rgb = tuple[int, int, int]
Lab = tuple[float, float, float]


class BadPicture(DomainError):
    """The picture cannot be read."""

    code = "bad_picture"
    kind = Kind.INVALID


class Orientation(StrEnum):
    """How a picture lies."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"
    SQUARE = "square"


@dataclass(frozen=True, slots=True)
class Look:
    """English colour names, main one first, at most two."""

    colours: tuple[str, ...]
    orientation: Orientation


# Several shades a name, because names are uneven regions: brown is dark orange, and navy is not a light blue.
_SHADES = {
    "black": ("101010", "242424"),
    "grey": ("505050", "808080", "a8a8a8", "c8c8c8"),
    "white": ("f2f2f2", "ffffff"),
    "red": ("ff0000", "d01020", "a01010", "e04038"),
    "orange": ("ff8c00", "f07020", "e08030"),
    "yellow": ("ffff00", "ffd700", "e8c820", "f0e060"),
    "green": ("008000", "00c000", "30a050", "305020", "90b050", "a0e090", "708050"),
    "turquoise": ("40e0d0", "20a0a0", "008080", "80d8d0"),
    "blue": ("0000ff", "2060c0", "4090e0", "90c0f0", "6080a0"),
    "navy": ("000080", "101c48", "202c50"),
    "purple": ("800080", "7030a0", "a060d0", "502060"),
    "pink": ("ffc0cb", "ff69b4", "f08098", "e0a0a8", "ff1493"),
    "brown": ("8b4513", "5c3a21", "7a5230", "a0703c", "402818"),
    "beige": ("f5f5dc", "e0cca8", "d2b48c", "ece0cc", "c8b090"),
}


def look(image: Image) -> Look:
    """Raises `BadPicture` when it is no picture, is broken, or has more than `MAX_PIXELS`."""
    with _opened(image.data) as picture:
        orientation = _orientation(picture)
        pixels = _pixels(_sample(picture))
    return Look(_dominant(pixels), orientation)


def smaller(image: Image, side: int) -> Image:
    """The picture as JPEG of at most `side` pixels a side, on white where it was transparent. Raises `BadPicture`."""
    with _opened(image.data) as picture:
        picture.draft("RGB", (side, side))
        try:
            picture.thumbnail((side, side))
            layer = picture.convert("RGBA")
        except (OSError, ValueError, SyntaxError, MemoryError) as error:
            raise BadPicture from error
    canvas = Pillow.new("RGB", layer.size, "white")
    canvas.paste(layer, mask=layer.getchannel("A"))
    out = BytesIO()
    canvas.save(out, "JPEG", quality=85)
    return Image(out.getvalue(), "image/jpeg")


def _opened(data: bytes) -> Pillow.Image:
    # Only the header is read here, so a bomb is refused before a byte of it is unpacked. Pillow's own limit is
    # process-wide and not ours to set; its warning would be noise, since ours is lower.
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Pillow.DecompressionBombWarning)
            picture = Pillow.open(BytesIO(data), formats=_FORMATS)
    except Pillow.DecompressionBombError as error:
        raise BadPicture(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise BadPicture from error
    if picture.width * picture.height > MAX_PIXELS:
        raise BadPicture(_TOO_LARGE)
    return picture


def _orientation(picture: Pillow.Image) -> Orientation:
    try:
        turned = picture.getexif().get(_EXIF_ORIENTATION) in _TURNED
    except (OSError, ValueError, SyntaxError) as error:
        raise BadPicture from error
    width, height = reversed(picture.size) if turned else picture.size
    if max(width, height) <= min(width, height) * _SQUARE:
        return Orientation.SQUARE
    return Orientation.LANDSCAPE if width > height else Orientation.PORTRAIT


def _sample(picture: Pillow.Image) -> Pillow.Image:
    picture.draft("RGB", (_SAMPLE, _SAMPLE))  # JPEG then decodes at an eighth of its size
    try:
        picture.thumbnail((_SAMPLE, _SAMPLE), Pillow.Resampling.BOX)
        return picture.convert("RGBA")
    except (OSError, ValueError, SyntaxError, MemoryError) as error:
        raise BadPicture from error


def _pixels(sample: Pillow.Image) -> Counter[Rgb]:
    # Channels in steps of 8: neighbours share a name anyway, and far fewer colours need one.
    raw = sample.tobytes()
    seen = zip(raw[0::4], raw[1::4], raw[2::4], raw[3::4], strict=True)
    return Counter((r & 0xF8 | 4, g & 0xF8 | 4, b & 0xF8 | 4) for r, g, b, alpha in seen if alpha >= 128)


def _dominant(pixels: Counter[Rgb]) -> tuple[str, ...]:
    named: Counter[str] = Counter()
    for rgb, count in pixels.items():
        named[_name(rgb)] += count
    if named["white"] < _WHITE_DOMINATES * named.total():
        del named["white"]
    least = _SECOND_COLOUR * named.total()
    return tuple(colour for rank, (colour, count) in enumerate(named.most_common(2)) if rank == 0 or count >= least)


def _name(rgb: Rgb) -> str:
    here = _oklab(rgb)
    return min(_PALETTE, key=lambda shade: sum((a - b) ** 2 for a, b in zip(shade[1], here, strict=True)))[0]


def _oklab(rgb: Rgb) -> Lab:
    """Oklab (Björn Ottosson, 2020), where distance is what the eye sees as difference."""
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (channel / 255 for channel in rgb))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _palette() -> Iterator[tuple[str, Lab]]:
    for name, shades in _SHADES.items():
        for shade in shades:
            r, g, b = bytes.fromhex(shade)
            yield name, _oklab((r, g, b))


_PALETTE = tuple(_palette())
