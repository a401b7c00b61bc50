"""What is used of a meter is the sum of its ledger, and never more than the limit, however many ask at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import close_old_connections, connection, connections, transaction
from django.db.models import F

from ajansops.kit import entitlements as kit
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, FeatureLimitReached
from ajansops.kit.periodic import task
from billing import ledger, periods
from billing.ledger import used_of, verify_ledger
from billing.models import LedgerEntry, PlanLimit, Reservation, Usage
from billing.services import set_plan
from content.models import Post
from sites.models import Site

HOUR = timedelta(hours=1)
EMAILS = Feature.EMAILS  # of which the free plan has 100
THREADS = 32


@pytest.fixture
def pk(people):
    set_plan(people.acme.pk, "free")
    yield people.acme.pk
    assert verify_ledger()["ledger_mismatches"] == 0


@pytest.fixture
def it():
    return kit.entitlements()


def used(pk: int) -> int:
    return used_of(pk, EMAILS)


def test_work_reserves_spends_and_gives_back_the_rest(pk, it):
    it.reserve(pk, EMAILS, 10, "job:1", hold=HOUR)
    assert used(pk) == 10
    it.settle(pk, EMAILS, "job:1", {"item:1": 1, "item:2": 1})
    it.settle(pk, EMAILS, "job:1", {"item:3": 2})
    assert used(pk) == 10
    assert it.release(pk, EMAILS, "job:1") == 6
    assert used(pk) == 4
    assert it.refund(pk, EMAILS, "job:1", 2, part="item:3") == 2
    assert used(pk) == 2


def test_each_step_counts_once(pk, it):
    for _ in range(3):
        it.reserve(pk, EMAILS, 10, "job:1", hold=HOUR)
        it.settle(pk, EMAILS, "job:1", {"item:1": 1, "item:2": 1})
    assert [it.release(pk, EMAILS, "job:1") for _ in range(3)] == [8, 0, 0]
    assert [it.refund(pk, EMAILS, "job:1", part="item:1") for _ in range(3)] == [1, 0, 0]
    it.use(pk, EMAILS, 5, "mail:1")
    it.use(pk, EMAILS, 5, "mail:1")
    assert used(pk) == 6
    assert LedgerEntry.objects.count() == 7


def test_sources_of_others_are_others(pk, it, people):
    it.use(pk, EMAILS, 5, "mail:1")
    it.use(people.other.pk, EMAILS, 3, "mail:1")
    it.use(pk, Feature.AUDITS, 2, "mail:1")
    assert (used(pk), used(people.other.pk), used_of(pk, Feature.AUDITS)) == (5, 3, 2)


def test_more_than_the_estimate_counts_as_it_is_done_already(pk, it):
    it.reserve(pk, EMAILS, 2, "job:1", hold=HOUR)
    it.settle(pk, EMAILS, "job:1", {"a": 1, "b": 3})
    assert used(pk) == 4
    it.use(pk, EMAILS, 96, "rest")
    it.settle(pk, EMAILS, "job:1", {"c": 1})
    assert it.release(pk, EMAILS, "job:1") == 0
    assert used(pk) == 101


@pytest.mark.parametrize(("asked", "given"), [(3, 3), (9, 5), (0, 0)])
def test_a_refund_is_never_more_than_was_charged(pk, it, asked, given):
    it.use(pk, EMAILS, 5, "mail:1")
    assert it.refund(pk, EMAILS, "mail:1", asked) == given
    assert used(pk) == 5 - given


def test_what_was_not_spent_cannot_be_refunded(pk, it):
    it.reserve(pk, EMAILS, 5, "job:1", hold=HOUR)
    assert it.refund(pk, EMAILS, "job:1", part="item:1") == 0
    assert it.refund(pk, EMAILS, "nothing") == it.release(pk, EMAILS, "nothing") == 0
    with pytest.raises(KeyError):
        it.settle(pk, EMAILS, "nothing", {"": 1})
    assert used(pk) == 5


def test_at_the_limit_nothing_changes_and_the_error_says_until_when(pk, it):
    it.use(pk, EMAILS, 100, "all")
    with pytest.raises(FeatureLimitReached) as caught:
        it.use(pk, EMAILS, 1, "one")
    assert caught.value.resets_at == periods.current_period(pk).end
    assert set(caught.value.data) == {"feature", "upgrade_url"}
    with pytest.raises(FeatureLimitReached):
        it.reserve(pk, EMAILS, 1, "job:1", hold=HOUR)
    assert used(pk) == 100
    assert Reservation.objects.count() == 1


def test_more_than_the_limit_at_once_is_refused(pk, it):
    with pytest.raises(FeatureLimitReached):
        it.use(pk, EMAILS, 101, "all")


def test_work_that_passes_the_end_of_the_month_is_charged_to_its_start(pk, it, monkeypatch):
    it.reserve(pk, EMAILS, 10, "job:1", hold=HOUR)
    first = periods.current_period(pk)
    monkeypatch.setattr(periods, "now", lambda: first.end)
    it.settle(pk, EMAILS, "job:1", {"a": 12})
    it.use(pk, EMAILS, 1, "mail:1")
    assert it.refund(pk, EMAILS, "job:1", 2, part="a") == 2
    assert Usage.objects.get(period=first).used == 10
    assert used(pk) == 1


def test_what_rolls_back_was_never_used(pk, it):
    with transaction.atomic():
        it.use(pk, EMAILS, 5, "mail:1")
        transaction.set_rollback(True)
    assert used(pk) == 0


def test_the_reservation_of_a_holder_that_is_gone_comes_back(pk, it, monkeypatch):
    monkeypatch.setattr(kit, "_HOLDERS", {"job:": lambda sources: [one for one in sources if one == "job:alive"]})
    for source in ("job:alive", "job:dead", "other"):
        it.reserve(pk, EMAILS, 10, source, hold=HOUR)
    it.settle(pk, EMAILS, "job:dead", {"item:1": 1})
    assert task("return_reservations").run() == {"reservations_returned": 0}
    later = now() + 2 * HOUR
    monkeypatch.setattr(ledger, "now", lambda: later)
    assert task("return_reservations").run() == {"reservations_returned": 2}
    assert used(pk) == 11
    assert Reservation.objects.get(source="job:alive").expires_at == later + HOUR
    it.settle(pk, EMAILS, "job:dead", {"item:2": 1})  # it was only slow: what it spent counts
    assert used(pk) == 12


def test_what_is_recorded_counts_above_the_limit(pk, it):
    it.record(pk, EMAILS, 90, "hour:1")
    it.record(pk, EMAILS, 90, "hour:1")
    assert used(pk) == 180
    assert LedgerEntry.objects.get().units == 180


def test_a_counter_that_is_not_its_ledger_is_found(pk, it):
    it.use(pk, EMAILS, 5, "mail:1")
    assert task("verify_ledger").run() == {"counters_verified": 1, "ledger_mismatches": 0}
    Usage.objects.update(used=F("used") + 1)
    assert task("verify_ledger").run() == {"counters_verified": 1, "ledger_mismatches": 1}
    Usage.objects.update(used=F("used") - 1)


def test_a_gauge_admits_what_fits(pk, it):
    Site.objects.create(workspace_id=pk, name="A", domain="a.example.com")
    it.admit(pk, Feature.SITES, 2)
    with pytest.raises(FeatureLimitReached) as caught:
        it.admit(pk, Feature.SITES, 3)
    assert (caught.value.resets_at, caught.value.feature) == (None, Feature.SITES)
    set_limit = PlanLimit.objects.update_or_create
    set_limit(plan="free", feature=Feature.SITES, defaults={"limit": 0})
    it.admit(pk, Feature.SITES, 0)


def in_parallel(calls: int, call) -> list[bool]:
    """Whether each was admitted. All begin together, each on a connection of its own."""
    barrier = Barrier(THREADS)

    def one(number: int) -> bool:
        close_old_connections()
        try:
            if number < THREADS:
                barrier.wait(20)
            call(number)
        except FeatureLimitReached:
            return False
        else:
            return True
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(calls)))


@pytest.fixture
def crowd(transactional_db, people):
    set_plan(people.acme.pk, "free")
    kit.entitlements().record(people.acme.pk, EMAILS, 60, "before")
    return people.acme.pk


@pytest.mark.parametrize("locked", [True, False], ids=["as it is", "without the workspace's lock"])
def test_parallel_calls_never_pass_the_limit(crowd, it, monkeypatch, locked):
    """Not by the lock: the UPDATE decides, so that it holds also where somebody forgets to lock."""
    if not locked:
        monkeypatch.setattr(ledger, "lock_workspace", lambda workspace_id: None)
    admitted = in_parallel(96, lambda number: it.use(crowd, EMAILS, 1, f"mail:{number}"))
    assert admitted.count(True) == 40
    assert used(crowd) == 100
    assert verify_ledger()["ledger_mismatches"] == 0


def test_the_test_would_find_a_limit_that_is_only_looked_at(crowd, it, monkeypatch):
    """The positive control: who looks first and counts afterwards lets too many in."""
    barrier = Barrier(THREADS)

    def look_then_count(number: int) -> None:
        if used(crowd) + 10 > 100:
            raise FeatureLimitReached(EMAILS, "")
        barrier.wait(20)
        it.record(crowd, EMAILS, 10, f"mail:{number}")

    assert in_parallel(THREADS, look_then_count).count(True) > 4
    assert used(crowd) > 100


def test_one_source_in_parallel_counts_once(crowd, it):
    assert all(in_parallel(THREADS, lambda number: it.use(crowd, EMAILS, 2, "mail:1")))
    assert used(crowd) == 62


def test_a_job_that_ends_while_its_items_settle_keeps_its_books(crowd, it):
    it.reserve(crowd, EMAILS, 20, "job:1", hold=HOUR)

    def call(number: int) -> None:
        if number % 4 == 3:
            it.release(crowd, EMAILS, "job:1")
        else:
            it.settle(crowd, EMAILS, "job:1", {f"item:{number % 16}": 1})

    assert all(in_parallel(64, call))
    assert used(crowd) == 60 + 12
    assert verify_ledger()["ledger_mismatches"] == 0


@pytest.mark.parametrize("locked", [True, False], ids=["locked", "the control"])
def test_gauges_are_exact_in_parallel(crowd, it, monkeypatch, locked):
    """By the workspace's lock. Without it (and without SQLite's one writer) too many come in."""
    if not locked:
        if connection.vendor == "sqlite":
            pytest.skip("SQLite has one writer: there is nothing to take away")
        monkeypatch.setattr(ledger, "lock_workspace", lambda workspace_id: None)
    site = Site.objects.create(workspace_id=crowd, name="A", domain="a.example.com")
    made = [Post(workspace_id=crowd, site=site, title="A", slug=f"a-{number}") for number in range(70)]
    Post.objects.bulk_create(made)
    barrier = Barrier(THREADS)

    def call(number: int) -> None:
        with transaction.atomic():
            it.admit(crowd, Feature.POSTS, 4)
            if not locked:
                barrier.wait(20)
            new = [Post(workspace_id=crowd, site=site, title="B", slug=f"b-{number}-{one}") for one in range(4)]
            Post.objects.bulk_create(new)

    assert in_parallel(THREADS, call).count(True) == (7 if locked else THREADS)
