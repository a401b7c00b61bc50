"""The documentation says what is."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from ajansops.env import Env
from ajansops.version import VERSION

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*/README.md"))]
README = (ROOT / "README.md").read_text()


def test_the_readme_lists_every_variable_with_its_meaning():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| .*? \| (.*) \|$", README, re.MULTILINE))
    assert rows == {field.name.upper(): field.metadata["doc"] for field in fields(Env)}


def test_the_two_commands_come_first():
    assert README.index("make run") < README.index("make test") < README.index("## ")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_exist(page):
    named = set(
        re.findall(r"`((?:ajansops|accounts|billing|content|docs|jobs|leads|sites|tests)/[\w/.]+)`", page.read_text())
    )
    named |= {f"docs/{name}" for name in re.findall(r"`docs/(decisions/[\w-]+\.md)`", page.read_text())}
    assert [name for name in named if not (ROOT / name).exists() and "your" not in name] == []


def test_an_apps_readme_is_short():
    assert [str(p) for p in ROOT.glob("*/README.md") if len(p.read_text().splitlines()) > 40] == []


def test_every_app_says_why_it_exists():
    apps = ("accounts", "billing", "content", "jobs", "leads", "sites", "webhooks")
    assert [app for app in apps if not (ROOT / app / "README.md").is_file()] == []


def test_there_is_one_version():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_every_target_is_in_the_help():
    makefile = (ROOT / "Makefile").read_text()
    targets = {t for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) for t in line.split()}
    assert targets == set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
