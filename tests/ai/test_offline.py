import asyncio
import csv
import html
import io
import re
import struct
import zlib
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image as Pillow

from ajansops.ai.contract import ContentType, Image, ProductFacts, ProviderFailed, TagTask, Voice, WriteTask
from ajansops.ai.offline import glossary
from ajansops.ai.offline.phrases import LABELS
from ajansops.ai.offline.pictures import BadPicture, smaller
from ajansops.ai.offline.provider import Offline
from ajansops.ai.offline.words import fold, words
from ajansops.kit.errors import Kind
from ajansops.kit.language import Language

EXPORT = Path(__file__).resolve().parents[3] / "shared/data/shopify-home-and-garden.csv"
LIMITS = {ContentType.TITLE: 150, ContentType.DESCRIPTION: 5000, ContentType.GOOGLE_FEED: 5000}
POT = ProductFacts(
    "Clay Plant Pot",
    "Classic blown clay pot for plants. Made for gardens.",
    ("Outdoor",),
    ("Pot", "Plants"),
    (("Size", "Regular, Large"), ("Vendor", "Company 123")),
)
PLAIN = Voice()
VOICE = Voice("Genç aileler", "Bahçe severler", "Anneler Günü", banned_words=("rustic",), required_words=("Casa Nova",))


def write(content_type, language=Language.EN, product=POT, voice=PLAIN, max_chars=None, complaints=()):
    limit = LIMITS[content_type] if max_chars is None else max_chars
    task = WriteTask(content_type, language, product, limit, voice, complaints=complaints)
    return asyncio.run(Offline().write(task)).text


def tag(language=Language.EN, product=POT, image=None, max_tags=10):
    return asyncio.run(Offline().tag(TagTask(language, product, image, max_tags))).tags


@cache
def exported():
    if not EXPORT.exists():
        pytest.skip(f"{EXPORT} is not on this machine")
    with EXPORT.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["Title"]]
    return [
        ProductFacts(
            row["Title"],
            re.sub(r"<[^>]+>", "", row["Body (HTML)"]),
            (row["Type"],),
            tuple(tag.strip() for tag in row["Tags"].split(",")),
            ((row["Option1 Name"], row["Option1 Value"]), ("Vendor", row["Vendor"])),
        )
        for row in rows
    ]


def texts_of(product, voice):
    pairs = [text for pair in product.attributes for text in pair]
    spoken = (voice.persona, voice.audience, voice.special_day, *voice.required_words)
    return [product.title, product.description, *product.categories, *product.tags, *pairs, *spoken]


def allowed(product, voice, language):
    """Words of the facts, of the voice, of the labels, and the glossary's words for facts that it translates whole."""
    labels = LABELS[language]
    fixed = [getattr(labels, name) for name in labels.__slots__]
    fixed += [glossary.label(name, language) for name, _ in product.attributes]
    singles = [*product.tags, *product.categories, *words(product.title), *words(product.description)]
    fixed += [glossary.noun(text, language) or "" for text in singles]
    return set(words(" ".join([*texts_of(product, voice), *fixed])))


def said(text):
    return set(words(html.unescape(re.sub(r"<[^>]+>", " ", text))))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("content_type", ContentType)
@pytest.mark.parametrize("voice", [PLAIN, VOICE], ids=["plain", "voice"])
def test_no_word_is_invented(language, content_type, voice):
    for product in exported():
        text = write(content_type, language, product, voice)
        assert said(text) <= allowed(product, voice, language), text


@pytest.mark.parametrize("language", Language)
def test_no_tag_is_invented(language):
    for product in exported():
        assert {word for found in tag(language, product) for word in words(found)} <= allowed(
            product, Voice(), language
        )


@pytest.mark.parametrize("language", Language)
def test_no_part_of_a_title_repeats_a_word_of_another(language):
    for product in exported():
        parts = [set(words(part)) for part in re.split(r" [–|] ", write(ContentType.TITLE, language, product))]
        assert sum(map(len, parts)) == len(set().union(*parts)), parts


@pytest.mark.parametrize("content_type", ContentType)
@pytest.mark.parametrize("max_chars", [12, 20, 40, 60, 90, 150, 300])
def test_a_limit_is_kept_and_no_word_is_cut(content_type, max_chars):
    product = ProductFacts(
        POT.title, f"{POT.description} R&D < fun & games. " * 9, POT.categories, POT.tags, POT.attributes
    )
    text = write(content_type, product=product, voice=VOICE, max_chars=max_chars)
    assert 0 < len(text) <= max_chars
    assert said(text) <= allowed(product, VOICE, Language.EN)


def test_a_long_description_ends_with_a_sentence():
    sentences = [f"Sentence number {n} about the pot." for n in range(100)]
    text = write(ContentType.DESCRIPTION, product=ProductFacts("Pot", " ".join(sentences)), max_chars=400)
    kept = re.search(r"<p>(.*)</p>", text)[1]
    assert kept == " ".join(sentences[: kept.count(".")])
    assert len(kept) > 300


def test_the_description_keeps_the_own_text_whole_when_it_fits():
    assert POT.description in write(ContentType.DESCRIPTION, Language.TR)


