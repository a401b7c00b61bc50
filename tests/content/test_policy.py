"""What a text must and must not be."""

import pytest

from ajansops.ai.contract import ContentType
from ajansops.kit.language import Language
from content.policy import cleaned, complaints, fold, foreign_language

TITLE, HTML, FEED = ContentType.TITLE, ContentType.DESCRIPTION, ContentType.GOOGLE_FEED
EN, TR, HU = Language.EN, Language.TR, Language.HU


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        (TITLE, "A pot"),
        (TITLE, "x" * 150),
        (HTML, "<p>A pot</p>"),
        (HTML, "<p>" + "x" * 4993 + "</p>"),
        (FEED, "5 < 6"),
    ],
)
def test_a_good_text_has_no_complaints(content_type, text):
    assert complaints(content_type, text, EN) == ()


@pytest.mark.parametrize(
    ("content_type", "text", "said"),
    [
        (TITLE, "x" * 151, "151 characters; 150"),
        (HTML, "<p>" + "x" * 4994 + "</p>", "5001 characters; 5000"),
        (FEED, "x" * 5001, "5001 characters; 5000"),
        (TITLE, "A <b>pot</b>", "HTML"),
        (FEED, "Pots &amp; pans", "HTML"),
        (TITLE, "", "empty"),
        (HTML, "<p> </p>", "empty"),
    ],
)
def test_length_markup_and_emptiness_are_complained_about(content_type, text, said):
    found = complaints(content_type, text, EN)
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    ("text", "word", "language", "used"),
    [
        ("The cheapest pot", "cheap", EN, False),
        ("A CHEAP pot", "cheap", EN, True),
        ("Not cheap.", "Cheap", EN, True),
        ("BÜYÜK İNDİRİM", "indirim", TR, True),
        ("SIK DOKUNMUŞ", "sık", TR, True),
        ("SIK DOKUNMUŞ", "sik", TR, False),
        ("İstanbul", "istanbul", EN, True),
        ("best in class", "best in class", EN, True),
        ("a c++ mug", "c++", EN, True),
        ("anything", " ", EN, False),
    ],
)
def test_a_banned_word_is_found_as_a_whole_word_in_any_case(text, word, language, used):
    assert bool(complaints(TITLE, text, language, banned=[word])) is used


@pytest.mark.parametrize(
    ("text", "word", "language", "lacking"),
    [
        ("Pamuklu kumaş", "pamuk", TR, False),
        ("ACME'nin kupası", "Acme", TR, False),
        ("A clay pot", "acme", EN, True),
        ("Claypot", "pot", EN, True),
        ("A pot", "", EN, False),
    ],
)
def test_a_required_word_may_carry_an_ending(text, word, language, lacking):
    assert bool(complaints(TITLE, text, language, required=[word])) is lacking


def test_words_are_looked_for_in_what_readers_see_not_in_tags():
    assert complaints(HTML, "<p>A pot</p>", EN, banned=["p"]) == ()


@pytest.mark.parametrize(
    ("text", "language", "found"),
    [
        ("This is the pot for you, and it goes with the plants of your garden.", TR, EN),
        ("This is the pot for you, and it goes with the plants of your garden.", EN, None),
        ("Bu saksı ev ve bahçe için çok şık bir ürün, her gün daha güzel.", EN, TR),
        ("Ez a kancsó nem csak szép, hanem erős is, és az asztalon egy dísz.", EN, HU),
        ("Clay Plant Pot", TR, None),
    ],
)
def test_a_text_in_another_of_our_languages_is_noticed(text, language, found):
    assert foreign_language(text, language) == found
    assert bool(complaints(HTML, text, language)) is bool(found)
    assert complaints(HTML, text, language, check_language=False) == ()


def test_folding_knows_the_two_letters_i_of_turkish():
    assert fold("IĞDIR İzmir", TR) == "ığdır izmir"


def test_cleaning_takes_scripts_attributes_and_control_characters():
    assert cleaned(HTML, '<p onclick="x()">A\x00 pot</p><script>x()</script><img src=x>') == "<p>A pot</p>"
    assert cleaned(TITLE, " A\n pot\x07 ") == "A pot"
