"""The environment: what is made by itself, what must be said, what is refused."""

import os
import secrets
import sqlite3
import subprocess
import sys

import pytest

from ajansops.env import ConfigurationError, load
from ajansops.settings import database

PRODUCTION = {
    "DJANGO_DEBUG": "0",
    "DJANGO_SECRET_KEY": "x" * 50,
    "ENCRYPTION_KEYS": "k",
    "ALLOWED_HOSTS": "ops.example.com",
    "PUBLIC_URL": "https://ops.example.com",
    "NET_ALLOW_PRIVATE": "",  # of the suite's own
}


def test_development_needs_nothing_and_keeps_its_secrets(tmp_path):
    first, second = (load({"VAR_DIR": str(tmp_path)}) for _ in range(2))
    assert first.django_debug
    assert len(first.django_secret_key) >= 50
    assert first == second
    assert next(tmp_path.iterdir()).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("name", ["DJANGO_SECRET_KEY", "ENCRYPTION_KEYS", "ALLOWED_HOSTS", "PUBLIC_URL"])
def test_production_refuses_to_start_and_says_which(name, tmp_path):
    environ = {**PRODUCTION, "VAR_DIR": str(tmp_path)}
    assert load(environ).django_secret_key == "x" * 50
    del environ[name]
    with pytest.raises(ConfigurationError, match=name):
        load(environ)


def test_production_opens_no_private_network_by_mistake(tmp_path):
    environ = {**PRODUCTION, "VAR_DIR": str(tmp_path), "NET_ALLOW_PRIVATE": "127.0.0.1/32"}
    with pytest.raises(ConfigurationError, match="every workspace could reach"):
        load(environ)
    assert load({**environ, "NET_ALLOW_PRIVATE_IN_PRODUCTION": "1"}).net_allow_private
    assert load({"VAR_DIR": str(tmp_path), "NET_ALLOW_PRIVATE": "127.0.0.1/32"}).net_allow_private


def test_the_process_says_it_in_one_line(tmp_path):
    environ = {**os.environ, **PRODUCTION, "VAR_DIR": str(tmp_path), "DJANGO_SECRET_KEY": ""}
    ran = subprocess.run(
        [sys.executable, "manage.py", "check"], env=environ, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("Configuration: Not set, and DJANGO_DEBUG=0: DJANGO_SECRET_KEY.")
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"DJANGO_DEBUG": "maybe"},
        {"TRUSTED_PROXIES": "-1"},
        {"TRUSTED_PROXIES": "one"},
        {"NET_ALLOW_PRIVATE": "127.0.0.1/99"},
        {"AI_PROVIDER": "gpt"},
        {"RATE_LIMIT_STANDARD_HOURLY": "many"},
    ],
)
def test_a_value_that_cannot_be_read_is_named(wrong, tmp_path):
    (name,) = wrong
    with pytest.raises(ConfigurationError, match=name):
        load({"VAR_DIR": str(tmp_path), **wrong})


def test_an_sqlite_that_is_too_old_is_refused_at_start(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(ConfigurationError, match="is too old"):
        database("", tmp_path)
    assert database("postgres://db/name", tmp_path)


def test_djangos_deployment_checks_find_nothing(tmp_path):
    environ = {**os.environ, **PRODUCTION, "VAR_DIR": str(tmp_path), "DJANGO_SECRET_KEY": secrets.token_urlsafe(50)}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
