"""Catalogues of messages: from the .po files in the tree to the .mo files that gettext reads, with nothing but Python.

The .mo files are not in the tree: a compiled file in a diff is a file that nobody reviews.
"""

import os
import tempfile
from pathlib import Path

import polib

FILE = "django"


def compile_messages(source: Path, target: Path) -> Path:
    """Compile each catalogue whose .mo is missing or older than its .po; return `target`, a folder for LOCALE_PATHS."""
    for catalogue in sorted(source.glob(f"*/LC_MESSAGES/{FILE}.po")):
        compiled = (target / catalogue.relative_to(source)).with_suffix(".mo")
        if not _is_current(compiled, catalogue):
            _compile(catalogue, compiled)
    return target


def _is_current(compiled: Path, catalogue: Path) -> bool:
    """By the source's own time, which `_compile` copies: an older .po that was checked out again counts as new."""
    return compiled.exists() and compiled.stat().st_mtime_ns == catalogue.stat().st_mtime_ns


def _compile(catalogue: Path, compiled: Path) -> None:
    """Into a file of its own, then in one step into place: several processes may start at once."""
    stamp = catalogue.stat().st_mtime_ns
    content = polib.pofile(str(catalogue)).to_binary()
    compiled.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=compiled.parent)
    temporary = Path(name)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    temporary.chmod(0o644)  # the process that serves may be another user's
    os.utime(temporary, ns=(stamp, stamp))
    temporary.replace(compiled)
