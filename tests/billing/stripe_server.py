"""A small server that speaks Stripe's API over real HTTP, with faults on demand.

It grows by route: a function of the account and the form, in `ROUTES`.
"""

import json
import re
import threading
from collections import deque
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_stripe"
Form = dict[str, Any]
Reply = tuple[int, Form]


class StripeServer:
    """`with StripeServer() as server:`; queue faults with `fails`, `hangs`, `babbles`; see `calls` and the rows."""

    def __init__(self):
        self.products: dict[str, Form] = {}
        self.prices: dict[str, Form] = {}
        self.customers: dict[str, Form] = {}
        self.sessions: dict[str, Form] = {}
        self.subscriptions: dict[str, Form] = {}
        self.invoices: dict[str, Form] = {}
        self.events: dict[str, Form] = {}
        self.credits: dict[str, Form] = {}
        self.calls: list[tuple[str, str, Form]] = []
        self.keys: dict[str, tuple[Form, Reply]] = {}
        self.faults: deque[tuple[int, bytes]] = deque()
        self.released = threading.Event()
        self.lock = threading.Lock()
        self._numbers = count(1)
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"stripe": self}))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def fails(self, status, *, times=1, kind="api_error"):
        """`times` counts attempts, those of the SDK too."""
        body = json.dumps({"error": {"type": kind, "message": "no, by sk_test_secret"}}).encode()
        self.faults.extend([(status, body)] * times)

    def hangs(self, times=1):
        self.faults.extend([(0, b"")] * times)

    def babbles(self, body=b"<html>busy</html>", times=1):
        self.faults.extend([(200, body)] * times)

    def made(self, path: str) -> list[Form]:
        """The forms that were posted there."""
        return [form for method, where, form in self.calls if (method, where) == ("POST", path)]

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):04}"

    def answer(self, method: str, path: str, form: Form, key: str | None) -> Reply:
        """Once for each idempotency key; another form with a known key is refused."""
        with self.lock:
            self.calls.append((method, path, form))
            if method == "POST" and key in self.keys:
                known, reply = self.keys[key]
                return reply if known == form else refusal(400, "idempotency_error", "idempotency_key_in_use")
            reply = self._routed(method, path, form)
            if method == "POST" and key:
                self.keys[key] = form, reply
            return reply

    def _routed(self, method: str, path: str, form: Form) -> Reply:
        for wanted, pattern, route in ROUTES:
            if wanted == method and (found := re.fullmatch(pattern, path)):
                return route(self, form, *found.groups())
        return refusal(404, "invalid_request_error", "unknown_route")


def refusal(status: int, kind: str, code: str) -> Reply:
    return status, {"error": {"type": kind, "code": code, "message": code}}


def missing() -> Reply:
    return refusal(404, "invalid_request_error", "resource_missing")


def create_product(stripe: StripeServer, form: Form) -> Reply:
    row = {"object": "product", "active": True, "metadata": {}, **form}
    return 200, stripe.products.setdefault(row["id"], row)


def get_product(stripe: StripeServer, form: Form, pk: str) -> Reply:
    return (200, stripe.products[pk]) if pk in stripe.products else missing()


def update_product(stripe: StripeServer, form: Form, pk: str) -> Reply:
    stripe.products[pk] |= form | {"active": form.get("active", "true") == "true"}
    return 200, stripe.products[pk]


def list_prices(stripe: StripeServer, form: Form) -> Reply:
    """By product or lookup key, newest first, in pages."""
    keys = set(form.get("lookup_keys", {}).values())
    rows = [
        row
        for row in reversed(stripe.prices.values())
        if row["active"]
        and (not keys or row["lookup_key"] in keys)
        and form.get("product", row["product"]) == row["product"]
    ]
    return page("/v1/prices", rows, form)


def page(url: str, rows: list[Form], form: Form) -> Reply:
    """As much as was asked for, after what the caller has."""
    ids = [row["id"] for row in rows]
    start = ids.index(form["starting_after"]) + 1 if "starting_after" in form else 0
    end = start + int(form.get("limit", 10))
    return 200, {"object": "list", "url": url, "has_more": end < len(rows), "data": rows[start:end]}


