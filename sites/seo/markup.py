"""Makes hostile HTML cheap to parse, and leaves the rest as it is.

Lexbor has no limits of its own. Measured here: 100,000 nested tags take it 38 s, 600,000 attributes on one tag over
nine minutes, and 10,000 times `<p><b id=N></p>` (200 kB) more than 4 GB, because the standard has every open formatting
element made anew in each paragraph. It holds the GIL meanwhile, so no timeout in this process would help.

So a tokenizer goes first. Its grammar is the standard's (HTML §13.2.5) where it matters: how a tag ends. What it could
read otherwise than the parser (comments, raw text, SVG and MathML) is left out or escaped, so that the parser sees the
same tags, and no more of them than we counted.
"""

import re
from itertools import islice
from typing import Final

MAX_TAGS: Final = 20_000  # worst nesting then takes 1.5 s; Lighthouse warns of 1,400 elements
MAX_ATTRIBUTES: Final = 100  # per tag

_WS: Final = r"[\t\n\f\r ]"
_VALUE: Final = r""""[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\t\n\f\r >"'][^\t\n\f\r >]*+"""
_ATTRIBUTE: Final = rf"[^\t\n\f\r />][^\t\n\f\r />=]*+(?:{_WS}*+={_WS}*+(?:{_VALUE})?+)?+"
_TOKEN: Final = re.compile(
    r"(?P<text>(?:[^<]++|<(?![A-Za-z!?/]))++)"
    rf"|<(?P<end>/?)(?P<name>[A-Za-z][^\t\n\f\r />]*+)(?P<attributes>(?:[\t\n\f\r /]++|{_ATTRIBUTE})*+)(?:>|\Z)"
    r"|<!--(?:-?>|.*?(?:--!?>|\Z))"  # a comment
    r"|<[!?/][^>]*+(?:>|\Z)",  # a doctype, or what the standard calls a bogus comment
    re.DOTALL,
)
_EACH_ATTRIBUTE: Final = re.compile(_ATTRIBUTE)

# The standard's formatting elements but `a`, of which only one can be open: a span says as much to us.
_FORMATTING: Final = ("b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
_RENAMED: Final = dict.fromkeys(_FORMATTING, "span") | {"plaintext": "div"}
_ROOTS: Final = frozenset({"html", "body"})  # later ones only add attributes to the first, without end
_TITLES: Final = frozenset({"title", "textarea"})  # text with entities
_UNSEEN: Final = frozenset({"style", "noscript", "noembed", "noframes", "iframe", "xmp"})  # content is not for readers
_FOREIGN: Final = frozenset({"svg", "math"})
_CLOSED_BY_NAME: Final = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])[^>]*+(?:>|\Z)", re.IGNORECASE)
    for name in _TITLES | _UNSEEN | _FOREIGN | {"script"}
}


def tame(html: str) -> tuple[str, bool]:
    """`html` for the parser, and whether the end was cut off because there were more than `MAX_TAGS` tags."""
    out: list[str] = []
    tags = at = 0
    roots = set(_ROOTS)
    while token := _TOKEN.match(html, at):
        at = token.end()
        if not (name := (token["name"] or "").lower()):
            out.append((token["text"] or "").replace("<", "&lt;"))
            continue
        if tags == MAX_TAGS:
            return "".join(out), True
        tags += 1
        if name in _ROOTS and not token["end"]:
            if name not in roots:
                continue
            roots.remove(name)
        markup, at = _element(html, token, name)
        out.append(markup)
    return "".join(out), False


def _element(html: str, token: re.Match[str], name: str) -> tuple[str, int]:
    """What the parser gets for a tag, with the content when that is no markup, and where to read on."""
    if token["end"]:
        return f"</{_RENAMED.get(name, name)}>", token.end()
    tag = f"<{_RENAMED.get(name, name)} {_attributes(token['attributes'])}>"
    if name not in _CLOSED_BY_NAME:
        return tag, token.end()
    if name in _FOREIGN and token["attributes"].endswith("/"):
        return "", token.end()
    close = _CLOSED_BY_NAME[name].search(html, token.end())
    content = html[token.end() : close.start() if close else len(html)]
    return _with_content(tag, name, content), close.end() if close else len(html)


def _with_content(tag: str, name: str, content: str) -> str:
    if name in _FOREIGN:
        return ""
    if name in _TITLES:
        return tag + content.replace("<", "&lt;") + f"</{name}>"
    if name == "script" and "json" in tag.lower():
        # In JSON "<" can only stand in a string, where this is the same character.
        return tag + content.replace("<", r"\u003c") + "</script>"
    return f"{tag}</{name}>"


def _attributes(written: str) -> str:
    if len(written) <= 2 * MAX_ATTRIBUTES:  # so few characters hold no more attributes than allowed
        return written
    return " ".join(found[0] for found in islice(_EACH_ATTRIBUTE.finditer(written), MAX_ATTRIBUTES))