def test_an_abbreviation_does_not_end_a_sentence():
    product = ProductFacts("Pot", "Height approx. 30 cm, kb. 2 kg. Second sentence that is far too long to fit.")
    assert "approx. 30 cm, kb. 2 kg." in write(ContentType.DESCRIPTION, product=product, max_chars=50)


@pytest.mark.parametrize("content_type", ContentType)
@pytest.mark.parametrize("banned", ["clay", "CLAY", "Company", "outdoor", "size", "category", "plant pot"])
def test_banned_words_never_appear(content_type, banned):
    text = write(content_type, voice=Voice(banned_words=(banned,)))
    assert fold(banned) not in fold(text)
    assert text


@pytest.mark.parametrize("content_type", ContentType)
def test_a_banned_word_in_turkish_capitals_and_with_a_suffix_is_found(content_type):
    product = ProductFacts("Kupa", "ILIK içecekler için. Ucuzluk var. Seramik.")
    text = write(content_type, Language.TR, product, Voice(banned_words=("ılık", "ucuz")))
    assert not {"ilik", "ucuzluk"} & said(text)


@pytest.mark.parametrize("content_type", ContentType)
@pytest.mark.parametrize("language", Language)
def test_required_words_appear(content_type, language):
    text = write(content_type, language, voice=Voice(required_words=("Casa Nova", "el yapımı")))
    assert "Casa Nova" in text
    assert "el yapımı" in text


def test_a_required_word_that_is_there_is_not_said_again():
    assert write(ContentType.TITLE, voice=Voice(required_words=("clay",))) == write(ContentType.TITLE)


def test_when_everything_is_banned_it_fails():
    with pytest.raises(ProviderFailed):
        write(ContentType.TITLE, product=ProductFacts("Clay Pot"), voice=Voice(banned_words=("clay", "pot")))


@pytest.mark.parametrize("content_type", ContentType)
def test_the_same_task_gives_the_same_text(content_type):
    assert write(content_type, Language.HU, voice=VOICE) == write(content_type, Language.HU, voice=VOICE)


def test_personas_let_different_facts_lead():
    assert len({write(ContentType.TITLE, voice=Voice(persona=f"Persona {n}")) for n in range(12)}) > 1


@pytest.mark.parametrize("content_type", ContentType)
def test_a_repair_is_not_longer(content_type):
    assert len(write(content_type, voice=VOICE, complaints=("too long",))) <= len(write(content_type, voice=VOICE))


