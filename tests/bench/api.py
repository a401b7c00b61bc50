"""`make bench-api`: a page of 25 leads at 10^3, 10^5 and 10^6 rows, on PostgreSQL and Redis, under granian as WSGI.

Ours is the whole contract: key, scope, tenant, limit and its headers, exact total. Beside it (a) a bare Django view
with hand-written SQL and nothing else, and (b) a plain DRF ModelViewSet with TokenAuthentication, PageNumberPagination
and a throttle. They take turns inside one run on the same rows; a ratio is the median over the rounds. Figures move
with the machine; the ratios are what counts.
"""

import os
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

SIZES = {"10^3": 10**3, "10^5": 10**5, "10^6": 10**6}
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "1"))  # of one measurement
SERVER = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
NAME = f"ajansops_bench_{urlsplit(SERVER).username}"  # each role has its own: only its owner can drop one
DATABASE = urlunsplit(urlsplit(SERVER)._replace(path=f"/{NAME}"))
REDIS = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/15")
PORT = int(os.environ.get("BENCH_PORT", "8471"))
OURS, BARE, PLAIN = range(PORT, PORT + 3)
WON = 0.1  # of the leads

INSERT = """
INSERT INTO leads_lead (workspace_id, company, contact, emails, phones, website, address, socials, source, external_id,
                        score, status, tags, created_at, updated_at, latitude, longitude)
SELECT %s, 'Company ' || n, 'Person ' || n, jsonb_build_array('mail' || n || '@example.com'),
       jsonb_build_array('+36 1 ' || n), 'https://company' || n || '.example.com',
       '{"street": "Fő utca 1", "locality": "Budapest", "country": "HU"}', '[]', 'website', '', n %% 100,
       CASE WHEN n %% 10 = 0 THEN 'won' ELSE 'new' END, '["ceramics", "retail"]',
       now() - n * interval '1 second', now(), 47.5 + n * 1e-7, 19.04
FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True)
class Tenant:
    """A workspace with so many leads, and credentials for it."""

    id: int
    key: str
    token: str


@dataclass(frozen=True)
class Shot:
    """What one run of the load generator saw."""

    rate: float  # answers a second
    p50: float  # milliseconds
    p99: float


def environment() -> dict[str, str]:
    """Of every process of the run."""
    return os.environ | {
        "BENCH_DATABASE_URL": DATABASE,
        "DATABASE_URL": DATABASE,
        "REDIS_URL": REDIS,
        "VAR_DIR": os.environ.get("BENCH_VAR_DIR", tempfile.gettempdir() + "/ajansops-bench"),
        "DJANGO_SETTINGS_MODULE": "ajansops.settings",
        "DJANGO_DEBUG": "0",
        "DJANGO_SECRET_KEY": "bench",
        "ENCRYPTION_KEYS": "bench",
        "ALLOWED_HOSTS": "127.0.0.1",
        "PUBLIC_URL": f"http://127.0.0.1:{OURS}",
        "WEB_WORKERS": "1",
    }


def serve(application: str, port: int) -> subprocess.Popen[bytes]:
    """One worker of four threads, as all of them have."""
    settings = ["--interface", "wsgi", "--workers", "1", "--blocking-threads", "4", "--host", "127.0.0.1"]
    quiet = ["--no-ws", "--log-level", "warning", "--http", "1"]
    command = [sys.executable, "-m", "granian", *settings, *quiet, "--port", str(port), application]
    env = {name: value for name, value in environment().items() if name != "DJANGO_SETTINGS_MODULE" or port == OURS}
    return subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)  # a line of the log for each request


def shoot(url: str, connections: int, credential: str = "", seconds: int = SECONDS) -> Shot:
    """wrk against the address. Raises when one answer is not 200."""
    threads = str(min(2, connections))
    command = ["wrk", "-t", threads, "-c", str(connections), "-d", f"{seconds}s", "--latency", url]
    told = subprocess.run([*command, "-H", f"Authorization: {credential}"], capture_output=True, text=True, check=True)
    if "Non-2xx" in told.stdout or "Socket errors" in told.stdout:
        raise RuntimeError(f"{url}: {told.stdout}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", told.stdout)[1])
    return Shot(rate, _milliseconds(told.stdout, "50%"), _milliseconds(told.stdout, "99%"))


def _milliseconds(text: str, place: str) -> float:
    number, unit = re.search(rf"{place}\s+([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def prepare() -> dict[str, Tenant]:
    """An empty database, our tables, one tenant a size, and the tables of a plain project in a schema of their own."""
    import psycopg

    with psycopg.connect(urlunsplit(urlsplit(SERVER)._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
        connection.execute(f"ALTER DATABASE {NAME} SET random_page_cost = 1.1")  # for all: see settings.database
    manage("migrate", "--verbosity", "0")
    tenants = {name: _tenant(name) for name in SIZES}
    with psycopg.connect(DATABASE) as connection:
        connection.execute("CREATE SCHEMA plain")
        for name, tenant in tenants.items():
            connection.execute(INSERT, [tenant.id, SIZES[name]])
    only_plain = _without_settings() | {"BENCH_SCHEMAS": "plain"}
    subprocess.run([sys.executable, "-m", "tests.bench.api", "plain"], env=only_plain, check=True)
    with psycopg.connect(DATABASE, autocommit=True) as connection:
        for tenant in tenants.values():
            user = connection.execute(
                "INSERT INTO plain.auth_user (username, password, first_name, last_name, email, is_superuser, is_staff,"
                " is_active, date_joined) VALUES (%s, '', '', '', '', false, false, true, now()) RETURNING id",
                [str(tenant.id)],
            ).fetchone()
            connection.execute(
                "INSERT INTO plain.authtoken_token (key, user_id, created) VALUES (%s, %s, now())",
                [tenant.token, user[0]],
            )
        connection.execute("VACUUM ANALYZE")
    return tenants


def _without_settings() -> dict[str, str]:
    return {name: value for name, value in environment().items() if name != "DJANGO_SETTINGS_MODULE"}


def migrate_plain() -> None:
    """The tables of the plain project: users and tokens."""
    from django.core.management import call_command

    import tests.bench.contenders.plain  # noqa: F401  # configures Django

    call_command("migrate", verbosity=0)


def manage(*arguments: str) -> str:
    """`manage.py …` on the benchmark's database."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, env=environment(), check=True, capture_output=True, text=True).stdout


