"""Bodies that are not the JSON we take are refused with a 4xx that says so, on every surface."""

import pytest

from ajansops.api.parsers import MAX_BYTES

BAD = {
    "not json": b"{",
    "duplicate key": b'{"name": "a", "name": "b"}',
    "NaN": b'{"name": NaN}',
    "NUL": b'{"name": "a\\u0000b"}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "latin-1": b'{"name": "\xff"}',
    "deep": b"[" * 100 + b"]" * 100,
    "very deep": b"[" * 100_000 + b"]" * 100_000,
    "huge integer": b'{"name": 99999999999999999999}',
    "endless integer": b'{"name": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("path", ["/api/v1/sites", "/api/sites", "/v1/tags/generate"])
def test_bad_json_is_400(acme, name, path):
    answer = acme.post(path, BAD[name])
    assert answer.status_code == 400
    assert "invalid_json" in answer.content.decode().lower()


def test_too_large_is_413(acme):
    answer = acme.post("/api/v1/sites", b'{"name": "' + b"a" * MAX_BYTES + b'"}')
    assert (answer.status_code, answer.json()["error"]) == (413, "payload_too_large")


def test_another_content_type_is_415(acme):
    answer = acme.call("POST", "/api/v1/sites", "name=a", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(("body", "where"), [(b"[]", "non_field_errors"), (b'"a"', "non_field_errors")])
def test_json_of_another_shape_is_422(acme, body, where):
    answer = acme.post("/api/v1/sites", body)
    assert answer.status_code == 422
    assert where in answer.json()["errors"]


@pytest.mark.parametrize("number", ["1e400", "-1e400"])
def test_a_number_beyond_floats_is_400(acme, number):
    body = (
        f'{{"url": "https://example.com/", "scores": {{}}, "issues": [{{"type": "x", "details": {{"v": {number}}}}}]}}'
    )
    assert acme.post("/api/v1/seo/report", body).status_code == 400


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/jobs/a%00", 404),
        ("/api/v1/jobs/a%00/items", 404),
        ("/v1/jobs/%00/status", 404),
        ("/api/v1/jobs?status=%00", 422),
        ("/api/v1/leads?search=a%00", 422),
        ("/v1/inventory/products?page=%00", 400),
    ],
)
def test_nul_in_an_address_is_refused(acme, path, status):
    assert acme.get(path).status_code == status


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "١", "9" * 20, "0" * 12 + "9" * 4400, ""])
def test_a_page_that_is_no_number_is_422(acme, page):
    answer = acme.get(f"/api/v1/sites?page={page}")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["page"])
