"""`make fuzz-api`: schemathesis asks a real server everything that the schema allows, and some of what it does not.

The server is `manage.py up` on a database of its own; the key is an enterprise workspace's, so that limits do not end
the run. The seed is fixed. What is not asked, and which checks do not apply, is in schemathesis.toml with its reason.
"""

import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.processes import free_port, manage, status_of, wait_for

SEED = 20261125
SECONDS = int(os.environ.get("FUZZ_SECONDS", "75"))  # of asking; with the start it stays below three minutes
BIN = Path(sys.executable).parent
CONFIG = Path(__file__).with_name("schemathesis.toml")


def prepare(var: Path) -> str:
    """A workspace and its key."""
    owner = ["--owner", "fuzz@example.com", "--password", secrets.token_urlsafe(12)]
    _run(var, "migrate", "--verbosity", "0")
    _run(var, "create_workspace", "Fuzz", "--slug", "fuzz", "--plan", "enterprise", *owner)
    return str(
        json.loads(_run(var, "create_api_key", "fuzz", "--name", "fuzz", "--scopes", "*", "--test", "--json"))["key"]
    )


def _run(var: Path, *arguments: str) -> str:
    environ = os.environ | {"VAR_DIR": str(var)}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], env=environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def ask(port: int, key: str, report: Path) -> int:
    """Exit status of schemathesis."""
    schema = report / "openapi.yaml"
    _run(report / "var", "spectacular", "--file", str(schema))
    command = [str(BIN / "schemathesis"), "--config-file", str(CONFIG), "run", str(schema)]
    options = ["--url", f"http://127.0.0.1:{port}", "--seed", str(SEED), "--max-time", str(SECONDS), "--no-color"]
    environ = os.environ | {
        "FUZZ_KEY": key,
        "SCHEMATHESIS_HOOKS": "tests.contract.fuzz_hooks",
        "PYTHONPATH": str(Path.cwd()),
    }
    return subprocess.run([*command, *options], env=environ, check=False, cwd=report).returncode


def main() -> None:
    """Start, ask, and end with what schemathesis ends with."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        place, port = Path(folder), free_port()
        key = prepare(place / "var")
        with manage(place, "up", "--port", str(port), TRUSTED_PROXIES="1") as server:
            wait_for(lambda: status_of(port) == 200)
            code = ask(port, key, place)
            server.terminate()  # killed, it would leave its children writing into the folder for a moment
            server.wait(60)
    sys.stdout.write(f"{time.monotonic() - started:.0f} s, seed {SEED}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