def _tenant(name: str) -> Tenant:
    import json

    slug = f"bench-{SIZES[name]}"
    owner = ["--owner", f"{slug}@example.com", "--password", secrets.token_urlsafe(12)]
    made = json.loads(manage("create_workspace", slug, "--slug", slug, "--plan", "enterprise", *owner, "--json"))
    key = json.loads(manage("create_api_key", slug, "--name", "bench", "--scopes", "leads:read", "--json"))
    return Tenant(made["workspace"]["id"], key["key"], secrets.token_hex(20))


def wait_for(url: str, credential: str) -> None:
    """Until it answers 200."""
    import http.client

    parts = urlsplit(url)
    for _ in range(600):
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}", headers={"Authorization": credential})
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                return
            raise RuntimeError(f"{url}: {answer.status} {body[:300]!r}")
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError(f"{url} does not answer")


def main() -> None:
    """Measure and print."""
    started = time.monotonic()
    tenants = prepare()
    print(f"prepared in {time.monotonic() - started:.0f} s")
    applications = {
        OURS: "ajansops.wsgi:application",
        BARE: "tests.bench.contenders.bare:application",
        PLAIN: "tests.bench.contenders.plain:application",
    }
    with ExitStack() as stack:
        for port, application in applications.items():
            server = serve(application, port)
            stack.callback(server.wait)
            stack.callback(server.terminate)
        measure(tenants)
    print(f"\n{time.monotonic() - started:.0f} s in all")


def measure(tenants: dict[str, Tenant]) -> None:
    """Each pair in turn, round by round."""

    def ours(size: str, query: str = "", connections: int = 8) -> Shot:
        return shoot(f"http://127.0.0.1:{OURS}/api/v1/leads{query}", connections, f"Bearer {tenants[size].key}")

    def bare(size: str, path: str = "leads", connections: int = 8) -> Shot:
        return shoot(f"http://127.0.0.1:{BARE}/{tenants[size].id}/{path}", connections)

    def plain(size: str, connections: int = 8) -> Shot:
        return shoot(f"http://127.0.0.1:{PLAIN}/leads/", connections, f"Token {tenants[size].token}")

    smallest = tenants["10^3"]
    wait_for(f"http://127.0.0.1:{OURS}/api/v1/leads", f"Bearer {smallest.key}")
    wait_for(f"http://127.0.0.1:{BARE}/{smallest.id}/leads", "")
    wait_for(f"http://127.0.0.1:{PLAIN}/leads/", f"Token {smallest.token}")
    for warm in (ours, bare, plain):
        warm("10^3")

    p50: dict[str, list[float]] = {size: [] for size in SIZES}
    print(f"\n{'rows':6}{'connections':>12}{'ours/s':>9}{'bare/s':>9}{'DRF/s':>9}{'ours:bare':>11}{'ours:DRF':>10}")
    for size in SIZES:
        rounds = [(ours(size), bare(size), plain(size)) for _ in range(ROUNDS)]
        p50[size] += [shots[0].p50 for shots in rounds]
        line(size, 8, rounds)
    line(
        "10^3", 1, [(ours("10^3", connections=1), bare("10^3", connections=1), plain("10^3", 1)) for _ in range(ROUNDS)]
    )
    growth = statistics.median(p50["10^6"]) / statistics.median(p50["10^3"])
    print(f"\np50 of ours at 10^6 is {growth:.2f} of that at 10^3 (goal: at most 1.3)")
    pairs = [(ours("10^6", "?status=won", 1), bare("10^6", "count/won", 1)) for _ in range(ROUNDS)]
    cost = statistics.median(mine.p50 / theirs.p50 for mine, theirs in pairs)
    print(f"filtered by status at 10^6: {cost:.2f} of the bare count(*) alone (goal: at most 1.2)")


def line(size: str, connections: int, rounds: list[tuple[Shot, Shot, Shot]]) -> None:
    """One row of the table: medians, and the median of the rounds' ratios."""

    def median(value: Callable[[tuple[Shot, Shot, Shot]], float]) -> float:
        return statistics.median(map(value, rounds))

    rates = [median(lambda shots, place=place: shots[place].rate) for place in range(3)]
    to_bare, to_plain = (median(lambda shots, place=place: shots[0].rate / shots[place].rate) for place in (1, 2))
    print(
        f"{size:6}{connections:12}{rates[0]:9.0f}{rates[1]:9.0f}{rates[2]:9.0f}{to_bare:11.2f}{to_plain:10.1f}",
        flush=True,
    )


if __name__ == "__main__":
    migrate_plain() if sys.argv[1:] == ["plain"] else main()
