"""Of a period that is long over one line a counter stays, and it is still the sum."""

from datetime import timedelta

import pytest
from django.db.models import F, Sum

from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, entitlements
from ajansops.kit.periodic import task
from billing import folding, ledger, periods
from billing.ledger import used_in, verify_ledger
from billing.models import LedgerEntry, Reservation, Usage
from billing.periods import current_period
from billing.services import set_plan

HOUR = timedelta(hours=1)
EMAILS, AUDITS = Feature.EMAILS, Feature.AUDITS


@pytest.fixture
def old(people, monkeypatch):
    """A period with every kind of line: 12 mails, an audit; what the other workspace used, and a new period."""
    set_plan(people.acme.pk, "free")
    pk, it = people.acme.pk, entitlements()
    it.use(pk, EMAILS, 5, "mail:1")
    it.reserve(pk, EMAILS, 10, "job:1", hold=HOUR)
    it.settle(pk, EMAILS, "job:1", {"a": 3, "b": 9})
    it.release(pk, EMAILS, "job:1")
    it.refund(pk, EMAILS, "mail:1")
    it.refund(pk, EMAILS, "job:1", 4, part="b")
    it.use(pk, AUDITS, 1, "audit:1")
    it.use(people.other.pk, EMAILS, 7, "mail:1")
    period = current_period(pk)
    assert used_in(period) == {EMAILS: 12, AUDITS: 1}
    monkeypatch.setattr(periods, "now", lambda: period.end)
    it.use(pk, EMAILS, 2, "mail:2")
    return period


@pytest.fixture
def later(old, monkeypatch):
    """So long that the first period is to be folded, and no other."""

    def move(passed: timedelta = folding.KEPT) -> None:
        moment = old.end + passed + timedelta(seconds=1)
        monkeypatch.setattr(folding, "now", lambda: moment)

    return move


def fold() -> int:
    return task("fold_ledger").run()["reservations_folded"]


def sums(period) -> dict[str, int]:
    lines = LedgerEntry.objects.filter(reservation__usage__period=period)
    return dict(lines.values_list("reservation__usage__feature").annotate(sum=Sum("units")))


@pytest.mark.parametrize("at_once", [1, 500])
def test_what_is_long_over_becomes_one_line_a_counter(old, later, people, monkeypatch, at_once):
    monkeypatch.setattr(folding, "AT_ONCE", at_once)
    before = LedgerEntry.objects.count()
    later(folding.KEPT - timedelta(days=1))
    assert fold() == 0
    assert LedgerEntry.objects.count() == before
    later()
    assert fold() == 3 + 1, "the other workspace's period is over, too"
    assert sums(old) == used_in(old) == {EMAILS: 12, AUDITS: 1}
    kept = Reservation.objects.filter(usage__period=old).values_list("feature", "source", "reserved", "settled")
    assert sorted(kept) == [(AUDITS, f"folded:{old.pk}", 1, 1), (EMAILS, f"folded:{old.pk}", 12, 12)]
    assert LedgerEntry.objects.filter(reservation__usage__period=old).count() == 2
    assert Reservation.objects.filter(source="mail:2").exists(), "of a period that is not over for long each stays"
    assert fold() == 0
    monkeypatch.setattr(ledger, "VERIFIED", folding.KEPT)
    assert verify_ledger() == {"counters_verified": 4, "ledger_mismatches": 0}


def test_what_comes_late_is_folded_too(old, later):
    later()
    Reservation.objects.filter(source="job:1").update(expires_at=now())
    fold()
    assert Reservation.objects.filter(source="job:1").exists(), "somebody holds it"
    Reservation.objects.filter(source="job:1").update(expires_at=None)
    assert fold() == 1
    assert sums(old) == used_in(old)
    assert Reservation.objects.filter(usage__period=old, feature=EMAILS).count() == 1


def test_what_is_folded_can_no_longer_be_refunded(old, later, people):
    later()
    fold()
    assert entitlements().refund(people.acme.pk, EMAILS, "job:1", part="a") == 0
    assert used_in(old)[EMAILS] == 12


@pytest.mark.parametrize("wrong", ["counter", "line", "reservation"])
def test_what_does_not_agree_is_left_as_it_is(old, later, wrong):
    """A counter, a line or a reservation that somebody has changed by hand."""
    later()
    match wrong:
        case "counter":
            Usage.objects.filter(period=old, feature=EMAILS).update(used=F("used") + 1)
        case "line":
            LedgerEntry.objects.filter(reservation__source="mail:1", kind="settle").update(units=F("units") + 1)
        case "reservation":
            held = Reservation.objects.filter(usage__period=old, source="mail:1")
            held.update(reserved=F("reserved") + 1, settled=F("settled") + 1)
    lines = LedgerEntry.objects.filter(reservation__usage__period=old, reservation__feature=EMAILS)
    before = list(lines.order_by("pk").values())
    assert fold() <= 2
    assert list(lines.order_by("pk").values()) == before