class Balanced(HTMLParser):
    """Fails at a tag that is not ours, has attributes or does not close."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        assert tag in {"p", "ul", "li"}
        assert not attrs
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("max_chars", [30, 80, 5000])
def test_a_description_is_well_formed_whatever_is_in_the_facts(language, max_chars):
    nasty = ProductFacts("A & B <3", "5 < 6 & <script>alert(1)</script>", ("<b>",), ("\"'",), (("S<", "a>b\x00c"),))
    parser = Balanced()
    parser.feed(write(ContentType.DESCRIPTION, language, nasty, max_chars=max_chars))
    parser.close()
    assert not parser.open


@pytest.mark.parametrize("content_type", [ContentType.TITLE, ContentType.GOOGLE_FEED])
def test_titles_and_feeds_have_no_tags(content_type):
    assert "<" not in write(content_type, product=ProductFacts("<b>Clay</b> Pot", "<p>Clay</p>"))


def test_a_feed_leaves_out_promotion():
    product = ProductFacts("Bögre", "Kerámia bögre. Ingyenes szállítás! Mosható.")
    assert write(ContentType.GOOGLE_FEED, Language.HU, product) == "Kerámia bögre. Mosható."


def test_a_feed_says_what_it_is_then_attributes_then_details():
    text = write(ContentType.GOOGLE_FEED)
    assert text.index("Clay Plant Pot") < text.index("Size:") < text.index("Classic blown")


@pytest.mark.parametrize(
    ("language", "line"), [(Language.EN, "Size: "), (Language.TR, "Boyut: "), (Language.HU, "Méret: ")]
)
def test_attribute_labels_are_translated_and_values_are_not(language, line):
    assert f"<li>{line}Regular, Large</li>" in write(ContentType.DESCRIPTION, language)


def test_default_options_and_prices_are_not_said():
    product = ProductFacts("Lamp", attributes=(("Title", "Default Title"), ("Price", "9.99")))
    assert write(ContentType.DESCRIPTION, product=product) == "<p>Lamp</p>"


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (Language.EN, {"pot", "plants", "outdoor", "clay"}),
        (Language.TR, {"saksı", "bitki", "dış mekan", "kil"}),
        (Language.HU, {"cserép", "növény", "kültér", "agyag"}),
    ],
)
def test_tags_are_in_the_language_asked(language, expected):
    assert expected <= set(tag(language))


def test_turkish_tags_are_lowered_by_the_turkish_rule():
    product = ProductFacts("Kupa", tags=("IŞIK", "İZNİK", "ILIK"))
    assert tag(Language.TR, product)[:3] == ("ışık", "iznik", "ılık")


def test_tags_are_short_words_without_numbers_and_stop_words():
    product = ProductFacts("The Pot 2024 for 350", "with a", tags=("x", "12", "y" * 31, "#garden"))
    assert tag(product=product)[0] == "garden"
    assert not {"the", "for", "with", "2024", "350", "x", "12", "y" * 31} & set(tag(product=product))


def test_a_word_that_is_turkish_too_does_not_make_a_text_english():
    product = ProductFacts("Metal Tencere", tags=("ILGAZ",))
    assert tag(Language.TR, product)[:2] == ("ılgaz", "metal tencere")


def test_max_tags_is_kept():
    assert len(tag(product=ProductFacts("Pot", tags=tuple(f"tag{c}" for c in "abcdefgh")), max_tags=3)) == 3


def picture(size=(200, 200), colour="red", format="PNG", **options):
    out = io.BytesIO()
    Pillow.new("RGB", size, colour).save(out, format, **options)
    return Image(out.getvalue(), f"image/{format.lower()}")


def painted(size, boxes, mode="RGB", ground="white"):
    canvas = Pillow.new(mode, size, ground)
    for box, colour in boxes:
        canvas.paste(colour, box)
    out = io.BytesIO()
    canvas.save(out, "PNG")
    return Image(out.getvalue(), "image/png")


@pytest.mark.parametrize(("language", "name"), [(Language.EN, "red"), (Language.TR, "kırmızı"), (Language.HU, "piros")])
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_red_picture_is_tagged_red(language, name, format):
    assert name in tag(language, ProductFacts("Thing"), picture(format=format))


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ("#ffffff", "white"),
        ("#000000", "black"),
        ("#808080", "grey"),
        ("#0040ff", "blue"),
        ("#101a50", "navy"),
        ("#228b22", "green"),
        ("#ffd700", "yellow"),
        ("#ff8000", "orange"),
        ("#ffb6c1", "pink"),
        ("#6b3fa0", "purple"),
        ("#704020", "brown"),
        ("#e8d8b8", "beige"),
        ("#30c8c0", "turquoise"),
        ("#b22222", "red"),
    ],
)
def test_colours_are_named_as_people_do(colour, name):
    assert tag(product=ProductFacts("Thing"), image=picture(colour=colour))[1] == name


def test_a_white_background_is_not_a_colour():
    image = painted((100, 100), [((30, 30, 80, 80), "#0040ff")])
    assert not {"white"} & set(tag(product=ProductFacts("Thing"), image=image))
    assert "blue" in tag(product=ProductFacts("Thing"), image=image)


def test_a_transparent_background_is_not_a_colour():
    image = painted((100, 100), [((40, 40, 60, 60), (255, 0, 0, 255))], "RGBA", (0, 255, 0, 0))
    assert "green" not in tag(product=ProductFacts("Thing"), image=image)
    assert "red" in tag(product=ProductFacts("Thing"), image=image)


def test_two_colours_are_named_main_one_first_and_a_third_is_not():
    image = painted(
        (100, 100), [((0, 0, 50, 100), "#ff0000"), ((50, 0, 85, 100), "#0040ff"), ((85, 0, 100, 100), "#008000")]
    )
    assert tag(product=ProductFacts("Thing"), image=image)[1:3] == ("red", "blue")
    assert "green" not in tag(product=ProductFacts("Thing"), image=image)


@pytest.mark.parametrize(
    ("size", "names"),
    [
        ((300, 200), ("landscape", "yatay", "fekvő")),
        ((200, 300), ("portrait", "dikey", "álló")),
        ((300, 298), ("square", "kare", "négyzetes")),
    ],
)
def test_orientation_is_named(size, names):
    for language, name in zip((Language.EN, Language.TR, Language.HU), names, strict=True):
        assert name in tag(language, ProductFacts("Thing"), picture(size))


def test_a_picture_turned_by_exif_is_seen_as_people_see_it():
    exif = Pillow.Exif()
    exif[0x0112] = 6
    assert "portrait" in tag(product=ProductFacts("Thing"), image=picture((300, 200), format="JPEG", exif=exif))


def bomb(side):
    """A PNG that says it is `side` pixels a side and holds next to nothing."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return Image(data, "image/png")


@pytest.mark.parametrize("side", [6_400, 10_000, 60_000])
def test_a_decompression_bomb_is_refused(side):
    with pytest.raises(BadPicture, match="million pixels"):
        tag(image=bomb(side))


@pytest.mark.parametrize("data", [b"", b"not a picture", picture().data[:60], picture(format="JPEG").data[:300]])
def test_a_broken_picture_is_refused_as_invalid(data):
    with pytest.raises(BadPicture) as error:
        tag(image=Image(data, "image/png"))
    assert error.value.code == "bad_picture"
    assert error.value.kind is Kind.INVALID


def test_a_picture_made_smaller_is_a_jpeg_on_white():
    image = smaller(painted((400, 200), [], "RGBA", (0, 0, 0, 0)), 100)
    with Pillow.open(io.BytesIO(image.data)) as small:
        assert small.format == "JPEG"
        assert small.size == (100, 50)
        assert min(small.getpixel((50, 25))) > 250
