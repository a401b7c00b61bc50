"""What must hold in the end: what was kept has arrived, as it was kept, and nothing else has."""

import json
import statistics
import time
from collections import Counter
from collections.abc import Iterable

from sites.models import Site
from tests.chaos.database import patiently
from tests.chaos.expect import Verdict
from tests.chaos.webhooks.bounds import watch
from tests.chaos.webhooks.crew import Crew
from tests.chaos.webhooks.outside import Arrival, Outside
from tests.chaos.webhooks.processes import LEASE
from tests.chaos.webhooks.targets import WebhookKiller
from tests.chaos.world import World
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event

TAKEN_WITHIN = LEASE + 12  # seconds, on a machine that is busy


def judge(world: World, outside: Outside, crew: Crew, killer: WebhookKiller) -> Verdict:
    """Compare what the database has kept with what has arrived."""
    verdict = Verdict()
    by_itself = [what for pid, what in crew.ended if pid not in killer.told_to_stop or not what.endswith(": 0")]
    verdict.expect("nobody ends by itself", by_itself)
    events = {event.public_id: event for event in patiently(lambda: list(Event.objects.all()))}
    endpoints = {endpoint.pk: endpoint for endpoint in patiently(lambda: list(Endpoint.objects.all()))}
    _changes(verdict, world, outside, events.values())
    _arrivals(verdict, outside, events, endpoints.values())
    rows = patiently(lambda: list(Delivery.objects.select_related("event")))
    _rows(verdict, outside, endpoints, rows)
    _counts(verdict, outside, endpoints.values(), rows)
    _recovery(verdict, killer)
    watch(verdict, outside, killer.kills)
    return verdict


def _changes(verdict: Verdict, world: World, outside: Outside, events: Iterable[Event]) -> None:
    """An event is there if and only if its change is."""
    kept = set(patiently(lambda: list(Site.objects.values_list("domain", flat=True))))
    told = Counter(_domain(bytes(event.body)) for event in events)
    heard = {_domain(arrival.taken.body) for arrivals in outside.arrivals.values() for arrival in arrivals}
    acknowledged, undone = [(world.folder / name).read_text().split() for name in ("kept", "undone")]
    verdict.expect("every change that is kept is told once", [domain for domain in kept if told[domain] != 1])
    verdict.expect("nothing is told of a change that was undone", (told.keys() | heard) - kept)
    verdict.expect("what the publisher knows to be kept is kept", set(acknowledged) - kept)
    verdict.expect("there was something to lose, and to undo", [] if kept and undone else ["nothing"])
    verdict.figures |= {"changes kept": len(kept), "undone, as the publisher knows": len(undone)}
    verdict.figures["kept, and the publisher never knew"] = len(kept) - len(acknowledged)


def _domain(body: bytes) -> str:
    return json.loads(body)["data"]["domain"]


def _arrivals(verdict: Verdict, outside: Outside, events: dict[str, Event], endpoints: Iterable[Endpoint]) -> None:
    lost, strange, changed, unlike = [], [], [], []
    for endpoint in endpoints:
        arrivals = outside.at(endpoint.url)
        wanted = {id_ for id_, event in events.items() if event.workspace_id == endpoint.workspace_id}
        taken = {arrival.event for arrival in arrivals if arrival.delivered}
        lost += [f"{id_} at {endpoint.url}" for id_ in wanted - taken]
        strange += [arrival.event for arrival in arrivals if arrival.event not in wanted]
        changed += [one.event for one in arrivals if one.event in events and one.taken.body != events[one.event].body]
        unlike += [arrival.event for arrival in arrivals if len(_ids(arrival)) > 1]
    verdict.expect("every event arrives at each endpoint", lost)
    verdict.expect("nothing arrives but what is kept", strange)
    verdict.expect("an event has the same bytes at every attempt", changed)
    verdict.expect("both families of headers and the body name one id", unlike)
    verdict.expect("a receiver written from the page verifies every request, both ways", outside.forged)
    requests = outside.count
    verdict.figures |= {"events": len(events), "requests, each verified twice": requests}


def _ids(arrival: Arrival) -> set[str]:
    headers = arrival.taken.headers
    return {headers["webhook-id"], headers["x-webhook-id"], json.loads(arrival.taken.body)["id"]}


def _rows(verdict: Verdict, outside: Outside, endpoints: dict[int, Endpoint], rows: list[Delivery]) -> None:
    """What we say about a delivery is what its receiver has seen of it."""
    unfinished, untrue, uncounted = [], [], []
    for row in rows:
        id_, arrivals = row.event.public_id, outside.of(endpoints[row.endpoint_id].url, row.event.public_id)
        if row.status != DeliveryStatus.SUCCESS or row.next_attempt_at is not None:
            unfinished.append(f"{id_} {row.status}")
        elif not any(arrival.delivered for arrival in arrivals):
            untrue.append(id_)
        if not 1 <= row.attempts <= len(arrivals):
            uncounted.append(f"{id_} {row.attempts} of {len(arrivals)}")
    pairs = Counter((row.event.public_id, row.endpoint_id) for row in rows)
    verdict.expect("an event has one delivery to an endpoint", [pair for pair, count in pairs.items() if count > 1])
    verdict.expect("every delivery is final, and a success", unfinished)
    verdict.expect("a success was answered with 2xx", untrue)
    verdict.expect("an attempt is a request that arrived", uncounted)


def _counts(verdict: Verdict, outside: Outside, endpoints: Iterable[Endpoint], rows: list[Delivery]) -> None:
    """An outcome that comes too late for its row is counted nowhere."""
    wrong, again = [], 0
    for endpoint in endpoints:
        arrivals, own = outside.at(endpoint.url), [row for row in rows if row.endpoint_id == endpoint.pk]
        taken = [arrival.event for arrival in arrivals if arrival.delivered]
        attempts, successes = sum(row.attempts for row in own), sum(row.status == DeliveryStatus.SUCCESS for row in own)
        tried = endpoint.success_count + endpoint.failure_count
        if not (successes == endpoint.success_count <= len(taken) and attempts == tried <= len(arrivals)):
            wrong.append(f"{endpoint.url}: {endpoint.success_count} + {endpoint.failure_count}")
        again += len(taken) - len(set(taken))
    verdict.expect("an endpoint counts what its deliveries do, and nothing that did not arrive", wrong)
    verdict.expect("every endpoint is active", [row.url for row in endpoints if not row.is_active])
    verdict.figures["attempts kept"] = sum(row.attempts for row in rows)
    verdict.figures["taken more than once"] = again


def _recovery(verdict: Verdict, killer: WebhookKiller) -> None:
    """While a worker is up. What one that stops does not give back is taken when its lease ends: that is only a figure.
    One that is killed while it stops has not stopped.
    """
    leases = Counter(kill.lease for kill in killer.kills)
    dead = [kill for kill in killer.kills if kill.lease and kill.of_worker]
    stopped = [kill for kill in killer.kills if kill.lease and not kill.of_worker and leases[kill.lease] == 1]
    spells = {
        name: [killer.attended((kill.at, kill.back or time.time())) for kill in kills]
        for name, kills in (("dead", dead), ("stopped", stopped))
    }
    late = [f"{seconds:.1f} s" for seconds in spells["dead"] if seconds > TAKEN_WITHIN]
    verdict.expect(f"what a dead worker held is taken within {TAKEN_WITHIN:.0f} s", late)
    for name, seconds in spells.items():
        if seconds:
            shown = f"{statistics.median(seconds):.1f}, {max(seconds):.1f}"
            verdict.figures[f"a {name} worker's is taken: median, max (s)"] = shown
