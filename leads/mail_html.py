"""HTML of a mail, and the merge fields `{{ name }}` in it. Pure."""

import re
import unicodedata

import nh3
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

# What mail programs show, laid out with tables as they need it. No forms, frames, scripts, style sheets or drawings.
TAGS = {
    "a", "b", "blockquote", "br", "center", "code", "div", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i",
    "img", "li", "ol", "p", "pre", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "u", "ul",
}  # fmt: skip
_CELL = {"align", "bgcolor", "colspan", "height", "rowspan", "valign", "width"}
ATTRIBUTES = {
    "*": {"dir", "lang", "style", "title"},
    "a": {"href"},
    "font": {"color", "face", "size"},
    "img": {"align", "alt", "border", "height", "src", "width"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "role", "width"},
    "td": _CELL,
    "th": _CELL,
    "tr": {"align", "bgcolor", "valign"},
}
# None that takes an image: those would be fetched from wherever they say.
STYLES = {
    "background-color", "border", "border-bottom", "border-collapse", "border-left", "border-radius", "border-right",
    "border-spacing", "border-top", "color", "direction", "display", "font-family", "font-size", "font-style",
    "font-weight", "height", "letter-spacing", "line-height", "margin", "margin-bottom", "margin-left", "margin-right",
    "margin-top", "max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top",
    "text-align", "text-decoration", "text-transform", "vertical-align", "white-space", "width", "word-break",
}  # fmt: skip
LINKS = {"http", "https", "mailto", "tel"}
UNSEEN = {"script", "style", "title"}  # go with what is in them

FIELD = re.compile(r"(?<!\{)\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*\}\}(?!\})")
CODE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def mail_html(text: str) -> str:
    """Without what could do harm, merge fields as they are, also in links. Links get rel="noopener noreferrer".

    What a merge field brings into a link is not known yet: whoever fills the fields in calls this again afterwards.
    """
    cleaned = nh3.clean(
        _CONTROL.sub("", text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes=LINKS,
        filter_style_properties=STYLES,
        clean_content_tags=UNSEEN,
    )
    return cleaned.strip()


def merge_fields(text: str) -> list[str]:
    """Their names, each once, in the order of the text."""
    return list(dict.fromkeys(FIELD.findall(text)))


def check_fields(text: str) -> None:
    """Merge fields are names and nothing else: no code, no loops. Raises ValidationError showing what is wrong."""
    rest = FIELD.sub("", text)
    if wrong := CODE.search(rest):
        near = rest[wrong.start() :][:30]
        message = gettext("A merge field is a name in double braces, such as {{ name }}; this is none: %(near)s")
        raise ValidationError(message % {"near": near})


def check_line(text: str) -> None:
    """One line, as a header of a mail has to be: a second one would be another header. Raises ValidationError."""
    if any(unicodedata.category(letter) in {"Cc", "Zl", "Zp"} for letter in text):
        raise ValidationError(gettext("Must be one line without control characters."))
