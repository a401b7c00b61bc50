"""A PostgreSQL cluster of the harness' own, which can be restarted like after a crash, frozen, and thrown away."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.processes import children

ACCOUNT = "postgres"  # PostgreSQL refuses to run as root


def binary(name: str) -> str:
    """Of the newest version here. Debian keeps them out of the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    found = str(versions[-1]) if versions else shutil.which(name)
    if not found:
        raise SystemExit(f"{name} is not here. Install PostgreSQL, or use --database sqlite.")
    return found


class PostgresServer:
    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"postgres://{ACCOUNT}@127.0.0.1:{port}/{ACCOUNT}"
        self.folder = tempfile.mkdtemp(prefix="chaos-postgres-")
        if os.geteuid() == 0:
            shutil.chown(self.folder, ACCOUNT, ACCOUNT)
        self._data = f"{self.folder}/data"
        self._run("initdb", "-D", self._data, "-U", ACCOUNT, "--auth", "trust", "-E", "UTF8", "--no-sync")
        self._pg_ctl("start")

    def crash(self) -> None:
        """Every connection breaks, nothing is written down, and the start has to recover from the log."""
        self._pg_ctl("restart", "-m", "immediate")

    def freeze(self) -> None:
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def close(self) -> None:
        self.thaw()
        self._pg_ctl("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _pg_ctl(self, verb: str, *more: str) -> None:
        server = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder}"
        options = ["-o", server] if verb != "stop" else []
        self._run("pg_ctl", verb, "-D", self._data, "-w", "-t", "60", "-l", f"{self.folder}/log", *options, *more)

    def _send(self, number: signal.Signals) -> None:
        postmaster = int(Path(f"{self._data}/postmaster.pid").read_text().splitlines()[0])
        for pid in (postmaster, *children(postmaster)):
            os.kill(pid, number)

    def _run(self, name: str, *arguments: str) -> None:
        account: Sequence[str] = ()
        if os.geteuid() == 0:
            account = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--init-groups")
        subprocess.run(
            [*account, binary(name), *arguments], check=True, cwd=self.folder, stdout=subprocess.DEVNULL, timeout=90
        )
