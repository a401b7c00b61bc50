"""`manage.py up`: ready when health says so, whole again when a process dies, gone when told to stop."""

import os
import re
import signal
import socket
import sys

import pytest

from tests import migrated
from tests.processes import alive, children, free_port, manage, status_of, wait_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
KINDS = ("uvicorn", "celery.*worker", "celery.*beat")


def up(tmp_path, port):
    migrated.copy_to(tmp_path / "var" / "db.sqlite3")  # tests/test_demo.py begins with nothing
    return manage(tmp_path, "up", "--port", str(port))


def ready(process, tmp_path):
    assert "Ready" in process.stdout.readline(), (tmp_path / "log").read_text()


def test_up_heals_and_stops(tmp_path):
    port = free_port()
    with up(tmp_path, port) as process:
        ready(process, tmp_path)
        before = children(process.pid)
        assert [kind for kind in KINDS if not any(re.search(kind, line) for line in before.values())] == []
        (worker,) = [pid for pid, line in before.items() if re.search("celery.*worker", line)]
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: any(re.search("celery.*worker", line) for line in children(process.pid).values()), 20)
        assert status_of(port) == 200
        last = children(process.pid)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        assert "Stopped." in process.stdout.read()
    assert alive(last) == []


def test_nothing_outlives_a_killed_supervisor(tmp_path):
    with up(tmp_path, free_port()) as process:
        ready(process, tmp_path)
        last = children(process.pid)
    wait_for(lambda: alive(last) == [], 40)


def test_a_port_in_use_is_said(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with up(tmp_path, port) as process:
            assert process.wait(60) == 1
    assert f"Port {port} is in use" in (tmp_path / "log").read_text()
