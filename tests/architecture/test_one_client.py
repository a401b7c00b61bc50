"""Outgoing HTTP has one door: whatever a user can point somewhere goes through `ajansops.kit.net`."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("ajansops", "accounts", "billing", "content", "jobs", "leads", "sites", "webhooks")
CLIENTS = ("aiohttp", "http.client", "httpcore", "httpx", "httpx2", "pycurl", "requests", "urllib.request", "urllib3")
DOORS = (
    "ajansops/kit/net",  # the client
    "ajansops/ai",  # providers' own SDKs, at addresses that only the operator sets
    "ajansops/demo",  # a client of our own API, on loopback
    "ajansops/supervisor.py",  # asks our own health
)


def clients_imported(source: str) -> set[str]:
    """The HTTP clients that a module imports, at whatever depth."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {client for client in CLIENTS for name in names if f"{name}.".startswith(f"{client}.")}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import aiohttp", {"aiohttp"}),
        ("import os, requests.adapters", {"requests"}),
        ("from urllib import request", {"urllib.request"}),
        ("from urllib.request import urlopen", {"urllib.request"}),
        ("def f():\n    import httpx as h", {"httpx"}),
        ("from http.client import HTTPConnection", {"http.client"}),
        ("from urllib.parse import quote\nfrom http import HTTPStatus\nimport requests_mock", set()),
    ],
)
def test_the_scan_sees_every_form_of_import(source, found):
    assert clients_imported(source) == found


def test_only_the_client_and_provider_sdks_import_an_http_client():
    offenders = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(DOORS) and (found := clients_imported(path.read_text())):
                offenders[name] = found
    assert offenders == {}


def test_the_scan_reads_the_one_client():
    assert "aiohttp" in clients_imported((ROOT / "ajansops/kit/net/client.py").read_text())
