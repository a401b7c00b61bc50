"""What the logs must say in the end: every acknowledged job is there, and every effect happened exactly once."""

import statistics
import time
from bisect import bisect_right
from collections import Counter

from accounts.activity import verify
from accounts.models import Activity
from jobs.engine import CONCURRENCY, GUESTS
from jobs.models import ItemState, Job, JobItem, JobStatus
from tests.chaos.client import Client
from tests.chaos.database import patiently
from tests.chaos.expect import Verdict
from tests.chaos.killer import Killer
from tests.chaos.kills import Kill
from tests.chaos.models import Effect
from tests.chaos.provider import Provider
from tests.chaos.runners import KIND, keys_at_end

RECOVERED_WITHIN = 65.0  # seconds
STOPPED_WITHIN = 5.0
TOLD = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)  # to the webhook of a job


def wait_until_over(provider: Provider, seconds: float) -> None:
    """Until no job is open and all that ended have told, or the time is over: then the verdict says which."""
    jobs, ends = Job.objects.filter(kind=KIND), time.monotonic() + seconds
    while time.monotonic() < ends:
        ended = patiently(lambda: set(jobs.filter(status__in=TOLD).values_list("pk", flat=True)))
        if ended <= provider.told.keys() and not patiently(lambda: jobs.unfinished().exists()):
            return
        time.sleep(0.3)


def judge(client: Client, provider: Provider, killer: Killer) -> Verdict:
    """Compare the submission log, the intent log and the effect log with the rows."""
    verdict = Verdict()
    verdict.expect("the client had no trouble", client.faults)
    jobs = {job.pk: job for job in patiently(lambda: list(Job.objects.filter(kind=KIND)))}
    items: dict[str, list[JobItem]] = {job: [] for job in jobs}
    for item in patiently(lambda: list(JobItem.objects.filter(job__kind=KIND))):
        items[item.job_id].append(item)
    effects = patiently(lambda: list(Effect.objects.order_by("at")))
    _submissions(verdict, client, jobs)
    _jobs(verdict, client, jobs, items)
    _effects(verdict, items, effects)
    _events(verdict, jobs)
    _webhooks(verdict, jobs, provider)
    _payments(verdict, provider.paid, effects, killer.kills)
    _recovery(verdict, client, effects, killer)
    verdict.figures |= {"jobs": len(jobs), "cancelled": len(client.cancelled), "controls": client.controls}
    verdict.figures |= {"submissions repeated": client.repeated, "items": sum(map(len, items.values()))}
    return verdict


def _submissions(verdict: Verdict, client: Client, jobs: dict[str, Job]) -> None:
    made = Counter(job.configuration["submission"] for job in jobs.values())
    verdict.expect("every acknowledged job is there", set(client.acknowledged.values()) - jobs.keys())
    verdict.expect("a submission makes one job", [key for key, count in made.items() if count > 1])
    verdict.expect("every job was acknowledged", made.keys() - client.acknowledged.keys())


def _jobs(verdict: Verdict, client: Client, jobs: dict[str, Job], items: dict[str, list[JobItem]]) -> None:
    verdict.expect("every job is final", [f"{pk} {job.status}" for pk, job in jobs.items() if not job.is_final])
    off = [pk for pk in client.cancelled if jobs[pk].status != JobStatus.CANCELLED]
    verdict.expect("what was cancelled stays cancelled", off)
    unlike, counters, reasons = [], [], []
    for pk, job in jobs.items():
        states = Counter(item.state for item in items[pk])
        if (job.total, job.done, job.failed) != (len(items[pk]), states[ItemState.DONE], states[ItemState.FAILED]):
            counters.append(f"{pk} {job.total}/{job.done}/{job.failed} {dict(states)}")
        asked = client.items.get(pk, job.configuration["items"])
        wanted = {key: ItemState.DONE if fine else ItemState.FAILED for key, fine in keys_at_end(asked).items()}
        seen = {item.key: item.state for item in items[pk]}
        if job.status == JobStatus.CANCELLED:  # what it came to must be right, the rest must not be with anybody
            wanted = {key: wanted[key] if seen[key] != ItemState.PENDING else seen[key] for key in seen}
        if seen != wanted:
            unlike += [f"{pk}/{key} {value}" for key, value in dict(seen.items() ^ wanted.items()).items()]
        reasons += [f"{pk}/{i.key} {i.error}" for i in items[pk] if i.state == ItemState.FAILED and not _by_design(i)]
    verdict.expect("the items are those that the job had to have, in the states that they had to reach", unlike)
    verdict.expect("a job's counters are those of its items", counters)
    verdict.expect("an item fails only by design, none as worker_lost", reasons)


