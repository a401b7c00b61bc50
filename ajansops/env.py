"""The environment is the whole configuration. This is the only module that reads it."""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parent.parent
Network = IPv4Network | IPv6Network


class ConfigurationError(Exception):
    """The environment does not allow the process to start. The message names the variable and the remedy."""


@dataclass(frozen=True, slots=True)
class Env:
    """One field per variable, same name in lower case. `doc` in the metadata is the line the README shows."""

    django_secret_key: str = field(metadata={"doc": "Signs sessions. Required in production.", "secret": True})
    encryption_keys: tuple[str, ...] = field(
        metadata={"doc": "Comma-separated Fernet keys, newest first. Required in production.", "secret": True}
    )
    django_debug: bool = field(default=True, metadata={"doc": "`0` in production."})
    allowed_hosts: tuple[str, ...] = field(
        default=("localhost", "127.0.0.1", "[::1]"), metadata={"doc": "Comma-separated host names."}
    )
    var_dir: Path = field(default=ROOT / "var", metadata={"doc": "Where everything that is not code lives."})
    public_url: str = field(default="http://127.0.0.1:8000", metadata={"doc": "How the outside reaches us."})
    trusted_proxies: int = field(default=0, metadata={"doc": "How many proxies in front append X-Forwarded-For."})
    web_workers: int = field(
        default=1, metadata={"doc": "Web processes. Where Redis is not, each admits its share of a limit."}
    )
    database_url: str = field(default="", metadata={"doc": "`postgres://…`; else SQLite in VAR_DIR.", "secret": True})
    redis_url: str = field(default="", metadata={"doc": "`redis://…`; else an in-process cache.", "secret": True})
    celery_broker_url: str = field(
        default="",
        metadata={"doc": "`redis://…` or `amqp://…`; else REDIS_URL; else files in VAR_DIR.", "secret": True},
    )
    email_url: str = field(default="", metadata={"doc": "`smtp://…`; else files in VAR_DIR/outbox.", "secret": True})
    ai_provider: Literal["auto", "claude", "ollama", "offline"] = field(
        default="auto", metadata={"doc": "`auto` takes Claude when its key is set, else `offline`."}
    )
    anthropic_api_key: str = field(default="", metadata={"doc": "Claude's key.", "secret": True})
    anthropic_base_url: str = field(default="", metadata={"doc": "Another address for the Claude API."})
    claude_model: str = field(default="claude-sonnet-4-6", metadata={"doc": "The model for all tasks."})
    ollama_url: str = field(default="", metadata={"doc": "An Ollama server."})
    stripe_secret_key: str = field(default="", metadata={"doc": "Stripe's key.", "secret": True})
    stripe_webhook_secret: tuple[str, ...] = field(
        default=(), metadata={"doc": "Verifies Stripe's events. Comma-separated while it is replaced.", "secret": True}
    )
    stripe_api_base: str = field(default="", metadata={"doc": "Another address for Stripe."})
    resend_api_key: str = field(default="", metadata={"doc": "Resend's key.", "secret": True})
    resend_api_base: str = field(default="", metadata={"doc": "Another address for Resend."})
    resend_webhook_secret: str = field(default="", metadata={"doc": "Verifies Resend's events.", "secret": True})
    email_webhook_secret: str = field(default="", metadata={"doc": "Shared secret of mail events.", "secret": True})
    apify_token: str = field(default="", metadata={"doc": "Apify's token.", "secret": True})
    apify_api_base: str = field(default="", metadata={"doc": "Another address for Apify."})
    nominatim_url: str = field(default="", metadata={"doc": "A Nominatim server."})
    meta_ads_token: str = field(default="", metadata={"doc": "Readiness of Meta Ads.", "secret": True})
    google_ads_token: str = field(default="", metadata={"doc": "Readiness of Google Ads.", "secret": True})
    signup_open: bool = field(default=True, metadata={"doc": "`0`: only invited people can sign up."})
    staff_mfa_required: bool = field(default=False, metadata={"doc": "`1`: the admin opens only with a second factor."})
    metrics_token: str = field(default="", metadata={"doc": "Bearer of `/metrics`.", "secret": True})
    sentry_dsn: str = field(default="", metadata={"doc": "Sends errors to Sentry.", "secret": True})
    mcp_allow_stdio: bool = field(default=False, metadata={"doc": "`1` lets operators register stdio MCP servers."})
    cron_secret: str = field(
        default="", metadata={"doc": "Bearer of `/api/cron`. Unset: every call is 401.", "secret": True}
    )
    net_allow_private: tuple[Network, ...] = field(
        default=(), metadata={"doc": "Comma-separated CIDRs that outgoing requests may reach although private."}
    )
    net_allow_private_in_production: bool = field(
        default=False,
        metadata={"doc": "`1`: NET_ALLOW_PRIVATE is meant, although it opens these networks to every workspace."},
    )
    rate_limit_standard_hourly: int = field(default=50, metadata={"doc": "Generated variants an hour, plan standard."})
    rate_limit_standard_daily: int = field(default=800, metadata={"doc": "The same a day."})
    rate_limit_standard_concurrent: int = field(default=1, metadata={"doc": "Running generation jobs, plan standard."})
    rate_limit_prof_hourly: int = field(default=100, metadata={"doc": "As above, plan professional."})
    rate_limit_prof_daily: int = field(default=1600, metadata={"doc": "As above, plan professional."})
    rate_limit_prof_concurrent: int = field(default=3, metadata={"doc": "As above, plan professional."})
    rate_limit_ent_hourly: int = field(default=200, metadata={"doc": "As above, plan enterprise."})
    rate_limit_ent_daily: int = field(default=3200, metadata={"doc": "As above, plan enterprise."})
    rate_limit_ent_concurrent: int = field(default=10, metadata={"doc": "As above, plan enterprise."})


