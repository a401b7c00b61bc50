"""Tags from pictures that a server on this machine has, or has not."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image as Pillow

from content import kinds
from content.services.generation import Wanted, start_generation
from jobs.models import JobItem


def png(colour: str) -> bytes:
    out = io.BytesIO()
    Pillow.new("RGB", (64, 48), colour).save(out, "PNG")
    return out.getvalue()


PAGES = {
    "/red.png": (200, "image/png", png("#d01020")),
    "/broken.png": (200, "image/png", b"\x89PNG\r\n\x1a\n nothing"),
    "/page": (200, "text/html", b"<p>no picture</p>"),
    "/huge.png": (200, "image/png", b"\0" * (10 * 2**20 + 1)),
}


class Pictures(BaseHTTPRequestHandler):
    def do_GET(self):
        status, media_type, body = PAGES.get(self.path, (404, "text/plain", b"no"))
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client had enough

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def tag(alice, **kwargs):
    return start_generation(alice, kinds.TAGS, Wanted("en-US", **kwargs))


def test_it_works(people, acme, alice, make_product, work, site):
    product = make_product(people.acme, primary_picture=f"{site}/red.png")
    job = tag(alice).job
    assert job.id.startswith(f"tags_{people.acme.pk}_")
    work()
    product.refresh_from_db()
    assert "red" in product.suggested_tags
    assert "pot" not in product.suggested_tags  # it has that one already
    (item,) = acme.get(f"/api/v1/jobs/{job.id}/items").json()["data"]
    assert (item["key"], item["state"]) == (f"prod_{product.pk}", "done")
    assert (item["result"]["provider"], item["result"]["picture"]) == ("mock", "used")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/gone.png", "The address answered with status 404."),
        ("/page", "What the address answered is no picture."),
        ("/broken.png", "The picture cannot be read."),
        ("/huge.png", "The answer is larger than allowed."),
    ],
)
def test_without_a_readable_picture_the_text_is_enough_and_it_is_reported(
    people, alice, make_product, work, site, path, reason
):
    product = make_product(people.acme, primary_picture=site + path)
    tag(alice)
    work()
    product.refresh_from_db()
    assert product.suggested_tags
    item = JobItem.objects.get()
    assert (item.state, item.attempts) == ("done", 1)
    assert item.result["picture"] == "not_available"
    assert item.result["reason"] == reason


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "The product has no picture."),
        ("image1.jpg", "The URL is not valid."),
        ("file:///etc/passwd", "The URL is not valid."),
        ("http://10.0.0.1/x.png", "The address could not be fetched."),
        ("http://127.0.0.1:1/x.png", "The address could not be fetched."),
    ],
)
def test_a_picture_that_cannot_be_fetched_costs_no_try(people, alice, make_product, work, url, reason):
    make_product(people.acme, primary_picture=url)
    tag(alice)
    work()
    item = JobItem.objects.get()
    assert (item.state, item.attempts, item.result["reason"]) == ("done", 1, reason)


def test_new_suggestions_replace_the_old_and_leave_out_what_is_a_tag(people, alice, make_product, work, fake):
    product = make_product(people.acme, tags=["pot"], suggested_tags=["old"])
    tag(alice)
    work()
    product.refresh_from_db()
    assert (product.tags, product.suggested_tags) == (["pot"], ["clay", "garden"])
    assert fake.tag_tasks[0].image is None


def test_only_missing_leaves_out_products_with_suggestions(people, alice, make_product, fake):
    make_product(people.acme, "A", suggested_tags=["old"])
    lamp = make_product(people.acme, "B", primary_picture="")
    made = tag(alice, only_missing=True)
    assert (made.found, made.queued, made.without_pictures) == (2, 1, 1)
    assert made.job.items.get().payload == {"product": lamp.pk}


def test_the_picture_reaches_the_provider(people, alice, make_product, work, site, fake):
    make_product(people.acme, primary_picture=f"{site}/red.png")
    tag(alice)
    work()
    assert fake.tag_tasks[0].image.data == png("#d01020")
    assert fake.tag_tasks[0].image.media_type == "image/png"
