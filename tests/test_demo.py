"""The main job end to end, as a newcomer sees it, with a worker that is killed in the middle."""

import os
import re
import signal
import sys
import threading

import pytest
from django.core.management import execute_from_command_line
from django.db import connection

from tests import migrated
from tests.processes import children, free_port, manage, wait_for

once = pytest.mark.skipif(connection.vendor != "sqlite", reason="it has an SQLite of its own wherever it runs")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def worker_of(pid: int) -> int | None:
    found = [child for child, line in children(pid).items() if re.search("celery.*worker", line)]
    return found[0] if found else None


def read_all(process) -> list[str]:
    """Its lines as they come, so that the pipe never fills."""
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
    return lines


@once
def test_the_whole_path_works_and_survives_a_kill(tmp_path):
    arguments = ("demo", "--exit", "--port", str(free_port()))
    environ = {"DATABASE_URL": "", "REDIS_URL": "", "CELERY_BROKER_URL": ""}  # its own database, to count in
    with manage(tmp_path, *arguments, **environ) as process:
        lines = read_all(process)
        wait_for(lambda: any("Crawl and SEO report: processing" in line for line in lines), 60)
        os.kill(wait_for(lambda: worker_of(process.pid)), signal.SIGKILL)
        assert process.wait(150) == 0, (tmp_path / "log").read_text() + "".join(lines)
        wait_for(lambda: any("API key" in line for line in lines))
    said = "".join(lines)
    assert "12 products imported, 1 row reported" in said
    assert "12 titles for tr-TR, 0 failed" in said
    assert "12 descriptions for tr-TR, 0 failed" in said
    assert "12 feed texts for tr-TR, 0 failed" in said
    assert "8 companies" in said
    assert re.search(r"\d+ × error: .*broken_link", said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--port", "99999"), "a port is a number from 1 to 65535"),
        (("--products", "/nowhere.csv"), "/nowhere.csv cannot be read: No such file"),
        (("--products", "README.md"), "README.md is no product file"),
        (("--site", "http://"), "--site takes an address"),
        (("--site", "ftp://example.com"), "--site takes an address"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_argument_is_said_in_one_line(capsys, arguments, said):
    with pytest.raises(SystemExit) as left:
        execute_from_command_line(["manage.py", "demo", *arguments])
    assert left.value.code != 0
    log = capsys.readouterr().err
    assert said in log.splitlines()[-1]
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL is no database address"),
        ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "redis cannot be reached"),
    ],
    ids=["DATABASE_URL", "REDIS_URL"],
)
@once
def test_a_wrong_environment_is_said_in_one_line(tmp_path, environ, said):
    migrated.copy_to(tmp_path / "var" / "db.sqlite3")
    port = ("--port", str(free_port()))
    with manage(tmp_path, "up", *port, **{"DATABASE_URL": "", "REDIS_URL": ""} | environ) as process:
        assert process.wait(100) != 0
    log = (tmp_path / "log").read_text()
    assert said in log.splitlines()[-1]
    assert "Traceback" not in log