def create_price(stripe: StripeServer, form: Form) -> Reply:
    """A lookup key leads to one price: it is moved when that is asked for."""
    holder = next((row for row in stripe.prices.values() if row["lookup_key"] == form.get("lookup_key")), None)
    if holder and form.get("transfer_lookup_key") != "true":
        return refusal(400, "invalid_request_error", "lookup_key_taken")
    if form["currency"] == "huf" and int(form["unit_amount"]) % 100:
        return refusal(400, "invalid_request_error", "amount_not_divisible_by_100")
    if holder:
        holder["lookup_key"] = None
    every = form.get("recurring")
    row = {
        "id": stripe.new_id("price"),
        "object": "price",
        "active": True,
        "product": form["product"],
        "currency": form["currency"],
        "unit_amount": int(form["unit_amount"]),
        "lookup_key": form.get("lookup_key"),
        "recurring": {"interval": every["interval"], "interval_count": 1} if every else None,
        "metadata": form.get("metadata", {}),
    }
    stripe.prices[row["id"]] = row
    return 200, row


def update_price(stripe: StripeServer, form: Form, pk: str) -> Reply:
    stripe.prices[pk]["active"] = form["active"] == "true"
    return 200, stripe.prices[pk]


def create_customer(stripe: StripeServer, form: Form) -> Reply:
    row = {"id": stripe.new_id("cus"), "object": "customer", **form}
    stripe.customers[row["id"]] = row
    return 200, row


def create_session(stripe: StripeServer, form: Form) -> Reply:
    price = stripe.prices.get(form["line_items"]["0"]["price"])
    if price is None or not price["active"] or form["customer"] not in stripe.customers:
        return missing()
    if (form["mode"] == "subscription") != bool(price["recurring"]):
        return refusal(400, "invalid_request_error", "wrong_mode")
    pk = stripe.new_id("cs_test")
    row = {"id": pk, "object": "checkout.session", "url": f"https://checkout.stripe.com/c/pay/{pk}", **form}
    stripe.sessions[pk] = row | {"status": "open"}
    return 200, dict(stripe.sessions[pk])


def list_sessions(stripe: StripeServer, form: Form) -> Reply:
    """Those of a customer in a state, newest first."""
    rows = [row for row in reversed(stripe.sessions.values()) if row["customer"] == form["customer"]]
    return page("/v1/checkout/sessions", [row for row in rows if row["status"] == form["status"]], form)


def expire_session(stripe: StripeServer, form: Form, pk: str) -> Reply:
    """Only one that is open."""
    if stripe.sessions[pk]["status"] != "open":
        return refusal(400, "invalid_request_error", "session_not_open")
    stripe.sessions[pk] |= {"status": "expired", "url": None}
    return 200, stripe.sessions[pk]


def create_portal(stripe: StripeServer, form: Form) -> Reply:
    if form["customer"] not in stripe.customers:
        return missing()
    pk = stripe.new_id("bps")
    return 200, {"id": pk, "object": "billing_portal.session", "url": f"https://billing.stripe.com/p/session/{pk}"}


def get_customer(stripe: StripeServer, form: Form, customer: str) -> Reply:
    return (200, stripe.customers[customer]) if customer in stripe.customers else missing()


def list_credits(stripe: StripeServer, form: Form, customer: str) -> Reply:
    rows = [row for row in stripe.credits.values() if row["customer"] == customer]
    return 200, {"object": "list", "url": f"/v1/customers/{customer}", "has_more": False, "data": rows}


def create_credit(stripe: StripeServer, form: Form, customer: str) -> Reply:
    if customer not in stripe.customers:
        return missing()
    row = {"id": stripe.new_id("cbtxn"), "object": "customer_balance_transaction", "customer": customer, **form}
    stripe.credits[row["id"]] = row | {"amount": int(form["amount"])}
    return 200, stripe.credits[row["id"]]


def get_session(stripe: StripeServer, form: Form, pk: str) -> Reply:
    return (200, stripe.sessions[pk]) if pk in stripe.sessions else missing()


def list_subscriptions(stripe: StripeServer, form: Form) -> Reply:
    """Those that are over only when all are asked for."""
    rows = [row for row in reversed(stripe.subscriptions.values()) if row["customer"] == form["customer"]]
    if form["customer"] not in stripe.customers:
        return missing()
    every = form.get("status") == "all"
    return page("/v1/subscriptions", [row for row in rows if every or row["status"] != "canceled"], form)


def get_price(stripe: StripeServer, form: Form, pk: str) -> Reply:
    return (200, stripe.prices[pk]) if pk in stripe.prices else missing()


