"""What a surface is: a prefix, a casing, a success envelope and a way to word errors. Pure data, no domain."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from ajansops.api.throttling import AddressLimit

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """An error before a surface words it. `code` is canonical (the core surface's)."""

    status: int
    code: str
    message: str
    errors: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """A success before a surface wraps it."""

    data: Any
    message: str = ""
    meta: JSON | None = None
    links: JSON | None = None


def unchanged(value: Any) -> Any:
    """The casing of a surface that speaks as the serializers do."""
    return value


@dataclass(frozen=True, slots=True)
class Surface:
    """One published wire format."""

    name: str
    prefixes: tuple[str, ...]
    envelope: Callable[[Reply], Any]
    word_error: Callable[[Problem, HttpRequest], JSON]
    invalid_status: int = 400
    deleted_status: int = 204
    spent_status: int = 403  # when a meter of the plan is used up; of a gauge it is always that
    lists: bool = False  # sort, fields, include, filters and cursors in queries
    idempotent: bool = False  # a repeated request with the same Idempotency-Key gets the first one's answer
    tokens: bool = False  # a key may be exchanged for a short-lived bearer
    by_address: AddressLimit | None = None  # how many calls of each client address, beside those by tier
    codes: Mapping[str, str] = field(default_factory=dict)  # canonical code → this surface's word for it
    encode: Callable[[Any], Any] = unchanged
    decode: Callable[[Any], Any] = unchanged

    def code(self, problem: Problem) -> str:
        """This surface's code for the problem."""
        return self.codes.get(problem.code, problem.code)


_SURFACES: list[Surface] = []


def register(surface: Surface) -> Surface:
    """Longest prefix wins when a path is looked up."""
    _SURFACES.append(surface)
    return surface


def surface_for(path: str) -> Surface | None:
    """The surface whose prefix `path` starts with; None for pages."""
    found = [(len(prefix), s) for s in _SURFACES for prefix in s.prefixes if f"{path}/".startswith(prefix)]
    return max(found, key=lambda pair: pair[0])[1] if found else None
