"""Pausing, resuming, cancelling and requeueing jobs, through every door."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.admin.utils import quote
from django.db import connection, connections

from accounts.models import Activity
from accounts.roles import Role, codenames
from ajansops.housekeeping import housekeep
from ajansops.kit.actor import Actor
from ajansops.kit.clock import iso, iso_ms, now
from ajansops.kit.errors import AccessDenied, NotFound
from ajansops.kit.runners import ItemFailed, NewItem, Quota
from jobs import retention, services
from jobs.models import ItemState, Job, JobItem, JobStatus
from jobs.services import (
    ConcurrentLimit,
    InvalidTransition,
    JobRunning,
    NothingLeft,
    cancel_job,
    pause_job,
    requeue_job,
    resume_job,
    start_job,
)
from tests.conftest import Api
from tests.contract.errors import told

pytestmark = pytest.mark.django_db

STATUSES = list(JobStatus)
ACTIONS = ("pause", "resume", "cancel")
BECOMES = {
    ("queued", "pause"): "paused",
    ("processing", "pause"): "paused",
    ("paused", "resume"): "processing",
    ("queued", "cancel"): "cancelled",
    ("processing", "cancel"): "cancelled",
    ("paused", "cancel"): "cancelled",
}
THREADS = 32


def start(actor, *keys, **options) -> Job:
    return start_job(actor, "recorder", [NewItem(key) for key in keys], **options)


@pytest.fixture
def job(recorder, alice) -> Job:
    """Of two items, neither of which has begun."""
    return start(alice, "a", "b")


def set_to(job: Job, status: str) -> None:
    """As the engine and the services leave it."""
    ended = now() if status in {"completed", "failed", "cancelled"} else None
    begun = None if status == "queued" else now()
    Job.objects.filter(pk=job.pk).update(status=status, started_at=begun, completed_at=ended)


def control(api: Api, surface: str, job: Job, action: str):
    if surface == "studio":
        return api.put(f"/v1/jobs/{job.pk}/control", {"action": action})
    return api.post(f"/api/v1/jobs/{job.pk}/{action}")


def told_of(job: Job) -> list[str]:
    """What the log has of it, without its start."""
    return list(Activity.objects.filter(object_id=job.pk).order_by("seq").values_list("action", flat=True))[1:]


@pytest.mark.parametrize("surface", ["studio", "core"])
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_takes_what_the_table_says(acme, job, surface, status, action):
    set_to(job, status)
    answer = control(acme, surface, job, action)
    wanted = BECOMES.get((status, action))
    job.refresh_from_db()
    if wanted is None:
        message = told(answer, surface, 409, "invalid_transition").message
        assert message == f"'{action}' is not possible for a job that is '{status}'."
        assert job.status == status
        assert told_of(job) == []
        return
    assert answer.status_code == 200, answer.content
    assert job.status == wanted
    assert (job.completed_at is not None) is (wanted == "cancelled")
    assert told_of(job) == [{"pause": "job.paused", "resume": "job.resumed", "cancel": "job.cancelled"}[action]]
    if surface == "studio":
        assert answer.json() == {
            "success": True,
            "job_id": job.pk,
            "action": action,
            "previous_status": status,
            "current_status": wanted,
            "message": {"pause": "Job paused", "resume": "Job resumed", "cancel": "Job cancelled"}[action]
            + " successfully",
        }
    else:
        body = answer.json()
        assert body.keys() == {"message", "data"}
        assert body["message"] == {"pause": "Job paused.", "resume": "Job resumed.", "cancel": "Job cancelled."}[action]
        assert (body["data"]["id"], body["data"]["status"]) == (job.pk, wanted)


@pytest.mark.parametrize("body", [{}, {"action": "requeue"}, {"action": 5}, {"action": "pause", "force": True}])
def test_another_action_is_refused_by_name(acme, job, body):
    refused = told(acme.put(f"/v1/jobs/{job.pk}/control", body), "studio", 400, "validation_failed")
    assert refused.code == "BAD_REQUEST"
    job.refresh_from_db()
    assert job.status == "queued"


@pytest.mark.parametrize("surface", ["studio", "core"])
@pytest.mark.parametrize("action", ACTIONS)
def test_another_workspaces_job_is_not_there(other, job, surface, action):
    told(control(other, surface, job, action), surface, 404, "not_found")
    job.refresh_from_db()
    assert job.status == "queued"


@pytest.mark.parametrize("surface", ["studio", "core"])
@pytest.mark.parametrize(("scope", "status"), [("jobs:read", 403), ("jobs:write", 200)])
def test_it_takes_the_scope(people, key_for, job, surface, scope, status):
    assert control(Api(key=key_for(people.acme, scope)), surface, job, "pause").status_code == status


@pytest.mark.parametrize("service", [pause_job, resume_job, cancel_job, requeue_job])
def test_a_viewer_controls_nothing(people, job, service):
    with pytest.raises(AccessDenied):
        service(Actor(people.acme.pk, codenames(Role.VIEWER), user_id=people.bob.pk), job.pk)


@pytest.mark.parametrize("service", [pause_job, resume_job, cancel_job, requeue_job])
def test_a_job_that_is_gone_is_not_found(alice, job, service):
    Job.objects.all().delete()
    with pytest.raises(NotFound):
        service(alice, job.pk)


# --- what it does to the work -----------------------------------------------------------------------------------------


def test_nothing_of_a_paused_job_starts_until_it_is_resumed(recorder, alice, work, job):
    pause_job(alice, job.pk)
    work()
    assert recorder.started == []
    made = resume_job(alice, job.pk)
    assert (made.previous, made.job.status) == ("paused", "queued"), "it never began"
    work()
    job.refresh_from_db()
    assert (job.status, job.done) == ("completed", 2)
    assert sorted(recorder.effects.elements()) == ["a", "b"]


def test_nothing_of_a_cancelled_job_starts(recorder, alice, work, job):
    cancel_job(alice, job.pk)
    work()
    job.refresh_from_db()
    assert recorder.started == []
    assert (job.status, job.done) == ("cancelled", 0)


def test_a_job_whose_items_ended_while_it_was_paused_ends_when_resumed(recorder, alice, work):
    recorder.last = ["report"]
    job = start(alice, "a")
    pause_job(alice, job.pk)
    JobItem.objects.filter(job=job).update(state=ItemState.DONE)
    Job.objects.filter(pk=job.pk).update(done=1, started_at=now())
    assert resume_job(alice, job.pk).job.status == "processing", "its last step is left"
    work()
    job.refresh_from_db()
    assert (job.status, recorder.started) == ("completed", ["report"])
    assert told_of(job) == ["job.paused", "job.resumed", "job.completed"]


def test_an_ended_job_is_completed_by_the_answer_to_resume(acme, recorder, alice):
    job = start(alice, "a")
    JobItem.objects.filter(job=job).update(state=ItemState.DONE)
    Job.objects.filter(pk=job.pk).update(done=1, started_at=now(), status="paused")
    body = control(acme, "studio", job, "resume").json()
    assert (body["previous_status"], body["current_status"]) == ("paused", "completed")
    assert told_of(job) == ["job.resumed", "job.completed"]


@pytest.mark.parametrize(("service", "status"), [(pause_job, "paused"), (cancel_job, "cancelled")])
def test_who_waits_for_a_window_waits_no_more(alice, job, service, status):
    later = now() + timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(resumes_at=later, runnable_at=later, status="processing")
    service(alice, job.pk)
    job.refresh_from_db()
    assert (job.status, job.resumes_at) == (status, None)
    assert job.runnable_at <= now()


def test_a_waiting_job_says_until_when(acme, alice, job):
    assert "resumes_at" not in acme.get(f"/v1/jobs/{job.pk}/status").json()["timing"]
    later = now() + timedelta(hours=1)
    Job.objects.filter(pk=job.pk).update(resumes_at=later, webhook_url="https://example.com/?token=secret")
    status = acme.get(f"/v1/jobs/{job.pk}/status")
    assert status.json()["timing"]["resumes_at"] == iso_ms(later)
    assert status.json()["configuration"]["webhook_configured"] is True
    shown = acme.get(f"/api/v1/jobs/{job.pk}")
    assert shown.json()["data"]["resumes_at"] == iso(later)
    assert shown.json()["data"]["webhook_configured"] is True
    listed = acme.get("/api/v1/jobs?fields=id,resumes_at,webhook_configured")
    assert listed.json()["data"] == [{"id": job.pk, "resumes_at": iso(later), "webhook_configured": True}]
    for answer in (status, shown, listed):
        assert "secret" not in answer.content.decode()


# --- requeue ----------------------------------------------------------------------------------------------------------


def test_what_failed_is_tried_again(recorder, alice, work):
    recorder.faults = {("a", 1): ItemFailed("no such page")}
    job = start(alice, "a", "b")
    work()
    job.refresh_from_db()
    assert (job.status, job.done, job.failed) == ("completed", 1, 1)
    made = requeue_job(alice, job.pk)
    assert (made.previous, made.job.status, made.job.failed) == ("completed", "processing", 0)
    item = job.items.get(key="a")
    assert (item.state, item.failures, item.losses) == ("pending", 0, 0)
    assert item.error["message"] == "no such page", "kept until the next try"
    work()
    job.refresh_from_db()
    item.refresh_from_db()
    assert (job.status, job.done, job.failed, job.error) == ("completed", 2, 0, None)
    assert (item.state, item.error) == ("done", None)
    assert recorder.effects == {"a": 1, "b": 1}, "what was done is not done again"


def test_a_failed_job_is_tried_again(recorder, alice, work):
    recorder.faults = {("a", 1): ItemFailed("no such page")}
    job = start(alice, "a")
    work()
    assert Job.objects.get(pk=job.pk).status == "failed"
    requeue_job(alice, job.pk)
    job.refresh_from_db()
    assert (job.status, job.error, job.completed_at) == ("processing", None, None)
    work()
    job.refresh_from_db()
    assert (job.status, job.done) == ("completed", 1)


def test_a_cancelled_job_goes_on(recorder, alice, work, job):
    cancel_job(alice, job.pk)
    requeue_job(alice, job.pk)
    work()
    job.refresh_from_db()
    assert (job.status, job.done) == ("completed", 2)


@pytest.mark.parametrize("status", ["queued", "processing", "paused"])
def test_an_unfinished_job_is_not_requeued(alice, job, status):
    set_to(job, status)
    with pytest.raises(InvalidTransition):
        requeue_job(alice, job.pk)


def test_a_job_of_which_nothing_is_left_is_not_requeued(recorder, alice, work, job):
    work()
    with pytest.raises(NothingLeft):
        requeue_job(alice, job.pk)
    job.refresh_from_db()
    assert job.status == "completed"


def test_items_go_ninety_days_after_the_end_of_their_job_which_stays(alice, recorder, work, acme):
    recorder.faults = {("a", attempt): ItemFailed("no such page") for attempt in (1, 2)}
    recent, old, waiting = start(alice, "a"), start(alice, "a", "b"), start(alice, "c")
    work()
    cancel_job(alice, start(alice, "d").pk)
    Job.objects.exclude(pk=recent.pk).update(completed_at=now() - timedelta(days=91))
    Job.objects.filter(pk=waiting.pk).update(status="paused", completed_at=None)
    assert housekeep()["items_removed"] == 3
    assert set(JobItem.objects.values_list("job", flat=True)) == {recent.pk, waiting.pk}
    shown = acme.get(f"/api/v1/jobs/{old.pk}").json()["data"]
    assert (shown["status"], shown["progress"]["failed"]) == ("completed", 1)
    with pytest.raises(NothingLeft):
        requeue_job(alice, old.pk)


def test_a_job_that_is_requeued_while_old_ones_are_cleared_keeps_its_items(alice, recorder, work, monkeypatch):
    recorder.faults = {("a", 1): ItemFailed("no such page")}
    job = start(alice, "a", "b")
    work()
    Job.objects.update(completed_at=now() - timedelta(days=91))
    remove = retention._remove_some

    def late(rows):
        requeue_job(alice, job.pk)
        return remove(rows)

    monkeypatch.setattr(retention, "_remove_some", late)
    assert housekeep()["items_removed"] == 0
    work()
    job.refresh_from_db()
    assert (job.status, job.done) == ("completed", 2)


def test_a_job_whose_items_were_never_all_there_is_not_requeued(alice, job):
    Job.objects.filter(pk=job.pk).update(ready=False, status="failed", completed_at=now())
    with pytest.raises(NothingLeft):
        requeue_job(alice, job.pk)


def test_a_job_is_not_requeued_beside_another_about_the_same(alice, recorder):
    first = start(alice, "a", subject="site:1")
    cancel_job(alice, first.pk)
    start(alice, "a", subject="site:1")
    with pytest.raises(JobRunning):
        requeue_job(alice, first.pk)
    first.refresh_from_db()
    assert first.status == "cancelled"


# --- how many at a time -----------------------------------------------------------------------------------------------


@pytest.fixture
def metered(recorder, monkeypatch):
    """`metered(2)`: two jobs at a time."""

    def limit(concurrent: int) -> None:
        monkeypatch.setattr(recorder, "meter", "units", raising=False)
        monkeypatch.setattr(recorder, "quota", lambda workspace_id: Quota(1000, 1000, concurrent), raising=False)

    return limit


@pytest.mark.parametrize("surface", ["studio", "core"])
def test_resuming_never_makes_more_jobs_than_may_run_at_a_time(acme, alice, metered, surface):
    metered(1)
    paused, running = start(alice, "a"), start(alice, "b")
    set_to(paused, "paused")
    answer = control(acme, surface, paused, "resume")
    refused = told(answer, surface, 429, "concurrent_limit_exceeded") if surface == "studio" else answer.json()
    if surface == "studio":
        assert refused.code == "CONCURRENT_LIMIT_EXCEEDED"
    else:
        assert (answer.status_code, refused["error"]) == (429, "concurrent_limit_exceeded")
    paused.refresh_from_db()
    assert paused.status == "paused"
    assert told_of(paused) == []
    Job.objects.filter(pk=running.pk).update(resumes_at=now() + timedelta(hours=1))
    assert control(acme, surface, paused, "resume").status_code == 200, "one that waits does not count"


def test_requeueing_neither(alice, metered, recorder):
    metered(1)
    cancelled = start(alice, "a")
    cancel_job(alice, cancelled.pk)
    start(alice, "b")
    with pytest.raises(ConcurrentLimit):
        requeue_job(alice, cancelled.pk)
    cancelled.refresh_from_db()
    assert cancelled.status == "cancelled"


# --- many at once -----------------------------------------------------------------------------------------------------


def at_once(calls) -> list[int]:
    """Statuses of the answers to all these calls, which set off together."""
    ready = Barrier(len(calls))

    def one(call) -> int:
        try:
            ready.wait(30)
            return call().status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


def race(key: str, job: Job, actions) -> list[int]:
    return at_once([lambda action=action: control(Api(key=key), "core", job, action) for action in actions])


needs_row_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time: nothing races")


@needs_row_locks
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", ["pause", "cancel"])
def test_of_many_who_do_the_same_at_once_one_does_it(people, key_for, job, action):
    assert sorted(race(key_for(people.acme), job, [action] * THREADS)) == [200] + [409] * (THREADS - 1)
    assert len(told_of(job)) == 1


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_without_the_guard_the_same_race_has_many_winners(people, key_for, job, monkeypatch):
    """So that the test above can fail."""
    monkeypatch.setattr(services, "before", lambda status: frozenset(JobStatus))
    assert race(key_for(people.acme), job, ["pause"] * THREADS).count(200) > 1


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_pausing_and_cancelling_at_once_leaves_one_story(people, key_for, job):
    answers = race(key_for(people.acme), job, ["pause", "cancel"] * (THREADS // 2))
    job.refresh_from_db()
    assert job.status == "cancelled", "it can be cancelled whether or not it was paused before"
    assert told_of(job) in (["job.cancelled"], ["job.paused", "job.cancelled"])
    assert answers.count(200) == len(told_of(job))
    assert set(answers) == {200, 409}


@needs_row_locks
@pytest.mark.django_db(transaction=True)
def test_as_many_resume_at_once_as_may_run(people, key_for, alice, metered):
    metered(3)
    key, paused = key_for(people.acme), [start(alice, "a") for _ in range(THREADS)]
    Job.objects.update(status="paused")
    answers = at_once([lambda job=job: control(Api(key=key), "core", job, "resume") for job in paused])
    assert sorted(answers) == [200] * 3 + [429] * (THREADS - 3)
    assert Job.objects.filter(status="queued").count() == 3


# --- the admin --------------------------------------------------------------------------------------------------------


def staff(user) -> Api:
    user.is_staff = True
    user.save()
    return Api(user=user)


def act(api: Api, action: str, job: Job) -> str:
    fields = {"action": f"{action}_jobs", "_selected_action": [job.pk]}
    return api.client.post("/admin/jobs/job/", fields, follow=True).content.decode()


def test_staff_control_jobs_in_their_role(people, job):
    alice = staff(people.alice)
    said = act(alice, "resume", job)
    assert "is not possible for a job that is" in said
    for action, status in (
        ("pause", "paused"),
        ("resume", "queued"),
        ("cancel", "cancelled"),
        ("requeue", "processing"),
    ):
        act(alice, action, job)
        job.refresh_from_db()
        assert job.status == status
    line = Activity.objects.get(object_id=job.pk, action="job.requeued")
    assert (line.user_id, line.via) == (people.alice.pk, "admin")


def test_staff_without_the_right_change_nothing(people, job):
    act(staff(people.bob), "pause", job)  # a VIEWER
    act(staff(people.charlie), "pause", job)  # of another workspace
    job.refresh_from_db()
    assert job.status == "queued"


def test_a_waiting_job_is_seen_in_the_admin_and_nothing_can_be_edited(people, job):
    Job.objects.filter(pk=job.pk).update(
        resumes_at=now() + timedelta(hours=1), webhook_url="https://e.com/?token=secret"
    )
    api = staff(people.alice)
    listed = api.get("/admin/jobs/job/").content.decode()
    assert "Waits until" in listed
    page = api.get(f"/admin/jobs/job/{quote(job.pk)}/change/").content.decode()
    assert "Waits until" in page
    assert "secret" not in page
    assert 'name="status"' not in page
    assert 'name="_save"' not in page


# --- while the engine works -------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_whoever_controls_jobs_and_the_engine_do_not_get_in_each_others_way(people, key_for, recorder, alice, work):
    """No answer but what the table says, no item twice, and counters that are right."""
    key, jobs = key_for(people.acme), [start(alice, "a", "b", "c") for _ in range(12)]
    answers: set[int] = set()

    def fiddle(job: Job) -> None:
        try:
            api = Api(key=key)
            for action in ("pause", "resume", "pause", "resume", *(["cancel"] if job in jobs[::3] else [])):
                answers.add(control(api, "core", job, action).status_code)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        fiddling = [pool.submit(fiddle, job) for job in jobs]
        while not all(one.done() for one in fiddling):
            work()
        for one in fiddling:
            one.result()
    work()
    assert answers <= {200, 409}
    for job in Job.objects.all():
        states = list(job.items.values_list("state", flat=True))
        assert (job.done, job.failed) == (states.count("done"), states.count("failed"))
        assert job.status == "cancelled" or (job.status, job.done) == ("completed", 3)
        assert told_of(job).count("job.completed") == (job.status == "completed")
    assert sum(recorder.effects.values()) == JobItem.objects.filter(state="done").count()