def update_subscription(stripe: StripeServer, form: Form, pk: str) -> Reply:
    """One that is managed by a schedule cannot be told to end."""
    row = stripe.subscriptions[pk]
    if row.get("schedule"):
        return refusal(400, "invalid_request_error", "managed_by_schedule")
    return 200, row.update(cancel_at_period_end=form["cancel_at_period_end"] == "true", canceled_at=1) or row


def release_schedule(stripe: StripeServer, form: Form, pk: str) -> Reply:
    """Not twice."""
    row = next((row for row in stripe.subscriptions.values() if row.get("schedule") == pk), None)
    if row is None:
        return refusal(400, "invalid_request_error", "schedule_not_active")
    row["schedule"] = None
    return 200, {"id": pk, "object": "subscription_schedule", "status": "released", "released_subscription": row["id"]}


def cancel_subscription(stripe: StripeServer, form: Form, pk: str) -> Reply:
    """Not twice."""
    row = stripe.subscriptions[pk]
    if row["status"] == "canceled":
        return missing()
    return 200, row.update(status="canceled", canceled_at=1, ended_at=1) or row


def list_invoices(stripe: StripeServer, form: Form) -> Reply:
    rows = [row for row in reversed(stripe.invoices.values()) if row["customer"] == form["customer"]]
    return page("/v1/invoices", rows, form)


def list_events(stripe: StripeServer, form: Form) -> Reply:
    """At most twenty types."""
    types, since = set(form["types"].values()), int(form["created"]["gte"])
    if len(types) > 20:
        return refusal(400, "invalid_request_error", "too_many_types")
    rows = [row for row in reversed(stripe.events.values()) if row["type"] in types and row["created"] >= since]
    return page("/v1/events", rows, form)


Route = Callable[..., Reply]
ROUTES: list[tuple[str, str, Route]] = [
    ("POST", r"/v1/products", create_product),
    ("GET", r"/v1/products/(\w+)", get_product),
    ("POST", r"/v1/products/(\w+)", update_product),
    ("GET", r"/v1/prices", list_prices),
    ("POST", r"/v1/prices", create_price),
    ("POST", r"/v1/prices/(\w+)", update_price),
    ("GET", r"/v1/prices/(\w+)", get_price),
    ("POST", r"/v1/customers", create_customer),
    ("POST", r"/v1/checkout/sessions", create_session),
    ("GET", r"/v1/checkout/sessions", list_sessions),
    ("GET", r"/v1/checkout/sessions/(\w+)", get_session),
    ("POST", r"/v1/checkout/sessions/(\w+)/expire", expire_session),
    ("POST", r"/v1/subscription_schedules/(\w+)/release", release_schedule),
    ("GET", r"/v1/subscriptions", list_subscriptions),
    ("POST", r"/v1/subscriptions/(\w+)", update_subscription),
    ("DELETE", r"/v1/subscriptions/(\w+)", cancel_subscription),
    ("GET", r"/v1/invoices", list_invoices),
    ("GET", r"/v1/events", list_events),
    ("POST", r"/v1/billing_portal/sessions", create_portal),
    ("GET", r"/v1/customers/(\w+)", get_customer),
    ("GET", r"/v1/customers/(\w+)/balance_transactions", list_credits),
    ("POST", r"/v1/customers/(\w+)/balance_transactions", create_credit),
]


def unfolded(text: str) -> Form:
    """`a[b][0]=c` as nested dicts."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *parents, last = re.findall(r"[^\[\]]+", name)
        place = form
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return form


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    stripe: StripeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits 40 ms for the client to acknowledge its head

    def do_GET(self):
        self._answer(urlsplit(self.path).query)

    def do_DELETE(self):
        self._answer("")

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers.get("content-length", 0))).decode())

    def _answer(self, text: str):
        if self.stripe.faults:
            status, body = self.stripe.faults.popleft()
            if not status:
                self.stripe.released.wait(30)
                self.close_connection = True
                return
            self._send(status, body)
            return
        if self.headers["authorization"] != f"Bearer {KEY}":
            self._send(401, json.dumps({"error": {"type": "invalid_request_error", "message": "key"}}).encode())
            return
        path, key = urlsplit(self.path).path, self.headers.get("idempotency-key")
        status, reply = self.stripe.answer(self.command, path, unfolded(text), key)
        self._send(status, json.dumps(reply).encode())

    def _send(self, status: int, body: bytes):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Silence."""
