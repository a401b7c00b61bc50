"""The main job end to end, as a newcomer sees it, with a worker that is killed in the middle."""

import os
import re
import signal
import sys
import threading

import pytest

from tests.processes import children, free_port, manage, wait_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def worker_of(pid: int) -> int | None:
    found = [child for child, line in children(pid).items() if re.search("celery.*worker", line)]
    return found[0] if found else None


def read_all(process) -> list[str]:
    """Its lines as they come, so that the pipe never fills."""
    lines: list[str] = []
    threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True).start()
    return lines


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
    assert "12 products imported, 1 rows reported" in said
    assert "12 titles in tr-TR, 0 failed" in said
    assert "12 descriptions in tr-TR, 0 failed" in said
    assert "12 feed texts in tr-TR, 0 failed" in said
    assert "8 companies" in said
    assert re.search(r"\d+ × error: .*broken_link", said)