NEEDED_IN_PRODUCTION = ("django_secret_key", "encryption_keys", "allowed_hosts", "public_url")
OPENED = (
    "every workspace could reach these networks, on every port. Remove it, or set NET_ALLOW_PRIVATE_IN_PRODUCTION=1."
)


def load(environ: Mapping[str, str] = os.environ) -> Env:
    """Read and check. In development missing secrets are made once and kept in VAR_DIR.

    Raises `ConfigurationError` for a value that cannot be read, and in production for each secret that is missing and
    for what is only meant for development.
    """
    given = {f.name: environ.get(f.name.upper(), "").strip() for f in fields(Env)}
    values: dict[str, Any] = {name: _read(name, text) for name, text in given.items() if text}
    if values.get("django_debug", True):
        values = _development_secrets(values) | values
    elif missing := [name.upper() for name in NEEDED_IN_PRODUCTION if name not in values]:
        raise ConfigurationError(f"Not set, and DJANGO_DEBUG=0: {', '.join(missing)}. Set them and start again.")
    elif values.get("net_allow_private") and not values.get("net_allow_private_in_production"):
        raise ConfigurationError(f"NET_ALLOW_PRIVATE, and DJANGO_DEBUG=0: {OPENED}")
    return Env(**values)


def _read(name: str, text: str) -> Any:
    try:
        return _READERS.get(name, str)(text)
    except ValueError as error:
        raise ConfigurationError(f"{name.upper()}={text!r} cannot be read: {error}") from error


def _flag(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in known:
        raise ValueError("use 1 or 0")
    return known[text.lower()]


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _some(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError("must be 1 at least")
    return number


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ip_network(word) for word in _words(text))


def _provider(text: str) -> str:
    if text not in {"auto", "claude", "ollama", "offline"}:
        raise ValueError("use auto, claude, ollama or offline")
    return text


_READERS: dict[str, Any] = {f.name: _count for f in fields(Env) if f.type in {"int", int}} | {
    "django_debug": _flag,
    "mcp_allow_stdio": _flag,
    "net_allow_private_in_production": _flag,
    "signup_open": _flag,
    "staff_mfa_required": _flag,
    "allowed_hosts": _words,
    "encryption_keys": _words,
    "stripe_webhook_secret": _words,
    "var_dir": Path,
    "net_allow_private": _networks,
    "ai_provider": _provider,
    "web_workers": _some,
}


def _development_secrets(values: Mapping[str, Any]) -> dict[str, Any]:
    """Made on first use and kept, so that sessions and stored secrets outlive a restart."""
    file = Path(values.get("var_dir", ROOT / "var")) / "development-secrets.json"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        made = {"django_secret_key": secrets.token_urlsafe(48), "encryption_keys": [secrets.token_urlsafe(32)]}
        draft = file.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(json.dumps(made))
        try:
            os.link(draft, file)  # atomic: of two first starts one wins, the other reads the winner's
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    kept = json.loads(file.read_text())
    return {"django_secret_key": kept["django_secret_key"], "encryption_keys": tuple(kept["encryption_keys"])}
