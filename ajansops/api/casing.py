"""camelCase on the wire, snake_case inside; ids as strings, as the app surface shows them."""

import re
from collections.abc import Callable
from typing import Any

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")
_BAR = re.compile(r"_([a-z0-9])")


def camelize(value: Any) -> Any:
    """Keys to camelCase, ids to strings, at every depth."""
    return _walk(value, _camel, stringify=True)


def snakify(value: Any) -> Any:
    """Keys to snake_case at every depth; string ids are left to the serializers, which read them."""
    return _walk(value, _snake, stringify=False)


def _walk(value: Any, rename: Callable[[str], str], *, stringify: bool) -> Any:
    if isinstance(value, dict):
        return {
            rename(key): str(entry) if stringify and _is_id(key, entry) else _walk(entry, rename, stringify=stringify)
            for key, entry in value.items()
        }
    if isinstance(value, list | tuple):
        return [_walk(entry, rename, stringify=stringify) for entry in value]
    return value


def _is_id(key: str, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and (key == "id" or key.endswith("_id"))


def _camel(key: str) -> str:
    return _BAR.sub(lambda match: match[1].upper(), key)


def _snake(key: str) -> str:
    return _HUMP.sub(r"_\1", key).lower()
