"""Every address the URLconf answers, read from the URLconf itself: what the hand-written matrix is held against."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver
from django.urls.resolvers import RegexPattern, RoutePattern

from ajansops import urls
from ajansops.api.views import METHODS, SurfaceView, UnknownPath

PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")
ANY = "*"  # every method, or every path below
LIBRARIES = ("django.contrib.admin", "allauth", "unfold")  # tested where they come from, and in tests/accounts


@dataclass(frozen=True)
class Route:
    """One method of one address. A page, which may be a plain function, has all methods in one row."""

    surface: str
    method: str
    template: str
    callback: Any = field(compare=False, repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """Without the names of its ids, which differ between code and matrix."""
        return self.surface, self.method, nameless(self.template)

    @property
    def view(self) -> type | None:
        """The class, where there is one."""
        return getattr(self.callback, "cls", None) or getattr(self.callback, "view_class", None)

    def __str__(self) -> str:
        return f"{self.surface} {self.method} {self.template}"


def nameless(template: str) -> str:
    """`/api/v1/sites/{pk}` as `/api/v1/sites/{}`."""
    return re.sub(r"\{\w*\}", "{}", template)


def routes() -> list[Route]:
    """All of them, in the order in which Django looks."""
    return [route for template, callback in _patterns(urls.urlpatterns, "/") for route in _routes(template, callback)]


def _patterns(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for entry in patterns:
        template = prefix + _template(entry.pattern)
        if isinstance(entry, URLResolver):
            if not _is_library(entry):
                yield from _patterns(entry.url_patterns, template)
        elif isinstance(entry, URLPattern):
            yield template, entry.callback


def _template(pattern: Any) -> str:
    if isinstance(pattern, RoutePattern):
        return PLACEHOLDER.sub(r"{\1}", str(pattern))
    assert isinstance(pattern, RegexPattern), pattern
    text = str(pattern)
    if text == "":
        return ANY
    plain = re.fullmatch(r"\^([\w/-]*)\$", text)
    assert plain, f"routes.py cannot read the pattern {text!r}"
    return plain[1]


def _is_library(entry: URLResolver) -> bool:
    module = getattr(entry.urlconf_name, "__name__", entry.urlconf_name)
    return entry.app_name == "admin" or (isinstance(module, str) and module.startswith(LIBRARIES))


def _routes(template: str, callback: Any) -> Iterator[Route]:
    view = getattr(callback, "cls", None)
    if not (isinstance(view, type) and issubclass(view, SurfaceView)):
        yield Route("page", ANY, template, callback)
        return
    surface = callback.initkwargs["surface"].name
    if issubclass(view, UnknownPath):
        yield Route(surface, ANY, template, callback)
        return
    actions = getattr(callback, "actions", None)
    for method in METHODS:
        if (method in actions) if actions is not None else hasattr(view, method):
            yield Route(surface, method.upper(), template, callback)
