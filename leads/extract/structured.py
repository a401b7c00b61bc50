"""schema.org data of a page, JSON-LD and microdata, as plain objects: `{"@type": …, "name": …}`."""

import json
from collections import deque
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborNode

from leads.extract.model import words
from leads.extract.page import HtmlPage, attribute, tidy

Thing = dict[str, Any]

MAX_SCRIPTS = 200
MAX_NODES = 5_000  # objects and lists looked at in one script
MAX_PROPERTIES = 1_000  # microdata properties of one page
MAX_DEPTH = 60  # elements that microdata is looked for below an item
MAX_VALUE = 2_000  # characters of one microdata value

# What stands under these is somebody else than the page is about.
OTHERS = words("brand funder manufacturer memberOf parentOrganization review reviews sponsor")
# JSON-LD's own words: as the name of a microdata property they would change what an item is.
RESERVED = words("@id @type")
# Where an element keeps its microdata value when it is not its text.
VALUE_ATTRIBUTES = {"a": "href", "area": "href", "data": "value", "img": "src", "link": "href", "meta": "content"}


def things(page: HtmlPage) -> Iterator[Thing]:
    """Every typed object of the page, JSON-LD first. One broken script does not spoil the others."""
    for script in page.tree.css("script[type*='ld+json' i]")[:MAX_SCRIPTS]:
        yield from _typed(_load(script.text()))
    yield from _microdata(page)


def _load(source: str) -> Any:
    try:
        return json.loads(source, strict=False)  # line breaks inside strings are a common slip
    except (ValueError, RecursionError):
        return None


def _typed(root: Any) -> list[Thing]:
    """The objects that have a type, references between them by `@id` resolved one level deep."""
    nodes = list(_objects(root))
    by_id = {node["@id"]: node for node in nodes if isinstance(node.get("@id"), str) and len(node) > 1}
    return [{name: _resolve(value, by_id) for name, value in node.items()} for node in nodes if "@type" in node]


def _objects(root: Any) -> Iterator[Thing]:
    waiting = deque([root])
    for _ in range(MAX_NODES):
        if not waiting:
            return
        value = waiting.popleft()
        if isinstance(value, dict):
            yield value
            waiting.extend(
                child for name, child in value.items() if name not in OTHERS and isinstance(child, dict | list)
            )
        elif isinstance(value, list):
            waiting.extend(value)


def _resolve(value: Any, by_id: dict[str, Thing]) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        reference = value.get("@id")
        return by_id.get(reference, value) if isinstance(reference, str) else value
    return value


def _microdata(page: HtmlPage) -> Iterator[Thing]:
    """Items that are nobody's property, and the typed ones in them."""
    budget = iter(range(MAX_PROPERTIES))
    for node in page.tree.css("[itemscope][itemtype]"):
        if "itemprop" not in node.attributes:
            yield from _typed(_item(node, budget))


def _item(root: LexborNode, budget: Iterator[int]) -> Thing:
    """An item with its properties. No recursion: pages nest as deep as they like."""
    item: Thing = {"@type": attribute(root, "itemtype")}
    waiting = deque((child, item, 1) for child in root.iter())
    while waiting:
        node, owner, depth = waiting.popleft()
        inner = owner
        if "itemprop" in node.attributes:
            if next(budget, None) is None:
                break
            value = _value(node)
            for name in set(attribute(node, "itemprop").split()) - RESERVED:
                owner.setdefault(name, []).append(value)
            inner = value if isinstance(value, dict) else owner
        elif "itemscope" in node.attributes:
            continue
        if depth < MAX_DEPTH:
            waiting.extend((child, inner, depth + 1) for child in node.iter())
    return item


def _value(node: LexborNode) -> str | Thing:
    if "itemscope" in node.attributes:
        return {"@type": attribute(node, "itemtype")}
    named = "content" if "content" in node.attributes else VALUE_ATTRIBUTES.get(node.tag or "")
    return (attribute(node, named) if named else tidy(node.text()))[:MAX_VALUE]
