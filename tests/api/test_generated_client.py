"""A typed client that a stranger's generator makes of the committed schema, against the real server."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.test_schema import COMMITTED

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def client_package(tmp_path_factory):
    """Importable as `generated_api`; skipped by the generator is only what it does not know: bodies of `text/csv`."""
    place = tmp_path_factory.mktemp("client")
    command = [str(BIN / "openapi-python-client"), "generate", "--path", str(COMMITTED), "--meta", "none"]
    config = place / "config.yaml"
    config.write_text("post_hooks: []\n")
    options = ["--output-path", str(place / "generated_api"), "--config", str(config)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    missing = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("WARNING")]
    assert missing == ["WARNING parsing POST /api/v1/products/import within core."]
    sys.path.insert(0, str(place))
    yield "generated_api"
    sys.path.remove(str(place))
    for name in [name for name in sys.modules if name.startswith("generated_api")]:
        del sys.modules[name]


@pytest.mark.django_db(transaction=True)
def test_a_generated_client_reads_and_writes(client_package, people, key_for, live_server):
    def part(name: str):
        return importlib.import_module(f"{client_package}.{name}")

    client = part("client").AuthenticatedClient(base_url=live_server.url, token=key_for(people.acme))
    models = part("models")
    sites = {name: part(f"api.core.core_sites_{name}") for name in ("create", "list", "retrieve", "partial_update")}
    made = sites["create"].sync(client=client, body=models.SiteBodyRequest(name="Çini", domain="cini.example"))
    assert isinstance(made, models.CoreSiteWritten)
    assert made.data.domain == "cini.example"
    found = sites["list"].sync(client=client, search="cini", per_page=10, sort="-created_at")
    assert [row.id for row in found.data] == [made.data.id]
    assert found.meta.total == 1
    assert sites["retrieve"].sync(str(made.data.id), client=client).data.crawl.max_pages > 0
    body = models.PatchedSiteBodyRequest(name="Çini Atölyesi")
    assert sites["partial_update"].sync(str(made.data.id), client=client, body=body).data.name == "Çini Atölyesi"
    again = sites["create"].sync(client=client, body=models.SiteBodyRequest(name="Again", domain="cini.example"))
    assert isinstance(again, models.CoreError)
    assert again.error == "conflict"
    gone = part("api.core.core_sites_destroy").sync_detailed(str(made.data.id), client=client)
    assert gone.status_code == 204
    missing = sites["retrieve"].sync(str(made.data.id), client=client)
    assert isinstance(missing, models.CoreError)
    assert missing.error == "not_found"
