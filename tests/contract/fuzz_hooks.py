"""Hooks of schemathesis: `SCHEMATHESIS_HOOKS=tests.contract.fuzz_hooks`."""

import itertools
from typing import Any

import schemathesis

ADDRESSES = itertools.count(1)


@schemathesis.hook
def map_query(context: Any, query: Any) -> Any:
    """Without `fields`: rows are partial then, which no schema of the row can say. tests/api/test_lists.py has it."""
    if isinstance(query, dict):
        query.pop("fields", None)
    return query


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """From another address each time, or the calls without a credential would use up what one address may ask."""
    number = next(ADDRESSES)
    case.headers["X-Forwarded-For"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    case.query.pop("fields", None)