def _by_design(item: JobItem) -> bool:
    return item.key.startswith("bad-") and item.error["code"] == "item_failed"


def _effects(verdict: Verdict, items: dict[str, list[JobItem]], effects: list[Effect]) -> None:
    seen = Counter(f"{effect.job}/{effect.key}" for effect in effects)
    done = {f"{pk}/{item.key}" for pk, rows in items.items() for item in rows if item.state == ItemState.DONE}
    verdict.expect("no effect happened twice", [key for key, count in seen.items() if count > 1])
    verdict.expect("every item that is done took effect", done - seen.keys())
    verdict.expect("every effect is of an item that is done", seen.keys() - done)
    verdict.figures["effects"] = len(effects)


def _events(verdict: Verdict, jobs: dict[str, Job]) -> None:
    """What was told in the transaction of a change is there as often as the change."""
    lines = Activity.objects.filter(action__startswith="job.").values_list("action", "object_id")
    told = Counter(patiently(lambda: list(lines)))
    ends = {(f"job.{job.status}", pk) for pk, job in jobs.items() if job.is_final}
    once = ends | {("job.created", pk) for pk in jobs}
    wrong = [f"{action} of {pk} {told[action, pk]} times" for action, pk in once if told[action, pk] != 1]
    verdict.expect("start and end of a job are told once", wrong)
    chains = patiently(lambda: list(verify(None)))
    verdict.expect("the activity log is whole", [chain.reason for chain in chains if chain.reason])


def _webhooks(verdict: Verdict, jobs: dict[str, Job], provider: Provider) -> None:
    """Sent at least once, and always as the same event."""
    wanted = {pk: {f"job.{job.status}"} for pk, job in jobs.items() if job.status in TOLD}
    heard = {pk: [told for _, told in provider.told[pk]] for pk in provider.told.keys() | wanted.keys()}
    wrong = [f"{pk} {events}" for pk, events in heard.items() if sorted(events) != sorted(wanted.get(pk, []))]
    verdict.expect("the webhook of a job that ended says so, as one event", wrong)
    verdict.figures["jobs whose end was told"] = len(provider.told)


def _payments(verdict: Verdict, paid: Counter[str], effects: list[Effect], kills: list[Kill]) -> None:
    unpaid = {f"{effect.job}/{effect.key}" for effect in effects} - paid.keys()
    twice = sum(count - 1 for count in paid.values())
    allowed = sum(kill.of_worker for kill in kills) * (CONCURRENCY + GUESTS)
    verdict.expect("no effect without a call", unpaid)
    verdict.expect(f"paid twice at most {allowed} times", [twice] if twice > allowed else [])
    verdict.figures |= {"calls": paid.total(), "paid twice": twice, "paid twice at most": allowed}


def _recovery(verdict: Verdict, client: Client, effects: list[Effect], killer: Killer) -> None:
    """How soon effects (of web: answers) go on, and leases of the dead are back, while a worker is up.

    One that is killed while it stops has not stopped.
    """
    went_on, back, stopped = [], [], []
    moments = {True: sorted(client.answered), False: [effect.at.timestamp() for effect in effects]}
    leases = Counter(kill.lease for kill in killer.kills)
    for kill in killer.kills:
        after = moments[kill.kind.startswith("web")]
        following = bisect_right(after, kill.at)
        if following < len(after):
            went_on.append((kill.at, after[following]))
        spell = (kill.at, kill.back or float("inf"))
        if kill.lease and kill.of_worker:
            back.append(spell)
        elif kill.lease and leases[kill.lease] == 1:
            stopped.append(spell)
    for name, spells, limit in (
        ("work goes on", went_on, RECOVERED_WITHIN),
        ("leases back", back, RECOVERED_WITHIN),
        ("leases back after a stop", stopped, STOPPED_WITHIN),
    ):
        attended = [killer.attended(spell) for spell in spells]
        verdict.expect(f"{name} within {limit:.0f} s", [f"{seconds:.1f} s" for seconds in attended if seconds > limit])
        if spells:
            longest = max(end - start for start, end in spells)
            shown = f"{statistics.median(attended):.1f}, {max(attended):.1f} ({longest:.1f} with all workers dead)"
            verdict.figures[f"{name}: median, max (s)"] = shown
