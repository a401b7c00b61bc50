"""Turkish and Hungarian are complete: a new message without a translation fails here, and the failure lists it."""

import json
import os
import re
import shutil
import subprocess
import sys

import polib
import pytest
from django.conf import settings
from django.utils.translation import gettext, override

from ajansops.kit.errors import Invalid
from ajansops.messages import compile_messages
from tests.accounts.catalogues import ROOT, all_messages, errors

LOCALE = ROOT / "ajansops" / "locale"
LANGUAGES = ["tr", "hu"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(LOCALE / language / "LC_MESSAGES" / "django.po"), check_for_duplicates=True)


def texts(entry: polib.POEntry) -> list[str]:
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


@pytest.fixture(scope="module")
def messages():
    found = all_messages()
    assert len(found) > 150
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_has_a_translation(messages, language):
    known = {text for entry in catalogue(language) for text in (entry.msgid, entry.msgid_plural)}
    missing = [f"{json.dumps(text, ensure_ascii=False)}  ({messages[text]})" for text in messages if text not in known]
    assert not missing, f"add to ajansops/locale/{language}/LC_MESSAGES/django.po:\n" + "\n".join(missing)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_entry_is_empty_or_fuzzy(language):
    bad = [entry.msgid for entry in catalogue(language) if entry.fuzzy or entry.obsolete or not all(texts(entry))]
    assert bad == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_message(language):
    wrong = [
        (entry.msgid, text)
        for entry in catalogue(language)
        for text in texts(entry)
        if sorted(PLACEHOLDER.findall(text)) != sorted(PLACEHOLDER.findall(entry.msgid))
    ]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_ends_as_its_message_does(language):
    """A full stop that one language has and another lacks looks like a bug beside others."""
    wrong = [
        (entry.msgid, text)
        for entry in catalogue(language)
        for text in texts(entry)
        if entry.msgid.endswith(".") != text.endswith(".")
    ]
    assert wrong == []


def test_every_error_has_a_message():
    assert [error for error in errors() if not (error.__doc__ or "").strip()] == []


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("tr", "Gönderilen veriler geçersiz."),
        ("hu", "A megadott adatok érvénytelenek."),
        ("en", "The given data was invalid."),
    ],
)
def test_an_error_speaks_the_language_of_its_reader(language, message):
    with override(language):
        assert Invalid().message == message


def test_compiled_files_are_in_the_var_folder_and_not_in_the_tree():
    assert list(LOCALE.rglob("*.mo")) == []
    assert settings.LOCALE_PATHS == [settings.VAR_DIR / "locale"]
    assert (settings.VAR_DIR / "locale" / "tr" / "LC_MESSAGES" / "django.mo").exists()


def test_a_catalogue_is_compiled_when_it_changed_and_only_then(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    shutil.copytree(LOCALE, source)
    assert compile_messages(source, target) == target
    compiled = target / "tr" / "LC_MESSAGES" / "django.mo"
    first = compiled.stat().st_ino
    compile_messages(source, target)
    assert compiled.stat().st_ino == first
    os.utime(source / "tr" / "LC_MESSAGES" / "django.po", ns=(1, 1))
    compile_messages(source, target)
    assert compiled.stat().st_ino != first or compiled.stat().st_mtime_ns == 1
    assert {path.name for path in target.rglob("*") if path.is_file()} == {"django.mo"}


def test_processes_that_start_at_once_leave_whole_files(tmp_path):
    code = "import sys, pathlib, ajansops.messages as m; m.compile_messages(*map(pathlib.Path, sys.argv[1:]))"
    command = [sys.executable, "-c", code, str(LOCALE), str(tmp_path)]
    started = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0, 0, 0, 0]
    for language in LANGUAGES:
        whole = polib.mofile(str(tmp_path / language / "LC_MESSAGES" / "django.mo"))
        assert {entry.msgid for entry in whole} == {entry.msgid for entry in catalogue(language)}


def test_a_password_is_called_one_thing_in_turkish():
    with override("tr"):
        assert "şifre" in gettext("This password is too common.").lower()
