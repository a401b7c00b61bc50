"""What an error looks like on each surface: the one assertion for all tests that provoke one."""

from dataclasses import dataclass, field
from typing import Any

from tests.contract.matrix import TITLES, WORDS

PLAIN = {
    "core": {"error", "message"},
    "app": {"error", "code", "message"},
    "insight": {"error", "message"},
    "studio": {"code", "message", "details", "timestamp", "path"},
}
# What stands beside these for a code, as core calls it.
BESIDE = {
    "validation_failed": {"errors"},
    "server_error": {"request_id"},
    "invalid_transition": set(),  # of a job's status, and no field's
    "rate_limit_exceeded": {"retry_after", "limit", "remaining", "reset_at"},
}
CAMEL = {"retry_after": "retryAfter", "reset_at": "resetAt", "required_scope": "requiredScope"}
# What may stand there: a scope, where a scope is what was lacking.
PERHAPS = {"access_denied": {"required_scope"}}


@dataclass(frozen=True)
class Told:
    """What an error says, whoever's words it is in."""

    code: str
    message: str
    errors: dict[str, Any] = field(default_factory=dict)


def worded(surface: str, code: str) -> str:
    """The canonical code in the surface's words."""
    return WORDS[surface].get(code, code.upper() if surface == "studio" else code)


def beside(surface: str, code: str) -> set[str]:
    """Further keys of an error with this code."""
    of_a_field = code.startswith("invalid_") and code != "invalid_json"
    return _spelled(surface, code, BESIDE.get(code, {"errors"} if of_a_field else set()))


def _spelled(surface: str, code: str, names: set[str]) -> set[str]:
    if surface == "studio":
        return names & {"request_id"}
    if surface == "insight" and code == "rate_limit_exceeded":
        return {"retryAfter"} if names else set()
    return {CAMEL[name] if surface == "app" and name in CAMEL else name for name in names}


def told(answer, surface: str, status: int, code: str) -> Told:
    """Assert that the answer is this error and nothing else: its type, its headers, its exact keys."""
    text = answer.getvalue().decode()
    assert answer.status_code == status, text[:500]
    assert answer["Content-Type"] == "application/json", text[:500]
    assert answer["X-Request-ID"]
    assert answer["X-Duration-Ms"].isdigit()
    assert answer["Cache-Control"] == "no-store"
    assert (status == 401) == ("WWW-Authenticate" in answer)
    assert status != 405 or "Allow" in answer
    assert "Traceback" not in text
    body = answer.json()
    inner = body["error"] if surface == "studio" else body
    perhaps = _spelled(surface, code, PERHAPS.get(code, set()))
    assert set(inner) - perhaps == PLAIN[surface] | beside(surface, code), body
    if surface == "studio":
        assert set(body) == {"error"}, body
        assert inner["details"], body
    if surface == "app":
        assert body["error"] == TITLES[status]
    given = inner["code"] if surface in {"studio", "app"} else inner["error"]
    assert given == worded(surface, code), body
    assert inner["message"]
    return Told(given, inner["message"], _named(inner, surface))


def _named(inner: dict[str, Any], surface: str) -> dict[str, Any]:
    if surface == "studio":
        return {part.partition(": ")[0]: [part.partition(": ")[2]] for part in inner["details"].split("; ")}
    return inner.get("errors", {})
