"""A migrated SQLite file, made once for each state of the code: databases of tests and of their processes are copies.

To migrate an empty one takes six seconds of a processor, for every worker of the suite and every process it starts.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".pytest_cache" / "migrated"
OUTSIDE = {"tests", "var", ".venv"}


def copy_to(file: Path) -> None:
    """As `manage.py migrate` would have made it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = KEPT / f"{_state()}.sqlite3"
        if not made.exists():
            _make(made)
        file.parent.mkdir(parents=True, exist_ok=True)
        for left in ("-wal", "-shm"):  # of a run that was killed
            file.with_name(file.name + left).unlink(missing_ok=True)
        shutil.copyfile(made, file)


def _state() -> str:
    """Of everything that migrations may read."""
    digest = hashlib.sha256((ROOT / "constraints.txt").read_bytes())
    for package in sorted(one for one in ROOT.iterdir() if one.is_dir() and one.name not in OUTSIDE):
        for source in sorted(package.rglob("*.py")):
            digest.update(b"\0%b\0%b" % (os.fsencode(source.relative_to(ROOT)), source.read_bytes()))
    return digest.hexdigest()[:16]


def _make(file: Path) -> None:
    """The ones before it go."""
    for old in KEPT.glob("*.sqlite3"):
        old.unlink()
    with tempfile.TemporaryDirectory() as var:
        environ = os.environ | {"VAR_DIR": var, "DATABASE_URL": "", "DJANGO_SETTINGS_MODULE": "ajansops.settings"}
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environ, check=True)
        shutil.move(Path(var) / "db.sqlite3", file)
